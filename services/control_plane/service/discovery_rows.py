"""What the use cases need of the database about resource discoveries, within one transaction."""

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from services.control_plane.resource_discoveries.association import ResourceDiscoveryAssociation
from services.control_plane.resource_discoveries.resource_discovery import ResourceDiscovery
from shared.caller import Caller


class DiscoveryRows(Protocol):
    """The rows of resource discoveries and of their associations.

    A resource discovery's row is its lock: it may outlive an IPAM, or never have one. Whoever holds
    an IPAM, too, holds that before. An association is under its IPAM's lock.
    """

    def discovery(
        self, ipam_resource_discovery_id: str, *, lock: bool
    ) -> ResourceDiscovery | None: ...

    def add_discovery(self, discovery: ResourceDiscovery) -> None:
        """Add it.

        Raises:
            IpamResourceDiscoveryLimitExceeded: its owner has one of its own in this region.
        """

    def save_discovery(self, discovery: ResourceDiscovery) -> None: ...

    def remove_discovery(self, ipam_resource_discovery_id: str) -> None:
        """Its associations stay, and see nothing any more."""

    def owned_discoveries(
        self, caller: Caller, *, shared: Collection[str], ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, ResourceDiscovery]]:
        """The caller's and the ``shared`` ones in this region, each with its key for paging.

        Oldest first. Without ``ids``, all; beginning after the key ``after``.
        """

    def association(
        self, ipam_resource_discovery_association_id: str
    ) -> ResourceDiscoveryAssociation | None: ...

    def associations(self, ipam_id: str) -> Sequence[ResourceDiscoveryAssociation]:
        """All of an IPAM, the default one included, oldest first."""

    def add_association(self, association: ResourceDiscoveryAssociation) -> None: ...

    def save_association(self, association: ResourceDiscoveryAssociation) -> None: ...

    def remove_association(self, ipam_resource_discovery_association_id: str) -> None: ...

    def associations_of(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, ResourceDiscoveryAssociation]]:
        """Those of the caller's IPAM and of its resource discoveries in this region.

        Like `owned_discoveries` otherwise.
        """

    def associated_discoveries(
        self, first: str
    ) -> Iterator[tuple[str, ResourceDiscoveryAssociation, ResourceDiscovery]]:
        """Every account's associations with what they are of, by key, beginning with ``first``.

        Those of deleted resource discoveries are left out.
        """

    def discoveries_without_ipam(
        self, first: str
    ) -> Iterator[tuple[ResourceDiscovery, Sequence[ResourceDiscoveryAssociation]]]:
        """Every account's that came with no IPAM, with their associations, by id from ``first`` on.

        Those being deleted are left out.
        """
