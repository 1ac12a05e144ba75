"""What accounts do with pools is on record (ORG-10)."""

from typing import Any

import pytest

from cadastre.common.v1 import audit_trail_service_pb2 as pb
from cadastre.common.v1 import audit_trail_service_pb2_grpc
from shared.caller import Caller
from shared.errors import CadastreError
from tests.allocation.world import ACCOUNT, HOME, World
from tests.waiting import eventually


async def test_allocations_and_their_refusals_are_on_record(world: World) -> None:
    pool = await world.pool("10.0.0.0/24")
    held = await world.allocate(pool, netmask_length=26)
    with pytest.raises(CadastreError):
        await world.allocate(pool, cidr=held.cidr)

    async def recorded() -> Any:
        events = await told(world, pool)
        return events if len(events) == 3 else None

    refused, allocated, provisioned = await eventually(recorded)
    assert (refused.event_name, refused.error_code) == (
        "AllocateIpamPoolCidr",
        "InvalidParameterValue",
    )
    assert list(allocated.resource_names) == [pool, held.ipam_pool_allocation_id]
    assert provisioned.event_name == "ProvisionIpamPoolCidr"
    assert {event.principal for event in (refused, allocated, provisioned)} == {"tester"}


async def told(world: World, pool_id: str) -> Any:
    stub = audit_trail_service_pb2_grpc.AuditTrailServiceStub(world.remote.channel)
    request = pb.LookupEventsRequest(resource_name=pool_id)
    caller = Caller(ACCOUNT, HOME, "tester", service="gateway")
    return (await world.remote.call(stub.LookupEvents, request, caller=caller)).events
