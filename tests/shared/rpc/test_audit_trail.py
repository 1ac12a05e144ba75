"""What accounts change is on record, and told to them (ORG-10)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from google.protobuf.message import Message

from cadastre.allocation.v1 import allocation_service_pb2 as allocation_pb
from cadastre.allocation.v1 import batch_service_pb2 as batch_pb
from cadastre.common.v1 import audit_trail_service_pb2 as pb
from cadastre.common.v1 import audit_trail_service_pb2_grpc
from cadastre.network.v1 import network_service_pb2 as network_pb
from cadastre.network.v1 import network_service_pb2_grpc as network_grpc
from cadastre.network.v1 import vpc_pb2
from shared.audit import AuditEvent, AuditQuery
from shared.caller import Caller
from shared.errors import CadastreError, InvalidParameterValue
from shared.identity import TokenSigner
from shared.rpc.audit_trail import EventsAfter, ResourceNames, audited
from shared.rpc.client import Remote
from shared.rpc.server import Binding, Build, Runtime
from shared.settings import Settings
from tests.shared.rpc.conftest import Serve
from tests.waiting import eventually

ALICE = Caller("123456789012", "us-east-1", "arn:aws:iam::123456789012:user/alice")
VPC = "vpc-00000000000000001"


class Network(network_grpc.NetworkServiceServicer):
    async def CreateVpc(
        self, request: network_pb.CreateVpcRequest, _context: object
    ) -> network_pb.CreateVpcResponse:
        return network_pb.CreateVpcResponse(vpc=vpc_pb2.Vpc(vpc_id=VPC))

    async def DeleteVpc(
        self, request: network_pb.DeleteVpcRequest, _context: object
    ) -> network_pb.DeleteVpcResponse:
        raise InvalidParameterValue("no", parameter="vpcId")

    async def ModifyVpcAttribute(
        self, request: network_pb.ModifyVpcAttributeRequest, _context: object
    ) -> network_pb.ModifyVpcAttributeResponse:
        raise RuntimeError("the password is swordfish")

    async def DisassociateVpcCidrBlock(
        self, request: network_pb.DisassociateVpcCidrBlockRequest, _context: object
    ) -> network_pb.DisassociateVpcCidrBlockResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async def DescribeVpcs(
        self, request: network_pb.DescribeVpcsRequest, _context: object
    ) -> network_pb.DescribeVpcsResponse:
        return network_pb.DescribeVpcsResponse()


class Notes:
    """A trail in memory."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []

    def record(self, event: AuditEvent) -> None:
        self.events.append(event)

    async def ask(self, query: AuditQuery, question: Callable[[EventsAfter], Any]) -> Any:
        newest_first = [
            (str(number), event)
            for number, event in reversed(list(enumerate(self.events)))
            if matches(query, event)
        ]
        return question(
            lambda after: ((k, e) for k, e in newest_first if after is None or int(k) < int(after))
        )


def matches(query: AuditQuery, event: AuditEvent) -> bool:
    """As far as these tests ask."""
    return query.event_name in (None, event.event_name) and (
        query.resource_name is None or query.resource_name in event.resource_names
    )


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def build(notes: Notes) -> Build:
    @asynccontextmanager
    async def build(_runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        binding = Binding(
            network_grpc.add_NetworkServiceServicer_to_server,
            Network(),  # type: ignore[abstract]  # the rest of the contract is of no interest
            "cadastre.network.v1.NetworkService",
        )
        yield audited([binding], notes)

    return build


@pytest.fixture
async def remote(
    serve: Serve, settings: Settings, signer: TokenSigner, build: Build
) -> AsyncIterator[Remote]:
    async with (
        serve("network", build, settings) as server,
        Remote(server.address, signer=signer) as remote,
    ):
        yield remote


async def call(remote: Remote, name: str, caller: Caller = ALICE, **members: Any) -> Any:
    stub: Any = network_grpc.NetworkServiceStub(remote.channel)
    request = getattr(network_pb, f"{name}Request")(**members)
    return await remote.call(getattr(stub, name), request, caller=caller)


async def lookup(remote: Remote, caller: Caller = ALICE, **members: Any) -> Any:
    stub = audit_trail_service_pb2_grpc.AuditTrailServiceStub(remote.channel)
    as_service = Caller(caller.account_id, caller.region, caller.principal, "gateway")
    request = pb.LookupEventsRequest(**members)
    return await remote.call(stub.LookupEvents, request, caller=as_service)


async def test_a_change_is_on_record_with_who_what_and_whereupon(
    remote: Remote, notes: Notes
) -> None:
    await call(remote, "CreateVpc", ipv4_ipam_pool_id="ipam-pool-00000001", ipv4_netmask_length=24)
    [event] = notes.events
    shown = (event.event_source, event.event_name, event.account_id, event.region, event.principal)
    assert shown == (
        "ec2.amazonaws.com",
        "CreateVpc",
        ALICE.account_id,
        "us-east-1",
        ALICE.principal,
    )
    assert event.resource_names == ("ipam-pool-00000001", VPC)
    assert (event.error_code, event.error_message) == ("", "")
    assert event.request_id


async def test_a_refusal_is_on_record_with_its_code(remote: Remote, notes: Notes) -> None:
    with pytest.raises(CadastreError):
        await call(remote, "DeleteVpc", vpc_id=VPC)
    [event] = notes.events
    assert (event.event_name, event.error_code) == ("DeleteVpc", "InvalidParameterValue")
    assert (event.error_message, event.resource_names) == ("no", (VPC,))


async def test_a_fault_is_on_record_without_its_details(remote: Remote, notes: Notes) -> None:
    stub = network_grpc.NetworkServiceStub(remote.channel)
    request = network_pb.ModifyVpcAttributeRequest(vpc_id=VPC)
    with pytest.raises(Exception, match="Internal error"):
        await remote.call(stub.ModifyVpcAttribute, request, caller=ALICE)
    [event] = notes.events
    assert (event.error_code, event.error_message) == ("InternalError", "")


@pytest.mark.parametrize(
    ("message", "names"),
    [
        pytest.param(
            batch_pb.BatchAllocateIpamPoolCidrsRequest(
                requests=[
                    allocation_pb.AllocateIpamPoolCidrRequest(ipam_pool_id=pool, client_token="t")
                    for pool in ("ipam-pool-1", "ipam-pool-2", "ipam-pool-1")
                ]
            ),
            ["ipam-pool-1", "ipam-pool-2"],
            id="of each request of a batch",
        ),
        pytest.param(
            network_pb.CreateTagsRequest(resources=["vpc-1", "vpc-2"]),
            ["vpc-1", "vpc-2"],
            id="tagged",
        ),
        pytest.param(network_pb.CreateVpcRequest(cidr_block="10.0.0.0/24"), [], id="none"),
    ],
)
def test_resources_are_named_once_each(message: Message, names: list[str]) -> None:
    message_type: Any = message.DESCRIPTOR
    assert ResourceNames(message_type).of(message) == names


async def test_who_goes_away_leaves_a_trace(remote: Remote, notes: Notes) -> None:
    stub = network_grpc.NetworkServiceStub(remote.channel)
    request = network_pb.DisassociateVpcCidrBlockRequest(association_id="vpc-cidr-assoc-00000001")
    with pytest.raises(CadastreError):
        await remote.call(stub.DisassociateVpcCidrBlock, request, caller=ALICE, timeout_seconds=0.2)

    async def noted() -> bool:
        return bool(notes.events)

    await eventually(noted)
    [event] = notes.events
    assert (event.event_name, event.error_code) == ("DisassociateVpcCidrBlock", "RequestCancelled")


async def test_reading_leaves_no_trace(remote: Remote, notes: Notes) -> None:
    await call(remote, "DescribeVpcs")
    assert notes.events == []


async def test_events_are_told_in_pages_newest_first(remote: Remote, notes: Notes) -> None:
    for number in range(1, 6):
        await call(remote, "CreateVpc", ipv4_ipam_pool_id=f"ipam-pool-0000000{number}")
    first = await lookup(remote, max_results=3)
    second = await lookup(remote, max_results=3, next_token=first.next_token)
    told = [event.resource_names[0] for event in (*first.events, *second.events)]
    assert told == [f"ipam-pool-0000000{number}" for number in (5, 4, 3, 2, 1)]
    assert not second.HasField("next_token")
    rest = await lookup(remote, max_results=3, next_token=first.events[0].next_token)
    assert list(rest.events) == [*first.events[1:], second.events[0]]


async def test_events_are_looked_up_by_what_they_are_about(remote: Remote) -> None:
    for number in (1, 2):
        await call(remote, "CreateVpc", ipv4_ipam_pool_id=f"ipam-pool-0000000{number}")
    found = await lookup(remote, resource_name="ipam-pool-00000001", event_name="CreateVpc")
    assert [list(event.resource_names) for event in found.events] == [["ipam-pool-00000001", VPC]]


async def test_what_was_refused_elsewhere_can_be_put_on_record(
    remote: Remote, notes: Notes
) -> None:
    stub = audit_trail_service_pb2_grpc.AuditTrailServiceStub(remote.channel)
    refusal = pb.RecordRefusalRequest(
        event_name="CreateVpc",
        event_source="ec2.amazonaws.com",
        error_code="UnauthorizedOperation",
        error_message="explicit deny",
        resource_names=["arn:aws:ec2:us-east-1:123456789012:vpc/*"],
    )
    as_service = Caller(ALICE.account_id, ALICE.region, ALICE.principal, "gateway")
    await remote.call(stub.RecordRefusal, refusal, caller=as_service)
    [event] = notes.events
    assert (event.principal, event.error_code) == (ALICE.principal, "UnauthorizedOperation")


async def test_only_services_look_into_the_trail(remote: Remote) -> None:
    stub = audit_trail_service_pb2_grpc.AuditTrailServiceStub(remote.channel)
    with pytest.raises(CadastreError) as refusal:
        await remote.call(stub.LookupEvents, pb.LookupEventsRequest(), caller=ALICE)
    assert refusal.value.reason == "UnauthorizedOperation"
