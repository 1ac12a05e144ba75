"""Checking the books, and putting right what has one right answer (BEY-10)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.allocation.audit.finding import Checked, Finding


@dataclass(frozen=True, slots=True)
class Summary:
    """What a check came to."""

    checked: Checked
    findings: int
    repaired: int


class Books(Protocol):
    """The ledger's records as they are."""

    async def pool_ids(self, ipam_pool_ids: Sequence[str]) -> Sequence[str]:
        """These, or all that the ledger knows, retired ones included, in order.

        Raises:
            UnknownId: it does not know one of these.
        """

    def check(self, ipam_pool_id: str) -> AsyncIterator[Finding | Checked]:
        """A pool's findings as they are met, all from one snapshot, and how much was looked at."""

    def check_across(self, ipam_pool_ids: Sequence[str]) -> AsyncIterator[Finding]:
        """What no pool's own check sees. Without ids, of all pools, and what belongs to none."""

    async def repair(self, ipam_pool_id: str) -> Sequence[Finding]:
        """What can be repaired of a pool now, after that was done, as one transaction."""

    async def repair_strays(self) -> Sequence[Finding]:
        """What belongs to no pool, after it was deleted."""


class Recovery(Protocol):
    """Whether the ledger is the present one, or was restored from a backup (BEY-14)."""

    async def look(self) -> Finding | None:
        """That changes are lost, if they are."""

    async def repair(self, *, accept_loss: bool) -> Finding | None:
        """The same, after they were redone, or given up if that must be; else why they were not."""


class Audit:
    """Pool by pool, so that allocation goes on beside it."""

    def __init__(self, books: Books, recovery: Recovery) -> None:
        self._books, self._recovery = books, recovery

    async def check(
        self, ipam_pool_ids: Sequence[str], *, repair: bool, accept_loss: bool = False
    ) -> AsyncIterator[Finding | Summary]:
        """Each finding as it is met, and the summary last.

        With ``accept_loss`` a repair gives up what was lost and can't be redone.

        Raises:
            UnknownId: one of the ids names nothing the ledger knows.
        """
        count = _Count()
        # First, for with changes lost the rest of the books is of the past.
        recovery = self._recovery
        lost = await (recovery.repair(accept_loss=accept_loss) if repair else recovery.look())
        if lost:
            yield count.finding(lost)
            # Nothing is repaired in books of the past: what they lack may put it right.
            repair = repair and lost.is_repaired
        for pool_id in await self._books.pool_ids(ipam_pool_ids):
            async for finding in self._pool(pool_id, count, repair=repair):
                yield count.finding(finding)
        async for finding in self._across(ipam_pool_ids, repair=repair):
            yield count.finding(finding)
        yield count.summary

    async def _pool(
        self, ipam_pool_id: str, count: "_Count", *, repair: bool
    ) -> AsyncIterator[Finding]:
        is_to_repair = False
        async for found in self._books.check(ipam_pool_id):
            if isinstance(found, Checked):
                count.add(found)
            elif repair and found.repair:
                is_to_repair = True
            else:
                yield found
        if is_to_repair:
            # Told as it is found there: what went by itself meanwhile is no finding.
            for finding in await self._books.repair(ipam_pool_id):
                yield finding

    async def _across(
        self, ipam_pool_ids: Sequence[str], *, repair: bool
    ) -> AsyncIterator[Finding]:
        is_to_repair = False
        async for finding in self._books.check_across(ipam_pool_ids):
            if repair and finding.repair:
                is_to_repair = True
            else:
                yield finding
        if is_to_repair:
            for finding in await self._books.repair_strays():
                yield finding


class _Count:
    def __init__(self) -> None:
        self._checked, self._findings, self._repaired = Checked(), 0, 0

    def add(self, checked: Checked) -> None:
        total = self._checked
        self._checked = Checked(
            total.pools + checked.pools,
            total.allocations + checked.allocations,
            total.cidrs + checked.cidrs,
        )

    def finding(self, finding: Finding) -> Finding:
        self._findings += 1
        self._repaired += finding.is_repaired
        return finding

    @property
    def summary(self) -> Summary:
        return Summary(self._checked, self._findings, self._repaired)
