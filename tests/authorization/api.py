"""Any RPC of any contract, asked with any token, and all that was answered."""

import importlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2

from shared.rpc.status import DETAILS_KEY

PROTOS = Path(__file__).parents[2] / "protos"
DRY_RUN = "DryRunOperation"


@cache
def all_services() -> Mapping[str, ServiceDescriptor]:
    """Those of all contracts, by full name."""
    found: dict[str, ServiceDescriptor] = {}
    for path in sorted(PROTOS.rglob("*.proto")):
        module = ".".join(path.relative_to(PROTOS).with_suffix("").parts)
        file = importlib.import_module(f"{module}_pb2").DESCRIPTOR
        found |= {service.full_name: service for service in file.services_by_name.values()}
    return found


def method_named(service: str, rpc: str) -> MethodDescriptor:
    return descriptor_pool.Default().FindServiceByName(service).methods_by_name[rpc]


def request_of(service: str, rpc: str, members: Mapping[str, Any]) -> Message:
    """The request with these members; enums by their values' names."""
    return ParseDict(dict(members), GetMessageClass(method_named(service, rpc).input_type)())


@dataclass(frozen=True)
class Answer:
    """All that a call tells, but the request's id and the time it took."""

    code: str
    """Of gRPC; OK when there was no refusal."""
    reason: str = ""
    """The AWS error code."""
    message: str = ""
    details: bytes = b""
    """The packed ``google.rpc.Status``."""
    responses: tuple[Message, ...] = field(default=(), repr=False)

    @property
    def is_given(self) -> bool:
        """It was done, or would have been."""
        return self.code == "OK" or self.reason == DRY_RUN

    @property
    def text(self) -> str:
        """For looking for what should not be in it."""
        told = "\n".join(map(str, self.responses))
        return f"{self.message}\n{self.details.decode(errors='replace')}\n{told}"

    def with_replaced(self, names: Mapping[str, str]) -> "Answer":
        """The same about other things; new names are as long as the old ones."""
        message, details = self.message, self.details
        for old, new in names.items():
            message = message.replace(old, new)
            details = details.replace(old.encode(), new.encode())
        return Answer(self.code, self.reason, message, details, self.responses)


class Api:
    """One running service."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    async def ask(
        self,
        service: str,
        rpc: str,
        members: Mapping[str, Any],
        authorization: str,
        *,
        until: str = "",
    ) -> Answer:
        """What it answers who shows ``authorization``, which may be nothing.

        A stream is heard until a response that has ``until`` in it.
        """
        method = method_named(service, rpc)
        request = request_of(service, rpc, members)
        metadata = (("authorization", authorization),) if authorization else ()
        arity = "unary_stream" if method.server_streaming else "unary_unary"
        call = getattr(self._channel, arity)(
            f"/{service}/{rpc}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )(request, metadata=metadata, timeout=20)
        try:
            if not method.server_streaming:
                return Answer("OK", responses=(await call,))
            return Answer("OK", responses=tuple([one async for one in _heard(call, until)]))
        except grpc.aio.AioRpcError as error:
            return _refusal(error)


async def _heard(call: Any, until: str) -> AsyncIterator[Message]:
    async for response in call:
        yield response
        if until in str(response):
            call.cancel()
            return


def _refusal(error: grpc.aio.AioRpcError) -> Answer:
    details = dict(error.trailing_metadata()).get(DETAILS_KEY, b"")
    packed = details if isinstance(details, bytes) else details.encode()
    info = error_details_pb2.ErrorInfo()
    for one in status_pb2.Status.FromString(packed).details:
        one.Unpack(info)
    return Answer(error.code().name, info.reason, error.details() or "", packed)


@asynccontextmanager
async def api_at(address: str) -> AsyncIterator[Api]:
    async with grpc.aio.insecure_channel(address) as channel:
        yield Api(channel)
