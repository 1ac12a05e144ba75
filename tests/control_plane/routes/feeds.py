"""Writes what routers and collectors write, by RFC 6396 and RFC 8050 alone."""

import ipaddress
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.cidr import AddressFamily, Cidr

IGP, SEQUENCE, SET, CONFED_SEQUENCE, CONFED_SET = 0, 2, 1, 3, 4

Segment = tuple[int, Sequence[int]]


@dataclass(frozen=True)
class Told:
    """What one peer tells of a prefix."""

    path: Sequence[Segment]
    since: int = 1_700_000_000
    peer: int = 0
    path_id: int = 7


def record(subtype: int, body: bytes, kind: int = 13, at: int = 1_800_000_000) -> bytes:
    return struct.pack(">IHHI", at, kind, subtype, len(body)) + body


def peer_index_table(count: int = 4, view: bytes = b"view") -> bytes:
    """Peers of both families, with ASNs of both sizes."""
    body = b"\x0a\x00\x00\x01" + struct.pack(">H", len(view)) + view + struct.pack(">H", count)
    for number in range(count):
        is_ipv6, has_long_asn = number % 2, number // 2 % 2
        body += bytes([is_ipv6 | has_long_asn << 1]) + struct.pack(">I", number)
        body += b"\x20" * (16 if is_ipv6 else 4)
        body += struct.pack(">I" if has_long_asn else ">H", 64500 + number)
    return record(1, body)


def as_path(segments: Iterable[Segment]) -> bytes:
    return b"".join(
        struct.pack(">BB", kind, len(asns)) + b"".join(struct.pack(">I", asn) for asn in asns)
        for kind, asns in segments
    )


def attribute(kind: int, value: bytes, *, extended: bool = False) -> bytes:
    if extended or len(value) > 255:
        return struct.pack(">BBH", 0x50, kind, len(value)) + value
    return struct.pack(">BBB", 0x40, kind, len(value)) + value


def attributes(told: Told) -> bytes:
    return (
        attribute(1, bytes([IGP]))
        + attribute(2, as_path(told.path), extended=told.since % 2 == 0)
        + attribute(3, b"\x0a\x00\x00\x02")
    )


def rib(
    prefix: Cidr, told: Sequence[Told], *, add_path: bool = False, spare_bits: int = 0
) -> bytes:
    """What the peers tell; ``spare_bits`` are set behind the prefix, where they mean nothing."""
    is_ipv4 = prefix.family is AddressFamily.IPV4
    subtype = {(True, False): 2, (False, False): 4, (True, True): 8, (False, True): 10}
    length = prefix.prefix_length
    size = -(-length // 8)
    address = prefix.first.to_bytes(prefix.family.bits // 8)[:size]
    if size:
        address = address[:-1] + bytes([address[-1] | (spare_bits & (1 << (-length % 8)) - 1)])
    body = struct.pack(">IB", 1, length) + address + struct.pack(">H", len(told))
    for one in told:
        content = attributes(one)
        body += struct.pack(">HI", one.peer, one.since)
        body += struct.pack(">I", one.path_id) if add_path else b""
        body += struct.pack(">H", len(content)) + content
    return record(subtype[is_ipv4, add_path], body)


def ris_line(origins: Sequence[int], prefix: Cidr, peers: int = 312) -> bytes:
    origin = str(origins[0]) if len(origins) == 1 else "{" + ",".join(map(str, origins)) + "}"
    return f"{origin}\t{ipaddress.ip_network(str(prefix))}\t{peers}\n".encode()
