"""Servers and clients for tests that speak gRPC."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from cadastre.common.v1 import types_pb2
from shared.caller import Caller
from shared.identity import TokenSigner, create_secret, load_secret
from shared.rpc.client import Remote
from shared.settings import Settings

T = TypeVar("T")

OWNER, STRANGER, REGION = "123456789012", "210987654321", "us-west-2"
CALLER = Caller(OWNER, REGION, "arn:aws:iam::123456789012:user/tester")
UNKNOWN_VPC = "vpc-00000000000000000"
UNKNOWN_ASSOCIATION = "vpc-cidr-assoc-00000000000000000"
UNKNOWN_POOL = "ipam-pool-00000000000000000"
SERVICE = Caller("", "", "service/discovery", service="discovery")


def settings_for(folder: Path, **values: Any) -> Settings:
    """Free ports, and a signing key that all settings made for ``folder`` share."""
    secret = folder / "secret"
    create_secret(secret)
    return Settings(data=folder, port=0, identity_secret_file=secret, **values)


class Client:
    """One stub of a running service; a request's members are keyword arguments."""

    def __init__(self, address: str, settings: Settings, stub: Callable[[Any], Any]) -> None:
        signer = TokenSigner(load_secret(settings.identity_secret_path))
        self._remote = Remote(address, signer=signer)
        self._stub = stub(self._remote.channel)

    async def call(
        self, request: Any, *, caller: Caller = CALLER, timeout_seconds: float = 20
    ) -> Any:
        """Call the method that ``request`` is for; refusals come out as CadastreError."""
        method = getattr(self._stub, type(request).__name__.removesuffix("Request"))
        return await self._remote.call(
            method, request, caller=caller, timeout_seconds=timeout_seconds
        )

    def stream(self, request: Any, *, caller: Caller = SERVICE) -> Any:
        """Likewise, for methods that stream."""
        method = getattr(self._stub, type(request).__name__.removesuffix("Request"))
        return self._remote.stream(method, request, caller=caller)

    async def close(self) -> None:
        await self._remote.close()


def tagged(resource_type: str = "vpc", /, **tags: str) -> list[types_pb2.TagSpecification]:
    """The member of a creating request that gives the new resource these tags."""
    return [
        types_pb2.TagSpecification(
            resource_type=resource_type,
            tags=[types_pb2.Tag(key=key, value=value) for key, value in tags.items()],
        )
    ]
