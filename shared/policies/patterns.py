"""Texts of a policy with wildcards and variables, compiled once.

A pattern with variables is no other for each request: their values are put before the value that it
is compared with, and it refers to them there.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Self, TypeAlias

from shared.policies.context import Context

# Nothing in it can match in two ways, so a long text doesn't take longer than its length.
_VARIABLE = re.compile(r"\$\{\s*+(?P<key>[^{},'\s][^{},']*+)(?:,\s*+'(?P<default>[^']*+)'\s*+)?+\}")
_LITERALS = frozenset("*?$")
"""What a variable may be named after to stand for itself: ``${*}``."""

_ARN_PARTS = 6
_ANY, _NO_COLON = ".", "[^:]"

# After a variable's value; no text of a request or of a policy has it, as it is no character.
_END = "\ud800"

Test: TypeAlias = Callable[[str], bool]
"""Whether a value of a request is one that a policy speaks of."""


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
"""From regular expressions with wildcards between them to one for the whole value."""


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
            parts.append(_variable(found["key"].rstrip(), found["default"]))
            at = found.end()
        else:
            is_wild = has_wildcards and text[at] in "*?"
            parts.append(Wildcard(text[at]) if is_wild else text[at])
            at += 1
    return tuple(parts)


def _variable(key: str, default: str | None) -> str | Variable:
    return key if key in _LITERALS else Variable(key.lower(), default)


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts without wildcards, of which one has to be equal to a value."""

    _fixed: frozenset[str]
    _variable: tuple[Parts, ...]
    _ignores_case: bool

    @classmethod
    def of(cls, texts: Sequence[Parts], *, ignores_case: bool = False) -> Self:
        fixed = [_joined(parts, {}) for parts in texts if is_fixed(parts)]
        return cls(
            frozenset(_folded(text, ignores_case) for text in fixed if text is not None),
            tuple(parts for parts in texts if not is_fixed(parts)),
            ignores_case,
        )

    @property
    def keys(self) -> frozenset[str]:
        """The context keys of the variables."""
        return _keys_in(self._variable)

    def within(self, context: Context) -> Test:
        """What tells of a value of a request with ``context`` whether one is equal to it."""
        resolved = (_joined(parts, context) for parts in self._variable)
        texts = self._fixed.union(
            _folded(text, self._ignores_case) for text in resolved if text is not None
        )
        return lambda value: _folded(value, self._ignores_case) in texts


@dataclass(frozen=True)
class Patterns:
    """Texts with wildcards, of which one has to match.

    They are compiled into one expression, when one is asked for at all: a policy may have
    thousands, and most are never looked at.
    """

    texts: tuple[Parts, ...]
    _translate: Translation

    @classmethod
    def of(cls, texts: Sequence[Parts], translate: Translation) -> Self:
        return cls(tuple(texts), translate)

    @property
    def keys(self) -> frozenset[str]:
        """The context keys of the variables."""
        return _keys_in(self.texts)

    @property
    def are_universal(self) -> bool:
        """They match whatever there is."""
        return (Wildcard.RUN,) in self.texts

    def within(self, context: Context) -> Test:
        """What tells of a value of a request with ``context`` whether one matches it."""
        expression = self._expression
        values = "".join(f"{_given(variable, context)}{_END}" for variable in self._variables)
        return lambda value: expression.fullmatch(values + value) is not None

    @cached_property
    def _variables(self) -> Sequence[Variable]:
        variables = (p for parts in self.texts for p in parts if isinstance(p, Variable))
        return tuple(dict.fromkeys(variables))

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        # A reference to what has no value matches nothing.
        values = "".join(
            f"(?:=(?P<v{number}>[^{_END}]*+))?+{_END}" for number in range(len(self._variables))
        )
        references = {
            variable: f"(?P=v{number})" for number, variable in enumerate(self._variables)
        }
        choices = "|".join(
            self._translate([_expression_of(part, references) for part in parts])
            for parts in self.texts
        )
        return re.compile(f"{values}(?:{choices})", re.DOTALL)


def is_fixed(parts: Parts) -> bool:
    """Whether no variable is among ``parts``."""
    return not any(isinstance(part, Variable) for part in parts)


def _keys_in(texts: Iterable[Parts]) -> frozenset[str]:
    return frozenset(p.key for parts in texts for p in parts if isinstance(p, Variable))


def _value_of(variable: Variable, context: Context) -> str | None:
    """None when it has no value, or several, and no default: nothing is like it."""
    values = context.get(variable.key, ())
    return values[0] if len(values) == 1 else variable.default


def _given(variable: Variable, context: Context) -> str:
    value = _value_of(variable, context)
    return "" if value is None else f"={value}"


def _joined(parts: Parts, context: Context) -> str | None:
    found: list[str] = []
    for part in parts:
        text = _value_of(part, context) if isinstance(part, Variable) else str(part)
        if text is None:
            return None
        found.append(text)
    return "".join(found)


def _folded(text: str, ignores_case: bool) -> str:
    return text.casefold() if ignores_case else text


def _expression_of(part: Part, references: Mapping[Variable, str]) -> str | Wildcard:
    if isinstance(part, Variable):
        return references[part]
    return part if isinstance(part, Wildcard) else re.escape(part)


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
            chunks[-1] += inside if isinstance(part, Wildcard) else part
    if len(chunks) == 1:
        return chunks[0]
    first, *middle, last = chunks
    found = (f"(?>{inside}*?{chunk})" for chunk in middle if chunk)
    return f"{first}{''.join(found)}{at_last or inside}*{last}"
