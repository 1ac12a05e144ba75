"""Forms: their fields, and what somebody filled in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from services.gateway.form import UNPRINTABLE
from shared.errors import InvalidParameterValue

MAX_TAGS, MAX_LINES = 50, 100


class Kind(Enum):
    """How a field is filled in."""

    TEXT = "text"
    LONG_TEXT = "long text"
    NUMBER = "number"
    PASSWORD = "password"  # noqa: S105 a word, not one's password
    CHECKBOX = "checkbox"
    CHOICE = "choice"
    """One of ``choices``."""
    CHOICES = "choices"
    """Any of ``choices``, as a group of checkboxes."""
    LINES = "lines"
    """Several values, a line each."""
    TAGS = "tags"
    """Several keys with values: ``key=value``, a line each."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    value: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form."""

    name: str
    """By AWS's name for the member in snake_case, where it is one: refusals name it."""
    label: str
    kind: Kind = Kind.TEXT
    help: str = ""
    is_required: bool = False
    choices: Sequence[Choice] = ()
    value: str = ""
    """What is in it at first; several values are lines."""
    is_locked: bool = False
    """The page's address has it: shown, not asked."""
    placeholder: str = ""
    legend: str = ""
    """The heading of the group of fields it is in; neighbours with one legend are one group."""
    error: str = ""

    @property
    def values(self) -> Sequence[str]:
        return self.value.splitlines()

    @property
    def shown(self) -> str:
        """The value as people read it."""
        texts = {choice.value: choice.text for choice in self.choices}
        if self.kind is Kind.CHECKBOX:
            return "Yes" if self.value else "No"
        return ", ".join(texts.get(value, value) for value in self.values)


@dataclass(frozen=True, slots=True)
class Form:
    """What an action asks before it is done."""

    fields: Sequence[Field] = ()
    intro: str = ""
    """What there is to know before: a sentence or two."""
    seen: str = ""
    """What its fields were at first, as short as it can be told apart by."""

    @property
    def is_empty(self) -> bool:
        """There is nothing to fill in."""
        return all(one.is_locked for one in self.fields)

    def filled(self, values: "Values") -> "Form":
        """With what somebody filled in."""
        return replace(self, fields=[_filled(one, values) for one in self.fields])

    def checked(self, values: "Values") -> "Form":
        """With what somebody filled in, and what is wrong with it."""
        return replace(self, fields=[_checked(_filled(one, values)) for one in self.fields])

    def refused(self, parameter: str, message: str) -> "Form":
        """With ``message`` at the field that a refusal names, if it names one."""
        return replace(
            self,
            fields=[
                replace(one, error=message) if _is_named(one, parameter) else one
                for one in self.fields
            ],
        )

    @property
    def has_errors(self) -> bool:
        return any(one.error for one in self.fields)


@dataclass(frozen=True, slots=True)
class Values:
    """What a form was sent with. A field that isn't there, or is empty, has no value."""

    given: Mapping[str, Sequence[str]] = field(default_factory=dict)
    client_token: str = ""
    """The same for each time that one filled in form is sent."""

    def text(self, name: str) -> str:
        """One value, without blanks around it; empty: there is none."""
        return (self.given.get(name) or [""])[0].strip()

    def optional(self, name: str) -> str | None:
        """One value, or None."""
        return self.text(name) or None

    def number(self, name: str) -> int | None:
        """A whole number, or None. `Form.checked` has made sure that it is one."""
        text = self.text(name).removeprefix("/")
        if not text:
            return None
        if not text.isascii() or not text.isdecimal() or len(text) > 9:
            raise InvalidParameterValue(
                f"Value ({text}) for parameter {name} is invalid. Use a whole number",
                parameter=name,
            )
        return int(text)

    def flag(self, name: str) -> bool:
        """Whether a box is checked."""
        return bool(self.text(name))

    def lines(self, name: str) -> Sequence[str]:
        """Several values: lines of a text, or checked boxes."""
        texts = [line for value in self.given.get(name, ()) for line in value.splitlines()]
        return [text.strip() for text in texts if text.strip()]

    def tags(self, name: str) -> Mapping[str, str]:
        """Keys and values."""
        pairs = [line.partition("=") for line in self.lines(name)]
        return {key.strip(): value.strip() for key, _, value in pairs}


def _filled(one: Field, values: Values) -> Field:
    if one.is_locked:
        return one
    if one.kind in (Kind.LINES, Kind.TAGS, Kind.CHOICES):
        return replace(one, value="\n".join(values.lines(one.name)))
    if one.kind is Kind.LONG_TEXT:
        return replace(one, value=(values.given.get(one.name) or [""])[0])
    return replace(one, value=values.text(one.name))


def _checked(one: Field) -> Field:
    return replace(one, error=_error_of(one))


def _error_of(one: Field) -> str:
    if UNPRINTABLE.search(one.value):
        return "Use no control characters."
    if one.is_required and not one.value:
        return "Fill in this field."
    if one.kind is not Kind.LONG_TEXT and len(one.values) > MAX_LINES:
        return f"At most {MAX_LINES} lines are allowed; there are {len(one.values):,}."
    if one.kind is Kind.NUMBER and one.value:
        return _error_of_number(one.value)
    if one.kind in (Kind.CHOICE, Kind.CHOICES):
        return _error_of_choices(one)
    return _error_of_tags(one.values) if one.kind is Kind.TAGS else ""


def _error_of_number(value: str) -> str:
    digits = value.removeprefix("/")
    is_one = digits.isascii() and digits.isdecimal() and len(digits) <= 9
    return "" if is_one else f"“{value}” is not a whole number."


def _error_of_choices(one: Field) -> str:
    known = {choice.value for choice in one.choices}
    unknown = [value for value in one.values if value and value not in known]
    if not unknown:
        return ""
    return f"“{unknown[0]}” can't be chosen (any more); choose one of those listed."


def _error_of_tags(lines: Sequence[str]) -> str:
    keys = [line.partition("=")[0].strip() for line in lines]
    without = [line for line, key in zip(lines, keys, strict=True) if "=" not in line or not key]
    if without:
        return f"“{without[0]}” is no tag: write key=value, a line each."
    if len(set(keys)) < len(keys):
        return "A key is there twice."
    return f"At most {MAX_TAGS} tags are allowed." if len(keys) > MAX_TAGS else ""


def _is_named(one: Field, parameter: str) -> bool:
    """AWS's members are in CamelCase or snake_case in refusals, perhaps with a path."""
    plain = parameter.split(".", maxsplit=1)[0].replace("_", "").lower()
    return bool(plain) and one.name.replace("_", "").lower() == plain
