"""The audit log: who changed what, who tried to, and how it ended (BEY-7)."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from services.gateway.console.section import Group, Page, Section
from services.gateway.console.tables import Cell, Column, Filter, Table, table_page, text
from services.gateway.console.visit import Link, Visit
from shared.errors import DryRunOperation, InvalidParameterValue, UnknownId

_MOST_AT_ONCE = 50
_NAMES: Mapping[str, str] = {
    "EventName": "Event name",
    "Username": "User name",
    "ResourceName": "Resource name",
    "EventSource": "Event source",
    "EventId": "Event ID",
}
_TIMES: Mapping[str, str] = {"StartTime": "From (UTC)", "EndTime": "Until (UTC)"}


async def show(visit: Visit) -> Response:
    """The newest events first, as CloudTrail tells them."""

    async def read(
        wanted: Mapping[str, str], rows: int, token: str
    ) -> tuple[Sequence[Mapping[str, Any]], str]:
        attributes = {key: value for key, value in wanted.items() if key in _NAMES}
        if len(attributes) > 1:
            raise InvalidParameterValue(
                f"Value ({', '.join(attributes)}) for parameter LookupAttributes is invalid. Filter"
                " the audit log by one thing at a time, and times",
                parameter="LookupAttributes",
            )
        document: dict[str, Any] = {"MaxResults": min(rows, _MOST_AT_ONCE)}
        if attributes:
            document["LookupAttributes"] = [
                {"AttributeKey": key, "AttributeValue": value} for key, value in attributes.items()
            ]
        for key in _TIMES.keys() & wanted.keys():
            document[key] = _moment(key, wanted[key])
        if token:
            document["NextToken"] = token
        answer = await visit.api.look_up_events(document)
        return answer["Events"], answer.get("NextToken", "")

    table = Table(
        name="audit-log",
        most_rows=5000,
        columns=(
            Column("time", "Time (UTC)", lambda row: Cell(_time(row))),
            Column(
                "event",
                "Event",
                lambda row: Cell(row["EventName"], url=visit.url(f"/audit/{row['EventId']}")),
            ),
            Column(
                "outcome",
                "Outcome",
                _outcome,
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
        filters=tuple(Filter(name, label) for name, label in (*_NAMES.items(), *_TIMES.items())),
        empty="Nothing was changed yet in this account and region.",
    )
    return await table_page(
        visit,
        table,
        "table.html",
        title="Audit log",
        intro="Who changed what in this account and region, and who tried to; newest first.",
    )


async def show_event(visit: Visit) -> Response:
    """One event, and its record as CloudTrail writes it down."""
    event_id = visit.params["event_id"]
    attribute = {"AttributeKey": "EventId", "AttributeValue": event_id}
    answer = await visit.api.look_up_events({"LookupAttributes": [attribute]})
    if not answer["Events"]:
        raise UnknownId("InvalidEventId", event_id)
    event = answer["Events"][0]
    return visit.page(
        "audit_event.html",
        title=event["EventName"],
        trail=[Link("Audit log", visit.url("/audit"))],
        facts=(
            ("Outcome", _outcome(event)),
            ("Why", text(_error(event), note=_message(event))),
            ("Time (UTC)", _time(event)),
            ("User", Cell(event["Username"], note=_record(event)["userIdentity"]["arn"])),
            ("Source", event["EventSource"]),
            ("Event ID", Cell(event_id, is_code=True)),
            (
                "Resources",
                text(", ".join(one["ResourceName"] for one in event["Resources"]), is_code=True),
            ),
        ),
        record=json.dumps(_record(event), indent=2, ensure_ascii=False),
    )


def _moment(name: str, given: str) -> float:
    """Seconds since 1970 of a day or a time in UTC."""
    try:
        moment = datetime.fromisoformat(given)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise InvalidParameterValue(
            f"Value ({given}) for parameter {name} is invalid. Use a time in UTC such as 2026-01-31"
            " or 2026-01-31 12:00",
            parameter=name,
        ) from None


def _time(row: Mapping[str, Any]) -> str:
    return f"{datetime.fromtimestamp(row['EventTime'], UTC):%Y-%m-%d %H:%M:%S}"


def _record(row: Mapping[str, Any]) -> Mapping[str, Any]:
    record: Mapping[str, Any] = json.loads(row["CloudTrailEvent"])
    return record


def _outcome(row: Mapping[str, Any]) -> Cell:
    """How it ended; reviews try things out, which changes nothing."""
    error = _error(row)
    if error == DryRunOperation.reason:
        return Cell("Tried out", tone="quiet")
    return Cell("Refused", tone="bad") if error else Cell("Done", tone="good")


def _error(row: Mapping[str, Any]) -> str:
    return str(_record(row).get("errorCode") or "")


def _message(row: Mapping[str, Any]) -> str:
    return str(_record(row).get("errorMessage") or "")


SECTION = Section(
    title="Audit log",
    path="/audit",
    group=Group.ADMINISTRATION,
    pages=(Page("/audit", show), Page("/audit/{event_id}", show_event)),
)
