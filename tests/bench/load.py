"""Calls of many concurrent clients on a ledger, in a process of their own.

``python -m tests.bench.load`` reads what to do as JSON and prints what came of it as JSON.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import count, repeat
from time import perf_counter
from typing import Literal

import uvloop

from cadastre.allocation.v1 import allocation_service_pb2 as pb
from cadastre.allocation.v1 import batch_service_pb2 as batch_pb
from tests.bench.http2 import Client, Connection, Message

_PACKAGE = "/cadastre.allocation.v1."
ALLOCATE = f"{_PACKAGE}AllocationService/AllocateIpamPoolCidr"
RELEASE = f"{_PACKAGE}AllocationService/ReleaseIpamPoolAllocation"
BATCH = f"{_PACKAGE}BatchService/BatchAllocateIpamPoolCidrs"


@dataclass(frozen=True, kw_only=True)
class Load:
    """What to do. ``name`` makes client tokens unlike those of any other load."""

    port: int
    token: str
    name: str
    pools: list[str]
    kind: Literal["allocate", "allocate and release", "batch"]
    clients: int
    seconds: float
    netmask_length: int
    batch_size: int = 500


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of it."""

    calls: int
    refused: int
    seconds: float
    p50: float
    p99: float
    cpu_share: float
    """Of one processor, for the load itself."""

    @property
    def per_second(self) -> float:
        return self.calls / self.seconds


async def run(load: Load) -> Result:
    """Keep ``clients`` calls under way until the time is up and the last is answered."""
    headers = {
        ":authority": "localhost",
        "te": "trailers",
        "content-type": "application/grpc",
        "authorization": f"Bearer {load.token}",
    }
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(
        lambda: Connection([ALLOCATE, RELEASE, BATCH], headers), "127.0.0.1", load.port
    )
    began, cpu_began = perf_counter(), time.process_time()
    numbers = count()
    connection.start([_client(load, numbers, began + load.seconds) for _ in range(load.clients)])
    await connection.ended
    seconds, ranked = perf_counter() - began, sorted(connection.latencies)
    return Result(
        calls=len(ranked),
        refused=connection.refused,
        seconds=seconds,
        p50=ranked[len(ranked) // 2],
        p99=ranked[len(ranked) * 99 // 100],
        cpu_share=(time.process_time() - cpu_began) / seconds,
    )


def _client(load: Load, numbers: Iterator[int], end: float) -> Client:
    def ask(answer: bytes | None) -> Message | None:
        if perf_counter() > end:
            return None
        number = next(numbers)
        if load.kind == "allocate and release" and answer and not releasing:
            releasing.append(True)
            return RELEASE, _release_of(load, answer)
        releasing.clear()
        if load.kind == "batch":
            return BATCH, batches[number % len(batches)]
        return ALLOCATE, _allocation(load, number).SerializeToString()

    releasing: list[bool] = []
    batches = _batches(load) if load.kind == "batch" else []
    return Client(ask)


def _allocation(load: Load, number: int) -> pb.AllocateIpamPoolCidrRequest:
    return pb.AllocateIpamPoolCidrRequest(
        ipam_pool_id=load.pools[number % len(load.pools)],
        netmask_length=load.netmask_length,
        client_token=f"{load.name}/{number}",
    )


def _release_of(load: Load, answer: bytes) -> bytes:
    allocation = pb.AllocateIpamPoolCidrResponse.FromString(answer).ipam_pool_allocation
    [pool] = load.pools
    return pb.ReleaseIpamPoolAllocationRequest(
        ipam_pool_id=pool,
        cidr=allocation.cidr,
        ipam_pool_allocation_id=allocation.ipam_pool_allocation_id,
    ).SerializeToString()


def _batches(load: Load) -> list[bytes]:
    """One a pool, without tokens; they say the same each time."""
    requests = (
        pb.AllocateIpamPoolCidrRequest(ipam_pool_id=pool, netmask_length=load.netmask_length)
        for pool in load.pools
    )
    return [
        batch_pb.BatchAllocateIpamPoolCidrsRequest(
            requests=repeat(request, load.batch_size)
        ).SerializeToString()
        for request in requests
    ]


def main() -> None:
    result = uvloop.run(run(Load(**json.load(sys.stdin))))
    print(json.dumps(asdict(result)))


if __name__ == "__main__":
    main()
