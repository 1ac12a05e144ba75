"""Elastic IP addresses through gRPC, on both databases (EIP-2)."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from cadastre.allocation.v1 import pool_allocation_pb2
from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import address_service_pb2 as pb
from cadastre.network.v1 import inventory_service_pb2, network_service_pb2
from shared.errors import CadastreError
from shared.settings import Settings
from tests.network.conftest import Network, network_running
from tests.network.fake_ledger import (
    BYOIP_POOL,
    CONTIGUOUS_POOL,
    IPV4_POOL,
    IPV6_POOL,
    LOCAL_ZONE_POOL,
    FakeLedger,
    FakePool,
)
from tests.network.support import CALLER, OWNER, REGION, STRANGER, UNKNOWN_POOL, tagged
from tests.waiting import PATIENCE_SECONDS

UNKNOWN_ALLOCATION = "eipalloc-00000000000000000"
UNKNOWN_PUBLIC_POOL = "ipv4pool-ec2-00000000000000000"
LOCAL_ZONE = "us-west-2-lax-1"


async def a_pool(api: Network, netmask_length: int = 30) -> str:
    """A public IPv4 pool with addresses of 130.137.244.0/22, lowest first."""
    made = await api.addresses.call(pb.CreatePublicIpv4PoolRequest())
    await api.addresses.call(
        pb.ProvisionPublicIpv4PoolCidrRequest(
            pool_id=made.pool_id, ipam_pool_id=BYOIP_POOL, netmask_length=netmask_length
        )
    )
    pool_id: str = made.pool_id
    return pool_id


async def changes(api: Network, count: int) -> list[Any]:
    found = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for change in api.inventory.stream(inventory_service_pb2.WatchRequest()):
            found.append(change)
            if len(found) == count:
                break
    return found


def filter_by(name: str, *values: str) -> types_pb2.Filter:
    return types_pb2.Filter(name=name, values=values)


async def test_an_address_comes_from_amazons_own_space(  # EIP-2
    api: Network, ledger: FakeLedger
) -> None:
    allocated = await api.allocate(tag_specifications=tagged("elastic-ip", Name="edge"))

    assert allocated.allocation_id.startswith("eipalloc-")
    assert (allocated.public_ip, allocated.public_ipv4_pool) == ("198.18.0.0", "amazon")
    assert (allocated.network_border_group, allocated.domain) == (REGION, pb.DOMAIN_TYPE_VPC)
    assert ledger.held == {allocated.allocation_id: "198.18.0.0/32"}
    [(asked, caller)] = ledger.requests
    assert asked.resource_type == pool_allocation_pb2.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_EIP
    assert (asked.resource_id, asked.network_border_group) == (allocated.allocation_id, "")
    assert [(tag.key, tag.value) for tag in asked.resource_tags] == [("Name", "edge")]
    assert (caller.account_id, caller.region) == (OWNER, REGION)
    answer = await api.addresses.call(pb.DescribeAddressesRequest())
    assert list(answer.addresses) == [
        pb.Address(
            allocation_id=allocated.allocation_id,
            domain=pb.DOMAIN_TYPE_VPC,
            tags=[types_pb2.Tag(key="Name", value="edge")],
            public_ipv4_pool="amazon",
            network_border_group=REGION,
            public_ip="198.18.0.0",
        )
    ]


async def test_addresses_of_an_ipam_pool_are_sequential_from_the_very_first(  # EIP-2
    api: Network, ledger: FakeLedger
) -> None:
    """The guide's contiguous block: 18.97.0.40/29."""
    named = await api.allocate(ipam_pool_id=CONTIGUOUS_POOL, address="18.97.0.41")
    assert (named.public_ip, named.public_ipv4_pool) == ("18.97.0.41", CONTIGUOUS_POOL)
    assert named.network_border_group == REGION
    others = [(await api.allocate(ipam_pool_id=CONTIGUOUS_POOL)).public_ip for _ in range(7)]
    assert others == [f"18.97.0.{last}" for last in (40, *range(42, 48))]
    with pytest.raises(CadastreError, match="not free"):
        await api.allocate(ipam_pool_id=CONTIGUOUS_POOL)
    assert await api.associations() == ledger.held


async def test_the_feed_tells_of_addresses_that_the_ledger_allocated(  # BEY-1
    api: Network, ledger: FakeLedger
) -> None:
    allocated = await api.allocate(ipam_pool_id=BYOIP_POOL)
    await api.addresses.call(pb.ReleaseAddressRequest(allocation_id=allocated.allocation_id))

    gained, lost = await changes(api, 2)
    assert (gained.kind, lost.kind) == (
        inventory_service_pb2.CHANGE_KIND_CIDR_ASSOCIATED,
        inventory_service_pb2.CHANGE_KIND_CIDR_DISASSOCIATED,
    )
    [allocation_id] = ledger.allocations
    assert lost.cidr_association == inventory_service_pb2.CidrAssociation(
        association_id=allocated.allocation_id,
        resource_id=allocated.allocation_id,
        owner_id=OWNER,
        region=REGION,
        resource_type="eip",
        cidr="130.137.244.0/32",
        ipam_pool_allocation_id=allocation_id,
    )
    assert (await api.public_ips(), await api.associations()) == ([], {})


async def test_addresses_of_a_local_zones_pool_are_advertised_from_there(  # EIP-2
    api: Network, ledger: FakeLedger
) -> None:
    request = {"ipam_pool_id": LOCAL_ZONE_POOL, "network_border_group": LOCAL_ZONE}
    assert (await api.allocate(**request)).network_border_group == LOCAL_ZONE
    assert ledger.requests[0][0].network_border_group == LOCAL_ZONE
    assert (await api.allocate(network_border_group=LOCAL_ZONE)).network_border_group == LOCAL_ZONE
    held = dict(ledger.held)
    with pytest.raises(CadastreError, match=f"which is '{REGION}'"):
        await api.allocate(ipam_pool_id=BYOIP_POOL, network_border_group=LOCAL_ZONE)
    assert ledger.held == held == await api.associations()


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        pytest.param(
            {"domain": pb.DOMAIN_TYPE_STANDARD}, "InvalidParameterValue", id="EC2-Classic"
        ),
        pytest.param({"address": "198.18.0"}, "InvalidParameterValue", id="no address"),
        pytest.param({"address": "2001:db8::1"}, "InvalidParameterValue", id="IPv6 address"),
        pytest.param({"address": "9.9.9.9"}, "InvalidParameterValue", id="not Amazon's"),
        pytest.param(
            {"ipam_pool_id": BYOIP_POOL, "public_ipv4_pool": UNKNOWN_PUBLIC_POOL},
            "InvalidParameterCombination",
            id="two pools",
        ),
        pytest.param(
            {"public_ipv4_pool": BYOIP_POOL}, "InvalidParameterValue", id="IPAM pool misplaced"
        ),
        pytest.param(
            {"public_ipv4_pool": UNKNOWN_PUBLIC_POOL},
            "InvalidPublicIpv4PoolID.NotFound",
            id="unknown public IPv4 pool",
        ),
        pytest.param({"ipam_pool_id": UNKNOWN_POOL}, "InvalidIpamPoolId.NotFound", id="unknown"),
        pytest.param(
            {"network_border_group": "us-east-1"}, "InvalidParameterValue", id="elsewhere"
        ),
        pytest.param(
            {"tag_specifications": tagged("vpc")}, "InvalidParameterValue", id="tags of VPCs"
        ),
    ],
)
async def test_a_refused_address_leaves_nothing_behind(  # EIP-2, BEY-4
    api: Network, ledger: FakeLedger, members: dict[str, Any], reason: str
) -> None:
    for dry_run in (True, False):
        with pytest.raises(CadastreError) as refusal:
            await api.allocate(**members, dry_run=dry_run)
        assert refusal.value.reason == reason
    assert (await api.public_ips(), await api.associations(), ledger.held) == ([], {}, {})


@pytest.mark.parametrize(
    ("pool", "hint"),
    [(IPV4_POOL, "public scope"), (IPV6_POOL, "IPv4 /32")],
    ids=["private", "IPv6"],
)
async def test_what_a_pool_gives_must_be_a_public_ipv4_address(  # EIP-2
    api: Network, ledger: FakeLedger, pool: str, hint: str
) -> None:
    with pytest.raises(CadastreError, match=hint):
        await api.allocate(ipam_pool_id=pool)
    assert (await api.public_ips(), await api.associations(), ledger.held) == ([], {}, {})


async def test_a_dry_run_allocates_nothing(api: Network, ledger: FakeLedger) -> None:
    pool_id = await a_pool(api)
    held = dict(ledger.held)
    for members in ({}, {"ipam_pool_id": BYOIP_POOL}, {"public_ipv4_pool": pool_id}):
        with pytest.raises(CadastreError) as answer:
            await api.allocate(**members, dry_run=True)
        assert answer.value.reason == "DryRunOperation"
    assert (await api.public_ips(), ledger.held) == ([], held)


async def test_addresses_of_a_public_ipv4_pool_are_taken_lowest_first(  # EIP-1, EIP-2
    api: Network, ledger: FakeLedger
) -> None:
    pool_id = await a_pool(api)
    named = await api.allocate(public_ipv4_pool=pool_id, address="130.137.244.1")
    assert (named.public_ip, named.public_ipv4_pool) == ("130.137.244.1", pool_id)
    others = [(await api.allocate(public_ipv4_pool=pool_id)).public_ip for _ in range(3)]
    assert others == [f"130.137.244.{last}" for last in (0, 2, 3)]

    for members, reason in (
        ({}, "InsufficientAddressCapacity"),
        ({"address": "130.137.244.1"}, "InvalidAddress.InUse"),
        ({"address": "130.137.244.4"}, "InvalidParameterValue"),
        ({"network_border_group": LOCAL_ZONE}, "InvalidParameterValue"),
    ):
        with pytest.raises(CadastreError) as refusal:
            await api.allocate(public_ipv4_pool=pool_id, **members)
        assert refusal.value.reason == reason
    await api.addresses.call(pb.ReleaseAddressRequest(public_ip="130.137.244.2"))
    assert (await api.allocate(public_ipv4_pool=pool_id)).public_ip == "130.137.244.2"
    # The ledger knows the range, and nothing of what is made of it.
    assert list(ledger.held.values()) == ["130.137.244.0/30"]


async def test_an_address_named_alone_is_found_in_the_callers_own_pool(  # EIP-2
    api: Network,
) -> None:
    pool_id = await a_pool(api)
    assert (await api.allocate(address="130.137.244.2")).public_ipv4_pool == pool_id
    stranger = replace(CALLER, account_id=STRANGER)
    request = pb.AllocateAddressRequest(address="130.137.244.3")
    with pytest.raises(CadastreError, match="not free"):
        await api.addresses.call(request, caller=stranger)


async def test_a_released_address_can_be_recovered(api: Network, ledger: FakeLedger) -> None:
    await api.allocate()
    first = await api.allocate(address="198.18.0.9")
    await api.addresses.call(pb.ReleaseAddressRequest(allocation_id=first.allocation_id))
    ledger.release_all_but(await api.associations())
    again = await api.allocate(address="198.18.0.9")
    assert (again.public_ip, again.allocation_id != first.allocation_id) == ("198.18.0.9", True)


async def test_two_callers_never_get_the_last_address_both(api: Network) -> None:  # EIP-1
    pool_id = await a_pool(api, netmask_length=29)
    outcomes = await asyncio.gather(
        *(api.allocate(public_ipv4_pool=pool_id) for _ in range(12)), return_exceptions=True
    )
    refusals = [found for found in outcomes if isinstance(found, CadastreError)]
    assert {refusal.reason for refusal in refusals} == {"InsufficientAddressCapacity"}
    assert len(refusals) == 4
    assert sorted(await api.public_ips()) == [f"130.137.244.{last}" for last in range(8)]


async def test_one_named_address_goes_to_one_caller(api: Network) -> None:  # EIP-1
    await a_pool(api)
    outcomes = await asyncio.gather(
        *(api.allocate(address="130.137.244.3") for _ in range(6)), return_exceptions=True
    )
    refusals = [found for found in outcomes if isinstance(found, CadastreError)]
    assert [refusal.reason for refusal in refusals] == ["InvalidAddress.InUse"] * 5
    assert await api.public_ips() == ["130.137.244.3"]


async def test_the_quota_of_amazons_addresses_holds_when_many_allocate_at_once(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, ledger: FakeLedger
) -> None:
    monkeypatch.setenv("CADASTRE_QUOTA_ADDRESSES_PER_REGION", "3")
    async with network_running(settings) as api:
        outcomes = await asyncio.gather(*(api.allocate() for _ in range(8)), return_exceptions=True)
        refusals = [found for found in outcomes if isinstance(found, CadastreError)]
        assert {refusal.reason for refusal in refusals} == {"AddressLimitExceeded"}
        assert len(refusals) == 5
        assert await api.associations() == ledger.held
        # Those of pools don't count, and another region has its own.
        await api.allocate(ipam_pool_id=BYOIP_POOL)
        await api.allocate(public_ipv4_pool=await a_pool(api))
        elsewhere = replace(CALLER, region="us-east-1")
        await api.addresses.call(pb.AllocateAddressRequest(), caller=elsewhere)


async def test_who_names_no_pool_gets_an_address_by_the_policy(  # EIP-2
    api: Network, ledger: FakeLedger
) -> None:
    ledger.policy_pools = [CONTIGUOUS_POOL, BYOIP_POOL]
    made = [await api.allocate() for _ in range(9)]
    assert [one.public_ipv4_pool for one in made] == [CONTIGUOUS_POOL] * 8 + [BYOIP_POOL]
    assert made[0].network_border_group == REGION
    for named in ({"public_ipv4_pool": "amazon"}, {"address": "198.18.0.9"}):
        assert (await api.allocate(**named)).public_ipv4_pool == "amazon"
    assert (await api.allocate(ipam_pool_id=BYOIP_POOL)).public_ipv4_pool == BYOIP_POOL
    answer = await api.addresses.call(pb.DescribeAddressesRequest())
    assert [one.public_ipv4_pool for one in answer.addresses][7:10] == [
        CONTIGUOUS_POOL,
        BYOIP_POOL,
        "amazon",
    ]
    assert await api.associations() == ledger.held


async def test_the_quota_of_amazons_addresses_leaves_those_of_a_policy(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, ledger: FakeLedger
) -> None:
    monkeypatch.setenv("CADASTRE_QUOTA_ADDRESSES_PER_REGION", "1")
    async with network_running(settings) as api:
        await api.allocate()
        for members, reason in (
            ({}, "AddressLimitExceeded"),
            ({"dry_run": True}, "AddressLimitExceeded"),
            ({"public_ipv4_pool": "amazon"}, "AddressLimitExceeded"),
        ):
            with pytest.raises(CadastreError) as refusal:
                await api.allocate(**members)
            assert refusal.value.reason == reason
        ledger.policy_pools = [CONTIGUOUS_POOL]
        made = [await api.allocate() for _ in range(8)]
        assert {one.public_ipv4_pool for one in made} == {CONTIGUOUS_POOL}
        with pytest.raises(CadastreError) as refusal:
            await api.allocate()
        assert refusal.value.reason == "AddressLimitExceeded"
        assert await api.associations() == ledger.held


async def test_release_needs_a_name_and_the_right_border_group(api: Network) -> None:  # EIP-2
    allocated = await api.allocate()
    by_id: dict[str, Any] = {"allocation_id": allocated.allocation_id}
    refused: list[tuple[dict[str, Any], str]] = [
        ({}, "MissingParameter"),
        ({**by_id, "public_ip": allocated.public_ip}, "InvalidParameterCombination"),
        ({**by_id, "network_border_group": LOCAL_ZONE}, "InvalidAddress.NotFound"),
        ({"allocation_id": UNKNOWN_ALLOCATION}, "InvalidAllocationID.NotFound"),
        ({"public_ip": "198.18.0.77"}, "InvalidAddress.NotFound"),
        ({**by_id, "dry_run": True}, "DryRunOperation"),
    ]
    for members, reason in refused:
        with pytest.raises(CadastreError) as refusal:
            await api.addresses.call(pb.ReleaseAddressRequest(**members))
        assert refusal.value.reason == reason
    assert await api.public_ips() == [allocated.public_ip]
    await api.addresses.call(pb.ReleaseAddressRequest(**by_id, network_border_group=REGION))
    assert await api.public_ips() == []


async def test_addresses_are_found_by_name_and_by_ec2s_filters(api: Network) -> None:  # BEY-6
    one = await api.allocate(tag_specifications=tagged("elastic-ip", Name="one"))
    two = await api.allocate(ipam_pool_id=BYOIP_POOL)
    both = [one.public_ip, two.public_ip]
    for name, value, expected in [
        ("allocation-id", two.allocation_id, [two.public_ip]),
        ("association-id", "*", []),
        ("domain", "vpc", both),
        ("instance-id", "*", []),
        ("network-border-group", REGION, both),
        ("network-interface-id", "*", []),
        ("network-interface-owner-id", OWNER, []),
        ("private-ip-address", "*", []),
        ("public-ip", "130.137.*", [two.public_ip]),
        ("public-ipv4-pool", "amazon", [one.public_ip]),
        ("tag:Name", "o?e", [one.public_ip]),
        ("tag-key", "Name", [one.public_ip]),
    ]:
        assert await api.public_ips(filters=[filter_by(name, value)]) == expected, name
    assert await api.public_ips(allocation_ids=[two.allocation_id]) == [two.public_ip]
    assert await api.public_ips(public_ips=[one.public_ip]) == [one.public_ip]
    with pytest.raises(CadastreError, match="colour"):
        await api.public_ips(filters=[filter_by("colour", "red")])
    for members, reason in (
        ({"allocation_ids": [one.allocation_id, UNKNOWN_ALLOCATION]}, "InvalidAllocationID."),
        ({"public_ips": ["198.18.0.77"]}, "InvalidAddress."),
    ):
        with pytest.raises(CadastreError) as refusal:
            await api.public_ips(**members)
        assert refusal.value.reason == reason + "NotFound"


async def test_addresses_have_no_reverse_dns_names(api: Network) -> None:
    allocated = [await api.allocate() for _ in range(3)]
    request = pb.DescribeAddressesAttributeRequest(
        max_results=2, attribute=pb.ADDRESS_ATTRIBUTE_NAME_DOMAIN_NAME
    )
    first = await api.addresses.call(request)
    request.next_token = first.next_token
    second = await api.addresses.call(request)
    assert [*first.addresses, *second.addresses] == [
        pb.AddressAttribute(public_ip=known.public_ip, allocation_id=known.allocation_id)
        for known in allocated
    ]
    assert not second.HasField("next_token")
    with pytest.raises(CadastreError) as refusal:
        await api.addresses.call(
            pb.DescribeAddressesAttributeRequest(allocation_ids=[UNKNOWN_ALLOCATION])
        )
    assert refusal.value.reason == "InvalidAllocationID.NotFound"


async def test_strangers_see_nothing_of_addresses(api: Network) -> None:  # BEY-12
    allocated = await api.allocate()
    by_id: dict[str, Any] = {"allocation_id": allocated.allocation_id}
    requests: Sequence[Any] = [
        pb.DescribeAddressesRequest(allocation_ids=[allocated.allocation_id]),
        pb.DescribeAddressesRequest(public_ips=[allocated.public_ip]),
        pb.DescribeAddressesAttributeRequest(allocation_ids=[allocated.allocation_id]),
        pb.ReleaseAddressRequest(**by_id),
        pb.ReleaseAddressRequest(public_ip=allocated.public_ip),
        pb.DisassociateAddressRequest(public_ip=allocated.public_ip),
        pb.EnableAddressTransferRequest(**by_id, transfer_account_id="111122223333"),
        pb.DisableAddressTransferRequest(**by_id),
        pb.DescribeAddressTransfersRequest(allocation_ids=[allocated.allocation_id]),
        pb.AcceptAddressTransferRequest(address=allocated.public_ip),
    ]
    tags = network_service_pb2.CreateTagsRequest(
        resources=[allocated.allocation_id], tags=[types_pb2.Tag(key="k")]
    )
    for caller in (replace(CALLER, account_id=STRANGER), replace(CALLER, region="us-east-1")):
        answer = await api.addresses.call(pb.DescribeAddressesRequest(), caller=caller)
        assert list(answer.addresses) == []
        for client, request in [*((api.addresses, one) for one in requests), (api.vpcs, tags)]:
            with pytest.raises(CadastreError) as refusal:
                await client.call(request, caller=caller)
            assert refusal.value.reason in (
                "InvalidAllocationID.NotFound",
                "InvalidAddress.NotFound",
            )
    assert await api.public_ips() == [allocated.public_ip]


async def test_addresses_are_tagged_like_anything_else(api: Network) -> None:
    allocated = await api.allocate(tag_specifications=tagged("elastic-ip", Name="one", old="x"))
    resources = [allocated.allocation_id]
    await api.vpcs.call(
        network_service_pb2.CreateTagsRequest(
            resources=resources, tags=[types_pb2.Tag(key="Name", value="two")]
        )
    )
    await api.vpcs.call(
        network_service_pb2.DeleteTagsRequest(resources=resources, tags=[types_pb2.Tag(key="old")])
    )
    [shown] = (await api.addresses.call(pb.DescribeAddressesRequest())).addresses
    assert [(tag.key, tag.value) for tag in shown.tags] == [("Name", "two")]


async def test_an_ipam_pool_of_another_region_gives_no_addresses(  # EIP-2
    api: Network, ledger: FakeLedger
) -> None:
    ledger.pools[BYOIP_POOL] = FakePool(
        "130.137.244.0/22", 24, locale="us-east-1", public_ip_source="byoip"
    )
    with pytest.raises(CadastreError) as refusal:
        await api.allocate(ipam_pool_id=BYOIP_POOL)
    assert refusal.value.reason == "OperationNotPermitted"
    assert (await api.public_ips(), ledger.held) == ([], {})
