"""Asking registries again what they certify, so that certificates are renewed before they end.

When an association is due is in the database; whoever takes one up has it due again only some time
later, so replicas share the work, and what one of them left undone is taken up by another.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from structlog.typing import FilteringBoundLogger

from services.control_plane.certifier import PARENT_FAILURES, Certifier, Conversation, reason_of
from services.control_plane.service.internet_registries import settling
from services.control_plane.service.internet_registries.settling import Held
from services.control_plane.service.ports import Commands, Reader
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted

CONVERSATIONS_AT_ONCE = 8

_LOOK_SECONDS = 1.0
_TAKEN_UP_FOR = timedelta(minutes=10)
"""Longer than a conversation takes; two at once do no harm."""
_AFTER_OUTAGE = timedelta(minutes=5)


class InternetRegistryWorker:
    """Keeps enabled associations as their registries would have them."""

    def __init__(
        self,
        reader: Reader,
        commands: Commands,
        certifier: Certifier,
        interval: timedelta,
        clock: Callable[[], datetime],
        log: FilteringBoundLogger,
    ) -> None:
        """``interval`` is between two questions to a registry that answers."""
        self._reader, self._commands, self._certifier = reader, commands, certifier
        self._interval, self._clock, self._log = interval, clock, log
        self._places = asyncio.Semaphore(CONVERSATIONS_AT_ONCE)

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - the worker's edge: reported, and tried again
                self._log.warning("looking for due associations failed", error=repr(error))
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Ask the registries of all associations that are due now."""
        now = self._clock()
        due = await self._reader.read(lambda rows: rows.internet_registries.due(now))
        await asyncio.gather(*map(self._ask_in_turn, due))

    async def _ask_in_turn(self, association_id: str) -> None:
        async with self._places:
            try:
                await self._ask(association_id)
            except Exception as error:  # noqa: BLE001 - one of many: reported, and tried again
                self._log.error(
                    "asking a registry failed", association=association_id, error=repr(error)
                )

    async def _ask(self, association_id: str) -> None:
        now = self._clock()
        held = await self._commands.change(
            partial(_taken_up, association_id=association_id, now=now), dry_run=False
        )
        conversation = self._certifier.about(held) if held else None
        if held is None or conversation is None:
            return
        try:
            await self._certify(held, conversation)
        except PARENT_FAILURES as failure:
            self._log.warning(
                "a registry could not be asked",
                association=association_id,
                error=reason_of(failure),
            )
            at = now + min(self._interval, _AFTER_OUTAGE)
            miss = partial(
                settling.miss_refresh, before=held, why=reason_of(failure), now=now, at=at
            )
            await self._commands.change(miss, dry_run=False)

    async def _certify(self, held: Held, conversation: Conversation) -> None:
        listed = await conversation.look()
        if keys := await conversation.new_keys(listed):
            again = await self._commands.change(
                partial(_keep_keys, held=held, keys=keys), dry_run=False
            )
            if again is None:
                return
            held = again
            conversation.go_on_with(held)
        certification = await conversation.certify(listed)
        if certification.failures:
            self._log.warning(
                "a registry does not certify all",
                association=held.association.ipam_internet_registry_association_id,
                failures=certification.failures,
            )
        end = partial(
            settling.end_refresh,
            before=held,
            certification=certification,
            at=self._clock() + self._interval,
        )
        await self._commands.change(end, dry_run=False)


def _taken_up(rows: Rows, association_id: str, now: datetime) -> Accepted[Held | None]:
    """An association that is this worker's to ask about; None: it is not due any more."""
    is_ours = rows.internet_registries.claim(association_id, now, now + _TAKEN_UP_FOR)
    return Accepted(settling.held(rows, association_id) if is_ours else None)


def _keep_keys(rows: Rows, held: Held, keys: Mapping[str, bytes]) -> Accepted[Held | None]:
    settling.keep_keys(rows, held, keys)
    again = settling.held(rows, held.association.ipam_internet_registry_association_id)
    is_same = again is not None and again.association.version == held.association.version
    return Accepted(again if is_same else None)
