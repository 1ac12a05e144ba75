"""CloudTrail's event history: what accounts changed, as the services that served it have it."""

import asyncio
import base64
import binascii
import heapq
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cadastre.common.v1 import audit_trail_service_pb2 as pb
from services.gateway.answers import Answer, Call
from services.gateway.clients import KEEPING_RECORD, Services
from services.gateway.documents.addresses import operation_finder
from services.gateway.documents.errors import DocumentErrors
from services.gateway.documents.json_notation import parse_document, write_document
from services.gateway.errors import INTERNAL_ERROR
from services.gateway.model import load_model
from services.gateway.routes import Rpc
from shared.errors import CadastreError, Invalid, InvalidNextToken, UnsupportedOperation
from shared.settings import Context

_OPERATION = "LookupEvents"
_MEDIA_TYPE = "application/x-amz-json-1.1"
_CODES: Mapping[str, str] = {
    "InvalidNextToken": "InvalidNextTokenException",
    "UnauthorizedOperation": "AccessDeniedException",
    INTERNAL_ERROR: "InternalFailure",
}
_MEMBERS = frozenset({"LookupAttributes", "StartTime", "EndTime", "MaxResults", "NextToken"})
_MOST_RESULTS = 50
_FROM_THE_NEWEST = ""

# What an event may be looked up by, and the member of the contract that says so.
_ATTRIBUTES: Mapping[str, str] = {
    "EventId": "event_id",
    "EventName": "event_name",
    "EventSource": "event_source",
    "ResourceName": "resource_name",
    "Username": "username",
}


class InvalidLookupAttributes(Invalid):
    """There is no looking up events by these."""

    reason = "InvalidLookupAttributesException"


class InvalidTimeRange(Invalid):
    """The end comes before the start, or one of them is no time."""

    reason = "InvalidTimeRangeException"


class InvalidMaxResults(Invalid):
    """Too many events for one page, or none."""

    reason = "InvalidMaxResultsException"


class CloudTrailProtocol:
    """``LookupEvents``: each context tells its events, and the newest of all are answered."""

    def __init__(self, services: Services) -> None:
        model = load_model("cloudtrail")
        self._services, self._name_of = services, operation_finder(model)
        self._errors = DocumentErrors(model, _CODES, _MEDIA_TYPE)

    async def answer(self, call: Call) -> Answer:
        call.action = self._name_of(call)
        if call.action != _OPERATION:
            raise UnsupportedOperation(
                f"The operation {call.action} is not available in this installation; of CloudTrail"
                f" only {_OPERATION} is"
            )
        document = _given(parse_document(call.request.body))
        return Answer(write_document(await self.look_up(document, call)), _MEDIA_TYPE)

    async def look_up(self, document: Mapping[str, Any], call: Call) -> Mapping[str, Any]:
        """LookupEvents: the members of its answer for those of its request.

        Raises:
            CadastreError: the members are none that it takes, or a context's refusal.
        """
        request, positions = _request_of(document), _positions(document.get("NextToken"))
        pages = await asyncio.gather(
            *(self._page(context, request, token, call) for context, token in positions.items())
        )
        return _merged(dict(zip(positions, pages, strict=True)), positions, request.max_results)

    def refuse(self, error: CadastreError, request_id: str) -> Answer:  # noqa: ARG002 in a header
        return self._errors.refuse(error)

    def fault(self, request_id: str) -> Answer:  # noqa: ARG002 in a header
        return self._errors.fault()

    async def _page(
        self, context: Context, request: pb.LookupEventsRequest, token: str, call: Call
    ) -> pb.LookupEventsResponse:
        own = pb.LookupEventsRequest()
        own.CopyFrom(request)
        own.next_token = token
        answer: Any = await self._services.call(_rpc(context), own, call)
        page: pb.LookupEventsResponse = answer
        return page


@cache
def _rpc(context: Context) -> Rpc:
    [service] = pb.DESCRIPTOR.services_by_name.values()
    return Rpc(context, service.methods_by_name[_OPERATION])


def _request_of(document: Mapping[str, Any]) -> pb.LookupEventsRequest:
    for name in document:
        if name not in _MEMBERS:
            raise UnsupportedOperation(
                f"The parameter {name} is not supported here; leave it out", parameter=name
            )
    request = pb.LookupEventsRequest(max_results=_max_results(document))
    for member, name in (("start_time", "StartTime"), ("end_time", "EndTime")):
        if name in document:
            getattr(request, member).FromDatetime(_moment(name, document[name]))
    if {"StartTime", "EndTime"} <= document.keys() and document["StartTime"] > document["EndTime"]:
        raise InvalidTimeRange(
            f"StartTime ({document['StartTime']}) is after EndTime ({document['EndTime']})"
        )
    for member, value in _attributes(document.get("LookupAttributes", [])):
        setattr(request, member, value)
    return request


def _given(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without what is null, which stands for absent."""
    return {name: value for name, value in document.items() if value is not None}


def _max_results(document: Mapping[str, Any]) -> int:
    value = document.get("MaxResults", _MOST_RESULTS)
    if type(value) is not int or not 1 <= value <= _MOST_RESULTS:
        raise InvalidMaxResults(
            f"Value ({value}) for parameter MaxResults is invalid. Use 1 to {_MOST_RESULTS}",
            parameter="MaxResults",
            value=value,
        )
    return value


def _moment(name: str, value: Any) -> datetime:
    try:
        return datetime.fromtimestamp(value, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise InvalidTimeRange(
            f"Value ({value}) for parameter {name} is invalid. Use seconds since 1970",
            parameter=name,
            value=value,
        ) from None


def _attributes(given: Any) -> Iterator[tuple[str, str]]:
    attributes = given if isinstance(given, list) else [given]
    for attribute in attributes:
        members: Mapping[str, Any] = attribute if isinstance(attribute, dict) else {}
        key, value = str(members.get("AttributeKey")), members.get("AttributeValue")
        if key not in _ATTRIBUTES or not isinstance(value, str) or not _is_text(value):
            raise InvalidLookupAttributes(
                f"The lookup attribute {json.dumps(attribute)} is invalid; give an AttributeKey of"
                f" {', '.join(_ATTRIBUTES)}, and an AttributeValue"
            )
        yield _ATTRIBUTES[key], value


def _is_text(value: str) -> bool:
    """Something that can be sent on: JSON may have halves of pairs."""
    try:
        return bool(value.encode())
    except UnicodeEncodeError:
        return False


def _positions(token: Any) -> Mapping[Context, str]:
    """Where each context that has more to tell goes on."""
    if token is None:
        return dict.fromkeys(KEEPING_RECORD, _FROM_THE_NEWEST)
    try:
        positions = json.loads(base64.urlsafe_b64decode(str(token).encode()))
    except (ValueError, binascii.Error, RecursionError):
        raise InvalidNextToken from None
    is_sound = (
        isinstance(positions, dict)
        and positions
        and positions.keys() <= set(KEEPING_RECORD)
        and all(isinstance(p, str) and p.isascii() for p in positions.values())
    )
    if not is_sound:
        raise InvalidNextToken
    return {context: positions[context] for context in KEEPING_RECORD if context in positions}


def _merged(
    pages: Mapping[Context, pb.LookupEventsResponse],
    positions: Mapping[Context, str],
    max_results: int,
) -> dict[str, Any]:
    """The newest events of all pages; what is left over is for the next page to begin with."""
    # Each page's in its own order, by which its tokens go: clocks of replicas may differ.
    told = [[(context, event) for event in page.events] for context, page in pages.items()]
    newest_first = list(heapq.merge(*told, key=lambda found: -found[1].event_time.ToNanoseconds()))
    shown = newest_first[:max_results]
    last_shown = {context: event.next_token for context, event in shown}
    left_over = {context for context, _ in newest_first[max_results:]}
    more = {
        context: last_shown.get(context, positions[context])
        for context, page in pages.items()
        if context in left_over or page.HasField("next_token")
    }
    answer: dict[str, Any] = {"Events": [_event(event) for _, event in shown]}
    if more:
        answer["NextToken"] = base64.urlsafe_b64encode(json.dumps(more).encode()).decode()
    return answer


def _event(event: pb.AuditEvent) -> dict[str, Any]:
    return {
        "EventId": event.event_id,
        "EventName": event.event_name,
        "ReadOnly": "false",
        "EventTime": event.event_time.ToMilliseconds() / 1000,
        "EventSource": event.event_source,
        "Username": event.principal.rpartition("/")[2],
        "Resources": [{"ResourceName": name} for name in event.resource_names],
        "CloudTrailEvent": json.dumps(_record(event)),
    }


def _record(event: pb.AuditEvent) -> dict[str, Any]:
    """The event as CloudTrail writes it down."""
    refusal = {"errorCode": event.error_code, "errorMessage": event.error_message}
    return {
        "eventVersion": "1.08",
        "userIdentity": {"arn": event.principal, "accountId": event.account_id},
        "eventTime": event.event_time.ToJsonString(),
        "eventSource": event.event_source,
        "eventName": event.event_name,
        "awsRegion": event.region,
        **(refusal if event.error_code else {}),
        "requestID": event.request_id,
        "eventID": event.event_id,
        "readOnly": False,
        "recipientAccountId": event.account_id,
    }
