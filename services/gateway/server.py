"""Wiring: the HTTP listener in front, the contexts' channels behind."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Self

import uvicorn
from starlette.applications import Starlette
from structlog.typing import FilteringBoundLogger
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cadastre.control.v1 import authorization_service_pb2 as pb
from services.gateway.app import AwsEndpoint, application
from services.gateway.authorization.authorizer import Authorizer
from services.gateway.authorization.following import Follower
from services.gateway.authorization.organizations import Organizations
from services.gateway.clients import Services
from services.gateway.cloudtrail import CloudTrailProtocol
from services.gateway.cloudwatch import cloudwatch_protocols
from services.gateway.console.application import Console
from services.gateway.console.assets import Assets
from services.gateway.console.attempts import Attempts
from services.gateway.console.pages import Pages
from services.gateway.console.repeats import Repeats
from services.gateway.console.sections import SECTIONS
from services.gateway.console.sessions import SessionCookies
from services.gateway.credentials import Credentials
from services.gateway.documents.endpoint import DocumentProtocol
from services.gateway.documents.errors import (
    COST_EXPLORER_CODES,
    ORGANIZATIONS_CODES,
    RAM_CODES,
)
from services.gateway.ec2.endpoint import Ec2Protocol
from services.gateway.following_users import UserFollower
from services.gateway.identities import Identities
from services.gateway.model import load_model
from services.gateway.protocols import Protocols
from services.gateway.query.endpoint import QueryProtocol
from services.gateway.query.errors import IAM_CODES
from services.gateway.roles import Roles
from services.gateway.routes import (
    COST_EXPLORER_FILES,
    IAM_FILES,
    ORGANIZATIONS_FILES,
    RAM_FILES,
    rpcs_by_action,
)
from services.gateway.sessions import SessionTokens
from services.gateway.snapshots import Snapshot
from services.gateway.sts import StsProtocol
from services.gateway.telemetry import Telemetry
from services.gateway.users import Users
from shared.encryption_keys import EncryptionKeys, load_encryption_keys
from shared.errors import StartFailed
from shared.identity import TokenSigner, load_secret
from shared.rpc.background import background
from shared.rpc.client import Remote
from shared.settings import Context, Settings
from shared.telemetry import logger

MAX_HEAD_BYTES = 64 << 10

# Longer than a client waits between the looks at a state it polls.
_KEEP_ALIVE_SECONDS = 60

_CONTEXTS: tuple[Context, ...] = (
    "control_plane",
    "allocation",
    "network",
    "discovery",
    "metrics",
)


class AddressTaken(StartFailed):
    """The HTTP listener can't have its address."""


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway that takes requests."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@asynccontextmanager
async def running(
    settings: Settings, log: FilteringBoundLogger | None = None
) -> AsyncIterator[Running]:
    """Serve; on leaving, stop listening and let running requests end.

    Raises:
        StartFailed: access keys, identity secret, encryption keys or contracts are not as they must
            be, or the address can't be listened on.
    """
    log = log or logger("gateway")
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(_application(settings, log))
        listener = stack.enter_context(_listen(settings.host, settings.port_of("gateway")))
        server = _Server(_config(app, settings))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        gateway = Running(settings.host, listener.getsockname()[1])
        log.info("serving", url=gateway.url)
        try:
            yield gateway
        finally:
            server.should_exit = True
            await serving
            log.info("stopped")


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the control plane told, kept for the next start."""

    organizations: Snapshot[pb.OrganizationPolicies]
    users: Snapshot[pb.AccountUsers]

    @classmethod
    def of(
        cls,
        settings: Settings,
        keys: EncryptionKeys,
        log: FilteringBoundLogger,
        clock: Callable[[], datetime],
    ) -> Self:
        folder = settings.data / "gateway"
        return cls(
            Snapshot(folder / "organizations", pb.OrganizationPolicies, keys, log, clock=clock),
            Snapshot(folder / "users", pb.AccountUsers, keys, log, clock=clock),
        )


@asynccontextmanager
async def _application(settings: Settings, log: FilteringBoundLogger) -> AsyncIterator[Starlette]:
    credentials = Credentials(settings.credentials_path, log)
    signer = TokenSigner(load_secret(settings.identity_secret_path))
    keys = load_encryption_keys(settings.encryption_key_path)
    tokens = SessionTokens(keys)
    telemetry = Telemetry()
    async with AsyncExitStack() as stack:
        remotes = {
            context: await stack.enter_async_context(Remote.to(context, settings, signer))
            for context in _CONTEXTS
        }
        clock = partial(datetime.now, UTC)
        organizations, users = Organizations(), Users()
        kept = _Kept.of(settings, keys, log, clock)
        follower = Follower(remotes["control_plane"], organizations, kept.organizations, log)
        user_follower = UserFollower(remotes["control_plane"], users, kept.users, log)
        await stack.enter_async_context(
            background(
                kept.organizations.run(), kept.users.run(), follower.run(), user_follower.run()
            )
        )
        authorizer = Authorizer(organizations, log, clock=clock)
        services = Services(remotes, authorizer, log)
        roles = Roles(authorizer, organizations)
        sts = StsProtocol(load_model("sts"), roles, tokens, clock=clock)
        identities = Identities(credentials, users, tokens, roles, clock=clock)
        trail = CloudTrailProtocol(services)
        protocols = _protocols(services, sts, trail)
        endpoint = AwsEndpoint(protocols, identities, telemetry, log)
        assets = Assets()
        console = Console(
            services=services,
            trail=trail,
            identities=identities,
            cookies=SessionCookies(keys),
            attempts=Attempts(clock),
            repeats=Repeats(clock),
            assets=assets,
            pages=Pages(assets, SECTIONS),
            sections=SECTIONS,
            telemetry=telemetry,
            log=log,
        )
        yield application(endpoint, services, telemetry, console)


def _protocols(services: Services, sts: StsProtocol, trail: CloudTrailProtocol) -> Protocols:
    costs = rpcs_by_action(COST_EXPLORER_FILES)
    organizations, ram = rpcs_by_action(ORGANIZATIONS_FILES), rpcs_by_action(RAM_FILES)
    ec2 = Ec2Protocol(load_model("ec2"), services)
    return Protocols(
        {
            "ce": DocumentProtocol(load_model("ce"), costs, COST_EXPLORER_CODES, services),
            "cloudtrail": trail,
            "ec2": ec2,
            "iam": QueryProtocol(load_model("iam"), rpcs_by_action(IAM_FILES), IAM_CODES, services),
            # What it is called where requests are signed.
            "monitoring": cloudwatch_protocols(services),
            "organizations": DocumentProtocol(
                load_model("organizations"), organizations, ORGANIZATIONS_CODES, services
            ),
            "ram": DocumentProtocol(load_model("ram"), ram, RAM_CODES, services),
            "sts": sts,
        },
        of_forms=ec2,
    )


def _config(app: Starlette, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_BoundedHeadProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=round(settings.shutdown_grace_seconds),
    )


@contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise AddressTaken(
            f"{host}:{port} can't be listened on: {error.strerror}; is something else listening"
            " there? CADASTRE_PORT moves all ports"
        ) from error
    with listener:
        yield listener


class _Server(uvicorn.Server):
    """Leaves signals to the process that it is a part of."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class _BoundedHeadProtocol(HttpToolsProtocol):
    """uvicorn's fast parser, which by itself would collect headers without end."""

    _head_bytes = 0
    _is_in_head = True

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head = True

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._head_bytes, self._is_in_head = 0, False

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.send_400_response("The request's head is too large.")
