"""Setting and removing tags."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from services.network.service.rows import Rows, Store
from shared.caller import Caller
from shared.ids import VPC
from shared.tags import Tags

Change = Callable[[Tags], Tags]


class Tagging:
    """The tags of every kind of resource."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def change(
        self, caller: Caller, resource_ids: Collection[str], change: Change, *, dry_run: bool
    ) -> None:
        """On all of ``resource_ids`` or none.

        Raises:
            UnknownId: one of them is none of the caller's in its region.
        """

        def use_case(rows: Rows) -> None:
            # In the order of locks, so that two callers never wait for each other.
            for prefix, tag in _BY_PREFIX.items():
                for resource_id in sorted(set(resource_ids)):
                    if resource_id.startswith(prefix):
                        tag(rows, caller, resource_id, change)

        await self._store.write(use_case, dry_run=dry_run)


def _tag_vpc(rows: Rows, caller: Caller, vpc_id: str, change: Change) -> None:
    vpc = rows.vpcs.get(caller, vpc_id, lock=True)
    if vpc is None:
        raise VPC.unknown(vpc_id)
    rows.vpcs.save(replace(vpc, tags=change(vpc.tags)))


_BY_PREFIX: Mapping[str, Callable[[Rows, Caller, str, Change], None]] = {VPC.prefix: _tag_vpc}
