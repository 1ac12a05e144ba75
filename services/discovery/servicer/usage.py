"""UsageService: messages to use cases and back."""

from collections.abc import Iterator

from cadastre.discovery.v1 import monitoring_service_pb2 as monitoring_pb
from cadastre.discovery.v1 import usage_service_pb2 as pb
from cadastre.discovery.v1 import usage_service_pb2_grpc
from services.discovery.resource_cidr import ResourceType
from services.discovery.service.usage import (
    Coverages,
    Group,
    Limits,
    Reader,
    View,
    check_can_be_drawn,
    chosen,
    drawn,
    ipam_of,
    usage_of,
    usages,
    utilizations,
)
from services.discovery.servicer.usage_messages import (
    Keyed,
    block_to_proto,
    count_to_proto,
    family_from_proto,
    finding_to_proto,
    those_that_fit,
    usage_to_proto,
    utilization_to_proto,
)
from services.discovery.servicer.words import word_of
from shared.cidr import Cidr
from shared.paging import DEFAULT_MAX_RESULTS, page_of, paginate, token_after
from shared.rpc.interceptor import Context


class UsageServicer(usage_service_pb2_grpc.UsageServiceServicer):
    """Translates."""

    def __init__(self, coverages: Coverages, reader: Reader) -> None:
        self._coverages, self._reader = coverages, reader

    async def GetIpamUsage(
        self, request: pb.GetIpamUsageRequest, _context: Context
    ) -> pb.GetIpamUsageResponse:
        coverage = await self._coverages.coverage()
        ipam = ipam_of(coverage, request.ipam_id)
        usage = await self._reader.read(lambda view: usage_of(view, coverage, ipam))
        return usage_to_proto(usage)

    async def ListResourceCidrCounts(
        self, request: pb.ListResourceCidrCountsRequest, _context: Context
    ) -> pb.ListResourceCidrCountsResponse:
        counts = await self._reader.read(lambda view: view.resource_cidr_counts(request.ipam_id))
        return pb.ListResourceCidrCountsResponse(counts=map(count_to_proto, counts))

    async def ListResourceUtilization(
        self, request: pb.ListResourceUtilizationRequest, _context: Context
    ) -> pb.ListResourceUtilizationResponse:
        return await self._reader.read(lambda view: _utilization(view, request))

    async def ListResourceUsages(
        self, request: pb.ListResourceUsagesRequest, _context: Context
    ) -> pb.ListResourceUsagesResponse:
        return await self._reader.read(lambda view: _usages(view, request))

    async def GetCidrMap(
        self, request: pb.GetCidrMapRequest, _context: Context
    ) -> pb.GetCidrMapResponse:
        whole, length = Cidr.parse(request.cidr), request.netmask_length
        check_can_be_drawn(whole, length)
        blocks = await self._reader.read(
            lambda view: drawn(view.mapped_cidrs(request.ipam_scope_id, whole), whole, length)
        )
        return pb.GetCidrMapResponse(blocks=map(block_to_proto, blocks))

    async def ListDiscrepancies(
        self, request: pb.ListDiscrepanciesRequest, _context: Context
    ) -> pb.ListDiscrepanciesResponse:
        return await self._reader.read(lambda view: _discrepancies(view, request))


def _utilization(
    view: View, request: pb.ListResourceUtilizationRequest
) -> pb.ListResourceUtilizationResponse:
    if (group := _group_of(request)) is None:
        return pb.ListResourceUtilizationResponse()
    limits = Limits(request.highest, request.lowest, request.allocated)
    candidates = view.candidates(group, limits)
    found = chosen(utilizations(view.used_cidrs(group, candidates), group.family), limits)
    return pb.ListResourceUtilizationResponse(utilizations=map(utilization_to_proto, found))


def _usages(view: View, request: pb.ListResourceUsagesRequest) -> pb.ListResourceUsagesResponse:
    if (group := _group_of(request)) is None:
        return pb.ListResourceUsagesResponse()

    def records_after(after: str | None) -> Iterator[tuple[str, Keyed]]:
        for key, one in usages(view.all_used_cidrs(group, after), group.family):
            yield key, Keyed(key, utilization_to_proto(one))

    found, token = page_of(
        request,
        records_after,
        token=request.next_token,
        max_results=request.max_results or DEFAULT_MAX_RESULTS,
    )
    fitting = those_that_fit(found)
    if len(fitting) < len(found):
        token = token_after(request, fitting[-1].key)
    return pb.ListResourceUsagesResponse(
        utilizations=[one.utilization for one in fitting], next_token=token
    )


def _group_of(
    request: pb.ListResourceUtilizationRequest | pb.ListResourceUsagesRequest,
) -> Group | None:
    """None: of a type that AWS has, and nothing here is of."""
    word = word_of(monitoring_pb.IpamResourceType, request.resource_type)
    if word not in _TYPES:
        return None
    return Group(request.ipam_scope_id, _TYPES[word], family_from_proto(request.address_family))


def _discrepancies(
    view: View, request: pb.ListDiscrepanciesRequest
) -> pb.ListDiscrepanciesResponse:
    found, token = paginate(request, lambda after: view.findings(request.ipam_id, after))
    return pb.ListDiscrepanciesResponse(
        discrepancies=map(finding_to_proto, found), next_token=token
    )


_TYPES = {resource_type.value: resource_type for resource_type in ResourceType}
