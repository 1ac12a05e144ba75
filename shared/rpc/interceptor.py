"""What happens around every RPC: identity, validation, errors, logging, metrics."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias
from uuid import uuid4

import grpc
import structlog
from google.protobuf.message import Message
from opentelemetry.trace import Span

from shared.caller import Caller
from shared.errors import (
    AuthFailure,
    CadastreError,
    DryRunOperation,
    ServiceUnavailable,
    UnauthorizedOperation,
)
from shared.identity import TokenVerifier
from shared.rpc import tracing
from shared.rpc.method import Admits, Method, method_of
from shared.rpc.metrics import RpcMetrics
from shared.rpc.status import DETAILS_KEY, code_of, details_of
from shared.rpc.validation import validate
from shared.telemetry import request_id

# Quoted, because grpc's own classes are not generic when the program runs.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_BEARER = "Bearer "
_REQUEST_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)
_STANDARD_SERVICES = "/grpc."

_caller: ContextVar[Caller] = ContextVar("caller")


def caller_of(_context: Context) -> Caller:
    """Who made the call that is being served."""
    return _caller.get()


def serve_as(caller: Caller) -> None:
    """From here on, this task serves a call of ``caller``, whom another process has verified."""
    _caller.set(caller)


@dataclass(slots=True)
class _Call:
    """One RPC under way, for its log line."""

    method: Method
    span: Span
    request: Message | None
    """None: they are many, and come one by one."""
    caller: Caller | None = None
    code: grpc.StatusCode = grpc.StatusCode.OK
    reason: str | None = None
    started: float = field(default_factory=time.perf_counter)


class ChassisInterceptor(grpc.aio.ServerInterceptor):
    """Wraps every handler but those of gRPC's own services (health, reflection)."""

    def __init__(
        self,
        *,
        verifier: TokenVerifier,
        metrics: RpcMetrics,
        log: structlog.typing.FilteringBoundLogger,
    ) -> None:
        self._verifier, self._metrics, self._log = verifier, metrics, log
        self._wrapped: dict[str, Handler] = {}
        self._draining = asyncio.Event()

    def drain(self) -> None:
        """End the streams, which would otherwise hold up the shutdown for as long as they may."""
        self._draining.set()

    async def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """The wrapped handler of a method, made at its first call."""
        path = handler_call_details.method
        if path in self._wrapped:
            return self._wrapped[path]
        handler = await continuation(handler_call_details)
        if handler is None:
            unknown = partial(self._refuse_unknown, path)
            return grpc.stream_unary_rpc_method_handler(unknown)
        if path.startswith(_STANDARD_SERVICES):
            return handler
        self._wrapped[path] = wrapped = self._wrap(method_of(path), handler)
        return wrapped

    def _wrap(self, method: Method, handler: Handler) -> Handler:
        coding = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        if handler.unary_unary:
            unary = self._unary(method, handler.unary_unary)
            return grpc.unary_unary_rpc_method_handler(unary, **coding)
        if handler.unary_stream:
            streaming = self._streaming(method, handler.unary_stream)
            return grpc.unary_stream_rpc_method_handler(streaming, **coding)
        if handler.stream_unary:
            collecting = partial(self._collect, handler.stream_unary)
            unary = self._unary(method, collecting, has_many_requests=True)
            return grpc.stream_unary_rpc_method_handler(unary, **coding)
        raise NotImplementedError(f"{method.name} streams both ways; nothing here does yet")

    def _unary(self, method: Method, behaviour: Any, *, has_many_requests: bool = False) -> Any:
        duration = self._metrics.duration(method.service, method.name)

        async def serve(request: Any, context: Context) -> Message:
            call = self._begin(method, None if has_many_requests else request, context)
            refusal: CadastreError | None = None
            try:
                self._admit(call, context)
                response: Message = await behaviour(request, context)
                if method.is_dry_run(request):
                    raise DryRunOperation
            except CadastreError as error:
                refusal = error
            except asyncio.CancelledError:
                call.code = grpc.StatusCode.CANCELLED
                raise
            except Exception:  # noqa: BLE001 - the process's edge: told to the log, not the caller
                self._fault(call)
            finally:
                duration.observe(time.perf_counter() - call.started)
                self._end(call, refusal)
            if call.code is not grpc.StatusCode.OK:
                await _abort(context, call, refusal)
            return response

        return serve

    async def _collect(
        self, behaviour: Any, requests: AsyncIterator[Message], context: Context
    ) -> Message:
        """Each request is validated before the handler sees it."""
        async with (
            aclosing(self._until_draining(requests)) as coming,
            aclosing(_validated(coming)) as valid,
        ):
            response: Message = await behaviour(valid, context)
        return response

    def _streaming(self, method: Method, behaviour: Any) -> Any:
        async def serve(request: Message, context: Context) -> AsyncIterator[Message]:
            call = self._begin(method, request, context)
            refusal: CadastreError | None = None
            try:
                self._admit(call, context)
                async for response in self._until_draining(behaviour(request, context)):
                    yield response
            except CadastreError as error:
                refusal = error
            except (asyncio.CancelledError, GeneratorExit):
                call.code = grpc.StatusCode.CANCELLED
                raise
            except Exception:  # noqa: BLE001 - the process's edge: told to the log, not the caller
                self._fault(call)
            finally:
                self._end(call, refusal)
            if call.code is not grpc.StatusCode.OK:
                await _abort(context, call, refusal)

        return serve

    async def _until_draining(
        self, messages: AsyncIterator[Message]
    ) -> AsyncGenerator[Message, None]:
        draining = asyncio.ensure_future(self._draining.wait())
        following = asyncio.ensure_future(anext(messages, None))
        try:
            while True:
                await asyncio.wait((following, draining), return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    raise ServiceUnavailable("The service is stopping; resume with another")
                if (message := following.result()) is None:
                    return
                following = asyncio.ensure_future(anext(messages, None))
                yield message
        finally:
            # Also when the client has gone: its handler must not wait on for what nobody hears.
            draining.cancel()
            following.cancel()
            await asyncio.gather(draining, following, return_exceptions=True)

    async def _refuse_unknown(self, path: str, _requests: object, context: Context) -> None:
        """Not told apart in metrics: a client can make up any number of methods."""
        _take_request_id(context)
        code = grpc.StatusCode.UNIMPLEMENTED
        self._log.info("rpc", method=path, code=code.name, request_id=request_id.get())
        await context.abort(code, f"There is no method '{path}'")

    def _begin(self, method: Method, request: Message | None, context: Context) -> _Call:
        metadata = _take_request_id(context)
        self._metrics.in_flight(method.service).inc()
        return _Call(method, tracing.serve(method, metadata, request_id.get()), request)

    def _admit(self, call: _Call, context: Context) -> None:
        """Let a call through to its handler, or refuse it."""
        metadata = dict(context.invocation_metadata() or ())
        authorization = str(metadata.get("authorization", ""))
        if not authorization.startswith(_BEARER):
            raise AuthFailure("The call carries no caller's token ('authorization: Bearer ...')")
        call.caller = self._verifier.caller_of(authorization.removeprefix(_BEARER))
        _check_admitted(call.method, call.caller)
        _caller.set(call.caller)
        if call.request is not None:
            validate(call.request)

    def _fault(self, call: _Call) -> None:
        call.code = grpc.StatusCode.INTERNAL
        self._log.error("rpc failed", exc_info=True, **self._fields(call))

    def _end(self, call: _Call, refusal: CadastreError | None) -> None:
        if refusal is not None:
            call.code, call.reason = code_of(refusal), refusal.reason
        method = call.method
        self._metrics.in_flight(method.service).dec()
        self._metrics.requests(method.service, method.name, call.code.name).inc()
        self._log.info("rpc", **self._fields(call))
        account_id = call.caller.account_id if call.caller else None
        tracing.end(call.span, call.code, reason=call.reason, account_id=account_id)

    def _fields(self, call: _Call) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "method": call.method.name,
            "code": call.code.name,
            "duration_ms": round((time.perf_counter() - call.started) * 1000, 3),
            "request_id": request_id.get(),
        }
        if call.request is not None:
            fields |= call.method.ids(call.request)
        if call.reason:
            fields["reason"] = call.reason
        if call.caller:
            fields["account_id"] = call.caller.account_id
            fields["region"] = call.caller.region
            fields["principal"] = call.caller.principal
        return fields


def _take_request_id(context: Context) -> dict[str, str | bytes]:
    """The call's metadata, whose request id, or else a new one, is this task's from here on."""
    metadata = dict(context.invocation_metadata() or ())
    given = str(metadata.get("x-request-id", ""))
    request_id.set(given if _REQUEST_ID.fullmatch(given) else str(uuid4()))
    context.set_trailing_metadata((("x-request-id", request_id.get()),))
    return metadata


async def _validated(requests: AsyncIterator[Message]) -> AsyncGenerator[Message, None]:
    async for request in requests:
        validate(request)
        yield request


def _check_admitted(method: Method, caller: Caller) -> None:
    if method.admits is Admits.NOBODY:
        raise UnauthorizedOperation(
            f"{method.service} is open to nobody: its contract does not say to whom it is",
            service=method.service,
        )
    if method.admits is Admits.SERVICES and not caller.service:
        raise UnauthorizedOperation(
            f"{method.service} is for Cadastre's own services", service=method.service
        )


async def _abort(context: Context, call: _Call, refusal: CadastreError | None) -> None:
    if refusal is None:
        text = f"Internal error; the log has the details under request id {request_id.get()}"
        await context.abort(call.code, text)
    else:
        trailers = ((DETAILS_KEY, details_of(refusal)), ("x-request-id", request_id.get()))
        await context.abort(call.code, refusal.message, trailers)
