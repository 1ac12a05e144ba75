"""The contexts behind the gateway, over gRPC."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc
from structlog.typing import FilteringBoundLogger

from cadastre.common.v1 import (
    audit_trail_service_pb2,
    audit_trail_service_pb2_grpc,
    options_pb2,
)
from services.gateway.answers import Call
from services.gateway.authorization.authorizer import Authorizer
from services.gateway.routes import Rpc
from shared.caller import Caller
from shared.errors import CadastreError, Unauthenticated, UnauthorizedOperation, kind_of
from shared.rpc.audit_trail import source_of
from shared.rpc.client import Remote
from shared.rpc.method import is_reading
from shared.settings import Context

KEEPING_RECORD: Sequence[Context] = ("control_plane", "allocation", "network")
"""The contexts that keep record of what accounts change."""

_SERVICE = "gateway"
# The contract's limits of what is put on record.
_RECORDED_NAMES, _RECORDED_NAME, _RECORDED_MESSAGE = 50, 1024, 2048
_RECORD_SECONDS = 1.0
_HEALTH_SECONDS = 1.0
# Long enough for a service to be restarted, short enough for clients to hear of an outage (BEY-4).
_RETRY_SECONDS = 3.0


class IdentityRefused(Exception):
    """A context doesn't take our tokens: the secrets differ, which is no client's mistake."""


class Services:
    """Calls RPCs where they are served, on behalf of the caller."""

    def __init__(
        self,
        remotes: Mapping[Context, Remote],
        authorizer: Authorizer,
        log: FilteringBoundLogger,
    ) -> None:
        self._remotes, self._authorizer, self._log = remotes, authorizer, log
        self._method = lru_cache(maxsize=None)(self._make_method)

    async def call(self, rpc: Rpc, request: Message, call: Call) -> Message:
        """The answer of ``rpc``.

        Raises:
            UnauthorizedOperation: a policy of the caller's organization or of its own forbids it.
            CadastreError: the service's refusal, with its own reason.
            IdentityRefused: the service doesn't trust the gateway.
        """
        try:
            await self._authorizer.check(rpc, request, call.caller, call.identity.policies)
        except UnauthorizedOperation as refusal:
            await self._put_on_record(rpc, request, call.caller, refusal)
            raise
        return await self._ask(rpc, request, call)

    async def read_figures(
        self, rpc: Rpc, request: Message, call: Call, *, action: str, resource: str
    ) -> Message:
        """What an internal RPC says about ``resource``, which must be known to be the caller's.

        AWS has no operation for it: who may do ``action`` with the resource may read it. Raises as
        `call` does.
        """
        await self._authorizer.check_action(action, resource, call.caller, call.identity.policies)
        return await self._ask(rpc, request, call)

    async def may(self, call: Call, *, action: str, resource: str) -> bool:
        """Whether the policies let the caller do ``action`` with ``resource``.

        Raises:
            ServiceUnavailable: the organizations haven't been told yet.
        """
        caller, policies = call.caller, call.identity.policies
        try:
            await self._authorizer.check_action(action, resource, caller, policies)
        except UnauthorizedOperation:
            return False
        return True

    async def _ask(self, rpc: Rpc, request: Message, call: Call) -> Message:
        try:
            answer: Message = await self._remotes[rpc.context].call(
                self._method(rpc),
                request,
                caller=_speaking_to(rpc, call.caller),
                retry_seconds=_RETRY_SECONDS if _is_idempotent(rpc, request) else 0,
            )
        except CadastreError as refusal:
            if kind_of(refusal) is Unauthenticated:
                raise IdentityRefused(rpc.context) from refusal
            raise
        return answer

    async def _put_on_record(
        self, rpc: Rpc, request: Message, caller: Caller, refusal: UnauthorizedOperation
    ) -> None:
        """With the context that would have kept record of it, had it been let through."""
        service = rpc.descriptor.containing_service
        if rpc.context not in KEEPING_RECORD or is_reading(rpc.descriptor.name):
            return
        remote = self._remotes[rpc.context]
        stub = audit_trail_service_pb2_grpc.AuditTrailServiceStub(remote.channel)
        event = audit_trail_service_pb2.RecordRefusalRequest(
            event_name=rpc.descriptor.name,
            event_source=source_of(service.file.package),
            error_code=refusal.reason,
            error_message=refusal.message[:_RECORDED_MESSAGE],
            resource_names=_names_of(self._authorizer.resources(rpc, request, caller)),
        )
        try:
            await remote.call(
                stub.RecordRefusal,
                event,
                caller=replace(caller, service=_SERVICE),
                timeout_seconds=_RECORD_SECONDS,
            )
        except (CadastreError, grpc.aio.AioRpcError) as error:
            # Refused it is, all the same, and the log has it.
            self._log.warning("a refusal is not on record", error=str(error))

    def _make_method(self, rpc: Rpc) -> Any:
        """What a generated stub would hold for ``rpc``."""
        return self._remotes[rpc.context].channel.unary_unary(
            rpc.path,
            request_serializer=rpc.request_type.SerializeToString,
            response_deserializer=rpc.response_type.FromString,
        )

    async def not_serving(self) -> Mapping[Context, str]:
        """Every service that doesn't say it is well, and what it says instead."""
        states = await asyncio.gather(*map(_health, self._remotes.values()))
        return {
            context: state
            for context, state in zip(self._remotes, states, strict=True)
            if state != "SERVING"
        }


def _names_of(arns: Sequence[str]) -> list[str]:
    """ARNs, and the ids that events of what was let through have."""
    names = []
    for arn in arns[: _RECORDED_NAMES // 2]:
        names.append(arn[:_RECORDED_NAME])
        resource_id = arn.rpartition("/")[2]
        if resource_id not in ("", "*", arn):
            names.append(resource_id[:_RECORDED_NAME])
    return names


def _speaking_to(rpc: Rpc, caller: Caller) -> Caller:
    """What is for Cadastre's own services is called as one of them, on behalf of the caller."""
    options = rpc.descriptor.containing_service.GetOptions().Extensions
    return replace(caller, service=_SERVICE) if options[options_pb2.internal] else caller


def _is_idempotent(rpc: Rpc, request: Message) -> bool:
    return is_reading(rpc.descriptor.name) or bool(getattr(request, "client_token", ""))


async def _health(remote: Remote) -> str:
    # Its published types know no stub but the synchronous one.
    stub: Any = health_pb2_grpc.HealthStub(remote.channel)
    try:
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=_HEALTH_SECONDS)
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
