"""The actions that are asked, page by page."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.discovery.aws.failures import ASKING_FAILED, failure_of
from services.discovery.aws.members import Item, items_of
from services.discovery.sources import FailureCode, SnapshotFailed


@dataclass(frozen=True, slots=True)
class Call:
    service: str
    method: str
    member: str
    """Of the answer: what it lists."""
    page_size: int | None
    """The most that AWS takes; None where an answer has it all."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    is_optional: bool = False
    """An account that does not permit it is read without it.

    Only what no allocation depends on: nothing may be released for want of a permission.
    """


CALLS = {
    "DescribeVpcs": Call("ec2", "describe_vpcs", "Vpcs", 1000),
    "DescribeSubnets": Call("ec2", "describe_subnets", "Subnets", 1000),
    "DescribeNetworkInterfaces": Call(
        "ec2",
        "describe_network_interfaces",
        "NetworkInterfaces",
        1000,
        # Those that AWS hides take addresses of their subnets all the same.
        parameters={"IncludeManagedResources": True},
    ),
    "DescribeAddresses": Call("ec2", "describe_addresses", "Addresses", None),
    "DescribePublicIpv4Pools": Call("ec2", "describe_public_ipv4_pools", "PublicIpv4Pools", 10),
    "DescribeByoipCidrs": Call("ec2", "describe_byoip_cidrs", "ByoipCidrs", 100),
    "DescribeIpv6Pools": Call("ec2", "describe_ipv6_pools", "Ipv6Pools", 1000),
    "DescribeVpnConnections": Call("ec2", "describe_vpn_connections", "VpnConnections", None),
    "ListAccelerators": Call(
        "globalaccelerator", "list_accelerators", "Accelerators", 100, is_optional=True
    ),
    "ListByoipCidrs": Call(
        "globalaccelerator", "list_byoip_cidrs", "ByoipCidrs", 100, is_optional=True
    ),
}
"""By action, AWS's name; ``ListByoipCidrs`` is Global Accelerator's."""


class Calls:
    """The actions as one account answers them in one region."""

    def __init__(self, client_of: Callable[[str], Any], skipped_actions: Collection[str]) -> None:
        """``client_of`` gives boto3's client of a service."""
        self._client_of, self._skipped_actions = client_of, skipped_actions

    def items(self, action: str) -> Iterator[Item]:
        """All that an action lists, asked for as it is consumed.

        Raises:
            SnapshotFailed: an answer did not come, or is none.
        """
        call = CALLS[action]
        if action in self._skipped_actions:
            return
        try:
            for page in self._pages(call):
                yield from _listed(page, call, action)
        except ASKING_FAILED as error:
            failure = failure_of(error, action)
            if not (call.is_optional and failure.code is FailureCode.UNAUTHORIZED):
                raise failure from error

    def _pages(self, call: Call) -> Iterable[dict[str, Any]]:
        client = self._client_of(call.service)
        if call.page_size is None:
            return [getattr(client, call.method)(**call.parameters)]
        pages: Iterable[dict[str, Any]] = client.get_paginator(call.method).paginate(
            **call.parameters, PaginationConfig={"PageSize": call.page_size}
        )
        return pages


def _listed(page: dict[str, Any], call: Call, action: str) -> Sequence[Item]:
    # AWS sends empty lists; what comes without one is another's answer and says nothing.
    if call.member not in page:
        raise SnapshotFailed(FailureCode.OTHER, f"{action} answered without {call.member}")
    return items_of(page[call.member], call.member)
