"""UsageService through gRPC, on both databases."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.discovery.v1 import monitoring_service_pb2 as monitoring_pb
from cadastre.discovery.v1 import usage_service_pb2 as pb
from services.discovery.public_address import AddressType, AssociationStatus, PublicAddress
from services.discovery.tables import discrepancies, meters, records
from shared.cidr import Cidr
from shared.errors import CadastreError
from shared.paging import token_after
from tests.discovery.monitored import (
    HOME,
    IPAM,
    MEMBER,
    NOW,
    OWNER,
    POOL,
    PRIVATE,
    PUBLIC,
    SECOND,
    STRANGER,
    SUBNET,
    VPC,
    WEST,
    Known,
    at,
    listed_discovery,
    serving,
)

IPV4, IPV6 = types_pb2.ADDRESS_FAMILY_IPV4, types_pb2.ADDRESS_FAMILY_IPV6
VPCS, SUBNETS = monitoring_pb.IPAM_RESOURCE_TYPE_VPC, monitoring_pb.IPAM_RESOURCE_TYPE_SUBNET


@pytest.fixture
async def it(database_url: str, tmp_path: Path) -> AsyncIterator[Known]:
    async with serving(database_url, tmp_path) as known:
        yield known


async def refusal_of(it: Known, request: Any) -> CadastreError:
    with pytest.raises(CadastreError) as caught:
        await it.figures(request)
    return caught.value


async def test_figures_are_for_services_alone(it: Known) -> None:  # ORG-10
    with pytest.raises(CadastreError) as caught:
        await it.usage.call(pb.GetIpamUsageRequest(ipam_id=IPAM))
    assert caught.value.reason == "UnauthorizedOperation"


async def active_ips(it: Known) -> dict[str, int]:
    answer = await it.figures(pb.GetIpamUsageRequest(ipam_id=IPAM))
    return {one.account_id: one.count for one in answer.active_ip_counts}


async def test_active_addresses_are_counted_by_account_where_the_ipam_sees(it: Known) -> None:
    # ACC-3
    for account_id, region, source, number in [
        (OWNER, HOME, "network", 1),
        (OWNER, WEST, "network", 2),
        (OWNER, HOME, "aws", 4),
        (MEMBER, HOME, "network", 8),
        (MEMBER, "eu-west-1", "network", 16),
        (STRANGER, HOME, "network", 32),
    ]:
        it.inventory(account_id, region, source, active_ip_count=number)
    assert await active_ips(it) == {OWNER: 7, MEMBER: 8}
    it.control.resource_discoveries = [
        listed_discovery(account_ids=[OWNER]),
        listed_discovery(account_ids=[STRANGER], operating_regions=[HOME]),
        listed_discovery(account_ids=[MEMBER], ipam_id="ipam-00000000000000002"),
    ]
    assert await active_ips(it) == {OWNER: 7, STRANGER: 32}


async def test_hours_that_were_metered_are_told_with_them(it: Known) -> None:  # ACC-3
    assert (await it.figures(pb.GetIpamUsageRequest(ipam_id=IPAM))).active_ip_hours == 0
    row = {"ipam_id": IPAM, "metered_at": NOW, "reading": [], "milliseconds": 65_700_000}
    it.insert(meters, [row])
    assert (await it.figures(pb.GetIpamUsageRequest(ipam_id=IPAM))).active_ip_hours == 18.25


def address(number: int, address_type: AddressType, *, is_used: bool = True) -> PublicAddress:
    status = AssociationStatus.ASSOCIATED if is_used else AssociationStatus.DISASSOCIATED
    pool_id = None
    if address_type is AddressType.AMAZON_OWNED_CONTIG:
        pool_id = POOL
    if address_type is AddressType.BYOIP:
        pool_id = f"ipv4pool-ec2-{number}"
    return PublicAddress(
        Cidr.parse(f"198.51.100.{number}/32"),
        OWNER,
        address_type,
        status,
        public_ipv4_pool_id=pool_id,
    )


async def test_public_addresses_are_counted_by_region_type_and_status(it: Known) -> None:  # MET-1
    home, members, west, strangers = (
        it.inventory(),
        it.inventory(MEMBER),
        it.inventory(OWNER, WEST),
        it.inventory(STRANGER),
    )
    contiguous, byoip = AddressType.AMAZON_OWNED_CONTIG, AddressType.BYOIP
    for inventory_id, one in [
        (home, address(1, byoip)),
        (home, address(2, byoip)),
        (members, address(3, byoip)),
        (home, address(4, byoip, is_used=False)),
        (home, address(5, contiguous)),
        (west, address(6, byoip)),
        (strangers, address(7, byoip)),
    ]:
        it.public_address(inventory_id, one)
    answer = await it.figures(pb.GetIpamUsageRequest(ipam_id=IPAM))
    used = monitoring_pb.IPAM_PUBLIC_ADDRESS_ASSOCIATION_STATUS_ASSOCIATED
    idle = monitoring_pb.IPAM_PUBLIC_ADDRESS_ASSOCIATION_STATUS_DISASSOCIATED
    of_byoip = monitoring_pb.IPAM_PUBLIC_ADDRESS_TYPE_BYOIP
    of_contiguous = monitoring_pb.IPAM_PUBLIC_ADDRESS_TYPE_AMAZON_OWNED_CONTIG
    counted = {
        (one.region, one.address_type, one.association_status, one.ipam_pool_id): one.count
        for one in answer.public_address_counts
    }
    assert counted == {
        (HOME, of_byoip, used, ""): 3,
        (HOME, of_byoip, idle, ""): 1,
        (HOME, of_contiguous, used, POOL): 1,
        (WEST, of_byoip, used, ""): 1,
    }
    assert len(answer.public_address_counts) == len(counted)


async def test_on_the_free_tier_public_addresses_are_counted_in_every_region_the_rest_at_home(
    it: Known,
) -> None:  # IPAM-4, PUB-2
    it.control.ipams[0].is_free_tier = True
    for region in (HOME, WEST):
        inventory_id = it.inventory(OWNER, region, active_ip_count=5)
        it.public_address(inventory_id, address(1, AddressType.EC2_PUBLIC_IP))
    answer = await it.figures(pb.GetIpamUsageRequest(ipam_id=IPAM))
    assert [one.count for one in answer.active_ip_counts] == [5]
    assert {one.region for one in answer.public_address_counts} == {HOME, WEST}


async def test_an_ipam_that_is_not_there_is_refused(it: Known) -> None:
    request = pb.GetIpamUsageRequest(ipam_id="ipam-0123456789abcdef0")
    assert (await refusal_of(it, request)).reason == "InvalidIpamId.NotFound"


async def test_resource_cidrs_are_counted_by_all_that_they_agree_in(it: Known) -> None:  # MON-7
    managed = {"management_state": "managed", "compliance_status": "compliant"}
    for n in range(3):
        it.record("vpc", f"vpc-{n}", f"10.{n}.0.0/16")
    it.record("vpc", "vpc-3", "10.3.0.0/16", ipam_pool_id=POOL, **managed)
    it.record("vpc", "vpc-3", "2001:db8::/56")
    it.record("subnet", SUBNET, "10.0.0.0/24")
    it.record("subnet", SUBNET, "10.0.1.0/24", ipam_scope_id=SECOND)
    it.record("eni", "eni-1", "10.0.0.4/32")
    it.record("vpc", "vpc-4", "10.4.0.0/16", ended_at=at(1))
    it.record("vpc", "vpc-5", "10.5.0.0/16", ipam_id="ipam-00000000000000002")
    answer = await it.figures(pb.ListResourceCidrCountsRequest(ipam_id=IPAM))
    unmanaged = {
        "management_state": monitoring_pb.IPAM_MANAGEMENT_STATE_UNMANAGED,
        "compliance_status": monitoring_pb.IPAM_COMPLIANCE_STATUS_UNMANAGED,
        "overlap_status": monitoring_pb.IPAM_OVERLAP_STATUS_NONOVERLAPPING,
        "resource_type": VPCS,
        "ipam_scope_id": PRIVATE,
    }
    expected: list[dict[str, Any]] = [
        {**unmanaged, "address_family": IPV4, "count": 3},
        {**unmanaged, "address_family": IPV6, "count": 1},
        {
            **unmanaged,
            "address_family": IPV4,
            "ipam_pool_id": POOL,
            "management_state": monitoring_pb.IPAM_MANAGEMENT_STATE_MANAGED,
            "compliance_status": monitoring_pb.IPAM_COMPLIANCE_STATUS_COMPLIANT,
            "count": 1,
        },
        *(
            {
                "ipam_scope_id": scope_id,
                "address_family": IPV4,
                "resource_type": SUBNETS,
                "count": 1,
            }
            for scope_id in (PRIVATE, SECOND)
        ),
    ]
    assert sorted(map(str, answer.counts)) == sorted(
        str(pb.ResourceCidrCount(**members)) for members in expected
    )


def used(
    it: Known,
    inventory_id: int,
    kind: str,
    id_: str,
    cidr: str,
    share: float | None,
    **members: Any,
) -> None:
    row_id = it.there(inventory_id, kind, id_, cidr, ip_usage=share)
    it.record(kind, id_, cidr, row_id, **members)


async def utilizations(it: Known, **members: Any) -> list[Any]:
    request = pb.ListResourceUtilizationRequest(
        **{
            "ipam_scope_id": PRIVATE,
            "resource_type": VPCS,
            "address_family": IPV4,
            "highest": 50,
            "lowest": 50,
            "allocated": 50,
            **members,
        }
    )
    return list((await it.figures(request)).utilizations)


async def usages(it: Known, **members: Any) -> list[Any]:
    """All pages of ListResourceUsages."""
    request = pb.ListResourceUsagesRequest(
        **{
            "ipam_scope_id": PRIVATE,
            "resource_type": VPCS,
            "address_family": IPV4,
            **members,
        }
    )
    found: list[Any] = []
    while True:
        answer = await it.figures(request)
        assert len(answer.utilizations) <= (request.max_results or 1000)
        found += answer.utilizations
        if not answer.next_token:
            return found
        request.next_token = answer.next_token


async def test_how_full_a_resource_is_counts_all_its_cidrs_of_the_family_in_the_scope(
    it: Known,
) -> None:  # MET-3
    inventory_id = it.inventory()
    of_vpc: dict[str, Any] = {"name": "one", "owner_id": MEMBER, "region": WEST}
    used(it, inventory_id, "vpc", VPC, "10.0.0.0/16", 0.5, **of_vpc)
    used(it, inventory_id, "vpc", VPC, "10.1.0.0/18", 0.0, ipam_pool_id=POOL, **of_vpc)
    used(it, inventory_id, "vpc", VPC, "2001:db8::/56", 0.75, **of_vpc)
    used(it, inventory_id, "vpc", VPC, "10.2.0.0/16", 1.0, ipam_scope_id=SECOND, **of_vpc)
    used(it, inventory_id, "vpc", VPC, "10.3.0.0/16", 1.0, ended_at=at(1), **of_vpc)
    [ipv4] = await utilizations(it)
    assert ipv4 == pb.ResourceUtilization(
        resource_id=VPC,
        owner_id=MEMBER,
        region=WEST,
        vpc_id=VPC,
        ip_usage=0.4,
        total_addresses=str(65536 + 16384),
        is_allocated=True,
        name="one",
    )
    [ipv6] = await utilizations(it, address_family=IPV6)
    assert (ipv6.ip_usage, ipv6.total_addresses) == (0.75, str(2**72))
    assert not ipv6.is_allocated


async def test_a_subnet_is_allocated_when_its_vpc_is(it: Known) -> None:  # MET-2
    inventory_id = it.inventory()
    it.record("vpc", "vpc-00000001", "10.0.0.0/16", ipam_pool_id=POOL)
    it.record("vpc", "vpc-00000002", "10.1.0.0/16")
    used(it, inventory_id, "subnet", "subnet-1", "10.0.0.0/24", 0.1, vpc_id="vpc-00000001")
    used(it, inventory_id, "subnet", "subnet-2", "10.1.0.0/24", 0.2, vpc_id="vpc-00000002")
    used(it, inventory_id, "subnet", "subnet-1", "2001:db8::/64", None, vpc_id="vpc-00000001")
    found = await utilizations(it, resource_type=SUBNETS)
    assert [(one.resource_id, one.is_allocated) for one in found] == [
        ("subnet-2", False),
        ("subnet-1", True),
    ]
    # How full a subnet is in IPv6 is not told (DISC-5).
    assert await utilizations(it, resource_type=SUBNETS, address_family=IPV6) == []


async def test_the_fullest_the_emptiest_and_the_largest_of_pools_are_chosen(it: Known) -> None:
    # MET-2
    inventory_id = it.inventory()
    for n, (length, pool_id) in enumerate(
        [(16, POOL), (16, None), (20, POOL), (16, None), (18, POOL), (17, None), (16, POOL)]
    ):
        cidr = f"10.{n}.0.0/{length}"
        used(it, inventory_id, "vpc", f"vpc-{n}", cidr, n / 10, ipam_pool_id=pool_id)
    found = await utilizations(it, highest=2, lowest=1, allocated=1)
    assert [one.resource_id for one in found] == ["vpc-6", "vpc-5", "vpc-4", "vpc-0"]
    assert await utilizations(it, highest=0, lowest=0, allocated=0) == []
    kinds = monitoring_pb.IpamResourceType
    for kind in ("IPAM_RESOURCE_TYPE_IPV6_POOL", "IPAM_RESOURCE_TYPE_ENI"):
        assert await utilizations(it, resource_type=kinds.Value(kind)) == []


async def test_resources_of_one_id_are_told_apart_by_owner_and_region(it: Known) -> None:  # MET-3
    for n, (owner_id, region) in enumerate([(OWNER, HOME), (MEMBER, HOME), (OWNER, WEST)]):
        whose = {"owner_id": owner_id, "region": region}
        used(it, it.inventory(*whose.values()), "vpc", VPC, f"10.{n}.0.0/16", n / 4, **whose)
    expected = [(OWNER, WEST, 0.5), (MEMBER, HOME, 0.25), (OWNER, HOME, 0.0)]
    found = await utilizations(it)
    assert [(one.owner_id, one.region, one.ip_usage) for one in found] == expected
    assert len(await utilizations(it, highest=1, lowest=1)) == 2
    listed = await usages(it, max_results=1)
    assert sorted(listed, key=lambda one: -one.ip_usage) == found


async def test_every_resource_is_listed_with_all_its_cidrs_however_pages_are_cut(
    it: Known,
) -> None:  # BEY-11, MET-3
    inventory_id = it.inventory()
    for n in (2, 0, 1):
        of_vpc: dict[str, Any] = {"name": f"name {n}", "ipam_pool_id": POOL if n == 1 else None}
        # Any characters: whoever pushes says what the id is.
        vpc_id = f"vpc/{n}\n" + "\U0001f310" * 200
        used(it, inventory_id, "vpc", vpc_id, f"10.{n}.0.0/16", 0.5, **of_vpc)
        used(it, inventory_id, "vpc", vpc_id, f"10.{n + 100}.0.0/16", 0.0, **of_vpc)
        used(it, inventory_id, "vpc", vpc_id, f"2001:db8:{n}::/56", 0.75, **of_vpc)
    for max_results in (1, 2, 3, 4):
        found = await usages(it, max_results=max_results)
        assert [(one.name, one.ip_usage, one.is_allocated) for one in found] == [
            ("name 0", 0.25, False),
            ("name 1", 0.25, True),
            ("name 2", 0.25, False),
        ]
    assert found == sorted(await utilizations(it), key=lambda one: one.resource_id)
    kinds = monitoring_pb.IpamResourceType
    for kind in ("IPAM_RESOURCE_TYPE_IPV6_POOL", "IPAM_RESOURCE_TYPE_EIP"):
        assert await usages(it, resource_type=kinds.Value(kind)) == []


async def test_a_list_goes_on_where_it_was_when_its_last_resource_is_gone(
    it: Known,
) -> None:  # BEY-11
    inventory_id = it.inventory()
    for n in range(3):
        used(it, inventory_id, "vpc", f"vpc-{n}", f"10.{n}.0.0/16", 0.5)
    request = pb.ListResourceUsagesRequest(
        ipam_scope_id=PRIVATE, resource_type=VPCS, address_family=IPV4, max_results=2
    )
    request.next_token = (await it.figures(request)).next_token
    with it.database.write() as connection:
        gone = records.c.resource_id == "vpc-1"
        connection.execute(records.update().where(gone).values(ended_at=at(1)))
    assert [one.resource_id for one in (await it.figures(request)).utilizations] == ["vpc-2"]


@pytest.mark.parametrize("key", ["", "a", "-1", f"{2**63}", "4711"])
async def test_a_list_of_usages_does_not_go_on_after_what_was_never_there(
    it: Known, key: str
) -> None:
    request = pb.ListResourceUsagesRequest(
        ipam_scope_id=PRIVATE, resource_type=VPCS, address_family=IPV4
    )
    request.next_token = token_after(request, key)
    assert (await refusal_of(it, request)).reason == "InvalidNextToken"


async def cidr_map(it: Known, cidr: str, length: int) -> list[Any]:
    request = pb.GetCidrMapRequest(ipam_scope_id=PRIVATE, cidr=cidr, netmask_length=length)
    return list((await it.figures(request)).blocks)


async def test_a_map_shows_the_worst_of_what_each_block_holds(it: Known) -> None:  # MON-8
    states = {
        "10.0.0.0/16": ("managed", "compliant", "nonoverlapping"),
        "10.1.0.0/16": ("managed", "noncompliant", "nonoverlapping"),
        "10.2.0.0/16": ("managed", "compliant", "overlapping"),
        "10.3.0.0/16": ("unmanaged", "unmanaged", "nonoverlapping"),
        "10.4.0.0/16": ("ignored", "ignored", "ignored"),
    }
    for cidr, (management, compliance, overlap) in states.items():
        it.record(
            *("vpc", f"vpc-{cidr}", cidr),
            management_state=management,
            compliance_status=compliance,
            overlap_status=overlap,
        )
    # What lies in something is as good as that.
    it.record("subnet", SUBNET, "10.0.0.0/24")
    it.record("subnet", SUBNET, "10.5.0.0/24")
    it.record("vpc", "vpc-9", "10.6.0.0/16", ended_at=at(1))
    it.record("eni", "eni-9", "10.7.0.1/32")
    found = await cidr_map(it, "10.0.0.0/8", 16)
    assert found == [
        pb.CidrMapBlock(
            cidr=f"10.{n}.0.0/16",
            state=state,
            resource_cidr_count=number,
            is_full=is_full,
        )
        for n, (state, number, is_full) in enumerate(
            [
                (pb.CIDR_MAP_BLOCK_STATE_COMPLIANT, 2, True),
                (pb.CIDR_MAP_BLOCK_STATE_NONCOMPLIANT, 1, True),
                (pb.CIDR_MAP_BLOCK_STATE_OVERLAPPING, 1, True),
                (pb.CIDR_MAP_BLOCK_STATE_OCCUPIED, 1, True),
                (pb.CIDR_MAP_BLOCK_STATE_OCCUPIED, 1, True),
                (pb.CIDR_MAP_BLOCK_STATE_OCCUPIED, 1, False),
            ]
        )
    ]


async def test_a_map_shows_what_it_lies_in_as_well(it: Known) -> None:  # MON-8
    it.record("vpc", VPC, "10.0.0.0/8")
    it.record("vpc", "vpc-2", "10.1.0.0/17")
    it.record("vpc", "vpc-3", "2001:db8::/32")
    found = await cidr_map(it, "10.1.0.0/16", 17)
    assert [(one.cidr, one.resource_cidr_count, one.is_full) for one in found] == [
        ("10.1.0.0/17", 2, True),
        ("10.1.128.0/17", 1, True),
    ]
    [deep] = await cidr_map(it, "2001:db8:0:1::/64", 64)
    assert (deep.resource_cidr_count, deep.is_full) == (1, True)
    assert await cidr_map(it, "11.0.0.0/8", 20) == []


@pytest.mark.parametrize(
    ("cidr", "length"), [("10.0.0.0/8", 7), ("10.0.0.0/8", 21), ("10.0.0.0/24", 33)]
)
async def test_blocks_are_no_larger_than_the_whole_and_not_too_many(
    it: Known, cidr: str, length: int
) -> None:
    request = pb.GetCidrMapRequest(ipam_scope_id=PRIVATE, cidr=cidr, netmask_length=length)
    refusal = await refusal_of(it, request)
    assert refusal.reason == "InvalidParameterValue"
    assert refusal.metadata["parameter"] == "netmaskLength"


async def test_discrepancies_come_by_scope_and_address_in_pages(it: Known) -> None:  # BEY-10
    places = [(scope_id, n) for n in (3, 200, 1) for scope_id in (PUBLIC, PRIVATE)]
    for ipam_id, kind in [(IPAM, "mismatched"), ("ipam-00000000000000002", "unknown")]:
        it.insert(
            discrepancies,
            [
                {
                    "ipam_id": ipam_id,
                    "kind": kind,
                    "ipam_scope_id": scope_id,
                    "ipam_pool_id": POOL,
                    "first_address": Cidr.parse(f"10.{n}.0.0/16").first_key,
                    "prefix_length": 16,
                    "resource_id": VPC,
                    "owner_id": MEMBER,
                    "region": WEST,
                    "ipam_pool_allocation_id": "ipam-pool-alloc-1",
                    "message": "not the same",
                    "found_at": NOW,
                }
                for scope_id, n in places
            ],
        )
    found: list[Any] = []
    request = pb.ListDiscrepanciesRequest(ipam_id=IPAM, max_results=4)
    while True:
        answer = await it.figures(request)
        found += answer.discrepancies
        if not answer.next_token:
            break
        request.next_token = answer.next_token
    assert found[0] == pb.DiscrepancyRecord(
        kind=pb.DISCREPANCY_KIND_MISMATCHED,
        ipam_scope_id=PRIVATE,
        ipam_pool_id=POOL,
        cidr="10.1.0.0/16",
        resource_id=VPC,
        resource_owner_id=MEMBER,
        resource_region=WEST,
        ipam_pool_allocation_id="ipam-pool-alloc-1",
        message="not the same",
    )
    assert [(one.ipam_scope_id, one.cidr) for one in found] == [
        (scope_id, f"10.{n}.0.0/16") for scope_id in (PRIVATE, PUBLIC) for n in (1, 3, 200)
    ]
