"""What the use cases need of the database about subnets, within one transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

from services.network.subnet import Subnet
from shared.caller import Caller


class SubnetRows(Protocol):
    """Subnets. A subnet's row is the lock of its tags, attributes and IPv6 block.

    And of taking addresses of it.
    """

    def get(self, caller: Caller, subnet_id: str, *, lock: bool) -> Subnet | None:
        """One of the caller's, in the caller's region."""

    def all(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[Sequence[tuple[str, Subnet]]]:
        """The caller's, or those of them with these ids; oldest first, some at a time.

        Each with its paging key.
        """

    def in_vpc(self, vpc_id: str) -> Sequence[Subnet]: ...

    def ids_in(self, vpc_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
        """By VPC, in order; VPCs without subnets are missing."""

    def with_association(self, caller: Caller, association_id: str) -> str | None:
        """The id of the caller's subnet that has this block."""

    def add(self, subnet: Subnet) -> None:
        """With its blocks."""

    def save(self, subnet: Subnet) -> None:
        """Its tags and attributes, nothing else of it changes."""

    def remove(self, subnet: Subnet) -> None:
        """With its blocks."""
