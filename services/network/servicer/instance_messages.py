"""Messages about instances, from and to what they mean here."""

from collections.abc import Iterable
from ipaddress import IPv4Address
from typing import Any

from cadastre.network.v1 import instance_service_pb2 as pb
from services.network.instance import InstanceState
from services.network.interface import Attachment
from services.network.launch import DeviceMembers, Launch, PlaceMembers, devices
from services.network.service.instances import AttachedInstance, Termination
from services.network.service.interfaces import AssociatedInterface
from services.network.servicer.interface_messages import (
    NETWORK_INTERFACE,
    attachment_members,
    elastic_ip_of,
    groups_to_proto,
    interface_members,
)
from services.network.servicer.messages import given, timestamp_to_proto
from shared.rpc.enums import enum_number
from shared.tags import tags_from_specifications, tags_to_proto


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
        tags=_tags_from_proto(request, "instance"),
        interface_tags=_tags_from_proto(request, NETWORK_INTERFACE),
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


def _tags_from_proto(request: pb.RunInstancesRequest, resource_type: str) -> dict[str, str]:
    """Those for one of the types of resources that instances are started with."""
    others = {"instance", NETWORK_INTERFACE, "volume"} - {resource_type}
    specifications = [
        specification
        for specification in request.tag_specifications
        if specification.resource_type not in others
    ]
    return tags_from_specifications(specifications, resource_type)


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
            _interface_to_proto(interface, attachment) for interface in known.interfaces
        ],
        source_dest_check=True,
        tags=tags_to_proto(instance.tags),
        instance_id=instance.instance_id,
        image_id=instance.image_id,
        state=_state_to_proto(state),
        key_name=instance.key_name,
        ami_launch_index=instance.launch_index,
        instance_type=instance.instance_type,
        launch_time=timestamp_to_proto(instance.launched_at),
        placement=pb.Placement(availability_zone=instance.availability_zone),
        client_token=instance.client_token or None,
        **_primary_interface_to_proto(known),
    )


def _primary_interface_to_proto(known: AttachedInstance) -> dict[str, Any]:
    """What an instance has of its primary interface, as long as it has one."""
    if not known.interfaces:
        return {}
    primary = known.interfaces[0]
    elastic_ip = elastic_ip_of(primary, primary.interface.primary_address)
    return {
        "security_groups": groups_to_proto(primary.interface.groups),
        "subnet_id": primary.interface.subnet_id,
        "vpc_id": primary.interface.vpc_id,
        "private_ip_address": str(primary.interface.primary_address),
        "public_ip_address": str(elastic_ip.public_ip) if elastic_ip else None,
    }


def _interface_to_proto(
    known: AssociatedInterface, status: pb.AttachmentStatus.ValueType
) -> pb.InstanceNetworkInterface:
    interface = known.interface
    return pb.InstanceNetworkInterface(
        association=_association_of(known, interface.primary_address),
        attachment=_attachment_to_proto(interface.attachment, status),
        ipv6_addresses=[
            pb.InstanceIpv6Address(ipv6_address=str(address), is_primary_ipv6=False)
            for address in interface.ipv6_addresses
        ],
        private_ip_addresses=[
            pb.InstancePrivateIpAddress(
                association=_association_of(known, address),
                primary=address == interface.primary_address,
                private_ip_address=str(address),
            )
            for address in interface.private_addresses
        ],
        status=pb.NETWORK_INTERFACE_STATUS_IN_USE,
        interface_type="interface",
        **interface_members(interface),
    )


def _attachment_to_proto(
    attachment: Attachment | None, status: pb.AttachmentStatus.ValueType
) -> pb.InstanceNetworkInterfaceAttachment | None:
    if attachment is None:
        return None
    return pb.InstanceNetworkInterfaceAttachment(status=status, **attachment_members(attachment))


def _association_of(
    known: AssociatedInterface, private_address: IPv4Address
) -> pb.InstanceNetworkInterfaceAssociation | None:
    address = elastic_ip_of(known, private_address)
    if address is None:
        return None
    return pb.InstanceNetworkInterfaceAssociation(
        ip_owner_id=address.owner_id, public_ip=str(address.public_ip)
    )


def _state_to_proto(state: InstanceState) -> pb.InstanceState:
    number = enum_number(pb.InstanceStateName.DESCRIPTOR, state.word)
    return pb.InstanceState(code=state.code, name=pb.InstanceStateName.ValueType(number or 0))
