"""Listing AS numbers out of ranges, of which one may have millions."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import takewhile

from services.control_plane.delegated_rpki.resources import Range, Resources
from services.control_plane.verification.roas import LARGEST_ASN
from shared.errors import InvalidNextToken

RangesFrom = Callable[[int], Iterable[Range]]
"""Ranges, in order, beginning with the one that a number is in or comes before."""

_MOST_DIGITS = len(str(LARGEST_ASN))
_IN_PATTERNS = frozenset("0123456789*?\\")
"""What a pattern may have that a number can match."""
_EVERYTHING = ((0, LARGEST_ASN),)


def numbers(first: int, within: Sequence[Range], ranges_from: RangesFrom) -> Iterator[int]:
    """The numbers that ranges and ``within`` have, in order, from ``first`` on, one at a time."""
    for lowest, highest in within:
        start = max(first, lowest)
        for begin, end in ranges_from(start):
            if begin > highest:
                break
            yield from range(max(start, begin), min(end, highest) + 1)


def eligible(filters: Iterable[tuple[str, Sequence[str]]]) -> Sequence[Range]:
    """Where the numbers are that may pass filters, as told by how their patterns begin.

    A filter is given by its name and its patterns. Nobody has to look at a million numbers then to
    find that no other one is called ``6449?``.
    """
    found = [_of_any(patterns) for name, patterns in filters if name == "asn"]
    return min(
        found, key=lambda ranges: sum(end - begin for begin, end in ranges), default=_EVERYTHING
    )


def asn_of_key(key: str) -> int:
    """The number that a page ended with.

    Raises:
        InvalidNextToken: there is no such key.
    """
    if not (key.isascii() and key.isdigit()) or len(key) > _MOST_DIGITS:
        raise InvalidNextToken
    return int(key)


def _of_any(patterns: Iterable[str]) -> Sequence[Range]:
    ranges = [found for pattern in patterns for found in _ranges(pattern)]
    return Resources.of_ranges(asns=ranges).asn_ranges


def _ranges(pattern: str) -> Iterator[Range]:
    """The numbers that begin with the pattern's first digits, and may be as long as it."""
    if not _IN_PATTERNS.issuperset(pattern):
        return
    digits = "".join(takewhile(_is_digit, pattern))
    shortest, longest = max(1, len(digits)), _MOST_DIGITS
    if not {"*", "\\"} & set(pattern):
        shortest, longest = len(pattern), min(longest, len(pattern))
    for length in range(max(1, shortest), longest + 1):
        unknown = 10 ** (length - len(digits))
        begin = int(digits or "0") * unknown
        end = min(begin + unknown - 1, LARGEST_ASN)
        # No number begins with a zero, but zero.
        begin = max(begin, 10 ** (length - 1) if length > 1 else 0)
        if begin <= end:
            yield begin, end


def _is_digit(character: str) -> bool:
    return character.isascii() and character.isdigit()
