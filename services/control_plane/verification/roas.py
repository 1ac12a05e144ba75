"""Route origin authorizations, as validators of the RPKI export them (RFC 6811).

The export is the JSON that rpki-client and Routinator write:
``{"roas": [{"asn": "AS64496", "prefix": "192.0.2.0/24", "maxLength": 24, "ta": "…"}]}``; an ASN may
be a number, and all other members are passed over.
"""

import enum
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from shared.cidr import Cidr
from shared.errors import InvalidParameterValue

LARGEST_ASN = (1 << 32) - 1
_ASN = re.compile(r"(?:AS)?(\d{1,10})", re.ASCII | re.IGNORECASE)


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

    def __post_init__(self) -> None:
        if not 0 <= self.asn <= LARGEST_ASN:
            raise ValueError(f"{self.asn} is no ASN")
        if not self.prefix.prefix_length <= self.max_length <= self.prefix.family.bits:
            raise ValueError(f"maxLength {self.max_length} does not fit {self.prefix}")

    def authorizes(self, asn: int) -> bool:
        """The ASN may originate the prefix; ASN 0 never may (RFC 6483, section 4)."""
        return asn != 0 and asn == self.asn


class RoaTable:
    """ROAs; a look-up costs as many steps as a prefix length has values, however many there are."""

    def __init__(self, roas: Iterable[Roa]) -> None:
        self._by_prefix: dict[Cidr, list[Roa]] = defaultdict(list)
        for roa in roas:
            self._by_prefix[roa.prefix].append(roa)

    def covering(self, cidr: Cidr) -> list[Roa]:
        """The ROAs whose prefix holds the CIDR, the widest first."""
        supernets = (cidr.supernet(length) for length in range(cidr.prefix_length + 1))
        return [roa for supernet in supernets for roa in self._by_prefix.get(supernet, ())]

    def validity(self, cidr: Cidr, asn: int) -> RoaValidity:
        """Whether the ASN may originate a route to the CIDR."""
        covering = self.covering(cidr)
        if not covering:
            return RoaValidity.NOT_FOUND
        authorizing = [roa for roa in covering if roa.authorizes(asn)]
        if not authorizing:
            return RoaValidity.OTHER_ORIGIN
        if any(cidr.prefix_length <= roa.max_length for roa in authorizing):
            return RoaValidity.VALID
        return RoaValidity.TOO_SPECIFIC

    def max_length(self, cidr: Cidr) -> int | None:
        """Prefix length of the smallest parts of the CIDR that somebody may originate (BYOIP-5).

        None without a ROA that lets anybody originate it.
        """
        return max((roa.max_length for roa in self.covering(cidr) if roa.asn != 0), default=None)


def read_roas(text: str) -> RoaTable:
    """The ROAs of an export.

    Raises:
        NoRoaExport: it is not of the form above.
    """
    try:
        export = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NoRoaExport(f"it is no JSON: {error}") from error
    if not isinstance(export, dict) or not isinstance(export.get("roas"), list):
        raise NoRoaExport('it has no list "roas"')
    return RoaTable(_roas(export["roas"]))


def _roas(entries: list[Any]) -> Iterator[Roa]:
    for index, entry in enumerate(entries):
        try:
            yield _roa(entry)
        except (AttributeError, KeyError, TypeError, ValueError, InvalidParameterValue) as error:
            raise NoRoaExport(f"roas[{index}] is no ROA: {error!r}") from error


def _roa(entry: Any) -> Roa:
    prefix = Cidr.parse(entry["prefix"], parameter="prefix")
    return Roa(_asn(entry["asn"]), prefix, entry.get("maxLength", prefix.prefix_length))


def _asn(value: object) -> int:
    found = _ASN.fullmatch(str(value))
    if found is None:
        raise ValueError(f"{value!r} is no ASN")
    return int(found[1])
