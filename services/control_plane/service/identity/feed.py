"""The users of every account as they are, and again whenever they change (ORG-10)."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from services.control_plane.identity.user import AccountUsers
from services.control_plane.service.ports import Reader
from services.control_plane.service.rows import Rows
from shared.feed import POLL_SECONDS, Bell


@dataclass(frozen=True, slots=True)
class Synced:
    """All accounts with users there were at the beginning have been told."""


class UserFeed:
    """All accounts'."""

    def __init__(self, reader: Reader, bell: Bell, *, poll_seconds: float = POLL_SECONDS) -> None:
        """``bell`` is rung by what this process commits; that of others is looked for."""
        self._reader, self._bell, self._poll_seconds = reader, bell, poll_seconds

    async def follow(self) -> AsyncIterator[AccountUsers | Synced]:
        """All there are, `Synced`, then what becomes of them; never ends."""
        told: dict[str, int] = {}
        is_synced = False
        while True:
            # Asked for before reading, so a change committed in between is not slept over.
            rung = self._bell.next_ring()
            for account in await self._reader.read(lambda rows: _changed(rows, dict(told))):
                told[account.account_id] = account.version
                yield account
            if not is_synced:
                is_synced = True
                yield Synced()
            with suppress(TimeoutError):
                await asyncio.wait_for(rung.wait(), self._poll_seconds)


def _changed(rows: Rows, told: Mapping[str, int]) -> Sequence[AccountUsers]:
    versions = rows.identity.users.versions()
    changed = [one for one, version in versions.items() if told.get(one) != version]
    return [rows.identity.users.of_account(account_id) for account_id in changed]
