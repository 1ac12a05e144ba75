"""The audit log: who changed what, who tried to, and how it ended (BEY-7)."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from services.gateway.console.section import Group, Page, Section
from services.gateway.console.tables import Cell, Column, Filter, Table, badge, table_page, text
from services.gateway.console.visit import Visit
from shared.errors import InvalidParameterValue

_MOST_AT_ONCE = 50
_NAMES = ("EventName", "Username", "ResourceName", "EventSource", "EventId")


async def show(visit: Visit) -> Response:
    """The newest events first, as CloudTrail tells them."""

    async def read(
        wanted: Mapping[str, str], rows: int, token: str
    ) -> tuple[Sequence[Mapping[str, Any]], str]:
        if len(wanted) > 1:
            raise InvalidParameterValue(
                f"Value ({', '.join(wanted)}) for parameter LookupAttributes is invalid. Filter the"
                " audit log by one thing at a time",
                parameter="LookupAttributes",
            )
        document: dict[str, Any] = {"MaxResults": min(rows, _MOST_AT_ONCE)}
        if wanted:
            document["LookupAttributes"] = [
                {"AttributeKey": key, "AttributeValue": value} for key, value in wanted.items()
            ]
        if token:
            document["NextToken"] = token
        answer = await visit.api.look_up_events(document)
        return answer["Events"], answer.get("NextToken", "")

    table = Table(
        name="audit-log",
        columns=(
            Column("time", "Time (UTC)", lambda row: Cell(_time(row))),
            Column("event", "Event", lambda row: Cell(row["EventName"])),
            Column(
                "outcome",
                "Outcome",
                lambda row: badge("refused") if _error(row) else badge("done"),
            ),
            Column("error", "Why", lambda row: text(_error(row), note=_message(row))),
            Column("user", "User", lambda row: text(row["Username"])),
            Column("source", "Source", lambda row: text(row["EventSource"])),
            Column(
                "resources",
                "Resources",
                lambda row: text(
                    ", ".join(one["ResourceName"] for one in row["Resources"][:4]), is_code=True
                ),
            ),
            Column("id", "Event ID", lambda row: Cell(row["EventId"], is_code=True)),
        ),
        read=read,
        filters=tuple(Filter(name, label) for name, label in zip(_NAMES, _LABELS, strict=True)),
        empty="Nothing was changed yet in this account and region.",
    )
    return await table_page(
        visit,
        table,
        "table.html",
        title="Audit log",
        intro="Who changed what in this account and region, and who tried to; newest first.",
    )


_LABELS = ("Event name", "User name", "Resource name", "Event source", "Event ID")


def _time(row: Mapping[str, Any]) -> str:
    return f"{datetime.fromtimestamp(row['EventTime'], UTC):%Y-%m-%d %H:%M:%S}"


def _record(row: Mapping[str, Any]) -> Mapping[str, Any]:
    record: Mapping[str, Any] = json.loads(row["CloudTrailEvent"])
    return record


def _error(row: Mapping[str, Any]) -> str:
    return str(_record(row).get("errorCode") or "")


def _message(row: Mapping[str, Any]) -> str:
    return str(_record(row).get("errorMessage") or "")


SECTION = Section(
    title="Audit log",
    path="/audit",
    group=Group.ADMINISTRATION,
    pages=(Page("/audit", show),),
)
