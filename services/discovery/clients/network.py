"""The embedded cloud, asked for snapshots."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import aclosing
from datetime import datetime

import grpc

from cadastre.network.v1 import inventory_service_pb2 as pb
from cadastre.network.v1 import inventory_service_pb2_grpc
from services.discovery.messages import SnapshotCollector
from services.discovery.snapshot import Snapshot
from services.discovery.sources import AccountRegion, FailureCode, SnapshotFailed
from shared.caller import Caller
from shared.errors import CadastreError
from shared.rpc.client import Remote

# No account's: it is asked about everybody's resources.
_SELF = Caller(account_id="", region="", principal="service/discovery", service="discovery")

ANSWER_SECONDS = 60.0
"""Several times what a million interfaces take."""


class NetworkSnapshots:
    """Everybody's resources in the embedded cloud (DISC-3)."""

    name = "network"
    attempts_at_once = 4
    is_asked_between_passes = True

    def __init__(
        self,
        remote: Remote,
        clock: Callable[[], datetime],
        *,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        """``answer_seconds`` is how long a whole answer may take to come."""
        self._remote, self._clock, self._answer_seconds = remote, clock, answer_seconds
        self._stub = inventory_service_pb2_grpc.InventoryServiceStub(remote.channel)

    def serves(self, wanted: Collection[AccountRegion]) -> Collection[AccountRegion]:
        return wanted

    async def snapshot(self, place: AccountRegion) -> Snapshot:
        """As of the moment of the call: what is told was so then, or has changed since."""
        told = SnapshotCollector(place.account_id, place.region, self._clock())
        request = pb.GetInventoryRequest(owner_id=place.account_id, region=place.region)
        answers = self._remote.stream(self._stub.GetInventory, request, caller=_SELF)
        try:
            async with asyncio.timeout(self._answer_seconds), aclosing(answers):
                async for answer in answers:
                    told.add(answer.part)
        except TimeoutError as error:
            raise SnapshotFailed(
                FailureCode.OTHER,
                f"network did not tell everything within {self._answer_seconds:g} seconds",
            ) from error
        except CadastreError as error:
            raise SnapshotFailed(FailureCode.OTHER, f"network: {error.message}") from error
        except grpc.aio.AioRpcError as error:
            message = f"network: {error.code().name}: {error.details()}"
            raise SnapshotFailed(FailureCode.OTHER, message) from error
        return told.snapshot()
