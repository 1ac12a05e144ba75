"""Does what the database holds at the end agree with what clients were told (ALLOC-3, BEY-5)?

Pure: it is given a history and what was found, and judges no other way than a client could.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from tests.faults.blocks import unexplained_reads
from tests.faults.history import (
    NEVER,
    UNKNOWN_HOLD,
    Allocate,
    Breach,
    Call,
    Deprovision,
    Done,
    Found,
    FoundAllocation,
    FoundPool,
    Hold,
    Made,
    Provision,
    Refused,
    Release,
    Unforeseen,
    Violation,
)
from tests.faults.holds import Holds

_EXPECTED = (
    "InsufficientCidrSpace",
    "InvalidParameterValue",
    "DependencyViolation",
    UNKNOWN_HOLD.reason,
)
"""For full pools, taken blocks, CIDRs in use and holds that are over; nothing else is asked for."""


def violations(calls: Sequence[Call], found: Found) -> list[Violation]:
    """All promises that were broken; none is as it should be."""
    holds = Holds(calls)
    return [
        *_lost(calls, found, holds),
        *_denied(calls, holds),
        *_doubled(calls, found),
        *_overlapping(found),
        *_back(calls, found, holds),
        *_unasked(calls, found),
        *_children_disagreeing(found),
        *_counters_disagreeing(found),
        *_unforeseen(calls),
        *unexplained_reads(calls, found),
    ]


def _lost(calls: Sequence[Call], found: Found, holds: Holds) -> Iterator[Violation]:
    there = {a.id: a.made for a in found.allocations} | {c.id: c.made for c in found.cidrs}
    may_be_gone = _may_be_gone(calls, holds, found.at)
    for call in calls:
        if isinstance(call.outcome, Made) and not may_be_gone(call, call.outcome):
            made = call.outcome
            if there.get(made.id) != made:
                text = f"{made} was acknowledged; now there is {there.get(made.id)}"
                yield Violation(Breach.LOST, text)
        if _is_surprise(call):
            yield Violation(Breach.LOST, f"{call.wanted} names what is unknown: {call.outcome}")


def _denied(calls: Iterable[Call], holds: Holds) -> Iterator[Violation]:
    for call in calls:
        for hold in holds.denied_by(call):
            yield Violation(Breach.LOST, f"{call.wanted}: {call.outcome}, but {hold} can't be over")


def _may_be_gone(calls: Iterable[Call], holds: Holds, by: float) -> Callable[[Call, Made], bool]:
    """Tells whether somebody tried to give it back, after it was made, or a hold may have ended."""
    last_try: dict[object, float] = {}
    for call in calls:
        if isinstance(call.outcome, Done) or call.may_come_true:
            match call.wanted:
                case Deprovision(pool_id, _, cidr):
                    last_try[pool_id, cidr] = max(call.invoked, last_try.get((pool_id, cidr), 0))
                case Release(_, allocation_id):
                    last_try[allocation_id] = call.invoked

    def may_be_gone(call: Call, made: Made) -> bool:
        if isinstance(call.wanted, Hold):
            return holds.may_be_over(made.id, by)
        if isinstance(call.wanted, Provision):
            # The CIDR may have been another's before, of the same pool; an allocation's id may not.
            return last_try.get((call.wanted.pool_id, made.cidr), -NEVER) >= call.invoked
        return made.id in last_try

    return may_be_gone


def _is_surprise(call: Call) -> bool:
    """Whoever names what was acknowledged, and not given back, is told that it is unknown."""
    if not isinstance(call.outcome, Refused):
        return False
    is_held = isinstance(call.wanted, Release) and call.attempts == 1
    return call.outcome.reason == "InvalidIpamPoolId.NotFound" or (
        is_held and call.outcome.reason == "InvalidIpamPoolAllocationId.NotFound"
    )


def _doubled(calls: Sequence[Call], found: Found) -> Iterator[Violation]:
    answers: defaultdict[str, set[Made]] = defaultdict(set)
    for call in sorted(calls, key=lambda call: call.answered):
        if isinstance(call.wanted, Allocate | Hold | Provision):
            told = answers[call.wanted.token]
            is_answer = isinstance(call.outcome, Made | Refused)
            if is_answer and told and call.outcome not in told:
                yield Violation(Breach.DOUBLED, f"{call.wanted}: {call.outcome} after {told}")
            if isinstance(call.outcome, Made):
                told.add(call.outcome)
    for token, ids in _ids_by_token(answers, found).items():
        if len(ids) > 1:
            yield Violation(Breach.DOUBLED, f"token {token} made {' and '.join(sorted(ids))}")


def _ids_by_token(answers: Mapping[str, set[Made]], found: Found) -> dict[str, set[str]]:
    """What was told and what is there: the first may be gone, and the second never told of."""
    ids: defaultdict[str, set[str]] = defaultdict(set)
    for token, told in answers.items():
        ids[token] |= {made.id for made in told}
    for allocation in found.allocations:
        if allocation.token is not None:
            ids[allocation.token].add(allocation.id)
    for answer in found.hold_answers:
        ids[answer.token].add(answer.made.id)
    return ids


def _overlapping(found: Found) -> Iterator[Violation]:
    by_pool: defaultdict[str, list[FoundAllocation]] = defaultdict(list)
    for allocation in found.allocations:
        by_pool[allocation.pool_id].append(allocation)
    for allocations in by_pool.values():
        ordered = sorted(allocations, key=lambda a: a.cidr)
        # In order of address, widest first: where two overlap, so do a block and the one after it,
        # or they are in one wider block that both overlap.
        for one, other in pairwise(ordered):
            if one.cidr.overlaps(other.cidr):
                yield Violation(Breach.OVERLAPPING, f"{one} and {other}")
    scopes = {pool.pool_id: pool.scope for pool in found.pools}
    tops = sorted((c for c in found.cidrs if not c.parent_allocation_id), key=lambda c: c.cidr)
    for this, following in pairwise(tops):
        is_one_scope = scopes[this.pool_id] == scopes[following.pool_id]
        if is_one_scope and this.cidr.overlaps(following.cidr):
            yield Violation(Breach.OVERLAPPING, f"{this} and {following}")


def _back(calls: Sequence[Call], found: Found, holds: Holds) -> Iterator[Violation]:
    there = {allocation.id for allocation in found.allocations}
    provisioned = {(c.pool_id, c.cidr): c.id for c in found.cidrs}
    known = {c.outcome.id: c for c in calls if isinstance(c.outcome, Made)}
    for call in calls:
        match call.wanted, call.outcome:
            case Release(_, allocation_id), Done() if allocation_id in there:
                yield Violation(Breach.BACK, f"{allocation_id} was released and is there")
            case Deprovision(pool_id, _, cidr), Done():
                now = provisioned.get((pool_id, cidr))
                if now in known and known[now].invoked < call.invoked:
                    yield Violation(
                        Breach.BACK, f"{cidr} of {pool_id} was deprovisioned and is there"
                    )
    for row in found.allocations:
        if holds.is_over(row.id):
            yield Violation(Breach.BACK, f"{row} was settled or released and is there")


def _unasked(calls: Sequence[Call], found: Found) -> Iterator[Violation]:
    asked = {c.wanted.token for c in calls if isinstance(c.wanted, Allocate | Hold)}
    acknowledged = {c.outcome.id for c in calls if isinstance(c.outcome, Made)}
    may_be_there = Counter(
        c.wanted.pool_id for c in calls if isinstance(c.wanted, Provision) and c.may_come_true
    )
    for allocation in found.allocations:
        if allocation.child_pool_id is None and allocation.token not in asked:
            yield Violation(Breach.UNASKED, f"{allocation}")
    for pool_cidr in found.cidrs:
        if pool_cidr.parent_allocation_id and pool_cidr.id not in acknowledged:
            may_be_there[pool_cidr.pool_id] -= 1
            if may_be_there[pool_cidr.pool_id] < 0:
                yield Violation(Breach.UNASKED, f"{pool_cidr}")


def _children_disagreeing(found: Found) -> Iterator[Violation]:
    of_children = {a.id: a for a in found.allocations if a.child_pool_id}
    for pool_cidr in found.cidrs:
        if pool_cidr.parent_allocation_id is None:
            continue
        held = of_children.pop(pool_cidr.parent_allocation_id, None)
        if held is None or (held.child_pool_id, held.cidr) != (pool_cidr.pool_id, pool_cidr.cidr):
            yield Violation(Breach.DISAGREEING, f"{pool_cidr} has in its parent {held}")
    for held in of_children.values():
        yield Violation(Breach.DISAGREEING, f"{held} is no CIDR of its child")
    for allocation in found.allocations:
        space = [c.cidr for c in found.cidrs if c.pool_id == allocation.pool_id]
        if not any(cidr.contains(allocation.cidr) for cidr in space):
            yield Violation(Breach.DISAGREEING, f"{allocation} lies outside of its pool")


def _counters_disagreeing(found: Found) -> Iterator[Violation]:
    for pool in found.pools:
        cidrs = [c.cidr for c in found.cidrs if c.pool_id == pool.pool_id]
        allocations = [a for a in found.allocations if a.pool_id == pool.pool_id and not a.is_hold]
        counted = FoundPool(
            pool.pool_id,
            pool.source_id,
            pool.scope,
            len(cidrs),
            len(allocations),
            sum(c.size for c in cidrs),
            sum(a.cidr.size for a in allocations),
        )
        if pool != counted:
            yield Violation(Breach.DISAGREEING, f"{pool} is really {counted}")


def _unforeseen(calls: Iterable[Call]) -> Iterator[Violation]:
    for call in calls:
        match call.outcome:
            case Unforeseen(message):
                yield Violation(Breach.UNFORESEEN, f"{call.wanted}: {message}")
            case Refused(reason) if reason not in _EXPECTED and not _is_surprise(call):
                yield Violation(Breach.UNFORESEEN, f"{call.wanted}: {reason}")
