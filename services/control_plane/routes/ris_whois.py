"""Dumps of RIPE RIS, as its whois server has them: a line for each route.

``ORIGIN<tab>PREFIX<tab>PEERS``: ``64496<tab>192.0.2.0/24<tab>312``. The origin may be a set, as
``{64496,64497}``; what begins with ``%`` is a comment. How many peers see a route is passed over.
"""

import re
import socket
import struct
from collections.abc import Iterable

from services.control_plane.routes.errors import NoRouteFeed
from services.control_plane.routes.route_table import RouteTableBuilder
from shared.cidr import AddressFamily

_ORIGIN = re.compile(rb"\d{1,10}|\{\d{1,10}(?:,\d{1,10})*\}")
_FAMILIES = {
    False: (AddressFamily.IPV4, socket.AF_INET),
    True: (AddressFamily.IPV6, socket.AF_INET6),
}
_LONGEST_SHOWN = 60


def read_ris_whois(lines: Iterable[bytes], detected_at: int, builder: RouteTableBuilder) -> int:
    """Give the builder all routes, as of ``detected_at``, in seconds since 1970: how many lines.

    Raises:
        NoRouteFeed: a line is of another form; those before are given already.
    """
    time, count, offset = struct.pack(">I", detected_at), 0, 0
    for number, line in enumerate(lines, 1):
        if not line.startswith(b"%") and not line.isspace():
            try:
                _add(line, time, builder)
            except (OSError, ValueError, IndexError, struct.error) as error:
                shown = ascii(line[:_LONGEST_SHOWN].decode(errors="replace"))
                raise NoRouteFeed(
                    f"line {number}, at byte {offset}, is no route, such as"
                    f" '64496<tab>192.0.2.0/24<tab>312': {shown} ({error})"
                ) from error
            count += 1
        offset += len(line)
    return count


def _add(line: bytes, time: bytes, builder: RouteTableBuilder) -> None:
    origin, prefix, peers = line.split()
    if not peers.isdigit():
        raise ValueError("how many peers see it is no number")
    address, slash, length = prefix.decode("ascii").partition("/")
    if not slash or not length.isdigit():
        raise ValueError("its prefix has no length")
    family, version = _FAMILIES[":" in address]
    packed, spare = socket.inet_pton(version, address), family.bits - int(length)
    if spare < 0 or int.from_bytes(packed) & ((1 << spare) - 1):
        raise ValueError("its prefix has a length that does not fit")
    for asn in _asns(origin):
        builder.add_packed(family, packed, int(length), struct.pack(">I", asn) + time)


def _asns(origin: bytes) -> Iterable[int]:
    if origin.isdigit():
        return (int(origin),)
    if not _ORIGIN.fullmatch(origin):
        raise ValueError("its origin is neither an ASN nor a set of them")
    return {int(asn) for asn in origin.strip(b"{}").split(b",")}
