"""The front's side: a service whose every call is carried out by the core."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from functools import partial
from itertools import count
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from shared import tracing
from shared.rpc.fronts.frames import CalledBy, Frames, Kind, call_to_payload
from shared.rpc.fronts.hello import Hello, methods_of, request_type_of
from shared.rpc.interceptor import Context, Handler, caller_of
from shared.rpc.status import refusal_from_details
from shared.rpc.wiring import Binding
from shared.telemetry import request_id

_Frame = tuple[int, bytes]


class CoreFailed(Exception):
    """The core met an error that nobody foresaw; its log has the details."""


class Link:
    """The way to the core."""

    def __init__(self, lost: Callable[[], None]) -> None:
        """``lost`` is called when the core has gone; no call is ever answered then."""
        self._numbers = count(1)
        # A unary call waits for one frame, a stream for any number.
        self._answers: dict[int, asyncio.Future[_Frame]] = {}
        self._streams: dict[int, asyncio.Queue[_Frame]] = {}
        self._collect: Callable[[], bytes] = bytes
        self.hello: asyncio.Future[Hello] = asyncio.get_running_loop().create_future()
        self.frames = Frames(self._receive, lost)

    def serve_figures(self, collect: Callable[[], bytes]) -> None:
        """From now on answer the core's questions for metrics with this."""
        self._collect = collect

    async def call(self, method: int, request: Message, context: Context) -> bytes:
        """The serialized response.

        Raises:
            CadastreError: the refusal.
            CoreFailed: an error that nobody foresaw.
        """
        number = self._send_call(method, request, context)
        answer: asyncio.Future[_Frame] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            kind, payload = await answer
        except asyncio.CancelledError:
            self.frames.send(Kind.CANCEL, number)
            raise
        finally:
            del self._answers[number]
        if kind == Kind.ANSWER:
            return payload
        raise _failure(kind, payload)

    async def stream(self, method: int, request: Message, context: Context) -> AsyncIterator[bytes]:
        """The serialized responses.

        Raises:
            CadastreError: the refusal.
            CoreFailed: an error that nobody foresaw.
        """
        number = self._send_call(method, request, context)
        frames = self._streams[number] = asyncio.Queue()
        kind = -1
        try:
            while True:
                kind, payload = await frames.get()
                if kind == Kind.END:
                    return
                if kind != Kind.MESSAGE:
                    raise _failure(kind, payload)
                yield payload
                self.frames.send(Kind.TAKEN, number)
        finally:
            del self._streams[number]
            if kind in (-1, Kind.MESSAGE):
                self.frames.send(Kind.CANCEL, number)

    def _send_call(self, method: int, request: Message, context: Context) -> int:
        number = next(self._numbers)
        call = CalledBy(
            method,
            caller_of(context),
            request_id.get(),
            tracing.carried(),
            request.SerializeToString(),
        )
        self.frames.send(Kind.CALL, number, call_to_payload(call))
        return number

    def _receive(self, kind: int, number: int, payload: bytes) -> None:
        match kind:
            case Kind.HELLO:
                self.hello.set_result(Hello.from_bytes(payload))
            case Kind.COLLECT:
                self.frames.send(Kind.FIGURES, number, self._collect())
            case _:
                self._pass_on(number, (kind, payload))

    def _pass_on(self, number: int, frame: _Frame) -> None:
        # Whoever waited for it may have gone.
        if answer := self._answers.get(number):
            if not answer.done():
                answer.set_result(frame)
        elif stream := self._streams.get(number):
            stream.put_nowait(frame)


def forwarded(link: Link, hello: Hello) -> list[Binding]:
    """Every service of the core, each call of it forwarded."""
    for module in hello.modules:
        importlib.import_module(module)
    numbered = list(enumerate(methods_of(hello.services)))
    return [
        Binding(
            partial(_add, service=service, handlers=dict(_handlers(link, numbered, service))),
            link,
            service,
        )
        for service in hello.services
    ]


def _add(
    _link: Link, server: grpc.aio.Server, *, service: str, handlers: "dict[str, Handler]"
) -> None:
    generic = grpc.method_handlers_generic_handler(service, handlers)
    server.add_generic_rpc_handlers((generic,))


def _handlers(
    link: Link, numbered: Iterable[tuple[int, MethodDescriptor]], service: str
) -> "Iterator[tuple[str, Handler]]":
    for number, method in numbered:
        # A client's stream has no frames yet; without a handler it is answered UNIMPLEMENTED.
        if method.containing_service.full_name == service and not method.client_streaming:
            coding: dict[str, Any] = {
                "request_deserializer": request_type_of(method).FromString,
                # The core has serialized it.
                "response_serializer": bytes,
            }
            if method.server_streaming:
                stream = partial(link.stream, number)
                yield method.name, grpc.unary_stream_rpc_method_handler(stream, **coding)
            else:
                call = partial(link.call, number)
                yield method.name, grpc.unary_unary_rpc_method_handler(call, **coding)


def _failure(kind: int, payload: bytes) -> Exception:
    return refusal_from_details(payload) if kind == Kind.REFUSAL else CoreFailed()
