"""Messages about elastic IP addresses and public IPv4 pools, from and to what they mean here."""

from ipaddress import IPv4Address
from typing import Any

from cadastre.network.v1 import address_service_pb2 as pb
from services.network.address import Address, AddressName, address_source
from services.network.address_transfer import AddressTransfer
from services.network.interface_addresses import ipv4_address
from services.network.network_border_group import check_network_border_group
from services.network.public_ipv4_pool import AddressRange, PublicIpv4Pool
from services.network.service.address_associations import NewAssociation
from services.network.service.addresses import AddressInPlace, NewAddress
from services.network.service.public_ipv4_pools import NewRange
from services.network.servicer.messages import given, timestamp_to_proto
from shared.errors import InvalidParameterCombination, InvalidParameterValue, MissingParameter
from shared.tags import tags_from_specifications, tags_to_proto

ELASTIC_IP = "elastic-ip"
PUBLIC_IPV4_POOL = "ipv4pool-ec2"
"""As tag specifications name the kinds."""


def new_address_from_proto(request: pb.AllocateAddressRequest, region: str) -> NewAddress:
    if request.HasField("domain") and request.domain != pb.DOMAIN_TYPE_VPC:
        raise InvalidParameterValue(
            "Value (standard) for parameter domain is invalid; addresses are for VPCs, so use"
            " 'vpc'",
            parameter="domain",
            value="standard",
        )
    address = given(request, "address")
    return NewAddress(
        source=address_source(
            given(request, "ipam_pool_id"),
            given(request, "public_ipv4_pool"),
            None if address is None else ipv4_address(address, "address"),
        ),
        network_border_group=border_group_from_proto(request, region),
        tags=tags_from_specifications(request.tag_specifications, ELASTIC_IP),
    )


def new_association_from_proto(request: pb.AssociateAddressRequest) -> NewAssociation:
    private_address = given(request, "private_ip_address")
    return NewAssociation(
        address=address_name_from_proto(request),
        target_id=_one_of(request, "instance_id", "network_interface_id"),
        private_address=(
            None if private_address is None else ipv4_address(private_address, "privateIpAddress")
        ),
        allow_reassociation=(
            not request.HasField("allow_reassociation") or request.allow_reassociation
        ),
    )


def address_name_from_proto(
    request: Any,  # the requests that name an address share members, but no base
) -> AddressName:
    """By allocation id or public address: exactly one is given."""
    return _name(request, "allocation_id")


def association_name_from_proto(request: pb.DisassociateAddressRequest) -> str | IPv4Address:
    """By association id or public address: exactly one is given."""
    return _name(request, "association_id")


def new_range_from_proto(request: pb.ProvisionPublicIpv4PoolCidrRequest, region: str) -> NewRange:
    return NewRange(
        pool_id=request.pool_id,
        ipam_pool_id=request.ipam_pool_id,
        netmask_length=request.netmask_length,
        network_border_group=border_group_from_proto(request, region),
    )


def border_group_from_proto(
    request: Any,  # the requests with this member share no base
    region: str,
) -> str | None:
    """None when the request doesn't say."""
    group = given(request, "network_border_group")
    return None if group is None else check_network_border_group(group, region)


def allocated_to_proto(address: Address) -> pb.AllocateAddressResponse:
    return pb.AllocateAddressResponse(
        allocation_id=address.allocation_id,
        public_ipv4_pool=address.public_ipv4_pool,
        network_border_group=address.network_border_group,
        domain=pb.DOMAIN_TYPE_VPC,
        public_ip=str(address.public_ip),
    )


def address_to_proto(shown: AddressInPlace) -> pb.Address:
    address = shown.address
    return pb.Address(
        allocation_id=address.allocation_id,
        domain=pb.DOMAIN_TYPE_VPC,
        tags=tags_to_proto(address.tags),
        public_ipv4_pool=address.public_ipv4_pool,
        network_border_group=address.network_border_group,
        public_ip=str(address.public_ip),
        **_association_to_proto(shown),
    )


def address_attribute_to_proto(shown: AddressInPlace) -> pb.AddressAttribute:
    return pb.AddressAttribute(
        public_ip=str(shown.address.public_ip), allocation_id=shown.address.allocation_id
    )


def transfer_to_proto(
    transfer: AddressTransfer, status: pb.AddressTransferStatus.ValueType | None = None
) -> pb.AddressTransfer:
    """``status`` is the transfer's own unless it is given."""
    accepted_at = transfer.accepted_at
    own = pb.ADDRESS_TRANSFER_STATUS_ACCEPTED if accepted_at else pb.ADDRESS_TRANSFER_STATUS_PENDING
    return pb.AddressTransfer(
        public_ip=str(transfer.public_ip),
        allocation_id=transfer.allocation_id,
        transfer_account_id=transfer.transfer_account_id,
        transfer_offer_expiration_timestamp=timestamp_to_proto(transfer.expires_at),
        transfer_offer_accepted_timestamp=timestamp_to_proto(accepted_at) if accepted_at else None,
        address_transfer_status=own if status is None else status,
    )


def pool_to_proto(pool: PublicIpv4Pool) -> pb.PublicIpv4Pool:
    return pb.PublicIpv4Pool(
        pool_id=pool.pool_id,
        description=pool.description,
        pool_address_ranges=map(range_to_proto, pool.ranges),
        total_address_count=pool.total,
        total_available_address_count=pool.available_total,
        network_border_group=pool.network_border_group,
        tags=tags_to_proto(pool.tags),
    )


def range_to_proto(known: AddressRange) -> pb.PublicIpv4PoolRange:
    return pb.PublicIpv4PoolRange(
        first_address=str(known.first),
        last_address=str(known.last),
        address_count=known.total,
        available_address_count=known.available_total,
    )


def _association_to_proto(shown: AddressInPlace) -> dict[str, Any]:
    association, interface = shown.address.association, shown.interface
    if association is None or interface is None:
        return {}
    return {
        "association_id": association.association_id,
        "network_interface_id": interface.network_interface_id,
        "network_interface_owner_id": interface.owner_id,
        "private_ip_address": str(association.private_address),
        "subnet_id": interface.subnet_id,
        "instance_id": interface.attachment.instance_id if interface.attachment else None,
    }


def _name(request: Any, id_member: str) -> str | IPv4Address:
    name = _one_of(request, id_member, "public_ip")
    return name if request.HasField(id_member) else ipv4_address(name, "publicIp")


def _one_of(request: Any, one: str, other: str) -> str:
    """The value of the only one of two members that is given."""
    named = [name for name in (one, other) if request.HasField(name)]
    first, second = (
        request.DESCRIPTOR.fields_by_name[name].camelcase_name for name in (one, other)
    )
    if not named:
        raise MissingParameter(f"{first} or {second}")
    if len(named) > 1:
        raise InvalidParameterCombination(
            f"{first} and {second} exclude each other; use one", parameter=second
        )
    value: str = getattr(request, named[0])
    return value
