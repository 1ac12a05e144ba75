"""All services with a contract, in one process over SQLite."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.allocation.server import allocation
from services.control_plane.server import control_plane
from services.discovery.server import discovery
from services.metrics.server import metrics
from services.network.server import network
from shared.encryption_keys import create_encryption_keys
from shared.identity import TokenSigner, create_secret
from shared.rpc.server import Build, running
from shared.settings import Context, GrpcContext, Settings
from tests.authorization.api import Answer, Api, api_at
from tests.authorization.callers import HOME, bearer

# Each after those that it calls.
_BUILDS: Mapping[GrpcContext, Build] = {
    "allocation": allocation,
    "network": network,
    "control_plane": control_plane,
    "discovery": discovery,
    "metrics": metrics,
}
_OF_SEVERAL = {
    "cadastre.common.v1.AuditTrailService": ("allocation", "control_plane", "network"),
    "cadastre.common.v1.TelemetryService": tuple(_BUILDS),
    "cadastre.common.quotas.v1.QuotaService": ("control_plane", "network", "discovery", "metrics"),
    "cadastre.common.tags.v1.TagService": ("control_plane", "allocation", "network", "discovery"),
}
_CONTEXT_OF_PACKAGE = {"control": "control_plane"}


@dataclass(frozen=True)
class Installation:
    """The running services, and the key that their callers' tokens are signed with."""

    secret: bytes
    apis: Mapping[str, Api]
    signer: TokenSigner

    def proof_of(self, account_id: str, region: str = HOME) -> str:
        """What an account shows to be let in."""
        return bearer(self.signer, account_id, region)

    async def ask(
        self, path: str, members: Mapping[str, Any], authorization: str, *, until: str = ""
    ) -> Answer:
        """What ``path``, such as ``network.v1.NetworkService/CreateVpc``, answers.

        Of several that serve it, the first one.
        """
        service, rpc = f"cadastre.{path}".split("/")
        context, *_ = contexts_of(service)
        return await self.apis[context].ask(service, rpc, members, authorization, until=until)

    async def do(self, account_id: str, path: str, *, region: str = HOME, **members: Any) -> Any:
        """The same, from an account for which it has to be done."""
        answer = await self.ask(path, members, self.proof_of(account_id, region))
        assert answer.code == "OK", f"{path} {members}: {answer}"
        return answer.responses[0]


def contexts_of(service: str) -> tuple[str, ...]:
    """Those that serve it."""
    package = service.split(".")[1]
    return _OF_SEVERAL.get(service, (_CONTEXT_OF_PACKAGE.get(package, package),))


@asynccontextmanager
async def installation(folder: Path) -> AsyncIterator[Installation]:
    settings = Settings(data=folder, port=0, shutdown_grace_seconds=1)
    secret = create_secret(settings.identity_secret_path)
    create_encryption_keys(settings.encryption_key_path)
    addresses: dict[Context, str] = {}
    apis: dict[str, Api] = {}
    async with AsyncExitStack() as stack:
        for context, build in _BUILDS.items():
            wired = settings.model_copy(update={"addresses": dict(addresses)})
            server = await stack.enter_async_context(running(context, build, wired))
            addresses[context] = server.address
            apis[context] = await stack.enter_async_context(api_at(server.address))
        yield Installation(secret, apis, TokenSigner(secret))
