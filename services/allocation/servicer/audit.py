"""AuditService: whether the ledger's books agree with each other."""

from collections.abc import AsyncIterator

from cadastre.allocation.v1 import audit_service_pb2 as pb
from cadastre.allocation.v1 import audit_service_pb2_grpc
from services.allocation.messages import finding_to_proto, summary_to_proto
from services.allocation.service.auditing import Audit, Summary
from services.allocation.service.view import Reader
from services.allocation.servicer import listings
from shared.rpc.interceptor import Context


class AuditServicer(audit_service_pb2_grpc.AuditServiceServicer):
    """Translates."""

    def __init__(self, audit: Audit, reader: Reader) -> None:
        self._audit, self._reader = audit, reader

    async def CheckLedger(
        self, request: pb.CheckLedgerRequest, _context: Context
    ) -> AsyncIterator[pb.CheckLedgerResponse]:
        checked = self._audit.check(
            request.ipam_pool_ids, repair=request.repair, accept_loss=request.accept_loss
        )
        async for told in checked:
            if isinstance(told, Summary):
                yield pb.CheckLedgerResponse(summary=summary_to_proto(told))
            else:
                yield pb.CheckLedgerResponse(finding=finding_to_proto(told))

    async def ListIpamPools(
        self, request: pb.ListIpamPoolsRequest, _context: Context
    ) -> pb.ListIpamPoolsResponse:
        return await self._reader.read(lambda view: listings.known_pools(view, request))
