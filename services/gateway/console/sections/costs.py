"""The cost view: active-IP hours, and what AWS would charge for them (ACC-3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.responses import Response

from cadastre.discovery.v1 import cost_service_pb2 as pb
from services.gateway.console.bars import bar
from services.gateway.console.reading import reading
from services.gateway.console.section import Group, Page, Section
from services.gateway.console.tables import Cell, Column, Table, table_page, text
from services.gateway.console.visit import Link, Visit
from services.gateway.console.words import time_of
from shared.errors import InvalidParameterValue


class _Environment(BaseSettings):
    """What discovery reads for Cost Explorer's amounts holds here, too."""

    model_config = SettingsConfigDict(env_prefix="CADASTRE_")

    active_ip_hour_price_usd: Decimal = Field(
        default=Decimal("0.00027"), ge=0, le=1000, allow_inf_nan=False
    )


_AFTER_LAST_YEAR = 9000
_GROUPINGS: Mapping[str, tuple[str, pb.ActiveIpHoursGrouping.ValueType]] = {
    "ipam": ("By IPAM", pb.ACTIVE_IP_HOURS_GROUPING_IPAM),
    "payer": ("By who pays", pb.ACTIVE_IP_HOURS_GROUPING_PAYER_ACCOUNT),
    "owner": ("By who has the resources", pb.ACTIVE_IP_HOURS_GROUPING_RESOURCE_OWNER),
}
_GRANULARITIES: Mapping[str, tuple[str, pb.ActiveIpHoursGranularity.ValueType]] = {
    "daily": ("By day", pb.ACTIVE_IP_HOURS_GRANULARITY_DAILY),
    "monthly": ("By month", pb.ACTIVE_IP_HOURS_GRANULARITY_MONTHLY),
}


@dataclass(frozen=True, slots=True)
class _Hours:
    """A row: what was counted, and its share of the most that is shown beside it, in percent."""

    counted: pb.ActiveIpHours
    hours: Decimal
    share: float


def _rows(counted: Sequence[pb.ActiveIpHours]) -> Sequence[_Hours]:
    hours = [Decimal(one.hours or 0) for one in counted]
    most = max(hours, default=Decimal(0)) or Decimal(1)
    return [
        _Hours(one, each, float(each / most * 100))
        for one, each in zip(counted, hours, strict=True)
    ]


async def show(visit: Visit) -> Response:
    """Active-IP hours of a time, by day or month."""
    grouping = _one_of(visit, "group", _GROUPINGS, "ipam")
    granularity = _one_of(visit, "by", _GRANULARITIES, "daily")
    today = datetime.now(UTC).date()
    start = _day(visit, "start", today - timedelta(days=30))
    end = _day(visit, "end", today + timedelta(days=1))
    if granularity == "monthly":
        start = start.replace(day=1)
        end = (end.replace(day=1) + timedelta(days=31)).replace(day=1) if end.day > 1 else end
    price = _Environment().active_ip_hour_price_usd
    request = pb.GetActiveIpHoursRequest(
        granularity=_GRANULARITIES[granularity][1], group_by=[_GROUPINGS[grouping][1]]
    )
    request.start_time.FromDatetime(datetime(start.year, start.month, start.day, tzinfo=UTC))
    request.end_time.FromDatetime(datetime(end.year, end.month, end.day, tzinfo=UTC))
    table = Table(
        name="active-ip-hours",
        columns=(
            Column("start", "From (UTC)", lambda row: text(time_of(row.counted, "start_time"))),
            Column("end", "Until (UTC)", lambda row: text(time_of(row.counted, "end_time"))),
            Column(
                "what",
                _GROUPINGS[grouping][0].removeprefix("By ").capitalize(),
                lambda row: text(
                    row.counted.ipam_id
                    or row.counted.payer_account_id
                    or row.counted.resource_owner_id,
                    is_code=True,
                ),
            ),
            Column(
                "hours",
                "Active-IP hours",
                lambda row: Cell(
                    f"{row.hours:,.2f}",
                    drawing=bar(row.share, "Of the most on this page:", may_be_full=True),
                ),
                is_number=True,
            ),
            Column(
                "cost",
                f"At {price} USD an hour",
                lambda row: Cell(f"{row.hours * price:,.4f}"),
                is_number=True,
            ),
        ),
        read=reading(
            visit,
            request,
            pb.GetActiveIpHoursResponse,
            lambda answer: _rows(answer.active_ip_hours),
            least=1,
        ),
        empty="No active IP was counted in this time. Nothing is counted on the free tier.",
    )
    return await table_page(
        visit,
        table,
        "costs.html",
        title="Costs",
        start=start.isoformat(),
        end=end.isoformat(),
        group=grouping,
        by=granularity,
        groupings=[
            Link(text_, visit.with_query(group=one), one == grouping)
            for one, (text_, _) in _GROUPINGS.items()
        ],
        granularities=[(one, text_) for one, (text_, _) in _GRANULARITIES.items()],
    )


def _one_of(visit: Visit, name: str, known: Mapping[str, object], default: str) -> str:
    wanted = visit.query.get(name) or default
    if wanted not in known:
        raise InvalidParameterValue(
            f"Value ({wanted}) for parameter {name} is invalid. Use one of {', '.join(known)}",
            parameter=name,
        )
    return wanted


def _day(visit: Visit, name: str, default: date) -> date:
    given = visit.query.get(name, "")
    if not given:
        return default
    try:
        day = date.fromisoformat(given)
        if not 2000 <= day.year < _AFTER_LAST_YEAR:
            raise ValueError(given)
        return day
    except ValueError:
        raise InvalidParameterValue(
            f"Value ({given}) for parameter {name} is invalid. Use a day such as 2026-01-31",
            parameter=name,
        ) from None


SECTION = Section(
    title="Costs",
    path="/costs",
    group=Group.ADMINISTRATION,
    pages=(Page("/costs", show),),
)
