"""InstanceService's messages from and to what they mean here."""

from collections.abc import Iterable
from datetime import datetime
from ipaddress import IPv4Address
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from cadastre.network.v1 import instance_service_pb2 as pb
from services.network.address import Address
from services.network.availability_zones import zone_id
from services.network.instance import InstanceState
from services.network.interface import Attachment
from services.network.interface_addresses import (
    AddressMembers,
    PrivateAddressMember,
    wanted_addresses,
)
from services.network.launch import DeviceMembers, Launch, PlaceMembers, devices
from services.network.service.instances import AttachedInstance, Termination
from services.network.service.interfaces import AssociatedInterface, NewInterface
from services.network.servicer.messages import given
from shared.errors import InvalidParameterValue, UnsupportedOperation
from shared.rpc.enums import enum_number
from shared.tags import tags_from_specifications, tags_to_proto


def new_interface_from_proto(request: pb.CreateNetworkInterfaceRequest) -> NewInterface:
    return NewInterface(
        subnet_id=request.subnet_id,
        description=request.description,
        groups=tuple(request.groups),
        addresses=wanted_addresses(_addresses_from_proto(request)),
        tags=tags_from_specifications(request.tag_specifications, "network-interface"),
    )


def launch_from_proto(request: pb.RunInstancesRequest) -> Launch:
    place = PlaceMembers(
        subnet_id=given(request, "subnet_id"),
        private_ip_address=given(request, "private_ip_address"),
        security_group_ids=tuple(request.security_group_ids),
        devices=[_device_from_proto(member) for member in request.network_interfaces],
    )
    return Launch(
        min_count=request.min_count,
        max_count=request.max_count,
        devices=devices(place),
        availability_zone=given(request.placement, "availability_zone"),
        image_id=given(request, "image_id"),
        instance_type=given(request, "instance_type"),
        key_name=given(request, "key_name"),
        client_token=request.client_token,
        tags=tags_from_specifications(request.tag_specifications, "instance"),
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
    is_attached = interface.attachment is not None
    return pb.NetworkInterface(
        association=_association_of(known, interface.primary_address),
        attachment=_attachment_to_proto(interface.attachment, interface.owner_id),
        availability_zone=interface.availability_zone,
        description=interface.description,
        groups=_groups_to_proto(interface.groups),
        interface_type=pb.NETWORK_INTERFACE_TYPE_INTERFACE,
        ipv6_addresses=[
            pb.NetworkInterfaceIpv6Address(ipv6_address=str(address), is_primary_ipv6=False)
            for address in interface.ipv6_addresses
        ],
        mac_address=interface.mac_address,
        network_interface_id=interface.network_interface_id,
        owner_id=interface.owner_id,
        private_ip_address=str(interface.primary_address),
        private_ip_addresses=[
            pb.NetworkInterfacePrivateIpAddress(
                association=_association_of(known, address),
                primary=address == interface.primary_address,
                private_ip_address=str(address),
            )
            for address in interface.private_addresses
        ],
        requester_managed=False,
        source_dest_check=True,
        status=(
            pb.NETWORK_INTERFACE_STATUS_IN_USE
            if is_attached
            else pb.NETWORK_INTERFACE_STATUS_AVAILABLE
        ),
        subnet_id=interface.subnet_id,
        tag_set=tags_to_proto(interface.tags),
        vpc_id=interface.vpc_id,
        availability_zone_id=zone_id(interface.availability_zone),
    )


def reservation_to_proto(
    known: AttachedInstance,
    state: InstanceState | None = None,
    attachment: pb.AttachmentStatus.ValueType = pb.ATTACHMENT_STATUS_ATTACHED,
) -> pb.Reservation:
    """What is told of one instance; ``state`` is its own unless it is given."""
    instance = known.instance
    return pb.Reservation(
        reservation_id=instance.reservation_id,
        owner_id=instance.owner_id,
        instances=[_instance_to_proto(known, state or instance.state, attachment)],
    )


def merged(reservations: Iterable[pb.Reservation]) -> list[pb.Reservation]:
    """The same with all instances of one reservation in one record; order stays."""
    found: dict[str, pb.Reservation] = {}
    for reservation in reservations:
        if known := found.get(reservation.reservation_id):
            known.instances.extend(reservation.instances)
        else:
            found[reservation.reservation_id] = reservation
    return list(found.values())


def termination_to_proto(termination: Termination) -> pb.InstanceStateChange:
    """What was terminated before is so still; what wasn't is about to be."""
    before = termination.before.state
    after = before if before is InstanceState.TERMINATED else InstanceState.SHUTTING_DOWN
    return pb.InstanceStateChange(
        instance_id=termination.before.instance_id,
        current_state=_state_to_proto(after),
        previous_state=_state_to_proto(before),
    )


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


def _device_from_proto(member: pb.InstanceNetworkInterfaceSpecification) -> DeviceMembers:
    return DeviceMembers(
        device_index=given(member, "device_index"),
        network_interface_id=given(member, "network_interface_id"),
        subnet_id=given(member, "subnet_id"),
        private_ip_address=given(member, "private_ip_address"),
        description=given(member, "description"),
        groups=tuple(member.groups),
        delete_on_termination=given(member, "delete_on_termination"),
    )


def _instance_to_proto(
    known: AttachedInstance, state: InstanceState, attachment: pb.AttachmentStatus.ValueType
) -> pb.Instance:
    instance = known.instance
    return pb.Instance(
        network_interfaces=[
            _instance_interface_to_proto(interface, attachment) for interface in known.interfaces
        ],
        source_dest_check=True,
        tags=tags_to_proto(instance.tags),
        instance_id=instance.instance_id,
        image_id=instance.image_id,
        state=_state_to_proto(state),
        key_name=instance.key_name,
        ami_launch_index=instance.launch_index,
        instance_type=instance.instance_type,
        launch_time=_timestamp(instance.launched_at),
        placement=pb.Placement(availability_zone=instance.availability_zone),
        client_token=instance.client_token or None,
        **_primary_interface_to_proto(known),
    )


def _primary_interface_to_proto(known: AttachedInstance) -> dict[str, Any]:
    """What an instance has of its primary interface, as long as it has one."""
    if not known.interfaces:
        return {}
    primary = known.interfaces[0]
    elastic_ip = _elastic_ip(primary, primary.interface.primary_address)
    return {
        "security_groups": _groups_to_proto(primary.interface.groups),
        "subnet_id": primary.interface.subnet_id,
        "vpc_id": primary.interface.vpc_id,
        "private_ip_address": str(primary.interface.primary_address),
        "public_ip_address": str(elastic_ip.public_ip) if elastic_ip else None,
    }


def _instance_interface_to_proto(
    known: AssociatedInterface, status: pb.AttachmentStatus.ValueType
) -> pb.InstanceNetworkInterface:
    interface = known.interface
    return pb.InstanceNetworkInterface(
        association=_public_association_of(known, interface.primary_address),
        attachment=_instance_attachment_to_proto(interface.attachment, status),
        description=interface.description,
        groups=_groups_to_proto(interface.groups),
        ipv6_addresses=[
            pb.InstanceIpv6Address(ipv6_address=str(address), is_primary_ipv6=False)
            for address in interface.ipv6_addresses
        ],
        mac_address=interface.mac_address,
        network_interface_id=interface.network_interface_id,
        owner_id=interface.owner_id,
        private_ip_address=str(interface.primary_address),
        private_ip_addresses=[
            pb.InstancePrivateIpAddress(
                association=_public_association_of(known, address),
                primary=address == interface.primary_address,
                private_ip_address=str(address),
            )
            for address in interface.private_addresses
        ],
        source_dest_check=True,
        status=pb.NETWORK_INTERFACE_STATUS_IN_USE,
        subnet_id=interface.subnet_id,
        vpc_id=interface.vpc_id,
        interface_type="interface",
    )


def _attachment_to_proto(
    attachment: Attachment | None, instance_owner_id: str
) -> pb.NetworkInterfaceAttachment | None:
    if attachment is None:
        return None
    return pb.NetworkInterfaceAttachment(
        attach_time=_timestamp(attachment.attached_at),
        attachment_id=attachment.attachment_id,
        delete_on_termination=attachment.delete_on_termination,
        device_index=attachment.device_index,
        network_card_index=0,
        instance_id=attachment.instance_id,
        instance_owner_id=instance_owner_id,
        status=pb.ATTACHMENT_STATUS_ATTACHED,
    )


def _instance_attachment_to_proto(
    attachment: Attachment | None, status: pb.AttachmentStatus.ValueType
) -> pb.InstanceNetworkInterfaceAttachment | None:
    if attachment is None:
        return None
    return pb.InstanceNetworkInterfaceAttachment(
        attach_time=_timestamp(attachment.attached_at),
        attachment_id=attachment.attachment_id,
        delete_on_termination=attachment.delete_on_termination,
        device_index=attachment.device_index,
        status=status,
        network_card_index=0,
    )


def _elastic_ip(known: AssociatedInterface, private_address: IPv4Address) -> Address | None:
    """What is associated with one of an interface's addresses."""
    for address in known.elastic_ips:
        if address.association and address.association.private_address == private_address:
            return address
    return None


def _association_of(
    known: AssociatedInterface, private_address: IPv4Address
) -> pb.NetworkInterfaceAssociation | None:
    address = _elastic_ip(known, private_address)
    if address is None or address.association is None:
        return None
    return pb.NetworkInterfaceAssociation(
        allocation_id=address.allocation_id,
        association_id=address.association.association_id,
        ip_owner_id=address.owner_id,
        public_ip=str(address.public_ip),
    )


def _public_association_of(
    known: AssociatedInterface, private_address: IPv4Address
) -> pb.InstanceNetworkInterfaceAssociation | None:
    address = _elastic_ip(known, private_address)
    if address is None:
        return None
    return pb.InstanceNetworkInterfaceAssociation(
        ip_owner_id=address.owner_id, public_ip=str(address.public_ip)
    )


def _groups_to_proto(groups: Iterable[str]) -> list[pb.GroupIdentifier]:
    return [pb.GroupIdentifier(group_id=group) for group in groups]


def _state_to_proto(state: InstanceState) -> pb.InstanceState:
    number = enum_number(pb.InstanceStateName.DESCRIPTOR, state.word)
    return pb.InstanceState(code=state.code, name=pb.InstanceStateName.ValueType(number or 0))


def _timestamp(moment: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp
