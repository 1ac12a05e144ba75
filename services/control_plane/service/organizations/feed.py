"""Every organization as it is, and again whenever it changes (ORG-6)."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from services.control_plane.organizations.snapshot import Snapshot
from services.control_plane.service.ports import Reader
from services.control_plane.service.rows import Rows
from shared.feed import POLL_SECONDS, Bell


@dataclass(frozen=True, slots=True)
class Deleted:
    """An organization that was told of, and is no more."""

    organization_id: str


@dataclass(frozen=True, slots=True)
class Synced:
    """Every organization there was at the beginning has been told."""


News = Snapshot | Deleted | Synced


class OrganizationFeed:
    """All organizations'."""

    def __init__(self, reader: Reader, bell: Bell, *, poll_seconds: float = POLL_SECONDS) -> None:
        """``bell`` is rung by what this process commits; that of others is looked for."""
        self._reader, self._bell, self._poll_seconds = reader, bell, poll_seconds

    async def follow(self) -> AsyncIterator[News]:
        """All there are, `Synced`, then what becomes of them; never ends."""
        told: dict[str, int] = {}
        is_synced = False
        while True:
            # Asked for before reading, so a change committed in between is not slept over.
            rung = self._bell.next_ring()
            gone, changed = await self._reader.read(lambda rows: _news(rows, dict(told)))
            for organization_id in gone:
                del told[organization_id]
                yield Deleted(organization_id)
            for snapshot in changed:
                told[snapshot.organization.organization_id] = snapshot.organization.version
                yield snapshot
            if not is_synced:
                is_synced = True
                yield Synced()
            with suppress(TimeoutError):
                await asyncio.wait_for(rung.wait(), self._poll_seconds)


def _news(rows: Rows, told: Mapping[str, int]) -> tuple[Sequence[str], Sequence[Snapshot]]:
    """What is gone since, or was made anew under an id that was there, and what has changed."""
    versions = rows.organizations.versions()
    gone = [one for one, version in told.items() if versions.get(one, 0) < version]
    changed = [one for one, version in versions.items() if told.get(one) != version]
    snapshots = [rows.organizations.snapshot(organization_id) for organization_id in changed]
    return gone, [snapshot for snapshot in snapshots if snapshot]
