"""Giving prefix lists what targets of resolvers say.

Each step does its remote part, which may be repeated, and returns how it ends. A refusal ends it
too, in a failed state with the words of who refused; what may pass is raised, and the step is tried
again.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.discovery.resolvers.target import NamedPrefixList, Target, TargetState
from services.discovery.service.resolver_rows import Rows, StepKind, Store
from shared.cidr import AddressFamily, Cidr
from shared.errors import CadastreError, Conflict, NotFound, Unauthenticated, Unavailable, kind_of

_MAY_PASS = (Unavailable, Conflict, Unauthenticated)

Ending = Callable[[Rows], None]
"""What a step leads to."""


@dataclass(frozen=True, slots=True)
class PrefixListSummary:
    """What a prefix list is."""

    family: AddressFamily
    target_id: str | None
    """Whose it is; None: no target's."""


class PrefixLists(Protocol):
    """Those of the embedded cloud. Every call is repeatable."""

    async def summary(self, named: NamedPrefixList) -> PrefixListSummary:
        """What it is now.

        Raises:
            CadastreError: there is none, or its service does not answer.
        """

    async def attach(self, target: Target, family: AddressFamily) -> None:
        """Have a prefix list be the target's alone.

        Raises:
            CadastreError: it can't be, or its service does not answer.
        """

    async def put(self, target: Target, version: int, cidrs: Sequence[Cidr]) -> None:
        """Give it what a version has in place of all that it has.

        Raises:
            CadastreError: it does not take them, or its service does not answer.
        """

    async def detach(self, target: Target) -> None:
        """Let go of it; it keeps its entries.

        Raises:
            CadastreError: its service does not answer.
        """


@dataclass(frozen=True, slots=True)
class _Gift:
    """What a prefix list is to have."""

    target: Target
    version: int
    cidrs: Sequence[Cidr]


class Syncing:
    """Steps, by the id of their target."""

    def __init__(self, store: Store, prefix_lists: PrefixLists) -> None:
        self._store, self._prefix_lists = store, prefix_lists

    async def attach(self, target_id: str) -> Ending:
        found = await self._store.read(lambda rows: _to_attach(rows, target_id))
        if found is None:
            return _nothing
        refusal = await _refusal_of(self._prefix_lists.attach(*found))
        return lambda rows: _end_attaching(rows, target_id, refusal)

    async def sync(self, target_id: str) -> Ending:
        gift = await self._store.write(lambda rows: _begin(rows, target_id))
        if gift is None:
            return _nothing
        refusal = await _refusal_of(self._prefix_lists.put(gift.target, gift.version, gift.cidrs))
        return lambda rows: _end(rows, target_id, gift.version, refusal)

    async def detach(self, target_id: str) -> Ending:
        target = await self._store.read(lambda rows: rows.targets.known(target_id, lock=False))
        if target is None:
            return _nothing
        refusal = await _refusal_of(self._prefix_lists.detach(target), but=NotFound)
        return lambda rows: _end_detaching(rows, target_id, refusal)

    async def look_again(self) -> None:
        """Have every prefix list given what it is to have, unless something is to be done for it.

        So that what was refused is tried again, and what others did to a list is undone.
        """

        def use_case(rows: Rows) -> None:
            for target_id in rows.targets.attached_without_step():
                rows.targets.add_step(StepKind.SYNC, target_id)

        await self._store.write(use_case)


def _nothing(_rows: Rows) -> None:
    """The target is gone, or something that came later settles it."""


def _to_attach(rows: Rows, target_id: str) -> tuple[Target, AddressFamily] | None:
    target = rows.targets.known(target_id, lock=False)
    resolver = rows.resolvers.known(target.resolver_id) if target else None
    if target is None or resolver is None or target.state is not TargetState.CREATE_IN_PROGRESS:
        return None
    return target, resolver.family


def _end_attaching(rows: Rows, target_id: str, refusal: str | None) -> None:
    target = rows.targets.known(target_id, lock=True)
    if target is None or target.state is not TargetState.CREATE_IN_PROGRESS:
        return
    if refusal is not None:
        rows.targets.save(target.in_state(TargetState.CREATE_FAILED, refusal))
        return
    rows.targets.save(target.in_state(TargetState.CREATE_COMPLETE))
    rows.targets.add_step(StepKind.SYNC, target_id)


def _begin(rows: Rows, target_id: str) -> _Gift | None:
    target = rows.targets.known(target_id, lock=True)
    resolver = rows.resolvers.known(target.resolver_id) if target else None
    if target is None or resolver is None or not target.state.is_attached:
        return None
    version = target.wanted_version(resolver.last_version)
    cidrs = rows.versions.cidrs(resolver.resolver_id, version) if version else None
    if version is None or cidrs is None:
        # Its first version brings a step of its own.
        return None
    begun = target.being_given(version)
    if begun != target:
        rows.targets.save(begun)
    return _Gift(begun, version, cidrs)


def _end(rows: Rows, target_id: str, version: int, refusal: str | None) -> None:
    target = rows.targets.known(target_id, lock=True)
    if target is None or not target.state.is_attached:
        return
    ended = target.given(version, refusal)
    if ended != target:
        rows.targets.save(ended)


def _end_detaching(rows: Rows, target_id: str, refusal: str | None) -> None:
    target = rows.targets.known(target_id, lock=True)
    if target is None:
        return
    if refusal is not None:
        rows.targets.save(target.in_state(TargetState.DELETE_FAILED, refusal))
        return
    rows.targets.remove(target_id)


async def _refusal_of(
    call: Awaitable[None], *, but: type[CadastreError] | None = None
) -> str | None:
    """Why it won't ever be done as it is; None when it was, or the refusal is of kind ``but``."""
    try:
        await call
    except CadastreError as error:
        kind = kind_of(error)
        if kind is but:
            return None
        if issubclass(kind, _MAY_PASS):
            raise
        return error.message
    return None
