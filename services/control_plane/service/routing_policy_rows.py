"""What the use cases need of the database about registrations and ROAs, in one transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.control_plane.delegated_rpki.publication import Publication, Roa
from services.control_plane.internet_registries.delta import Delta, Registrations
from services.control_plane.internet_registries.registration import Registration
from shared.cidr import Cidr


@dataclass(frozen=True, slots=True)
class Published:
    """What the authority of a resource class has published, and where."""

    publication: Publication
    repository_uri: str
    renew_at: datetime
    """When it is to be published anew, whatever is wanted."""


@dataclass(frozen=True, slots=True)
class Repository:
    """All that is published, as of one moment."""

    session_id: UUID
    serial: int
    """Grows whenever something else is published."""
    objects: Mapping[str, bytes]
    """By URI of rsync."""


class RoutingPolicyRows(Protocol):
    """Registrations, deltas and ROAs of associations with internet registries.

    They are under the lock of their association's IPAM.
    """

    def registrations(self, association_id: str) -> Registrations: ...

    def count(self, association_id: str) -> int:
        """How many registrations an association has, those that are going included."""

    def save(self, association_id: str, before: Registrations, after: Registrations) -> None:
        """Change the registrations from ``before``, as they are in the database, to ``after``."""

    def listed(
        self, association_id: str, *, cidr: Cidr | None, after: str | None
    ) -> Iterator[tuple[str, Registration]]:
        """By CIDR, IPv4 first, each with its key for paging; of ``cidr`` alone if it is given.

        Raises:
            InvalidNextToken: ``after`` is no such key.
        """

    def delta(self, association_id: str, delta_id: str) -> Delta | None: ...

    def pending_deltas(self, association_id: str) -> Sequence[Delta]:
        """Oldest first."""

    def add_delta(self, delta: Delta) -> None: ...

    def end_delta(self, delta: Delta) -> None:
        """Save what became of a delta.

        Raises:
            ConcurrentModification: something did already.
        """

    def deltas(
        self,
        association_id: str,
        *,
        delta_id: str | None,
        made: tuple[datetime | None, datetime | None],
        newest_first: bool,
        after: str | None,
    ) -> Iterator[tuple[str, Delta]]:
        """Those made in a time, its end excluded, each with its key for paging.

        Raises:
            InvalidNextToken: ``after`` is no such key.
        """

    def published(self, association_id: str) -> Mapping[str, Published]:
        """By resource class."""

    def save_published(
        self, association_id: str, class_name: str, before: Published | None, after: Published
    ) -> None:
        """Save what an authority published after ``before``.

        Raises:
            ConcurrentModification: something else was published after that.
        """

    def remove_published(self, association_id: str, class_name: str) -> None:
        """Nothing is published any more, for the registry has no such class for us."""

    def roas(self, association_id: str) -> frozenset[Roa]:
        """What is published of all resource classes."""

    def listed_roas(
        self, association_id: str, *, cidr: Cidr | None, after: str | None
    ) -> Iterator[tuple[str, Roa]]:
        """By CIDR, IPv4 first, and ASN, each with its key for paging.

        Raises:
            InvalidNextToken: ``after`` is no such key.
        """

    def due(self, now: datetime, until: datetime) -> Collection[str]:
        """Associations that have something to be published anew; it is due at ``until`` next."""

    def remove_of(self, association_id: str) -> None:
        """Forget all of an association, which is going, and withdraw what it published."""

    def serial(self) -> int:
        """Of `repository`."""

    def repository(self) -> Repository: ...
