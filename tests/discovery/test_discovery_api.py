"""Discovery through gRPC, on both databases, with network and ledger as servers of their own."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from cadastre.allocation.v1 import ledger_service_pb2
from cadastre.discovery.v1 import discovery_service_pb2 as pb
from shared.errors import CadastreError
from shared.settings import Settings
from tests.acceptance.installation import free_base_port
from tests.discovery import fake_allocation, fake_network
from tests.discovery.fake_allocation import FakeObservations
from tests.discovery.fake_network import GAINED, LOST, FakeNetwork, vpc_cidr
from tests.discovery.support import (
    VPC,
    await_first_pass,
    await_sequence,
    discovery_running,
    run_pass,
    status,
)
from tests.network.fake_ledger import FakeLedger
from tests.network.support import CALLER, settings_for
from tests.waiting import eventually


@pytest.fixture
async def ledger() -> FakeLedger:
    return FakeLedger()  # type: ignore[abstract] # all that this context calls is there


@pytest.fixture
async def observations() -> FakeObservations:
    return FakeObservations()


@pytest.fixture
async def settings(
    ledger: FakeLedger,
    observations: FakeObservations,
    network: FakeNetwork,
    control_plane: str,
    tmp_path: Path,
    database_url: str,
) -> AsyncIterator[Settings]:
    own = settings_for(tmp_path)
    async with (
        fake_allocation.serving(ledger, observations, own) as allocation,
        fake_network.serving(network, own) as address,
    ):
        yield settings_for(
            tmp_path,
            database_url=database_url,
            addresses={
                "allocation": allocation,
                "network": address,
                "control_plane": control_plane,
            },
            discovery_interval_seconds=1000,
        )


def allocate(ledger: FakeLedger, association_id: str) -> str:
    """Put an allocation into the ledger; its id."""
    allocation_id = f"ipam-pool-alloc-{uuid4().hex}"
    ledger.allocations[allocation_id] = ledger_service_pb2.ResourceAllocation(
        ipam_pool_allocation_id=allocation_id, client_token=association_id
    )
    return allocation_id


async def test_what_a_resource_lost_is_released_at_once(  # VPC-2, BEY-1
    settings: Settings, ledger: FakeLedger, network: FakeNetwork
) -> None:
    lost, kept = allocate(ledger, "lost"), allocate(ledger, "kept")
    network.hold("lost", "kept")
    async with discovery_running(settings) as client:
        network.tell(GAINED, lost)
        network.tell(GAINED, kept)
        network.tell(LOST, lost)
        await await_sequence(client, network.tell(LOST))
        assert set(ledger.allocations) == {kept}


async def test_a_restart_goes_on_after_the_last_change_acted_on(
    settings: Settings, network: FakeNetwork
) -> None:
    async with discovery_running(settings) as client:
        await await_sequence(client, network.tell(GAINED))
    network.tell(LOST, f"ipam-pool-alloc-{uuid4().hex}")
    async with discovery_running(settings) as client:
        await await_sequence(client, 2)
    assert network.asked_after == [0, 1]


async def test_changes_are_acted_on_when_network_comes_back(  # BEY-1
    ledger: FakeLedger, network: FakeNetwork, tmp_path: Path, database_url: str
) -> None:
    port = free_base_port()
    settings = settings_for(
        tmp_path, database_url=database_url, addresses={"network": f"127.0.0.1:{port + 3}"}
    )
    at_port = settings.model_copy(update={"port": port})
    async with fake_allocation.serving(ledger, FakeObservations(), settings) as allocation:
        settings.addresses["allocation"] = allocation
        async with discovery_running(settings) as client:
            async with fake_network.serving(network, at_port):
                await await_sequence(client, network.tell(GAINED))
            lost = allocate(ledger, "lost")
            with pytest.raises(CadastreError):
                await run_pass(client)
            network.tell(LOST, lost)
            async with fake_network.serving(network, at_port):
                await await_sequence(client, 2)
    assert ledger.allocations == {}


async def test_a_change_the_ledger_did_not_hear_of_is_told_again(  # BEY-1, VPC-3
    ledger: FakeLedger,
    observations: FakeObservations,
    network: FakeNetwork,
    tmp_path: Path,
    database_url: str,
) -> None:
    port = free_base_port()
    settings = settings_for(
        tmp_path, database_url=database_url, addresses={"allocation": f"127.0.0.1:{port + 2}"}
    )
    lost = allocate(ledger, "lost")
    async with fake_network.serving(network, settings) as address:
        settings.addresses["network"] = address
        async with discovery_running(settings) as client:
            network.tell(LOST, lost)
            network.gain(vpc_cidr(VPC, "10.0.0.0/16"))
            at_port = settings.model_copy(update={"port": port})
            async with fake_allocation.serving(ledger, observations, at_port):
                await await_sequence(client, 2)
    assert ledger.allocations == {}
    assert observations.vpc_cidrs == {(VPC, "10.0.0.0/16")}


async def test_a_pass_releases_exactly_what_nobody_has(  # DISC-6, BEY-1
    settings: Settings, ledger: FakeLedger, network: FakeNetwork
) -> None:
    async with discovery_running(settings) as client:
        await await_first_pass(client)
        kept = {allocate(ledger, f"kept-{n}") for n in range(2500)}
        network.hold(*(f"kept-{n}" for n in range(2500)), "has no allocation")
        orphans = {allocate(ledger, f"orphan-{n}") for n in range(1500)}
        before = (await status(client)).last_successful_pass_time.ToDatetime()

        assert set(await run_pass(client)) == orphans
        assert set(ledger.allocations) == kept
        assert await run_pass(client) == []
        assert (await status(client)).last_successful_pass_time.ToDatetime() > before


async def test_a_pass_leaves_creates_alone_that_happen_meanwhile(  # DISC-6
    settings: Settings, ledger: FakeLedger, network: FakeNetwork
) -> None:
    def create() -> None:
        """As network does it: noted there first, allocated then."""
        association_id = f"vpc-cidr-assoc-{uuid4().hex[:17]}"
        network.hold(association_id)
        allocate(ledger, association_id)

    async with discovery_running(settings) as client:
        await await_first_pass(client)
        ledger.around_list = network.around_list = create
        assert await run_pass(client) == []
    assert len(ledger.allocations) == 4


async def test_passes_come_by_themselves(  # DISC-6
    settings: Settings, ledger: FakeLedger
) -> None:
    often = settings.model_copy(update={"discovery_interval_seconds": 0.05})
    async with discovery_running(often) as client:
        await await_first_pass(client)
        allocate(ledger, "orphan")

        async def is_released() -> bool:
            return not ledger.allocations

        await eventually(is_released)


@pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
async def test_replicas_do_not_disturb_each_other(
    settings: Settings, ledger: FakeLedger, network: FakeNetwork
) -> None:
    lost, kept = allocate(ledger, "lost"), allocate(ledger, "kept")
    network.hold("kept")
    async with discovery_running(settings) as one, discovery_running(settings) as other:
        sequence = network.tell(LOST, lost)
        await await_sequence(one, sequence)
        await run_pass(other)
        await run_pass(one)
        assert (await status(other)).network_sequence == sequence
    assert set(ledger.allocations) == {kept}


async def test_only_services_may_ask(settings: Settings) -> None:
    async with discovery_running(settings) as client:
        with pytest.raises(CadastreError) as refusal:
            await client.call(pb.RunDiscoveryPassRequest(), caller=CALLER)
    assert refusal.value.reason == "UnauthorizedOperation"
