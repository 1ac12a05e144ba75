"""A history of blocks as histories of addresses, each of which some order of calls must explain.

A block is taken and given back whole, so whatever is wrong with it is wrong with one of its parts.
The smallest blocks that anybody asks for are the parts that are looked at.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.cidr import AddressFamily, Cidr
from tests.faults.history import (
    NEVER,
    Allocate,
    Breach,
    Call,
    Deprovision,
    Done,
    Found,
    Made,
    Provision,
    Read,
    Refused,
    Release,
    Seen,
    Violation,
)
from tests.faults.register import ANYBODY, Kind, Operation, first_unexplained

SMALLEST = 28
"""The longest netmask in a history."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What a list of a pool showed: who held which part; a part without a holder was free."""

    holders: dict[int, str]
    invoked: float
    answered: float


class _Pool:
    """All that happened to the parts of one pool."""

    def __init__(self) -> None:
        self._operations: defaultdict[int, list[Operation]] = defaultdict(list)
        self._looks: list[_Look] = []

    def change(self, kind: Kind, holder: str, cidr: Cidr, call: Call) -> None:
        answered = call.answered if isinstance(call.outcome, Made | Done) else NEVER
        for part in _parts(cidr):
            self._operations[part].append(Operation(kind, holder, call.invoked, answered))

    def see_taken(self, part: int, call: Call) -> None:
        """It was refused to somebody who was heard at once."""
        taken = Operation(Kind.SEE, ANYBODY, call.invoked, call.answered)
        self._operations[part].append(taken)

    def see_all(self, holders: dict[Cidr, str], invoked: float, answered: float) -> None:
        by_part = {part: who for cidr, who in holders.items() for part in _parts(cidr)}
        self._looks.append(_Look(by_part, invoked, answered))
        for part in by_part:
            self._operations.setdefault(part, [])

    def histories(self) -> Iterator[tuple[int, list[Operation]]]:
        """By part. One that was free for all who looked, and asked for by nobody, is left out."""
        for part, operations in self._operations.items():
            seen = (
                Operation(Kind.SEE, look.holders.get(part), look.invoked, look.answered)
                for look in self._looks
            )
            yield part, [*operations, *seen]


def unexplained_reads(calls: Sequence[Call], found: Found) -> Iterator[Violation]:
    """For each address at most one: the first answer that contradicts those before it."""
    for pool_id, pool in _pools(calls, found).items():
        for part, operations in pool.histories():
            if wrong := first_unexplained(operations):
                block = Cidr(AddressFamily.IPV4, part << (32 - SMALLEST), SMALLEST)
                yield Violation(Breach.STALE, f"{block} of {pool_id}: {wrong} has no explanation")


def _pools(calls: Sequence[Call], found: Found) -> dict[str, _Pool]:
    history = _History(calls, found)
    for call in sorted(calls, key=lambda call: call.answered):
        history.add(call)
    for pool in found.pools:
        holders = {a.cidr: a.holder for a in found.allocations if a.pool_id == pool.pool_id}
        history.pools[pool.pool_id].see_all(holders, found.at, found.at)
    return history.pools


class _History:
    """Calls as what they do to blocks. What was never answered is known from what was found."""

    def __init__(self, calls: Sequence[Call], found: Found) -> None:
        self.pools: defaultdict[str, _Pool] = defaultdict(_Pool)
        self._children = {c.wanted.pool_id for c in calls if isinstance(c.wanted, Provision)}
        self._cidrs = {a.id: a.cidr for a in found.allocations}
        self._taken: set[str] = set()
        for call in calls:
            if isinstance(call.outcome, Made):
                self._cidrs[call.outcome.id] = call.outcome.cidr
        acknowledged = {call.outcome.id for call in calls if isinstance(call.outcome, Made)}
        self._unacknowledged = {
            a.token: a for a in found.allocations if a.token and a.id not in acknowledged
        }
        self._unacknowledged_cidrs: defaultdict[str, list[Cidr]] = defaultdict(list)
        for pool_cidr in found.cidrs:
            if pool_cidr.id not in acknowledged:
                self._unacknowledged_cidrs[pool_cidr.pool_id].append(pool_cidr.cidr)

    def add(self, call: Call) -> None:
        match call.wanted:
            case Allocate():
                self._allocate(call.wanted, call)
            case Provision():
                self._provision(call.wanted, call)
            case Release(pool_id, allocation_id) if _is_or_may_be_done(call):
                cidr = self._cidrs[allocation_id]
                self.pools[pool_id].change(Kind.GIVE, allocation_id, cidr, call)
            case Deprovision(child_id, source_id, cidr) if _is_or_may_be_done(call):
                self.pools[source_id].change(Kind.GIVE, child_id, cidr, call)
            case Read(pool_id) if isinstance(call.outcome, Seen):
                holders = call.outcome.holders
                self.pools[pool_id].see_all(holders, call.invoked, call.answered)

    def _allocate(self, wanted: Allocate, call: Call) -> None:
        pool = self.pools[wanted.pool_id]
        if isinstance(call.outcome, Made):
            if self._is_first(call.outcome.id):
                pool.change(Kind.TAKE, call.outcome.id, call.outcome.cidr, call)
        elif call.may_come_true:
            if there := self._unacknowledged.get(wanted.token):
                pool.change(Kind.TAKE, there.id, there.cidr, call)
        elif wanted.cidr and self._is_taken(wanted, call):
            pool.see_taken(_parts(wanted.cidr)[0], call)

    def _provision(self, wanted: Provision, call: Call) -> None:
        source, child_id = self.pools[wanted.source_id], wanted.pool_id
        if isinstance(call.outcome, Made):
            if self._is_first(call.outcome.id):
                source.change(Kind.TAKE, child_id, call.outcome.cidr, call)
        elif call.may_come_true:
            for cidr in self._unacknowledged_cidrs[child_id]:
                source.change(Kind.TAKE, child_id, cidr, call)

    def _is_first(self, made_id: str) -> bool:
        """Repeats of a token tell of what is taken already; the first answer is the strictest."""
        is_first = made_id not in self._taken
        self._taken.add(made_id)
        return is_first

    def _is_taken(self, wanted: Allocate, call: Call) -> bool:
        """It was refused for that. Of a block of several parts it would be unknown which."""
        # A child may have lost the CIDR instead; a top-level pool's stays for the whole history.
        is_top_level = wanted.pool_id not in self._children
        is_one_part = wanted.cidr is not None and wanted.cidr.prefix_length == SMALLEST
        return is_top_level and is_one_part and call.outcome == Refused("InvalidParameterValue")


def _is_or_may_be_done(call: Call) -> bool:
    return isinstance(call.outcome, Done) or call.may_come_true


def _parts(cidr: Cidr) -> range:
    return range(cidr.first >> (32 - SMALLEST), (cidr.last >> (32 - SMALLEST)) + 1)
