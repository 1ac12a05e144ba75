"""The checker accepts what may happen, and finds each way of breaking a promise."""

from dataclasses import replace

import pytest

from shared.cidr import Cidr
from tests.faults.checker import violations
from tests.faults.history import (
    NEVER,
    Allocate,
    Breach,
    Call,
    Deprovision,
    Done,
    Found,
    FoundAllocation,
    FoundCidr,
    FoundPool,
    Made,
    Outcome,
    Provision,
    Read,
    Refused,
    Release,
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
END = 1000.0


def call(wanted: Wanted, outcome: Outcome, at: float, *, attempts: int = 1) -> Call:
    answered = NEVER if isinstance(outcome, Unknown | Unforeseen) else at + 1
    return Call(wanted, outcome, at, answered, attempts)


def allocated(name: str, cidr: Cidr, at: float) -> Call:
    return call(Allocate(TOP, f"token of {name}"), Made(name, cidr), at)


def released(name: str, at: float) -> Call:
    return call(Release(TOP, name), Done(), at)


def seen(at: float, **holders: Cidr) -> Call:
    return call(Read(TOP), Seen({cidr: who for who, cidr in holders.items()}), at)


def there(name: str, cidr: Cidr, *, token: str | None = None) -> FoundAllocation:
    return FoundAllocation(name, TOP, cidr, token or f"token of {name}")


def found(*allocations: FoundAllocation, child_has: tuple[FoundCidr, ...] = ()) -> Found:
    """With counters that agree, and a child pool."""
    cidrs = (FoundCidr("top-cidr", TOP, SPACE, None), *child_has)
    return Found(
        tuple(
            FoundPool(
                pool_id,
                source_id,
                1,
                len(own := [c for c in cidrs if c.pool_id == pool_id]),
                len(held := [a for a in allocations if a.pool_id == pool_id]),
                sum(c.cidr.size for c in own),
                sum(a.cidr.size for a in held),
            )
            for pool_id, source_id in ((TOP, None), (CHILD, TOP))
        ),
        cidrs,
        allocations,
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
