"""MonitoringService: messages to use cases and back."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from cadastre.discovery.v1 import monitoring_service_pb2 as pb
from cadastre.discovery.v1 import monitoring_service_pb2_grpc
from services.discovery.evaluation.model import MarkedCidr
from services.discovery.service.access import Access, ResourceDiscovery
from services.discovery.service.marking import Markings, Wish
from services.discovery.service.monitoring import (
    Question,
    Reader,
    Span,
    View,
    Wanted,
    discovered_accounts,
    oldest_sample_time,
)
from services.discovery.service.routes import DiscoveredRoute, routes_after
from services.discovery.servicer.monitoring_messages import (
    account_to_proto,
    discovered_address_to_proto,
    discovered_cidr_to_proto,
    history_to_proto,
    monitored_to_proto,
    route_to_proto,
    time_to_proto,
)
from services.discovery.servicer.words import word_of
from shared.cidr import Cidr
from shared.errors import InvalidParameterValue
from shared.filters import FilterSet
from shared.paging import paginate
from shared.rpc.interceptor import Context, caller_of

_ROUTE_ALIASES = {"account-id": "resource_owner_id", "byoip-cidr-state": "state"}
_ROUTE_FILTERS = (
    *_ROUTE_ALIASES,
    "cidr",
    "resource-region",
    "advertisement-type",
    "network-border-group",
    "ipam-pool-id",
    "pool-id",
    "asn",
)


class MonitoringServicer(monitoring_service_pb2_grpc.MonitoringServiceServicer):
    """Translates; who may see what is the control plane's to say."""

    def __init__(
        self,
        access: Access,
        reader: Reader,
        markings: Markings,
        clock: Callable[[], datetime],
    ) -> None:
        self._access, self._reader = access, reader
        self._markings, self._clock = markings, clock

    async def GetIpamResourceCidrs(
        self, request: pb.GetIpamResourceCidrsRequest, context: Context
    ) -> pb.GetIpamResourceCidrsResponse:
        await self._access.scope(caller_of(context), request.ipam_scope_id)
        return await self._reader.read(lambda view: _resource_cidrs(view, request))

    async def ModifyIpamResourceCidr(
        self, request: pb.ModifyIpamResourceCidrRequest, context: Context
    ) -> pb.ModifyIpamResourceCidrResponse:
        record = await self._markings.modify(
            caller_of(context), _wish_from_proto(request), dry_run=request.dry_run
        )
        return pb.ModifyIpamResourceCidrResponse(ipam_resource_cidr=monitored_to_proto(record))

    async def GetIpamAddressHistory(
        self, request: pb.GetIpamAddressHistoryRequest, context: Context
    ) -> pb.GetIpamAddressHistoryResponse:
        question = _question_from_proto(request, self._clock())
        await self._access.scope(caller_of(context), request.ipam_scope_id)
        return await self._reader.read(lambda view: _history(view, request, question))

    async def GetIpamDiscoveredAccounts(
        self, request: pb.GetIpamDiscoveredAccountsRequest, context: Context
    ) -> pb.GetIpamDiscoveredAccountsResponse:
        discovery = await self._discovery(request, context, request.discovery_region, "discovery")
        return await self._reader.read(lambda view: _accounts(view, request, discovery))

    async def GetIpamDiscoveredResourceCidrs(
        self, request: pb.GetIpamDiscoveredResourceCidrsRequest, context: Context
    ) -> pb.GetIpamDiscoveredResourceCidrsResponse:
        discovery = await self._discovery(request, context, request.resource_region, "resource")
        return await self._reader.read(lambda view: _discovered_cidrs(view, request, discovery))

    async def GetIpamDiscoveredPublicAddresses(
        self, request: pb.GetIpamDiscoveredPublicAddressesRequest, context: Context
    ) -> pb.GetIpamDiscoveredPublicAddressesResponse:
        discovery = await self._discovery(request, context, request.address_region, "address")
        return await self._reader.read(lambda view: _discovered_addresses(view, request, discovery))

    async def GetIpamDiscoveredRoutes(
        self, request: pb.GetIpamDiscoveredRoutesRequest, context: Context
    ) -> pb.GetIpamDiscoveredRoutesResponse:
        region, now = request.resource_region, self._clock()
        discovery = await self._discovery(request, context, region, "resource")
        routes = await self._access.routes(discovery.account_ids, region)
        return _discovered_routes(routes, request, discovery, now)

    async def _discovery(
        self,
        request: Any,  # those that ask about a resource discovery share no typed base
        context: Context,
        region: str,
        what: str,
    ) -> ResourceDiscovery:
        discovery_id = request.ipam_resource_discovery_id
        discovery = await self._access.discovery(caller_of(context), discovery_id)
        discovery.check_operates_in(region, parameter=f"{what}Region")
        return discovery


def _resource_cidrs(
    view: View, request: pb.GetIpamResourceCidrsRequest
) -> pb.GetIpamResourceCidrsResponse:
    filters = FilterSet(request.filters, pb.IpamResourceCidr.DESCRIPTOR, tags="resource_tags")
    wanted = Wanted(
        pool_id=request.ipam_pool_id or None,
        resource_id=request.resource_id or None,
        resource_type=word_of(pb.IpamResourceType, request.resource_type),
        owner_id=request.resource_owner or None,
    )

    def records_after(after: str | None) -> Iterator[tuple[str, pb.IpamResourceCidr]]:
        for key, found in view.monitored_cidrs(request.ipam_scope_id, wanted, after):
            record = monitored_to_proto(found)
            if _has_tag(record, request) and filters.matches(record):
                yield key, record

    records, token = paginate(request, records_after)
    return pb.GetIpamResourceCidrsResponse(ipam_resource_cidrs=records, next_token=token)


def _has_tag(record: pb.IpamResourceCidr, request: pb.GetIpamResourceCidrsRequest) -> bool:
    if not request.HasField("resource_tag"):
        return True
    wanted = request.resource_tag
    return any(
        (not wanted.HasField("key") or tag.key == wanted.key)
        and (not wanted.HasField("value") or tag.value == wanted.value)
        for tag in record.resource_tags
    )


def _history(
    view: View, request: pb.GetIpamAddressHistoryRequest, question: Question
) -> pb.GetIpamAddressHistoryResponse:
    found, token = paginate(request, lambda after: view.history(question, after))
    return pb.GetIpamAddressHistoryResponse(
        history_records=map(history_to_proto, found), next_token=token
    )


def _accounts(
    view: View, request: pb.GetIpamDiscoveredAccountsRequest, discovery: ResourceDiscovery
) -> pb.GetIpamDiscoveredAccountsResponse:
    filters = FilterSet(request.filters, pb.IpamDiscoveredAccount.DESCRIPTOR)
    region = request.discovery_region
    inventories = view.inventories(region, discovery.account_ids)

    def records_after(after: str | None) -> Iterator[tuple[str, pb.IpamDiscoveredAccount]]:
        for account in discovered_accounts(discovery.account_ids, inventories):
            if account.account_id <= (after or ""):
                continue
            unit_id = discovery.unit_ids[account.account_id]
            record = account_to_proto(account, region, unit_id)
            if filters.matches(record):
                yield account.account_id, record

    records, token = paginate(request, records_after)
    return pb.GetIpamDiscoveredAccountsResponse(ipam_discovered_accounts=records, next_token=token)


def _discovered_cidrs(
    view: View, request: pb.GetIpamDiscoveredResourceCidrsRequest, discovery: ResourceDiscovery
) -> pb.GetIpamDiscoveredResourceCidrsResponse:
    descriptor = pb.IpamDiscoveredResourceCidr.DESCRIPTOR
    filters = FilterSet(request.filters, descriptor, tags="resource_tags")
    region = request.resource_region
    inventories = view.inventories(region, discovery.account_ids)

    def records_after(after: str | None) -> Iterator[tuple[str, pb.IpamDiscoveredResourceCidr]]:
        for key, found in view.discovered_cidrs(inventories, after):
            record = discovered_cidr_to_proto(found, discovery.discovery_id, region)
            if filters.matches(record):
                yield key, record

    records, token = paginate(request, records_after)
    return pb.GetIpamDiscoveredResourceCidrsResponse(
        ipam_discovered_resource_cidrs=records, next_token=token
    )


def _discovered_addresses(
    view: View, request: pb.GetIpamDiscoveredPublicAddressesRequest, discovery: ResourceDiscovery
) -> pb.GetIpamDiscoveredPublicAddressesResponse:
    filters = FilterSet(request.filters, pb.IpamDiscoveredPublicAddress.DESCRIPTOR)
    region = request.address_region
    inventories = view.inventories(region, discovery.account_ids)

    def records_after(after: str | None) -> Iterator[tuple[str, pb.IpamDiscoveredPublicAddress]]:
        for key, found in view.discovered_addresses(inventories, after):
            record = discovered_address_to_proto(found, discovery.discovery_id, region)
            if filters.matches(record):
                yield key, record

    records, token = paginate(request, records_after)
    return pb.GetIpamDiscoveredPublicAddressesResponse(
        ipam_discovered_public_addresses=records,
        oldest_sample_time=time_to_proto(oldest_sample_time(inventories)),
        next_token=token,
    )


def _discovered_routes(
    routes: Iterable[DiscoveredRoute],
    request: pb.GetIpamDiscoveredRoutesRequest,
    discovery: ResourceDiscovery,
    sampled_at: datetime,
) -> pb.GetIpamDiscoveredRoutesResponse:
    descriptor = pb.IpamDiscoveredRoute.DESCRIPTOR
    filters = FilterSet(request.filters, descriptor, _ROUTE_ALIASES, only=_ROUTE_FILTERS)

    def records_after(after: str | None) -> Iterator[tuple[str, pb.IpamDiscoveredRoute]]:
        for route in routes_after(routes, after):
            record = route_to_proto(route, discovery.discovery_id, sampled_at)
            if filters.matches(record):
                yield route.key, record

    records, token = paginate(request, records_after)
    return pb.GetIpamDiscoveredRoutesResponse(ipam_discovered_routes=records, next_token=token)


def _question_from_proto(request: pb.GetIpamAddressHistoryRequest, now: datetime) -> Question:
    start = _time_of(request.start_time, "startTime") if request.HasField("start_time") else None
    end = _time_of(request.end_time, "endTime") if request.HasField("end_time") else None
    return Question(
        request.ipam_scope_id,
        Cidr.parse(request.cidr),
        request.vpc_id or None,
        Span.between(start, end, now) if start or end else None,
    )


def _time_of(stamp: Timestamp, parameter: str) -> datetime:
    try:
        return stamp.ToDatetime(tzinfo=UTC)
    except (OverflowError, ValueError) as error:
        value = f"{stamp.seconds} s {stamp.nanos} ns"
        raise InvalidParameterValue(
            f"Value ({value}) for parameter {parameter} is invalid, the timestamp can't be; use one"
            " of the years 1 to 9999, with 0-999999999 ns",
            parameter=parameter,
            value=value,
        ) from error


def _wish_from_proto(request: pb.ModifyIpamResourceCidrRequest) -> Wish:
    return Wish(
        MarkedCidr(
            request.resource_region,
            request.resource_id,
            Cidr.parse(request.resource_cidr, parameter="resourceCidr"),
        ),
        request.current_ipam_scope_id,
        request.destination_ipam_scope_id or None,
        request.monitored,
    )
