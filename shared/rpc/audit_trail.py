"""Noting in an audit trail what accounts change through a service, and telling it."""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from operator import attrgetter
from typing import Any, Protocol, TypeVar

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from cadastre.common.v1 import audit_trail_service_pb2 as pb
from cadastre.common.v1 import audit_trail_service_pb2_grpc, options_pb2
from shared.audit import AuditEvent, AuditQuery
from shared.caller import Caller
from shared.errors import CadastreError
from shared.paging import paginate, token_after
from shared.rpc.interceptor import Context, caller_of
from shared.rpc.method import is_reading
from shared.rpc.wiring import Binding
from shared.telemetry import request_id

AUDIT_TRAIL_SERVICE = "cadastre.common.v1.AuditTrailService"

# By the package of the contract that has the action; whatever else accounts call is EC2's.
_SOURCES = {
    "cadastre.control.iam.v1": "iam.amazonaws.com",
    "cadastre.control.organizations.v1": "organizations.amazonaws.com",
    "cadastre.control.sharing.v1": "ram.amazonaws.com",
}
_EC2 = "ec2.amazonaws.com"
_INTERNAL_ERROR = "InternalError"
_CANCELLED = "RequestCancelled"
_CANCELLED_MESSAGE = "The client went away before the answer; it may have been carried out"
_PAGE_EVENTS = 50
_NAMES_RESOURCES = re.compile(r"(^|_)(id|arn)s?$|^(resources|target)$")
_NAMED_AT_MOST = 50

# Ids of events are no secrets.
_random = random.Random()  # noqa: S311

T = TypeVar("T")
EventsAfter = Callable[[str | None], Iterator[tuple[str, AuditEvent]]]
Behaviour = Callable[[Any, Context], Awaitable[Message]]


class Trail(Protocol):
    """Where events go, and are found again."""

    def record(self, event: AuditEvent) -> None: ...

    async def ask(self, query: AuditQuery, question: Callable[[EventsAfter], T]) -> T: ...


def source_of(package: str) -> str:
    """The AWS service whose actions a package of contracts has: ``ec2.amazonaws.com``."""
    return _SOURCES.get(package, _EC2)


def audited(bindings: Sequence[Binding], trail: Trail) -> list[Binding]:
    """The same services, with every change that an account makes through them on record.

    And, beside them, the one that tells what is on record.
    """
    own = Binding(
        audit_trail_service_pb2_grpc.add_AuditTrailServiceServicer_to_server,
        AuditTrailServicer(trail),
        AUDIT_TRAIL_SERVICE,
    )
    return [*(_audited(binding, trail) for binding in bindings), own]


def _audited(binding: Binding, trail: Trail) -> Binding:
    service = descriptor_pool.Default().FindServiceByName(binding.full_name)
    if not service.GetOptions().Extensions[options_pb2.open_to_accounts]:
        return binding
    changing = [
        method
        for method in service.methods
        if not (is_reading(method.name) or method.server_streaming)
    ]
    return Binding(binding.add, _Audited(binding.servicer, changing, trail), binding.full_name)


class _Audited:
    """A servicer, the changing methods of which leave events."""

    def __init__(self, servicer: object, methods: Sequence[MethodDescriptor], trail: Trail) -> None:
        self._servicer = servicer
        for method in methods:
            behaviour = getattr(servicer, method.name)
            setattr(self, method.name, partial(_noted, behaviour, _Action.of(method), trail))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._servicer, name)


@dataclass(frozen=True, slots=True)
class _Action:
    """An action, and where in its messages the names of resources stand."""

    name: str
    source: str
    asked: "ResourceNames"
    made: "ResourceNames"

    @classmethod
    def of(cls, method: MethodDescriptor) -> "_Action":
        return cls(
            method.name,
            source_of(method.containing_service.file.package),
            ResourceNames(method.input_type),
            ResourceNames(method.output_type),
        )


class ResourceNames:
    """Where in messages of one type the ids and ARNs of resources stand."""

    def __init__(self, message_type: Descriptor) -> None:
        paths = list(_paths(message_type))
        # Nearly all are of one value, and nearly every call has such ones alone.
        self._single = [attrgetter(_dotted(path)) for path in paths if not _is_list(path)]
        self._lists = [path for path in paths if _is_list(path)]

    def of(self, message: Message) -> list[str]:
        """Those that a message gives, once each."""
        found = dict.fromkeys([name for get in self._single if (name := get(message))])
        for path in self._lists:
            found |= dict.fromkeys(_values(message, path))
        return list(found)[:_NAMED_AT_MOST]


class AuditTrailServicer(audit_trail_service_pb2_grpc.AuditTrailServiceServicer):
    """Tells what is on record, and takes what others refused."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail

    async def LookupEvents(
        self, request: pb.LookupEventsRequest, context: Context
    ) -> pb.LookupEventsResponse:
        query = _query_from_proto(request, caller_of(context))
        request.max_results = request.max_results or _PAGE_EVENTS

        def page(events_after: EventsAfter) -> tuple[list[pb.AuditEvent], str | None]:
            return paginate(request, lambda after: _told(request, events_after(after)))

        events, token = await self._trail.ask(query, page)
        return pb.LookupEventsResponse(events=events, next_token=token)

    async def RecordRefusal(
        self, request: pb.RecordRefusalRequest, context: Context
    ) -> pb.RecordRefusalResponse:
        event = _event(
            caller_of(context),
            request.event_source,
            request.event_name,
            request.resource_names,
            error_code=request.error_code,
            error_message=request.error_message,
        )
        self._trail.record(event)
        return pb.RecordRefusalResponse()


async def _noted(
    behaviour: Behaviour, action: _Action, trail: Trail, request: Message, context: Context
) -> Message:
    note = partial(_event, caller_of(context), action.source, action.name)
    try:
        answer = await behaviour(request, context)
    except CadastreError as refusal:
        asked = action.asked.of(request)
        trail.record(note(asked, error_code=refusal.reason, error_message=refusal.message))
        raise
    except asyncio.CancelledError:
        # Nobody waits for the answer any more; what is under way may still come true.
        asked = action.asked.of(request)
        trail.record(note(asked, error_code=_CANCELLED, error_message=_CANCELLED_MESSAGE))
        raise
    except Exception:
        trail.record(note(action.asked.of(request), error_code=_INTERNAL_ERROR))
        raise
    trail.record(note([*action.asked.of(request), *action.made.of(answer)]))
    return answer


def _event(
    caller: Caller,
    source: str,
    name: str,
    resource_names: Iterable[str],
    *,
    error_code: str = "",
    error_message: str = "",
) -> AuditEvent:
    return AuditEvent(
        event_id=f"{_random.getrandbits(128):032x}",
        event_time=datetime.now(UTC),
        event_source=source,
        event_name=name,
        account_id=caller.account_id,
        region=caller.region,
        principal=caller.principal,
        request_id=request_id.get(),
        error_code=error_code,
        error_message=error_message,
        resource_names=tuple(dict.fromkeys(resource_names)),
    )


def _paths(message_type: Descriptor) -> Iterator[tuple[FieldDescriptor, ...]]:
    """A message's ids and ARNs, the own ones of the resource it holds, and those of its parts."""
    for field in message_type.fields:
        if field.message_type is None:
            if _names_resources(field):
                yield (field,)
        elif field.is_repeated:
            parts = filter(_names_resources, field.message_type.fields)
            yield from ((field, own) for own in parts)
        else:
            yield from ((field, own) for own in _own_names(field.message_type))


def _is_list(path: tuple[FieldDescriptor, ...]) -> bool:
    return any(field.is_repeated for field in path)


def _dotted(path: tuple[FieldDescriptor, ...]) -> str:
    return ".".join(field.name for field in path)


def _names_resources(field: FieldDescriptor) -> bool:
    return field.type == field.TYPE_STRING and bool(_NAMES_RESOURCES.search(field.name))


def _own_names(resource: Descriptor) -> Iterator[FieldDescriptor]:
    stem = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", resource.name).lower()
    for name in (f"{stem}_id", f"{stem}_arn", "arn", "id"):
        field = resource.fields_by_name.get(name)
        if field is not None and field.type == field.TYPE_STRING:
            yield field
            return


def _values(message: Message, path: tuple[FieldDescriptor, ...]) -> Iterator[str]:
    field, *below = path
    value: Any = getattr(message, field.name)
    for one in value if field.is_repeated else (value,):
        if below:
            yield from _values(one, tuple(below))
        elif one:
            yield one


def _query_from_proto(request: pb.LookupEventsRequest, caller: Caller) -> AuditQuery:
    return AuditQuery(
        account_id=caller.account_id,
        region=caller.region,
        start_time=_moment(request.start_time) if request.HasField("start_time") else None,
        end_time=_moment(request.end_time) if request.HasField("end_time") else None,
        event_id=request.event_id or None,
        event_name=request.event_name or None,
        event_source=request.event_source or None,
        username=request.username or None,
        resource_name=request.resource_name or None,
    )


def _told(
    request: pb.LookupEventsRequest, found: Iterable[tuple[str, AuditEvent]]
) -> Iterator[tuple[str, pb.AuditEvent]]:
    for key, event in found:
        yield key, _event_to_proto(event, token_after(request, key))


def _moment(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(tzinfo=UTC)


def _event_to_proto(event: AuditEvent, next_token: str) -> pb.AuditEvent:
    event_time = Timestamp()
    event_time.FromDatetime(event.event_time)
    return pb.AuditEvent(
        event_id=event.event_id,
        event_time=event_time,
        event_source=event.event_source,
        event_name=event.event_name,
        account_id=event.account_id,
        region=event.region,
        principal=event.principal,
        request_id=event.request_id,
        error_code=event.error_code,
        error_message=event.error_message,
        resource_names=event.resource_names,
        next_token=next_token,
    )
