"""What the embedded cloud tells Prometheus (MET-5)."""

import asyncio
from collections import Counter

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cadastre.network.v1 import network_service_pb2 as pb
from services.network.changes import ChangeKind
from services.network.resource import ResourceType
from shared.errors import CadastreError
from tests.network.conftest import Network
from tests.network.fake_ledger import IPV4_POOL, FakeLedger
from tests.network.world import World
from tests.waiting import eventually

PENDING, FAILURES = "cadastre_network_pending_allocations", "cadastre_network_undo_failures_total"
CHANGES = "cadastre_network_changes_total"
CREATE = pb.CreateVpcRequest(ipv4_ipam_pool_id=IPV4_POOL, ipv4_netmask_length=24)
on_sqlite_alone = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def told(api: Network) -> Counter[str]:
    """Changes by kind and resource type, the rest by name."""
    return Counter(
        {
            " ".join(sample.labels.values()) or sample.name: int(sample.value)
            for family in text_string_to_metric_families((await api.metrics()).decode())
            for sample in family.samples
            if sample.name in {PENDING, FAILURES, CHANGES}
        }
    )


@on_sqlite_alone
async def test_every_series_is_there_before_anything_happens(api: Network) -> None:
    kinds = {f"{kind.name.lower()} {of.value}" for kind in ChangeKind for of in ResourceType}
    assert await told(api) == dict.fromkeys({PENDING, FAILURES, *kinds}, 0)


@on_sqlite_alone
async def test_changes_are_counted_as_the_feed_tells_them(api: Network, ledger: FakeLedger) -> None:
    # MET-5
    world = World(api, ledger)
    subnet = await world.subnet()
    await world.interface(subnet.subnet_id)
    with pytest.raises(CadastreError):
        await api.vpcs.call(pb.CreateVpcRequest(cidr_block="10.1.0.0/16", dry_run=True))
    gone = await world.vpc()
    await api.vpcs.call(pb.DeleteVpcRequest(vpc_id=gone.vpc_id))
    assert +await told(api) == {
        "cidr_associated vpc": 2,
        "cidr_disassociated vpc": 1,
        "cidr_associated subnet": 1,
        "resource_changed network-interface": 1,
    }


@on_sqlite_alone
async def test_a_block_is_pending_while_the_ledger_is_asked_for_it(
    api: Network, ledger: FakeLedger
) -> None:
    may_answer = asyncio.Event()

    async def hold_up() -> None:
        await may_answer.wait()

    async def is_pending(count: int) -> bool:
        return (await told(api))[PENDING] == count

    ledger.after = hold_up
    creating = asyncio.create_task(api.vpcs.call(CREATE))
    await eventually(lambda: is_pending(1))
    may_answer.set()
    await creating
    await eventually(lambda: is_pending(0))


@on_sqlite_alone
async def test_what_could_not_be_undone_is_counted_each_time(
    api: Network, ledger: FakeLedger
) -> None:
    ledger.after = ledger.before_cancelling = break_down
    with pytest.raises(Exception, match="Internal error"):
        await api.vpcs.call(CREATE)

    async def has_failed_twice() -> bool:
        return (await told(api))[FAILURES] >= 2

    await eventually(has_failed_twice)
    assert (await told(api))[PENDING] == 1


async def break_down() -> None:
    raise RuntimeError("the answer is lost")
