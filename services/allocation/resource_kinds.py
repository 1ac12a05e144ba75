"""Which pools give blocks to which kinds of resources, and how large ones (VPC-3, EIP-1, EIP-2)."""

from dataclasses import replace

from services.allocation.allocation import ResourceType
from services.allocation.definition import AMAZON_SPACES, AwsService, PoolDefinition
from services.allocation.errors import PoolNotForResource
from services.allocation.system_pools import BYOIP_POOLS
from services.allocation.wanted_block import WantedBlock
from shared.cidr import AddressFamily
from shared.errors import InvalidParameterValue, MissingParameter

PUBLIC_IPV4 = frozenset({ResourceType.EIP, ResourceType.EC2_PUBLIC_IPV4_POOL})
"""What has public IPv4 space, in a region or one of its Local Zones."""

_BY_SYSTEM_POOL = {
    AMAZON_SPACES[AddressFamily.IPV4]: ResourceType.EIP,
    AMAZON_SPACES[AddressFamily.IPV6]: ResourceType.VPC,
    BYOIP_POOLS[AddressFamily.IPV4]: ResourceType.EC2_PUBLIC_IPV4_POOL,
}
_NOT_RESOURCES = (ResourceType.IPAM_POOL, ResourceType.CUSTOM)
_ONE_ADDRESS = 32
_LENGTHS = {
    ResourceType.EIP: range(_ONE_ADDRESS, _ONE_ADDRESS + 1),
    ResourceType.EC2_PUBLIC_IPV4_POOL: range(24, 33),
}


def check_is_resource(resource_type: ResourceType) -> None:
    """Refuse what is no resource of a service, but a pool or reserved by hand.

    Raises:
        InvalidParameterValue: naming the type.
    """
    if resource_type in _NOT_RESOURCES:
        raise InvalidParameterValue(
            f"Value ({resource_type}) for parameter resourceType is invalid; it names no"
            " resource of a service",
            parameter="resourceType",
            value=resource_type,
        )


def check_system_pool(ipam_pool_id: str, resource_type: ResourceType, resource_id: str) -> None:
    """Refuse resources of a kind that a system pool gives nothing to.

    Raises:
        PoolNotForResource: naming the kind that it is for.
    """
    wanted = _BY_SYSTEM_POOL.get(ipam_pool_id)
    if resource_type is not wanted:
        what = f"resources of type {wanted}" if wanted else "no resources"
        raise PoolNotForResource(ipam_pool_id, resource_id, f"that is for {what}")


def check_kind(
    pool: PoolDefinition, resource_type: ResourceType, resource_id: str, vpc_id: str
) -> None:
    """Refuse resources of a kind that an IPAM's pool is not for. ``vpc_id`` is a subnet's VPC.

    Raises:
        PoolNotForResource: naming what the pool lacks.
        MissingParameter: nothing says which VPC a subnet lies in.
    """
    why = None
    match resource_type:
        case ResourceType.VPC:
            why = _why_not_to_vpc(pool)
        case ResourceType.SUBNET:
            why = _why_not_to_subnet(pool, vpc_id)
        case ResourceType.EIP | ResourceType.EC2_PUBLIC_IPV4_POOL:
            why = _why_not_public_ipv4(pool)
    if why:
        raise PoolNotForResource(pool.ipam_pool_id, resource_id, why)


def sized(resource_type: ResourceType, wanted: WantedBlock, default: int | None) -> WantedBlock:
    """What is wanted, with the length that goes without saying. ``default`` is the pool's.

    Raises:
        InvalidParameterValue: of such a length the resource has no blocks.
    """
    lengths = _LENGTHS.get(resource_type)
    if lengths is None:
        return wanted
    length = wanted.cidr.prefix_length if wanted.cidr else wanted.netmask_length
    if length is None:
        length = _ONE_ADDRESS if resource_type is ResourceType.EIP else default
    if length is not None and length not in lengths:
        raise InvalidParameterValue(
            f"Value ({length}) for parameter netmaskLength is invalid; blocks of type"
            f" {resource_type} are /{lengths[0]} to /{lengths[-1]}",
            parameter="netmaskLength",
            value=length,
        )
    return wanted if wanted.cidr else replace(wanted, netmask_length=length)


def _why_not_to_vpc(pool: PoolDefinition) -> str | None:
    if pool.is_planning:
        return f"it plans the space of '{pool.source_resource_id}', for subnets in there"
    return _why_not_ec2(pool) if pool.is_public else None


def _why_not_to_subnet(pool: PoolDefinition, vpc_id: str) -> str | None:
    if not vpc_id:
        raise MissingParameter("VpcId")
    if not pool.is_planning:
        return f"subnets have space of pools that plan their VPC; use one of '{vpc_id}'"
    if pool.source_resource_id == vpc_id:
        return None
    planned = pool.source_resource_id
    return f"it plans the space of '{planned}', and the subnet lies in '{vpc_id}'"


def _why_not_public_ipv4(pool: PoolDefinition) -> str | None:
    is_public_ipv4 = pool.is_public and pool.address_family is AddressFamily.IPV4
    if not is_public_ipv4 or pool.is_planning:
        return "that takes an IPv4 pool of a public scope"
    return _why_not_ec2(pool)


def _why_not_ec2(pool: PoolDefinition) -> str | None:
    if pool.aws_service is AwsService.EC2:
        return None
    return f"that takes a pool with AwsService '{AwsService.EC2}'"
