"""What became of holds, told from calls alone."""

import pytest

from shared.cidr import Cidr
from tests.faults.history import Allocate, Call, Done, Hold, Made, Outcome, ReleaseHold, Wanted
from tests.faults.holds import Fate, Holds

POOL, BLOCK = "pool", Cidr.parse("10.0.0.0/28")
UNTIL, END = 100.0, 1000.0


def call(wanted: Wanted, outcome: Outcome, at: float) -> Call:
    return Call(wanted, outcome, at, at + 1)


def allocated(cidr: Cidr | None, at: float) -> Call:
    return call(Allocate(POOL, "token of a", cidr), Made("a", BLOCK), at)


HELD = call(Hold(POOL, "token of h", 60), Made("h", BLOCK, UNTIL), 0)
RELEASED = call(ReleaseHold(POOL, "h"), Done(), 10)

FATES: dict[str, tuple[Fate, list[Call], float]] = {
    "nothing happened": (Fate.KEPT, [HELD], UNTIL - 1),
    "time went by": (Fate.EXPIRED, [HELD], END),
    "its block was allocated": (Fate.SETTLED, [HELD, allocated(BLOCK, 10)], END),
    "its block was allocated when it had expired": (
        Fate.EXPIRED,
        [HELD, allocated(BLOCK, UNTIL + 10)],
        END,
    ),
    "its block had been allocated before": (
        Fate.KEPT,
        [allocated(BLOCK, -10), HELD],
        UNTIL - 1,
    ),
    "its block was allocated to one who asked for any": (
        Fate.EXPIRED,
        [HELD, allocated(None, UNTIL + 10)],
        END,
    ),
    "it was released": (Fate.RELEASED, [HELD, RELEASED], END),
    "it was released, and its block allocated then": (
        Fate.RELEASED,
        [HELD, RELEASED, allocated(BLOCK, 20)],
        END,
    ),
}


@pytest.mark.parametrize(("fate", "calls", "by"), FATES.values(), ids=FATES)
def test_a_hold_has_one_fate(fate: Fate, calls: list[Call], by: float) -> None:
    assert Holds(calls).fates(by) == {fate: 1}


def test_a_repeated_answer_is_one_hold() -> None:
    repeat = call(HELD.wanted, HELD.outcome, 20)
    assert Holds([HELD, repeat]).fates(END).total() == 1
