"""Sets of addresses and AS numbers."""

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from shared.cidr import AddressFamily, Cidr

Range: TypeAlias = tuple[int, int]
"""First and last number."""

LARGEST_ASN = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Resources:
    """AS numbers and addresses, each as the fewest ranges, in order."""

    asn_ranges: tuple[Range, ...] = ()
    ipv4_ranges: tuple[Range, ...] = ()
    ipv6_ranges: tuple[Range, ...] = ()

    def __post_init__(self) -> None:
        for ranges, largest in (
            (self.asn_ranges, LARGEST_ASN),
            (self.ipv4_ranges, (1 << 32) - 1),
            (self.ipv6_ranges, (1 << 128) - 1),
        ):
            _check(ranges, largest)

    @classmethod
    def of(cls, cidrs: Iterable[Cidr] = (), asns: Iterable[int] = ()) -> "Resources":
        """These blocks and numbers."""
        ranges: dict[AddressFamily, list[Range]] = {family: [] for family in AddressFamily}
        for cidr in cidrs:
            ranges[cidr.family].append((cidr.first, cidr.last))
        return cls.of_ranges(
            asns=[(asn, asn) for asn in asns],
            ipv4=ranges[AddressFamily.IPV4],
            ipv6=ranges[AddressFamily.IPV6],
        )

    @classmethod
    def of_ranges(
        cls, *, asns: Iterable[Range] = (), ipv4: Iterable[Range] = (), ipv6: Iterable[Range] = ()
    ) -> "Resources":
        """All that is in these ranges, which may overlap and come in any order.

        Raises:
            ValueError: one begins after its end, or has numbers that there are not.
        """
        return cls(_merged(asns), _merged(ipv4), _merged(ipv6))

    @classmethod
    def parse(cls, *, asns: str = "", ipv4: str = "", ipv6: str = "") -> "Resources":
        """Read ``64496-64511,65000`` and ``192.0.2.0/24,10.0.0.0-10.0.1.255`` (RFC 6492, 3.3.2).

        Raises:
            ValueError: one is not written so.
        """
        return cls.of_ranges(
            asns=[_asn_range(text) for text in _listed(asns)],
            ipv4=[_address_range(text, AddressFamily.IPV4) for text in _listed(ipv4)],
            ipv6=[_address_range(text, AddressFamily.IPV6) for text in _listed(ipv6)],
        )

    def ranges(self, family: AddressFamily) -> tuple[Range, ...]:
        """The addresses of a family."""
        return self.ipv4_ranges if family is AddressFamily.IPV4 else self.ipv6_ranges

    def covers(self, cidr: Cidr) -> bool:
        """Every address of the block is in the set."""
        return _has(self.ranges(cidr.family), (cidr.first, cidr.last))

    def covers_asn(self, asn: int) -> bool:
        """The number is in the set."""
        return _has(self.asn_ranges, (asn, asn))

    def includes(self, other: "Resources") -> bool:
        """All that the other has is in this set."""
        return (
            all(_has(self.asn_ranges, part) for part in other.asn_ranges)
            and all(_has(self.ipv4_ranges, part) for part in other.ipv4_ranges)
            and all(_has(self.ipv6_ranges, part) for part in other.ipv6_ranges)
        )

    def cidrs(self) -> list[Cidr]:
        """The fewest blocks that make up the addresses, in order, IPv4 first."""
        return [
            cidr
            for family in AddressFamily
            for part in self.ranges(family)
            for cidr in blocks(family, part)
        ]

    def __bool__(self) -> bool:
        return bool(self.asn_ranges or self.ipv4_ranges or self.ipv6_ranges)

    def __str__(self) -> str:
        asns = (
            f"AS{first}" if first == last else f"AS{first}-{last}"
            for first, last in self.asn_ranges
        )
        return ", ".join([*map(str, self.cidrs()), *asns])


def blocks(family: AddressFamily, part: Range) -> Iterator[Cidr]:
    """The fewest blocks that make up a range, in order; at most twice an address's bits."""
    first, last = part
    while first <= last:
        aligned = (first & -first).bit_length() - 1 if first else family.bits
        bits = min(aligned, (last - first + 1).bit_length() - 1)
        yield Cidr(family, first, family.bits - bits)
        first += 1 << bits


def _merged(ranges: Iterable[Range]) -> tuple[Range, ...]:
    merged: list[Range] = []
    for first, last in sorted(ranges):
        if first > last:
            raise ValueError(f"a range from {first} to {last} has no end")
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def _check(ranges: tuple[Range, ...], largest: int) -> None:
    if ranges != _merged(ranges) or (ranges and not 0 <= ranges[0][0] <= ranges[-1][1] <= largest):
        raise ValueError(f"these are not the fewest ranges of numbers to {largest}, in order")


def _has(ranges: tuple[Range, ...], part: Range) -> bool:
    index = bisect_right(ranges, part[0], key=lambda candidate: candidate[0]) - 1
    return index >= 0 and part[1] <= ranges[index][1]


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")] if text.strip() else []


def _asn_range(text: str) -> Range:
    first, dash, last = text.partition("-")
    return (_asn(first), _asn(last if dash else first))


def _asn(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise ValueError(f"'{text}' is no AS number")
    return int(text)


def _address_range(text: str, family: AddressFamily) -> Range:
    if "/" in text:
        network = ipaddress.ip_network(text)
        bounds = network[0], network[-1]
    else:
        first, dash, last = text.partition("-")
        bounds = ipaddress.ip_address(first), ipaddress.ip_address(last if dash else first)
    if any(address.max_prefixlen != family.bits for address in bounds):
        raise ValueError(f"'{text}' is not {family.value}")
    return int(bounds[0]), int(bounds[1])
