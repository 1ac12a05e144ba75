"""Dumps of routing tables in MRT: TABLE_DUMP_V2 (RFC 6396), also with ADD-PATH (RFC 8050).

A router or a route collector writes such: first a table of its peers, then for each prefix what
every peer tells of it. Of that only who originates the prefix, and since when, is read here.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple, Protocol

from services.control_plane.routes.errors import NoRouteFeed
from services.control_plane.routes.route_table import RouteTableBuilder
from shared.cidr import AddressFamily

HEADER_BYTES = 12
TABLE_DUMP_V2 = 13
_PEER_INDEX_TABLE = 1

_LARGEST_RECORD = 16 << 20
"""What a thousand peers may tell of a prefix is less; a length beyond that is no length."""

_HEADER = struct.Struct(">IHHI")
_ENTRY = struct.Struct(">HIH")
_ENTRY_WITH_PATH_ID = struct.Struct(">HI4xH")
_AS_PATH = 2
_EXTENDED_LENGTH = 0x10
_AS_SET, _AS_SEQUENCE = 1, 2
_CONFEDERATION = (3, 4)
_ASN_BYTES = 4

_MOST_REMEMBERED = 1 << 16
"""Attributes whose origin is remembered: a peer tells the same of many prefixes in a row."""


class _Rib(NamedTuple):
    """What the entries of a subtype are like."""

    family: AddressFamily
    entry: struct.Struct


_RIBS = {
    2: _Rib(AddressFamily.IPV4, _ENTRY),
    4: _Rib(AddressFamily.IPV6, _ENTRY),
    8: _Rib(AddressFamily.IPV4, _ENTRY_WITH_PATH_ID),
    10: _Rib(AddressFamily.IPV6, _ENTRY_WITH_PATH_ID),
}
"""Unicast alone; multicast, other families (RIB_GENERIC) and GEO_PEER_TABLE are passed over."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def is_mrt(start: bytes) -> bool:
    """Whether a file that starts so may be a table dump; no text has such bytes."""
    return len(start) >= HEADER_BYTES and b"\0" in start[4:HEADER_BYTES]


def read_mrt(file: Readable, builder: RouteTableBuilder) -> int:
    """Give the builder the origins of all prefixes, as of when they are the peers': how many.

    Raises:
        NoRouteFeed: a record is of another form; those before are given already.
    """
    reader, offset = _TableDump(builder), 0
    while header := file.read(HEADER_BYTES):
        try:
            offset += reader.take(header, file.read)
        except (struct.error, IndexError, ValueError) as error:
            raise NoRouteFeed(
                f"the record at byte {offset} is no TABLE_DUMP_V2 record of MRT (RFC 6396): {error}"
            ) from error
    return reader.count


class _TableDump:
    """The records of one file, one after the other."""

    def __init__(self, builder: RouteTableBuilder) -> None:
        self._builder = builder
        self._peer_count: int | None = None
        self._origins: dict[bytes, tuple[bytes, ...]] = {}
        self.count = 0
        """Routes so far."""

    def take(self, header: bytes, read: Callable[[int], bytes]) -> int:
        """Read the record with this header: how many bytes it has in all."""
        written_at, kind, subtype, length = _HEADER.unpack(header)
        if kind != TABLE_DUMP_V2:
            raise ValueError(f"its type is {kind}, not {TABLE_DUMP_V2}")
        if length > _LARGEST_RECORD:
            raise ValueError(f"its length is {length}")
        body = read(length)
        if len(body) < length:
            raise ValueError(f"it ends after {len(body)} of {length} bytes")
        if subtype == _PEER_INDEX_TABLE:
            self._peer_count = _peer_count(body)
        elif rib := _RIBS.get(subtype):
            self._take_rib(rib, body, written_at)
        return HEADER_BYTES + int(length)

    def _take_rib(self, rib: _Rib, body: bytes, written_at: int) -> None:
        if self._peer_count is None:
            raise ValueError("no table of peers comes before it")
        length = body[4]
        end = 5 + (length + 7) // 8
        address = _address(body[5:end], length, rib.family)
        (entries,) = struct.unpack_from(">H", body, end)
        since = self._origins_since(rib.entry, body, end + 2, entries, written_at)
        for asn, seconds in since.items():
            self._builder.add_packed(rib.family, address, length, asn + struct.pack(">I", seconds))
        self.count += len(since)

    def _origins_since(
        self, form: struct.Struct, body: bytes, at: int, entries: int, written_at: int
    ) -> dict[bytes, int]:
        """By ASN, since when the first of the peers tells of it."""
        since: dict[bytes, int] = {}
        known, peer_count = self._origins, self._peer_count or 0
        for _ in range(entries):
            peer, seconds, length = form.unpack_from(body, at)
            at += form.size
            attributes = body[at : at + length]
            at += length
            if at > len(body) or peer >= peer_count:
                raise ValueError(f"it tells of peer {peer} of {peer_count}, up to byte {at}")
            origins = known.get(attributes)
            if origins is None:
                origins = self._remember(attributes)
            seconds = seconds or written_at
            for asn in origins:
                if since.get(asn, seconds) >= seconds:
                    since[asn] = seconds
        if at != len(body):
            raise ValueError(f"{len(body) - at} bytes are left at its end")
        return since

    def _remember(self, attributes: bytes) -> tuple[bytes, ...]:
        if len(self._origins) >= _MOST_REMEMBERED:
            self._origins.clear()
        origins = self._origins[attributes] = _origins(_as_path(attributes))
        return origins


def _peer_count(body: bytes) -> int:
    """How many peers the table has (RFC 6396, section 4.3.1)."""
    (name_bytes,) = struct.unpack_from(">H", body, 4)
    (count,) = struct.unpack_from(">H", body, 6 + name_bytes)
    return int(count)


def _address(prefix: bytes, length: int, family: AddressFamily) -> bytes:
    """The address of a prefix, whose last byte may have bits that mean nothing."""
    spare = family.bits - length
    if spare < 0:
        raise ValueError(f"its prefix has the length {length}")
    value = int.from_bytes(prefix.ljust(family.bits // 8, b"\0"))
    return (value >> spare << spare).to_bytes(family.bits // 8)


def _as_path(attributes: bytes) -> bytes:
    """The value of AS_PATH (RFC 4271, section 4.3); empty when there is none."""
    at = 0
    while at < len(attributes):
        flags, kind = attributes[at], attributes[at + 1]
        if flags & _EXTENDED_LENGTH:
            (length,) = struct.unpack_from(">H", attributes, at + 2)
            at += 4
        else:
            length = attributes[at + 2]
            at += 3
        if at + length > len(attributes):
            raise ValueError(f"its attribute {kind} has {length} bytes, more than there are")
        if kind == _AS_PATH:
            return attributes[at : at + length]
        at += length
    return b""


def _origins(path: bytes) -> tuple[bytes, ...]:
    """Who originates a route with this path: the last of it, or all of a set that it ends with.

    Nobody by an empty path: it is the router's own. Confederations are no part of it (RFC 5065).
    """
    last, at = (_AS_SEQUENCE, b""), 0
    while at < len(path):
        kind, count = path[at], path[at + 1]
        at += 2
        asns = path[at : at + count * _ASN_BYTES]
        at += count * _ASN_BYTES
        if at > len(path) or kind not in (_AS_SET, _AS_SEQUENCE, *_CONFEDERATION):
            raise ValueError(f"its AS_PATH has a segment of type {kind} with {count} ASNs")
        if kind not in _CONFEDERATION and asns:
            last = kind, asns
    kind, asns = last
    found = (asns[start : start + _ASN_BYTES] for start in range(0, len(asns), _ASN_BYTES))
    return tuple(sorted(set(found))) if kind == _AS_SET else (asns[-_ASN_BYTES:],) if asns else ()
