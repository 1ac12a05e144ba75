"""Address plans as files: CSV, and what NetBox and phpIPAM export (BEY-13)."""

import csv
import io
import ipaddress
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.cidr import Cidr
from shared.errors import InvalidParameterValue

LONGEST_DESCRIPTION = 255
GLOBAL = ""
"""The VRF of what is in none."""

_DELIMITERS = ",;\t|"
_NAMES_OF_GLOBAL = {"", "global", "default"}
_CONTAINER, _AVAILABLE = "container", "available"
_FOLDER = "(folder)"
_COLUMNS = "'cidr' (CSV), 'prefix' (NetBox's prefixes) or 'subnet' (phpIPAM's subnets)"

Row = Mapping[str, str]


class PlanFileRefused(Exception):
    """The file can't be read as an address plan; the message says why and what would help."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A block that the file names."""

    line: int
    """In JSON the number of the record; from 1."""
    cidr: Cidr
    description: str = ""
    """As an allocation can have it: without line breaks, at most 255 characters."""
    vrf: str = GLOBAL
    is_container: bool = False
    """The file says that it is there to be divided, not used."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A line that names no block."""

    line: int
    text: str
    why: str
    is_mistake: bool
    """Somebody has to correct it; what is not meant to be a block is none."""


Line = Entry | Unusable


def read_plan(path: Path) -> list[Line]:
    """All lines of a file but the empty ones, in its order.

    Raises:
        PlanFileRefused: it can't be read, or is of no known format.
    """
    try:
        return parse_plan(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise PlanFileRefused(f"{path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PlanFileRefused(f"{path} is no text in UTF-8; save it as CSV") from error


def parse_plan(text: str) -> list[Line]:
    """Like `read_plan`. The format is told by what the text begins with, and by its columns.

    Raises:
        PlanFileRefused: it is of no known format.
    """
    if text.lstrip()[:1] in {"{", "["}:
        return list(_netbox_records(text))
    header = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        reader.fieldnames = names
        line_of = _reading(names)
        return [
            line_of(reader.line_num, {name: _cell(row, name) for name in names})
            for row in reader
            if any(_cell(row, name) for name in names)
        ]
    except csv.Error as error:
        raise PlanFileRefused(f"after line {reader.line_num} it is no CSV: {error}") from error


def _reading(names: Sequence[str]) -> Callable[[int, Row], Line]:
    """How rows with these columns are read."""
    if "cidr" in names:
        return _csv_line
    if "prefix" in names or "prefix (flat)" in names:
        return _netbox_line
    if "subnet" in names:
        return _phpipam_line
    raise PlanFileRefused(
        f"the file has no column {_COLUMNS}; its first line has to name the columns, and has"
        f" {', '.join(repr(name) for name in names) or 'none'}"
    )


def _cell(row: Mapping[str, Any], name: str) -> str:
    # None where a row is shorter than the header.
    return (row.get(name) or "").strip()


def _csv_line(number: int, row: Row) -> Line:
    return _line(number, row["cidr"], row)


def _netbox_line(number: int, row: Row) -> Line:
    # Older versions put a mark for each level of nesting before the prefix (netbox issue 9407).
    words = (row.get("prefix") or row.get("prefix (flat)") or "").split()
    prefix = words[-1] if words else ""
    status = row.get("status", "").lower()
    if status == _AVAILABLE:
        return Unusable(
            number, prefix, "it is free space, which NetBox lists between prefixes", False
        )
    return _line(number, prefix, row, is_container=status == _CONTAINER)


def _phpipam_line(number: int, row: Row) -> Line:
    subnet, mask = row["subnet"], row.get("mask", "")
    if subnet.endswith(_FOLDER):
        return Unusable(number, subnet, "it is a folder, which has no addresses", False)
    if "/" not in subnet and mask:
        subnet = f"{subnet}/{_prefix_length(mask)}"
    return _line(number, subnet, row)


def _prefix_length(mask: str) -> str:
    """Of a netmask, which phpIPAM takes besides prefix lengths; anything else as it is."""
    try:
        network = ipaddress.IPv4Network(f"0.0.0.0/{mask}")
    except ValueError:
        return mask
    return str(network.prefixlen) if str(network.netmask) == mask else mask


def _netbox_records(text: str) -> Iterator[Line]:
    """The answer of NetBox's API to a list of prefixes, or the list alone."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise PlanFileRefused(f"the file is no JSON: {error}") from error
    if isinstance(found, dict):
        if found.get("next"):
            raise PlanFileRefused(
                "the file has one page of NetBox's answer alone; put the 'results' of all pages"
                " into one list"
            )
        found = found.get("results")
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
        raise PlanFileRefused("the JSON is no list of NetBox's prefixes, nor has one as 'results'")
    for number, record in enumerate(found, start=1):
        row = {name: _word(record.get(name)) for name in ("prefix", "status", "vrf", "description")}
        yield _netbox_line(number, row)


def _word(value: Any) -> str:
    """A member as a CSV export would have it."""
    if isinstance(value, dict):
        # Statuses have labels, which were numbers' names once; what is referred to has a name.
        value = value.get("label") or value.get("name") or value.get("value")
    return "" if value is None else str(value)


def _line(number: int, text: str, row: Row, *, is_container: bool = False) -> Line:
    try:
        cidr = Cidr.parse(text)
    except InvalidParameterValue as error:
        return Unusable(number, text, error.message, True)
    vrf = row.get("vrf", GLOBAL)
    return Entry(
        number,
        cidr,
        description=" ".join(row.get("description", "").split())[:LONGEST_DESCRIPTION],
        vrf=GLOBAL if vrf.lower() in _NAMES_OF_GLOBAL else vrf,
        is_container=is_container,
    )
