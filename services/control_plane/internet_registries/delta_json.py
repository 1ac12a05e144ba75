"""Deltas as the JSON that accounts give and get.

``{"Add": [{"prefix": "192.0.2.0/24", "asns": ["64496"], "permit-more-specific-announcements":
"false"}], "Delete": [{"prefix": "198.51.100.0/24"}]}``; numbers and truth values may be strings.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from services.control_plane.internet_registries.delta import Change, Withdrawal
from services.control_plane.internet_registries.registration import RoutingPolicy, parse_asn
from shared.cidr import Cidr
from shared.errors import InvalidParameterCombination, InvalidParameterValue

MOST_REGISTRATIONS = 1000
"""That one delta may add, and as many that it may delete."""
_MOST_CHARACTERS_OF_DESCRIPTION = 255

_ADD, _DELETE = "Add", "Delete"
_PREFIX, _ASNS, _PERMIT, _MAX_LENGTH, _DESCRIPTION = (
    "prefix",
    "asns",
    "permit-more-specific-announcements",
    "max-length",
    "description",
)
_MEMBERS = (_PREFIX, _ASNS, _PERMIT, _MAX_LENGTH, _DESCRIPTION)

T = TypeVar("T", RoutingPolicy, Withdrawal)


class InvalidDelta(InvalidParameterValue):
    """A text that is no delta; says where and why."""

    def __init__(self, where: str, why: str) -> None:
        place = f" at {where}" if where else ""
        super().__init__(
            f"The value for parameter deltaJson is no delta{place}: {why}",
            parameter="deltaJson",
            where=where,
        )


def parse_change(text: str) -> Change:
    """Read a delta.

    Raises:
        InvalidDelta: it is none, changes nothing, or one CIDR twice.
        InvalidParameterCombination: parts of a CIDR are let in by length, but not permitted.
    """
    delta = _object(_json(text), "", (_ADD, _DELETE))
    change = Change(
        add=_entries(delta, _ADD, _policy), delete=_entries(delta, _DELETE, _withdrawal)
    )
    if not change.add and not change.delete:
        raise InvalidDelta("", 'it changes nothing; give a registration in "Add" or "Delete"')
    return change


def print_change(change: Change) -> str:
    """The delta in the form that AWS's documentation has."""
    lists = {
        _ADD: [_printed(one) for one in change.add],
        _DELETE: [_printed(one) for one in change.delete],
    }
    return json.dumps({name: entries for name, entries in lists.items() if entries})


def _json(text: str) -> object:
    try:
        found: object = json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_number)
    except InvalidDelta:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidDelta("", f"it is no JSON: {error}") from error
    return found


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidDelta("", f'"{_cut(twice)}" is there twice in one object')
    return found


def _no_number(word: str) -> None:
    raise InvalidDelta("", f"{word} is no JSON")


def _entries(
    delta: dict[str, Any], name: str, read: Callable[[dict[str, Any], str], T]
) -> tuple[T, ...]:
    values = _list(delta.get(name, []), name)
    if len(values) > MOST_REGISTRATIONS:
        raise InvalidDelta(
            name, f"it has {len(values)} registrations; at most {MOST_REGISTRATIONS} are allowed"
        )
    places = [f"{name}[{index}]" for index in range(len(values))]
    found = [
        _located(read, _object(value, place, _MEMBERS), place)
        for value, place in zip(values, places, strict=True)
    ]
    cidrs: dict[Cidr, str] = {}
    for one, place in zip(found, places, strict=True):
        earlier = cidrs.setdefault(one.cidr, place)
        if earlier != place:
            raise InvalidDelta(
                place, f"{one.cidr} is in {earlier} already; have each prefix there once"
            )
    return tuple(found)


def _located(read: Callable[[dict[str, Any], str], T], entry: dict[str, Any], place: str) -> T:
    try:
        return read(entry, place)
    except InvalidDelta:
        raise
    except InvalidParameterValue as error:
        raise InvalidDelta(place, error.message) from error
    except InvalidParameterCombination as error:
        raise InvalidParameterCombination(
            f"deltaJson at {place}: {error.message}", where=place, **error.metadata
        ) from error


def _policy(entry: dict[str, Any], place: str) -> RoutingPolicy:
    if _ASNS not in entry:
        raise InvalidDelta(place, f'it has no "{_ASNS}"; name at least one ASN, or 0 for nobody')
    return RoutingPolicy.of(
        _prefix(entry, place),
        _asns(entry, place),
        permits_more_specific=_truth(entry, place) or False,
        max_length=_length(entry, place),
        description=_description(entry, place),
    )


def _withdrawal(entry: dict[str, Any], place: str) -> Withdrawal:
    return Withdrawal(
        cidr=_prefix(entry, place),
        asns=tuple(sorted(_asns(entry, place))) if _ASNS in entry else None,
        permits_more_specific=_truth(entry, place),
        max_length=_length(entry, place),
        description=_description(entry, place),
    )


def _prefix(entry: dict[str, Any], place: str) -> Cidr:
    if _PREFIX not in entry:
        raise InvalidDelta(place, f'it has no "{_PREFIX}"')
    return Cidr.parse(_text(entry[_PREFIX], f"{place}.{_PREFIX}"), parameter=_PREFIX)


def _asns(entry: dict[str, Any], place: str) -> list[int]:
    where = f"{place}.{_ASNS}"
    return [
        parse_asn(_digits(value, f"{where}[{index}]"))
        for index, value in enumerate(_list(entry[_ASNS], where))
    ]


def _truth(entry: dict[str, Any], place: str) -> bool | None:
    value = entry.get(_PERMIT)
    if value is None and _PERMIT not in entry:
        return None
    for truth in (True, False):
        if value is truth or value == str(truth).lower():
            return truth
    raise InvalidDelta(f"{place}.{_PERMIT}", f"{_shown(value)} is neither true nor false")


def _length(entry: dict[str, Any], place: str) -> int | None:
    if _MAX_LENGTH not in entry:
        return None
    digits = _digits(entry[_MAX_LENGTH], f"{place}.{_MAX_LENGTH}")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 3):
        raise InvalidDelta(f"{place}.{_MAX_LENGTH}", f"{_shown(digits)} is no prefix length")
    return int(digits)


def _description(entry: dict[str, Any], place: str) -> str | None:
    if _DESCRIPTION not in entry:
        return None
    where = f"{place}.{_DESCRIPTION}"
    text = _text(entry[_DESCRIPTION], where)
    if len(text) > _MOST_CHARACTERS_OF_DESCRIPTION:
        raise InvalidDelta(
            where,
            f"it has {len(text)} characters; at most {_MOST_CHARACTERS_OF_DESCRIPTION} are allowed",
        )
    if not text.isprintable():
        raise InvalidDelta(where, "it contains characters that can't be printed")
    return text or None


def _object(value: object, place: str, members: Sequence[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidDelta(place, f"{_shown(value)} is no object")
    for name in value:
        if name not in members:
            raise InvalidDelta(
                place, f'"{_cut(name)}" is not known; use {", ".join(map(_quoted, members))}'
            )
    return value


def _list(value: object, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidDelta(place, f"{_shown(value)} is no list")
    return value


def _text(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise InvalidDelta(place, f"{_shown(value)} is no string")
    return value


def _digits(value: object, place: str) -> str:
    """A whole number, written as one or as a string."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise InvalidDelta(place, f"{_shown(value)} is no whole number")
    return str(value)


def _printed(one: RoutingPolicy | Withdrawal) -> dict[str, object]:
    members: dict[str, object] = {_PREFIX: str(one.cidr)}
    if one.asns is not None:
        members[_ASNS] = [str(asn) for asn in one.asns]
    if one.permits_more_specific is not None:
        members[_PERMIT] = str(one.permits_more_specific).lower()
    if one.max_length is not None:
        members[_MAX_LENGTH] = str(one.max_length)
    if one.description is not None:
        members[_DESCRIPTION] = one.description
    return members


def _quoted(name: str) -> str:
    return f'"{name}"'


def _shown(value: object) -> str:
    return _cut(json.dumps(value))


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"
