"""GetIpamDiscovered…, through gRPC, on both databases (DISC-4, PUB-1)."""

from collections.abc import AsyncIterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.discovery.v1 import monitoring_service_pb2 as pb
from services.discovery.public_address import (
    AddressType,
    AssociationStatus,
    AwsService,
    PublicAddress,
)
from services.discovery.snapshot import SecurityGroup
from services.discovery.store.public_address_rows import fingerprint
from shared.cidr import Cidr
from shared.errors import CadastreError
from tests.discovery.monitored import (
    DISCOVERY,
    ENI,
    HOME,
    INSTANCE,
    MEMBER,
    NOW,
    OWNER,
    STRANGER,
    SUBNET,
    VPC,
    WEST,
    Known,
    at,
    listed_discovery,
    serving,
)

ACCOUNTS, CIDRS, ADDRESSES, ROUTES = (
    pb.GetIpamDiscoveredAccountsRequest(
        ipam_resource_discovery_id=DISCOVERY, discovery_region=HOME
    ),
    pb.GetIpamDiscoveredResourceCidrsRequest(
        ipam_resource_discovery_id=DISCOVERY, resource_region=HOME
    ),
    pb.GetIpamDiscoveredPublicAddressesRequest(
        ipam_resource_discovery_id=DISCOVERY, address_region=HOME
    ),
    pb.GetIpamDiscoveredRoutesRequest(ipam_resource_discovery_id=DISCOVERY, resource_region=HOME),
)
EVERY_REQUEST = pytest.mark.parametrize(
    "request_",
    [ACCOUNTS, CIDRS, ADDRESSES, ROUTES],
    ids=["accounts", "resource CIDRs", "public addresses", "routes"],
)


@pytest.fixture
async def it(database_url: str, tmp_path: Path) -> AsyncIterator[Known]:
    async with serving(database_url, tmp_path) as known:
        yield known


def changed(request: Any, **members: Any) -> Any:
    return type(request)(
        **{**{field.name: value for field, value in request.ListFields()}, **members}
    )


async def accounts(it: Known, account_id: str = OWNER, **members: Any) -> dict[str, Any]:
    answer = await it.ask(changed(ACCOUNTS, **members), account_id)
    return {one.account_id: one for one in answer.ipam_discovered_accounts}


async def cidrs(it: Known, **members: Any) -> list[Any]:
    return list((await it.ask(changed(CIDRS, **members))).ipam_discovered_resource_cidrs)


async def addresses(it: Known, **members: Any) -> list[Any]:
    return list((await it.ask(changed(ADDRESSES, **members))).ipam_discovered_public_addresses)


async def refusal_of(it: Known, request: Any, account_id: str = OWNER) -> CadastreError:
    with pytest.raises(CadastreError) as caught:
        await it.ask(request, account_id)
    return caught.value


@EVERY_REQUEST
async def test_a_resource_discovery_of_somebody_elses_does_not_exist(  # BEY-12
    it: Known, request_: Any
) -> None:
    refusal = await refusal_of(it, request_, STRANGER)
    assert refusal.reason == "InvalidIpamResourceDiscoveryId.NotFound"
    unknown = changed(request_, ipam_resource_discovery_id="ipam-res-disco-0123456789abcdef0")
    assert (await refusal_of(it, unknown)).reason == refusal.reason


@EVERY_REQUEST
async def test_with_whom_it_is_shared_may_look_through_it(
    it: Known, request_: Any
) -> None:  # ORG-4
    it.discoveries.shared_with.add(STRANGER)
    await it.ask(request_, STRANGER)


@EVERY_REQUEST
async def test_a_region_that_it_does_not_operate_in_is_refused_with_those_it_does(
    it: Known, request_: Any
) -> None:
    [region] = [field.name for field, _ in request_.ListFields() if field.name.endswith("region")]
    refusal = await refusal_of(it, changed(request_, **{region: "eu-west-1"}))
    assert refusal.reason == "InvalidParameterValue"
    assert refusal.metadata["operating_regions"] == f"{HOME}, {WEST}"


@EVERY_REQUEST
async def test_a_dry_run_only_asks_whether_it_would_succeed(it: Known, request_: Any) -> None:
    assert (await refusal_of(it, changed(request_, dry_run=True))).reason == "DryRunOperation"


async def test_an_account_is_told_of_before_anything_was_attempted(it: Known) -> None:  # DISC-4
    it.inventory(MEMBER, WEST)
    found = await accounts(it)
    assert found == {
        OWNER: pb.IpamDiscoveredAccount(account_id=OWNER, discovery_region=HOME),
        MEMBER: pb.IpamDiscoveredAccount(
            account_id=MEMBER,
            discovery_region=HOME,
            organizational_unit_id="ou-ab12-00000001",
        ),
    }


async def test_an_account_that_is_not_covered_is_not_told_of(it: Known) -> None:  # ORG-7
    it.inventory(STRANGER)
    assert set(await accounts(it)) == {OWNER, MEMBER}
    # A resource discovery that is in none of the lists is being made, or deleted.
    it.control.resource_discoveries = [listed_discovery(ipam_resource_discovery_id="other")]
    assert await accounts(it) == {}


async def test_sources_of_one_account_are_taken_together(it: Known) -> None:  # DISC-4
    it.inventory(MEMBER, last_attempted_at=at(3), last_successful_at=at(3))
    it.inventory(
        MEMBER,
        source="aws",
        last_attempted_at=at(4),
        last_successful_at=at(1),
        failure_code="throttling-failure",
        failure_message="Rate exceeded",
    )
    found = (await accounts(it))[MEMBER]
    assert found.failure_reason == pb.IpamDiscoveryFailureReason(
        code=pb.IPAM_DISCOVERY_FAILURE_CODE_THROTTLING_FAILURE, message="Rate exceeded"
    )
    assert found.last_attempted_discovery_time.ToDatetime(at(0).tzinfo) == at(4)
    # Since then it is half seen only.
    assert found.last_successful_discovery_time.ToDatetime(at(0).tzinfo) == at(1)


async def test_organization_data_does_not_cross_its_border(it: Known) -> None:  # DISC-7
    it.discoveries.shared_with.add(STRANGER)
    found = await accounts(it, STRANGER)
    assert set(found) == {OWNER, MEMBER}
    assert not any(one.HasField("organizational_unit_id") for one in found.values())


async def test_accounts_come_in_pages_and_pass_filters(it: Known) -> None:  # BEY-6
    every = sorted(f"{n:012}" for n in range(100, 2300))
    parts = [every[:1000], every[1000:2000], every[2000:]]
    of_another = listed_discovery(
        ipam_resource_discovery_id="ipam-res-disco-00000000000000002",
        account_ids=["1"],
        organizational_unit_ids=[""],
    )
    it.control.resource_discoveries = [
        of_another,
        *(
            listed_discovery(account_ids=part, organizational_unit_ids=[""] * len(part))
            for part in parts
        ),
        # The same, as another IPAM sees it.
        listed_discovery(
            ipam_resource_discovery_association_id="ipam-res-disco-assoc-00000000000000002",
            account_ids=every[:1],
            organizational_unit_ids=[""],
        ),
    ]
    found: list[str] = []
    request = changed(ACCOUNTS, max_results=900)
    while True:
        answer = await it.ask(request)
        found += [one.account_id for one in answer.ipam_discovered_accounts]
        if not answer.next_token:
            break
        request.next_token = answer.next_token
    assert found == every
    filters = [{"name": "account-id", "values": ["*1234"]}]
    assert set(await accounts(it, filters=filters)) == {"000000001234"}


async def test_all_that_is_known_of_a_discovered_cidr_is_told(it: Known) -> None:  # DISC-4
    inventory_id = it.inventory(MEMBER, last_successful_at=at(3))
    members = {
        "vpc_id": VPC,
        "subnet_id": SUBNET,
        "availability_zone_id": "use1-az1",
        "tags": {"env": "prod"},
        "owner_id": MEMBER,
    }
    it.there(inventory_id, "eni", ENI, "10.0.0.4/32", is_attached=True, **members)
    found = pb.IpamDiscoveredResourceCidr(
        ipam_resource_discovery_id=DISCOVERY,
        resource_region=HOME,
        resource_id=ENI,
        resource_owner_id=MEMBER,
        resource_cidr="10.0.0.4/32",
        ip_source=pb.IPAM_RESOURCE_CIDR_IP_SOURCE_NONE,
        resource_type=pb.IPAM_RESOURCE_TYPE_ENI,
        resource_tags=[types_pb2.Tag(key="env", value="prod")],
        vpc_id=VPC,
        subnet_id=SUBNET,
        network_interface_attachment_status=(pb.IPAM_NETWORK_INTERFACE_ATTACHMENT_STATUS_IN_USE),
        availability_zone_id="use1-az1",
    )
    found.sample_time.FromDatetime(at(3))
    assert await cidrs(it) == [found]


async def test_only_interfaces_have_an_attachment_and_not_all_a_usage(it: Known) -> None:  # DISC-5
    inventory_id = it.inventory()
    it.there(inventory_id, "eni", ENI, "10.0.0.4/32", is_attached=False)
    it.there(
        inventory_id,
        "public-ipv4-pool",
        "ipv4pool-ec2-1",
        "203.0.113.0/24",
        ip_usage=0.5,
        ip_source="byoip",
    )
    by_type = {one.resource_type: one for one in await cidrs(it)}
    interface = by_type[pb.IPAM_RESOURCE_TYPE_ENI]
    pool = by_type[pb.IPAM_RESOURCE_TYPE_PUBLIC_IPV4_POOL]
    assert interface.network_interface_attachment_status == (
        pb.IPAM_NETWORK_INTERFACE_ATTACHMENT_STATUS_AVAILABLE
    )
    assert not interface.HasField("ip_usage")
    assert pool.ip_usage == 0.5
    assert pool.ip_source == pb.IPAM_RESOURCE_CIDR_IP_SOURCE_BYOIP
    assert not pool.HasField("network_interface_attachment_status")


async def test_cidrs_are_those_of_the_accounts_in_the_region_but_instances(it: Known) -> None:
    own, members, abroad, strangers, of_aws = (
        it.inventory(),
        it.inventory(MEMBER),
        it.inventory(MEMBER, WEST),
        it.inventory(STRANGER),
        it.inventory(MEMBER, source="aws"),
    )
    # One after another, so that the order is not that of inventories.
    for number in range(4):
        for inventory_id in (strangers, of_aws, members, own, abroad):
            id_ = f"{inventory_id}-{number}"
            it.there(inventory_id, "vpc", f"vpc-{id_}", "10.0.0.0/16")
            it.there(inventory_id, "instance", f"i-{id_}", "10.0.0.4/32")
            it.there(inventory_id, "eni", f"eni-{id_}", "10.0.0.4/32")
    expected = [
        f"{kind}-{inventory_id}-{number}"
        for inventory_id in (own, members, of_aws)
        for kind in ("vpc", "eni")
        for number in range(4)
    ]
    assert [one.resource_id for one in await cidrs(it)] == expected
    found: list[str] = []
    request = changed(CIDRS, max_results=5)
    while True:
        answer = await it.ask(request)
        found += [one.resource_id for one in answer.ipam_discovered_resource_cidrs]
        if not answer.next_token:
            break
        request.next_token = answer.next_token
    assert found == expected
    filters = [{"name": "resource-type", "values": ["eni"]}]
    assert [one.resource_id for one in await cidrs(it, filters=filters)] == [
        id_ for id_ in expected if id_.startswith("eni")
    ]


FULL = PublicAddress(
    Cidr.parse("203.0.113.7/32"),
    MEMBER,
    AddressType.BYOIP,
    AssociationStatus.ASSOCIATED,
    service=AwsService.NAT_GATEWAY,
    service_resource="nat-1",
    allocation_id="eipalloc-1",
    vpc_id=VPC,
    subnet_id=SUBNET,
    public_ipv4_pool_id="ipv4pool-ec2-1",
    network_interface_id=ENI,
    network_interface_description="Interface for NAT Gateway nat-1",
    instance_id=INSTANCE,
    security_groups=(SecurityGroup("sg-1", "web"), SecurityGroup("sg-2", "all")),
    network_border_group=HOME,
    tags={"env": "prod", "Name": "one"},
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("address", Cidr.parse("203.0.113.8/32")),
        ("address_type", AddressType.SERVICE_MANAGED_BYOIP),
        ("association_status", AssociationStatus.DISASSOCIATED),
        ("service", AwsService.OTHER),
        ("security_groups", FULL.security_groups[::-1]),
        ("tags", {"env": "prod"}),
        ("tags", {}),
        *(
            (field.name, value)
            for field in fields(PublicAddress)
            if isinstance(getattr(FULL, field.name), str)
            for value in ("other", None)
        ),
    ],
)
def test_every_member_of_a_public_address_tells_whether_it_changed(name: str, value: Any) -> None:
    assert fingerprint(replace(FULL, **{name: value})) != fingerprint(FULL)
    assert fingerprint(replace(FULL, tags={"Name": "one", "env": "prod"})) == fingerprint(FULL)


async def test_all_that_is_known_of_a_public_address_is_told(it: Known) -> None:  # PUB-1
    it.public_address(it.inventory(MEMBER, last_successful_at=at(3)), FULL)
    found = pb.IpamDiscoveredPublicAddress(
        ipam_resource_discovery_id=DISCOVERY,
        address_region=HOME,
        address="203.0.113.7",
        address_owner_id=MEMBER,
        address_allocation_id="eipalloc-1",
        association_status=pb.IPAM_PUBLIC_ADDRESS_ASSOCIATION_STATUS_ASSOCIATED,
        address_type=pb.IPAM_PUBLIC_ADDRESS_TYPE_BYOIP,
        service=pb.IPAM_PUBLIC_ADDRESS_AWS_SERVICE_NAT_GATEWAY,
        service_resource="nat-1",
        vpc_id=VPC,
        subnet_id=SUBNET,
        public_ipv4_pool_id="ipv4pool-ec2-1",
        network_interface_id=ENI,
        network_interface_description="Interface for NAT Gateway nat-1",
        instance_id=INSTANCE,
        tags=pb.IpamPublicAddressTags(
            eip_tags=[
                pb.IpamPublicAddressTag(key="Name", value="one"),
                pb.IpamPublicAddressTag(key="env", value="prod"),
            ]
        ),
        network_border_group=HOME,
        security_groups=[
            pb.IpamPublicAddressSecurityGroup(group_id="sg-1", group_name="web"),
            pb.IpamPublicAddressSecurityGroup(group_id="sg-2", group_name="all"),
        ],
    )
    found.sample_time.FromDatetime(at(3))
    assert await addresses(it) == [found]


async def test_what_does_not_apply_to_a_public_address_is_absent(it: Known) -> None:  # PUB-1
    plain = PublicAddress(
        *(Cidr.parse("198.51.100.1/32"), OWNER),
        *(AddressType.EC2_PUBLIC_IP, AssociationStatus.ASSOCIATED),
    )
    it.public_address(it.inventory(), plain)
    [found] = await addresses(it)
    assert {field.name for field, _ in found.ListFields()} == {
        "ipam_resource_discovery_id",
        "address_region",
        "address",
        "address_owner_id",
        "association_status",
        "address_type",
        "sample_time",
    }


async def test_an_elastic_ip_address_that_nothing_uses_had_better_be_released(it: Known) -> None:
    # PUB-2
    idle = PublicAddress(
        *(Cidr.parse("198.51.100.1/32"), OWNER),
        *(AddressType.AMAZON_OWNED_EIP, AssociationStatus.DISASSOCIATED),
        allocation_id="eipalloc-1",
    )
    it.public_address(it.inventory(), idle)
    it.public_address(it.inventory(MEMBER), FULL)
    recommended, kept = sorted(await addresses(it), key=lambda one: one.address)
    assert recommended.recommendation == "release"
    assert not kept.HasField("recommendation")


async def test_public_addresses_come_by_account_and_address_with_the_oldest_sample(
    it: Known,
) -> None:
    numbers = [3, 200, 10, 1]
    inventories = [
        it.inventory(OWNER, last_successful_at=at(5)),
        it.inventory(MEMBER, source="aws", last_successful_at=at(2)),
        it.inventory(MEMBER, last_successful_at=at(6)),
        it.inventory(MEMBER, WEST, last_successful_at=at(1)),
        it.inventory(STRANGER, last_successful_at=at(1)),
    ]
    for place, inventory_id in enumerate(inventories):
        for number in numbers:
            address = PublicAddress(
                *(Cidr.parse(f"198.51.{place}.{number}/32"), OWNER),
                *(AddressType.EC2_PUBLIC_IP, AssociationStatus.ASSOCIATED),
            )
            it.public_address(inventory_id, address)
    expected = [f"198.51.{place}.{number}" for place in (0, 1, 2) for number in sorted(numbers)]
    found: list[str] = []
    request = changed(ADDRESSES, max_results=5)
    while True:
        answer = await it.ask(request)
        assert answer.oldest_sample_time.ToDatetime(NOW.tzinfo) == at(2)
        found += [one.address for one in answer.ipam_discovered_public_addresses]
        if not answer.next_token:
            break
        request.next_token = answer.next_token
    assert found == expected
    filters = [{"name": "address", "values": ["198.51.1.*"]}]
    assert [one.address for one in await addresses(it, filters=filters)] == expected[4:8]


async def test_without_a_snapshot_there_is_no_oldest_sample(it: Known) -> None:
    it.inventory(last_successful_at=None)
    answer = await it.ask(ADDRESSES)
    assert not answer.HasField("oldest_sample_time")
