"""All that an account has in a region, as discovery is told, on both databases (DISC-3, PUB-1)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from cadastre.common.v1 import inventory_pb2 as told
from cadastre.network.v1 import address_service_pb2 as addresses_pb
from cadastre.network.v1 import instance_service_pb2 as instances_pb
from cadastre.network.v1 import inventory_service_pb2 as pb
from cadastre.network.v1 import network_service_pb2 as network_pb
from services.network.service.feed import Inventory, Resource
from services.network.store.store import SqlRows, SqlStore
from services.network.subnet import Subnet
from services.network.vpc import Tenancy, Vpc
from shared.errors import CadastreError
from shared.feed import Bell
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.settings import Settings
from shared.tags import tags_to_proto
from tests.network.conftest import Network, network_running
from tests.network.fake_ledger import (
    BYOIP_POOL,
    CONTIGUOUS_POOL,
    IPV4_POOL,
    LOCAL_ZONE_POOL,
    FakeLedger,
    FakePool,
)
from tests.network.support import CALLER, OWNER, REGION, STRANGER, tagged
from tests.network.test_subnet import subnet as numbered_subnet
from tests.network.world import World

NAMED = tags_to_proto({"Name": "ours"})
AMAZON, BYOIP = told.INVENTORY_IP_SOURCE_AMAZON, told.INVENTORY_IP_SOURCE_BYOIP
BYOIP_IPV6_POOL = "ipam-pool-0000000000000000e"
LOCAL_ZONE = "us-west-2-lax-1"


@pytest.fixture
def world(api: Network, ledger: FakeLedger) -> World:
    ledger.pools[BYOIP_IPV6_POOL] = FakePool("2001:db8::/40", 56, public_ip_source="byoip")
    return World(api, ledger)


async def vpc_of_given_and_allocated_blocks(world: World) -> told.InventoryPart:
    vpc = await world.vpc(cidr_block="10.1.0.0/16", tag_specifications=tagged("vpc", Name="ours"))
    for request in (
        network_pb.AssociateVpcCidrBlockRequest(vpc_id=vpc.vpc_id, cidr_block="10.2.0.0/16"),
        network_pb.AssociateVpcCidrBlockRequest(vpc_id=vpc.vpc_id, ipv4_ipam_pool_id=IPV4_POOL),
    ):
        await world.api.vpcs.call(request)
    cidrs = ("10.1.0.0/16", "10.2.0.0/16", "10.0.0.0/24")
    return told.InventoryPart(
        vpcs=[
            told.InventoryVpc(
                vpc_id=vpc.vpc_id, cidrs=[told.InventoryCidr(cidr=c) for c in cidrs], tags=NAMED
            )
        ]
    )


async def vpc_and_subnet_with_public_ipv6(
    world: World, ip_source: told.InventoryIpSource.ValueType, block: str, **members: Any
) -> told.InventoryPart:
    vpc = await world.vpc(**members)
    part = block.replace("/56", "/64")
    subnet = await world.subnet(vpc_id=vpc.vpc_id, ipv6_cidr_block=part)
    return told.InventoryPart(
        vpcs=[
            told.InventoryVpc(
                vpc_id=vpc.vpc_id,
                cidrs=[
                    told.InventoryCidr(cidr="10.0.0.0/16"),
                    told.InventoryCidr(cidr=block, ip_source=ip_source),
                ],
            )
        ],
        subnets=[
            told.InventorySubnet(
                subnet_id=subnet.subnet_id,
                vpc_id=vpc.vpc_id,
                cidrs=[
                    told.InventoryCidr(cidr="10.0.0.0/24"),
                    told.InventoryCidr(cidr=part, ip_source=ip_source),
                ],
                availability_zone_id="usw2-az1",
            )
        ],
    )


async def amazons_ipv6(world: World) -> told.InventoryPart:
    members = {"amazon_provided_ipv6_cidr_block": True}
    return await vpc_and_subnet_with_public_ipv6(world, AMAZON, "3fff::/56", **members)


async def ipv6_brought_along(world: World) -> told.InventoryPart:
    members = {"ipv6_ipam_pool_id": BYOIP_IPV6_POOL}
    return await vpc_and_subnet_with_public_ipv6(world, BYOIP, "2001:db8::/56", **members)


async def tagged_subnet(world: World) -> told.InventoryPart:
    subnet = await world.subnet(
        availability_zone="us-west-2c", tag_specifications=tagged("subnet", Name="ours")
    )
    return told.InventoryPart(
        subnets=[
            told.InventorySubnet(
                subnet_id=subnet.subnet_id,
                vpc_id=subnet.vpc_id,
                cidrs=[told.InventoryCidr(cidr="10.0.0.0/24")],
                tags=NAMED,
                availability_zone_id="usw2-az3",
            )
        ]
    )


async def interface_with_addresses(world: World) -> told.InventoryPart:
    vpc = await world.vpc(amazon_provided_ipv6_cidr_block=True)
    subnet = await world.subnet(vpc_id=vpc.vpc_id, ipv6_cidr_block="3fff::/64")
    interface = await world.interface(
        subnet.subnet_id,
        private_ip_addresses=[
            instances_pb.PrivateIpAddressSpecification(private_ip_address="10.0.0.5"),
            instances_pb.PrivateIpAddressSpecification(private_ip_address="10.0.0.9", primary=True),
        ],
        ipv6_addresses=[instances_pb.InstanceIpv6Address(ipv6_address="3fff::9")],
        description="of the load balancer",
        groups=["sg-1", "sg-2"],
        tag_specifications=tagged("network-interface", Name="ours"),
    )
    return told.InventoryPart(
        network_interfaces=[
            told.InventoryNetworkInterface(
                network_interface_id=interface.network_interface_id,
                vpc_id=vpc.vpc_id,
                subnet_id=subnet.subnet_id,
                addresses=["10.0.0.9", "10.0.0.5", "3fff::9"],
                tags=NAMED,
                description="of the load balancer",
                availability_zone_id="usw2-az1",
                interface_type="interface",
                security_groups=[
                    told.InventorySecurityGroup(group_id=group) for group in ("sg-1", "sg-2")
                ],
            )
        ]
    )


async def instance_with_elastic_ip(world: World) -> told.InventoryPart:
    subnet = await world.subnet()
    instance = await world.instance(subnet_id=subnet.subnet_id, security_group_ids=["sg-1"])
    [interface] = instance.network_interfaces
    address = await world.api.allocate()
    association_id = await world.associate(address.allocation_id, instance_id=instance.instance_id)
    return told.InventoryPart(
        network_interfaces=[
            told.InventoryNetworkInterface(
                network_interface_id=interface.network_interface_id,
                vpc_id=subnet.vpc_id,
                subnet_id=subnet.subnet_id,
                addresses=["10.0.0.4"],
                availability_zone_id="usw2-az1",
                interface_type="interface",
                is_attached=True,
                instance_id=instance.instance_id,
                instance_owner_id=OWNER,
                security_groups=[told.InventorySecurityGroup(group_id="sg-1")],
                public_ips=[
                    told.InventoryPublicIp(
                        address=address.public_ip,
                        owner_id=OWNER,
                        allocation_id=address.allocation_id,
                    )
                ],
            )
        ],
        addresses=[
            told.InventoryAddress(
                allocation_id=address.allocation_id,
                public_ip=address.public_ip,
                public_ipv4_pool="amazon",
                network_border_group=REGION,
                association_id=association_id,
                network_interface_id=interface.network_interface_id,
                instance_id=instance.instance_id,
                ip_source=told.INVENTORY_IP_SOURCE_AMAZON,
            )
        ],
    )


async def addresses_of_every_origin(world: World) -> told.InventoryPart:
    public_pool = await world.public_pool(30)
    sources = {
        "amazon": told.INVENTORY_IP_SOURCE_AMAZON,
        CONTIGUOUS_POOL: told.INVENTORY_IP_SOURCE_AMAZON,
        BYOIP_POOL: told.INVENTORY_IP_SOURCE_BYOIP,
        LOCAL_ZONE_POOL: told.INVENTORY_IP_SOURCE_BYOIP,
    }
    shown = []
    for pool, members in (
        ("amazon", {"tag_specifications": tagged("elastic-ip", Name="ours")}),
        (CONTIGUOUS_POOL, {"ipam_pool_id": CONTIGUOUS_POOL}),
        (BYOIP_POOL, {"ipam_pool_id": BYOIP_POOL}),
        (LOCAL_ZONE_POOL, {"ipam_pool_id": LOCAL_ZONE_POOL, "network_border_group": LOCAL_ZONE}),
        (public_pool, {"public_ipv4_pool": public_pool}),
    ):
        address = await world.api.allocate(**members)
        shown.append(
            told.InventoryAddress(
                allocation_id=address.allocation_id,
                public_ip=address.public_ip,
                public_ipv4_pool=pool,
                network_border_group=LOCAL_ZONE if pool == LOCAL_ZONE_POOL else REGION,
                tags=NAMED if pool == "amazon" else [],
                ip_source=sources.get(pool, told.INVENTORY_IP_SOURCE_UNSPECIFIED),
            )
        )
    return told.InventoryPart(addresses=shown)


async def pool_of_several_ranges(world: World) -> told.InventoryPart:
    pool_id = await world.public_pool(
        29, 30, tag_specifications=tagged("ipv4pool-ec2", Name="ours")
    )
    await world.api.allocate(public_ipv4_pool=pool_id)
    await world.deprovision(pool_id, "130.137.244.7/32")
    return told.InventoryPart(
        public_ipv4_pools=[
            told.InventoryPublicIpv4Pool(
                pool_id=pool_id,
                cidrs=[
                    "130.137.244.0/30",
                    "130.137.244.4/31",
                    "130.137.244.6/32",
                    "130.137.244.8/30",
                ],
                tags=NAMED,
                network_border_group=REGION,
                total_address_count=11,
                total_available_address_count=10,
                is_byoip=True,
            )
        ]
    )


async def pools_of_other_space(world: World) -> told.InventoryPart:
    contiguous = await world.public_pool(31, ipam_pool_id=CONTIGUOUS_POOL)
    without_ipam = await world.byoip_pool("203.0.113.0/24")
    return told.InventoryPart(
        public_ipv4_pools=[
            told.InventoryPublicIpv4Pool(
                pool_id=contiguous,
                cidrs=["18.97.0.40/31"],
                network_border_group=REGION,
                total_address_count=2,
                total_available_address_count=2,
            ),
            told.InventoryPublicIpv4Pool(
                pool_id=without_ipam,
                cidrs=["203.0.113.0/24"],
                network_border_group=REGION,
                total_address_count=256,
                total_available_address_count=256,
                is_byoip=True,
            ),
        ]
    )


async def empty_pool(world: World) -> told.InventoryPart:
    pool_id = await world.public_pool(network_border_group=LOCAL_ZONE)
    return told.InventoryPart(
        public_ipv4_pools=[
            told.InventoryPublicIpv4Pool(pool_id=pool_id, network_border_group=LOCAL_ZONE)
        ]
    )


@pytest.mark.parametrize(
    "make",
    [
        vpc_of_given_and_allocated_blocks,
        amazons_ipv6,
        ipv6_brought_along,
        tagged_subnet,
        interface_with_addresses,
        instance_with_elastic_ip,
        addresses_of_every_origin,
        pool_of_several_ranges,
        pools_of_other_space,
        empty_pool,
    ],
    ids=lambda make: make.__name__,
)
async def test_a_resource_is_told_with_all_that_discovery_shows_of_it(  # DISC-3, PUB-1
    world: World, make: Callable[[World], Awaitable[told.InventoryPart]]
) -> None:
    expected = await make(world)
    inventory = await world.inventory()
    for kind, _ in expected.ListFields():
        assert list(getattr(inventory, kind.name)) == list(getattr(expected, kind.name))


async def test_nothing_is_told_of_other_accounts_and_regions(world: World) -> None:  # DISC-3
    callers = {
        (owner, region): replace(CALLER, account_id=owner, region=region)
        for owner in (OWNER, STRANGER)
        for region in (REGION, "us-east-1")
    }
    made = {}
    for place, caller in callers.items():
        subnet = await world.subnet(caller=caller)
        interface = await world.interface(subnet.subnet_id, caller=caller)
        address = await world.api.addresses.call(
            addresses_pb.AllocateAddressRequest(), caller=caller
        )
        pool = await world.api.addresses.call(
            addresses_pb.CreatePublicIpv4PoolRequest(), caller=caller
        )
        made[place] = [
            subnet.vpc_id,
            subnet.subnet_id,
            interface.network_interface_id,
            address.allocation_id,
            pool.pool_id,
        ]
    for place, ids in made.items():
        assert ids_in(await world.inventory(*place)) == ids
    assert await world.parts(STRANGER, "eu-west-1") == []


async def test_a_pool_is_told_of_in_its_own_region_alone(world: World) -> None:  # EIP-1
    """Its account sees it from the home region of the IPAM that it has space of, too."""
    pool_id = await world.public_pool(30)
    brought_along = await world.byoip_pool("203.0.113.0/24")
    assert ids_in(await world.inventory(OWNER, REGION)) == [pool_id, brought_along]
    assert ids_in(await world.inventory(OWNER, "us-east-1")) == []


async def test_what_is_being_made_is_not_there_yet(world: World) -> None:  # DISC-3
    reached, released = asyncio.Event(), asyncio.Event()

    async def hold_up() -> None:
        reached.set()
        await released.wait()

    world.ledger.after = hold_up
    under_way = asyncio.create_task(world.api.create(ipv4_ipam_pool_id=IPV4_POOL))
    await reached.wait()
    assert await world.parts() == []
    released.set()
    vpc = await under_way
    assert ids_in(await world.inventory()) == [vpc.vpc_id]


async def test_every_answer_is_of_one_moment(world: World) -> None:  # DISC-3
    """Instances come and go three at a time, an address moves: no answer shows half of it."""
    subnet = await world.subnet()
    standing = await world.instance(subnet_id=subnet.subnet_id)
    address = await world.api.allocate()

    async def change() -> None:
        for _ in range(8):
            request = instances_pb.RunInstancesRequest(
                subnet_id=subnet.subnet_id, min_count=3, max_count=3
            )
            started = (await world.api.instances.call(request)).instances
            association_id = await world.associate(
                address.allocation_id, instance_id=standing.instance_id
            )
            await world.api.addresses.call(
                addresses_pb.DisassociateAddressRequest(association_id=association_id)
            )
            await world.api.instances.call(
                instances_pb.TerminateInstancesRequest(
                    instance_ids=[instance.instance_id for instance in started]
                )
            )

    changing = asyncio.create_task(change())
    while not changing.done():
        inventory = await world.inventory()
        assert len(inventory.network_interfaces) in (1, 4)
        [shown] = inventory.addresses
        reached = [
            interface.network_interface_id
            for interface in inventory.network_interfaces
            if interface.public_ips
        ]
        assert reached == ([shown.network_interface_id] if shown.association_id else [])
    await changing


async def test_what_is_made_while_an_inventory_is_read_is_not_in_it(  # DISC-3
    database_url: str,
) -> None:
    early, late = numbered_vpc(1), numbered_vpc(2)
    late_subnet = subnet_of(2)

    with migrated(database_url) as database:
        inventory = Inventory(SqlStore(database, on_change=lambda _: None), Bell())

        def make(*vpcs: Vpc, subnets: Sequence[Subnet] = ()) -> None:
            with database.write() as connection:
                rows = SqlRows(connection)
                for vpc in vpcs:
                    rows.vpcs.add(vpc)
                for subnet in subnets:
                    rows.subnets.add(subnet)

        def read_and_make(resources: Iterator[Resource]) -> list[Resource]:
            first = next(resources)
            make(late, subnets=[late_subnet])
            return [first, *resources]

        make(early)
        assert await inventory.resources(CALLER, read_and_make) == [early]
        assert await inventory.resources(CALLER, list) == [early, late, late_subnet]


MOST_TAGS = {f"{number:02}" + 126 * "\N{CRAB}": 256 * "\N{CRAB}" for number in range(50)}


@pytest.mark.parametrize(
    ("count", "tags", "parts"),
    [
        pytest.param(1000, {}, 1, id="a thousand go together"),
        pytest.param(1001, {}, 2, id="and no more"),
        # Each has some 77 KiB.
        pytest.param(40, MOST_TAGS, 4, id="long ones are fewer"),
    ],
)
async def test_a_long_inventory_comes_in_parts(  # DISC-3
    settings: Settings, ledger: FakeLedger, count: int, tags: dict[str, str], parts: int
) -> None:
    vpcs = [replace(numbered_vpc(number), tags=tags) for number in range(count)]
    with migrated(settings.database_url) as database, database.write() as connection:
        for vpc in vpcs:
            SqlRows(connection).vpcs.add(vpc)
    async with network_running(settings) as api:
        found = await World(api, ledger).parts()
    assert len(found) == parts
    assert max(part.ByteSize() for part in found) <= 1024 * 1024
    assert [vpc.vpc_id for part in found for vpc in part.vpcs] == [vpc.vpc_id for vpc in vpcs]


@pytest.mark.parametrize("missing", ["owner_id", "region"])
async def test_an_inventory_is_of_an_account_and_a_region(world: World, missing: str) -> None:
    place = {"owner_id": OWNER, "region": REGION} | {missing: ""}
    with pytest.raises(CadastreError) as refusal:
        await world.parts(**place)
    assert refusal.value.reason == "MissingParameter"


async def test_only_services_may_read_an_inventory(world: World) -> None:
    stream = world.api.inventory.stream(
        pb.GetInventoryRequest(owner_id=OWNER, region=REGION), caller=CALLER
    )
    with pytest.raises(CadastreError) as refusal:
        await anext(stream)
    assert refusal.value.reason == "UnauthorizedOperation"


def ids_in(inventory: told.InventoryPart) -> list[str]:
    return [
        *(vpc.vpc_id for vpc in inventory.vpcs),
        *(subnet.subnet_id for subnet in inventory.subnets),
        *(interface.network_interface_id for interface in inventory.network_interfaces),
        *(address.allocation_id for address in inventory.addresses),
        *(pool.pool_id for pool in inventory.public_ipv4_pools),
    ]


def numbered_vpc(number: int) -> Vpc:
    return Vpc(
        vpc_id=f"vpc-{number:017x}",
        owner_id=OWNER,
        region=REGION,
        instance_tenancy=Tenancy.DEFAULT,
        tags={},
    )


def subnet_of(vpc_number: int) -> Subnet:
    vpc_id = numbered_vpc(vpc_number).vpc_id
    return replace(numbered_subnet(vpc_number, "10.0.0.0/24"), vpc_id=vpc_id)


@contextmanager
def migrated(database_url: str) -> Iterator[Database]:
    """The service's database, while the service doesn't run."""
    database = Database(database_url)
    try:
        upgrade(database, "services.network")
        yield database
    finally:
        database.close()
