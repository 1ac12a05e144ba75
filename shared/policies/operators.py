"""How the condition operators compare one value of a request with one of a policy."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, ClassVar, Protocol, TypeAlias

from shared.policies.context import Context
from shared.policies.patterns import (
    Parts,
    Patterns,
    Test,
    Texts,
    is_fixed,
    like,
    like_arn,
    parts_of,
)

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_EPOCH = re.compile(r"\d{5,}", re.ASCII)
_DATE = re.compile(
    r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))?)?)?", re.ASCII
)
_TRUTHS = ("true", "false")
_ARN_COLONS = 5

Relation: TypeAlias = Callable[[Any, Any], bool]


class Expected(Protocol):
    """The values of a condition, of which one has to match."""

    @property
    def keys(self) -> frozenset[str]:
        """The context keys they speak of."""

    def within(self, context: Context) -> Test:
        """What tells of a value of a request with ``context`` whether one matches it."""


Reader: TypeAlias = Callable[[Sequence[str], bool], Expected]
"""From a policy's texts; the second argument says whether they may have variables.

Raises ValueError for a text of another kind.
"""


@dataclass(frozen=True, slots=True)
class Compared:
    """Numbers or moments."""

    expected: tuple[Decimal | datetime, ...]
    is_so: Relation
    read: Callable[[str], Decimal | datetime]
    keys: ClassVar[frozenset[str]] = frozenset()

    def within(self, _context: Context) -> Test:
        return self._matches

    def _matches(self, value: str) -> bool:
        try:
            found = self.read(value)
        except ValueError:
            return False
        return any(self.is_so(found, one) for one in self.expected)


@dataclass(frozen=True, slots=True)
class Networks:
    """Ranges of addresses."""

    networks: tuple[IPv4Network | IPv6Network, ...]
    keys: ClassVar[frozenset[str]] = frozenset()

    def within(self, _context: Context) -> Test:
        return self._matches

    def _matches(self, value: str) -> bool:
        try:
            address = ip_address(value)
        except ValueError:
            return False
        return any(address in network for network in self.networks)


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
    return lambda texts, _: Compared(tuple(map(read, texts)), is_so, read)


def _equal(texts: Sequence[str], has_variables: bool) -> Expected:
    return Texts.of(_without_wildcards(texts, has_variables))


def _equal_in_any_case(texts: Sequence[str], has_variables: bool) -> Expected:
    return Texts.of(_without_wildcards(texts, has_variables), ignores_case=True)


def _like(texts: Sequence[str], has_variables: bool) -> Expected:
    return Patterns.of([parts_of(text, has_variables=has_variables) for text in texts], like)


def _arn(texts: Sequence[str], has_variables: bool) -> Expected:
    arns = [parts_of(text, has_variables=has_variables) for text in texts]
    if any(is_fixed(parts) and _colons(parts) < _ARN_COLONS for parts in arns):
        raise ValueError("expected the six parts of an ARN, such as 'arn:aws:iam::*:user/*'")
    return Patterns.of(arns, like_arn)


def _colons(parts: Parts) -> int:
    return sum(part == ":" for part in parts)


def _truth(texts: Sequence[str], has_variables: bool) -> Expected:
    truths = _without_wildcards(texts, has_variables)
    for text, parts in zip(texts, truths, strict=True):
        if is_fixed(parts):
            truth_from(text)
    return Texts.of(truths, ignores_case=True)


def _without_wildcards(texts: Sequence[str], has_variables: bool) -> Sequence[Parts]:
    return [parts_of(text, has_wildcards=False, has_variables=has_variables) for text in texts]


def truth_from(text: str) -> bool:
    """Raises ValueError: neither true nor false."""
    if text.lower() not in _TRUTHS:
        raise ValueError("expected true or false")
    return text.lower() == "true"


def _networks(texts: Sequence[str], _: bool) -> Expected:
    try:
        return Networks(tuple(ip_network(text, strict=False) for text in texts))
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
    "IpAddress": Operator(_networks),
    "NotIpAddress": Operator(_networks, is_negated=True),
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
