"""What the use cases need of the database about VPCs, within one transaction."""

from collections.abc import Collection, Iterator
from typing import Protocol

from services.network.vpc import Vpc
from shared.caller import Caller


class VpcRows(Protocol):
    """VPCs. A VPC's row is the lock of its blocks, tags and attributes, and of adding subnets."""

    def get(self, caller: Caller, vpc_id: str, *, lock: bool) -> Vpc | None:
        """One of the caller's, in the caller's region."""

    def with_association(self, caller: Caller, association_id: str) -> str | None:
        """The id of the caller's VPC that has this block."""

    def all(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, Vpc]]:
        """The caller's, or those of them with these ids; oldest first, each with its paging key."""

    def count(self, owner_id: str, region: str) -> int: ...

    def add(self, vpc: Vpc) -> None:
        """With its blocks."""

    def save(self, vpc: Vpc) -> None:
        """Its tags and attributes, nothing else of it changes."""

    def remove(self, vpc: Vpc) -> None:
        """With its blocks."""
