"""What a pool can have of Amazon's space (PROV-4, PROV-5)."""

from services.allocation.definition import (
    NO_LOCALE,
    AmazonBlockQuota,
    AwsService,
    PoolDefinition,
)
from services.allocation.wanted_block import WantedBlock
from shared.cidr import AddressFamily
from shared.errors import InvalidParameterValue, MissingParameter, OperationNotPermitted

_NOTHING = AmazonBlockQuota(blocks=0, min_netmask_length=0, max_netmask_length=128)


def block_quota(pool: PoolDefinition) -> AmazonBlockQuota:
    """What the pool's owner may have in the pool's region; nothing until that is told."""
    return pool.amazon_block_quota or _NOTHING


def check_amazon_block(pool: PoolDefinition, wanted: WantedBlock) -> None:
    """Refuse a block of Amazon's space that the pool can't have.

    Raises:
        InvalidParameterValue: a certain block, or one of another length than is allowed.
        MissingParameter: no length.
        OperationNotPermitted: the pool is nowhere, or for no service that could use the block.
    """
    if wanted.cidr:
        raise InvalidParameterValue(
            f"Value ({wanted.cidr}) for parameter cidr is invalid; which block of Amazon's space"
            " a pool gets is not for the caller to choose, so send NetmaskLength",
            parameter="cidr",
            value=wanted.cidr,
        )
    if wanted.netmask_length is None:
        raise MissingParameter("NetmaskLength")
    _check_place(pool)
    quota = block_quota(pool)
    shortest, longest = quota.min_netmask_length, quota.max_netmask_length
    if not shortest <= wanted.netmask_length <= longest:
        lengths = f"/{shortest} to /{longest}" if shortest != longest else f"/{shortest}"
        raise InvalidParameterValue(
            f"Value ({wanted.netmask_length}) for parameter netmaskLength is invalid; blocks of"
            f" Amazon's {pool.address_family.value} space are {lengths}",
            parameter="netmaskLength",
            value=wanted.netmask_length,
        )


def _check_place(pool: PoolDefinition) -> None:
    if pool.locale == NO_LOCALE:
        raise OperationNotPermitted(
            f"The locale of '{pool.ipam_pool_id}' is {NO_LOCALE}; only a pool with a locale can"
            " have a block of Amazon's space",
            ipam_pool_id=pool.ipam_pool_id,
            locale=pool.locale,
        )
    is_ipv4 = pool.address_family is AddressFamily.IPV4
    if is_ipv4 and pool.aws_service is not AwsService.EC2:
        raise OperationNotPermitted(
            f"'{pool.ipam_pool_id}' is not for AwsService '{AwsService.EC2}'; only such a pool can"
            " have a block of Amazon's IPv4 space",
            ipam_pool_id=pool.ipam_pool_id,
            aws_service=pool.aws_service or "",
        )
