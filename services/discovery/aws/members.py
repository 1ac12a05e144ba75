"""Reading members of AWS's answers, as boto3 gives them.

Each of these raises `MalformedAnswer` when there is no such member, or no such value in it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from shared.cidr import Cidr
from shared.errors import InvalidParameterValue

Item = Mapping[str, Any]
"""One resource, with boto3's names and types."""

ID_LENGTH = 255
WORD_LENGTH = 64
TEXT_LENGTH = 1024
TAG_KEY_LENGTH, TAG_VALUE_LENGTH = 128, 256

_QUOTED_CHARACTERS = 60
# XML has none of them, and neither databases nor other services take all of them.
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class MalformedAnswer(Exception):
    """AWS's answer tells what can't be; the message says of what."""


def tags_of(item: Item, member: str, resource_id: str) -> dict[str, str]:
    """Its tags by key."""
    return {
        text_of(tag, "Key", resource_id, TAG_KEY_LENGTH): word_of(
            tag, "Value", resource_id, TAG_VALUE_LENGTH
        )
        for tag in list_of(item, member)
    }


def list_of(item: Item, member: str) -> Sequence[Item]:
    """What it lists; nothing if the member is missing."""
    return items_of(item.get(member, ()), member)


def items_of(listed: object, member: str) -> Sequence[Item]:
    """``listed`` itself, which is a member of an answer."""
    if not isinstance(listed, list | tuple) or not all(isinstance(one, Mapping) for one in listed):
        raise MalformedAnswer(f"{member} is {quoted(listed)}, which is no list of things")
    return listed


def texts_of(item: Item, member: str, of: str) -> Sequence[str]:
    """The texts that it lists; nothing if the member is missing."""
    listed = item.get(member, ())
    if not isinstance(listed, list | tuple) or not all(isinstance(one, str) for one in listed):
        raise MalformedAnswer(f"{quoted(of)} has {quoted(listed)} for {member}")
    return listed


def part_of(item: Item, member: str, of: str) -> Item:
    """What it has of its own; nothing if the member is missing."""
    value = item.get(member, {})
    if not isinstance(value, Mapping):
        raise MalformedAnswer(f"{quoted(of)} has {quoted(value)} for {member}")
    return value


def text_of(item: Item, member: str, of: str, longest: int = ID_LENGTH) -> str:
    """A member that it must have; ``of`` names the resource in what is raised."""
    value = word_of(item, member, of, longest)
    if not value:
        raise MalformedAnswer(f"{quoted(of)} comes without {member}")
    return value


def word_of(item: Item, member: str, of: str, longest: int = ID_LENGTH) -> str:
    """A member that it may have; empty if it is missing."""
    value = item.get(member) or ""
    if not isinstance(value, str) or _CONTROL_CHARACTERS.search(value):
        raise MalformedAnswer(f"{quoted(of)} has {quoted(value)} for {member}")
    if len(value) > longest:
        raise MalformedAnswer(
            f"{quoted(of)} has {quoted(value)}... for {member}, which is longer than {longest}"
            " characters"
        )
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
