"""Elastic IP addresses and what they are associated with, on both databases (EIP-2)."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import address_service_pb2 as pb
from cadastre.network.v1 import instance_service_pb2, subnet_service_pb2
from shared.errors import CadastreError
from tests.network.conftest import Network
from tests.network.support import CALLER, OWNER, REGION, STRANGER

UNKNOWN_INTERFACE = "eni-00000000000000000"
UNKNOWN_INSTANCE = "i-00000000000000000"
UNKNOWN_ALLOCATION = "eipalloc-00000000000000000"
UNKNOWN_ASSOCIATION = "eipassoc-00000000000000000"


@dataclass
class Place:
    """An instance in a subnet, and an interface besides."""

    api: Network
    subnet_id: str
    instance_id: str
    primary_id: str
    primary_address: str
    interface_id: str
    """With 10.0.0.100 and 10.0.0.101."""

    async def associate(self, **members: Any) -> str:
        request = pb.AssociateAddressRequest(**members)
        association_id: str = (await self.api.addresses.call(request)).association_id
        return association_id

    async def addresses(self) -> dict[str, pb.Address]:
        answer = await self.api.addresses.call(pb.DescribeAddressesRequest())
        return {found.public_ip: found for found in answer.addresses}

    async def interface(self, interface_id: str) -> instance_service_pb2.NetworkInterface:
        request = instance_service_pb2.DescribeNetworkInterfacesRequest(
            network_interface_ids=[interface_id]
        )
        [found] = (await self.api.instances.call(request)).network_interfaces
        shown: instance_service_pb2.NetworkInterface = found
        return shown


@pytest.fixture
async def place(api: Network) -> Place:
    vpc = await api.create(cidr_block="10.0.0.0/16")
    made = await api.subnets.call(
        subnet_service_pb2.CreateSubnetRequest(vpc_id=vpc.vpc_id, cidr_block="10.0.0.0/24")
    )
    subnet_id = made.subnet.subnet_id
    run = await api.instances.call(
        instance_service_pb2.RunInstancesRequest(subnet_id=subnet_id, min_count=1, max_count=1)
    )
    [instance] = run.instances
    created = await api.instances.call(
        instance_service_pb2.CreateNetworkInterfaceRequest(
            subnet_id=subnet_id,
            private_ip_addresses=[
                instance_service_pb2.PrivateIpAddressSpecification(
                    primary=last == 100, private_ip_address=f"10.0.0.{last}"
                )
                for last in (100, 101)
            ],
        )
    )
    return Place(
        api,
        subnet_id,
        instance.instance_id,
        instance.network_interfaces[0].network_interface_id,
        instance.private_ip_address,
        created.network_interface.network_interface_id,
    )


async def test_an_instance_is_reached_at_its_primary_private_address(  # EIP-2
    place: Place,
) -> None:
    """As the guide has it: by --public-ip and --instance-id."""
    allocated = await place.api.allocate()
    association_id = await place.associate(
        public_ip=allocated.public_ip, instance_id=place.instance_id
    )
    assert association_id.startswith("eipassoc-")
    assert await place.addresses() == {
        allocated.public_ip: pb.Address(
            allocation_id=allocated.allocation_id,
            association_id=association_id,
            domain=pb.DOMAIN_TYPE_VPC,
            network_interface_id=place.primary_id,
            network_interface_owner_id=OWNER,
            private_ip_address=place.primary_address,
            public_ipv4_pool="amazon",
            network_border_group=REGION,
            subnet_id=place.subnet_id,
            instance_id=place.instance_id,
            public_ip=allocated.public_ip,
        )
    }
    shown = await place.interface(place.primary_id)
    assert shown.association == instance_service_pb2.NetworkInterfaceAssociation(
        allocation_id=allocated.allocation_id,
        association_id=association_id,
        ip_owner_id=OWNER,
        public_ip=allocated.public_ip,
    )


async def test_each_private_address_has_an_address_of_its_own(place: Place) -> None:  # EIP-2
    one, two = await place.api.allocate(), await place.api.allocate()
    on = {"network_interface_id": place.interface_id}
    await place.associate(allocation_id=one.allocation_id, **on)
    await place.associate(allocation_id=two.allocation_id, private_ip_address="10.0.0.101", **on)
    found = await place.addresses()
    assert [found[known.public_ip].private_ip_address for known in (one, two)] == [
        "10.0.0.100",
        "10.0.0.101",
    ]
    assert not found[one.public_ip].HasField("instance_id")


async def test_the_same_association_again_changes_nothing(place: Place) -> None:  # EIP-2
    allocated = await place.api.allocate()
    request = {"allocation_id": allocated.allocation_id, "instance_id": place.instance_id}
    first = await place.associate(**request)
    assert await place.associate(**request) == first
    assert await place.associate(**request, allow_reassociation=False) == first


async def test_an_associated_address_is_moved_unless_that_is_forbidden(  # EIP-2
    place: Place,
) -> None:
    allocated = await place.api.allocate()
    by_id = {"allocation_id": allocated.allocation_id}
    first = await place.associate(**by_id, instance_id=place.instance_id)
    there = {"network_interface_id": place.interface_id}
    with pytest.raises(CadastreError) as refusal:
        await place.associate(**by_id, **there, allow_reassociation=False)
    assert refusal.value.reason == "Resource.AlreadyAssociated"
    second = await place.associate(**by_id, **there)
    assert first != second
    [address] = (await place.addresses()).values()
    assert (address.network_interface_id, address.association_id) == (place.interface_id, second)
    assert not (await place.interface(place.primary_id)).HasField("association")


async def test_an_address_gives_way_to_another_unless_that_is_forbidden(  # EIP-2
    place: Place,
) -> None:
    old, new = await place.api.allocate(), await place.api.allocate()
    await place.associate(allocation_id=old.allocation_id, instance_id=place.instance_id)
    request = {"allocation_id": new.allocation_id, "instance_id": place.instance_id}
    with pytest.raises(CadastreError) as refusal:
        await place.associate(**request, allow_reassociation=False)
    assert refusal.value.reason == "Resource.AlreadyAssociated"
    assert refusal.value.metadata["allocation_id"] == old.allocation_id
    await place.associate(**request)
    found = await place.addresses()
    assert not found[old.public_ip].HasField("association_id")
    assert found[new.public_ip].instance_id == place.instance_id


async def test_addresses_that_change_places_at_once_do_not_wait_for_each_other_for_ever(
    place: Place,
) -> None:
    one, two = await place.api.allocate(), await place.api.allocate()
    here, there = place.primary_id, place.interface_id
    for _ in range(20):
        await asyncio.gather(
            place.associate(allocation_id=one.allocation_id, network_interface_id=here),
            place.associate(allocation_id=two.allocation_id, network_interface_id=there),
        )
        found = await place.addresses()
        assert found[one.public_ip].network_interface_id == here
        assert found[two.public_ip].network_interface_id == there
        here, there = there, here


async def test_a_refused_association_changes_nothing(place: Place) -> None:  # EIP-2, BEY-4
    allocated = await place.api.allocate()
    right = {
        "allocation_id": allocated.allocation_id,
        "network_interface_id": place.interface_id,
    }
    refused: list[tuple[dict[str, Any], str]] = [
        ({"network_interface_id": None}, "MissingParameter"),
        ({"instance_id": UNKNOWN_INSTANCE}, "InvalidParameterCombination"),
        ({"network_interface_id": UNKNOWN_INTERFACE}, "InvalidNetworkInterfaceID.NotFound"),
        (
            {"network_interface_id": None, "instance_id": UNKNOWN_INSTANCE},
            "InvalidInstanceID.NotFound",
        ),
        ({"private_ip_address": "10.0.0.222"}, "InvalidParameterValue"),
        ({"private_ip_address": "x"}, "InvalidParameterValue"),
        ({"allocation_id": None}, "MissingParameter"),
        ({"allocation_id": UNKNOWN_ALLOCATION}, "InvalidAllocationID.NotFound"),
        ({"allocation_id": None, "public_ip": "198.18.0.77"}, "InvalidAddress.NotFound"),
        ({"public_ip": "198.18.0.0"}, "InvalidParameterCombination"),
        ({"dry_run": True}, "DryRunOperation"),
    ]
    for members, reason in refused:
        with pytest.raises(CadastreError) as refusal:
            await place.associate(**{**right, **members})
        assert refusal.value.reason == reason, members
    [address] = (await place.addresses()).values()
    assert not address.HasField("association_id")


async def test_an_address_of_a_local_zone_reaches_no_interface_of_the_region(  # EIP-2
    place: Place,
) -> None:
    allocated = await place.api.allocate(network_border_group="us-west-2-lax-1")
    with pytest.raises(CadastreError, match="us-west-2-lax-1") as refusal:
        await place.associate(allocation_id=allocated.allocation_id, instance_id=place.instance_id)
    assert refusal.value.reason == "InvalidParameterCombination"


async def test_a_terminated_instance_cannot_be_reached(place: Place) -> None:  # EIP-2
    allocated = await place.api.allocate()
    by_id = {"allocation_id": allocated.allocation_id, "instance_id": place.instance_id}
    await place.associate(**by_id)
    await place.api.instances.call(
        instance_service_pb2.TerminateInstancesRequest(instance_ids=[place.instance_id])
    )
    [address] = (await place.addresses()).values()
    assert not address.HasField("association_id")
    with pytest.raises(CadastreError, match="it is terminated") as refusal:
        await place.associate(**by_id)
    # EC2's code here, unlike AttachNetworkInterface's IncorrectInstanceState.
    assert refusal.value.reason == "InvalidInstanceID"
    assert refusal.value.metadata == {"instance_id": place.instance_id}


async def test_an_address_stays_when_its_interface_is_deleted(place: Place) -> None:
    allocated = await place.api.allocate()
    await place.associate(
        allocation_id=allocated.allocation_id, network_interface_id=place.interface_id
    )
    await place.api.instances.call(
        instance_service_pb2.DeleteNetworkInterfaceRequest(network_interface_id=place.interface_id)
    )
    [address] = (await place.addresses()).values()
    assert not address.HasField("association_id")


@pytest.mark.parametrize("by", ["association_id", "public_ip"])
async def test_an_association_ends_by_its_id_or_by_the_address(  # EIP-2
    place: Place, by: str
) -> None:
    allocated = await place.api.allocate()
    association_id = await place.associate(
        allocation_id=allocated.allocation_id, instance_id=place.instance_id
    )
    named: dict[str, Any] = {"association_id": association_id, "public_ip": allocated.public_ip}
    await place.api.addresses.call(pb.DisassociateAddressRequest(**{by: named[by]}))
    [address] = (await place.addresses()).values()
    assert not address.HasField("association_id")
    # Again by the address is no error, as in EC2; the association itself is gone.
    await place.api.addresses.call(pb.DisassociateAddressRequest(public_ip=allocated.public_ip))
    refused: list[tuple[dict[str, Any], str]] = [
        ({"association_id": association_id}, "InvalidAssociationID.NotFound"),
        ({"association_id": UNKNOWN_ASSOCIATION}, "InvalidAssociationID.NotFound"),
        ({"public_ip": "198.18.0.77"}, "InvalidAddress.NotFound"),
        (named, "InvalidParameterCombination"),
        ({}, "MissingParameter"),
    ]
    for members, reason in refused:
        with pytest.raises(CadastreError) as refusal:
            await place.api.addresses.call(pb.DisassociateAddressRequest(**members))
        assert refusal.value.reason == reason


async def test_what_is_associated_is_neither_released_nor_offered(place: Place) -> None:  # EIP-2
    allocated = await place.api.allocate()
    by_id = {"allocation_id": allocated.allocation_id}
    await place.associate(**by_id, instance_id=place.instance_id)
    for request, reason in (
        (pb.ReleaseAddressRequest(allocation_id=allocated.allocation_id), "InvalidIPAddress.InUse"),
        (
            pb.EnableAddressTransferRequest(
                allocation_id=allocated.allocation_id, transfer_account_id=STRANGER
            ),
            "InvalidAddress.InUse",
        ),
    ):
        with pytest.raises(CadastreError) as refusal:
            await place.api.addresses.call(request)
        assert refusal.value.reason == reason


async def test_an_address_associated_since_it_was_offered_is_not_accepted(  # EIP-3
    place: Place,
) -> None:
    allocated = await place.api.allocate()
    await place.api.addresses.call(
        pb.EnableAddressTransferRequest(
            allocation_id=allocated.allocation_id, transfer_account_id=STRANGER
        )
    )
    await place.associate(allocation_id=allocated.allocation_id, instance_id=place.instance_id)
    with pytest.raises(CadastreError) as refusal:
        await place.api.addresses.call(
            pb.AcceptAddressTransferRequest(address=allocated.public_ip),
            caller=replace(CALLER, account_id=STRANGER),
        )
    assert refusal.value.reason == "InvalidTransfer.AddressAssociated"
    assert list(await place.addresses()) == [allocated.public_ip]


async def test_associations_are_found_by_ec2s_filters(place: Place) -> None:  # BEY-6
    one, two = await place.api.allocate(), await place.api.allocate()
    association_id = await place.associate(
        allocation_id=one.allocation_id, instance_id=place.instance_id
    )
    await place.associate(allocation_id=two.allocation_id, network_interface_id=place.interface_id)
    both = [one.public_ip, two.public_ip]
    for name, value, expected in [
        ("association-id", association_id, [one.public_ip]),
        ("instance-id", place.instance_id, [one.public_ip]),
        ("network-interface-id", place.interface_id, [two.public_ip]),
        ("network-interface-owner-id", OWNER, both),
        ("private-ip-address", "10.0.0.100", [two.public_ip]),
        ("subnet-id", place.subnet_id, both),
    ]:
        found = await place.api.public_ips(filters=[types_pb2.Filter(name=name, values=[value])])
        assert found == expected, name


async def test_strangers_associate_nothing(place: Place) -> None:  # BEY-12
    allocated = await place.api.allocate()
    stranger = replace(CALLER, account_id=STRANGER)
    theirs = await place.api.addresses.call(pb.AllocateAddressRequest(), caller=stranger)
    for request, reason in (
        (
            pb.AssociateAddressRequest(
                allocation_id=theirs.allocation_id, instance_id=place.instance_id
            ),
            "InvalidInstanceID.NotFound",
        ),
        (
            pb.AssociateAddressRequest(
                allocation_id=theirs.allocation_id, network_interface_id=place.interface_id
            ),
            "InvalidNetworkInterfaceID.NotFound",
        ),
    ):
        with pytest.raises(CadastreError) as refusal:
            await place.api.addresses.call(request, caller=stranger)
        assert refusal.value.reason == reason
    with pytest.raises(CadastreError) as refusal:
        await place.associate(
            allocation_id=theirs.allocation_id, network_interface_id=place.interface_id
        )
    assert refusal.value.reason == "InvalidAllocationID.NotFound"
    assert list(await place.addresses()) == [allocated.public_ip]
