"""Contexts that answer as they are told, on one port, and remember what they were asked."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1.health import aio as health_aio
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server

from cadastre.allocation.v1 import ledger_service_pb2, placement_service_pb2
from cadastre.common.quotas.v1 import quota_service_pb2
from cadastre.common.v1 import audit_trail_service_pb2
from cadastre.common.v1.audit_trail_service_pb2_grpc import (
    AuditTrailServiceServicer,
    add_AuditTrailServiceServicer_to_server,
)
from cadastre.control.v1.authorization_service_pb2_grpc import (
    add_AuthorizationServiceServicer_to_server,
)
from cadastre.discovery.v1 import cost_service_pb2, usage_service_pb2
from services.gateway.routes import (
    CLOUDWATCH_FILES,
    COST_EXPLORER_FILES,
    EC2_FILES,
    IAM_FILES,
    ORGANIZATIONS_FILES,
    RAM_FILES,
    Rpc,
    rpcs_by_action,
)
from shared.settings import Context
from tests.gateway.fake_organizations import FakeOrganizations

_CONSOLES: Sequence[tuple[Context, FileDescriptor]] = (
    ("allocation", ledger_service_pb2.DESCRIPTOR),
    ("allocation", placement_service_pb2.DESCRIPTOR),
    ("discovery", cost_service_pb2.DESCRIPTOR),
    ("discovery", usage_service_pb2.DESCRIPTOR),
    # Of several contexts, which are all at one address here.
    ("control_plane", quota_service_pb2.DESCRIPTOR),
)
"""What the console asks besides AWS's operations; internal services too."""


@dataclass(frozen=True)
class Refusal:
    """An error status as the services' chassis sends it."""

    reason: str
    message: str = "no"
    code: grpc.StatusCode = grpc.StatusCode.INVALID_ARGUMENT
    metadata: Mapping[str, str] = field(default_factory=dict)


Reply: TypeAlias = Message | Refusal | None


class FakeTrail(AuditTrailServiceServicer):
    """Keeps what it is told of."""

    def __init__(self) -> None:
        self.refusals: list[tuple[audit_trail_service_pb2.RecordRefusalRequest, str]] = []
        """Each with the token it came with."""

    async def LookupEvents(
        self, request: audit_trail_service_pb2.LookupEventsRequest, context: Any
    ) -> audit_trail_service_pb2.LookupEventsResponse:
        return audit_trail_service_pb2.LookupEventsResponse()

    async def RecordRefusal(
        self, request: audit_trail_service_pb2.RecordRefusalRequest, context: Any
    ) -> audit_trail_service_pb2.RecordRefusalResponse:
        token = dict(context.invocation_metadata())["authorization"].removeprefix("Bearer ")
        self.refusals.append((request, token))
        return audit_trail_service_pb2.RecordRefusalResponse()


@dataclass
class FakeServices:
    """``answers`` holds what an RPC, by its path or its action alone, is answered with."""

    answers: dict[str, Reply | Callable[[Any], Reply]] = field(default_factory=dict)
    requests: list[tuple[str, Any]] = field(default_factory=list)
    """Path and message of each request, in order of arrival."""
    metadata: list[dict[str, str]] = field(default_factory=list)
    health: Any = field(default_factory=health_aio.HealthServicer)
    organizations: FakeOrganizations = field(default_factory=FakeOrganizations)
    trail: FakeTrail = field(default_factory=FakeTrail)
    port: int = 0

    def forget(self) -> None:
        """Begin anew."""
        self.answers.clear()
        self.requests.clear()
        self.metadata.clear()
        self.trail.refusals.clear()

    async def serve(self, rpc: Rpc, request: Message, context: Any) -> Message:
        """Answer one call."""
        self.requests.append((rpc.path, request))
        self.metadata.append(dict(context.invocation_metadata()))
        answer = self.answers.get(rpc.path) or self.answers.get(rpc.descriptor.name)
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Refusal):
            await context.abort(answer.code, answer.message, _details(answer))
        return answer if isinstance(answer, Message) else rpc.response_type()


@asynccontextmanager
async def fake_services() -> AsyncIterator[FakeServices]:
    """All contexts' RPCs on a free port."""
    fakes, server = FakeServices(), grpc.aio.server()
    files = (
        *CLOUDWATCH_FILES,
        *COST_EXPLORER_FILES,
        *EC2_FILES,
        *IAM_FILES,
        *ORGANIZATIONS_FILES,
        *RAM_FILES,
    )
    rpcs = [rpc for same_action in rpcs_by_action(files).values() for rpc in same_action]
    rpcs += [
        Rpc(context, method)
        for context, file in _CONSOLES
        for service in file.services_by_name.values()
        for method in service.methods
        if not method.server_streaming
    ]
    server.add_generic_rpc_handlers([_handler(fakes, rpc) for rpc in rpcs])
    add_HealthServicer_to_server(fakes.health, server)
    add_AuditTrailServiceServicer_to_server(fakes.trail, server)
    add_AuthorizationServiceServicer_to_server(fakes.organizations, server)
    fakes.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield fakes
    finally:
        await server.stop(grace=None)


def _handler(fakes: FakeServices, rpc: Rpc) -> grpc.GenericRpcHandler:
    async def answer(request: Message, context: Any) -> Message:
        return await fakes.serve(rpc, request, context)

    method = grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=rpc.request_type.FromString,
        response_serializer=rpc.response_type.SerializeToString,
    )
    service = rpc.descriptor.containing_service.full_name
    return grpc.method_handlers_generic_handler(service, {rpc.descriptor.name: method})


def _details(refusal: Refusal) -> tuple[tuple[str, bytes]]:
    detail = AnyMessage()
    detail.Pack(ErrorInfo(reason=refusal.reason, domain="cadastre", metadata=refusal.metadata))
    status = Status(code=refusal.code.value[0], message=refusal.message, details=[detail])
    return (("grpc-status-details-bin", status.SerializeToString()),)
