"""Discovery between the real control plane, ledger and embedded cloud, all in this process."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import EnumDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

# Each makes its messages known.
from cadastre.allocation.v1 import allocation_service_pb2, observation_service_pb2
from cadastre.control.v1 import (
    control_service_pb2,
    policy_service_pb2,
    resource_discovery_service_pb2,
)
from cadastre.discovery.v1 import (
    discovery_service_pb2,
    monitoring_service_pb2,
    prefix_list_resolver_service_pb2,
    snapshot_service_pb2,
    usage_service_pb2,
)
from cadastre.network.v1 import (
    address_service_pb2,
    instance_service_pb2,
    network_service_pb2,
    prefix_list_service_pb2,
    subnet_service_pb2,
)
from services.allocation.server import allocation
from services.control_plane.server import control_plane
from services.discovery.server import discovery
from services.network.server import network
from shared.caller import Caller
from shared.encryption_keys import create_encryption_keys
from shared.identity import TokenSigner, load_secret
from shared.rpc.client import Remote
from shared.rpc.enums import aws_enum_name, enum_number
from shared.rpc.server import running
from shared.settings import Settings
from tests.network.support import settings_for
from tests.postgres import DIALECTS, SCHEMA_PACKAGES, PostgresServer, SqliteFiles
from tests.waiting import eventually

ACCOUNT, HOME, WEST = "123456789012", "us-east-1", "us-west-2"

_FILES = {
    "allocation": (allocation_service_pb2, observation_service_pb2),
    "control_plane": (control_service_pb2, policy_service_pb2, resource_discovery_service_pb2),
    "discovery": (
        discovery_service_pb2,
        monitoring_service_pb2,
        prefix_list_resolver_service_pb2,
        snapshot_service_pb2,
        usage_service_pb2,
    ),
    "network": (
        address_service_pb2,
        instance_service_pb2,
        network_service_pb2,
        prefix_list_service_pb2,
        subnet_service_pb2,
    ),
}
# Of CreateTags and DeleteTags every context has its own: they are asked for by context.
_METHODS: dict[str, tuple[str, MethodDescriptor]] = {
    method.name: (context, method)
    for context, files in _FILES.items()
    for file in files
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


@dataclass(frozen=True)
class World:
    """Calls by RPC name as an account in a region: ``await world("CreateVpc", cidr_block=...)``."""

    remotes: dict[str, Remote]
    settings: Settings
    caller: Caller

    def acting_as(self, account_id: str = ACCOUNT, region: str = HOME) -> "World":
        return replace(self, caller=Caller(account_id, region, "tester"))

    async def __call__(self, rpc: str, **members: Any) -> Any:
        context, method = _METHODS[rpc]
        return await self._call(context, method, self.caller, members)

    async def as_service(self, rpc: str, **members: Any) -> Any:
        """An internal RPC, as a service calls it."""
        context, method = _METHODS[rpc]
        return await self._call(context, method, Caller("", "", "tester", service="local"), members)

    async def tag(self, resource_id: str, **tags: str) -> None:
        """Give a resource of the embedded cloud tags."""
        service = descriptor_pool.Default().FindServiceByName("cadastre.network.v1.NetworkService")
        method = service.methods_by_name["CreateTags"]
        members = {
            "resources": [resource_id],
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
        }
        await self._call("network", method, self.caller, members)

    async def _call(
        self, context: str, method: MethodDescriptor, caller: Caller, members: dict[str, Any]
    ) -> Any:
        call = self.remotes[context].channel.unary_unary(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=GetMessageClass(method.input_type).SerializeToString,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        request = _filled(GetMessageClass(method.input_type)(), members)
        return await self.remotes[context].call(call, request, caller=caller)

    async def create_ipam(self, **members: Any) -> Any:
        """An IPAM that works in both regions, once it is there."""
        members.setdefault("operating_regions", [{"region_name": WEST}])
        ipam = (await self("CreateIpam", **members)).ipam

        async def is_made() -> Any:
            [found] = (await self("DescribeIpams", ipam_ids=[ipam.ipam_id])).ipams
            return found if word(found, "state") == "create-complete" else None

        return await eventually(is_made)

    async def create_pool(self, scope_id: str, *cidrs: str, **members: Any) -> str:
        """A pool with CIDRs, once it is there."""
        members.setdefault("address_family", "ipv4")
        answer = await self("CreateIpamPool", ipam_scope_id=scope_id, **members)
        pool_id: str = answer.ipam_pool.ipam_pool_id

        async def is_made() -> bool:
            [found] = (await self("DescribeIpamPools", ipam_pool_ids=[pool_id])).ipam_pools
            return word(found, "state") == "create-complete"

        await eventually(is_made)
        for cidr in cidrs:
            await self("ProvisionIpamPoolCidr", ipam_pool_id=pool_id, cidr=cidr)
            await eventually(partial(self._is_provisioned, pool_id, cidr))
        return pool_id

    async def _is_provisioned(self, pool_id: str, cidr: str) -> bool:
        found = (await self("GetIpamPoolCidrs", ipam_pool_id=pool_id)).ipam_pool_cidrs
        return any(one.cidr == cidr and word(one, "state") == "provisioned" for one in found)

    async def create_vpc(self, cidr: str | None = None, **members: Any) -> str:
        if cidr:
            members["cidr_block"] = cidr
        vpc_id: str = (await self("CreateVpc", **members)).vpc.vpc_id
        return vpc_id

    async def allocations(self, pool_id: str) -> dict[str, str]:
        """CIDRs that are allocated of a pool, and to what."""
        found = await self("GetIpamPoolAllocations", ipam_pool_id=pool_id)
        return {one.cidr: one.resource_id for one in found.ipam_pool_allocations}

    async def resource_cidrs(self, scope_id: str, **members: Any) -> dict[tuple[str, str], Any]:
        """What an IPAM monitors in a scope, by resource and CIDR."""
        found = await self("GetIpamResourceCidrs", ipam_scope_id=scope_id, **members)
        return {(one.resource_id, one.resource_cidr): one for one in found.ipam_resource_cidrs}

    async def resource_cidr(self, scope_id: str, resource_id: str, **states: str | None) -> Any:
        """A resource's CIDR, once it is in the states that are named."""

        async def as_wanted() -> Any:
            found = await self.resource_cidrs(scope_id, resource_id=resource_id)
            for one in found.values():
                if all(word(one, name) == state for name, state in states.items()):
                    return one
            return None

        return await eventually(as_wanted)

    async def history(self, scope_id: str, cidr: str, **members: Any) -> list[Any]:
        found = await self("GetIpamAddressHistory", cidr=cidr, ipam_scope_id=scope_id, **members)
        return list(found.history_records)

    async def run_pass(self) -> None:
        await self.as_service("RunDiscoveryPass")


def word(record: Any, member: str) -> str | None:
    """An enum member in AWS's word; None when it is absent."""
    enum = record.DESCRIPTOR.fields_by_name[member].enum_type
    return aws_enum_name(enum, getattr(record, member)) if getattr(record, member) else None


@pytest.fixture(params=DIALECTS)
def databases(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_files: SqliteFiles
) -> Iterator[str]:
    """Databases of all contexts, without rows: the test runs on SQLite, then on PostgreSQL."""
    if request.param == "sqlite":
        for context, package in SCHEMA_PACKAGES.items():
            sqlite_files.copy(package, tmp_path / f"{context}.db")
        yield f"sqlite:///{tmp_path}/{{context}}.db"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        with server.databases() as url:
            yield url


@pytest.fixture
async def world(databases: str, tmp_path: Path) -> AsyncIterator[World]:
    async with serving(databases, tmp_path) as found:
        yield found


@asynccontextmanager
async def serving(databases: str, folder: Path, **more: Any) -> AsyncIterator[World]:
    """Everything; ``more`` are settings."""
    more.setdefault("discovery_interval_seconds", 1000)
    settings = settings_for(folder, database_url=databases, **more)
    create_encryption_keys(settings.encryption_key_path)
    signer = TokenSigner(load_secret(settings.identity_secret_path))
    builds = {
        "allocation": allocation,
        "network": network,
        "control_plane": control_plane,
        "discovery": discovery,
    }
    remotes: dict[str, Remote] = {}
    async with AsyncExitStack() as stack:
        stack.enter_context(_noticing_soon())
        for context, build in builds.items():
            server = await stack.enter_async_context(running(context, build, settings))  # type: ignore[arg-type] # one of the contexts
            settings.addresses[context] = server.address  # type: ignore[index] # likewise
            remotes[context] = await stack.enter_async_context(
                Remote(server.address, signer=signer)
            )
        yield World(remotes, settings, Caller(ACCOUNT, HOME, "tester"))


@contextmanager
def _noticing_soon() -> Iterator[None]:
    """What is to be discovered is asked for often."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CADASTRE_DISCOVERY_COVERAGE_INTERVAL_SECONDS", "0.05")
        yield


def _filled(message: Message, members: dict[str, Any]) -> Message:
    for name, value in members.items():
        field = message.DESCRIPTOR.fields_by_name[name]
        if field.message_type is None:
            _set(message, name, value)
        elif field.is_repeated:
            for item in value:
                _filled(getattr(message, name).add(), item)
        elif isinstance(value, dict):
            nested = getattr(message, name)
            nested.SetInParent()
            _filled(nested, value)
        else:
            getattr(message, name).CopyFrom(value)
    return message


def _set(message: Message, name: str, value: Any) -> None:
    field = message.DESCRIPTOR.fields_by_name[name]
    if field.is_repeated:
        getattr(message, name).extend(value)
    elif field.enum_type is not None:
        enum = cast(EnumDescriptor, field.enum_type)
        setattr(message, name, enum_number(enum, value))
    else:
        setattr(message, name, value)
