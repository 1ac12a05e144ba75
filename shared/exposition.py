"""The metrics of many made one exposition, as Prometheus would have it from one target."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_HELP, _TYPE = b"# HELP ", b"# TYPE "
_UNTYPED = b"untyped"
_LABELS_BEFORE = rb'(?:\w+="(?:[^"\\]|\\.)*",)*?'
"""Read from the first label on: what looks like a label may be part of another one's value."""


@dataclass(slots=True)
class _Family:
    """``help`` is the rest of its line; ``series`` are whole lines."""

    help: bytes = b""
    type: bytes = b""
    series: list[bytes] = field(default_factory=list)

    def note_type(self, type_: bytes) -> None:
        """A family has one; while a release is rolled out, services may disagree about it."""
        self.type = type_ if self.type in (b"", type_) else _UNTYPED

    def lines(self, name: bytes) -> Iterable[bytes]:
        yield _HELP + name + b" " + self.help
        yield _TYPE + name + b" " + (self.type or _UNTYPED)
        yield from self.series


class _Labels:
    """Labels that series are given."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._text = ",".join(f'{name}="{value}"' for name, value in labels.items()).encode()
        self._taken = [
            (name, re.compile(_LABELS_BEFORE + b"(?=" + name + b")"))
            for name in (f'{name}="'.encode() for name in labels)
        ]

    def given_to(self, series: bytes) -> bytes:
        """A line with them, and with its own labels of their names as ``exported_<name>``."""
        metric, brace, own = series.partition(b"{")
        if not brace:
            metric, _, value = series.partition(b" ")
            return metric + b"{" + self._text + b"} " + value
        for name, before in self._taken:
            if name in own and (found := before.match(own)):
                own = own[: found.end()] + b"exported_" + own[found.end() :]
        return metric + b"{" + self._text + b"," + own


def merged(told: Iterable[tuple[Mapping[str, str], bytes]]) -> bytes:
    """The families of all, one of each name, each series with the labels that say whose it is.

    ``told`` are these labels, whose values need no escaping, and what prometheus_client's
    ``generate_latest`` gave. A series that has such a label already keeps its value under
    ``exported_<label>``, as in Prometheus.

    Lines are moved and not understood: reading thousands of samples would take longer than all
    the rest of a scrape.
    """
    families: dict[bytes, _Family] = {}
    for labels, exposition in told:
        _add(families, _Labels(labels), exposition)
    lines = [line for name, family in families.items() for line in family.lines(name)]
    return b"\n".join([*lines, b""])


def _add(families: dict[bytes, _Family], labels: _Labels, exposition: bytes) -> None:
    family = _Family()
    for line in exposition.split(b"\n"):
        if line.startswith(_HELP):
            name, _, text = line.removeprefix(_HELP).partition(b" ")
            family = families.setdefault(name, _Family(help=text))
        elif line.startswith(_TYPE):
            family.note_type(line.rpartition(b" ")[2])
        elif line:
            family.series.append(labels.given_to(line))
