"""A history of blocks as histories of addresses, each of which some order of calls must explain.

A block is taken and given back whole, so whatever is wrong with it is wrong with one of its parts.
The smallest blocks that anybody asks for are the parts that are looked at.
"""

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.cidr import AddressFamily, Cidr
from tests.faults.history import (
    UNKNOWN_HOLD,
    Allocate,
    Breach,
    Call,
    Deprovision,
    Found,
    FoundAllocation,
    Hold,
    Made,
    Provision,
    Read,
    ReadHolds,
    Refused,
    Release,
    ReleaseHold,
    Seen,
    Violation,
    without_repeats,
)
from tests.faults.holds import Block
from tests.faults.register import ANYBODY, AllBut, Kind, Operation, first_unexplained

SMALLEST = 28
"""The longest netmask in a history."""
_NOBODY = frozenset[str]()


@dataclass(frozen=True, slots=True)
class _Look:
    """What a list of a pool showed: who held which part; a part without a holder was free.

    Or it was held by one of those that the list ``ignores``.
    """

    holders: dict[int, str]
    invoked: float
    answered: float
    ignores: Container[str] = _NOBODY


class _Pool:
    """All that happened to the parts of one pool."""

    def __init__(self) -> None:
        self._operations: defaultdict[int, list[Operation]] = defaultdict(list)
        self._looks: list[_Look] = []

    def take(
        self, holder: str, made: Made, call: Call, *, settles: Container[str] = _NOBODY
    ) -> None:
        taken = Operation(Kind.TAKE, holder, call.invoked, call.done_by, settles, made.expires_at)
        self._add(taken, made.cidr)

    def give(self, holder: str, cidr: Cidr, call: Call) -> None:
        self._add(Operation(Kind.GIVE, holder, call.invoked, call.done_by), cidr)

    def see_taken(self, cidr: Cidr, call: Call, *, settles: Container[str]) -> None:
        """It was refused to somebody who was heard at once."""
        self._add(Operation(Kind.SEE, ANYBODY, call.invoked, call.answered, settles), cidr)

    def see_gone(self, holder: str, cidr: Cidr, call: Call) -> None:
        """Whoever may have it, it was not this one."""
        others = AllBut({holder})
        self._add(Operation(Kind.SEE, None, call.invoked, call.answered, others), cidr)

    def see_all(self, look: _Look) -> None:
        self._looks.append(look)
        for part in look.holders:
            self._operations.setdefault(part, [])

    def histories(self) -> Iterator[tuple[int, list[Operation]]]:
        """By part. One that was free for all who looked, and asked for by nobody, is left out."""
        for part, operations in self._operations.items():
            seen = (
                Operation(
                    Kind.SEE, look.holders.get(part), look.invoked, look.answered, look.ignores
                )
                for look in self._looks
            )
            yield part, [*operations, *seen]

    def _add(self, operation: Operation, cidr: Cidr) -> None:
        for part in _parts(cidr):
            self._operations[part].append(operation)


def unexplained_reads(calls: Sequence[Call], found: Found) -> Iterator[Violation]:
    """For each address at most one: the first answer that contradicts those before it."""
    for pool_id, pool in _pools(calls, found).items():
        for part, operations in pool.histories():
            if wrong := first_unexplained(operations):
                block = Cidr(AddressFamily.IPV4, part << (32 - SMALLEST), SMALLEST)
                yield Violation(Breach.STALE, f"{block} of {pool_id}: {wrong} has no explanation")


def _pools(calls: Sequence[Call], found: Found) -> dict[str, _Pool]:
    history = _History(calls, found)
    for call in without_repeats(calls):
        history.add(call)
    for pool in found.pools:
        holders = {a.cidr: a.holder for a in _not_expired(found) if a.pool_id == pool.pool_id}
        history.pools[pool.pool_id].see_all(_Look(_by_part(holders), found.at, found.at))
    return history.pools


def _not_expired(found: Found) -> Iterator[FoundAllocation]:
    """An expired hold keeps its row until somebody changes its pool, and is in nobody's way."""
    return (row for row in found.allocations if row.expires_at > found.at)


class _HoldIds:
    """Of all holds that ever were, acknowledged or not: no other holders are left out of lists."""

    def __init__(self, calls: Sequence[Call], found: Found) -> None:
        self._of_pool: defaultdict[str, set[str]] = defaultdict(set)
        self._of_block: defaultdict[Block, set[str]] = defaultdict(set)
        for call in calls:
            if isinstance(call.wanted, Hold) and isinstance(call.outcome, Made):
                self._add(call.wanted.pool_id, call.outcome)
        for answer in found.hold_answers:
            self._add(answer.pool_id, answer.made)

    def of_pool(self, pool_id: str) -> Container[str]:
        return self._of_pool[pool_id]

    def settled_by(self, wanted: Allocate | Hold) -> Container[str]:
        """Those that are not in its way."""
        # Whoever asks: all clients are of the account that holds, for no other sees its pools.
        if isinstance(wanted, Hold) or wanted.cidr is None:
            return _NOBODY
        return self._of_block[wanted.pool_id, wanted.cidr]

    def _add(self, pool_id: str, hold: Made) -> None:
        self._of_pool[pool_id].add(hold.id)
        self._of_block[pool_id, hold.cidr].add(hold.id)


class _History:
    """Calls as what they do to blocks. What was never answered is known from what was found.

    Repeats of an answer are not for here.
    """

    def __init__(self, calls: Sequence[Call], found: Found) -> None:
        self.pools: defaultdict[str, _Pool] = defaultdict(_Pool)
        self._children = {c.wanted.pool_id for c in calls if isinstance(c.wanted, Provision)}
        self._holds = _HoldIds(calls, found)
        self._cidrs = {a.id: a.cidr for a in found.allocations}
        for call in calls:
            if isinstance(call.outcome, Made):
                self._cidrs[call.outcome.id] = call.outcome.cidr
        acknowledged = {call.outcome.id for call in calls if isinstance(call.outcome, Made)}
        tokens = [(a.token, a.made) for a in found.allocations if a.token]
        tokens += [(answer.token, answer.made) for answer in found.hold_answers]
        self._unacknowledged = {
            token: made for token, made in tokens if made.id not in acknowledged
        }
        self._unacknowledged_cidrs: defaultdict[str, list[Made]] = defaultdict(list)
        for pool_cidr in found.cidrs:
            if pool_cidr.id not in acknowledged:
                self._unacknowledged_cidrs[pool_cidr.pool_id].append(pool_cidr.made)

    def add(self, call: Call) -> None:
        match call.wanted:
            case Allocate() | Hold():
                self._take(call.wanted, call)
            case Provision():
                self._provision(call.wanted, call)
            case Release(pool_id, allocation_id) if call.may_be_done:
                self.pools[pool_id].give(allocation_id, self._cidrs[allocation_id], call)
            case ReleaseHold():
                self._release_hold(call.wanted, call)
            case Deprovision(child_id, source_id, cidr) if call.may_be_done:
                self.pools[source_id].give(child_id, cidr, call)
            case Read() | ReadHolds() if isinstance(call.outcome, Seen):
                self._see(call.wanted, call.outcome, call)

    def _take(self, wanted: Allocate | Hold, call: Call) -> None:
        pool, settles = self.pools[wanted.pool_id], self._holds.settled_by(wanted)
        if isinstance(call.outcome, Made):
            pool.take(call.outcome.id, call.outcome, call, settles=settles)
        elif call.may_come_true:
            if there := self._unacknowledged.get(wanted.token):
                pool.take(there.id, there, call, settles=settles)
        elif wanted.cidr and self._is_taken(wanted, call):
            pool.see_taken(wanted.cidr, call, settles=settles)

    def _provision(self, wanted: Provision, call: Call) -> None:
        source, child_id = self.pools[wanted.source_id], wanted.pool_id
        if isinstance(call.outcome, Made):
            source.take(child_id, call.outcome, call)
        elif call.may_come_true:
            for there in self._unacknowledged_cidrs[child_id]:
                source.take(child_id, there, call)

    def _release_hold(self, wanted: ReleaseHold, call: Call) -> None:
        pool, cidr = self.pools[wanted.pool_id], self._cidrs[wanted.hold_id]
        if call.may_be_done:
            pool.give(wanted.hold_id, cidr, call)
        if call.outcome == UNKNOWN_HOLD:
            # Whatever ended it: an earlier attempt, an allocation, or time.
            pool.see_gone(wanted.hold_id, cidr, call)

    def _see(self, wanted: Read | ReadHolds, seen: Seen, call: Call) -> None:
        """One list shows what is allocated, the other what is held."""
        holds = self._holds.of_pool(wanted.pool_id)
        ignores = holds if isinstance(wanted, Read) else AllBut(holds)
        look = _Look(_by_part(seen.holders), call.invoked, call.answered, ignores)
        self.pools[wanted.pool_id].see_all(look)

    def _is_taken(self, wanted: Allocate | Hold, call: Call) -> bool:
        """It was refused for that. Of a block of several parts it would be unknown which."""
        # A child may have lost the CIDR instead; a top-level pool's stays for the whole history.
        is_top_level = wanted.pool_id not in self._children
        is_one_part = wanted.cidr is not None and wanted.cidr.prefix_length == SMALLEST
        return is_top_level and is_one_part and call.outcome == Refused("InvalidParameterValue")


def _by_part(holders: Mapping[Cidr, str]) -> dict[int, str]:
    return {part: who for cidr, who in holders.items() for part in _parts(cidr)}


def _parts(cidr: Cidr) -> range:
    return range(cidr.first >> (32 - SMALLEST), (cidr.last >> (32 - SMALLEST)) + 1)
