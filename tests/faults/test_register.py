"""The search itself, on histories written by hand."""

import random
from itertools import permutations

import pytest

from tests.faults.history import NEVER
from tests.faults.register import ANYBODY, Kind, Operation, first_unexplained

Written = tuple[str, str | None, float, float]


def history(*written: Written) -> list[Operation]:
    return [Operation(Kind(kind), holder, *times) for kind, holder, *times in written]


GOOD: dict[str, list[Written]] = {
    "nothing": [],
    "taken, given back, taken again": [
        ("take", "a", 0, 1),
        ("give", "a", 2, 3),
        ("take", "b", 4, 5),
    ],
    "taken while it is being given back": [
        ("take", "a", 0, 1),
        ("give", "a", 2, 9),
        ("take", "b", 3, 4),
        ("see", "b", 5, 6),
    ],
    "a read during a take sees either": [
        ("take", "a", 0, 9),
        ("see", None, 1, 2),
        ("see", "a", 3, 4),
    ],
    "given back within the call that took it, as far as clocks tell": [
        ("take", "a", 0, 5),
        ("give", "a", 4, 6),
        ("see", None, 7, 8),
    ],
    "a release that was never answered and took effect": [
        ("take", "a", 0, 1),
        ("give", "a", 2, NEVER),
        ("take", "b", 50, 51),
    ],
    "a release that was never answered and did not": [
        ("take", "a", 0, 1),
        ("give", "a", 2, NEVER),
        ("see", "a", 50, 51),
    ],
    "a take that was never answered and is seen much later": [
        ("take", "a", 0, NEVER),
        ("see", None, 1, 2),
        ("see", "a", 50, 51),
    ],
    "refused because somebody has it": [("take", "a", 0, 1), ("see", ANYBODY, 2, 3)],
    "three in turn, all at once": [
        ("take", "a", 0, 9),
        ("give", "a", 0, 9),
        ("take", "b", 0, 9),
        ("give", "b", 0, 9),
        ("take", "c", 0, 9),
        ("see", "c", 10, 11),
    ],
}

BAD: dict[str, tuple[int, list[Written]]] = {
    "taken twice": (1, [("take", "a", 0, 1), ("take", "b", 2, 3)]),
    "taken twice at once": (1, [("take", "a", 0, 5), ("take", "b", 1, 6)]),
    "taken before the release began": (
        1,
        [("take", "a", 0, 1), ("take", "b", 2, 3), ("give", "a", 4, 5)],
    ),
    "a stale list: not there yet": (1, [("take", "a", 0, 1), ("see", None, 2, 3)]),
    "a stale list: still there": (
        2,
        [("take", "a", 0, 1), ("give", "a", 2, 3), ("see", "a", 4, 5)],
    ),
    "lost: another has it": (1, [("take", "a", 0, 1), ("see", "b", 2, 3)]),
    "back after its release": (
        3,
        [("take", "a", 0, 1), ("give", "a", 2, 3), ("see", None, 4, 5), ("see", "a", 6, 7)],
    ),
    "seen, then not seen, by two readers one after the other": (
        2,
        [("take", "a", 0, 9), ("see", "a", 1, 2), ("see", None, 3, 4)],
    ),
    "refused although nobody has it": (0, [("see", ANYBODY, 0, 1)]),
    "seen before anybody asked for it": (0, [("see", "a", 0, 1), ("take", "a", 2, 3)]),
}


@pytest.mark.parametrize("written", GOOD.values(), ids=GOOD)
def test_what_some_order_explains_is_accepted(written: list[Written]) -> None:
    assert first_unexplained(history(*written)) is None


@pytest.mark.parametrize(("number", "written"), BAD.values(), ids=BAD)
def test_what_no_order_explains_is_found(number: int, written: list[Written]) -> None:
    operations = history(*written)
    assert first_unexplained(operations) == operations[number]


@pytest.mark.parametrize("seed", range(300))
def test_it_agrees_with_trying_every_order(seed: int) -> None:
    rng = random.Random(seed)
    operations = [some_operation(rng) for _ in range(rng.randint(1, 5))]
    is_explained = any(is_explanation(order) for order in permutations(operations))
    assert (first_unexplained(operations) is None) == is_explained


def test_a_long_history_takes_no_long_time() -> None:
    written: list[Written] = []
    for turn in range(2000):
        written += [
            ("take", f"h{turn}", turn, turn + 0.6),
            ("see", f"h{turn}", turn, turn + 0.9),
            ("see", ANYBODY, turn + 0.2, turn + 0.9),
            ("give", f"h{turn}", turn + 0.7, turn + 1.3),
        ]
    assert first_unexplained(history(*written)) is None


def some_operation(rng: random.Random) -> Operation:
    kind = rng.choice(list(Kind))
    seen = [None, "a", "b", ANYBODY] if kind is Kind.SEE else ["a", "b"]
    invoked = rng.randrange(8)
    return Operation(kind, rng.choice(seen), invoked, invoked + rng.randrange(1, 6))


def is_explanation(order: tuple[Operation, ...]) -> bool:
    """In this order each can have a moment of its own in turn, and sees what it saw."""
    earliest, holder = 0.0, None
    for operation in order:
        earliest = max(earliest, operation.invoked)
        if earliest > operation.answered:
            return False
        match operation.kind:
            case Kind.TAKE if holder is None:
                holder = operation.holder
            case Kind.GIVE if holder == operation.holder:
                holder = None
            case Kind.SEE if holder == operation.holder or (holder and operation.holder == ANYBODY):
                pass
            case _:
                return False
    return True
