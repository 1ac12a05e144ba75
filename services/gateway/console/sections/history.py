"""Who had an address, and when (HIST-1 to HIST-3)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from cadastre.discovery.v1 import monitoring_service_pb2 as pb
from services.gateway.console.advice import refusal_of
from services.gateway.console.choices import scope_of_page, text_of_scope
from services.gateway.console.drawings import time_ticks
from services.gateway.console.reading import all_of, reading
from services.gateway.console.section import Group, Page, Section
from services.gateway.console.tables import Cell, Column, Read, Table, badge, table_page, text
from services.gateway.console.visit import Link, Visit
from services.gateway.console.words import time_of, word_of
from shared.errors import CadastreError, InvalidNextToken, InvalidParameterValue

_TITLE = "Search IP history"
_WIDTH, _LEFT, _RIGHT = 1000, 230, 40
_LANE, _TOP, _AXIS = 40, 8, 36
_DRAWN = 100
"""Records of the drawing, the latest; the table has all of them."""
_WINDOWS: Mapping[str, tuple[str, timedelta | None]] = {
    "now": ("Now", None),
    "1d": ("Last day", timedelta(days=1)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
    "3y": ("Last 3 years", timedelta(days=3 * 365)),
}
_BY_DEFAULT = "30d"
# What has a page of its own among the resources, for IPAM monitors it.
_MONITORED = ("vpc", "subnet", "eip")
_TYPES: Mapping[str, str] = {
    "vpc": "VPC",
    "subnet": "Subnet",
    "eip": "Elastic IP address",
    "network-interface": "Network interface",
    "instance": "Instance",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody wants to know the history of."""

    cidr: str
    vpc: str
    window: str
    """A name of `_WINDOWS`; empty: the times are given by themselves."""
    start: datetime | None
    end: datetime | None

    def request(self, ipam_scope_id: str) -> pb.GetIpamAddressHistoryRequest:
        request = pb.GetIpamAddressHistoryRequest(
            cidr=self.cidr, ipam_scope_id=ipam_scope_id, vpc_id=self.vpc or None
        )
        if self.start:
            request.start_time.FromDatetime(self.start)
        if self.end:
            request.end_time.FromDatetime(self.end)
        return request


@dataclass(frozen=True, slots=True)
class Span:
    """A record, as long as it held."""

    record: pb.IpamAddressHistoryRecord
    start: datetime
    end: datetime
    is_over: bool


async def search(visit: Visit) -> Response:
    """The search, and what it found: the latest first."""
    scope, found = await scope_of_page(visit)
    if scope is None:
        return visit.page("no_ipam.html", title=_TITLE)
    asked = {name: visit.query.get(name, "").strip() for name in ("cidr", "vpc", "start", "end")}
    common: dict[str, Any] = {
        "title": _TITLE,
        "scope": scope,
        "scopes": [(one.ipam_scope_id, text_of_scope(one)) for one in found],
        "asked": asked,
    }
    if not asked["cidr"]:
        return visit.page("history.html", **common)
    now = datetime.now(UTC)
    try:
        question = question_of(asked, visit.query.get("window", ""), now)
        return await _answer(visit, question, scope.ipam_scope_id, now, common)
    except CadastreError as error:
        if visit.query.get("format"):
            raise
        # What was asked stays in the form, to be corrected.
        refusal = refusal_of(error)
        return visit.page("history.html", **common, refusal=refusal, status=refusal.status)


async def _answer(
    visit: Visit, question: Question, scope_id: str, now: datetime, common: Mapping[str, Any]
) -> Response:
    by_start = await all_of(
        reading(
            visit,
            question.request(scope_id),
            pb.GetIpamAddressHistoryResponse,
            lambda answer: answer.history_records,
            least=1,
        )
    )
    records = by_start[::-1]
    # A window shows no more than there is; times that were given are shown as they are.
    drawing = drawing_of(
        records[:_DRAWN],
        now=now,
        start=question.start,
        end=question.end,
        is_tight=bool(question.window),
    )
    return await table_page(
        visit,
        Table(
            name="ip-history",
            columns=_columns(visit, scope_id),
            read=_read_of(records),
            empty=f"Nothing had {question.cidr} in that time, as far as it was monitored. Only what"
            " has exactly this CIDR is found, not what lies in it.",
        ),
        "history.html",
        **common,
        cidr=question.cidr,
        windows=[
            Link(
                name,
                visit.with_query(window=key, start=None, end=None, token=None, page=None),
                is_main=key == question.window,
            )
            for key, (name, _) in _WINDOWS.items()
        ],
        drawing=drawing,
        left_out=max(0, len(records) - _DRAWN),
    )


def question_of(asked: Mapping[str, str], window: str, now: datetime) -> Question:
    """What a page's query asks: times that are given go before a window.

    Raises:
        InvalidParameterValue: a time or the window is none.
    """
    cidr, vpc = _block(asked["cidr"]), asked["vpc"]
    start, end = _moment("start", asked["start"]), _moment("end", asked["end"])
    if start or end:
        if start and end and start > end:
            raise InvalidParameterValue(
                f"Value ({asked['end']}) for parameter end is invalid. Use a time after that of"
                " start",
                parameter="end",
            )
        return Question(cidr, vpc, "", start, end)
    window = window or _BY_DEFAULT
    if window not in _WINDOWS:
        raise InvalidParameterValue(
            f"Value ({window}) for parameter window is invalid. Use one of {', '.join(_WINDOWS)}",
            parameter="window",
        )
    span = _WINDOWS[window][1]
    return Question(cidr, vpc, window, now - span if span else None, None)


def _read_of(records: Sequence[pb.IpamAddressHistoryRecord]) -> Read[pb.IpamAddressHistoryRecord]:
    """Pages of what was read already."""

    async def read(
        _: Mapping[str, str], rows: int, token: str
    ) -> tuple[Sequence[pb.IpamAddressHistoryRecord], str]:
        if token and not (token.isascii() and token.isdecimal() and len(token) < 7):
            raise InvalidNextToken
        start = int(token or 0)
        end = start + rows
        return records[start:end], str(end) if end < len(records) else ""

    return read


def _block(given: str) -> str:
    """An address alone is the block of it; what is none goes as it is, to be refused."""
    try:
        address = ip_address(given)
    except ValueError:
        return given
    return f"{address}/{address.max_prefixlen}"


def _moment(name: str, given: str) -> datetime | None:
    """A time as browsers and people give it, in UTC; None: none was given."""
    if not given:
        return None
    try:
        moment = datetime.fromisoformat(given)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidParameterValue(
            f"Value ({given}) for parameter {name} is invalid. Use a time in UTC such as"
            " 2026-01-31T12:00",
            parameter=name,
        ) from None


def _columns(visit: Visit, scope_id: str) -> Sequence[Column[pb.IpamAddressHistoryRecord]]:
    return (
        Column(
            "start",
            "From (UTC)",
            lambda row: text(time_of(row, "sampled_start_time")),
            sort=lambda row: row.sampled_start_time.ToNanoseconds(),
        ),
        Column(
            "end",
            "Until (UTC)",
            lambda row: (
                Cell(time_of(row, "sampled_end_time"))
                if row.HasField("sampled_end_time")
                else Cell("Still so", tone="good")
            ),
            sort=lambda row: (
                not row.HasField("sampled_end_time"),
                row.sampled_end_time.ToNanoseconds(),
            ),
        ),
        Column(
            "resource",
            "Resource",
            lambda row: _resource(visit, scope_id, row),
            sort=lambda row: (row.resource_name, row.resource_id),
        ),
        Column(
            "type",
            "Type",
            lambda row: text(_type(row)),
            sort=lambda row: row.resource_type,
        ),
        Column(
            "compliance",
            "Compliance",
            lambda row: badge(word_of(row, "resource_compliance_status")),
        ),
        Column("overlap", "Overlap", lambda row: badge(word_of(row, "resource_overlap_status"))),
        Column("vpc", "VPC", lambda row: text(row.vpc_id, is_code=True)),
        Column("region", "Region", lambda row: text(row.resource_region)),
        Column(
            "owner",
            "Owner",
            lambda row: text(row.resource_owner_id, is_code=True),
            sort=lambda row: row.resource_owner_id,
        ),
    )


def _resource(visit: Visit, scope_id: str, row: pb.IpamAddressHistoryRecord) -> Cell:
    """The resource, with a way to it while IPAM monitors it there."""
    is_there = (
        not row.HasField("sampled_end_time")
        and bool(row.resource_id)
        and word_of(row, "resource_type") in _MONITORED
    )
    url = visit.url(f"/resources/{row.resource_id}", scope=scope_id, cidr=row.resource_cidr)
    return text(
        row.resource_name or row.resource_id,
        url=url if is_there else "",
        note=row.resource_id if row.resource_name else "",
    )


def drawing_of(
    records: Iterable[pb.IpamAddressHistoryRecord],
    *,
    now: datetime,
    start: datetime | None = None,
    end: datetime | None = None,
    is_tight: bool = False,
) -> Markup | None:
    """Records in lanes, one per resource, in their order; None: there are none.

    What held before ``start``, or still does, goes to the edge. ``is_tight``: what is before the
    first record isn't shown.
    """
    spans = [_span(record, now) for record in records]
    if not spans:
        return None
    last = now if end is None else min(end, now)
    earliest = min(span.start for span in spans)
    first = earliest if start is None else max(start, earliest) if is_tight else start
    if last - first < timedelta(minutes=1):
        first = last - timedelta(minutes=1)
    lanes: dict[tuple[str, str], list[Span]] = {}
    for span in spans:
        key = (span.record.resource_owner_id, span.record.resource_id)
        lanes.setdefault(key, []).append(span)
    height = _TOP + len(lanes) * _LANE + _AXIS
    drawn = [
        *_axis(first, last, height),
        *(
            part
            for number, lane in enumerate(lanes.values())
            for part in _lane(lane, number, first, last)
        ),
    ]
    return Markup(
        '<svg class="lanes" role="img" aria-label="{} from {:%Y-%m-%d %H:%M} to'
        ' {:%Y-%m-%d %H:%M} UTC; the table below has it all" viewBox="0 0 {} {}">{}</svg>'
    ).format(
        f"Timeline of {len(lanes)} resource{'' if len(lanes) == 1 else 's'}",
        first,
        last,
        _WIDTH,
        height,
        Markup("").join(drawn),
    )


def _span(record: pb.IpamAddressHistoryRecord, now: datetime) -> Span:
    is_over = record.HasField("sampled_end_time")
    return Span(
        record,
        record.sampled_start_time.ToDatetime(tzinfo=UTC),
        record.sampled_end_time.ToDatetime(tzinfo=UTC) if is_over else now,
        is_over,
    )


def _x(moment: datetime, first: datetime, last: datetime) -> float:
    share: float = (min(max(moment, first), last) - first) / (last - first)
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _axis(first: datetime, last: datetime, height: int) -> Sequence[Markup]:
    parts = []
    day = ""
    for moment, label in time_ticks(first, last):
        x = _x(moment, first, last)
        date = f"{moment:%Y-%m-%d}"
        parts.append(
            Markup(
                '<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="0" y2="{}"/>'
                '<text class="axis" x="{:.1f}" y="{}" text-anchor="middle">{}</text>'
            ).format(x, x, height - _AXIS + 4, x, height - 19, label)
        )
        if date != day:
            parts.append(
                Markup(
                    '<text class="axis" x="{:.1f}" y="{}" text-anchor="middle">{}</text>'
                ).format(x, height - 5, f"{moment:%Y}" if ":" not in label else date)
            )
            day = date if ":" in label else f"{moment:%Y}"
    return parts


def _lane(lane: Sequence[Span], number: int, first: datetime, last: datetime) -> Sequence[Markup]:
    y = _TOP + number * _LANE
    record = lane[0].record
    name = record.resource_name or record.resource_id or record.resource_owner_id
    note = record.resource_id if record.resource_name else record.resource_owner_id
    parts = [
        Markup(
            '<rect class="lane-back" x="{}" y="{}" width="{}" height="24" rx="4"/>'
            '<text class="lane-label" x="0" y="{}">{}</text>'
            '<text class="lane-note" x="0" y="{}">{} {}</text>'
        ).format(
            _LEFT,
            y,
            _WIDTH - _LEFT - _RIGHT,
            y + 11,
            _short(name),
            y + 26,
            _type(record),
            note,
        )
    ]
    for span in lane:
        x = _x(span.start, first, last)
        # A hair is left between records that follow each other.
        width = max(_x(span.end, first, last) - x - 1.5, 2)
        parts.append(
            Markup(
                '<rect class="{}{}" x="{:.1f}" y="{}" width="{:.1f}" height="18" rx="3">'
                "<title>{}</title></rect>"
            ).format(
                "lane-ended" if span.is_over else "lane-open",
                " lane-bad" if _is_bad(span.record) else "",
                x,
                y + 3,
                width,
                _told(span),
            )
        )
    return parts


def _type(record: pb.IpamAddressHistoryRecord) -> str:
    word = word_of(record, "resource_type")
    return _TYPES.get(word, word)


def _short(name: str, most: int = 30) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _is_bad(record: pb.IpamAddressHistoryRecord) -> bool:
    return (
        word_of(record, "resource_overlap_status") == "overlapping"
        or word_of(record, "resource_compliance_status") == "noncompliant"
    )


def _told(span: Span) -> str:
    until = f"{span.end:%Y-%m-%d %H:%M:%S}" if span.is_over else "now"
    states = ", ".join(
        word
        for word in (
            word_of(span.record, "resource_compliance_status"),
            word_of(span.record, "resource_overlap_status"),
        )
        if word
    )
    return f"{span.record.resource_id}: {span.start:%Y-%m-%d %H:%M:%S} to {until}. {states}"


SECTION = Section(
    title=_TITLE,
    path="/history",
    group=Group.MONITORING,
    pages=(Page("/history", search),),
)
