"""Texts of a policy with wildcards and variables, compiled once."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Self, TypeAlias

from shared.policies.context import Context

_VARIABLE = re.compile(r"\$\{\s*(?P<key>[^{},']+?)\s*(?:,\s*'(?P<default>[^']*)'\s*)?\}")
_LITERALS = frozenset("*?$")
"""What a variable may be named after to stand for itself: ``${*}``."""

_ARN_PARTS = 6
_ANY, _NO_COLON = ".", "[^:]"


class Wildcard(Enum):
    """What stands for other characters."""

    RUN = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Variable:
    """A context key whose value takes this place."""

    key: str
    default: str | None


Part: TypeAlias = str | Wildcard | Variable
Parts: TypeAlias = tuple[Part, ...]
Translation: TypeAlias = Callable[[Sequence[str | Wildcard]], str]
"""From parts without variables to a regular expression for the whole value."""


def parts_of(text: str, *, has_wildcards: bool = True, has_variables: bool = True) -> Parts:
    """The parts of ``text``.

    Raises:
        ValueError: a ``${`` that begins no variable.
    """
    parts: list[Part] = []
    at = 0
    while at < len(text):
        if has_variables and text.startswith("${", at):
            found = _VARIABLE.match(text, at)
            if found is None:
                raise ValueError("'${' begins no variable such as '${aws:PrincipalAccount}'")
            parts.append(_variable(found["key"], found["default"]))
            at = found.end()
        else:
            is_wild = has_wildcards and text[at] in "*?"
            parts.append(Wildcard(text[at]) if is_wild else text[at])
            at += 1
    return tuple(parts)


def _variable(key: str, default: str | None) -> str | Variable:
    return key if key in _LITERALS else Variable(key.lower(), default)


def resolved(parts: Parts, context: Context) -> list[str | Wildcard] | None:
    """``parts`` with the variables' values, in which no character is a wildcard.

    None when a variable has no value, or several, and no default: nothing is like it.
    """
    result: list[str | Wildcard] = []
    for part in parts:
        if isinstance(part, Variable):
            values = context.get(part.key, ())
            value = values[0] if len(values) == 1 else part.default
            if value is None:
                return None
            result.append(value)
        else:
            result.append(part)
    return result


@dataclass(frozen=True, slots=True)
class Text:
    """A text without wildcards; equal to a value or not."""

    parts: Parts
    ignores_case: bool
    _fixed: str | None
    """Ready-made, if it has no variables."""

    @classmethod
    def of(cls, parts: Parts, *, ignores_case: bool = False) -> Self:
        return cls(parts, ignores_case, _joined(parts, {}) if is_fixed(parts) else None)

    def matches(self, value: str, context: Context) -> bool:
        text = _joined(self.parts, context) if self._fixed is None else self._fixed
        if text is None:
            return False
        return text.casefold() == value.casefold() if self.ignores_case else text == value


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text with wildcards."""

    parts: Parts
    _translate: Translation
    _fixed: re.Pattern[str] | None
    """Ready-made, if it has no variables."""

    @classmethod
    def of(cls, parts: Parts, translate: Translation) -> Self:
        return cls(parts, translate, _compiled(parts, {}, translate) if is_fixed(parts) else None)

    def matches(self, value: str, context: Context) -> bool:
        pattern = self._fixed or _compiled(self.parts, context, self._translate)
        return pattern is not None and pattern.fullmatch(value) is not None

    @property
    def is_universal(self) -> bool:
        """It matches whatever there is."""
        return self.parts == (Wildcard.RUN,)


def is_fixed(parts: Parts) -> bool:
    """Whether no variable is among ``parts``."""
    return not any(isinstance(part, Variable) for part in parts)


def _joined(parts: Parts, context: Context) -> str | None:
    found = resolved(parts, context)
    return None if found is None else "".join(str(part) for part in found)


def _compiled(parts: Parts, context: Context, translate: Translation) -> re.Pattern[str] | None:
    found = resolved(parts, context)
    return None if found is None else re.compile(translate(found), re.DOTALL)


def like(parts: Sequence[str | Wildcard]) -> str:
    """Wildcards stand for any characters."""
    return _glob(parts, _ANY)


def like_arn(parts: Sequence[str | Wildcard]) -> str:
    """Wildcards stay within their part of the ARN."""
    return _by_part(parts, can_span=False)


def like_resource(parts: Sequence[str | Wildcard]) -> str:
    """As `like_arn`, but a ``*`` at the very end stands for all that follows."""
    return _by_part(parts, can_span=True)


def _by_part(parts: Sequence[str | Wildcard], *, can_span: bool) -> str:
    *before, last = _segments(parts)
    # Only the last part of an ARN may hold colons.
    inside = _ANY if len(before) == _ARN_PARTS - 1 else _NO_COLON
    is_open = can_span and bool(last) and last[-1] is Wildcard.RUN
    return ":".join(
        [
            *(_glob(part, _NO_COLON) for part in before),
            _glob(last, inside, _ANY if is_open else inside),
        ]
    )


def _segments(parts: Sequence[str | Wildcard]) -> list[list[str | Wildcard]]:
    segments: list[list[str | Wildcard]] = [[]]
    for part in parts:
        if part == ":" and len(segments) < _ARN_PARTS:
            segments.append([])
        else:
            segments[-1].append(part)
    return segments


def _glob(parts: Sequence[str | Wildcard], inside: str, at_last: str = "") -> str:
    """A regular expression whose wildcards stand for ``inside``, the last ``*`` for ``at_last``.

    It never goes back behind a ``*``: the first place where the text between two of them is found
    is as good as any other, so it is kept. Whatever a caller sends, the time doesn't explode.
    """
    chunks = [""]
    for part in parts:
        if part is Wildcard.RUN:
            chunks.append("")
        else:
            chunks[-1] += inside if isinstance(part, Wildcard) else re.escape(part)
    if len(chunks) == 1:
        return chunks[0]
    first, *middle, last = chunks
    found = (f"(?>{inside}*?{chunk})" for chunk in middle if chunk)
    return f"{first}{''.join(found)}{at_last or inside}*{last}"
