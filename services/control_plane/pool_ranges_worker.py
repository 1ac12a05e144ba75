"""Following which ranges pools have, so that the ROAs for them are made and withdrawn.

Pools get ranges from one another, and lose them, without this context being asked.
"""

import asyncio

from structlog.typing import FilteringBoundLogger

from services.control_plane.ipam import Ipam
from services.control_plane.regions import NO_LOCALE
from services.control_plane.service.byoip.ports import PublicSpace
from services.control_plane.service.byoip.routes import brought_cidrs
from services.control_plane.service.internet_registries import brought_along
from services.control_plane.service.ports import Commands, Reader


class PoolRangesWorker:
    """Asks the ledger about IPAMs that registries have certified; several may, without harm."""

    def __init__(
        self,
        reader: Reader,
        commands: Commands,
        space: PublicSpace,
        log: FilteringBoundLogger,
        *,
        look_seconds: float,
    ) -> None:
        """``look_seconds`` is how long a child pool's range may wait for its ROAs, or keep them."""
        self._reader, self._commands, self._space = reader, commands, space
        self._log, self._look_seconds = log, look_seconds

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - the worker's edge: reported, and tried again
                self._log.warning("looking for pools' ranges failed", error=repr(error))
            await asyncio.sleep(self._look_seconds)

    async def look(self) -> None:
        """Look once at all IPAMs with ROAs to be made.

        Raises:
            CadastreError: the ledger does not answer.
        """
        for ipam in await self._reader.read(lambda rows: rows.ipams_with_registries()):
            await self._look_at(ipam)

    async def _look_at(self, ipam: Ipam) -> None:
        regions = [*ipam.operating_regions, NO_LOCALE]
        brought = await brought_cidrs(self._space, ipam, regions)
        found = [public for public in brought if public.is_advertisable]
        if await self._reader.read(lambda rows: brought_along.differ(rows, ipam.ipam_id, found)):
            await self._commands.change(
                lambda rows: brought_along.follow(rows, ipam, found), dry_run=False
            )
