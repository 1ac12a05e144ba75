"""What the use cases need of the database about VPCs' defaults, within one transaction."""

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from services.network.vpc_defaults import DefaultKind, VpcDefault
from shared.caller import Caller


class VpcDefaultRows(Protocol):
    """The default network ACL, main route table and default security group of each VPC.

    A row is the lock of its tags.
    """

    def get(self, caller: Caller, resource_id: str, *, lock: bool) -> VpcDefault | None:
        """One of the caller's, in the caller's region."""

    def all(
        self,
        caller: Caller,
        kind: DefaultKind,
        *,
        ids: Collection[str],
        vpc_ids: Collection[str],
        after: str | None,
    ) -> Iterator[Sequence[tuple[str, VpcDefault]]]:
        """The caller's, or those of them with these ids, or of these VPCs; some at a time.

        Oldest first, each with its paging key.
        """

    def group_of(self, vpc_id: str) -> str:
        """The id of the VPC's security group."""

    def add(self, defaults: Sequence[VpcDefault]) -> None: ...

    def save(self, default: VpcDefault) -> None:
        """Its tags, nothing else of it changes."""

    def remove(self, vpc_id: str) -> None:
        """All that the VPC has."""
