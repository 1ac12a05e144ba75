"""Publishing anew in time: manifests and CRLs end after a day, ROAs after a year."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from services.control_plane.service.internet_registries import publishing
from services.control_plane.service.ports import Commands

_LOOK_SECONDS = 60.0


class PublicationWorker:
    """Has what is due published by steps; what one of them misses is due again."""

    def __init__(
        self, commands: Commands, clock: Callable[[], datetime], log: FilteringBoundLogger
    ) -> None:
        self._commands, self._clock, self._log = commands, clock, log

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - the worker's edge: reported, and tried again
                self._log.warning("looking for due publications failed", error=repr(error))
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Have what is due now published."""
        now = self._clock()
        await self._commands.change(lambda rows: publishing.renew_due(rows, now), dry_run=False)
