"""How much a push may tell: unmanaged space counts as taken (BEY-3), whoever tells of it."""

from collections.abc import Iterable, Iterator, Sequence

from cadastre.common.v1 import inventory_pb2 as pb
from shared.errors import InvalidParameterValue

WIDEST_IPV4 = 8
"""Prefix length. AWS has /16; elsewhere a network may be all of 10.0.0.0/8, and none is wider."""
WIDEST_IPV6 = 16
"""Prefix length. More than whole providers have (/19 to /32), and far from all of fc00::/7."""
MOST_CIDRS_OF_RESOURCE = 100
"""Twice what AWS lets a VPC have at most."""


def check_extent(part: pb.InventoryPart) -> None:
    """Every CIDR of ``part`` has been read before.

    Raises:
        InvalidParameterValue: a resource has more CIDRs, or wider ones, than any can have.
    """
    for name, cidrs in _cidrs_of(part):
        if len(cidrs) > MOST_CIDRS_OF_RESOURCE:
            raise InvalidParameterValue(
                f"{name} has {len(cidrs)} CIDRs; at most {MOST_CIDRS_OF_RESOURCE} are allowed",
                resource=name,
                count=len(cidrs),
                most=MOST_CIDRS_OF_RESOURCE,
            )
        _check_widths(name, cidrs)
    for interface in part.network_interfaces:
        _check_widths(interface.network_interface_id, interface.delegated_prefixes)


def cidr_count(part: pb.InventoryPart) -> int:
    """CIDRs and addresses of all resources."""
    return (
        sum(len(cidrs) for _, cidrs in _cidrs_of(part))
        + sum(
            len(eni.addresses) + len(eni.delegated_prefixes) + len(eni.public_ips)
            for eni in part.network_interfaces
        )
        + len(part.addresses)
        + len(part.service_addresses)
    )


def _cidrs_of(part: pb.InventoryPart) -> Iterator[tuple[str, Sequence[str]]]:
    for vpc in part.vpcs:
        yield vpc.vpc_id, [one.cidr for one in vpc.cidrs]
    for subnet in part.subnets:
        yield subnet.subnet_id, [one.cidr for one in subnet.cidrs]
    for pool in part.public_ipv4_pools:
        yield pool.pool_id, pool.cidrs


def _check_widths(name: str, cidrs: Iterable[str]) -> None:
    for cidr in cidrs:
        widest = WIDEST_IPV6 if ":" in cidr else WIDEST_IPV4
        if int(cidr.rpartition("/")[2]) < widest:
            raise InvalidParameterValue(
                f"{name}: '{cidr}' is wider than any network; use /{widest} or longer",
                resource=name,
                value=cidr,
                widest=widest,
            )
