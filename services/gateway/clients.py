"""The contexts behind the gateway, over gRPC."""

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.gateway.answers import Call
from services.gateway.routes import Rpc
from shared.errors import CadastreError, Unauthenticated, kind_of
from shared.rpc.client import Remote
from shared.settings import Context

_READING = ("Describe", "Get", "List")
_HEALTH_SECONDS = 1.0
# Long enough for a service to be restarted, short enough for clients to hear of an outage (BEY-4).
_RETRY_SECONDS = 3.0


class IdentityRefused(Exception):
    """A context doesn't take our tokens: the secrets differ, which is no client's mistake."""


class Services:
    """Calls RPCs where they are served, on behalf of the caller."""

    def __init__(self, remotes: Mapping[Context, Remote]) -> None:
        self._remotes = remotes
        self._method = lru_cache(maxsize=None)(self._make_method)

    async def call(self, rpc: Rpc, request: Message, call: Call) -> Message:
        """The answer of ``rpc``.

        Raises:
            CadastreError: the service's refusal, with its own reason.
            IdentityRefused: the service doesn't trust the gateway.
        """
        try:
            answer: Message = await self._remotes[rpc.context].call(
                self._method(rpc),
                request,
                caller=call.caller,
                retry_seconds=_RETRY_SECONDS if _is_idempotent(rpc, request) else 0,
            )
        except CadastreError as refusal:
            if kind_of(refusal) is Unauthenticated:
                raise IdentityRefused(rpc.context) from refusal
            raise
        return answer

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


def _is_idempotent(rpc: Rpc, request: Message) -> bool:
    return rpc.descriptor.name.startswith(_READING) or bool(getattr(request, "client_token", ""))


async def _health(remote: Remote) -> str:
    # Its published types know no stub but the synchronous one.
    stub: Any = health_pb2_grpc.HealthStub(remote.channel)
    try:
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=_HEALTH_SECONDS)
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
