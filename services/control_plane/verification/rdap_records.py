"""What RDAP records of networks and autonomous systems say (RFC 9083), however badly written."""

import binascii
import ipaddress
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, TypeAlias

from shared.cidr import AddressFamily, Cidr
from shared.errors import InvalidParameterValue

Record: TypeAlias = Mapping[str, Any]

MOST_CERTIFICATES = 10
"""More are not looked at: checking them all would take the time of others."""

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
# Registries break lines, put blanks in place of line breaks, or write these as two characters.
_GAP = re.compile(r"\s|\\[rn]")
_PREFIX_MEMBERS = {AddressFamily.IPV4: "v4prefix", AddressFamily.IPV6: "v6prefix"}


def covers_range(record: Record, cidr: Cidr) -> bool:
    """Every address of the CIDR is the record's, by its first and last address or its prefixes."""
    not_covered = cidr.first
    for first, last in sorted(address_ranges(record, cidr.family)):
        if first <= not_covered <= last:
            not_covered = last + 1
    return not_covered > cidr.last


def covers_asn(record: Record, asn: int) -> bool:
    """The ASN is the record's."""
    first, last = record.get("startAutnum"), record.get("endAutnum")
    return isinstance(first, int) and isinstance(last, int) and first <= asn <= last


def certificates(record: Record) -> list[bytes]:
    """The first PEM certificates in the record's own remarks, decoded; each once, in their order.

    What begins as one and is not whole, or no base64, is an empty one. Remarks about organizations
    and contacts named in the record don't count: these may be others' than the range's.
    """
    texts = ["\n".join(_description(remark)) for remark in _objects(record, "remarks")]
    begun = (begun.partition(_END) for text in texts for begun in text.split(_BEGIN)[1:])
    some = islice(begun, MOST_CERTIFICATES)
    return list(dict.fromkeys(_decoded(body) if end else b"" for body, end, _ in some))


def networks(entity: Record) -> Iterator[Record]:
    """The networks that the record of an entity names as its (RFC 9083, section 5.1)."""
    return _objects(entity, "networks")


def _decoded(body: str) -> bytes:
    try:
        return binascii.a2b_base64(_GAP.sub("", body), strict_mode=True)
    except ValueError:
        return b""


def address_ranges(record: Record, family: AddressFamily) -> Iterator[tuple[int, int]]:
    """First and last addresses in one family, by RFC 9083 and by its extension ``cidr0``."""
    first, last = _address(record, "startAddress", family), _address(record, "endAddress", family)
    if first is not None and last is not None:
        yield first, last
    for entry in _objects(record, "cidr0_cidrs"):
        with suppress(InvalidParameterValue):
            prefix = Cidr.parse(f"{entry.get(_PREFIX_MEMBERS[family])}/{entry.get('length')}")
            yield prefix.first, prefix.last


def _address(record: Record, member: str, family: AddressFamily) -> int | None:
    value = record.get(member)
    # A number would be taken for an address, too.
    if not isinstance(value, str):
        return None
    with suppress(ValueError):
        address = ipaddress.ip_address(value)
        if address.max_prefixlen == family.bits:
            return int(address)
    return None


def _objects(record: Record, member: str) -> Iterator[Record]:
    value = record.get(member)
    parts = value if isinstance(value, list) else []
    return (part for part in parts if isinstance(part, Mapping))


def _description(remark: Record) -> Iterator[str]:
    value = remark.get("description")
    lines = value if isinstance(value, list) else [value]
    return (line for line in lines if isinstance(line, str))
