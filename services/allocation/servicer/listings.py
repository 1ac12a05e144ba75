"""Lists of what a caller sees: filtered, in pages (BEY-6)."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, TypeVar

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from cadastre.allocation.v1 import allocation_service_pb2 as pb
from cadastre.allocation.v1 import audit_service_pb2 as audit_pb
from cadastre.allocation.v1 import inventory_service_pb2 as inventory_pb
from cadastre.allocation.v1 import ledger_service_pb2 as ledger_pb
from cadastre.allocation.v1 import observation_service_pb2 as observation_pb
from cadastre.allocation.v1 import placement_service_pb2 as placement_pb
from cadastre.allocation.v1 import pool_allocation_pb2, pool_cidr_pb2
from cadastre.allocation.v1 import public_space_service_pb2 as public_pb
from services.allocation.allocation import Allocation
from services.allocation.definition import PoolDefinition
from services.allocation.messages import (
    allocation_to_proto,
    given,
    known_pool_to_proto,
    pending_cidr_to_proto,
    pool_cidr_to_proto,
    resource_allocation_to_proto,
    vpc_cidr_to_proto,
)
from services.allocation.pending_cidr import PendingCidr
from services.allocation.placement import Placement
from services.allocation.pool_cidr import PoolCidr
from services.allocation.service.unavailable import unavailable
from services.allocation.service.view import View, address_key
from services.allocation.service.visibility import may_know
from services.allocation.servicer.inventory_messages import (
    allocation_record_to_proto,
    pool_record_to_proto,
    pool_usage_to_proto,
)
from services.allocation.servicer.placement_messages import observed_to_proto, unavailable_to_proto
from services.allocation.servicer.public_space_messages import public_cidr_to_proto
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import InvalidNextToken
from shared.filters import FilterSet
from shared.ids import IPAM_POOL, IPAM_POOL_ALLOCATION
from shared.paging import page_of, paginate

_POOLS_PER_PAGE = 100

Found = TypeVar("Found")
Record = TypeVar("Record", bound=Message)
RecordsAfter = Callable[[str | None], Iterable[tuple[str, Found]]]


def pool_cidrs(
    view: View, caller: Caller, request: pb.GetIpamPoolCidrsRequest
) -> pb.GetIpamPoolCidrsResponse:
    _seen(view, caller, request.ipam_pool_id)
    records, token = _page(
        request,
        pool_cidr_pb2.IpamPoolCidr.DESCRIPTOR,
        lambda after: _with_pending(view, request.ipam_pool_id, after),
        _pool_cidr_to_proto,
    )
    return pb.GetIpamPoolCidrsResponse(ipam_pool_cidrs=records, next_token=token)


def public_cidrs(
    view: View, request: public_pb.ListPublicCidrsRequest
) -> public_pb.ListPublicCidrsResponse:
    text = given(request, "cidr")
    cidr = Cidr.parse(text) if text else None
    found, token = paginate(
        request,
        lambda after: view.public_cidrs(request.account_id, request.region, cidr, after),
    )
    return public_pb.ListPublicCidrsResponse(
        public_cidrs=map(public_cidr_to_proto, found), next_token=token
    )


def vpc_cidrs(
    view: View, request: observation_pb.ListVpcCidrsRequest
) -> observation_pb.ListVpcCidrsResponse:
    found, token = paginate(request, lambda after: view.vpc_cidrs(request.vpc_ids, after))
    return observation_pb.ListVpcCidrsResponse(
        vpc_cidrs=map(vpc_cidr_to_proto, found), next_token=token
    )


def allocations(
    view: View, caller: Caller, request: pb.GetIpamPoolAllocationsRequest
) -> pb.GetIpamPoolAllocationsResponse:
    pool_id = request.ipam_pool_id
    definition = _seen(view, caller, pool_id)

    def is_told(allocation: Allocation) -> bool:
        return may_know(definition, caller.account_id, allocation)

    def in_pool(after: str | None) -> Iterable[tuple[str, Allocation]]:
        found = view.allocations(pool_id, after)
        return ((key, allocation) for key, allocation in found if is_told(allocation))

    found: RecordsAfter[Allocation] = in_pool
    if request.HasField("ipam_pool_allocation_id"):
        found = _of_ids(view, {pool_id: 0}, [request.ipam_pool_allocation_id], is_told)
    records, token = _page(
        request, pool_allocation_pb2.IpamPoolAllocation.DESCRIPTOR, found, allocation_to_proto
    )
    return pb.GetIpamPoolAllocationsResponse(ipam_pool_allocations=records, next_token=token)


def all_allocations(
    view: View, caller: Caller, request: pb.DescribeIpamPoolAllocationsRequest
) -> pb.DescribeIpamPoolAllocationsResponse:
    numbers = {pool_id: number for number, pool_id in view.owned_pools(caller)}
    ids = request.ipam_pool_allocation_ids
    found = _of_ids(view, numbers, ids) if ids else _of_pools(view, numbers)
    records, token = _page(
        request, pool_allocation_pb2.IpamPoolAllocation.DESCRIPTOR, found, allocation_to_proto
    )
    return pb.DescribeIpamPoolAllocationsResponse(ipam_pool_allocations=records, next_token=token)


def resource_allocations(
    view: View, request: ledger_pb.ListResourceAllocationsRequest
) -> ledger_pb.ListResourceAllocationsResponse:
    found, token = paginate(
        request, lambda after: view.resource_allocations(request.service, after)
    )
    return ledger_pb.ListResourceAllocationsResponse(
        resource_allocations=map(resource_allocation_to_proto, found), next_token=token
    )


def placement(view: View, caller: Caller, ipam_pool_id: str) -> Placement:
    _check_overseen(view, caller, ipam_pool_id)
    return view.placement(ipam_pool_id)


def unavailable_cidrs(
    view: View,
    caller: Caller,
    request: placement_pb.GetIpamPoolUnavailableCidrsRequest,
    now: datetime,
) -> placement_pb.GetIpamPoolUnavailableCidrsResponse:
    _check_overseen(view, caller, request.ipam_pool_id)
    found, token = paginate(
        request, lambda after: unavailable(view, request.ipam_pool_id, now, after)
    )
    return placement_pb.GetIpamPoolUnavailableCidrsResponse(
        ipam_pool_unavailable_cidrs=map(unavailable_to_proto, found), next_token=token
    )


def observed_cidrs(
    view: View, request: observation_pb.ListObservedCidrsRequest
) -> observation_pb.ListObservedCidrsResponse:
    found, token = paginate(
        request, lambda after: view.observed_in_scope(request.ipam_scope_id, after)
    )
    return observation_pb.ListObservedCidrsResponse(
        observed_cidrs=map(observed_to_proto, found), next_token=token
    )


def known_pools(
    view: View, request: audit_pb.ListIpamPoolsRequest
) -> audit_pb.ListIpamPoolsResponse:
    found, token = paginate(request, view.known_pools)
    return audit_pb.ListIpamPoolsResponse(
        ipam_pools=map(known_pool_to_proto, found), next_token=token
    )


def pools_of_ipam(
    view: View, request: inventory_pb.ListPoolsRequest
) -> inventory_pb.ListPoolsResponse:
    found, token = page_of(
        request,
        lambda after: view.pools_of_ipam(request.ipam_id, after),
        token=request.next_token,
        max_results=request.max_results or _POOLS_PER_PAGE,
    )
    return inventory_pb.ListPoolsResponse(pools=map(pool_record_to_proto, found), next_token=token)


def pool_usages(
    view: View, request: inventory_pb.ListPoolUsagesRequest, now: datetime
) -> inventory_pb.ListPoolUsagesResponse:
    found, token = page_of(
        request,
        lambda after: view.pool_usages(request.ipam_id, after, now),
        token=request.next_token,
        max_results=request.max_results or _POOLS_PER_PAGE,
    )
    return inventory_pb.ListPoolUsagesResponse(
        pool_usages=map(pool_usage_to_proto, found), next_token=token
    )


def allocations_of_ipam(
    view: View, request: inventory_pb.ListAllocationsRequest
) -> inventory_pb.ListAllocationsResponse:
    found, token = paginate(request, lambda after: view.allocations_of_ipam(request.ipam_id, after))
    return inventory_pb.ListAllocationsResponse(
        allocations=map(allocation_record_to_proto, found), next_token=token
    )


def _with_pending(
    view: View, ipam_pool_id: str, after: str | None
) -> Iterator[tuple[str, PoolCidr | PendingCidr]]:
    """What a pool has, had and may get; what is wanted again stands for what it had."""
    last = None
    both: tuple[Iterator[tuple[str, PoolCidr | PendingCidr]], ...] = (
        view.pending_cidrs(ipam_pool_id, after),
        view.pool_cidrs(ipam_pool_id, after),
    )
    # Of equal ones, that of the first comes first.
    for key, found in heapq.merge(*both, key=itemgetter(0)):
        if key != last:
            yield key, found
        last = key


def _pool_cidr_to_proto(found: PoolCidr | PendingCidr) -> pool_cidr_pb2.IpamPoolCidr:
    if isinstance(found, PendingCidr):
        return pending_cidr_to_proto(found)
    return pool_cidr_to_proto(found)


def _seen(view: View, caller: Caller, ipam_pool_id: str) -> PoolDefinition:
    definition = view.definition(ipam_pool_id)
    if definition is None or not definition.is_seen_by(caller.account_id, caller.region):
        raise IPAM_POOL.unknown(ipam_pool_id)
    return definition


def _check_overseen(view: View, caller: Caller, ipam_pool_id: str) -> None:
    """How a pool gives space away, and what is kept back, is its owner's to know (BEY-12)."""
    definition = _seen(view, caller, ipam_pool_id)
    if not definition.is_overseen_by(caller.account_id, caller.region):
        raise IPAM_POOL.unknown(ipam_pool_id)


def _page(
    request: Any,  # generated listing requests share no typed base
    record_type: Descriptor,
    found_after: RecordsAfter[Found],
    to_proto: Callable[[Found], Record],
) -> tuple[list[Record], str | None]:
    filters = FilterSet(request.filters, record_type)

    def records_after(after: str | None) -> Iterator[tuple[str, Record]]:
        for key, found in found_after(after):
            record = to_proto(found)
            if filters.matches(record):
                yield key, record

    return paginate(request, records_after)


def _of_pools(view: View, numbers: dict[str, int]) -> RecordsAfter[Allocation]:
    """All that these pools have, by pool number and address."""

    def found_after(after: str | None) -> Iterator[tuple[str, Allocation]]:
        last_number, last_key = _position(after)
        for pool_id, number in numbers.items():
            if number >= last_number:
                start = last_key if number == last_number else None
                for key, allocation in view.allocations(pool_id, start):
                    yield f"{number}|{key}", allocation

    return found_after


def _of_ids(
    view: View,
    numbers: dict[str, int],
    ipam_pool_allocation_ids: Sequence[str],
    is_told: Callable[[Allocation], bool] = lambda _: True,
) -> RecordsAfter[Allocation]:
    """Those of these ids, by pool number and address.

    Raises:
        UnknownId: one of them is of no such pool, or not to be told of.
    """
    found = {
        allocation.ipam_pool_allocation_id: allocation
        for allocation in view.allocations_of_ids(ipam_pool_allocation_ids)
        if allocation.ipam_pool_id in numbers and is_told(allocation)
    }
    for allocation_id in ipam_pool_allocation_ids:
        if allocation_id not in found:
            raise IPAM_POOL_ALLOCATION.unknown(allocation_id)
    placed = {
        (numbers[allocation.ipam_pool_id], address_key(allocation.cidr)): allocation
        for allocation in found.values()
    }

    def found_after(after: str | None) -> Iterator[tuple[str, Allocation]]:
        last_number, last_key = _position(after)
        for (number, key), allocation in sorted(placed.items(), key=lambda item: item[0]):
            if (number, key) > (last_number, last_key or ""):
                yield f"{number}|{key}", allocation

    return found_after


def _position(after: str | None) -> tuple[int, str | None]:
    number, _, key = (after or "0|").partition("|")
    if not number.isdecimal():
        raise InvalidNextToken
    return int(number), key or None
