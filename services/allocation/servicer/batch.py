"""BatchService: many requests of `AllocationService` as one."""

from cadastre.allocation.v1 import allocation_service_pb2, batch_service_pb2_grpc
from cadastre.allocation.v1 import batch_service_pb2 as pb
from services.allocation.allocation import Allocation
from services.allocation.messages import fill_in_allocation, reservation_from_proto
from services.allocation.service.ledger import Ledger
from services.allocation.service.releasing import Release
from services.allocation.servicer.allocation import once_of
from shared.cidr import Cidr
from shared.errors import CadastreError, InvalidParameterCombination
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of

_NOT_OF_ONE = ("dry_run", "preview_next_cidr")


class BatchServicer(batch_service_pb2_grpc.BatchServiceServicer):
    """Translates; what is decided is decided in ``service``."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def BatchAllocateIpamPoolCidrs(
        self, request: pb.BatchAllocateIpamPoolCidrsRequest, context: Context
    ) -> pb.BatchAllocateIpamPoolCidrsResponse:
        caller = caller_of(context)
        for number, one in enumerate(request.requests, 1):
            _check_one_of_many(number, one)
        outcomes = await self._ledger.reserve_all(
            caller,
            [(reservation_from_proto(one), once_of(one, caller)) for one in request.requests],
            all_or_nothing=request.all_or_nothing,
            dry_run=request.dry_run,
        )
        response = pb.BatchAllocateIpamPoolCidrsResponse()
        for outcome in outcomes:
            _fill_in_allocated(response.outcomes.add(), outcome)
        return response

    async def BatchReleaseIpamPoolAllocations(
        self, request: pb.BatchReleaseIpamPoolAllocationsRequest, context: Context
    ) -> pb.BatchReleaseIpamPoolAllocationsResponse:
        for number, one in enumerate(request.requests, 1):
            _check_one_of_many(number, one)
        outcomes = await self._ledger.release_all(
            caller_of(context),
            [
                Release(one.ipam_pool_id, Cidr.parse(one.cidr), one.ipam_pool_allocation_id)
                for one in request.requests
            ],
            all_or_nothing=request.all_or_nothing,
            dry_run=request.dry_run,
        )
        return pb.BatchReleaseIpamPoolAllocationsResponse(outcomes=map(_released, outcomes))


def _check_one_of_many(
    number: int,
    request: allocation_service_pb2.AllocateIpamPoolCidrRequest
    | allocation_service_pb2.ReleaseIpamPoolAllocationRequest,
) -> None:
    for member in _NOT_OF_ONE:
        if getattr(request, member, False):
            raise InvalidParameterCombination(
                f"requests.{number} has {member}, which is for calls of one request; leave it out",
                parameter=f"requests.{number}.{member}",
            )


def _fill_in_allocated(
    message: pb.AllocateIpamPoolCidrOutcome, outcome: Allocation | CadastreError
) -> None:
    if isinstance(outcome, CadastreError):
        message.refusal.CopyFrom(_refusal(outcome))
    else:
        fill_in_allocation(message.ipam_pool_allocation, outcome)


def _released(outcome: CadastreError | None) -> pb.ReleaseIpamPoolAllocationOutcome:
    refusal = _refusal(outcome) if outcome else None
    return pb.ReleaseIpamPoolAllocationOutcome(refusal=refusal)


def _refusal(error: CadastreError) -> pb.Refusal:
    return pb.Refusal(reason=error.reason, message=error.message, metadata=error.metadata)
