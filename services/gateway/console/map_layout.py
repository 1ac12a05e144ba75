"""A map of address space: which blocks stand where, and what they are called (MON-8)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.cidr import AddressFamily, Cidr

STEP = 8
"""Bits from one level of the map to the next."""
COLUMNS = 16
AVAILABLE = "available"


@dataclass(frozen=True, slots=True)
class Held:
    """What a block holds, as discovery counts it."""

    state: str
    """``overlapping``, ``noncompliant``, ``occupied`` or ``compliant``: the worst there is."""
    resource_cidrs: int
    is_full: bool


@dataclass(frozen=True, slots=True)
class Tile:
    """A block in its place."""

    cidr: Cidr
    label: str
    """What tells it from its neighbours: the part of the address that differs."""
    column: int
    row: int
    state: str
    resource_cidrs: int
    is_full: bool


def step_below(whole: Cidr) -> int:
    """The prefix length of the blocks that a map of ``whole`` is made of."""
    return min(whole.prefix_length + STEP, whole.family.bits)


def tiles_of(whole: Cidr, held: Mapping[Cidr, Held]) -> Sequence[Tile]:
    """All blocks of ``whole``, in address order, sixteen in a row.

    What is not in ``held`` holds nothing.
    """
    length = step_below(whole)
    size = 1 << (whole.family.bits - length)
    count = 1 << (length - whole.prefix_length)
    return [
        _tile(whole, Cidr(whole.family, whole.first + number * size, length), number, held)
        for number in range(count)
    ]


def _tile(whole: Cidr, cidr: Cidr, number: int, held: Mapping[Cidr, Held]) -> Tile:
    row, column = divmod(number, COLUMNS)
    what = held.get(cidr)
    return Tile(
        cidr=cidr,
        label=label_of(whole, cidr),
        column=column,
        row=row,
        state=what.state if what else AVAILABLE,
        resource_cidrs=what.resource_cidrs if what else 0,
        is_full=what.is_full if what else False,
    )


def label_of(whole: Cidr, block: Cidr) -> str:
    """The octets, or groups of hex digits, in which blocks of ``whole`` differ.

    Of 10.64.0.0/20 in 10.64.0.0/12 it is ``64.0``, of 2001:db8:ab00::/40 in 2001:db8::/32 ``ab00``.
    """
    if whole.family is AddressFamily.IPV4:
        bits, parts = 8, [str(block.first >> shift & 0xFF) for shift in (24, 16, 8, 0)]
        mark = "."
    else:
        bits, mark = 16, ":"
        parts = [f"{block.first >> shift & 0xFFFF:x}" for shift in range(112, -1, -16)]
    first = min(whole.prefix_length // bits, len(parts) - 1)
    last = max(-(-block.prefix_length // bits), first + 1)
    return mark.join(parts[first:last])


def way_to(block: Cidr) -> Sequence[Cidr]:
    """The larger blocks that ``block`` is found in, level by level, the largest first."""
    lengths = range(block.prefix_length - STEP, -STEP, -STEP)
    return [block.supernet(max(length, 0)) for length in reversed(lengths)]


def cover_of(blocks: Sequence[Cidr]) -> Cidr | None:
    """The smallest block that all of them are in; None: there is none of them."""
    if not blocks:
        return None
    first, last = min(one.first for one in blocks), max(one.last for one in blocks)
    family = blocks[0].family
    shortest = min(one.prefix_length for one in blocks)
    length = min(family.bits - (first ^ last).bit_length(), shortest)
    size = 1 << (family.bits - length)
    return Cidr(family, first // size * size, length)
