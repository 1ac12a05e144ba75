"""Who had an address, and when (HIST-1 to HIST-5)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from markupsafe import Markup
from starlette.responses import Response

from cadastre.discovery.v1 import monitoring_service_pb2 as pb
from services.gateway.console.choices import scope_of_page, text_of_scope
from services.gateway.console.drawings import time_ticks
from services.gateway.console.reading import reading
from services.gateway.console.section import Group, Page, Section
from services.gateway.console.tables import Cell, Column, Table, badge, table_page, text
from services.gateway.console.visit import Visit
from services.gateway.console.words import time_of, word_of
from shared.errors import InvalidParameterValue

_WIDTH, _LEFT, _RIGHT = 1000, 250, 10
_LANE, _TOP = 34, 8
_DRAWN = 100
"""Records of the drawing; the table has all of them."""


@dataclass(frozen=True, slots=True)
class Span:
    """A record, as long as it held."""

    record: pb.IpamAddressHistoryRecord
    start: datetime
    end: datetime
    is_over: bool


async def search(visit: Visit) -> Response:
    """The search, and what it found."""
    scope, found = await scope_of_page(visit)
    if scope is None:
        return visit.page("no_ipam.html", title="Search IP history")
    scopes = [(one.ipam_scope_id, text_of_scope(one)) for one in found]
    cidr = _block(visit.query.get("cidr", "").strip())
    asked = {name: visit.query.get(name, "").strip() for name in ("vpc", "start", "end")}
    common = {"title": "Search IP history", "scope": scope, "scopes": scopes, "cidr": cidr}
    if not cidr:
        return visit.page("history.html", **common, asked=asked, drawing=None, table=None)
    request = pb.GetIpamAddressHistoryRequest(
        cidr=cidr, ipam_scope_id=scope.ipam_scope_id, vpc_id=asked["vpc"] or None
    )
    start, end = _moment("start", asked["start"]), _moment("end", asked["end"])
    if start:
        request.start_time.FromDatetime(start)
    if end:
        request.end_time.FromDatetime(end)
    read = reading(
        visit,
        request,
        pb.GetIpamAddressHistoryResponse,
        lambda answer: answer.history_records,
        least=1,
    )
    drawn = None
    if not visit.query.get("format"):
        records, _ = await read({}, _DRAWN, "")
        drawn = drawing_of(records, now=datetime.now(UTC), start=start, end=end)
    table = Table(
        name="ip-history",
        columns=_columns(),
        read=read,
        empty="Nothing had this address in that time, as far as it was monitored.",
    )
    return await table_page(visit, table, "history.html", **common, asked=asked, drawing=drawn)


def _block(given: str) -> str:
    """An address alone is the block of it."""
    if not given or "/" in given:
        return given
    return f"{given}/{128 if ':' in given else 32}"


def _moment(name: str, given: str) -> datetime | None:
    """A time as browsers and people give it, in UTC; None: none was given."""
    if not given:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise InvalidParameterValue(
            f"Value ({given}) for parameter {name} is invalid. Use a time in UTC such as"
            " 2026-01-31T12:00",
            parameter=name,
        ) from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _columns() -> Sequence[Column[pb.IpamAddressHistoryRecord]]:
    return (
        Column("start", "From (UTC)", lambda row: text(time_of(row, "sampled_start_time"))),
        Column(
            "end",
            "Until (UTC)",
            lambda row: (
                Cell(time_of(row, "sampled_end_time"))
                if row.HasField("sampled_end_time")
                else Cell("Still so", tone="good")
            ),
        ),
        Column(
            "resource",
            "Resource",
            lambda row: Cell(
                row.resource_name or row.resource_id,
                note=row.resource_id if row.resource_name else "",
            ),
        ),
        Column("type", "Type", lambda row: text(word_of(row, "resource_type"))),
        Column("cidr", "CIDR", lambda row: Cell(row.resource_cidr, is_code=True)),
        Column(
            "compliance",
            "Compliance",
            lambda row: badge(word_of(row, "resource_compliance_status")),
        ),
        Column("overlap", "Overlap", lambda row: badge(word_of(row, "resource_overlap_status"))),
        Column("vpc", "VPC", lambda row: text(row.vpc_id, is_code=True)),
        Column("region", "Region", lambda row: text(row.resource_region)),
        Column("owner", "Owner", lambda row: text(row.resource_owner_id, is_code=True)),
    )


def drawing_of(
    records: Iterable[pb.IpamAddressHistoryRecord],
    *,
    now: datetime,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Markup | None:
    """Records in lanes, one per resource and CIDR, the latest first; None: there are none.

    What held before ``start``, or still does, goes to the edge.
    """
    spans = [_span(record, now) for record in records]
    if not spans:
        return None
    last = now if end is None else min(end, now)
    first = start or min(span.start for span in spans)
    if last - first < timedelta(minutes=1):
        first = last - timedelta(minutes=1)
    lanes: dict[tuple[str, str], list[Span]] = {}
    for span in spans:
        key = (span.record.resource_id, span.record.resource_cidr)
        lanes.setdefault(key, []).append(span)
    height = _TOP + len(lanes) * _LANE + 24
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
        f"Timeline of {len(lanes)} resources", first, last, _WIDTH, height, Markup("").join(drawn)
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
    return [
        Markup(
            '<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="0" y2="{}"/>'
            '<text class="axis" x="{:.1f}" y="{}" text-anchor="middle">{}</text>'
        ).format(x, x, height - 20, x, height - 6, label)
        for moment, label in time_ticks(first, last)
        for x in (_x(moment, first, last),)
    ]


def _lane(lane: Sequence[Span], number: int, first: datetime, last: datetime) -> Sequence[Markup]:
    y = _TOP + number * _LANE
    record = lane[0].record
    parts = [
        Markup(
            '<text class="lane-label" x="0" y="{}">{}</text>'
            '<text class="lane-note" x="0" y="{}">{} {}</text>'
        ).format(
            y + 12,
            _short(record.resource_name or record.resource_id),
            y + 25,
            word_of(record, "resource_type"),
            record.resource_cidr,
        )
    ]
    for span in lane:
        x = _x(span.start, first, last)
        width = max(_x(span.end, first, last) - x, 2)
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


def _short(name: str, most: int = 34) -> str:
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
    title="Search IP history",
    path="/history",
    group=Group.MONITORING,
    pages=(Page("/history", search),),
)
