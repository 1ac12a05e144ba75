"""A CreateSubnet either succeeds or leaves nothing behind, here and at the ledger (VPC-4)."""

from contextlib import suppress

import pytest

from services.network.cidr_blocks import FromPool, Given
from services.network.service.subnets import NewSubnet
from services.network.service.vpcs import NewVpc
from services.network.vpc import Tenancy
from shared.cidr import Cidr
from shared.errors import CadastreError
from shared.settings import Settings
from tests.network.conftest import network_running
from tests.network.fake_ledger import IPV6_POOL, FakeLedger, FakePool
from tests.network.mortal import Died, Life, Process, long_ago, now, process
from tests.network.support import CALLER
from tests.waiting import eventually

PLANNING_POOL = "ipam-pool-0000000000000001a"
PLANNING_IPV6_POOL = "ipam-pool-0000000000000001b"

# Two each: check, begin, two allocations, conclude.
STEPS_OF_CREATE = 10


async def planned_vpc(mortal: Process, ledger: FakeLedger) -> tuple[str, set[str]]:
    """A VPC that two pools plan, and its blocks."""
    wanted = NewVpc(
        ipv4=Given(Cidr.parse("192.168.0.0/16")),
        ipv6=FromPool(IPV6_POOL, netmask_length=56),
        instance_tenancy=Tenancy.DEFAULT,
        tags={},
    )
    vpc = await mortal.vpcs(Life(100), now).create(CALLER, wanted, dry_run=False)
    ledger.pools[PLANNING_POOL] = FakePool("192.168.0.0/16", 24, vpc_id=vpc.vpc_id)
    ledger.pools[PLANNING_IPV6_POOL] = FakePool("fd00:1234::/56", 64, vpc_id=vpc.vpc_id)
    return vpc.vpc_id, {known.association_id for known in vpc.associations}


def wanted_in(vpc_id: str) -> NewSubnet:
    return NewSubnet(
        vpc_id=vpc_id,
        availability_zone="us-west-2a",
        ipv4=FromPool(PLANNING_POOL, netmask_length=24),
        ipv6=FromPool(PLANNING_IPV6_POOL),
        tags={},
    )


@pytest.mark.parametrize("steps", range(STEPS_OF_CREATE))
async def test_a_process_that_dies_at_any_step_leaves_all_or_nothing(  # VPC-4
    settings: Settings, ledger: FakeLedger, steps: int
) -> None:
    async with process(settings) as mortal:
        vpc_id, own = await planned_vpc(mortal, ledger)
        with suppress(Died):
            subnets = mortal.subnets(Life(steps), long_ago)
            await subnets.create(CALLER, wanted_in(vpc_id), dry_run=False)

    async with network_running(settings) as api:

        async def is_settled() -> bool:
            known = await api.associations()
            of_subnets = {id_: cidr for id_, cidr in known.items() if id_ not in own}
            held = {id_: cidr for id_, cidr in ledger.held.items() if id_ not in own}
            return "" not in known.values() and of_subnets == held

        await eventually(is_settled)
        shown = await api.describe_subnets()
        blocks = [(s.cidr_block, len(s.ipv6_cidr_block_association_set)) for s in shown]
        assert blocks in ([], [("192.168.0.0/24", 1)])
        assert len(await api.associations()) == len(own) + 2 * len(shown)


async def test_a_create_has_no_more_steps_than_that(settings: Settings, ledger: FakeLedger) -> None:
    async with process(settings) as mortal:
        vpc_id, _ = await planned_vpc(mortal, ledger)
        life = Life(STEPS_OF_CREATE)
        await mortal.subnets(life, now).create(CALLER, wanted_in(vpc_id), dry_run=False)
    with pytest.raises(Died):
        life.step()


async def test_a_vpc_deleted_meanwhile_gets_no_subnet(  # VPC-4
    settings: Settings, ledger: FakeLedger
) -> None:
    async with process(settings) as one:
        vpc_id, own = await planned_vpc(one, ledger)

        async def delete() -> None:
            if len(ledger.held) > 1:
                with suppress(CadastreError):
                    await one.vpcs(Life(100), now).delete(CALLER, vpc_id, dry_run=False)

        ledger.after = delete
        with pytest.raises(CadastreError) as refusal:
            await one.subnets(Life(100), now).create(CALLER, wanted_in(vpc_id), dry_run=False)
        assert refusal.value.reason == "InvalidVpcID.NotFound"
    assert not ledger.held.keys() - own
