"""A create or associate either succeeds or leaves nothing behind, here and at the ledger (VPC-1).

Whatever happens in between: the process dies, the client gives up, the ledger hangs.
"""

import asyncio
from contextlib import suppress

import pytest

from cadastre.network.v1 import network_service_pb2 as pb
from services.network.changes import CidrRecord
from services.network.cidr_blocks import FromPool, Given
from services.network.clients import LedgerClient
from services.network.quotas import Quotas
from services.network.service.undertaking import LEASE, Allocation, Order, Undertakings
from services.network.service.vpcs import NewVpc, Vpcs
from services.network.vpc import Tenancy
from shared.cidr import AddressFamily, Cidr
from shared.errors import CadastreError, ServiceUnavailable
from shared.settings import Settings
from tests.network.conftest import Network, network_running
from tests.network.fake_ledger import IPV4_POOL, IPV6_POOL, FakeLedger
from tests.network.mortal import Died, Life, long_ago, now, process
from tests.network.support import CALLER
from tests.waiting import eventually

WANTED = NewVpc(
    ipv4=FromPool(IPV4_POOL, netmask_length=24),
    ipv6=FromPool(IPV6_POOL, netmask_length=56),
    instance_tenancy=Tenancy.DEFAULT,
    tags={},
)
GIVEN = NewVpc(
    ipv4=Given(Cidr.parse("192.168.0.0/16")), ipv6=None, instance_tenancy=Tenancy.DEFAULT, tags={}
)
CREATE = pb.CreateVpcRequest(ipv4_ipam_pool_id=IPV4_POOL, ipv4_netmask_length=24)


# Two each: check, begin, two allocations, conclude.
STEPS_OF_CREATE = 10
STEPS_OF_ASSOCIATE = 8


@pytest.mark.parametrize("steps", range(STEPS_OF_CREATE))
async def test_a_process_that_dies_at_any_step_of_a_create_leaves_all_or_nothing(  # VPC-1
    settings: Settings, ledger: FakeLedger, steps: int
) -> None:
    async with process(settings) as mortal:
        with suppress(Died):
            await mortal.vpcs(Life(steps), long_ago).create(CALLER, WANTED, dry_run=False)

    async with network_running(settings) as api:

        async def is_settled() -> bool:
            known = await api.associations()
            return "" not in known.values() and known == ledger.held

        await eventually(is_settled)
        assert [
            (len(vpc.cidr_block_association_set), len(vpc.ipv6_cidr_block_association_set))
            for vpc in await api.describe()
        ] in ([], [(1, 1)])


async def test_creates_and_associates_have_no_more_steps_than_that(
    settings: Settings, ledger: FakeLedger
) -> None:
    async with process(settings) as mortal:
        create, associate = Life(STEPS_OF_CREATE), Life(STEPS_OF_ASSOCIATE)
        vpc = await mortal.vpcs(create, now).create(CALLER, WANTED, dry_run=False)
        another = FromPool(IPV4_POOL, netmask_length=24)
        await mortal.vpcs(associate, now).associate(CALLER, vpc.vpc_id, AddressFamily.IPV4, another)
    for life in (create, associate):
        with pytest.raises(Died):
            life.step()


@pytest.mark.parametrize("steps", range(STEPS_OF_ASSOCIATE))
async def test_a_process_that_dies_at_any_step_of_an_associate_leaves_all_or_nothing(  # VPC-1
    settings: Settings, ledger: FakeLedger, steps: int
) -> None:
    async with process(settings) as mortal:
        vpc = await mortal.vpcs(Life(100), now).create(CALLER, GIVEN, dry_run=False)
        with suppress(Died):
            source = FromPool(IPV4_POOL, netmask_length=24)
            await mortal.vpcs(Life(steps), long_ago).associate(
                CALLER, vpc.vpc_id, AddressFamily.IPV4, source
            )

    async with network_running(settings) as api:

        async def is_settled() -> bool:
            known = await api.associations()
            known.pop(vpc.primary.association_id)
            return "" not in known.values() and known == ledger.held

        await eventually(is_settled)
        [shown] = await api.describe()
        assert len(shown.cidr_block_association_set) == 1 + len(ledger.held)


async def test_others_leave_alone_what_is_under_way(  # VPC-1
    settings: Settings, ledger: FakeLedger
) -> None:
    async with process(settings) as one:

        async def interfere() -> None:
            assert await one.undertakings(now).undo_abandoned() == []

        ledger.before = ledger.after = interfere
        vpc = await one.vpcs(Life(100), now).create(CALLER, WANTED, dry_run=False)
        assert set(ledger.held) == {known.association_id for known in vpc.associations}
        assert ledger.cancelled == set()


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_whoever_is_too_slow_fails_and_leaves_nothing(  # VPC-1
    settings: Settings, ledger: FakeLedger, moment: str
) -> None:
    async with process(settings) as one:

        async def interfere() -> None:
            await one.undertakings(lambda: now() + 2 * LEASE).undo_abandoned()

        setattr(ledger, moment, interfere)
        with pytest.raises(CadastreError):
            await one.vpcs(Life(100), now).create(CALLER, WANTED, dry_run=False)
    assert ledger.held == {}
    async with network_running(settings) as api:
        assert (await api.associations(), await api.describe()) == ({}, [])


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_client_that_gives_up_leaves_nothing(  # VPC-1
    api: Network, ledger: FakeLedger, moment: str
) -> None:
    reached, released = asyncio.Event(), asyncio.Event()

    async def hold_up() -> None:
        reached.set()
        await released.wait()

    setattr(ledger, moment, hold_up)
    with pytest.raises(ServiceUnavailable):
        await api.vpcs.call(CREATE, timeout_seconds=0.5)
    assert reached.is_set()

    async def is_settled() -> bool:
        return await api.associations() == {} == ledger.held

    await eventually(is_settled)
    # A request that reaches the ledger only now finds its token cancelled.
    released.set()
    assert await api.describe() == []
    setattr(ledger, moment, _nothing)
    await api.vpcs.call(CREATE)
    assert len(ledger.held) == 1


async def test_a_ledger_that_fails_after_allocating_leaves_nothing(  # VPC-1
    api: Network, ledger: FakeLedger
) -> None:
    async def break_down() -> None:
        raise RuntimeError("the answer is lost")

    ledger.after = break_down
    with pytest.raises(Exception, match="Internal error"):
        await api.vpcs.call(CREATE)

    async def is_settled() -> bool:
        return await api.associations() == {} == ledger.held

    await eventually(is_settled)


async def test_a_refused_request_that_is_still_on_its_way_comes_too_late(  # VPC-1
    api: Network, ledger: FakeLedger
) -> None:
    """A first attempt whose answer was lost may reach the ledger after the second was refused."""
    pool = ledger.pools.pop(IPV4_POOL)
    with pytest.raises(CadastreError):
        await api.vpcs.call(CREATE)
    ledger.pools[IPV4_POOL] = pool
    [(late, _)] = ledger.requests
    assert late.client_token in ledger.cancelled


class NotReachable(LedgerClient):
    """A ledger that allocates, but whose answers don't come."""

    async def allocate(self, order: Order) -> Allocation:
        await super().allocate(order)
        raise ServiceUnavailable("the answer is lost")

    async def cancel(self, pending: CidrRecord) -> None:
        raise ServiceUnavailable("still away")


async def test_what_cannot_be_undone_now_is_undone_later(  # VPC-1
    settings: Settings, ledger: FakeLedger
) -> None:
    async with process(settings) as one:
        away = Undertakings(one.store, NotReachable(one.remote), now)
        with pytest.raises(ServiceUnavailable, match="the answer is lost"):
            await Vpcs(one.store, away, Quotas()).create(CALLER, WANTED, dry_run=False)
        assert len(ledger.held) == 2
        failures = await away.undo_abandoned()
        assert [str(failure) for failure in failures] == ["still away"] * 2
        # Abandoned is abandoned: nobody waits for a lease to run out.
        assert await one.undertakings(now).undo_abandoned() == []
    assert ledger.held == {}
    async with network_running(settings) as api:
        assert await api.associations() == {}


async def test_what_is_being_undone_cannot_be_concluded(  # VPC-1
    settings: Settings, ledger: FakeLedger
) -> None:
    """Another process abandoned it, and stopped before it had reached the ledger."""
    async with process(settings) as one:

        async def interfere() -> None:
            late = Undertakings(one.store, NotReachable(one.remote), lambda: now() + 2 * LEASE)
            assert len(await late.undo_abandoned()) == 2

        ledger.after = interfere
        with pytest.raises(ServiceUnavailable, match="was undone"):
            await one.vpcs(Life(100), now).create(CALLER, WANTED, dry_run=False)
    assert ledger.held == {}


async def test_a_vpc_deleted_while_it_gets_a_block_does_not_get_it(  # VPC-1
    api: Network, ledger: FakeLedger
) -> None:
    created = await api.vpcs.call(pb.CreateVpcRequest(cidr_block="192.168.0.0/16"))

    async def delete() -> None:
        await api.vpcs.call(pb.DeleteVpcRequest(vpc_id=created.vpc.vpc_id))

    ledger.after = delete
    with pytest.raises(CadastreError) as refusal:
        await api.vpcs.call(
            pb.AssociateVpcCidrBlockRequest(
                vpc_id=created.vpc.vpc_id, ipv4_ipam_pool_id=IPV4_POOL, ipv4_netmask_length=24
            )
        )
    assert refusal.value.reason == "InvalidVpcID.NotFound"
    assert (await api.associations(), ledger.held) == ({}, {})


async def _nothing() -> None:
    pass
