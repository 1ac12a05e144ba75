"""Where public addresses are advertised from: a region, or a group of its Local Zones."""

from services.network.resource import CidrAssociation
from shared.errors import InvalidParameterValue
from shared.regions import region_of


def check_network_border_group(group: str, region: str) -> str:
    """``group`` itself, when addresses of ``region`` can be advertised from it.

    Raises:
        InvalidParameterValue: it is neither the region nor formed like one of its groups.
    """
    if region_of(group) != region:
        raise InvalidParameterValue(
            f"Value ({group}) for parameter networkBorderGroup is invalid; use '{region}', or a"
            f" group of its Local Zones, such as '{region}-abc-1'",
            parameter="networkBorderGroup",
            value=group,
        )
    return group


def local_group(group: str | None, region: str) -> str | None:
    """``group``, unless it is the region, which needs no saying."""
    return None if group == region else group


def advertised_from(block: CidrAssociation, wanted: str | None) -> str:
    """The group that space of an IPAM pool is advertised from, which is the pool's locale.

    Raises:
        InvalidParameterValue: the pool is in a private scope, or has another locale than wanted.
    """
    pool = block.source_pool
    if pool is None or not pool.is_public:
        raise InvalidParameterValue(
            f"Value ({block.ipam_pool_id}) for parameter ipamPoolId is invalid: public addresses"
            " need a pool in a public scope",
            parameter="ipamPoolId",
            value=block.ipam_pool_id,
        )
    if wanted not in (None, pool.locale):
        raise InvalidParameterValue(
            f"The network border group '{wanted}' is not the locale of '{block.ipam_pool_id}',"
            f" which is '{pool.locale}'; use a pool with that locale",
            parameter="networkBorderGroup",
            value=wanted,
            ipam_pool_id=block.ipam_pool_id,
            locale=pool.locale,
        )
    return pool.locale
