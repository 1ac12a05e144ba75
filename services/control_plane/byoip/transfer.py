"""Moving a range that came without an IPAM to an IPAM's pool (BYOIP-6)."""

from dataclasses import replace

from services.control_plane.byoip.byoip_cidr import (
    ByoipCidr,
    ByoipCidrState,
    InPool,
    check_usable,
)
from services.control_plane.pool import AwsService, Pool, PublicIpSource
from services.control_plane.scope import ScopeType
from shared.cidr import AddressFamily, Cidr
from shared.errors import IncorrectState, InvalidParameterValue
from shared.regions import is_local_zone


def check_moves(cidr: Cidr) -> None:
    """Only IPv4 does.

    Raises:
        InvalidParameterValue: it is IPv6.
    """
    if cidr.family is AddressFamily.IPV6:
        raise InvalidParameterValue(
            f"Value ({cidr}) for parameter cidr is invalid; IPv6 CIDRs can't be moved to IPAM, so"
            " deprovision it and provision it to the pool",
            parameter="cidr",
            value=cidr,
        )


def check_takes(pool: Pool, cidr: ByoipCidr) -> None:
    """The pool is one that such a range can move to.

    Raises:
        InvalidParameterValue: it is not; the message says which of its members is wrong. Or the
            range is in a Local Zone, and a pool would advertise it from elsewhere.
    """
    if is_local_zone(cidr.network_border_group):
        raise InvalidParameterValue(
            f"Value ({cidr.cidr}) for parameter cidr is invalid; it is in"
            f" '{cidr.network_border_group}', and only ranges of a whole region move to IPAM",
            parameter="cidr",
            value=cidr.cidr,
            network_border_group=cidr.network_border_group,
        )
    wanted = [
        (pool.scope_type is ScopeType.PUBLIC, "is in a private scope; use a public one"),
        (
            pool.source_ipam_pool_id is None,
            f"takes its space from '{pool.source_ipam_pool_id}'; use a top-level pool",
        ),
        (pool.address_family is AddressFamily.IPV4, "is for IPv6; use one for IPv4"),
        (
            pool.locale == cidr.region,
            f"has the locale '{pool.locale}'; use one with '{cidr.region}'",
        ),
        (
            pool.aws_service is AwsService.EC2,
            f"is for no AWS service; use one with aws-service '{AwsService.EC2}'",
        ),
        (
            pool.public_ip_source is PublicIpSource.BYOIP,
            f"is for Amazon's addresses; use one with public-ip-source '{PublicIpSource.BYOIP}'",
        ),
    ]
    for is_right, why in wanted:
        if not is_right:
            raise InvalidParameterValue(
                f"Value ({pool.ipam_pool_id}) for parameter ipamPoolId is invalid; the pool {why}",
                parameter="ipamPoolId",
                value=pool.ipam_pool_id,
            )


def moving(cidr: ByoipCidr, ipam_pool_id: str) -> ByoipCidr:
    """``cidr`` on its way to a pool; what is advertised stays so.

    Raises:
        IncorrectState: it is not provisioned.
    """
    check_usable(cidr)
    return replace(
        cidr,
        state=ByoipCidrState.PENDING_TRANSFER,
        status_message=None,
        holder=replace(cidr.alone, moved_to=ipam_pool_id),
        version=cidr.version + 1,
    )


def check_same_pool(cidr: ByoipCidr, ipam_pool_id: str) -> None:
    """A repeated request names the pool that the range goes to, or went to.

    Raises:
        IncorrectState: it names another.
    """
    if cidr.alone.moved_to != ipam_pool_id:
        raise IncorrectState(
            f"The transfer of {cidr.cidr} to '{cidr.alone.moved_to}' is in state '{cidr.state}', so"
            f" it can't move to '{ipam_pool_id}'",
            cidr=cidr.cidr,
            state=cidr.state,
            ipam_pool_id=ipam_pool_id,
        )


def moved(cidr: ByoipCidr) -> ByoipCidr:
    """What is left of ``cidr`` where it came from: the answer to who asks again."""
    return replace(
        cidr,
        state=ByoipCidrState.COMPLETE_TRANSFER,
        is_advertised=False,
        origin_asn=None,
        own_origin_since=None,
        asn_associations=(),
        version=cidr.version + 1,
    )


def arrived(cidr: ByoipCidr, pool: Pool, ipam_pool_cidr_id: str) -> ByoipCidr:
    """``cidr`` as the pool's: advertised, and with the ASNs, as it was; it gets an id there."""
    return replace(
        cidr,
        owner_id=pool.owner_id,
        holder=InPool(ipam_pool_cidr_id, pool.ipam_pool_id, pool.ipam_id),
        state=ByoipCidrState.ADVERTISED if cidr.is_advertised else ByoipCidrState.PROVISIONED,
        status_message=None,
    )


def joined(there: ByoipCidr, arrived: ByoipCidr) -> ByoipCidr:
    """What the pool's owner has made of the CIDR by now, with the ASNs that it arrived with.

    That it is advertised or not, and by which ASN, is as its owner said last; it arrived before.
    """
    known = {one.asn for one in there.asn_associations}
    more = tuple(one for one in arrived.asn_associations if one.asn not in known)
    is_untouched = not there.is_advertised and there.own_origin_since is None
    if is_untouched and arrived.is_advertised:
        there = replace(
            there,
            state=arrived.state,
            is_advertised=True,
            origin_asn=arrived.origin_asn,
            own_origin_since=arrived.own_origin_since,
        )
    return replace(
        there, asn_associations=(*there.asn_associations, *more), version=there.version + 1
    )
