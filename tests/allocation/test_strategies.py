"""Which of the free blocks a strategy chooses (BEY-9)."""

from collections import Counter
from typing import Any

import pytest

from services.allocation.free_space import FreeSpace
from services.allocation.placement import Strategy
from shared.cidr import AddressFamily, Cidr
from tests.allocation.free_spaces import cidrs, space_of


@pytest.mark.parametrize(
    ("strategy", "chosen"),
    [
        pytest.param(Strategy.BEST_FIT, ["10", "11", "0", "1"], id="the smallest that fits"),
        pytest.param(Strategy.LOWEST, ["0", "1", "2", "3"], id="the lowest address"),
        pytest.param(Strategy.SPARSE, ["20", "40", "60", "0"], id="the widest"),
    ],
)
def test_strategies_choose_among_free_blocks(strategy: Strategy, chosen: list[str]) -> None:
    """BEY-9: 0-7 is a wide gap, 10-11 a narrow one, 20-2f, 40-4f and 60-6f are the widest."""
    held = ["8::/13", "12::/15", "14::/14", "18::/13"]
    wide = ["30::/12", "50::/12", "70::/12"]
    space = FreeSpace(AddressFamily.IPV6)
    for root in ("::/11", "20::/11", "40::/11", "60::/11"):
        space.add_root(Cidr.parse(root))
    for cidr in (*held, *wide):
        space.take(Cidr.parse(cidr))
    found = [space.take_next(16, strategy=strategy) for _ in range(4)]
    assert [str(cidr).partition(":")[0] or "0" for cidr in found] == chosen


@pytest.mark.parametrize(
    ("strategy", "found"),
    [
        pytest.param(Strategy.BEST_FIT, "10.0.0.8/31", id="the smallest that fits"),
        pytest.param(Strategy.LOWEST, "10.0.0.4/31", id="the lowest address"),
        pytest.param(Strategy.SPARSE, "10.0.0.16/31", id="the widest"),
    ],
)
def test_strategies_choose_among_what_the_lists_leave(strategy: Strategy, found: str) -> None:
    """ALLOC-1, BEY-9: of 0-7 the first half is disallowed; 8-9 are free and 16-31."""
    space = space_of("10.0.0.0/27", held=["10.0.0.10/31", "10.0.0.12/30"])
    disallowed = cidrs("10.0.0.0/30")
    assert str(space.find(31, disallowed=disallowed, strategy=strategy)) == found


def test_sparse_halves_the_gaps_again_and_again() -> None:  # BEY-9
    space = space_of("2600::/56")
    found = [space.take_next(64, strategy=Strategy.SPARSE) for _ in range(6)]
    assert list(map(str, found)) == [
        "2600::/64",
        "2600:0:0:80::/64",
        "2600:0:0:40::/64",
        "2600:0:0:c0::/64",
        "2600:0:0:20::/64",
        "2600:0:0:60::/64",
    ]


def test_random_reaches_every_place_about_equally_often() -> None:  # BEY-9
    space = space_of("10.0.0.0/28", held=["10.0.0.0/30", "10.0.0.6/32"])
    places = [f"10.0.0.{n}/31" for n in (4, 8, 10, 12, 14)]
    drawn = Counter(
        str(space.find(31, strategy=Strategy.RANDOM, seed=str(number))) for number in range(1000)
    )
    assert sorted(drawn) == sorted(places)
    assert min(drawn.values()) > 150


@pytest.mark.parametrize(
    ("held", "wanted", "lists", "parts"),
    [
        pytest.param(
            ["10.0.0.8/29", "10.0.0.24/29"],
            30,
            {},
            {0: 1, 4: 1, 16: 1, 20: 1},
            id="in free blocks of one length",
        ),
        pytest.param(
            [],
            30,
            {"allowed": ["10.0.0.16/28"]},
            {16: 1, 20: 1, 24: 1, 28: 1},
            id="in a part of a free block",
        ),
        pytest.param(
            [],
            30,
            {"allowed": ["10.0.0.4/30", "10.0.0.8/31", "10.0.0.16/29"]},
            {4: 1, 16: 1, 20: 1},
            id="where one just fits and one does not",
        ),
        pytest.param(
            ["10.0.0.4/30", "10.0.0.12/30", "10.0.0.20/30", "10.0.0.28/30"],
            31,
            {"allowed": ["10.0.0.8/29", "10.0.0.16/28"]},
            {8: 1, 10: 1, 16: 1, 18: 1, 24: 1, 26: 1},
            id="in the free blocks of a part",
        ),
        pytest.param(
            ["10.0.0.16/28"],
            30,
            {"disallowed": ["10.0.0.8/30"]},
            {0: 1, 4: 1, 12: 2},
            id="next above what is disallowed",
        ),
        pytest.param(
            ["10.0.0.16/28"],
            30,
            {"disallowed": ["10.0.0.12/30"]},
            {0: 2, 4: 1, 8: 1},
            id="from below where nothing is above",
        ),
        pytest.param(
            [],
            30,
            {
                "allowed": ["10.0.0.0/29", "10.0.0.16/29"],
                "disallowed": ["10.0.0.4/30", "10.0.0.16/30"],
            },
            {0: 1, 20: 3},
            id="both lists",
        ),
    ],
)
def test_random_gives_each_place_that_the_lists_leave_its_part(
    held: list[str], wanted: int, lists: dict[str, list[str]], parts: dict[int, int]
) -> None:  # ALLOC-1, BEY-9
    space = space_of("10.0.0.0/27", held=held)
    how: dict[str, Any] = {name: cidrs(*texts) for name, texts in lists.items()}
    drawn = Counter(
        space.find(wanted, strategy=Strategy.RANDOM, seed=str(number), **how).first & 31
        for number in range(1000)
    )
    one = 1000 / sum(parts.values())
    assert drawn == {place: pytest.approx(part * one, abs=60) for place, part in parts.items()}
