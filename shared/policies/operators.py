"""How the condition operators compare one value of a request with one of a policy."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Protocol, TypeAlias

from shared.policies.context import Context
from shared.policies.patterns import Parts, Pattern, Text, is_fixed, like, like_arn, parts_of

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_EPOCH = re.compile(r"\d{5,}", re.ASCII)
_DATE = re.compile(
    r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))?)?)?", re.ASCII
)
_TRUTHS = ("true", "false")
_ARN_COLONS = 5

Relation: TypeAlias = Callable[[Any, Any], bool]


class Expected(Protocol):
    """A value in a policy."""

    def matches(self, value: str, context: Context) -> bool:
        """Whether ``value``, of a request, is what the policy speaks of."""


Reader: TypeAlias = Callable[[str, bool], Expected]
"""From a policy's text; the second argument says whether it may have variables.

Raises ValueError for a text of another kind.
"""


@dataclass(frozen=True, slots=True)
class Compared:
    """A number or a moment."""

    expected: Decimal | datetime
    is_so: Relation
    read: Callable[[str], Decimal | datetime]

    def matches(self, value: str, _context: Context) -> bool:
        try:
            return self.is_so(self.read(value), self.expected)
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Network:
    """A range of addresses."""

    network: IPv4Network | IPv6Network

    def matches(self, value: str, _context: Context) -> bool:
        try:
            return ip_address(value) in self.network
        except ValueError:
            return False


def number_from(text: str) -> Decimal:
    """Raises ValueError: not a number."""
    if not _NUMBER.fullmatch(text):
        raise ValueError("expected a number such as '10' or '0.5'")
    return Decimal(text)


def moment_from(text: str) -> datetime:
    """Raises ValueError: neither ISO 8601 in one of W3C's forms nor seconds since 1970."""
    try:
        if _EPOCH.fullmatch(text):
            return datetime.fromtimestamp(0, UTC) + timedelta(seconds=int(text))
        if _DATE.fullmatch(text):
            whole = text + "0001-01-01"[len(text) :] if len(text) < len("0001-01-01") else text
            moment = datetime.fromisoformat(whole)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("expected a time such as '2026-01-31T00:00:00Z', or seconds since 1970")


def _comparing(read: Callable[[str], Any], is_so: Relation) -> Reader:
    return lambda text, _: Compared(read(text), is_so, read)


def _equal(text: str, has_variables: bool) -> Expected:
    return Text.of(parts_of(text, has_wildcards=False, has_variables=has_variables))


def _equal_in_any_case(text: str, has_variables: bool) -> Expected:
    parts = parts_of(text, has_wildcards=False, has_variables=has_variables)
    return Text.of(parts, ignores_case=True)


def _like(text: str, has_variables: bool) -> Expected:
    return Pattern.of(parts_of(text, has_variables=has_variables), like)


def _arn(text: str, has_variables: bool) -> Expected:
    parts = parts_of(text, has_variables=has_variables)
    if is_fixed(parts) and _colons(parts) < _ARN_COLONS:
        raise ValueError("expected the six parts of an ARN, such as 'arn:aws:iam::*:user/*'")
    return Pattern.of(parts, like_arn)


def _colons(parts: Parts) -> int:
    return sum(part == ":" for part in parts)


def _truth(text: str, has_variables: bool) -> Expected:
    parts = parts_of(text, has_wildcards=False, has_variables=has_variables)
    if is_fixed(parts):
        truth_from(text)
    return Text.of(parts, ignores_case=True)


def truth_from(text: str) -> bool:
    """Raises ValueError: neither true nor false."""
    if text.lower() not in _TRUTHS:
        raise ValueError("expected true or false")
    return text.lower() == "true"


def _network(text: str, _: bool) -> Expected:
    try:
        return Network(ip_network(text, strict=False))
    except ValueError as error:
        raise ValueError("expected an address or a CIDR such as '203.0.113.0/24'") from error


@dataclass(frozen=True, slots=True)
class Operator:
    """A comparison. A negated one holds when no value of the policy matches."""

    read: Reader
    is_negated: bool = False


_RELATIONS: Mapping[str, Relation] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}

OPERATORS: Mapping[str, Operator] = {
    "StringEquals": Operator(_equal),
    "StringNotEquals": Operator(_equal, is_negated=True),
    "StringEqualsIgnoreCase": Operator(_equal_in_any_case),
    "StringNotEqualsIgnoreCase": Operator(_equal_in_any_case, is_negated=True),
    "StringLike": Operator(_like),
    "StringNotLike": Operator(_like, is_negated=True),
    "Bool": Operator(_truth),
    "IpAddress": Operator(_network),
    "NotIpAddress": Operator(_network, is_negated=True),
    # AWS has two names for one comparison.
    "ArnEquals": Operator(_arn),
    "ArnNotEquals": Operator(_arn, is_negated=True),
    "ArnLike": Operator(_arn),
    "ArnNotLike": Operator(_arn, is_negated=True),
    "NumericNotEquals": Operator(_comparing(number_from, operator.eq), is_negated=True),
    "DateNotEquals": Operator(_comparing(moment_from, operator.eq), is_negated=True),
    **{f"Numeric{name}": Operator(_comparing(number_from, by)) for name, by in _RELATIONS.items()},
    **{f"Date{name}": Operator(_comparing(moment_from, by)) for name, by in _RELATIONS.items()},
}
"""By AWS's names, without what may stand before and after them."""
