"""What the use cases need of the database, within one transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol, TypeAlias

from services.control_plane.ipam import Ipam
from services.control_plane.pool import Pool
from services.control_plane.scope import Scope
from services.control_plane.service.byoip_rows import ByoipRows
from services.control_plane.service.discovery_rows import DiscoveryRows
from services.control_plane.service.identity_rows import IdentityRows
from services.control_plane.service.internet_registry_rows import InternetRegistryRows
from services.control_plane.service.ipam_policy_rows import IpamPolicyRows
from services.control_plane.service.organization_rows import OrganizationRows
from services.control_plane.service.routing_policy_rows import RoutingPolicyRows
from services.control_plane.service.share_rows import ShareRows
from shared.caller import Caller
from shared.tags import Tags

Among: TypeAlias = Mapping[str, Sequence[str]]
"""Filters of a list by name, each with the whole values that it may let through."""
NO_MATTER: Among = MappingProxyType({})


class Rows(Protocol):
    """The rows of one transaction.

    An IPAM's row is the lock of all that lies under it: whoever is to change an IPAM, a scope, a
    pool or their tags holds it first, so quotas and states are decided by one at a time. Whoever is
    to hold an organization, too, holds that before any IPAM.
    """

    @property
    def organizations(self) -> OrganizationRows: ...

    @property
    def shares(self) -> ShareRows: ...

    @property
    def discoveries(self) -> DiscoveryRows: ...

    @property
    def ipam_policies(self) -> IpamPolicyRows: ...

    @property
    def internet_registries(self) -> InternetRegistryRows: ...

    @property
    def routing_policies(self) -> RoutingPolicyRows: ...

    @property
    def identity(self) -> IdentityRows: ...

    @property
    def byoip(self) -> ByoipRows: ...

    def ipam_in(self, owner_id: str, region: str, *, lock: bool) -> Ipam | None:
        """The one IPAM of an account in a region (IPAM-2)."""

    def ipam(self, ipam_id: str, *, lock: bool) -> Ipam | None: ...

    def ipams_with_public_pools(self, owner_ids: Collection[str]) -> Sequence[Ipam]:
        """Those of these owners that have any, by id."""

    def ipams_with_registries(self) -> Sequence[Ipam]:
        """Every account's that have an enabled association with one, by id."""

    def ipam_ids(self) -> Sequence[str]:
        """Every account's, in one order for all, so that those who lock several don't lock up."""

    def all_ipams(self, after: str | None) -> Iterator[tuple[str, Ipam, Sequence[Scope]]]:
        """Every account's but those being made, each with its key for paging and scopes.

        By id, after a key.
        """

    def add_ipam(self, ipam: Ipam) -> None:
        """Add it.

        Raises:
            IpamLimitExceeded: another transaction was faster.
        """

    def save_ipam(self, ipam: Ipam) -> None: ...

    def remove_ipam(self, ipam: Ipam) -> None:
        """Remove it and all that lies under it, its default resource discovery included.

        And its verification tokens, ASNs and policies.
        """

    def scope(self, ipam_scope_id: str) -> Scope | None: ...

    def scopes(self, ipam_id: str) -> Sequence[Scope]: ...

    def add_scope(self, scope: Scope) -> None: ...

    def save_scope(self, scope: Scope) -> None: ...

    def remove_scope(self, ipam_scope_id: str) -> None: ...

    def pool(self, ipam_pool_id: str) -> Pool | None: ...

    def pools(self, ipam_id: str) -> Sequence[Pool]:
        """All of an IPAM, deepest first."""

    def all_pools(self, after: str | None) -> Iterator[tuple[str, Pool, Ipam]]:
        """Every account's, each with its key for paging and its IPAM, by id, after a key."""

    def pool_ids_in(self, ipam_scope_id: str) -> list[str]: ...

    def child_ids(self, ipam_pool_id: str) -> list[str]: ...

    def add_pool(self, pool: Pool) -> None: ...

    def save_pool(self, pool: Pool) -> None: ...

    def remove_pools(self, ipam_pool_ids: Sequence[str]) -> None:
        """Ids that name nothing are skipped."""

    def tags(self, caller: Caller, resource_id: str) -> Tags | None:
        """Of something that is the caller's in this region, and is locked; None when it is not."""

    def save_tags(self, resource_id: str, tags: Tags) -> None: ...

    def visible_ipams(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, Ipam]]:
        """The caller's in their home region, oldest first, each with its key for paging.

        Without ``ids``, all; beginning after the key ``after``.
        """

    def visible_scopes(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, Scope]]:
        """Like `visible_ipams`."""

    def visible_pools(
        self, caller: Caller, *, ids: Collection[str], after: str | None, among: Among = NO_MATTER
    ) -> Iterator[tuple[str, Pool]]:
        """Like `visible_ipams`, also in their locale, and those shared with the caller (ORG-4).

        ``among`` leaves out what its filters would not let through.
        """
