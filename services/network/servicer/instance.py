"""InstanceService: messages to use cases and back."""

from collections.abc import Sequence

from cadastre.network.v1 import instance_service_pb2 as pb
from cadastre.network.v1 import instance_service_pb2_grpc
from services.network.instance import InstanceState
from services.network.service.instances import AttachedInstance, Instances, InstancesAfter
from services.network.service.interfaces import (
    AssociatedInterface,
    Interfaces,
    InterfacesAfter,
)
from services.network.servicer.instance_messages import (
    launch_from_proto,
    merged,
    reservation_to_proto,
    termination_to_proto,
)
from services.network.servicer.interface_messages import (
    device_index_from_proto,
    interface_to_proto,
    new_interface_from_proto,
)
from services.network.servicer.listing import matching
from services.network.servicer.once import once_of
from shared.filters import FilterSet
from shared.paging import paginate
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of

INTERFACE_FILTER_ALIASES = {
    "addresses.association.allocation-id": "private_ip_addresses.association.allocation_id",
    "addresses.association.association-id": "private_ip_addresses.association.association_id",
    "addresses.association.owner-id": "private_ip_addresses.association.ip_owner_id",
    "addresses.association.public-ip": "private_ip_addresses.association.public_ip",
    "addresses.primary": "private_ip_addresses.primary",
    "addresses.private-ip-address": "private_ip_addresses.private_ip_address",
    "association.allocation-id": "association.allocation_id",
    "association.association-id": "association.association_id",
    "association.ip-owner-id": "association.ip_owner_id",
    "association.public-ip": "association.public_ip",
    "attachment.attachment-id": "attachment.attachment_id",
    "attachment.delete-on-termination": "attachment.delete_on_termination",
    "attachment.device-index": "attachment.device_index",
    "attachment.instance-id": "attachment.instance_id",
    "attachment.instance-owner-id": "attachment.instance_owner_id",
    "attachment.status": "attachment.status",
    "group-id": "groups.group_id",
    "ipv6-addresses.ipv6-address": "ipv6_addresses.ipv6_address",
}
"""EC2's names of filters that are not members of NetworkInterface."""

INSTANCE_FILTER_ALIASES = {
    "availability-zone": "instances.placement.availability_zone",
    "client-token": "instances.client_token",
    "image-id": "instances.image_id",
    "instance-id": "instances.instance_id",
    "instance-state-code": "instances.state.code",
    "instance-state-name": "instances.state.name",
    "instance-type": "instances.instance_type",
    "instance.group-id": "instances.security_groups.group_id",
    "ip-address": "instances.public_ip_address",
    "key-name": "instances.key_name",
    "launch-index": "instances.ami_launch_index",
    "launch-time": "instances.launch_time",
    "network-interface.addresses.association.ip-owner-id": (
        "instances.network_interfaces.private_ip_addresses.association.ip_owner_id"
    ),
    "network-interface.addresses.association.public-ip": (
        "instances.network_interfaces.private_ip_addresses.association.public_ip"
    ),
    "network-interface.addresses.primary": (
        "instances.network_interfaces.private_ip_addresses.primary"
    ),
    "network-interface.addresses.private-ip-address": (
        "instances.network_interfaces.private_ip_addresses.private_ip_address"
    ),
    "network-interface.association.ip-owner-id": (
        "instances.network_interfaces.association.ip_owner_id"
    ),
    "network-interface.association.public-ip": (
        "instances.network_interfaces.association.public_ip"
    ),
    "network-interface.attachment.attachment-id": (
        "instances.network_interfaces.attachment.attachment_id"
    ),
    "network-interface.attachment.delete-on-termination": (
        "instances.network_interfaces.attachment.delete_on_termination"
    ),
    "network-interface.attachment.device-index": (
        "instances.network_interfaces.attachment.device_index"
    ),
    "network-interface.attachment.status": "instances.network_interfaces.attachment.status",
    # An interface is in the zone of its instance.
    "network-interface.availability-zone": "instances.placement.availability_zone",
    "network-interface.description": "instances.network_interfaces.description",
    "network-interface.group-id": "instances.network_interfaces.groups.group_id",
    "network-interface.ipv6-addresses.ipv6-address": (
        "instances.network_interfaces.ipv6_addresses.ipv6_address"
    ),
    "network-interface.mac-address": "instances.network_interfaces.mac_address",
    "network-interface.network-interface-id": ("instances.network_interfaces.network_interface_id"),
    "network-interface.owner-id": "instances.network_interfaces.owner_id",
    "network-interface.private-ip-address": "instances.network_interfaces.private_ip_address",
    "network-interface.source-dest-check": "instances.network_interfaces.source_dest_check",
    "network-interface.status": "instances.network_interfaces.status",
    "network-interface.subnet-id": "instances.network_interfaces.subnet_id",
    "network-interface.vpc-id": "instances.network_interfaces.vpc_id",
    "private-ip-address": "instances.private_ip_address",
    "source-dest-check": "instances.source_dest_check",
    "subnet-id": "instances.subnet_id",
    "vpc-id": "instances.vpc_id",
}
"""EC2's names of filters, by where a reservation of one instance has the values."""


class InstanceServicer(instance_service_pb2_grpc.InstanceServiceServicer):
    """Translates; what is decided is decided in ``service``.

    Instances are as good as running, or terminated, when it is answered. The answers say "pending",
    "attaching" and "shutting-down" all the same, as EC2's do; the next describe says what is true.
    """

    def __init__(self, interfaces: Interfaces, instances: Instances) -> None:
        self._interfaces, self._instances = interfaces, instances

    async def CreateNetworkInterface(
        self, request: pb.CreateNetworkInterfaceRequest, context: Context
    ) -> pb.CreateNetworkInterfaceResponse:
        caller = caller_of(context)

        def answer(created: AssociatedInterface) -> pb.CreateNetworkInterfaceResponse:
            return pb.CreateNetworkInterfaceResponse(
                network_interface=interface_to_proto(created),
                client_token=request.client_token or None,
            )

        first = await self._interfaces.create(
            caller,
            new_interface_from_proto(request),
            answer,
            once=once_of(request, caller),
            dry_run=request.dry_run,
        )
        return pb.CreateNetworkInterfaceResponse.FromString(first)

    async def DescribeNetworkInterfaces(
        self, request: pb.DescribeNetworkInterfacesRequest, context: Context
    ) -> pb.DescribeNetworkInterfacesResponse:
        filters = FilterSet(
            request.filters,
            pb.NetworkInterface.DESCRIPTOR,
            INTERFACE_FILTER_ALIASES,
            tags="tag_set",
        )

        def page(interfaces: InterfacesAfter) -> tuple[list[pb.NetworkInterface], str | None]:
            return paginate(
                request, lambda after: matching(filters, interfaces(after), interface_to_proto)
            )

        records, token = await self._interfaces.describe(
            caller_of(context), request.network_interface_ids, page
        )
        return pb.DescribeNetworkInterfacesResponse(network_interfaces=records, next_token=token)

    async def DeleteNetworkInterface(
        self, request: pb.DeleteNetworkInterfaceRequest, context: Context
    ) -> pb.DeleteNetworkInterfaceResponse:
        await self._interfaces.delete(
            caller_of(context), request.network_interface_id, dry_run=request.dry_run
        )
        return pb.DeleteNetworkInterfaceResponse()

    async def AttachNetworkInterface(
        self, request: pb.AttachNetworkInterfaceRequest, context: Context
    ) -> pb.AttachNetworkInterfaceResponse:
        attachment = await self._interfaces.attach(
            caller_of(context),
            request.network_interface_id,
            request.instance_id,
            device_index_from_proto(request),
            dry_run=request.dry_run,
        )
        return pb.AttachNetworkInterfaceResponse(
            attachment_id=attachment.attachment_id, network_card_index=0
        )

    async def DetachNetworkInterface(
        self, request: pb.DetachNetworkInterfaceRequest, context: Context
    ) -> pb.DetachNetworkInterfaceResponse:
        await self._interfaces.detach(
            caller_of(context), request.attachment_id, dry_run=request.dry_run
        )
        return pb.DetachNetworkInterfaceResponse()

    async def RunInstances(
        self, request: pb.RunInstancesRequest, context: Context
    ) -> pb.RunInstancesResponse:
        caller = caller_of(context)
        first = await self._instances.run(
            caller,
            launch_from_proto(request),
            _started,
            once=once_of(request, caller),
            dry_run=request.dry_run,
        )
        return pb.RunInstancesResponse.FromString(first)

    async def DescribeInstances(
        self, request: pb.DescribeInstancesRequest, context: Context
    ) -> pb.DescribeInstancesResponse:
        filters = FilterSet(
            request.filters,
            pb.Reservation.DESCRIPTOR,
            INSTANCE_FILTER_ALIASES,
            tags="instances.tags",
        )

        def page(instances: InstancesAfter) -> tuple[list[pb.Reservation], str | None]:
            return paginate(
                request, lambda after: matching(filters, instances(after), reservation_to_proto)
            )

        records, token = await self._instances.describe(
            caller_of(context), request.instance_ids, page
        )
        return pb.DescribeInstancesResponse(reservations=merged(records), next_token=token)

    async def TerminateInstances(
        self, request: pb.TerminateInstancesRequest, context: Context
    ) -> pb.TerminateInstancesResponse:
        terminations = await self._instances.terminate(
            caller_of(context), request.instance_ids, dry_run=request.dry_run
        )
        return pb.TerminateInstancesResponse(
            terminating_instances=map(termination_to_proto, terminations)
        )


def _started(instances: Sequence[AttachedInstance]) -> pb.RunInstancesResponse:
    [reservation] = merged(
        reservation_to_proto(known, InstanceState.PENDING, pb.ATTACHMENT_STATUS_ATTACHING)
        for known in instances
    )
    return pb.RunInstancesResponse(
        reservation_id=reservation.reservation_id,
        owner_id=reservation.owner_id,
        instances=reservation.instances,
    )
