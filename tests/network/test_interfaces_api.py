"""Network interfaces through gRPC, on both databases."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import address_service_pb2, network_service_pb2
from cadastre.network.v1 import instance_service_pb2 as pb
from cadastre.network.v1 import subnet_service_pb2 as subnet_pb
from shared.errors import CadastreError
from tests.network.conftest import Network
from tests.network.support import CALLER, OWNER, STRANGER, tagged

UNKNOWN_SUBNET, UNKNOWN_INTERFACE = "subnet-00000000000000000", "eni-00000000000000000"
UNKNOWN_ATTACHMENT, UNKNOWN_INSTANCE = "eni-attach-00000000000000000", "i-00000000000000000"


@pytest.fixture
async def subnet(api: Network) -> subnet_pb.Subnet:
    """10.0.0.0/28: eleven addresses for interfaces; and an IPv6 block."""
    vpc = await api.create(cidr_block="10.0.0.0/16", amazon_provided_ipv6_cidr_block=True)
    return await api.create_subnet(
        vpc_id=vpc.vpc_id,
        cidr_block="10.0.0.0/28",
        ipv6_cidr_block=vpc.ipv6_cidr_block_association_set[0].ipv6_cidr_block.replace("56", "64"),
    )


async def create(api: Network, subnet_id: str, **members: Any) -> pb.NetworkInterface:
    request = pb.CreateNetworkInterfaceRequest(subnet_id=subnet_id, **members)
    created: pb.NetworkInterface = (await api.instances.call(request)).network_interface
    return created


async def describe(api: Network, **members: Any) -> list[pb.NetworkInterface]:
    answer = await api.instances.call(pb.DescribeNetworkInterfacesRequest(**members))
    return list(answer.network_interfaces)


async def run(api: Network, subnet_id: str) -> pb.Instance:
    request = pb.RunInstancesRequest(subnet_id=subnet_id, min_count=1, max_count=1)
    [instance] = (await api.instances.call(request)).instances
    started: pb.Instance = instance
    return started


def addresses(interface: pb.NetworkInterface) -> list[str]:
    return [found.private_ip_address for found in interface.private_ip_addresses]


def specified(*listed: str, primary: str = "") -> list[pb.PrivateIpAddressSpecification]:
    return [
        pb.PrivateIpAddressSpecification(private_ip_address=found, primary=found == primary)
        for found in listed
    ]


async def test_an_interface_gets_the_lowest_free_addresses(
    api: Network, subnet: subnet_pb.Subnet
) -> None:
    first = await create(
        api,
        subnet.subnet_id,
        description="edge",
        groups=["sg-0e1f2a3b4c5d6e7f8"],
        tag_specifications=tagged("network-interface", Name="a"),
    )
    given = await create(api, subnet.subnet_id, private_ip_address="10.0.0.6", ipv6_address_count=2)
    third = await create(api, subnet.subnet_id, secondary_private_ip_address_count=2)

    assert addresses(first) == ["10.0.0.4"]
    assert addresses(given) == ["10.0.0.6"]
    assert addresses(third) == ["10.0.0.5", "10.0.0.7", "10.0.0.8"]
    assert [found.primary for found in third.private_ip_addresses] == [True, False, False]
    assert (first.description, first.groups[0].group_id) == ("edge", "sg-0e1f2a3b4c5d6e7f8")
    assert (first.owner_id, first.vpc_id) == (OWNER, subnet.vpc_id)
    assert (first.availability_zone, first.availability_zone_id) == ("us-west-2a", "usw2-az1")
    assert (first.status, first.HasField("attachment")) == (
        pb.NETWORK_INTERFACE_STATUS_AVAILABLE,
        False,
    )
    assert [tag.value for tag in first.tag_set] == ["a"]
    prefix = subnet.ipv6_cidr_block_association_set[0].ipv6_cidr_block.removesuffix("::/64")
    assert len({found.ipv6_address for found in given.ipv6_addresses}) == 2
    assert all(found.ipv6_address.startswith(prefix) for found in given.ipv6_addresses)
    assert await describe(api) == [first, given, third]
    [shown] = await api.describe_subnets()
    assert shown.available_ip_address_count == 11 - 5


async def test_given_addresses_keep_their_order(api: Network, subnet: subnet_pb.Subnet) -> None:
    block = subnet.ipv6_cidr_block_association_set[0].ipv6_cidr_block
    ipv6 = block.replace("::/64", "::99")
    interface = await create(
        api,
        subnet.subnet_id,
        private_ip_addresses=specified("10.0.0.12", "10.0.0.9", "10.0.0.10", primary="10.0.0.9"),
        ipv6_addresses=[pb.InstanceIpv6Address(ipv6_address=ipv6)],
    )
    assert addresses(interface) == ["10.0.0.9", "10.0.0.12", "10.0.0.10"]
    assert interface.private_ip_address == "10.0.0.9"
    assert [found.ipv6_address for found in interface.ipv6_addresses] == [ipv6]
    assert await describe(api) == [interface]
    in_use: list[dict[str, Any]] = [
        {"private_ip_address": "10.0.0.12"},
        {"ipv6_addresses": [{"ipv6_address": ipv6}]},
    ]
    for taken in in_use:
        with pytest.raises(CadastreError) as refusal:
            await create(api, subnet.subnet_id, **taken)
        assert refusal.value.reason == "InvalidIPAddress.InUse"
    assert len(await describe(api)) == 1


async def test_refused_interfaces_leave_nothing_behind(  # BEY-4
    api: Network, subnet: subnet_pb.Subnet
) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"subnet_id": UNKNOWN_SUBNET}, "InvalidSubnetID.NotFound"),
        ({"private_ip_address": "10.0.1.4"}, "InvalidParameterValue"),
        ({"private_ip_address": "10.0.0.3"}, "InvalidParameterValue"),
        ({"private_ip_address": "10.0.0.15"}, "InvalidParameterValue"),
        ({"secondary_private_ip_address_count": 11}, "InsufficientFreeAddressesInSubnet"),
        (
            {"private_ip_addresses": specified("10.0.0.4"), "private_ip_address": "10.0.0.4"},
            "InvalidParameterValue",
        ),
        (
            {"ipv6_address_count": 1, "ipv6_addresses": [{"ipv6_address": "fd00::9"}]},
            "InvalidParameterCombination",
        ),
        (
            {"ipv6_addresses": [{"ipv6_address": "fd00::9", "is_primary_ipv6": True}]},
            "UnsupportedOperation",
        ),
        ({"dry_run": True}, "DryRunOperation"),
    ]
    for members, reason in refused:
        with pytest.raises(CadastreError) as refusal:
            await create(api, **{"subnet_id": subnet.subnet_id, **members})
        assert (refusal.value.reason, members) == (reason, members)
    assert await describe(api) == []


async def test_a_subnet_is_used_up_and_no_address_is_given_twice(
    api: Network, subnet: subnet_pb.Subnet
) -> None:
    outcomes = await asyncio.gather(
        *(create(api, subnet.subnet_id) for _ in range(13)), return_exceptions=True
    )
    refused = [found for found in outcomes if isinstance(found, CadastreError)]
    assert [found.reason for found in refused] == ["InsufficientFreeAddressesInSubnet"] * 2
    held = [found for known in await describe(api) for found in addresses(known)]
    assert sorted(held) == sorted(f"10.0.0.{last}" for last in range(4, 15))
    [shown] = await api.describe_subnets()
    assert shown.available_ip_address_count == 0


async def test_a_repeated_request_gets_the_first_interface(  # ALLOC-7, BEY-5
    api: Network, subnet: subnet_pb.Subnet
) -> None:
    outcomes = await asyncio.gather(
        *(create(api, subnet.subnet_id, client_token="one") for _ in range(3))
    )
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert await describe(api) == outcomes[:1]
    with pytest.raises(CadastreError) as refusal:
        await create(api, subnet.subnet_id, client_token="one", description="another")
    assert refusal.value.reason == "IdempotentParameterMismatch"
    request = pb.CreateNetworkInterfaceRequest(subnet_id=subnet.subnet_id, client_token="two")
    assert (await api.instances.call(request)).client_token == "two"


async def test_a_deleted_interface_frees_its_addresses_and_its_subnet(
    api: Network, subnet: subnet_pb.Subnet
) -> None:
    interface = await create(api, subnet.subnet_id)
    delete_subnet = subnet_pb.DeleteSubnetRequest(subnet_id=subnet.subnet_id)
    with pytest.raises(CadastreError) as refusal:
        await api.subnets.call(delete_subnet)
    assert refusal.value.reason == "DependencyViolation"
    delete = pb.DeleteNetworkInterfaceRequest(network_interface_id=interface.network_interface_id)
    await api.instances.call(delete)
    assert await describe(api) == []
    with pytest.raises(CadastreError) as refusal:
        await api.instances.call(delete)
    assert refusal.value.reason == "InvalidNetworkInterfaceID.NotFound"
    assert addresses(await create(api, subnet.subnet_id)) == addresses(interface)
    [again] = await describe(api)
    await api.instances.call(
        pb.DeleteNetworkInterfaceRequest(network_interface_id=again.network_interface_id)
    )
    await api.subnets.call(delete_subnet)


async def test_an_interface_is_attached_and_detached(
    api: Network, subnet: subnet_pb.Subnet
) -> None:
    instance = await run(api, subnet.subnet_id)
    interface = await create(api, subnet.subnet_id)
    attach = pb.AttachNetworkInterfaceRequest(
        network_interface_id=interface.network_interface_id,
        instance_id=instance.instance_id,
        device_index=1,
    )
    attachment_id = (await api.instances.call(attach)).attachment_id
    [shown] = await describe(api, network_interface_ids=[interface.network_interface_id])
    assert shown.status == pb.NETWORK_INTERFACE_STATUS_IN_USE
    assert shown.attachment.attachment_id == attachment_id
    assert (shown.attachment.instance_id, shown.attachment.device_index) == (
        instance.instance_id,
        1,
    )
    assert not shown.attachment.delete_on_termination
    delete = pb.DeleteNetworkInterfaceRequest(network_interface_id=interface.network_interface_id)
    primary = instance.network_interfaces[0].attachment.attachment_id
    for request, reason in (
        (attach, "InvalidNetworkInterface.InUse"),
        (delete, "InvalidParameterValue"),
        (pb.DetachNetworkInterfaceRequest(attachment_id=primary), "OperationNotPermitted"),
        (
            pb.DetachNetworkInterfaceRequest(attachment_id=UNKNOWN_ATTACHMENT),
            "InvalidAttachmentID.NotFound",
        ),
        (
            pb.DetachNetworkInterfaceRequest(attachment_id=attachment_id, dry_run=True),
            "DryRunOperation",
        ),
    ):
        with pytest.raises(CadastreError) as refusal:
            await api.instances.call(request)
        assert refusal.value.reason == reason
    await api.instances.call(pb.DetachNetworkInterfaceRequest(attachment_id=attachment_id))
    assert await describe(api, network_interface_ids=[interface.network_interface_id]) == [
        interface
    ]
    await api.instances.call(delete)


async def test_what_does_not_fit_is_not_attached(api: Network, subnet: subnet_pb.Subnet) -> None:
    elsewhere = await api.create_subnet(
        vpc_id=subnet.vpc_id, cidr_block="10.0.1.0/28", availability_zone="us-west-2b"
    )
    instance, ended = await run(api, subnet.subnet_id), await run(api, subnet.subnet_id)
    await api.instances.call(pb.TerminateInstancesRequest(instance_ids=[ended.instance_id]))
    interface = await create(api, subnet.subnet_id)
    far = await create(api, elsewhere.subnet_id)
    fitting: dict[str, Any] = {
        "network_interface_id": interface.network_interface_id,
        "instance_id": instance.instance_id,
        "device_index": 1,
    }
    for members, reason in (
        ({"device_index": 0}, "InvalidParameterValue"),
        ({"device_index": -1}, "InvalidParameterValue"),
        ({"network_card_index": 1}, "InvalidParameterValue"),
        ({"network_interface_id": far.network_interface_id}, "InvalidParameterValue"),
        ({"network_interface_id": UNKNOWN_INTERFACE}, "InvalidNetworkInterfaceID.NotFound"),
        ({"instance_id": UNKNOWN_INSTANCE}, "InvalidInstanceID.NotFound"),
        ({"instance_id": ended.instance_id}, "IncorrectInstanceState"),
        ({"dry_run": True}, "DryRunOperation"),
    ):
        with pytest.raises(CadastreError) as refusal:
            await api.instances.call(pb.AttachNetworkInterfaceRequest(**{**fitting, **members}))
        assert (refusal.value.reason, members) == (reason, members)
    assert await describe(api, network_interface_ids=[interface.network_interface_id]) == [
        interface
    ]


async def test_one_device_index_is_taken_once_by_those_that_come_at_once(
    api: Network, subnet: subnet_pb.Subnet
) -> None:
    instance = await run(api, subnet.subnet_id)
    interfaces = [await create(api, subnet.subnet_id) for _ in range(10)]
    outcomes = await asyncio.gather(
        *(
            api.instances.call(
                pb.AttachNetworkInterfaceRequest(
                    network_interface_id=interface.network_interface_id,
                    instance_id=instance.instance_id,
                    device_index=1,
                )
            )
            for interface in interfaces
        ),
        return_exceptions=True,
    )
    refused = [found for found in outcomes if isinstance(found, CadastreError)]
    assert [found.reason for found in refused] == ["InvalidParameterValue"] * 9


async def test_interfaces_are_filtered_as_ec2_does(  # BEY-6
    api: Network, subnet: subnet_pb.Subnet
) -> None:
    instance = await run(api, subnet.subnet_id)
    plain = await create(
        api,
        subnet.subnet_id,
        description="edge",
        groups=["sg-1"],
        secondary_private_ip_address_count=1,
        tag_specifications=tagged("network-interface", Name="b"),
    )
    eip = await api.allocate()
    associated = await api.addresses.call(
        address_service_pb2.AssociateAddressRequest(
            allocation_id=eip.allocation_id,
            network_interface_id=plain.network_interface_id,
            private_ip_address="10.0.0.6",
        )
    )
    primary = instance.network_interfaces[0]
    ids = {primary.network_interface_id: "a", plain.network_interface_id: "b"}
    for name, value, found in (
        ("subnet-id", subnet.subnet_id, "ab"),
        ("vpc-id", subnet.vpc_id, "ab"),
        ("network-interface-id", plain.network_interface_id, "b"),
        ("private-ip-address", "10.0.0.4", "a"),
        ("private-ip-address", "10.0.0.6", ""),
        ("addresses.private-ip-address", "10.0.0.6", "b"),
        ("addresses.primary", "false", "b"),
        ("addresses.association.public-ip", eip.public_ip, "b"),
        ("addresses.association.allocation-id", eip.allocation_id, "b"),
        ("addresses.association.association-id", associated.association_id, "b"),
        ("addresses.association.owner-id", OWNER, "b"),
        # That of the primary address.
        ("association.public-ip", eip.public_ip, ""),
        ("attachment.instance-id", instance.instance_id, "a"),
        ("attachment.attachment-id", primary.attachment.attachment_id, "a"),
        ("attachment.device-index", "0", "a"),
        ("attachment.status", "attached", "a"),
        ("attachment.delete-on-termination", "true", "a"),
        ("status", "available", "b"),
        ("status", "in-use", "a"),
        ("availability-zone", "us-west-2a", "ab"),
        ("description", "ed?e", "b"),
        ("group-id", "sg-1", "b"),
        ("mac-address", primary.mac_address, "a"),
        ("owner-id", OWNER, "ab"),
        ("interface-type", "interface", "ab"),
        ("requester-managed", "true", ""),
        ("source-dest-check", "true", "ab"),
        ("tag:Name", "b", "b"),
        ("tag-key", "Name", "b"),
    ):
        filters = [types_pb2.Filter(name=name, values=[value])]
        shown = await describe(api, filters=filters)
        assert ("".join(ids[known.network_interface_id] for known in shown), name) == (found, name)
    with pytest.raises(CadastreError, match=r"'tags' is invalid; .*tag:KEY"):
        await describe(api, filters=[types_pb2.Filter(name="tags", values=["b"])])

    await api.addresses.call(
        address_service_pb2.AssociateAddressRequest(
            allocation_id=eip.allocation_id, network_interface_id=plain.network_interface_id
        )
    )
    for name, value in (
        ("association.public-ip", eip.public_ip),
        ("association.allocation-id", eip.allocation_id),
        ("association.ip-owner-id", OWNER),
    ):
        [shown_one] = await describe(api, filters=[types_pb2.Filter(name=name, values=[value])])
        assert shown_one.network_interface_id == plain.network_interface_id
        assert shown_one.association.public_ip == eip.public_ip


async def test_interfaces_are_listed_by_id_and_page_tagged_and_nobody_elses(  # BEY-6, BEY-12
    api: Network, subnet: subnet_pb.Subnet
) -> None:
    ids = [(await create(api, subnet.subnet_id)).network_interface_id for _ in range(7)]
    first = await api.instances.call(pb.DescribeNetworkInterfacesRequest(max_results=5))
    second = await api.instances.call(
        pb.DescribeNetworkInterfacesRequest(max_results=5, next_token=first.next_token)
    )
    listed = [*first.network_interfaces, *second.network_interfaces]
    assert [found.network_interface_id for found in listed] == ids
    tag = types_pb2.Tag(key="Name", value="edge")
    await api.vpcs.call(network_service_pb2.CreateTagsRequest(resources=ids[:2], tags=[tag]))
    tagged_ones = await describe(api, filters=[types_pb2.Filter(name="tag-key", values=["Name"])])
    assert [found.network_interface_id for found in tagged_ones] == ids[:2]
    with pytest.raises(CadastreError) as refusal:
        await describe(api, network_interface_ids=[ids[0], UNKNOWN_INTERFACE])
    assert refusal.value.reason == "InvalidNetworkInterfaceID.NotFound"

    stranger = replace(CALLER, account_id=STRANGER)
    for request, reason in (
        (
            pb.CreateNetworkInterfaceRequest(subnet_id=subnet.subnet_id),
            "InvalidSubnetID.NotFound",
        ),
        (
            pb.DeleteNetworkInterfaceRequest(network_interface_id=ids[0]),
            "InvalidNetworkInterfaceID.NotFound",
        ),
        (
            pb.DescribeNetworkInterfacesRequest(network_interface_ids=ids[:1]),
            "InvalidNetworkInterfaceID.NotFound",
        ),
    ):
        with pytest.raises(CadastreError) as refusal:
            await api.instances.call(request, caller=stranger)
        assert refusal.value.reason == reason
