"""Messages about network interfaces, from and to what they mean here."""

from collections.abc import Iterable
from ipaddress import IPv4Address
from typing import Any

from cadastre.network.v1 import instance_service_pb2 as pb
from services.network.address import Address
from services.network.availability_zones import zone_id
from services.network.interface import Attachment, NetworkInterface
from services.network.interface_addresses import (
    AddressMembers,
    PrivateAddressMember,
    wanted_addresses,
)
from services.network.service.interfaces import AssociatedInterface, NewInterface
from services.network.servicer.messages import given, timestamp_to_proto
from shared.errors import InvalidParameterValue, UnsupportedOperation
from shared.tags import tags_from_specifications, tags_to_proto

NETWORK_INTERFACE = "network-interface"
"""As tag specifications name the kind."""


def new_interface_from_proto(request: pb.CreateNetworkInterfaceRequest) -> NewInterface:
    return NewInterface(
        subnet_id=request.subnet_id,
        description=request.description,
        groups=tuple(request.groups),
        addresses=wanted_addresses(_addresses_from_proto(request)),
        tags=tags_from_specifications(request.tag_specifications, NETWORK_INTERFACE),
    )


def device_index_from_proto(request: pb.AttachNetworkInterfaceRequest) -> int:
    """
    Raises:
        InvalidParameterValue: below 0, or on a network card that is not there.
    """
    for parameter, value, is_possible in (
        ("deviceIndex", request.device_index, request.device_index >= 0),
        ("networkCardIndex", request.network_card_index, request.network_card_index == 0),
    ):
        if not is_possible:
            allowed = "0" if parameter == "networkCardIndex" else "0 or more"
            raise InvalidParameterValue(
                f"Value ({value}) for parameter {parameter} is invalid; use {allowed}",
                parameter=parameter,
                value=value,
            )
    return request.device_index


def interface_to_proto(known: AssociatedInterface) -> pb.NetworkInterface:
    interface = known.interface
    return pb.NetworkInterface(
        association=_association_of(known, interface.primary_address),
        attachment=_attachment_to_proto(interface.attachment, interface.owner_id),
        availability_zone=interface.availability_zone,
        interface_type=pb.NETWORK_INTERFACE_TYPE_INTERFACE,
        ipv6_addresses=[
            pb.NetworkInterfaceIpv6Address(ipv6_address=str(address), is_primary_ipv6=False)
            for address in interface.ipv6_addresses
        ],
        private_ip_addresses=[
            pb.NetworkInterfacePrivateIpAddress(
                association=_association_of(known, address),
                primary=address == interface.primary_address,
                private_ip_address=str(address),
            )
            for address in interface.private_addresses
        ],
        requester_managed=False,
        status=(
            pb.NETWORK_INTERFACE_STATUS_IN_USE
            if interface.attachment
            else pb.NETWORK_INTERFACE_STATUS_AVAILABLE
        ),
        tag_set=tags_to_proto(interface.tags),
        availability_zone_id=zone_id(interface.availability_zone),
        **interface_members(interface),
    )


def interface_members(interface: NetworkInterface) -> dict[str, Any]:
    """What an interface's own message says of it and its instance's as well."""
    return {
        "description": interface.description,
        "groups": groups_to_proto(interface.groups),
        "mac_address": interface.mac_address,
        "network_interface_id": interface.network_interface_id,
        "owner_id": interface.owner_id,
        "private_ip_address": str(interface.primary_address),
        "source_dest_check": True,
        "subnet_id": interface.subnet_id,
        "vpc_id": interface.vpc_id,
    }


def attachment_members(attachment: Attachment) -> dict[str, Any]:
    """Likewise of its attachment."""
    return {
        "attach_time": timestamp_to_proto(attachment.attached_at),
        "attachment_id": attachment.attachment_id,
        "delete_on_termination": attachment.delete_on_termination,
        "device_index": attachment.device_index,
        "network_card_index": 0,
    }


def groups_to_proto(groups: Iterable[str]) -> list[pb.GroupIdentifier]:
    return [pb.GroupIdentifier(group_id=group) for group in groups]


def elastic_ip_of(known: AssociatedInterface, private_address: IPv4Address) -> Address | None:
    """What is associated with one of an interface's addresses."""
    for address in known.elastic_ips:
        if address.association and address.association.private_address == private_address:
            return address
    return None


def _addresses_from_proto(request: pb.CreateNetworkInterfaceRequest) -> AddressMembers:
    if any(member.is_primary_ipv6 for member in request.ipv6_addresses):
        raise UnsupportedOperation(
            "Interfaces have no primary IPv6 address here; leave isPrimaryIpv6 out",
            parameter="ipv6Addresses.isPrimaryIpv6",
        )
    return AddressMembers(
        private_ip_address=given(request, "private_ip_address"),
        private_ip_addresses=[
            PrivateAddressMember(given(member, "private_ip_address"), member.primary)
            for member in request.private_ip_addresses
        ],
        secondary_count=given(request, "secondary_private_ip_address_count"),
        ipv6_addresses=[member.ipv6_address for member in request.ipv6_addresses],
        ipv6_count=given(request, "ipv6_address_count"),
    )


def _attachment_to_proto(
    attachment: Attachment | None, instance_owner_id: str
) -> pb.NetworkInterfaceAttachment | None:
    if attachment is None:
        return None
    return pb.NetworkInterfaceAttachment(
        instance_id=attachment.instance_id,
        instance_owner_id=instance_owner_id,
        status=pb.ATTACHMENT_STATUS_ATTACHED,
        **attachment_members(attachment),
    )


def _association_of(
    known: AssociatedInterface, private_address: IPv4Address
) -> pb.NetworkInterfaceAssociation | None:
    address = elastic_ip_of(known, private_address)
    if address is None or address.association is None:
        return None
    return pb.NetworkInterfaceAssociation(
        allocation_id=address.allocation_id,
        association_id=address.association.association_id,
        ip_owner_id=address.owner_id,
        public_ip=str(address.public_ip),
    )
