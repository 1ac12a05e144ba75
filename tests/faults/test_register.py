"""The search itself, on histories written by hand."""

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

import pytest

from tests.faults.history import NEVER
from tests.faults.register import (
    ANYBODY,
    LEEWAY_SECONDS,
    AllBut,
    Kind,
    Operation,
    first_unexplained,
)

Written = tuple[str, str | None, float, float] | Operation

UNTIL = 10.0
"""When h expires, who holds for a time."""


def history(*written: Written) -> list[Operation]:
    return [one if isinstance(one, Operation) else operation(*one) for one in written]


def operation(kind: str, holder: str | None, invoked: float, answered: float) -> Operation:
    expires_at = UNTIL if (kind, holder) == ("take", "h") else NEVER
    return Operation(Kind(kind), holder, invoked, answered, expires_at=expires_at)


def past(ignored: str, kind: str, holder: str | None, invoked: float, answered: float) -> Operation:
    """One that doesn't mind who is ignored."""
    return replace(operation(kind, holder, invoked, answered), ignores=frozenset(ignored))


def only(shown: str, holder: str | None, invoked: float, answered: float) -> Operation:
    """A look that shows nobody else."""
    return replace(operation("see", holder, invoked, answered), ignores=AllBut(frozenset(shown)))


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
    "held for a time, and settled": [
        ("take", "h", 0, 1),
        past("h", "take", "a", 2, 3),
        ("see", "a", 4, 5),
        only("h", None, 6, 7),
    ],
    "held for a time, and released": [
        ("take", "h", 0, 1),
        ("give", "h", 2, 3),
        ("take", "a", 4, 5),
    ],
    "held for a time, in a list that does not show it": [
        ("take", "h", 0, 1),
        past("h", "see", None, 2, 3),
        ("see", "h", 4, 5),
    ],
    "somebody holds it who is not looked for": [("take", "a", 0, 1), only("h", None, 2, 3)],
    "expired, and taken by another": [("take", "h", 0, 1), ("take", "a", 20, 21)],
    "expired while another took it": [("take", "h", 0, 1), ("take", "a", 9, 10)],
    "expired, and not there": [
        ("take", "h", 0, 1),
        ("see", "h", 8, 9),
        ("see", None, 12, 13),
    ],
    "expired, for one who asked in time and was heard late": [
        ("take", "h", 0, 1),
        ("see", None, 11, 12),
        ("give", "h", 9, 15),
    ],
    "still seen when it has expired, as far as clocks tell": [
        ("take", "h", 0, 1),
        ("see", "h", UNTIL + LEEWAY_SECONDS / 2, 12),
    ],
    "expired before it was answered": [
        ("take", "h", 0, 12),
        ("take", "a", 13, 14),
    ],
    "held for a time by a call that was never answered": [
        ("take", "h", 0, NEVER),
        ("see", ANYBODY, 2, 3),
        ("take", "a", 12, 13),
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
    "taken before it expired": (1, [("take", "h", 0, 1), ("take", "a", 8, 9)]),
    "held for a time though another has it": (1, [("take", "a", 0, 1), ("take", "h", 2, 3)]),
    "gone before it expired": (1, [("take", "h", 0, 1), only("h", None, 2, 3)]),
    "refused to one whom it is held for": (
        1,
        [("take", "h", 0, 1), past("h", "see", ANYBODY, 2, 3)],
    ),
    "there when it has expired": (1, [("take", "h", 0, 1), ("see", "h", 12, 13)]),
    "in the way when it has expired": (1, [("take", "h", 0, 1), ("see", ANYBODY, 12, 13)]),
    "released when it has expired": (1, [("take", "h", 0, 1), ("give", "h", 12, 13)]),
    "back after it was seen to be over": (
        2,
        [("take", "h", 0, 1), ("see", None, 8, 10), ("see", "h", UNTIL + LEEWAY_SECONDS / 2, 12)],
    ),
    "back after it was settled": (
        3,
        [
            ("take", "h", 0, 1),
            past("h", "take", "a", 2, 3),
            ("give", "a", 4, 5),
            ("see", "h", 6, 7),
        ],
    ),
}


@pytest.mark.parametrize("written", GOOD.values(), ids=GOOD)
def test_what_some_order_explains_is_accepted(written: list[Written]) -> None:
    assert first_unexplained(history(*written)) is None


@pytest.mark.parametrize(("number", "written"), BAD.values(), ids=BAD)
def test_what_no_order_explains_is_found(number: int, written: list[Written]) -> None:
    operations = history(*written)
    assert first_unexplained(operations) == operations[number]


@pytest.mark.parametrize("seed", range(1000))
def test_it_agrees_with_trying_every_order(seed: int) -> None:
    rng = random.Random(seed)
    operations = [some_operation(rng) for _ in range(rng.randint(1, 4))]
    is_explained = any(map(is_explanation, orders(operations)))
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


def test_a_long_history_of_what_expires_takes_no_long_time() -> None:
    operations = []
    for turn in range(2000):
        held = operation("take", f"h{turn}", turn, turn + 0.2)
        taken = operation("take", f"a{turn}", turn + 0.4, turn + 0.6)
        operations += [
            replace(held, expires_at=turn + 0.3),
            replace(taken, ignores=frozenset({f"h{turn}"})),
            operation("give", f"a{turn}", turn + 0.7, turn + 1.1),
        ]
    assert first_unexplained(operations) is None


def some_operation(rng: random.Random) -> Operation:
    kind = rng.choice(list(Kind))
    seen = [None, "a", "b", "h", ANYBODY] if kind is Kind.SEE else ["a", "b", "h"]
    invoked = rng.randrange(14)
    made = operation(kind.value, rng.choice(seen), invoked, invoked + rng.randrange(1, 10))
    nobody, h = frozenset[str](), frozenset("h")
    return replace(made, ignores=rng.choice([nobody, h, AllBut(h)]))


def orders(operations: list[Operation]) -> Iterator[tuple[Operation, ...]]:
    """Of all of them, and of h expiring as often as it may have."""
    expiry = Operation(Kind.GIVE, "h", UNTIL, NEVER)
    taken = sum(one.kind is Kind.TAKE and one.holder == "h" for one in operations)
    for number in range(taken + 1):
        yield from permutations([*operations, *[expiry] * number])


def is_explanation(order: tuple[Operation, ...]) -> bool:
    """In this order each can have a moment of its own in turn, and sees what it saw."""
    earliest = 0.0
    holder: str | None = None
    for one in order:
        earliest = max(earliest, one.invoked)
        if earliest > one.answered:
            return False
        is_over = holder == "h" and one.invoked >= UNTIL + LEEWAY_SECONDS
        found = None if is_over or holder in one.ignores else holder
        match one.kind:
            case Kind.TAKE if found is None:
                holder = one.holder
            case Kind.GIVE if found == one.holder:
                holder = None
            case Kind.SEE if found == one.holder or (found and one.holder == ANYBODY):
                pass
            case _:
                return False
    return True
