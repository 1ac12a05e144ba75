"""Pools that plan a VPC's address space, and pools of Amazon's (VPC-3, PROV-4, PROV-5)."""

from typing import Any

import pytest

from cadastre.allocation.v1 import observation_service_pb2
from shared.errors import CadastreError
from tests.control_plane.discoveries import Discoveries
from tests.control_plane.test_resource_discovery_organizations import Organization
from tests.control_plane.world import ACCOUNT, HOME, IPV4, IPV6, STRANGER, Client, World

VPC_ID = "vpc-0123456789abcdef0"


def resource(**members: str) -> dict[str, str]:
    return {
        "resource_id": VPC_ID,
        "resource_type": "vpc",
        "resource_region": HOME,
        "resource_owner": ACCOUNT,
        **members,
    }


@pytest.fixture
async def scope_id(control: Client, world: World) -> str:
    world.ledger.vpc_cidrs.append(
        observation_service_pb2.VpcCidr(
            vpc_id=VPC_ID, cidr="10.0.0.0/20", owner_id=ACCOUNT, region=HOME
        )
    )
    found: str = (await control.create_ipam()).private_default_scope_id
    return found


async def test_a_pool_plans_a_vpc_and_so_do_those_below(  # VPC-3
    control: Client, world: World, scope_id: str
) -> None:
    plan = await control.create_pool(scope_id, source_resource=resource())
    child = await control.create_pool(scope_id, source_ipam_pool_id=plan.ipam_pool_id)
    for pool_id in (plan.ipam_pool_id, child.ipam_pool_id):
        shown = await control.pool(pool_id)
        assert shown.locale == HOME
        assert shown.source_resource.resource_id == VPC_ID
        assert shown.source_resource.resource_owner == ACCOUNT
        assert world.ledger.definitions[pool_id].source_resource_id == VPC_ID
        assert world.ledger.definitions[pool_id].locale == HOME


async def test_a_plan_takes_nothing_of_the_pool_that_the_vpcs_space_is_of(  # VPC-3
    control: Client, world: World, scope_id: str
) -> None:
    source = await control.create_pool(scope_id, locale=HOME)
    plan = await control.create_pool(
        scope_id, source_ipam_pool_id=source.ipam_pool_id, source_resource=resource()
    )
    child = await control.create_pool(scope_id, source_ipam_pool_id=plan.ipam_pool_id)
    # As Terraform's AWS provider has it: the source is told, and in the way of its deletion.
    assert (await control.pool(plan.ipam_pool_id)).source_ipam_pool_id == source.ipam_pool_id
    sources = {
        pool_id: definition.source_ipam_pool_id
        for pool_id, definition in world.ledger.definitions.items()
    }
    assert sources == {
        source.ipam_pool_id: "",
        plan.ipam_pool_id: "",
        child.ipam_pool_id: plan.ipam_pool_id,
    }


@pytest.mark.parametrize(
    ("named", "family", "said"),
    [
        ({"resource_id": "vpc-0123456789abcdef1"}, IPV4, "seen no such VPC"),
        ({"resource_owner": STRANGER}, IPV4, "sees no resources of that account"),
        ({"resource_region": "us-west-2"}, IPV4, f"is in {HOME}"),
        ({"resource_region": "eu-west-1"}, IPV4, "sees no resources of that account in eu-west-1"),
        ({}, IPV6, "no ipv6 CIDR"),
    ],
)
async def test_what_discovery_has_not_seen_is_not_planned(  # VPC-3
    control: Client, world: World, scope_id: str, named: dict[str, str], family: str, said: str
) -> None:
    with pytest.raises(CadastreError, match=said) as refusal:
        await control.create_pool(
            scope_id, address_family=family, source_resource=resource(**named)
        )
    assert refusal.value.reason == "InvalidParameterValue"
    assert world.ledger.definitions == {}


async def test_a_members_vpc_is_planned_by_who_administers_ipam_and_sees_it(  # VPC-3, ORG-3, ORG-7
    control: Client, world: World
) -> None:
    organization = await Organization.made_by(control.acting_as("111111111111"))
    unit = await organization.unit()
    administrator, member = await organization.account(), await organization.account(unit)
    admin = (await organization.delegate(administrator)).client
    ipam = await admin.create_ipam()
    world.ledger.vpc_cidrs.append(
        observation_service_pb2.VpcCidr(
            vpc_id=VPC_ID, cidr="10.0.0.0/20", owner_id=member, region=HOME
        )
    )
    members = resource(resource_owner=member)
    scope_id = ipam.private_default_scope_id
    plan = await admin.create_pool(scope_id, source_resource=members)
    assert plan.source_resource.resource_owner == member
    await Discoveries(admin).modify(
        ipam.default_resource_discovery_id,
        add_organizational_unit_exclusions=[
            {"organizations_entity_path": f"{organization.path}{unit}/*"}
        ],
    )
    with pytest.raises(CadastreError, match="sees no resources of that account"):
        await admin.create_pool(scope_id, source_resource=members)


async def test_a_child_plans_what_its_source_does_and_nothing_else(  # VPC-3
    control: Client, scope_id: str
) -> None:
    plan = await control.create_pool(scope_id, source_resource=resource())
    below = {"source_ipam_pool_id": plan.ipam_pool_id}
    child = await control.create_pool(scope_id, source_resource=resource(), **below)
    assert child.source_resource.resource_id == VPC_ID
    other = resource(resource_id="vpc-0123456789abcdef1")
    with pytest.raises(CadastreError, match=VPC_ID) as refusal:
        await control.create_pool(scope_id, source_resource=other, **below)
    assert refusal.value.reason == "InvalidParameterValue"


@pytest.mark.parametrize(
    "missing", ["resource_id", "resource_type", "resource_region", "resource_owner"]
)
async def test_a_source_resource_is_named_whole(
    control: Client, scope_id: str, missing: str
) -> None:
    named = {name: value for name, value in resource().items() if name != missing}
    with pytest.raises(CadastreError) as refusal:
        await control.create_pool(scope_id, source_resource=named)
    assert refusal.value.reason == "MissingParameter"


@pytest.mark.parametrize(
    ("members", "blocks", "lengths"),
    [({"aws_service": "ec2"}, 2, (29, 30)), ({"address_family": IPV6}, 1, (52, 52))],
    ids=["IPv4", "IPv6"],
)
async def test_the_ledger_is_told_how_much_of_amazons_space_there_may_be(  # PROV-4, PROV-5
    control: Client, world: World, members: dict[str, Any], blocks: int, lengths: tuple[int, int]
) -> None:
    scope_id = (await control.create_ipam()).public_default_scope_id
    members = {"public_ip_source": "amazon", "locale": HOME, **members}
    pool = await control.create_pool(scope_id, **members)
    told = world.ledger.definitions[pool.ipam_pool_id].amazon_block_quota
    assert told.blocks == blocks
    assert (told.min_netmask_length, told.max_netmask_length) == lengths
