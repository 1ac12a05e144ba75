"""The pool that a plan is brought into, as its owner."""

import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, TypeVar

from cadastre.allocation.v1 import (
    allocation_service_pb2,
    allocation_service_pb2_grpc,
    batch_service_pb2,
    batch_service_pb2_grpc,
    pool_allocation_pb2,
    pool_cidr_pb2,
)
from services.local.brownfield.plan_file import Entry
from services.local.brownfield.planning import Allocation, PoolView
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import CadastreError, DryRunOperation
from shared.rpc.client import Remote
from shared.rpc.enums import aws_enum_name

ENTRIES_PER_CALL = 1000
"""Each with a description, they fit into one message."""
MOST_REFUSALS = 20

_TIMEOUT_SECONDS = 60
_KINDS = pool_allocation_pb2.IpamPoolAllocationResourceType.DESCRIPTOR
_PROVISIONED = pool_cidr_pb2.IPAM_POOL_CIDR_STATE_PROVISIONED

T = TypeVar("T")


class Pool:
    """A pool in the ledger."""

    def __init__(self, remote: Remote, caller: Caller, ipam_pool_id: str) -> None:
        """``caller`` is its owner in its home region, who alone knows all that is allocated."""
        self._remote, self._caller, self._pool_id = remote, caller, ipam_pool_id
        self._stub = allocation_service_pb2_grpc.AllocationServiceStub(remote.channel)
        self._batch = batch_service_pb2_grpc.BatchServiceStub(remote.channel)

    async def view(self) -> PoolView:
        """As it is now.

        Raises:
            CadastreError: the caller has no such pool.
        """
        of_pool = allocation_service_pb2.GetIpamPoolCidrsRequest(ipam_pool_id=self._pool_id)
        cidrs = [
            Cidr.parse(found.cidr)
            async for page in self._pages(self._stub.GetIpamPoolCidrs, of_pool)
            for found in page.ipam_pool_cidrs
            if found.state == _PROVISIONED
        ]
        in_pool = allocation_service_pb2.GetIpamPoolAllocationsRequest(ipam_pool_id=self._pool_id)
        allocations = [
            _allocation(found)
            async for page in self._pages(self._stub.GetIpamPoolAllocations, in_pool)
            for found in page.ipam_pool_allocations
        ]
        return PoolView(cidrs, allocations)

    async def refusals(self, entries: Sequence[Entry]) -> list[tuple[Entry, str]]:
        """What the ledger would not reserve, and why; it changes nothing.

        After `MOST_REFUSALS` it looks no further.
        """
        found: list[tuple[Entry, str]] = []
        for chunk in _chunks(entries):
            left = list(chunk)
            while left and len(found) < MOST_REFUSALS:
                refusal = await self._refusal(left)
                if refusal is None:
                    break
                number, why = refusal
                found.append((left.pop(number - 1), why))
        return found

    async def reserve(self, entries: Sequence[Entry], *, attempt: int) -> None:
        """Reserve them by hand, so many at a time of which all or none is reserved.

        Repeated with the same ``attempt`` within a day, it reserves nothing twice.

        Raises:
            CadastreError: the ledger refused one; what came before in other calls stays reserved.
        """
        for chunk in _chunks(entries):
            request = batch_service_pb2.BatchAllocateIpamPoolCidrsRequest(
                requests=[self._request(entry, self._token(entry, attempt)) for entry in chunk],
                all_or_nothing=True,
            )
            await self._call(
                self._batch.BatchAllocateIpamPoolCidrs, request, retry_seconds=_TIMEOUT_SECONDS
            )

    async def release(self, allocations: Sequence[Allocation]) -> None:
        """Give them back, so many at a time of which all or none is given back.

        Raises:
            CadastreError: the ledger refused one; what came before in other calls is given back.
        """
        for chunk in _chunks(allocations):
            request = batch_service_pb2.BatchReleaseIpamPoolAllocationsRequest(
                requests=[
                    allocation_service_pb2.ReleaseIpamPoolAllocationRequest(
                        ipam_pool_id=self._pool_id,
                        cidr=str(allocation.cidr),
                        ipam_pool_allocation_id=allocation.ipam_pool_allocation_id,
                    )
                    for allocation in chunk
                ],
                all_or_nothing=True,
            )
            await self._call(self._batch.BatchReleaseIpamPoolAllocations, request)

    async def _refusal(self, entries: Sequence[Entry]) -> tuple[int, str] | None:
        """Number of the first of them that would be refused, and why."""
        request = batch_service_pb2.BatchAllocateIpamPoolCidrsRequest(
            requests=[self._request(entry) for entry in entries], dry_run=True
        )
        try:
            await self._call(self._batch.BatchAllocateIpamPoolCidrs, request)
        except CadastreError as refusal:
            if refusal.reason == DryRunOperation.reason:
                return None
            number = refusal.metadata.get("request_number", "")
            if not number:
                raise
            return int(number), refusal.message.removeprefix(f"requests.{number}: ")
        return None

    def _request(
        self, entry: Entry, client_token: str = ""
    ) -> allocation_service_pb2.AllocateIpamPoolCidrRequest:
        return allocation_service_pb2.AllocateIpamPoolCidrRequest(
            ipam_pool_id=self._pool_id,
            cidr=str(entry.cidr),
            description=entry.description or None,
            client_token=client_token or None,
        )

    def _token(self, entry: Entry, attempt: int) -> str:
        parts = (self._pool_id, str(entry.cidr), entry.description, str(attempt))
        digest = hashlib.sha256("\n".join(parts).encode())
        return f"brownfield-{digest.hexdigest()}"

    async def _pages(self, method: Any, request: Any) -> AsyncIterator[Any]:
        while True:
            page = await self._call(method, request)
            yield page
            if not page.next_token:
                return
            request.next_token = page.next_token

    async def _call(self, method: Any, request: Any, *, retry_seconds: float = 0) -> Any:
        return await self._remote.call(
            method,
            request,
            caller=self._caller,
            timeout_seconds=_TIMEOUT_SECONDS,
            retry_seconds=retry_seconds,
        )


def _allocation(found: pool_allocation_pb2.IpamPoolAllocation) -> Allocation:
    return Allocation(
        Cidr.parse(found.cidr),
        found.ipam_pool_allocation_id,
        aws_enum_name(_KINDS, found.resource_type),
        found.resource_id,
        found.description,
    )


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), ENTRIES_PER_CALL):
        yield items[start : start + ENTRIES_PER_CALL]
