"""From AWS's answers, as boto3 gives them, to a snapshot (DISC-3, PUB-1)."""

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from services.discovery.aws.members import (
    TEXT_LENGTH,
    WORD_LENGTH,
    Item,
    MalformedAnswer,
    address_in,
    cidr_of,
    count_of,
    list_of,
    part_of,
    public_ipv4_of,
    quoted,
    tags_of,
    text_of,
    texts_of,
    word_of,
)
from services.discovery.snapshot import (
    Address,
    Attachment,
    IpSource,
    NetworkInterface,
    PublicIp,
    PublicIpv4Pool,
    SecurityGroup,
    ServiceAddress,
    Snapshot,
    SourcedCidr,
    Subnet,
    Vpc,
)
from services.discovery.sources import AccountRegion
from shared.cidr import Cidr

Space = Sequence[Cidr]

ACCELERATORS_REGION = "us-west-2"
"""Global Accelerator is asked there and nowhere else; its addresses are of no region."""

_GONE_STATES = ("disassociated", "failed")


def snapshot_of(
    place: AccountRegion, sampled_at: datetime, items: Callable[[str], Iterable[Item]]
) -> Snapshot:
    """What an account has in a region; ``items`` gives what an action lists.

    Answers also tell of what others share with the account, or put into VPCs that it shares:
    that is in their owners' snapshots.

    Raises:
        MalformedAnswer: a value is missing or senseless.
    """
    byoip = byoip_space(items("DescribeByoipCidrs"), items("DescribeIpv6Pools"))
    subnets = list(items("DescribeSubnets"))
    zone_ids = {
        one["AvailabilityZone"]: word_of(one, "AvailabilityZoneId", "a zone", WORD_LENGTH)
        for one in subnets
        if "AvailabilityZone" in one and "AvailabilityZoneId" in one
    }
    return Snapshot(
        account_id=place.account_id,
        region=place.region,
        sampled_at=sampled_at,
        vpcs=[vpc_of(one, byoip) for one in _owned(place, items("DescribeVpcs"))],
        subnets=[subnet_of(one, byoip) for one in _owned(place, subnets)],
        network_interfaces=[
            network_interface_of(one, zone_ids)
            for one in _owned(place, items("DescribeNetworkInterfaces"))
        ],
        addresses=[
            address_of(one, place.region)
            for one in items("DescribeAddresses")
            if not _is_of_a_carrier(one)
        ],
        public_ipv4_pools=[
            public_ipv4_pool_of(one, byoip, place.region)
            for one in items("DescribePublicIpv4Pools")
        ],
        # VPN connections of one concentrator may end at the same address.
        service_addresses=list(
            {one.address: one for one in _service_addresses(place, items)}.values()
        ),
    )


def byoip_space(byoip_cidrs: Iterable[Item], ipv6_pools: Iterable[Item]) -> Space:
    """What the account has brought along, of both families."""
    return [
        *(cidr_of(one, "Cidr", "a BYOIP CIDR") for one in byoip_cidrs),
        *(
            cidr_of(block, "Cidr", text_of(pool, "PoolId", "an IPv6 pool"))
            for pool in ipv6_pools
            for block in list_of(pool, "PoolCidrBlocks")
        ),
    ]


def vpc_of(item: Item, byoip: Space) -> Vpc:
    vpc_id = text_of(item, "VpcId", "a VPC")
    blocks = [
        SourcedCidr(cidr_of(one, "CidrBlock", vpc_id))
        for one in list_of(item, "CidrBlockAssociationSet")
        if _is_there(one, "CidrBlockState", vpc_id)
    ]
    if not blocks:
        raise MalformedAnswer(f"{vpc_id} has no IPv4 CIDR, and a VPC always has one")
    return Vpc(vpc_id, (*blocks, *_ipv6_cidrs(item, vpc_id, byoip)), tags_of(item, "Tags", vpc_id))


def subnet_of(item: Item, byoip: Space) -> Subnet:
    subnet_id = text_of(item, "SubnetId", "a subnet")
    cidrs = _ipv6_cidrs(item, subnet_id, byoip)
    if not item.get("Ipv6Native"):
        cidrs = [SourcedCidr(cidr_of(item, "CidrBlock", subnet_id)), *cidrs]
    return Subnet(
        subnet_id,
        text_of(item, "VpcId", subnet_id),
        tuple(cidrs),
        tags_of(item, "Tags", subnet_id),
        word_of(item, "AvailabilityZoneId", subnet_id, WORD_LENGTH),
    )


def network_interface_of(item: Item, zone_ids: Mapping[str, str]) -> NetworkInterface:
    """``zone_ids``: ids of Availability Zones by the account's names for them."""
    interface_id = text_of(item, "NetworkInterfaceId", "a network interface")
    zone_id = word_of(item, "AvailabilityZoneId", interface_id, WORD_LENGTH)
    return NetworkInterface(
        network_interface_id=interface_id,
        vpc_id=text_of(item, "VpcId", interface_id),
        subnet_id=text_of(item, "SubnetId", interface_id),
        blocks=_interface_blocks(item, interface_id),
        tags=tags_of(item, "TagSet", interface_id),
        availability_zone_id=zone_id
        or zone_ids.get(word_of(item, "AvailabilityZone", interface_id), ""),
        description=word_of(item, "Description", interface_id, TEXT_LENGTH),
        interface_type=word_of(item, "InterfaceType", interface_id, WORD_LENGTH) or "interface",
        # Of one that a user made, it is the user.
        requester_id=word_of(item, "RequesterId", interface_id)
        if item.get("RequesterManaged")
        else None,
        attachment=_attachment(item, interface_id),
        security_groups=tuple(
            SecurityGroup(
                text_of(one, "GroupId", interface_id), word_of(one, "GroupName", interface_id)
            )
            for one in list_of(item, "Groups")
        ),
        public_ips=_public_ips(item, interface_id),
    )


def address_of(item: Item, region: str) -> Address:
    allocation_id = text_of(item, "AllocationId", "an elastic IP address")
    return Address(
        allocation_id=allocation_id,
        public_ip=public_ipv4_of(item, "PublicIp", allocation_id),
        public_ipv4_pool=word_of(item, "PublicIpv4Pool", allocation_id) or "amazon",
        network_border_group=word_of(item, "NetworkBorderGroup", allocation_id) or region,
        tags=tags_of(item, "Tags", allocation_id),
        association_id=word_of(item, "AssociationId", allocation_id) or None,
        network_interface_id=word_of(item, "NetworkInterfaceId", allocation_id) or None,
        instance_id=word_of(item, "InstanceId", allocation_id) or None,
        service_managed=word_of(item, "ServiceManaged", allocation_id, WORD_LENGTH) or None,
    )


def public_ipv4_pool_of(item: Item, byoip: Space, region: str) -> PublicIpv4Pool:
    """A pool is of BYOIP space if all of its space was brought along."""
    pool_id = text_of(item, "PoolId", "a public IPv4 pool")
    cidrs = tuple(
        cidr for one in list_of(item, "PoolAddressRanges") for cidr in _range_cidrs(one, pool_id)
    )
    return PublicIpv4Pool(
        pool_id=pool_id,
        cidrs=cidrs,
        tags=tags_of(item, "Tags", pool_id),
        network_border_group=word_of(item, "NetworkBorderGroup", pool_id) or region,
        total_address_count=count_of(item, "TotalAddressCount", pool_id),
        total_available_address_count=count_of(item, "TotalAvailableAddressCount", pool_id),
        is_byoip=bool(cidrs) and all(_lies_in(cidr, byoip) for cidr in cidrs),
    )


def vpn_connection_addresses(item: Item) -> list[ServiceAddress]:
    """The public IPv4 addresses of the tunnels' AWS ends."""
    connection_id = text_of(item, "VpnConnectionId", "a VPN connection")
    options = part_of(item, "Options", connection_id)
    # AWS lists deleted ones for a while; private ones run over Direct Connect.
    if item.get("State") == "deleted" or options.get("OutsideIpAddressType") == "PrivateIpv4":
        return []
    tunnels = [*list_of(options, "TunnelOptions"), *list_of(item, "VgwTelemetry")]
    # One that is still being made has no addresses yet.
    outside = dict.fromkeys(
        text_of(one, "OutsideIpAddress", connection_id)
        for one in tunnels
        if one.get("OutsideIpAddress")
    )
    return [
        ServiceAddress(
            address=address_in(text, connection_id),
            service="site-to-site-vpn",
            service_resource=connection_id,
            is_byoip=False,
            tags=tags_of(item, "Tags", connection_id),
        )
        for text in outside
        if ":" not in text
    ]


def accelerator_addresses(item: Item, byoip: Space) -> list[ServiceAddress]:
    """The static IPv4 addresses of an accelerator; the list does not tell its tags."""
    arn = text_of(item, "AcceleratorArn", "an accelerator")
    addresses = [
        address_in(text, arn)
        for ip_set in list_of(item, "IpSets")
        for text in texts_of(ip_set, "IpAddresses", arn)
        if ":" not in text
    ]
    return [
        ServiceAddress(address, "global-accelerator", arn, _lies_in(address, byoip), {})
        for address in addresses
    ]


def _service_addresses(
    place: AccountRegion, items: Callable[[str], Iterable[Item]]
) -> Iterable[ServiceAddress]:
    for one in items("DescribeVpnConnections"):
        yield from vpn_connection_addresses(one)
    if place.region == ACCELERATORS_REGION:
        byoip = byoip_space(items("ListByoipCidrs"), [])
        for one in items("ListAccelerators"):
            yield from accelerator_addresses(one, byoip)


def _owned(place: AccountRegion, items: Iterable[Item]) -> Iterable[Item]:
    return (one for one in items if text_of(one, "OwnerId", "a resource") == place.account_id)


def _ipv6_cidrs(item: Item, resource_id: str, byoip: Space) -> list[SourcedCidr]:
    found = []
    for one in list_of(item, "Ipv6CidrBlockAssociationSet"):
        if _is_there(one, "Ipv6CidrBlockState", resource_id):
            cidr = cidr_of(one, "Ipv6CidrBlock", resource_id)
            found.append(SourcedCidr(cidr, _ip_source(one, cidr, byoip)))
    return found


def _ip_source(association: Item, cidr: Cidr, byoip: Space) -> IpSource:
    word = word_of(association, "IpSource", str(cidr))
    if word:
        try:
            return IpSource(word)
        except ValueError:
            raise MalformedAnswer(f"{cidr} is from {quoted(word)}, which is no source") from None
    if association.get("Ipv6AddressAttribute") == "private":
        return IpSource.NONE
    return IpSource.BYOIP if _lies_in(cidr, byoip) else IpSource.AMAZON


def _is_there(association: Item, state_member: str, resource_id: str) -> bool:
    """Also while it comes or goes: the space is taken."""
    return part_of(association, state_member, resource_id).get("State") not in _GONE_STATES


def _interface_blocks(item: Item, interface_id: str) -> tuple[Cidr, ...]:
    ipv4 = sorted(list_of(item, "PrivateIpAddresses"), key=lambda one: not one.get("Primary"))
    return (
        *(address_in(text_of(one, "PrivateIpAddress", interface_id), interface_id) for one in ipv4),
        *(
            address_in(text_of(one, "Ipv6Address", interface_id), interface_id)
            for one in list_of(item, "Ipv6Addresses")
        ),
        *(cidr_of(one, "Ipv4Prefix", interface_id) for one in list_of(item, "Ipv4Prefixes")),
        *(cidr_of(one, "Ipv6Prefix", interface_id) for one in list_of(item, "Ipv6Prefixes")),
    )


def _attachment(item: Item, interface_id: str) -> Attachment | None:
    attachment = part_of(item, "Attachment", interface_id)
    if not attachment or attachment.get("Status") == "detached":
        return None
    return Attachment(
        word_of(attachment, "InstanceId", interface_id),
        word_of(attachment, "InstanceOwnerId", interface_id),
    )


def _public_ips(item: Item, interface_id: str) -> tuple[PublicIp, ...]:
    # The interface's own association is that of its primary address, told once more.
    associations = [
        part_of(one, "Association", interface_id)
        for one in (item, *list_of(item, "PrivateIpAddresses"))
    ]
    found = {
        text_of(one, "PublicIp", interface_id): PublicIp(
            public_ipv4_of(one, "PublicIp", interface_id),
            word_of(one, "IpOwnerId", interface_id),
            word_of(one, "AllocationId", interface_id),
        )
        for one in associations
        # A Wavelength zone's are the carrier's.
        if one.get("PublicIp")
    }
    return tuple(found.values())


def _is_of_a_carrier(address: Item) -> bool:
    """A carrier's or customer's own address, which the internet does not reach it by."""
    return not address.get("PublicIp") and bool(
        address.get("CarrierIp") or address.get("CustomerOwnedIp")
    )


def _range_cidrs(item: Item, pool_id: str) -> list[Cidr]:
    first, last = text_of(item, "FirstAddress", pool_id), text_of(item, "LastAddress", pool_id)
    try:
        blocks = ipaddress.summarize_address_range(
            ipaddress.IPv4Address(first), ipaddress.IPv4Address(last)
        )
        return [Cidr.parse(str(block)) for block in blocks]
    except ValueError:
        raise MalformedAnswer(
            f"{pool_id} has {quoted(first)} to {quoted(last)}, which is no range"
        ) from None


def _lies_in(cidr: Cidr, space: Space) -> bool:
    return any(block.contains(cidr) for block in space)
