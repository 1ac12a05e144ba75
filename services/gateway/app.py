"""The HTTP application: AWS's protocols, the console, health and metrics."""

import json
import time
import uuid
from collections.abc import Iterator
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.typing import FilteringBoundLogger

from services.gateway import tracing
from services.gateway.answers import Answer, Call
from services.gateway.clients import Services
from services.gateway.console.application import Console
from services.gateway.errors import INTERNAL_ERROR, RefusedIdentity, RequestTooLarge
from services.gateway.identities import Identities
from services.gateway.identity import Identity
from services.gateway.protocols import Protocols
from services.gateway.sigv4 import Authorization, SignedRequest
from services.gateway.telemetry import MEDIA_TYPE, Telemetry
from shared.caller import Caller
from shared.errors import CadastreError
from shared.telemetry import request_id

MAX_BODY_BYTES = 1 << 20

_OK = "OK"


class AwsEndpoint:
    """Takes a signed request of whatever AWS service, and answers it in that service's way."""

    def __init__(
        self,
        protocols: Protocols,
        identities: Identities,
        telemetry: Telemetry,
        log: FilteringBoundLogger,
    ) -> None:
        self._protocols, self._identities = protocols, identities
        self._telemetry, self._log = telemetry, log

    async def __call__(self, request: Request) -> Response:
        started = time.perf_counter()
        call = Call(str(uuid.uuid4()))
        request_id.set(call.request_id)
        span = tracing.serve(request, call)
        answer, code = await self._answer(request, call)
        seconds = time.perf_counter() - started
        self._telemetry.record(call.action, answer.status, seconds)
        self._log.info(
            "request",
            action=call.action,
            code=code,
            status=int(answer.status),
            duration_ms=round(seconds * 1000, 1),
            account_id=call.caller.account_id,
            region=call.caller.region,
            request_id=call.request_id,
            **call.logged,
        )
        tracing.end(span, request, call, int(answer.status), code)
        headers = {"x-amzn-RequestId": call.request_id, **answer.headers}
        return Response(answer.body, answer.status, headers, answer.media_type)

    async def _answer(self, request: Request, call: Call) -> tuple[Answer, str]:
        protocol = self._protocols.of("", request.headers)
        try:
            authorization = Authorization.parse(request.headers.get("authorization"))
            protocol = self._protocols.of(authorization.service, request.headers)
            call.request = _signed_request(request, await _body(request))
            await self._identify(authorization, call)
            return await protocol.answer(call), _OK
        except RefusedIdentity as refusal:
            call.logged["why"] = refusal.why
            return protocol.refuse(refusal, call.request_id), refusal.reason
        except CadastreError as refusal:
            return protocol.refuse(refusal, call.request_id), refusal.reason
        except ClientDisconnect:
            return Answer(b"", "", HTTPStatus.BAD_REQUEST), "ClientDisconnect"
        except Exception:  # noqa: BLE001 - the process's edge: told to the log, not the client
            self._log.error(
                "request failed",
                exc_info=True,
                action=call.action,
                request_id=call.request_id,
            )
            return protocol.fault(call.request_id), INTERNAL_ERROR

    async def _identify(self, authorization: Authorization, call: Call) -> None:
        # Whose it claims to be, until that is proved.
        call.logged["access_key_id"] = authorization.access_key_id
        call.identity = identity = await self._identities.of(authorization, call.request)
        call.caller = Caller(identity.account_id, authorization.region, identity.principal)
        call.logged = dict(_trace_of(identity, authorization))


def application(
    endpoint: AwsEndpoint, services: Services, telemetry: Telemetry, console: Console
) -> Starlette:
    """Everything the gateway serves."""

    async def healthz(_: Request) -> Response:
        not_serving = await services.not_serving()
        body = {"status": "unavailable" if not_serving else "ok", "not_serving": not_serving}
        status = HTTPStatus.SERVICE_UNAVAILABLE if not_serving else HTTPStatus.OK
        return Response(json.dumps(body), status, media_type="application/json")

    async def metrics(_: Request) -> Response:
        return Response(telemetry.exposition(), media_type=MEDIA_TYPE)

    async def aws(request: Request) -> Response:
        return await endpoint(request)

    return Starlette(
        routes=[
            Route("/healthz", healthz, methods=["GET"]),
            Route("/metrics", metrics, methods=["GET"]),
            *console.routes(),
            # REST protocols have paths of their own, and delete by DELETE.
            Route("/{path:path}", aws, methods=["DELETE", "POST"]),
        ]
    )


def _trace_of(identity: Identity, authorization: Authorization) -> Iterator[tuple[str, str]]:
    """By what whoever signed is found again: a session's calls by the key that it came of."""
    yield "principal", identity.principal
    yield "access_key_id", identity.access_key_id
    if identity.is_session:
        yield "session_access_key_id", authorization.access_key_id
    if identity.role_arn:
        yield "role", identity.role_arn


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise RequestTooLarge(f"The request body has more than {MAX_BODY_BYTES} bytes")
    return bytes(body)


def _signed_request(request: Request, body: bytes) -> SignedRequest:
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    # Headers are read as Latin-1, where every byte is a character; so are these.
    path, query = (request.scope[part].decode("latin-1") for part in ("raw_path", "query_string"))
    return SignedRequest(request.method, path, query, headers, body)
