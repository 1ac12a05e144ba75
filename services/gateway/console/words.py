"""Values as pages show them."""

from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from shared.rpc.enums import aws_enum_name

NOTHING = "\N{EN DASH}"
"""Where there is no value."""

_GOOD = frozenset(
    {
        "active",
        "advertised",
        "associate-complete",
        "associated",
        "available",
        "compliant",
        "complete",
        "create-complete",
        "enabled",
        "modify-complete",
        "nonoverlapping",
        "managed",
        "provisioned",
        "restore-complete",
        "success",
        "succeeded",
    }
)
_BAD = frozenset(
    {"access-denied", "noncompliant", "overlapping", "fail", "failure", "expired", "rejected"}
)
_QUIET = frozenset(
    {"ignored", "unmanaged", "inactive", "deprovisioned", "disassociated", "withdrawn"}
)


_NAMES: Mapping[str, str] = {
    "asn": "ASN",
    "asns": "ASNs",
    "byoip": "BYOIP",
    "cidr": "CIDR",
    "cidrs": "CIDRs",
    "ec2": "EC2",
    "eip": "EIP",
    "eni": "ENI",
    "ip": "IP",
    "ipam": "IPAM",
    "ipams": "IPAMs",
    "ipv4": "IPv4",
    "ipv6": "IPv6",
    "ou": "OU",
    "vpc": "VPC",
    "vpcs": "VPCs",
}
"""How names and abbreviations are written."""


def word_of(message: Message, field: str) -> str:
    """AWS's word for the value of an enum field; empty: there is none."""
    if not message.HasField(field):
        return ""
    enum: Any = message.DESCRIPTOR.fields_by_name[field].enum_type
    number = getattr(message, field)
    return aws_enum_name(enum, number) if number else ""


def tone_of(word: str) -> str:
    """What a state means to whoever looks: ``good``, ``bad``, ``busy``, ``quiet`` or ``plain``."""
    lower = word.lower().replace("_", "-")
    if is_busy(lower):
        return "busy"
    if lower in _BAD or lower.startswith("failed") or lower.endswith("-failed"):
        return "bad"
    if lower in _GOOD:
        return "good"
    return "quiet" if lower in _QUIET else "plain"


def is_busy(word: str) -> bool:
    """A state that becomes another one by itself."""
    lower = word.lower().replace("_", "-")
    return lower.endswith("-in-progress") or lower.startswith("pending")


def sentence_of(word: str) -> str:
    """``create-in-progress`` as text, "Create in progress"; ``ipam-pool`` as "IPAM pool"."""
    words = [_NAMES.get(one, one) for one in word.replace("_", "-").lower().split("-")]
    text = " ".join(words)
    return text if words[0] in _NAMES.values() else text[:1].upper() + text[1:]


def time_of(message: Message, field: str) -> str:
    """A time in UTC, to the second, as ISO has it; empty: there is none."""
    if not message.HasField(field):
        return ""
    moment: Timestamp = getattr(message, field)
    return moment.ToDatetime(tzinfo=UTC).strftime("%Y-%m-%d %H:%M:%S")


def tags_of(tags: Iterable[Any]) -> Mapping[str, str]:
    """Tags of a record, by key."""
    return {tag.key: tag.value for tag in tags}


def name_of(tags: Iterable[Any]) -> str:
    """What the Name tag says; empty: there is none."""
    return tags_of(tags).get("Name", "")


def count_of(number: int) -> str:
    """A count with its thousands apart; a large power of two as such."""
    if number > 10**12 and number & (number - 1) == 0:
        return f"2^{number.bit_length() - 1}"
    return f"{number:,}" if number < 10**15 else f"{number:.3g}"


def share_of(part: int, whole: int) -> float:
    """A part in percent of a whole, which may be nothing."""
    return 100 * part / whole if whole else 0.0


def percent_of(share: float) -> str:
    """``12.3%``; what isn't quite all or nothing isn't shown as that."""
    if 0 < share < 0.1:
        return "<0.1%"
    if 99.9 < share < 100:
        return ">99.9%"
    return f"{share:.1f}".rstrip("0").rstrip(".") + "%"
