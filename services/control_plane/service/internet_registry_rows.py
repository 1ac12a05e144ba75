"""What the use cases need of the database about associations with internet registries."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from services.control_plane.delegated_rpki.out_of_band import ParentContact
from services.control_plane.delegated_rpki.resources import Range, Resources
from services.control_plane.internet_registries.association import InternetRegistryAssociation
from services.control_plane.internet_registries.authorities import Delegation, KeptAuthority
from shared.caller import Caller
from shared.cidr import Cidr


class InternetRegistryRows(Protocol):
    """Associations, and what their registries certify, all under the lock of their IPAM."""

    def get(self, association_id: str) -> InternetRegistryAssociation | None: ...

    def of_ipam(self, ipam_id: str) -> Sequence[InternetRegistryAssociation]:
        """Oldest first."""

    def visible(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, InternetRegistryAssociation]]:
        """The caller's in their home region, oldest first, each with its key for paging.

        Without ``ids``, all; beginning after the key ``after``.
        """

    def add(self, association: InternetRegistryAssociation) -> None: ...

    def save(self, association: InternetRegistryAssociation) -> None: ...

    def remove(self, association_id: str) -> None:
        """Forget it with all of this that belongs to it."""

    def due(self, now: datetime) -> Sequence[str]:
        """Those whose registry is to be asked again, longest due first."""

    def claim(self, association_id: str, now: datetime, until: datetime) -> bool:
        """Have it due at ``until`` instead; False: it is not due, or somebody else was faster."""

    def ask_again(self, association_id: str, at: datetime | None) -> None:
        """When the registry is to be asked again; None: it is not to be asked."""

    def delegation(self, association_id: str) -> Delegation | None: ...

    def add_delegation(self, delegation: Delegation) -> None: ...

    def set_parent(self, association_id: str, parent: ParentContact) -> None:
        """Speak to this one from now on, of which nothing was heard unless it is the same."""

    def set_heard(self, association_id: str, heard_at: datetime) -> None:
        """When the parent signed its last answer, unless that is known of a later one."""

    def set_identity_key(self, association_id: str, encrypted_key: bytes) -> None:
        """The same key, encrypted otherwise."""

    def all_delegations(self) -> Iterator[Delegation]:
        """Every account's."""

    def keys(self, association_id: str) -> Mapping[str, bytes]:
        """By resource class, the encrypted key of its authority, be it certified or not."""

    def all_keys(self) -> Iterator[tuple[str, str, bytes]]:
        """Every account's: association, resource class and encrypted key."""

    def add_key(self, association_id: str, class_name: str, encrypted_key: bytes) -> None: ...

    def set_key(self, association_id: str, class_name: str, encrypted_key: bytes) -> None:
        """The same key, encrypted otherwise."""

    def authorities(self, association_id: str) -> Mapping[str, KeptAuthority]:
        """Those that are certified, by resource class."""

    def save_authorities(
        self, association_id: str, authorities: Mapping[str, KeptAuthority | None]
    ) -> None:
        """Each of these classes, that have keys here, is certified so, or not; others are gone."""

    def certified(self, association_id: str) -> Resources:
        """What the registry certified last."""

    def save_certified(self, association_id: str, resources: Resources) -> None: ...

    def cidrs(self, association_id: str, after: str | None) -> Iterator[tuple[str, Cidr]]:
        """What the registry certified last, in order, each with its key for paging.

        Raises:
            InvalidNextToken: ``after`` is no such key.
        """

    def asn_ranges(self, association_id: str, first: int) -> Iterator[Range]:
        """The ranges that the registry certified last, in order, from those with ``first`` on."""

    def covering(self, ipam_id: str, cidr: Cidr) -> InternetRegistryAssociation | None:
        """The IPAM's enabled association whose registry certifies all of a CIDR; the oldest."""
