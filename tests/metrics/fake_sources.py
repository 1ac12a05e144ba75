"""The contexts that figures are collected of, in memory."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from services.metrics.collecting import Sources
from services.metrics.figures import Ipam, Limits, Monitored, PoolUsage, Utilization
from shared.errors import ServiceUnavailable, UnsupportedOperation
from tests.metrics.figures_world import IPAM, MONITORED, POOLS, UTILIZATIONS


class FakeContexts:
    """All three at once; those in ``down`` don't answer, and those in ``broken`` refuse.

    Discovery never gets done with the IPAMs in ``endless``.
    """

    def __init__(self) -> None:
        self.all_ipams: list[Ipam] = [IPAM]
        self.pools: dict[str, Sequence[PoolUsage]] = {IPAM.ipam_id: POOLS}
        self.resources: dict[str, Monitored] = {IPAM.ipam_id: MONITORED}
        self.down: set[str] = set()
        self.broken: set[str] = set()
        self.endless: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.limits: dict[str, Limits] = {}

    def sources(self) -> Sources:
        """As collections ask them."""
        return Sources(self, self, self, (ServiceUnavailable, UnsupportedOperation))

    async def ipams(self) -> Sequence[Ipam]:
        self._answer("control_plane", "")
        return list(self.all_ipams)

    async def pool_usages(self, ipam_id: str) -> Sequence[PoolUsage]:
        self._answer("allocation", ipam_id)
        return self.pools.get(ipam_id, [])

    async def monitored(self, ipam_id: str, limits: Limits) -> Monitored:
        self._answer("discovery", ipam_id)
        self.limits[ipam_id] = limits
        if ipam_id in self.endless:
            await asyncio.Event().wait()
        return self.resources[ipam_id]

    async def resource_usages(self, ipam_id: str) -> AsyncIterator[Utilization]:
        self._answer("discovery", ipam_id)
        for utilization in UTILIZATIONS:
            yield utilization

    def _answer(self, source: str, ipam_id: str) -> None:
        self.asked.append((source, ipam_id))
        if source in self.down:
            raise ServiceUnavailable(f"{source} is down")
        if ipam_id in self.broken:
            raise UnsupportedOperation(f"'{ipam_id}' is not understood")
