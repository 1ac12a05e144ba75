"""Reading members of AWS's answers, as boto3 gives them.

Each of these raises `MalformedAnswer` when there is no such member, or no such value in it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.cidr import Cidr
from shared.errors import InvalidParameterValue

Item = Mapping[str, Any]
"""One resource, with boto3's names and types."""

_QUOTED_CHARACTERS = 60


class MalformedAnswer(Exception):
    """AWS's answer tells what can't be; the message says of what."""


def tags_of(item: Item, member: str, resource_id: str) -> dict[str, str]:
    """Its tags by key."""
    return {text_of(tag, "Key", resource_id): tag.get("Value", "") for tag in list_of(item, member)}


def list_of(item: Item, member: str) -> Sequence[Any]:
    """What it lists; nothing if the member is missing."""
    listed: Sequence[Any] = item.get(member, ())
    return listed


def text_of(item: Item, member: str, of: str) -> str:
    """A member that it must have; ``of`` names the resource in what is raised."""
    value = item.get(member)
    if not value or not isinstance(value, str):
        raise MalformedAnswer(f"{quoted(of)} comes without {member}")
    return value


def count_of(item: Item, member: str, of: str) -> int:
    """A number of things that it must have."""
    value = item.get(member)
    if not isinstance(value, int) or value < 0:
        raise MalformedAnswer(f"{quoted(of)} has {quoted(value)} for {member}")
    return value


def cidr_of(item: Item, member: str, of: str) -> Cidr:
    """A CIDR that it must have, in canonical form."""
    text = text_of(item, member, of)
    try:
        return Cidr.parse(text)
    except InvalidParameterValue:
        raise MalformedAnswer(f"{quoted(of)} has {quoted(text)}, which is no CIDR") from None


def public_ipv4_of(item: Item, member: str, of: str) -> Cidr:
    """An IPv4 address that it must have, as a block of one."""
    text = text_of(item, member, of)
    if ":" in text:
        raise MalformedAnswer(f"{quoted(of)} has {quoted(text)}, which is no IPv4 address")
    return address_in(text, of)


def address_in(text: str, of: str) -> Cidr:
    """An address of either family, as a block of one."""
    try:
        return Cidr.parse(f"{text}/{128 if ':' in text else 32}")
    except InvalidParameterValue:
        raise MalformedAnswer(f"{quoted(of)} has {quoted(text)}, which is no address") from None


def quoted(value: object) -> str:
    """Enough to find it by; what is no answer of AWS's may be anything, and long."""
    return repr(str(value)[:_QUOTED_CHARACTERS])
