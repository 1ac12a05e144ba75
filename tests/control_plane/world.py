"""The context on a real server over a real database, beside a fake ledger."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from cadastre.common.v1 import telemetry_service_pb2, telemetry_service_pb2_grpc
from cadastre.control.v1 import control_service_pb2 as pb
from cadastre.control.v1 import (
    control_service_pb2_grpc,
    inventory_service_pb2,
    inventory_service_pb2_grpc,
)
from services.control_plane.server import control_plane
from shared.caller import Caller
from shared.identity import TokenSigner, load_secret
from shared.rpc.client import Remote
from shared.rpc.enums import aws_enum_name
from shared.rpc.server import Build, running
from shared.settings import Settings
from tests.control_plane.fake_ledger import FakeLedger
from tests.waiting import eventually

on_sqlite_alone = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For rows of a table whose outcome no database has a part in."""

ORGANIZATIONS = "cadastre.control.organizations.v1.OrganizationsService"
IAM = "cadastre.control.iam.v1.IamService"
AUTHORIZATION = "cadastre.control.v1.AuthorizationService"

ACCOUNT, STRANGER = "123456789012", "210987654321"
HOME, WEST = "us-east-1", "us-west-2"
IPV4, IPV6 = "ipv4", "ipv6"


class Client:
    """Calls by name, in AWS's words: ``await client("CreateIpamPool", address_family="ipv4")``."""

    def __init__(
        self,
        remote: Remote,
        account_id: str = ACCOUNT,
        region: str = HOME,
        principal: str = "tester",
    ) -> None:
        self._remote = remote
        self._caller = Caller(account_id=account_id, region=region, principal=principal)
        self._stub = control_service_pb2_grpc.ControlPlaneServiceStub(remote.channel)

    def acting_as(
        self, account_id: str = ACCOUNT, region: str = HOME, principal: str = "tester"
    ) -> "Client":
        return Client(self._remote, account_id, region, principal)

    async def __call__(self, rpc: str, **members: Any) -> Any:
        request = _filled(getattr(pb, f"{rpc}Request")(), members)
        return await self._remote.call(getattr(self._stub, rpc), request, caller=self._caller)

    async def of(self, service: str, rpc: str, **members: Any) -> Any:
        """Like calling the client itself, but an RPC of the service with that full name."""
        request, method = self._of(service, rpc, "unary_unary", members)
        return await self._remote.call(method, request, caller=self._caller)

    def stream_of(
        self, service: str, rpc: str, as_service: str = "local", **members: Any
    ) -> AsyncIterator[Any]:
        """What an RPC that streams answers tells another service."""
        request, method = self._of(service, rpc, "unary_stream", members)
        caller = Caller("", "", "tester", service=as_service)
        return self._remote.stream(method, request, caller=caller)

    def _of(
        self, service: str, rpc: str, arity: str, members: dict[str, Any]
    ) -> tuple[Message, Any]:
        method = descriptor_pool.Default().FindServiceByName(service).methods_by_name[rpc]
        call = getattr(self._remote.channel, arity)(
            f"/{service}/{rpc}",
            request_serializer=GetMessageClass(method.input_type).SerializeToString,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        return _filled(GetMessageClass(method.input_type)(), members), call

    async def inventory(
        self, rpc: str = "ListIpamPools", *, service: str = "local", **members: Any
    ) -> Any:
        """A page of all accounts' pools, or of what ``rpc`` lists, as a service reads it."""
        stub = inventory_service_pb2_grpc.InventoryServiceStub(self._remote.channel)
        request = getattr(inventory_service_pb2, f"{rpc}Request")(**members)
        caller = Caller("", "", "tester", service=service)
        return await self._remote.call(getattr(stub, rpc), request, caller=caller)

    async def metrics(self) -> bytes:
        """The service's own, as the metrics service gathers them."""
        stub = telemetry_service_pb2_grpc.TelemetryServiceStub(self._remote.channel)
        request = telemetry_service_pb2.GetMetricsRequest()
        caller = Caller("", "", "tester", service="metrics")
        exposition: bytes = (
            await self._remote.call(stub.GetMetrics, request, caller=caller)
        ).exposition
        return exposition

    async def create_ipam(self, **members: Any) -> Any:
        members.setdefault("operating_regions", [{"region_name": WEST}])
        return (await self("CreateIpam", **members)).ipam

    async def create_pool(self, scope_id: str, **members: Any) -> Any:
        members.setdefault("address_family", IPV4)
        answer = await self("CreateIpamPool", ipam_scope_id=scope_id, **members)
        return answer.ipam_pool

    async def pool(self, pool_id: str) -> Any:
        [pool] = (await self("DescribeIpamPools", ipam_pool_ids=[pool_id])).ipam_pools
        return pool

    async def ipams(self) -> list[Any]:
        return list((await self("DescribeIpams")).ipams)

    async def scopes(self) -> list[Any]:
        return list((await self("DescribeIpamScopes")).ipam_scopes)

    async def pools(self) -> list[Any]:
        return list((await self("DescribeIpamPools")).ipam_pools)


@dataclass(frozen=True)
class World:
    """What outlives a server: its settings, hence its database, and the ledger."""

    settings: Settings
    ledger: FakeLedger

    @asynccontextmanager
    async def serving(self, build: Build = control_plane) -> AsyncIterator[Client]:
        """A client of a server that ends with the block, as a crash would end it."""
        async with (
            running("control_plane", build, self.settings) as server,
            Remote(server.address, signer=self._signer) as remote,
        ):
            yield Client(remote)

    @property
    def _signer(self) -> TokenSigner:
        return TokenSigner(load_secret(self.settings.identity_secret_path))


def state(record: Any) -> str:
    """A record's state in AWS's word."""
    return aws_enum_name(record.DESCRIPTOR.fields_by_name["state"].enum_type, record.state)


async def settled(client: Client, pool_id: str, wanted: str) -> Any:
    """The pool, once it is in the state ``wanted``."""

    async def as_wanted() -> Any:
        pool = await client.pool(pool_id)
        return pool if state(pool) == wanted else None

    return await eventually(as_wanted)


def _filled(message: Message, members: dict[str, Any]) -> Message:
    for name, value in members.items():
        field = message.DESCRIPTOR.fields_by_name[name]
        if field.enum_type is not None:
            suffix = value.upper().replace("-", "_")
            numbers = {v.name: v.number for v in field.enum_type.values}
            setattr(message, name, next(n for k, n in numbers.items() if k.endswith(f"_{suffix}")))
        elif field.is_repeated and field.message_type is not None:
            for item in value:
                _filled(getattr(message, name).add(), item)
        elif field.is_repeated:
            getattr(message, name).extend(value)
        elif field.message_type is not None:
            nested = getattr(message, name)
            nested.SetInParent()
            _filled(nested, value)
        else:
            setattr(message, name, value)
    return message
