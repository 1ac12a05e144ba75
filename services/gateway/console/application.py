"""The console: routes, signing in and out, and the frame in which every page is made."""

import hmac
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TypeAlias
from urllib.parse import parse_qsl, urlencode

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from structlog.typing import FilteringBoundLogger

from services.gateway import tracing
from services.gateway.answers import Call
from services.gateway.clients import Services
from services.gateway.cloudtrail import CloudTrailProtocol
from services.gateway.console.actions import CSRF_FIELD, Action
from services.gateway.console.advice import Refusal, refusal_of
from services.gateway.console.api import Api
from services.gateway.console.assets import Assets
from services.gateway.console.attempts import Attempts
from services.gateway.console.pages import Pages
from services.gateway.console.repeats import Repeats
from services.gateway.console.section import Page, Section
from services.gateway.console.sessions import ConsoleSession, SessionCookies
from services.gateway.console.visit import Visit, url_of
from services.gateway.errors import (
    INTERNAL_ERROR,
    RefusedIdentity,
    RequestTooLarge,
    UnknownAccessKey,
)
from services.gateway.identities import Identities, SignIn
from services.gateway.telemetry import Telemetry
from shared.aws_regions import known_regions
from shared.caller import Caller
from shared.errors import CadastreError, Denied, Invalid
from shared.telemetry import request_id

COOKIE = "cadastre-console"
DEFAULT_REGION = "us-east-1"
REGIONS: Sequence[str] = sorted(known_regions())

_ACCESS_KEY_ID = re.compile(r"\w{16,128}", re.ASCII)
_LONGEST = timedelta(hours=12)
_MAX_BODY_BYTES = 1 << 18
_MAX_FIELDS = 2000
_FORM = "application/x-www-form-urlencoded"

_Sent: TypeAlias = Mapping[str, Sequence[str]]
_Plain: TypeAlias = Callable[[Request], Awaitable[Response]]
_Handle: TypeAlias = Callable[[Visit, _Sent], Awaitable[Response]]


class ForgedForm(Denied):
    """A form that this browser wasn't given by the console."""

    reason = "ForgedForm"

    def __init__(self) -> None:
        super().__init__(
            "This form didn't come from a page of yours, or is from before you signed in anew."
            " Nothing was done; open the page again"
        )


class UnreadableForm(Invalid):
    """The body is no form, or too much of one."""

    reason = "UnreadableForm"


class UnknownRegion(Invalid):
    """The address names a region that the installation doesn't have."""

    reason = "InvalidRegion"

    def __init__(self, region: str) -> None:
        super().__init__(
            f"There is no region '{region}'; use one of {', '.join(REGIONS)}", region=region
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """Everything below ``/console``."""

    services: Services
    trail: CloudTrailProtocol
    identities: Identities
    cookies: SessionCookies
    attempts: Attempts
    repeats: Repeats
    assets: Assets
    pages: Pages
    sections: Sequence[Section]
    telemetry: Telemetry
    log: FilteringBoundLogger

    def routes(self) -> Sequence[BaseRoute]:
        """Where all of it is found."""
        inside: list[BaseRoute] = []
        for section in self.sections:
            # What can be done comes first: "/pools/create" is no pool's page.
            inside.extend(map(self._action_route, section.actions))
            inside.extend(map(self._page_route, section.pages))
        nowhere = Route("/{path:path}", self._nowhere, methods=["GET", "POST"])
        return [
            Route("/", _to_console, methods=["GET"]),
            Route("/console", _to_console, methods=["GET"]),
            Mount(
                "/console",
                routes=[
                    Route("/static/{digest}/{name}", self.assets.serve, methods=["GET"]),
                    Route("/sign-in", self._plain(self._sign_in), methods=["GET", "POST"]),
                    Route("/sign-out", self._plain(self._sign_out), methods=["POST"]),
                    Route("/switch-role", self._plain(self._switch_role), methods=["POST"]),
                    Route("/", self._home, methods=["GET"]),
                    Mount("/{account_id}/{region}", routes=[*inside, nowhere]),
                    nowhere,
                ],
            ),
        ]

    def _plain(self, handle: _Plain) -> _Plain:
        """A page of nobody in particular: what it raises is told without the frame."""

        async def serve(request: Request) -> Response:
            try:
                return await handle(request)
            except CadastreError as error:
                return self.pages.refusal(refusal_of(error), None, request_id="")
            except ClientDisconnect:
                return Response(status_code=HTTPStatus.BAD_REQUEST)

        return serve

    def _page_route(self, page: Page) -> Route:
        async def show(request: Request) -> Response:
            return await self._serve(request, page.path, lambda visit, _: page.show(visit))

        return Route(page.path, show, methods=["GET"])

    def _action_route(self, action: Action) -> Route:
        async def act(request: Request) -> Response:
            if request.method == "POST":
                return await self._serve(request, action.path, action.take)
            return await self._serve(request, action.path, lambda visit, _: action.show(visit))

        return Route(action.path, act, methods=["GET", "POST"])

    async def _serve(self, request: Request, name: str, handle: _Handle) -> Response:
        """One page: who is it, may they, make it; one line in the log, and counted.

        ``name`` is its path with the parts' names: one of finitely many.
        """
        started = time.perf_counter()
        call = Call(str(uuid.uuid4()), action=f"console {name}")
        request_id.set(call.request_id)
        span = tracing.serve(request, call)
        response, code = await self._answer(request, call, handle)
        seconds = time.perf_counter() - started
        self.telemetry.record(call.action, response.status_code, seconds)
        self.log.info(
            "console",
            action=call.action,
            code=code,
            status=response.status_code,
            duration_ms=round(seconds * 1000, 1),
            account_id=call.caller.account_id,
            region=call.caller.region,
            request_id=call.request_id,
            **call.logged,
        )
        tracing.end(span, request, call, response.status_code, code)
        response.headers["x-amzn-RequestId"] = call.request_id
        response.headers["Server-Timing"] = f"app;dur={seconds * 1000:.1f}"
        return response

    async def _answer(self, request: Request, call: Call, handle: _Handle) -> tuple[Response, str]:
        session = self._session(request)
        visit = None
        try:
            sign_in = session.of_account(request.path_params["account_id"])
            if sign_in is None:
                return self._to_sign_in(request), "SignInNeeded"
            await self._identify(request, sign_in, call)
            visit = self._visit(request, session, call)
            sent: _Sent = {}
            if request.method == "POST":
                sent = await _form_of(request)
                check_form(request, session, sent)
            return await handle(visit, sent), "OK"
        except RefusedIdentity as refusal:
            call.logged["why"] = refusal.why
            return self._to_sign_in(request), refusal.reason
        except CadastreError as error:
            refusal_ = refusal_of(error)
            page = self.pages.refusal(refusal_, visit, request_id=call.request_id)
            return page, error.reason
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST), "ClientDisconnect"
        except Exception:
            # The process's edge: told to the log, not to whoever looks.
            self.log.exception("page failed", action=call.action, request_id=call.request_id)
            page = self.pages.refusal(_FAULT, visit, request_id=call.request_id)
            return page, INTERNAL_ERROR

    async def _identify(self, request: Request, sign_in: SignIn, call: Call) -> None:
        region = request.path_params["region"]
        call.logged["access_key_id"] = sign_in.holder_key_id
        call.identity = identity = await self.identities.of_sign_in(sign_in, region)
        call.caller = Caller(identity.account_id, region, identity.principal)
        call.logged["principal"] = identity.principal

    def _visit(self, request: Request, session: ConsoleSession, call: Call) -> Visit:
        if call.caller.region not in REGIONS:
            raise UnknownRegion(call.caller.region)
        params = {
            name: value
            for name, value in request.path_params.items()
            if name not in ("account_id", "region")
        }
        return Visit(
            call=call,
            session=session,
            api=Api(self.services, self.trail, call),
            renderer=self.pages,
            repeats=self.repeats,
            path=request.url.path,
            params=params,
            query=dict(request.query_params),
            regions=REGIONS,
        )

    async def _sign_in(self, request: Request) -> Response:
        if request.method == "GET":
            return self._sign_in_page(request, request.query_params)
        sent = await _form_of(request)
        given = {name: values[0] for name, values in sent.items() if values}
        session = self._session(request)
        access_key_id = given.get("access_key_id", "").strip()
        try:
            # Nobody is signed in as somebody else by a form of another site.
            check_origin(request)
            if not _ACCESS_KEY_ID.fullmatch(access_key_id):
                raise UnknownAccessKey(why="no access key ID")
            self.attempts.check(access_key_id)
            sign_in = await self.identities.sign_in(
                access_key_id,
                given.get("secret", "").strip(),
                given.get("session_token", "").strip() or None,
                longest=_LONGEST,
            )
        except RefusedIdentity as refusal:
            if _ACCESS_KEY_ID.fullmatch(access_key_id):
                self.attempts.failed(access_key_id)
            self.log.info("not signed in", why=refusal.why, access_key_id=access_key_id[:128])
            return self._sign_in_page(request, given, _NOT_LET_IN)
        except CadastreError as error:
            return self._sign_in_page(request, given, refusal_of(error))
        self.attempts.succeeded(access_key_id)
        self.log.info("signed in", account_id=sign_in.account_id, access_key_id=access_key_id)
        region = given.get("region") or DEFAULT_REGION
        home = url_of(sign_in.account_id, region, "/dashboard")
        next_url = given.get("next", "")
        # Only back into the account that was signed in to, and never out of the console.
        is_inside = next_url.startswith(f"/console/{sign_in.account_id}/")
        response = RedirectResponse(next_url if is_inside else home, HTTPStatus.SEE_OTHER)
        # Forms that are open for other accounts stay good; without any, a token may be planted.
        kept = session if session.sign_ins else ConsoleSession.new()
        return self._keep(request, response, kept.with_sign_in(sign_in))

    async def _switch_role(self, request: Request) -> Response:
        """Into a member account, by the organization's access role."""
        sent = await _form_of(request)
        given = {name: values[0].strip() for name, values in sent.items() if values}
        session = self._session(request)
        account_id, region = given.get("account_id", ""), given.get("region", DEFAULT_REGION)
        check_form(request, session, sent)
        holder = session.of_account(given.get("holder_account_id", ""))
        if holder is None:
            return RedirectResponse("/console/sign-in", HTTPStatus.SEE_OTHER)
        sign_in = await self.identities.sign_in_to_member(holder, account_id, region)
        home = url_of(account_id, region, "/dashboard")
        response = RedirectResponse(home, HTTPStatus.SEE_OTHER)
        return self._keep(request, response, session.with_sign_in(sign_in))

    async def _sign_out(self, request: Request) -> Response:
        sent = await _form_of(request)
        session = self._session(request)
        check_form(request, session, sent)
        account_id = (sent.get("account_id") or [""])[0]
        left = session.without_account(account_id) if account_id else ConsoleSession.new()
        response = RedirectResponse("/console/", HTTPStatus.SEE_OTHER)
        if left.sign_ins:
            return self._keep(request, response, left)
        response.delete_cookie(COOKIE, path="/console", httponly=True, samesite="lax")
        return response

    async def _home(self, request: Request) -> Response:
        session = self._session(request)
        if not session.sign_ins:
            return RedirectResponse("/console/sign-in", HTTPStatus.SEE_OTHER)
        account_id = session.sign_ins[0].account_id
        home = url_of(account_id, DEFAULT_REGION, "/dashboard")
        return RedirectResponse(home, HTTPStatus.SEE_OTHER)

    async def _nowhere(self, _: Request) -> Response:
        return self.pages.refusal(_NOWHERE, None, request_id="")

    def _sign_in_page(
        self, request: Request, given: Mapping[str, str], refusal: Refusal | None = None
    ) -> Response:
        next_url = given.get("next", "")
        parts = next_url.split("/")
        return self.pages.sign_in(
            self._session(request),
            next_url=next_url if next_url.startswith("/console/") else "",
            regions=REGIONS,
            region=given.get("region", DEFAULT_REGION),
            access_key_id=given.get("access_key_id", ""),
            is_unsent=bool(given.get("unsent")),
            account_id=parts[2] if len(parts) > 3 and parts[2].isdecimal() else "",
            refusal=refusal,
        )

    def _to_sign_in(self, request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        back = f"{request.url.path}{query}"
        given = {"next": back}
        if request.method == "POST":
            given["unsent"] = "true"
        url = f"/console/sign-in?{urlencode(given)}"
        return RedirectResponse(url, HTTPStatus.SEE_OTHER)

    def _session(self, request: Request) -> ConsoleSession:
        text = request.cookies.get(COOKIE, "")
        return self.cookies.session_of(text) or ConsoleSession.new()

    def _keep(self, request: Request, response: Response, session: ConsoleSession) -> Response:
        """Have the browser keep ``session``, out of the reach of scripts and other sites."""
        response.set_cookie(
            COOKIE,
            self.cookies.text_of(session),
            max_age=round(_LONGEST.total_seconds()),
            path="/console",
            secure=_is_https(request),
            httponly=True,
            samesite="lax",
        )
        return response


def check_form(
    request: Request, session: ConsoleSession, sent: Mapping[str, Sequence[str]]
) -> None:
    """Make sure that a page of ours, of the same session, sent it.

    Raises:
        ForgedForm: it didn't.
    """
    check_origin(request)
    token = (sent.get(CSRF_FIELD) or [""])[0]
    if not hmac.compare_digest(token.encode(), session.csrf_token.encode()):
        raise ForgedForm


def check_origin(request: Request) -> None:
    """Make sure that no other site sent it, as far as the browser tells.

    Raises:
        ForgedForm: another one did.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ForgedForm
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host", ""):
        raise ForgedForm


async def _to_console(_: Request) -> Response:
    return RedirectResponse("/console/", HTTPStatus.SEE_OTHER)


def _is_https(request: Request) -> bool:
    """Encrypted, perhaps by whoever stands in front of the gateway."""
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", ""))


async def _form_of(request: Request) -> Mapping[str, Sequence[str]]:
    """The fields of a form, each with all its values.

    Raises:
        UnreadableForm, RequestTooLarge: it is none that a page of ours sends.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise RequestTooLarge(f"The form has more than {_MAX_BODY_BYTES} bytes")
    if not request.headers.get("content-type", _FORM).startswith(_FORM):
        raise UnreadableForm(f"Send the form as {_FORM}")
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS
        )
    except ValueError as error:
        raise UnreadableForm(
            f"This is not form data in UTF-8 with at most {_MAX_FIELDS} fields"
        ) from error
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return fields


_NOT_LET_IN = Refusal(
    "AuthFailure",
    "This access key ID and secret don't go together, or the key isn't active",
    "The keys of a local installation are in data/aws/credentials.",
    "",
    HTTPStatus.FORBIDDEN,
)
_NOWHERE = Refusal(
    "NotFound",
    "There is no such page",
    "Begin at the console's first page.",
    "",
    HTTPStatus.NOT_FOUND,
)
_FAULT = Refusal(
    INTERNAL_ERROR,
    "Something went wrong on our side",
    "Try again. If it stays like this, tell the request ID to whoever runs this installation.",
    "",
    HTTPStatus.INTERNAL_SERVER_ERROR,
)
