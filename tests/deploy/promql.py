"""What an expression of PromQL is about: the series it reads, and the labels it names.

No parser: promtool is the one, where it is installed. This reads expressions that are right.
"""

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""
    (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<range>\[[^\]]*\])
    | (?P<name>[A-Za-z_:][A-Za-z0-9_:]*)
    | (?P<number>\d[\w.]*)
    | (?P<sign>[=!<>]=|=~|!~|[-+*/%^(){},=<>@])
    """,
    re.VERBOSE,
)
_GROUPINGS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_WORDS = {"and", "or", "unless", "offset", "bool", "inf", "nan", *_GROUPINGS}
_AGGREGATIONS = {"sum", "min", "max", "avg", "count", "topk", "bottomk", "quantile", "group"}


@dataclass(frozen=True, slots=True)
class Selector:
    """Series of a name, and the labels they are chosen by."""

    name: str
    labels: frozenset[str]


@dataclass(slots=True)
class Reading:
    """What was read of an expression."""

    selectors: list[Selector] = field(default_factory=list)
    grouped_by: set[str] = field(default_factory=set)
    """Labels in groupings and matchings."""
    made: set[str] = field(default_factory=set)
    """Labels that it adds."""


def read(expr: str) -> Reading:
    """Read an expression."""
    reading = Reading()
    reading.made |= set(re.findall(r'"(\w+)", "[^"]*", "\w+", "[^"]*"\)', expr))
    tokens = list(_TOKEN.finditer(expr))
    texts = [token.group() for token in tokens]
    at = 0
    while at < len(texts):
        text, after = texts[at], texts[at + 1 : at + 2]
        at += 1
        if text in _GROUPINGS and after == ["("]:
            closing = texts.index(")", at)
            reading.grouped_by |= set(texts[at:closing]) - {"(", ","}
            at = closing
        elif text == "{":
            at = _matchers(texts, at, "", reading)
        elif tokens[at - 1].lastgroup == "name" and text not in _WORDS:
            if after == ["{"]:
                at = _matchers(texts, at + 1, text, reading)
            elif after != ["("] and text not in _AGGREGATIONS:
                reading.selectors.append(Selector(text, frozenset()))
    return reading


def _matchers(texts: list[str], at: int, name: str, reading: Reading) -> int:
    """Read what is in braces, from behind the opening one on."""
    closing = texts.index("}", at)
    inside = texts[at:closing]
    labels = dict(zip(inside[::4], inside[2::4], strict=True))
    names = labels.pop("__name__", f'"{name}"').strip('"').split("|")
    reading.selectors += [Selector(each, frozenset(labels)) for each in names]
    return closing + 1
