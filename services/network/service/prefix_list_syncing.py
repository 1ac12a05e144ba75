"""What targets of prefix list resolvers do to prefix lists.

On behalf of the list's owner, in its region; every call may be repeated.
"""

from collections.abc import Collection

from services.network.prefix_list import PrefixList, replaced
from services.network.service.prefix_lists import newest_entries, prefix_list_of
from services.network.service.rows import Rows, Store
from shared.caller import Caller
from shared.cidr import AddressFamily, Cidr


class PrefixListSyncing:
    """A list is one target's at a time, which alone changes its entries while synchronised."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def attach(
        self, caller: Caller, prefix_list_id: str, target_id: str, family: AddressFamily
    ) -> None:
        """Have a list be the target's, and synchronised.

        Raises:
            UnknownId: it is none of the caller's.
            OtherResolverTarget: it is another target's.
            InvalidParameterCombination: it is of the other family.
        """

        def use_case(rows: Rows) -> None:
            before = prefix_list_of(rows, caller, prefix_list_id, lock=True)
            _save(rows, before, before.attached(target_id, family))

        await self._store.write(use_case)

    async def put(
        self,
        caller: Caller,
        prefix_list_id: str,
        target_id: str,
        cidrs: Collection[Cidr],
        resolver_version: int,
    ) -> PrefixList:
        """Give it these entries and no others, as one new version if it has not got them.

        Raises:
            UnknownId: it is none of the caller's.
            IncorrectState: it is not the target's, or its synchronisation is off.
            PrefixListMaxEntriesExceeded, InvalidParameterValue: it can't have them.
        """

        def use_case(rows: Rows) -> PrefixList:
            before = prefix_list_of(rows, caller, prefix_list_id, lock=True)
            before.check_given_by(target_id)
            entries = newest_entries(rows, before)
            wanted = before.checked(replaced(entries, cidrs))
            after = before.given(resolver_version)
            if list(wanted) == list(entries):
                _save(rows, before, after)
                return after
            newest = after.next_version()
            rows.prefix_lists.add_version(newest, wanted)
            return newest

        return await self._store.write(use_case)

    async def detach(self, caller: Caller, prefix_list_id: str, target_id: str) -> None:
        """Let go of it, if it is there and the target's; it keeps its entries."""

        def use_case(rows: Rows) -> None:
            before = rows.prefix_lists.get(caller, prefix_list_id, lock=True)
            if before:
                _save(rows, before, before.detached(target_id))

        await self._store.write(use_case)

    async def prefix_list(self, caller: Caller, prefix_list_id: str) -> PrefixList:
        """
        Raises:
            UnknownId: it is none of the caller's.
        """
        return await self._store.read(
            lambda rows: prefix_list_of(rows, caller, prefix_list_id, lock=False)
        )


def _save(rows: Rows, before: PrefixList, after: PrefixList) -> None:
    if after != before:
        rows.prefix_lists.save(after)
