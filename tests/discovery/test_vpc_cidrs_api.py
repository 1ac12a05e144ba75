"""What the ledger is told that VPCs have (VPC-3): discovery on both databases, a real ledger."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cadastre.allocation.v1 import observation_service_pb2 as pb
from cadastre.allocation.v1 import observation_service_pb2_grpc
from cadastre.network.v1.inventory_service_pb2 import CidrAssociation
from services.allocation.server import allocation
from shared.rpc.server import running
from shared.settings import Settings
from tests.discovery import fake_network
from tests.discovery.fake_network import FakeNetwork, vpc_cidr
from tests.discovery.support import (
    NEW_VPC,
    OTHER_VPC,
    VPC,
    await_first_pass,
    await_sequence,
    discovery_running,
    run_pass,
)
from tests.network.support import OWNER, REGION, SERVICE, Client, settings_for


class Ledger:
    """What it knows that VPCs have."""

    def __init__(self, address: str, settings: Settings) -> None:
        stub = observation_service_pb2_grpc.ObservationServiceStub
        self.address, self._client = address, Client(address, settings, stub)

    async def know(self, *known: CidrAssociation) -> None:
        seen = [
            pb.VpcCidr(vpc_id=one.resource_id, cidr=one.cidr, owner_id=OWNER, region=REGION)
            for one in known
        ]
        await self._client.call(pb.ReportVpcCidrsRequest(seen=seen), caller=SERVICE)

    async def vpc_cidrs(self) -> list[tuple[str, str]]:
        """Each with its VPC, in the ledger's order."""
        return [(known.vpc_id, known.cidr) for known in await self.records()]

    async def records(self) -> list[pb.VpcCidr]:
        request, found = pb.ListVpcCidrsRequest(), list[pb.VpcCidr]()
        while True:
            page = await self._client.call(request, caller=SERVICE)
            found.extend(page.vpc_cidrs)
            if not page.next_token:
                return found
            request.next_token = page.next_token

    async def close(self) -> None:
        await self._client.close()


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    settings = settings_for(tmp_path)
    async with running("allocation", allocation, settings) as server:
        ledger = Ledger(server.address, settings)
        yield ledger
        await ledger.close()


@pytest.fixture
async def settings(
    ledger: Ledger, network: FakeNetwork, control_plane: str, tmp_path: Path, database_url: str
) -> AsyncIterator[Settings]:
    async with fake_network.serving(network, settings_for(tmp_path)) as address:
        yield settings_for(
            tmp_path,
            database_url=database_url,
            addresses={
                "allocation": ledger.address,
                "network": address,
                "control_plane": control_plane,
            },
            discovery_interval_seconds=1000,
        )


def many(vpc_id: str, count: int) -> list[CidrAssociation]:
    return [vpc_cidr(vpc_id, f"10.{n // 256}.{n % 256}.0/24") for n in range(count)]


async def test_what_a_vpc_got_and_lost_is_told_at_once(  # VPC-3
    settings: Settings, ledger: Ledger, network: FakeNetwork
) -> None:
    lost = vpc_cidr(VPC, "10.0.0.0/16")
    async with discovery_running(settings) as client:
        await await_first_pass(client)
        await await_sequence(client, network.gain(lost, vpc_cidr(VPC, "2001:db8::/56")))
        assert await ledger.records() == [
            pb.VpcCidr(vpc_id=VPC, cidr=cidr, owner_id=OWNER, region=REGION)
            for cidr in ("10.0.0.0/16", "2001:db8::/56")
        ]
        await await_sequence(client, network.lose(lost))
        assert await ledger.vpc_cidrs() == [(VPC, "2001:db8::/56")]


async def test_what_came_and_went_meanwhile_is_gone(  # VPC-3
    settings: Settings, ledger: Ledger, network: FakeNetwork
) -> None:
    passing, back = many(VPC, 600), vpc_cidr(OTHER_VPC, "10.0.0.0/16")
    network.gain(*passing, back)
    network.lose(*passing, back)
    async with discovery_running(settings) as client:
        await await_sequence(client, network.gain(back))
        assert await ledger.vpc_cidrs() == [(OTHER_VPC, "10.0.0.0/16")]


async def test_only_vpcs_with_a_complete_block_are_told_of(  # VPC-3
    settings: Settings, ledger: Ledger, network: FakeNetwork
) -> None:
    others = [
        vpc_cidr("subnet-00000000000000001", "10.0.0.0/24", resource_type="subnet"),
        vpc_cidr("eipalloc-00000000000000001", "198.18.0.1/32", resource_type="eip"),
        vpc_cidr(
            "ipv4pool-ec2-00000000000000001", "192.0.2.0/24", resource_type="ec2-public-ipv4-pool"
        ),
        vpc_cidr(VPC, ""),
    ]
    async with discovery_running(settings) as client:
        await await_sequence(client, network.gain(*others))
        await run_pass(client)
        assert await ledger.vpc_cidrs() == []
        await await_sequence(client, network.lose(*others))


async def test_a_pass_leaves_the_ledger_with_exactly_what_vpcs_have(  # VPC-3, DISC-6
    settings: Settings, ledger: Ledger, network: FakeNetwork
) -> None:
    async with discovery_running(settings) as client:
        await await_first_pass(client)
        kept, gone, unknown = many(VPC, 500), many(OTHER_VPC, 1200), many(NEW_VPC, 1200)
        await ledger.know(*kept, *gone[:400])
        await ledger.know(*gone[400:])
        network.associations = {one.association_id: one for one in kept + unknown}
        await run_pass(client)
        assert await ledger.vpc_cidrs() == [(one.resource_id, one.cidr) for one in kept + unknown]


async def test_a_pass_takes_back_what_went_while_it_compared(  # VPC-3, DISC-6
    settings: Settings, ledger: Ledger, network: FakeNetwork
) -> None:
    lost = vpc_cidr(VPC, "10.0.0.0/16")
    network.associations = {lost.association_id: lost}
    looks = 0

    def lose_after_the_first_look() -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            network.associations = {}

    network.around_list = lose_after_the_first_look
    async with discovery_running(settings) as client:
        await await_first_pass(client)
        assert await ledger.vpc_cidrs() == []
