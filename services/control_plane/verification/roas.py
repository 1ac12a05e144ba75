"""Route origin authorizations, as validators of the RPKI export them (RFC 6811).

The export is the JSON that rpki-client and Routinator write:
``{"roas": [{"asn": "AS64496", "prefix": "192.0.2.0/24", "maxLength": 24, "ta": "…"}]}``; an ASN may
be a number. When a ROA ends is told by ``expires`` of rpki-client, in seconds since 1970, or by
``source`` in Routinator's ``jsonext``; all other members are passed over.
"""

import enum
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from services.control_plane.prefix_index import Numbers, PrefixIndexBuilder
from shared.cidr import Cidr
from shared.errors import InvalidParameterValue

LARGEST_ASN = (1 << 32) - 1
_ASN = re.compile(r"(?:AS)?(\d{1,10})", re.ASCII | re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\n\r]*")
_UNKNOWN_END, _LATEST_END = 0, (1 << 32) - 1


class NoRoaExport(ValueError):
    """A text that is no export of ROAs; the message says where it goes wrong."""


class RoaValidity(enum.Enum):
    """What the RPKI says of a route (RFC 6811, section 2), with two ways to be invalid."""

    VALID = "valid"
    TOO_SPECIFIC = "too specific"
    """Invalid: the ASN may originate the space, but no routes as long as this one."""
    OTHER_ORIGIN = "other origin"
    """Invalid: only other ASNs, or none, may originate the space."""
    NOT_FOUND = "not found"


@dataclass(frozen=True, slots=True)
class Roa:
    """An ASN may originate routes to a prefix and to parts of it; ASN 0: nobody may."""

    asn: int
    prefix: Cidr
    max_length: int
    """Prefix length of the smallest such parts."""
    expires_at: datetime | None = field(default=None, compare=False)
    """When it ends, unless it is renewed; None: that is not known."""

    def __post_init__(self) -> None:
        if not 0 <= self.asn <= LARGEST_ASN:
            raise ValueError(f"{self.asn} is no ASN")
        if not self.prefix.prefix_length <= self.max_length <= self.prefix.family.bits:
            raise ValueError(f"maxLength {self.max_length} does not fit {self.prefix}")

    def authorizes(self, asn: int) -> bool:
        """The ASN may originate the prefix; ASN 0 never may (RFC 6483, section 4)."""
        return asn != 0 and asn == self.asn


class RoaTable:
    """ROAs, in 14 bytes each, or 26 of IPv6.

    A look-up costs one binary search for each value that a prefix length has.
    """

    def __init__(self, roas: Iterable[Roa]) -> None:
        builder = PrefixIndexBuilder(">IBI")
        for roa in roas:
            builder.add(roa.prefix, roa.asn, roa.max_length, _end_of(roa))
        self._index = builder.build()

    def covering(self, cidr: Cidr) -> list[Roa]:
        """The ROAs whose prefix holds the CIDR, by prefix, the widest first, ASN and length."""
        return _once_each(self._index.holding(cidr))

    def inside(self, cidr: Cidr) -> list[Roa]:
        """The ROAs of the CIDR and of parts of it, in the same order."""
        own = [found for found in self._index.holding(cidr) if found[0] == cidr]
        return _once_each([*own, *self._index.within(cidr)])

    def validity(self, cidr: Cidr, asn: int) -> RoaValidity:
        """Whether the ASN may originate a route to the CIDR."""
        return validity_by(self.covering(cidr), cidr, asn)


def validity_by(covering: Collection[Roa], cidr: Cidr, asn: int) -> RoaValidity:
    """Whether the ASN may originate a route to the CIDR, by all ROAs that cover it."""
    if not covering:
        return RoaValidity.NOT_FOUND
    authorizing = [roa for roa in covering if roa.authorizes(asn)]
    if not authorizing:
        return RoaValidity.OTHER_ORIGIN
    if any(cidr.prefix_length <= roa.max_length for roa in authorizing):
        return RoaValidity.VALID
    return RoaValidity.TOO_SPECIFIC


def longest_by(covering: Iterable[Roa]) -> int | None:
    """Prefix length of the smallest parts of a CIDR that somebody may originate (BYOIP-5).

    By all ROAs that cover it; None without one that lets anybody.
    """
    return max((roa.max_length for roa in covering if roa.asn != 0), default=None)


def _end_of(roa: Roa) -> int:
    if roa.expires_at is None:
        return _UNKNOWN_END
    return min(max(int(roa.expires_at.timestamp()), _UNKNOWN_END + 1), _LATEST_END)


def _once_each(found: Iterable[tuple[Cidr, Numbers]]) -> list[Roa]:
    """Equal ones once, as of when the last of them ends."""
    ends = {(prefix, asn, length): end for prefix, (asn, length, end) in found}
    return [
        Roa(asn, prefix, length, datetime.fromtimestamp(end, UTC) if end else None)
        for (prefix, asn, length), end in ends.items()
    ]


def read_roas(text: str) -> RoaTable:
    """The ROAs of an export.

    Raises:
        NoRoaExport: it is not of the form above.
    """
    try:
        return RoaTable(_roas(_entries(text)))
    except (ValueError, IndexError, RecursionError) as error:
        if isinstance(error, NoRoaExport):
            raise
        raise NoRoaExport(f"it is no JSON: {error}") from error


def _entries(text: str) -> Iterator[Any]:
    """The entries of the list "roas", one after the other.

    Read at once, hundreds of thousands would take memory that is not given back, and keep all other
    threads from running for a second.
    """
    decode, found = json.JSONDecoder().raw_decode, False
    at = _after(text, 0, "{", 'it has no list "roas"')
    while text[at] != "}":
        name, at = decode(text, at)
        if not isinstance(name, str):
            raise NoRoaExport(f"it is no JSON: {name!r} is no member's name")
        at = _after(text, at, ":", f"it is no JSON: no ':' follows {name!r}")
        if name == "roas":
            found = True
            at = _after(text, at, "[", '"roas" is no list')
            while text[at] != "]":
                entry, at = decode(text, at)
                yield entry
                at = _next(text, at, "]")
            at += 1
        else:
            _, at = decode(text, at)
        at = _next(text, at, "}")
    if not found:
        raise NoRoaExport('it has no list "roas"')
    if _blanks(text, at + 1) != len(text):
        raise NoRoaExport(f"something follows its end, at character {at + 1}")


def _blanks(text: str, at: int) -> int:
    """Where the blanks end that begin there, if any do."""
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _after(text: str, at: int, wanted: str, otherwise: str) -> int:
    """Where it goes on after a character and the blanks around it."""
    at = _blanks(text, at)
    if not text.startswith(wanted, at):
        raise NoRoaExport(otherwise)
    return _blanks(text, at + 1)


def _next(text: str, at: int, end: str) -> int:
    """Where the next member is, or the end."""
    at = _blanks(text, at)
    if text.startswith(end, at):
        return at
    at = _after(text, at, ",", f"it is no JSON: neither ',' nor '{end}' at character {at}")
    if text.startswith(end, at):
        raise NoRoaExport(f"it is no JSON: nothing follows ',' at character {at}")
    return at


def _roas(entries: Iterable[Any]) -> Iterator[Roa]:
    for index, entry in enumerate(entries):
        try:
            yield _roa(entry)
        except (AttributeError, KeyError, TypeError, ValueError, InvalidParameterValue) as error:
            raise NoRoaExport(f"roas[{index}] is no ROA: {error!r}") from error


def _roa(entry: Any) -> Roa:
    prefix = Cidr.parse(entry["prefix"], parameter="prefix")
    max_length = entry.get("maxLength", prefix.prefix_length)
    return Roa(_asn(entry["asn"]), prefix, max_length, _expiry(entry))


def _expiry(entry: Mapping[str, Any]) -> datetime | None:
    """When the last of its sources ends; None when that is not told, or not understood."""
    if "expires" in entry:
        return _moment(entry["expires"])
    source = entry.get("source")
    ends = [_source_end(one) for one in source] if isinstance(source, list) else []
    return max((end for end in ends if end), default=None)


def _source_end(source: Any) -> datetime | None:
    """With the certificates above it, where Routinator tells of these."""
    if not isinstance(source, Mapping):
        return None
    ends = [
        _moment(validity.get("notAfter"))
        for name in ("validity", "chainValidity")
        if isinstance(validity := source.get(name), Mapping)
    ]
    return min((end for end in ends if end), default=None)


def _moment(value: object) -> datetime | None:
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value).astimezone(UTC)
        return datetime.fromtimestamp(value, UTC) if isinstance(value, int) else None
    except (ValueError, OverflowError, OSError):
        return None


def _asn(value: object) -> int:
    found = _ASN.fullmatch(str(value))
    if found is None:
        raise ValueError(f"{value!r} is no ASN")
    return int(found[1])
