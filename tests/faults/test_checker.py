"""The checker accepts what may happen, and finds each way of breaking a promise."""

from dataclasses import replace

import pytest

from shared.cidr import Cidr
from tests.faults.checker import violations
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
    FoundAnswer,
    FoundCidr,
    FoundPool,
    Hold,
    Made,
    Outcome,
    Provision,
    Read,
    ReadHolds,
    Refused,
    Release,
    ReleaseHold,
    Seen,
    Unforeseen,
    Unknown,
    Wanted,
)

TOP, CHILD = "top", "child"
SPACE, FIRST, SECOND, WIDE = map(
    Cidr.parse, ("10.0.0.0/24", "10.0.0.0/28", "10.0.0.16/28", "10.0.0.0/27")
)
FOR_CHILD = Cidr.parse("10.0.0.128/26")
SOON, END, LATER = 100.0, 1000.0, 5000.0
"""Holds expire soon or, after the end, later."""


def call(wanted: Wanted, outcome: Outcome, at: float, *, attempts: int = 1) -> Call:
    answered = NEVER if isinstance(outcome, Unknown | Unforeseen) else at + 1
    return Call(wanted, outcome, at, answered, attempts)


def allocated(name: str, cidr: Cidr, at: float) -> Call:
    return call(Allocate(TOP, f"token of {name}"), Made(name, cidr), at)


def allocated_exactly(name: str, cidr: Cidr, at: float) -> Call:
    return call(Allocate(TOP, f"token of {name}", cidr), Made(name, cidr), at)


def released(name: str, at: float) -> Call:
    return call(Release(TOP, name), Done(), at)


def held(name: str, cidr: Cidr, at: float, *, until: float = LATER) -> Call:
    return call(Hold(TOP, f"token of {name}", 60), Made(name, cidr, until), at)


def hold_released(
    name: str, at: float, outcome: Outcome | None = None, *, attempts: int = 1
) -> Call:
    return call(ReleaseHold(TOP, name), outcome or Done(), at, attempts=attempts)


def seen(at: float, **holders: Cidr) -> Call:
    return call(Read(TOP), Seen({cidr: who for who, cidr in holders.items()}), at)


def seen_held(at: float, **holders: Cidr) -> Call:
    return call(ReadHolds(TOP), Seen({cidr: who for who, cidr in holders.items()}), at)


def there(name: str, cidr: Cidr, *, token: str | None = None) -> FoundAllocation:
    return FoundAllocation(name, TOP, cidr, token or f"token of {name}")


def hold_there(name: str, cidr: Cidr, *, until: float = LATER) -> FoundAllocation:
    return replace(there(name, cidr), expires_at=until)


def answer(name: str, cidr: Cidr, *, token: str, until: float = LATER) -> FoundAnswer:
    return FoundAnswer(token, TOP, Made(name, cidr, until))


def found(
    *rows: FoundAllocation,
    child_has: tuple[FoundCidr, ...] = (),
    answers: tuple[FoundAnswer, ...] = (),
) -> Found:
    """With counters that agree, and a child pool."""
    cidrs = (FoundCidr("top-cidr", TOP, SPACE, None), *child_has)
    return Found(
        tuple(
            FoundPool(
                pool_id,
                source_id,
                1,
                len(own := [c for c in cidrs if c.pool_id == pool_id]),
                len(counted := [a for a in rows if a.pool_id == pool_id and not a.is_hold]),
                sum(c.cidr.size for c in own),
                sum(a.cidr.size for a in counted),
            )
            for pool_id, source_id in ((TOP, None), (CHILD, TOP))
        ),
        cidrs,
        rows,
        answers,
        at=END,
    )


A, B = allocated("a", FIRST, 0), allocated("b", SECOND, 0)
A_THERE, B_THERE = there("a", FIRST), there("b", SECOND)
OF_CHILD = FoundAllocation("p", TOP, FOR_CHILD, child_pool_id=CHILD)
CHILD_CIDR = FoundCidr("c", CHILD, FOR_CHILD, "p")
PROVISIONED = call(Provision(CHILD, TOP, "token of c"), Made("c", FOR_CHILD), 0)
DEPROVISIONED = call(Deprovision(CHILD, TOP, FOR_CHILD), Done(), 10)
LATE = call(Allocate(TOP, "token of a"), Unknown(), 0, attempts=9)
UNKNOWN_ID = Refused("InvalidIpamPoolAllocationId.NotFound")
FULL = "InsufficientCidrSpace"
TAKEN = Refused("InvalidParameterValue")
H, H_THERE = held("h", FIRST, 0), hold_there("h", FIRST)
H_SOON, H_SOON_THERE = held("h", FIRST, 0, until=SOON), hold_there("h", FIRST, until=SOON)
SETTLED = allocated_exactly("a", FIRST, 10)

GOOD: dict[str, tuple[list[Call], Found]] = {
    "nothing at all": ([], found()),
    "two side by side": ([A, B, seen(5, a=FIRST, b=SECOND)], found(A_THERE, B_THERE)),
    "given back and given away again": (
        [A, released("a", 10), allocated("w", WIDE, 20), seen(30, w=WIDE)],
        found(there("w", WIDE)),
    ),
    "a token asked again after the release tells the first answer": (
        [A, released("a", 10), replace(A, invoked=20, answered=21)],
        found(),
    ),
    "never acknowledged and made": ([LATE], found(A_THERE)),
    "never acknowledged and not made": ([LATE], found()),
    "refused at last, and an earlier attempt came true": (
        [call(Allocate(TOP, "token of a"), TAKEN, 0, attempts=2)],
        found(A_THERE),
    ),
    "a release that may have been carried out, and was": (
        [A, call(Release(TOP, "a"), Unknown(), 10)],
        found(),
    ),
    "a release that may have been carried out, and was not": (
        [A, call(Release(TOP, "a"), Unknown(), 10)],
        found(A_THERE),
    ),
    "refused because it is taken": (
        [A, call(Allocate(TOP, "t", FIRST), TAKEN, 5)],
        found(A_THERE),
    ),
    "a child with a CIDR": (
        [PROVISIONED, seen(5, child=FOR_CHILD)],
        found(OF_CHILD, child_has=(CHILD_CIDR,)),
    ),
    "a child that gave its CIDR back": ([PROVISIONED, DEPROVISIONED, seen(20)], found()),
    "a child that got its CIDR back": (
        [PROVISIONED, DEPROVISIONED, call(Provision(CHILD, TOP, "2"), Made("c2", FOR_CHILD), 20)],
        found(OF_CHILD, child_has=(replace(CHILD_CIDR, id="c2"),)),
    ),
    "a child whose CIDR nobody acknowledged": (
        [call(Provision(CHILD, TOP, "t"), Unknown(), 0)],
        found(OF_CHILD, child_has=(CHILD_CIDR,)),
    ),
    "a hold that lasts": ([H, seen(5), seen_held(6, h=FIRST)], found(H_THERE)),
    "a hold that was settled": (
        [H, SETTLED, seen(20, a=FIRST), seen_held(21)],
        found(A_THERE),
    ),
    "a hold that was settled, and is unknown when it is released": (
        [H, SETTLED, hold_released("h", 10.5, UNKNOWN_HOLD)],
        found(A_THERE),
    ),
    "a hold that was settled, and its block given back and held again": (
        [H, SETTLED, released("a", 20), held("g", FIRST, 30)],
        found(hold_there("g", FIRST)),
    ),
    "a hold that may have been settled, and was": (
        [H, call(Allocate(TOP, "token of a", FIRST), Unknown(), 10)],
        found(A_THERE),
    ),
    "a hold that may have been settled, and was not": (
        [H, call(Allocate(TOP, "token of a", FIRST), Unknown(), 10)],
        found(H_THERE),
    ),
    "a hold that was released, and its block given away": (
        [H, hold_released("h", 10), allocated("w", WIDE, 20), seen_held(30)],
        found(there("w", WIDE)),
    ),
    "a hold that may have been released, and was": (
        [H, hold_released("h", 10, Unknown()), allocated("w", WIDE, 20)],
        found(there("w", WIDE)),
    ),
    "a hold that may have been released, and was not": (
        [H, hold_released("h", 10, Unknown())],
        found(H_THERE),
    ),
    "a hold that an earlier attempt released": (
        [H, hold_released("h", 10, UNKNOWN_HOLD, attempts=2), seen_held(20)],
        found(),
    ),
    "a hold's token asked again after its release tells the first answer": (
        [H, hold_released("h", 10), replace(H, invoked=20, answered=21)],
        found(),
    ),
    "a hold in the way of another, and of an allocation": (
        [
            held("h", WIDE, 0),
            call(Hold(TOP, "t", 60, FIRST), TAKEN, 5),
            call(Allocate(TOP, "u", FIRST), TAKEN, 5),
        ],
        found(hold_there("h", WIDE)),
    ),
    "a hold refused because its block is taken": (
        [A, call(Hold(TOP, "t", 60, FIRST), TAKEN, 5)],
        found(A_THERE),
    ),
    "a hold of what was refused to others because it was taken": (
        [
            A,
            call(Allocate(TOP, "t", FIRST), TAKEN, 5),
            released("a", 10),
            held("h", FIRST, 20),
        ],
        found(H_THERE),
    ),
    "a hold settled by an earlier attempt of what had been refused": (
        [
            allocated("b", FIRST, 0),
            call(Allocate(TOP, "token of a", FIRST), TAKEN, 5, attempts=2),
            released("b", 10),
            held("h", FIRST, 20),
        ],
        found(A_THERE),
    ),
    "an expired hold that keeps its row": ([H_SOON], found(H_SOON_THERE)),
    "an expired hold without a row": (
        [H_SOON, seen_held(SOON + 1), hold_released("h", SOON + 2, UNKNOWN_HOLD)],
        found(),
    ),
    "an expired hold, and its block given away": (
        [H_SOON, allocated("w", WIDE, SOON + 1)],
        found(there("w", WIDE)),
    ),
    "an expired hold, and its block given to the one who held it": (
        [H_SOON, allocated_exactly("a", FIRST, SOON + 1)],
        found(A_THERE),
    ),
    "a hold that expired while its block was given away": (
        [H_SOON, allocated("w", WIDE, SOON - 1)],
        found(there("w", WIDE)),
    ),
    "a hold that expired before it was told of": (
        [replace(H_SOON, answered=SOON + 20, attempts=3), allocated("w", WIDE, SOON + 10)],
        found(there("w", WIDE)),
    ),
    "a hold that nobody was told of": (
        [call(Hold(TOP, "t", 60), Unknown(), 0), seen_held(5, h=FIRST)],
        found(replace(H_THERE, token="t"), answers=(answer("h", FIRST, token="t"),)),
    ),
    "a hold that nobody was told of, in the way until it expired": (
        [
            call(Hold(TOP, "t", 60), Unknown(), 0),
            call(Allocate(TOP, "u", SECOND), TAKEN, 50),
            allocated("a", FIRST, SOON + 1),
        ],
        found(A_THERE, answers=(answer("h", WIDE, token="t", until=SOON),)),
    ),
    "a hold that nobody was told of, and somebody settled": (
        [call(Hold(TOP, "t", 60), Unknown(), 0), SETTLED],
        found(A_THERE, answers=(answer("h", FIRST, token="t"),)),
    ),
}

BAD: dict[str, tuple[set[Breach], list[Call], Found]] = {
    "acknowledged and gone": ({Breach.LOST, Breach.STALE}, [A], found()),
    "acknowledged and elsewhere": (
        {Breach.LOST, Breach.STALE},
        [A],
        found(there("a", SECOND)),
    ),
    "acknowledged, and unknown when it is given back": (
        {Breach.LOST, Breach.STALE},
        [A, call(Release(TOP, "a"), UNKNOWN_ID, 10)],
        found(),
    ),
    "a pool acknowledged and gone": (
        {Breach.LOST},
        [call(Allocate(TOP, "t"), Refused("InvalidIpamPoolId.NotFound"), 0)],
        found(),
    ),
    "a child's CIDR acknowledged and gone": (
        {Breach.LOST, Breach.STALE},
        [PROVISIONED],
        found(),
    ),
    "a child's CIDR got back and lost then": (
        {Breach.LOST, Breach.STALE},
        [PROVISIONED, DEPROVISIONED, call(Provision(CHILD, TOP, "2"), Made("c2", FOR_CHILD), 20)],
        found(),
    ),
    "two answers to one token": (
        {Breach.DOUBLED},
        [A, call(Allocate(TOP, "token of a"), Made("b", SECOND), 10)],
        found(A_THERE, there("b", SECOND, token="token of a")),
    ),
    "an answer to a token, then a refusal": (
        {Breach.DOUBLED},
        [A, released("a", 10), call(Allocate(TOP, "token of a"), Refused(FULL), 20)],
        found(),
    ),
    "one answer, two rows": (
        {Breach.DOUBLED, Breach.STALE},
        [A],
        found(A_THERE, there("b", SECOND, token="token of a")),
    ),
    "no answer, two rows": (
        {Breach.DOUBLED, Breach.STALE},
        [LATE],
        found(A_THERE, there("b", SECOND, token="token of a")),
    ),
    "a second one left after the first was given back": (
        {Breach.DOUBLED, Breach.STALE},
        [A, released("a", 10)],
        found(there("b", SECOND, token="token of a")),
    ),
    "one inside another": (
        {Breach.OVERLAPPING, Breach.STALE},
        [allocated("w", WIDE, 0), B],
        found(there("w", WIDE), B_THERE),
    ),
    "an allocation inside a child's CIDR": (
        {Breach.OVERLAPPING, Breach.STALE},
        [PROVISIONED, allocated("a", Cidr.parse("10.0.0.144/28"), 10)],
        found(OF_CHILD, there("a", Cidr.parse("10.0.0.144/28")), child_has=(CHILD_CIDR,)),
    ),
    "held by two in turn, though not at the end": (
        {Breach.STALE},
        [A, allocated("w", WIDE, 5), released("w", 10)],
        found(A_THERE),
    ),
    "given back and there": (
        {Breach.BACK, Breach.STALE},
        [A, released("a", 10)],
        found(A_THERE),
    ),
    "deprovisioned and there": (
        {Breach.BACK, Breach.STALE},
        [PROVISIONED, DEPROVISIONED],
        found(OF_CHILD, child_has=(CHILD_CIDR,)),
    ),
    "a row out of nowhere": ({Breach.UNASKED, Breach.STALE}, [], found(A_THERE)),
    "a child's CIDR out of nowhere": (
        {Breach.UNASKED, Breach.STALE},
        [],
        found(OF_CHILD, child_has=(CHILD_CIDR,)),
    ),
    "a child's CIDR without an allocation": (
        {Breach.DISAGREEING, Breach.STALE},
        [PROVISIONED],
        found(child_has=(CHILD_CIDR,)),
    ),
    "an allocation without a child's CIDR": (
        {Breach.DISAGREEING},
        [PROVISIONED, call(Deprovision(CHILD, TOP, FOR_CHILD), Unknown(), 10)],
        found(OF_CHILD),
    ),
    "an allocation outside of its pool": (
        {Breach.DISAGREEING},
        [allocated("a", Cidr.parse("10.9.0.0/28"), 0)],
        found(there("a", Cidr.parse("10.9.0.0/28"))),
    ),
    "counters that count something else": (
        {Breach.DISAGREEING},
        [A],
        replace(found(A_THERE), pools=found().pools),
    ),
    "an answer that tells nothing": (
        {Breach.UNFORESEEN},
        [A, call(Release(TOP, "a"), Unforeseen("INTERNAL"), 10)],
        found(),
    ),
    "a refusal that nothing asked for": (
        {Breach.UNFORESEEN},
        [call(Allocate(TOP, "t"), Refused("IncorrectState"), 0)],
        found(),
    ),
    "a list without what was acknowledged before": (
        {Breach.STALE},
        [A, seen(10)],
        found(A_THERE),
    ),
    "a list with what was given back before": (
        {Breach.STALE},
        [A, released("a", 10), seen(20, a=FIRST)],
        found(),
    ),
    "refused as taken while it is free": (
        {Breach.STALE},
        [call(Allocate(TOP, "t", FIRST), TAKEN, 5)],
        found(),
    ),
    "a hold, and its block given to somebody else": (
        {Breach.LOST, Breach.STALE},
        [H, allocated("w", WIDE, 10)],
        found(there("w", WIDE)),
    ),
    "a hold, and its block given to somebody else before it expired": (
        {Breach.STALE},
        [H_SOON, allocated("w", WIDE, 50)],
        found(there("w", WIDE)),
    ),
    "a hold, and its block given to another hold": (
        {Breach.STALE},
        [H_SOON, held("g", WIDE, 50)],
        found(hold_there("g", WIDE)),
    ),
    "a hold, and its block given to another hold of just that": (
        {Breach.STALE},
        [H_SOON, call(Hold(TOP, "token of g", 60, FIRST), Made("g", FIRST, LATER), 50)],
        found(hold_there("g", FIRST)),
    ),
    "a hold, and its block given to a child": (
        {Breach.STALE},
        [held("h", FOR_CHILD, 0, until=SOON), replace(PROVISIONED, invoked=50, answered=51)],
        found(OF_CHILD, child_has=(CHILD_CIDR,)),
    ),
    "a hold of what is allocated": (
        {Breach.LOST, Breach.STALE},
        [A, held("h", FIRST, 10)],
        found(A_THERE),
    ),
    "a hold of what is allocated, with a row of its own": (
        {Breach.OVERLAPPING, Breach.STALE},
        [allocated("w", WIDE, 0), held("h", FIRST, 10)],
        found(there("w", WIDE), H_THERE),
    ),
    "a hold acknowledged and gone": ({Breach.LOST, Breach.STALE}, [H], found()),
    "a hold acknowledged and gone, of what was allocated before": (
        {Breach.LOST, Breach.STALE},
        [allocated_exactly("a", FIRST, 0), released("a", 10), held("h", FIRST, 20)],
        found(),
    ),
    "a hold acknowledged, and lasting longer": (
        {Breach.LOST},
        [H],
        found(hold_there("h", FIRST, until=LATER + 1)),
    ),
    "a hold unknown before it expired": (
        {Breach.LOST, Breach.STALE},
        [H_SOON, hold_released("h", 50, UNKNOWN_HOLD)],
        found(),
    ),
    "a hold unknown before it was settled": (
        {Breach.LOST, Breach.STALE},
        [H_SOON, hold_released("h", 20, UNKNOWN_HOLD), allocated_exactly("a", FIRST, 30)],
        found(A_THERE),
    ),
    "a hold refused to the one who holds it": (
        {Breach.LOST, Breach.STALE},
        [H_SOON, call(Allocate(TOP, "t", FIRST), TAKEN, 50)],
        found(),
    ),
    "a hold of several parts refused to the one who holds it": (
        {Breach.LOST},
        [held("h", WIDE, 0, until=SOON), call(Allocate(TOP, "t", WIDE), TAKEN, 50)],
        found(),
    ),
    "a hold not listed before it expired": (
        {Breach.STALE},
        [H_SOON, seen_held(50)],
        found(),
    ),
    "a hold listed as an allocation": (
        {Breach.STALE},
        [H, seen(5, h=FIRST)],
        found(H_THERE),
    ),
    "a hold released and there": (
        {Breach.BACK, Breach.STALE},
        [H, hold_released("h", 10)],
        found(H_THERE),
    ),
    "a hold released and listed": (
        {Breach.STALE},
        [H, hold_released("h", 10), seen_held(20, h=FIRST)],
        found(),
    ),
    "a hold settled and back": (
        {Breach.BACK, Breach.STALE},
        [H, SETTLED, released("a", 20)],
        found(H_THERE),
    ),
    "a hold settled, and both there": (
        {Breach.BACK, Breach.OVERLAPPING},
        [H, SETTLED],
        found(H_THERE, A_THERE),
    ),
    "a hold settled when it had expired, and both there": (
        {Breach.BACK, Breach.OVERLAPPING},
        [H_SOON, allocated_exactly("a", FIRST, SOON + 1)],
        found(H_SOON_THERE, A_THERE),
    ),
    "a hold listed when it has expired": (
        {Breach.STALE},
        [H_SOON, seen_held(SOON + 1, h=FIRST)],
        found(),
    ),
    "a hold in the way when it has expired": (
        {Breach.STALE},
        [H_SOON, call(Hold(TOP, "t", 60, FIRST), TAKEN, SOON + 1)],
        found(),
    ),
    "two answers to one hold's token": (
        {Breach.DOUBLED},
        [H, replace(held("g", SECOND, 10), wanted=H.wanted)],
        found(H_THERE, replace(hold_there("g", SECOND), token="token of h")),
    ),
    "a hold's token answered with another time to live": (
        {Breach.DOUBLED, Breach.LOST},
        [H, replace(H, outcome=Made("h", FIRST, LATER + 1), invoked=10, answered=11)],
        found(H_THERE),
    ),
    "a hold's token that would be answered with another hold": (
        {Breach.DOUBLED},
        [H],
        found(H_THERE, answers=(answer("g", SECOND, token="token of h"),)),
    ),
    "a hold out of nowhere": ({Breach.UNASKED, Breach.STALE}, [], found(H_THERE)),
    "a hold that is counted": (
        {Breach.DISAGREEING},
        [H],
        replace(found(H_THERE), pools=found(A_THERE).pools),
    ),
}


@pytest.mark.parametrize(("calls", "at_last"), GOOD.values(), ids=GOOD)
def test_what_may_happen_is_accepted(calls: list[Call], at_last: Found) -> None:
    assert violations(calls, at_last) == []


@pytest.mark.parametrize(("breaches", "calls", "at_last"), BAD.values(), ids=BAD)
def test_a_broken_promise_is_found(
    breaches: set[Breach], calls: list[Call], at_last: Found
) -> None:
    assert {violation.kind for violation in violations(calls, at_last)} == breaches


def test_top_level_cidrs_of_a_scope_may_not_overlap() -> None:
    other = FoundCidr("other", CHILD, WIDE, None)
    at_last = replace(found(), cidrs=(*found().cidrs, other))
    assert Breach.OVERLAPPING in {violation.kind for violation in violations([], at_last)}
