"""Publishing ROAs after a command is acknowledged; like `saga`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial

from services.control_plane.saga import Ending
from services.control_plane.service.internet_registries import publishing
from services.control_plane.service.internet_registries.publishing import Unlock
from services.control_plane.service.ports import Reader
from services.control_plane.service.steps import NextStep, StepKind


class PublicationSaga:
    """Carries steps of publishing out."""

    def __init__(self, reader: Reader, unlock: Unlock, clock: Callable[[], datetime]) -> None:
        self._reader, self._unlock, self._clock = reader, unlock, clock

    @property
    def handlers(self) -> Mapping[StepKind, Callable[[NextStep], Awaitable[Ending]]]:
        return {StepKind.PUBLISH_ROAS: self._publish}

    async def _publish(self, step: NextStep) -> Ending:
        now = self._clock()
        work = await self._reader.read(lambda rows: publishing.work_on(rows, step.subject, now))
        if work is None:
            return lambda _: None
        # Signing hundreds takes a minute, beside the loop.
        changed = await asyncio.to_thread(publishing.signed, work, self._unlock, now)
        return partial(publishing.end_publishing, work=work, changed=changed)
