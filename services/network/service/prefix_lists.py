"""What accounts can do to their prefix lists."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from services.network.prefix_list import PrefixList
from services.network.prefix_list_change import Change, Entry, check_distinct, check_name
from services.network.service.once import Answer, write_once
from services.network.service.rows import Rows, Store
from services.network.service.token_rows import Once
from shared.caller import Caller
from shared.cidr import AddressFamily
from shared.errors import InvalidParameterValue
from shared.ids import PREFIX_LIST
from shared.tags import Tags

T = TypeVar("T")
PrefixListsAfter = Callable[[str | None], Iterator[tuple[str, PrefixList]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPrefixList:
    """What a caller wants created."""

    name: str
    family: AddressFamily
    max_entries: int
    entries: tuple[Entry, ...]
    tags: Tags

    def __post_init__(self) -> None:
        check_name(self.name)
        check_distinct((entry.cidr for entry in self.entries), "entry")


@dataclass(frozen=True, slots=True)
class EntriesOfVersion:
    """In order."""

    version: int
    entries: Sequence[Entry]


class PrefixLists:
    """A list of another account or region is answered like one that does not exist (BEY-12)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def create(
        self,
        caller: Caller,
        wanted: NewPrefixList,
        answer: Callable[[PrefixList], Answer],
        *,
        once: Once,
        dry_run: bool,
    ) -> bytes:
        """Make a list; what it has at first is its version 1."""

        def use_case(rows: Rows) -> PrefixList:
            prefix_list = PrefixList(
                prefix_list_id=PREFIX_LIST.new(),
                owner_id=caller.account_id,
                region=caller.region,
                name=wanted.name,
                family=wanted.family,
                max_entries=wanted.max_entries,
                tags=wanted.tags,
            )
            rows.prefix_lists.add(prefix_list, prefix_list.checked(wanted.entries))
            return prefix_list

        return await write_once(self._store, use_case, answer, once=once, dry_run=dry_run)

    async def describe(
        self, caller: Caller, ids: Collection[str], select: Callable[[PrefixListsAfter], T]
    ) -> T:
        """What ``select`` makes of the caller's lists, or of those with these ids.

        Raises:
            UnknownId: one of ``ids`` is none of theirs.
        """

        def use_case(rows: Rows) -> T:
            for prefix_list_id in ids:
                prefix_list_of(rows, caller, prefix_list_id, lock=False)
            return select(lambda after: rows.prefix_lists.all(caller, ids=ids, after=after))

        return await self._store.read(use_case)

    async def modify(
        self, caller: Caller, prefix_list_id: str, change: Change, *, dry_run: bool
    ) -> PrefixList:
        """Change all that is asked for, or nothing."""

        def use_case(rows: Rows) -> PrefixList:
            before = prefix_list_of(rows, caller, prefix_list_id, lock=True)
            entries = newest_entries(rows, before)
            after = before.changed(change, size=len(entries))
            if not change.entries:
                rows.prefix_lists.save(after)
                return after
            newest = after.next_version()
            changed = newest.entries_after(change.entries, entries)
            rows.prefix_lists.add_version(newest, changed)
            return newest

        return await self._store.write(use_case, dry_run=dry_run)

    async def restore(
        self,
        caller: Caller,
        prefix_list_id: str,
        *,
        previous_version: int,
        current_version: int,
        dry_run: bool,
    ) -> PrefixList:
        """Make the entries of an earlier version those of a new one.

        Raises:
            InvalidParameterValue: there is no such version, or not any more.
        """

        def use_case(rows: Rows) -> PrefixList:
            before = prefix_list_of(rows, caller, prefix_list_id, lock=True)
            newest = before.restored(current_version)
            entries = _entries_of(rows, before, previous_version, "previousVersion")
            rows.prefix_lists.add_version(newest, newest.checked(entries))
            return newest

        return await self._store.write(use_case, dry_run=dry_run)

    async def check(self, caller: Caller, prefix_list_id: str) -> None:
        """
        Raises:
            UnknownId: it is none of theirs.
        """
        await self._store.read(
            lambda rows: prefix_list_of(rows, caller, prefix_list_id, lock=False)
        )

    async def delete(self, caller: Caller, prefix_list_id: str, *, dry_run: bool) -> PrefixList:
        """Remove it with all its versions.

        Raises:
            ResolverTargetAttached: a target has it.
        """

        def use_case(rows: Rows) -> PrefixList:
            prefix_list = prefix_list_of(rows, caller, prefix_list_id, lock=True)
            prefix_list.check_deletable()
            rows.prefix_lists.remove(prefix_list)
            return prefix_list

        return await self._store.write(use_case, dry_run=dry_run)

    async def entries(
        self, caller: Caller, prefix_list_id: str, version: int | None
    ) -> EntriesOfVersion:
        """Those of a version; of the newest, if none is named.

        Raises:
            InvalidParameterValue: there is no such version, or not any more.
        """

        def use_case(rows: Rows) -> EntriesOfVersion:
            prefix_list = prefix_list_of(rows, caller, prefix_list_id, lock=False)
            wanted = prefix_list.version if version is None else version
            entries = _entries_of(rows, prefix_list, wanted, "targetVersion")
            return EntriesOfVersion(wanted, entries)

        return await self._store.read(use_case)


def prefix_list_of(rows: Rows, caller: Caller, prefix_list_id: str, *, lock: bool) -> PrefixList:
    """The caller's.

    Raises:
        UnknownId: it is none of theirs.
    """
    prefix_list = rows.prefix_lists.get(caller, prefix_list_id, lock=lock)
    if prefix_list is None:
        raise PREFIX_LIST.unknown(prefix_list_id)
    return prefix_list


def newest_entries(rows: Rows, prefix_list: PrefixList) -> Sequence[Entry]:
    return _entries_of(rows, prefix_list, prefix_list.version, "targetVersion")


def _entries_of(
    rows: Rows, prefix_list: PrefixList, version: int, parameter: str
) -> Sequence[Entry]:
    entries = rows.prefix_lists.entries(prefix_list.prefix_list_id, version)
    if entries is None:
        raise InvalidParameterValue(
            f"Value ({version}) for parameter {parameter} is invalid: there is no such version of"
            f" '{prefix_list.prefix_list_id}', or not any more; its newest is"
            f" {prefix_list.version}",
            parameter=parameter,
            value=version,
            prefix_list_id=prefix_list.prefix_list_id,
            version=prefix_list.version,
        )
    return entries
