"""Every request about public space that no account makes itself, and its locks."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime

from services.allocation.changes import Decision
from services.allocation.definition import PUBLIC_SPACE
from services.allocation.pending_cidr import WaitingCidr
from services.allocation.pool_cidr import PoolCidr
from services.allocation.service import bringing, byoip_ranges, pinning
from services.allocation.service.byoip_ranges import BroughtRange
from services.allocation.service.command import Command, Writer, pools
from services.allocation.service.rows import Rows
from services.allocation.service.view import Reader
from services.allocation.system_pools import BYOIP_POOLS
from shared.cidr import Cidr
from shared.feed import Bell, follow
from shared.ids import IPAM_POOL_CIDR

_SPACE = frozenset({PUBLIC_SPACE})


class PublicSpace:
    """Answers when the change is committed; refusals leave no trace."""

    def __init__(
        self, writer: Writer, reader: Reader, bell: Bell, *, reserved_allowed: bool = False
    ) -> None:
        """``bell`` rings when a range comes to wait in this process.

        With ``reserved_allowed`` ranges that the Internet has no use for can be brought along.
        """
        self._writer, self._reader, self._bell = writer, reader, bell
        self._reserved_allowed = reserved_allowed

    def waiting(self) -> AsyncIterator[WaitingCidr]:
        """The ranges that wait for proof of control, then those that come to; never ends."""
        return follow(
            lambda after: self._reader.read(lambda view: view.waiting_cidrs(after)),
            self._bell,
            after=0,
        )

    async def conclude(
        self, ipam_pool_cidr_id: str, failure: str, requested_at: datetime | None = None
    ) -> None:
        """End a range's waiting."""
        pool_id = await self._reader.read(lambda view: view.pool_of_pending(ipam_pool_cidr_id))
        if pool_id is None:
            return
        command = Command(
            lambda rows: bringing.conclude(rows, ipam_pool_cidr_id, failure, requested_at),
            pools=pools(pool_id),
            scopes=_SPACE,
        )
        await self._writer.carry_out(command)

    async def pin(self, ipam_pool_cidr_id: str, reason: str) -> None:
        """Keep a CIDR from being deprovisioned."""
        pool_id = await self._pool_of(ipam_pool_cidr_id)
        if pool_id is None:
            raise IPAM_POOL_CIDR.unknown(ipam_pool_cidr_id)
        await self._in_pool(
            pool_id, lambda rows: pinning.pin(rows, pool_id, ipam_pool_cidr_id, reason)
        )

    async def unpin(self, ipam_pool_cidr_id: str) -> None:
        """End that."""
        pool_id = await self._pool_of(ipam_pool_cidr_id)
        if pool_id is not None:
            await self._in_pool(
                pool_id, lambda rows: pinning.unpin(rows, pool_id, ipam_pool_cidr_id)
            )

    async def register(self, brought: BroughtRange, *, dry_run: bool) -> None:
        """Take in a range that an account brought along without an IPAM."""
        allowed = self._reserved_allowed
        command = Command(
            lambda rows: byoip_ranges.register(rows, brought, reserved_allowed=allowed),
            pools=pools(BYOIP_POOLS[brought.cidr.family]),
            scopes=_SPACE,
            dry_run=dry_run,
        )
        await self._writer.carry_out(command)

    async def unregister(self, cidr: Cidr, owner_id: str) -> None:
        """Give such a range up."""
        await self._in_pool(
            BYOIP_POOLS[cidr.family], lambda rows: byoip_ranges.unregister(rows, cidr, owner_id)
        )

    async def move(
        self, brought: BroughtRange, ipam_pool_id: str, ipam_pool_owner: str
    ) -> PoolCidr:
        """Give such a range to an IPAM's pool."""
        command = Command(
            lambda rows: byoip_ranges.move(rows, brought, ipam_pool_id, ipam_pool_owner),
            pools=pools(BYOIP_POOLS[brought.cidr.family], ipam_pool_id),
            scopes=_SPACE,
        )
        return await self._writer.carry_out(command)

    async def _in_pool(self, pool_id: str, decide: Callable[[Rows], Decision[None]]) -> None:
        await self._writer.carry_out(Command(decide, pools=pools(pool_id)))

    async def _pool_of(self, ipam_pool_cidr_id: str) -> str | None:
        return await self._reader.read(lambda view: view.pool_of_cidr(ipam_pool_cidr_id))
