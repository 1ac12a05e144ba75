"""Policy documents: from JSON to a `Policy`, or a refusal that says where and why not."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeAlias, TypeVar

from shared.policies.conditions import Condition, condition_type
from shared.policies.json_text import depth_of
from shared.policies.patterns import (
    Parts,
    Patterns,
    Translation,
    like,
    like_resource,
    parts_of,
)
from shared.policies.policy import Effect, Names, Policy, Statement

_VERSIONS = ("2008-10-17", "2012-10-17")
_VERSION_WITH_VARIABLES = "2012-10-17"

_ELEMENTS = ("Version", "Id", "Statement")
_STATEMENT_ELEMENTS = (
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)

_SID = re.compile(r"[A-Za-z0-9]*")
_ACTION = re.compile(r"\*|[A-Za-z0-9*?-]+:[A-Za-z0-9*?]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONDITION_KEY = re.compile(r"[^:\s]+:.+", re.DOTALL)

_DEEPEST = 10
"""Levels, of which a policy has six; readers and writers of JSON give up at some hundreds."""
_SHOWN_CHARACTERS = 100

_DOCUMENT = "The document"

Json: TypeAlias = Any
Read = TypeVar("Read")


class MalformedPolicy(ValueError):
    """A text that is no policy document; the message names the element and the value."""


@dataclass(frozen=True, slots=True)
class _Number:
    """A JSON number as it is written."""

    text: str


def parse_policy(text: str) -> Policy:
    """The policy that the document ``text`` is.

    It is one that is attached to whom it limits, such as a service control policy, so it has no
    principal.

    Raises:
        MalformedPolicy: not JSON, an element that isn't known here, is missing or is given twice,
            or a value that an element can't have.
    """
    document = _object(_DOCUMENT, _json(text))
    _check_elements("", document, _ELEMENTS)
    version = document.get("Version", _VERSIONS[0])
    if version not in _VERSIONS:
        raise _malformed("Version", version, f"use one of {', '.join(_VERSIONS)}")
    if "Id" in document:
        _text("Id", document["Id"])
    reader = _StatementReader(has_variables=version == _VERSION_WITH_VARIABLES)
    statements = tuple(
        reader.statement(f"Statement[{number}]", number, _object(f"Statement[{number}]", value))
        for number, value in enumerate(_list("Statement", _required("", document, "Statement")), 1)
    )
    _check_labels(statements)
    return Policy(statements)


@dataclass(frozen=True, slots=True)
class _StatementReader:
    has_variables: bool

    def statement(self, path: str, number: int, given: Mapping[str, Json]) -> Statement:
        _check_elements(path, given, _STATEMENT_ELEMENTS)
        return Statement(
            label=_sid(path, given) or f"#{number}",
            effect=_effect(path, given),
            actions=self._names(path, given, "Action", _action, like),
            resources=self._names(path, given, "Resource", self._resource, like_resource),
            conditions=self._conditions(f"{path}.Condition", given.get("Condition", {})),
        )

    def _names(
        self,
        path: str,
        given: Mapping[str, Json],
        name: str,
        read: Callable[[str], Parts],
        translate: Translation,
    ) -> Names:
        if (name in given) == (f"Not{name}" in given):
            raise MalformedPolicy(f"{path} must have either {name} or Not{name}")
        element = name if name in given else f"Not{name}"
        texts = []
        for value in _list(f"{path}.{element}", given[element]):
            text = _text(f"{path}.{element}", value)
            texts.append(_read(f"{path}.{element}", text, read))
        return Names(Patterns.of(texts, translate), are_excluded=element != name)

    def _resource(self, text: str) -> Parts:
        if text != "*" and not text.startswith("arn:"):
            raise ValueError("expected '*' or an ARN such as 'arn:aws:ec2:*:*:vpc/*'")
        return parts_of(text, has_variables=self.has_variables)

    def _conditions(self, path: str, given: Json) -> tuple[Condition, ...]:
        return tuple(
            self._condition(path, name, key, values)
            for name, keys in _object(path, given).items()
            for key, values in _keys(f"{path}.{name}", keys)
        )

    def _condition(self, path: str, name: str, key: str, given: Json) -> Condition:
        kind = _read(path, name, condition_type)
        path = f"{path}.{name}"
        if not _CONDITION_KEY.fullmatch(key):
            raise _malformed(path, key, "expected a context key such as 'aws:PrincipalAccount'")
        values = [_scalar(f"{path}.{key}", value) for value in _list(f"{path}.{key}", given)]
        try:
            return kind.condition(key, values, has_variables=self.has_variables)
        except ValueError as error:
            raise _malformed(f"{path}.{key}", values, str(error)) from error


def _sid(path: str, given: Mapping[str, Json]) -> str:
    sid = _text(f"{path}.Sid", given.get("Sid", ""))
    if not _SID.fullmatch(sid):
        raise _malformed(f"{path}.Sid", sid, "use letters of A-Z and a-z, and digits")
    return sid


def _effect(path: str, given: Mapping[str, Json]) -> Effect:
    value = _required(path, given, "Effect")
    effects = {effect.value: effect for effect in Effect}
    if not isinstance(value, str) or value not in effects:
        raise _malformed(f"{path}.Effect", value, f"use one of {', '.join(effects)}")
    return effects[value]


def _action(text: str) -> Parts:
    if not _ACTION.fullmatch(text):
        raise ValueError("expected '*' or a service and an action such as 'ec2:CreateVpc'")
    return parts_of(text.lower(), has_variables=False)


def _json(text: str) -> Json:
    if depth_of(text) > _DEEPEST:
        raise MalformedPolicy(f"The document is nested too deeply; {_DEEPEST} levels are allowed")
    try:
        return json.loads(
            text,
            object_pairs_hook=_object_of,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_no_constant,
        )
    except json.JSONDecodeError as error:
        raise MalformedPolicy(f"The document is not JSON: {error}") from error


def _object_of(pairs: Sequence[tuple[str, Json]]) -> Mapping[str, Json]:
    found: dict[str, Json] = {}
    for name, value in pairs:
        if name in found:
            raise MalformedPolicy(f"The element {_shown(name)} is given twice in one object")
        found[name] = value
    return found


def _no_constant(name: str) -> Json:
    raise MalformedPolicy(f"The document is not JSON: it has {name}")


def _check_elements(path: str, given: Mapping[str, Json], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise MalformedPolicy(
                f"{path or _DOCUMENT} has the unknown element {_shown(name)};"
                f" use {', '.join(known)}"
            )


def _check_labels(statements: Sequence[Statement]) -> None:
    labels = [statement.label for statement in statements]
    for label in labels:
        if labels.count(label) > 1:
            raise _malformed("Statement.Sid", label, "it is given twice; use it once")


def _required(path: str, given: Mapping[str, Json], name: str) -> Json:
    if name not in given:
        raise MalformedPolicy(f"{path or _DOCUMENT} must have {name}")
    return given[name]


def _object(path: str, value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise _malformed(path, value, "expected an object")
    return value


def _keys(path: str, value: Json) -> Sequence[tuple[str, Json]]:
    keys = _object(path, value)
    if not keys:
        raise _malformed(path, value, "expected a context key and its values")
    return tuple(keys.items())


def _list(path: str, value: Json) -> Sequence[Json]:
    """One may stand for a list of one."""
    if value == []:
        raise _malformed(path, value, "expected a value, or a list of some")
    return value if isinstance(value, list) else [value]


def _text(path: str, value: Json) -> str:
    if not isinstance(value, str):
        raise _malformed(path, value, "expected a string")
    if _SURROGATE.search(value):
        raise _malformed(path, value, "it has half a surrogate pair, which is no character")
    return value


def _scalar(path: str, value: Json) -> str:
    """Quotation marks are optional around numbers and booleans."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.text if isinstance(value, _Number) else _text(path, value)


def _read(path: str, text: str, read: Callable[[str], Read]) -> Read:
    try:
        return read(text)
    except ValueError as error:
        raise _malformed(path, text, str(error)) from error


def _malformed(path: str, value: Json, reason: str) -> MalformedPolicy:
    # A path may have a key in it that was given.
    where = _shown(path).strip('"')
    return MalformedPolicy(f"{where}: {_shown(value)} is malformed; {reason}")


def _shown(value: Json) -> str:
    """``value`` as it may be told to anybody: not too long, and valid Unicode."""
    text = json.dumps(value, ensure_ascii=False, default=attrgetter("text"))
    if len(text) > _SHOWN_CHARACTERS:
        text = f"{text[:_SHOWN_CHARACTERS]}..."
    return text.encode(errors="backslashreplace").decode()
