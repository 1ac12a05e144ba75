"""Tables whose rows the contexts page and filter, and the gateway sorts; and the same as CSV.

In the contexts' own order a page is one call, whatever there is. To sort, all rows are read, up to
`MOST_SORTED`; what is beyond is said, not hidden.
"""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from markupsafe import Markup
from starlette.responses import Response, StreamingResponse

from services.gateway.console.visit import Link, Visit
from services.gateway.console.words import NOTHING, sentence_of, tone_of
from shared.errors import InvalidParameterValue

R = TypeVar("R")

PAGE_ROWS = 50
MOST_SORTED = 10_000
_READ_ROWS = 1000
_FILTER = "f."
# What a spreadsheet would take for a formula, in a value that anybody may have chosen.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class _Cut(Exception):
    """There is more than CSV may hold."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place of a table."""

    text: str
    """Also in CSV."""
    url: str = ""
    tone: str = ""
    """Of a badge; empty: plain text."""
    is_code: bool = False
    """An id, a CIDR or the like, whose characters matter."""
    note: str = ""
    """Smaller, below."""
    drawing: Markup | None = None
    """Beside the text: a bar, say."""


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """One thing that is told of each row."""

    key: str
    title: str
    cell: Callable[[R], Cell]
    sort: Callable[[R], Any] | None = None
    """What rows are sorted by; None: by this column they aren't."""
    is_number: bool = False
    is_only_in_csv: bool = False
    """A page has no room for it; the thing's own page tells it."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Something to narrow a table by; the contexts do it."""

    key: str
    """AWS's name of the filter."""
    label: str
    choices: Sequence[str] = ()
    """AWS's words; empty: any text, in which ``*`` and ``?`` are wildcards where AWS has them."""


Rows: TypeAlias = tuple[Sequence[R], str]
"""Some rows, and the token of those after them (empty: there are none)."""
Read: TypeAlias = Callable[[Mapping[str, str], int, str], Awaitable[tuple[Sequence[R], str]]]
"""Reads rows: what to narrow them by, at most how many, and a token of an earlier page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Generic[R]):
    """A list of things of one kind."""

    name: str
    """Of the CSV file; also tells tables of one page apart."""
    columns: Sequence[Column[R]]
    read: Read[R]
    filters: Sequence[Filter] = ()
    row_links: Callable[[R], Sequence[Link]] | None = None
    """What can be done with a row."""
    empty: str = "Nothing is here yet."
    """What is said where there is no row and nothing was filtered."""
    most_rows: int = 100_000
    """In CSV; what is left out is said in its last line."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a column."""

    title: str
    url: str = ""
    """Sorts by it; empty: that can't be."""
    order: str = ""
    """``ascending``, ``descending`` or empty."""
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A table's page, ready to be drawn."""

    name: str
    headings: Sequence[Heading]
    rows: Sequence[Sequence[Cell]]
    links: Sequence[Sequence[Link]]
    filters: Sequence[tuple[Filter, str]]
    """Each with what it is set to."""
    kept: Mapping[str, str]
    """What else stands in the page's query, to stay there when a filter is set."""
    is_filtered: bool
    clear_url: str
    csv_url: str
    first_url: str
    """Empty: this is the first page."""
    next_url: str
    """Empty: this is the last page."""
    summary: str
    empty: str
    is_changing: bool = field(default=False)
    """A state in it will change by itself."""


async def shown(visit: Visit, table: Table[R]) -> Shown:
    """The page of ``table`` that the visit's query asks for.

    Raises:
        InvalidParameterValue: it asks for an order or a page that doesn't exist.
        CadastreError: a context's refusal, such as of a token of another list.
    """
    wanted = _wanted(visit, table)
    sort = visit.query.get("sort", "")
    if sort:
        rows, next_url, summary = await _sorted_page(visit, table, wanted, sort)
    else:
        rows, token = await table.read(wanted, PAGE_ROWS, visit.query.get("token", ""))
        next_url = visit.with_query(token=token) if token else ""
        summary = _summary(len(rows), bool(token), is_first="token" not in visit.query)
    columns = [column for column in table.columns if not column.is_only_in_csv]
    cells = [[column.cell(row) for column in columns] for row in rows]
    is_first = not visit.query.get("token") and visit.query.get("page", "1") == "1"
    return Shown(
        table.name,
        [_heading(visit, column, sort) for column in columns],
        cells,
        [table.row_links(row) if table.row_links else () for row in rows],
        [(one, wanted.get(one.key, "")) for one in table.filters],
        _kept(visit),
        bool(wanted),
        _without_filters(visit),
        visit.with_query(format="csv", token=None, page=None, done=None),
        "" if is_first else visit.with_query(token=None, page=None),
        next_url,
        summary,
        "Nothing matches these filters." if wanted else table.empty,
        any(cell.tone == "busy" for row in cells for cell in row),
    )


async def csv_of(visit: Visit, table: Table[R]) -> Response:
    """All rows as CSV, in the order asked for; read page by page while they are sent."""
    wanted, sort = _wanted(visit, table), visit.query.get("sort", "")
    if sort:
        rows, _ = await _all_sorted(table, wanted, sort)
        parts = _csv_parts(table, rows, None)
    else:
        # A refusal must come before the answer has begun.
        first, token = await table.read(wanted, _READ_ROWS, "")
        parts = _csv_parts(table, first, _rest(table, wanted, token))
    headers = {
        "Content-Disposition": f'attachment; filename="{table.name}.csv"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(parts, headers=headers, media_type="text/csv; charset=utf-8")


async def table_page(visit: Visit, table: Table[R], template: str, **content: Any) -> Response:
    """The page with ``table`` in it, or the table as CSV, whichever the query asks for."""
    if visit.query.get("format") == "csv":
        return await csv_of(visit, table)
    view = await shown(visit, table)
    is_changing = content.pop("is_changing", False) or view.is_changing
    return visit.page(template, table=view, is_changing=is_changing, **content)


def text(value: str, **more: Any) -> Cell:
    """A cell with ``value``, or a dash where there is none."""
    return Cell(value or NOTHING, **more)


def badge(word: str) -> Cell:
    """AWS's word for a state, as a badge."""
    return Cell(sentence_of(word), tone=tone_of(word)) if word else Cell(NOTHING)


async def _rest(
    table: Table[R], wanted: Mapping[str, str], token: str
) -> AsyncIterator[Sequence[R]]:
    count = 0
    while token and count < table.most_rows:
        rows, token = await table.read(wanted, _READ_ROWS, token)
        count += len(rows)
        yield rows
    if token:
        raise _Cut


async def _csv_parts(
    table: Table[R], first: Sequence[R], rest: AsyncIterator[Sequence[R]] | None
) -> AsyncIterator[str]:
    yield _csv_lines([[column.title for column in table.columns]])
    yield _csv_lines(_texts(table, first))
    if rest is not None:
        try:
            async for rows in rest:
                yield _csv_lines(_texts(table, rows))
        except _Cut:
            told = f"There are more than {table.most_rows:,} rows; narrow them by a filter"
            yield _csv_lines([[told]])


def _texts(table: Table[R], rows: Sequence[R]) -> Sequence[Sequence[str]]:
    cells = [[column.cell(row) for column in table.columns] for row in rows]
    return [["" if cell.text == NOTHING else cell.text for cell in row] for row in cells]


def _csv_lines(rows: Sequence[Sequence[str]]) -> str:
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\r\n").writerows(
        [_harmless(value) for value in row] for row in rows
    )
    return lines.getvalue()


def _harmless(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value


async def _sorted_page(
    visit: Visit, table: Table[R], wanted: Mapping[str, str], sort: str
) -> tuple[Sequence[R], str, str]:
    rows, is_whole = await _all_sorted(table, wanted, sort)
    number = visit.query.get("page", "1")
    if not number.isascii() or not number.isdecimal() or not 0 < len(number) < 7 or number == "0":
        raise InvalidParameterValue(
            f"Value ({number}) for parameter page is invalid. Use a whole number from 1",
            parameter="page",
        )
    start = (int(number) - 1) * PAGE_ROWS
    page = rows[start : start + PAGE_ROWS]
    has_more = start + PAGE_ROWS < len(rows)
    next_url = visit.with_query(page=str(int(number) + 1)) if has_more else ""
    of_all = f"{len(rows):,}" if is_whole else f"the first {len(rows):,}"
    summary = f"{start + 1:,} to {start + len(page):,} of {of_all}" if page else ""
    if not is_whole:
        summary += "; narrow them by a filter to sort them all"
    return page, next_url, summary


async def _all_sorted(
    table: Table[R], wanted: Mapping[str, str], sort: str
) -> tuple[Sequence[R], bool]:
    """All rows, and whether they are all indeed."""
    key = sort.removeprefix("-")
    column = next((one for one in table.columns if one.key == key and one.sort), None)
    if column is None or column.sort is None:
        raise InvalidParameterValue(
            f"Value ({sort}) for parameter sort is invalid. Sort by"
            f" {', '.join(one.key for one in table.columns if one.sort)}",
            parameter="sort",
        )
    rows, token = list[R](), ""
    while len(rows) < MOST_SORTED:
        some, token = await table.read(wanted, _READ_ROWS, token)
        rows.extend(some)
        if not token:
            break
    return sorted(rows, key=column.sort, reverse=sort.startswith("-")), not token


def _wanted(visit: Visit, table: Table[R]) -> Mapping[str, str]:
    given = {one.key: visit.query.get(f"{_FILTER}{one.key}", "").strip() for one in table.filters}
    return {key: value for key, value in given.items() if value}


def _kept(visit: Visit) -> Mapping[str, str]:
    gone = ("token", "page", "done", "format")
    return {
        name: value
        for name, value in visit.query.items()
        if name not in gone and not name.startswith(_FILTER)
    }


def _without_filters(visit: Visit) -> str:
    filters = [name for name in visit.query if name.startswith(_FILTER)]
    return visit.with_query(**dict.fromkeys([*filters, "token", "page", "done"]))


def _heading(visit: Visit, column: Column[R], sort: str) -> Heading:
    if column.sort is None:
        return Heading(column.title, is_number=column.is_number)
    order = {column.key: "ascending", f"-{column.key}": "descending"}.get(sort, "")
    wanted = f"-{column.key}" if order == "ascending" else column.key
    url = visit.with_query(sort=wanted, token=None, page=None, done=None)
    return Heading(column.title, url, order, column.is_number)


def _summary(rows: int, has_more: bool, *, is_first: bool) -> str:
    if not has_more and is_first:
        return f"{rows:,} in all" if rows else ""
    return f"{rows:,} on this page" + ("; there are more" if has_more else "")
