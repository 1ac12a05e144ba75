"""Verifying what waits for it, again and again until it is proven, refuted or too late (BYOIP-1).

What waits is in databases alone, the ledger's and this context's, so a worker that died is missed
by nobody; and what was concluded waits no more, so that two workers do no harm.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from structlog.typing import FilteringBoundLogger

from services.control_plane.byoip.byoasn import Byoasn
from services.control_plane.byoip.byoip_cidr import ByoipCidr
from services.control_plane.saga import may_pass
from services.control_plane.service.byoip import pruning, settling, verifying
from services.control_plane.service.byoip.ports import (
    PendingPoolCidr,
    PublicSpace,
    RpkiReader,
    Verifies,
)
from services.control_plane.service.internet_registries import brought_along
from services.control_plane.service.ports import Commands, Reader
from services.control_plane.service.rows import Rows
from services.control_plane.verification.claim import (
    Claim,
    CoveredByAssociation,
    Proof,
    RangeClaim,
)
from services.control_plane.verification.roas import Roa
from services.control_plane.verification.verdict import Proven, Refuted, Unproven, Verdict
from shared.cidr import Cidr
from shared.errors import CadastreError

ATTEMPTS_AT_ONCE = 16

_LOOK_SECONDS = 1.0
"""How long what another replica was asked for may go unnoticed."""
_AFTER_OUTAGE = timedelta(seconds=2)
_FAULT = "this installation fails to verify it; ask who runs it"
"""What an account is told of exceptions, which are in the log."""
_BETWEEN_PRUNINGS = timedelta(hours=1)
_FOLLOWING_SECONDS = 600.0
"""Then what waits is asked for anew, so that what was withdrawn is looked for no longer."""
_NEVER = datetime.min.replace(tzinfo=UTC)
_FIRST_RECONNECT_SECONDS, _LAST_RECONNECT_SECONDS = 0.1, 2.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient it is."""

    retry: timedelta
    """Time between the beginnings of two attempts on one thing."""
    timeout: timedelta
    """After this time without proof it has failed."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Something to be verified; an attempt tells whether it was the last."""

    key: str
    attempt: Callable[[], Awaitable[bool]]


class VerificationWorker:
    """Follows the ledger's pending CIDRs, and looks for this context's own ASNs and ranges.

    At most `ATTEMPTS_AT_ONCE` attempts are under way, and one on each thing.
    """

    def __init__(
        self,
        reader: Reader,
        commands: Commands,
        space: PublicSpace,
        verifier: Verifies,
        rpki: RpkiReader,
        pace: Pace,
        clock: Callable[[], datetime],
        log: FilteringBoundLogger,
    ) -> None:
        self._reader, self._commands, self._space = reader, commands, space
        self._verifier, self._rpki = verifier, rpki
        self._pace, self._clock, self._log = pace, clock, log
        self._pending: dict[str, PendingPoolCidr] = {}
        self._due: dict[str, datetime] = {}
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._prune_at = clock()
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Have it look now: something was committed that waits."""
        self._wake.set()

    async def run(self) -> None:
        """Verify until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow_ledger())
                tasks.create_task(self._look_again_and_again())
        finally:
            given_up = list(self._under_way.values())
            for task in given_up:
                task.cancel()
            await asyncio.gather(*given_up, return_exceptions=True)

    async def attempt_pool_cidr(self, pending: PendingPoolCidr) -> bool:
        """Verify a pool's CIDR once; False: it waits on."""
        proof, own = await self._reader.read(partial(_offered, pending=pending))
        if isinstance(proof, Refuted):
            verdict: Verdict = proof
        elif isinstance(proof, CoveredByAssociation):
            # The ROAs that let it be advertised are made by this: there is nothing to wait for.
            verdict = await self._commands.change(
                partial(brought_along.prove, pending=pending), dry_run=False
            )
        else:
            verdict = await self._verdict(pending.claim, proof, pending.requested_at, own)
        if isinstance(verdict, Unproven):
            return False
        failure = verdict.reason if isinstance(verdict, Refuted) else None
        await self._space.conclude(pending, failure)
        # What was asked for anew meanwhile waits on.
        if self._pending.get(pending.ipam_pool_cidr_id) == pending:
            del self._pending[pending.ipam_pool_cidr_id]
        return True

    async def attempt_range(self, cidr: ByoipCidr) -> bool:
        """Verify a range that came without an IPAM once; False: it waits on."""
        verdict = await self._verdict(cidr.claim, cidr.alone.proof, cidr.alone.requested_at)
        if isinstance(verdict, Unproven):
            return False
        conclude = partial(
            verifying.conclude_range,
            byoip_cidr_id=cidr.byoip_cidr_id,
            verdict=verdict,
            now=self._clock(),
        )
        await self._commands.change(conclude, dry_run=False)
        return True

    async def attempt_byoasn(self, byoasn: Byoasn) -> bool:
        """Verify an ASN once; False: it waits on."""
        verdict = await self._verdict(byoasn.claim, byoasn.proof, byoasn.requested_at)
        if isinstance(verdict, Unproven):
            return False
        conclude = partial(
            verifying.conclude_byoasn,
            byoasn_id=byoasn.byoasn_id,
            verdict=verdict,
            now=self._clock(),
        )
        await self._commands.change(conclude, dry_run=False)
        return True

    async def _verdict(
        self, claim: Claim, proof: Proof, requested_at: datetime, own: Collection[Roa] = ()
    ) -> Verdict:
        """What the proof shows, and of ranges the ROAs; not proven in time is refuted.

        ``own`` are ROAs that are made once it is.
        """
        try:
            verdict = await self._verifier.verify(claim, proof)
            if isinstance(verdict, Proven) and isinstance(claim, RangeClaim):
                verdict = await self._by_roas(claim.cidr, own)
        except Exception as error:  # noqa: BLE001 - the worker's edge: reported, and tried again
            self._log.error("verifying failed", subject=claim.subject, error=repr(error))
            verdict = Unproven(_FAULT)
        if isinstance(verdict, Unproven) and self._clock() >= requested_at + self._pace.timeout:
            return Refuted(verdict.reason)
        return verdict

    async def _by_roas(self, cidr: Cidr, own: Collection[Roa]) -> Verdict:
        """What is proven waits for ROAs that let Amazon advertise it, unless none forbids it."""
        rpki = (await self._rpki()).beside(own)
        missing = rpki.missing(cidr)
        if missing and rpki.refuses:
            return Unproven(missing)
        if missing:
            self._log.warning("brought range has no fitting ROA", cidr=str(cidr), missing=missing)
        return Proven(missing)

    async def _follow_ledger(self) -> None:
        delay = _FIRST_RECONNECT_SECONDS
        while True:
            try:
                await self._commands.change(settling.settle_again, dry_run=False)
                with suppress(TimeoutError):
                    async with asyncio.timeout(_FOLLOWING_SECONDS):
                        await self._hear_of_pending()
                # All that wait still are told anew; what was withdrawn is not.
                self._pending.clear()
                delay = _FIRST_RECONNECT_SECONDS
            except Exception as error:  # noqa: BLE001 - the worker's edge: reported, and begun anew
                self._log.warning("following pending CIDRs was interrupted", error=str(error))
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LAST_RECONNECT_SECONDS)

    async def _hear_of_pending(self) -> None:
        async for pending in self._space.pending_cidrs():
            self._pending[pending.ipam_pool_cidr_id] = pending
            self._due.pop(pending.ipam_pool_cidr_id, None)
            self.wake()

    async def _look_again_and_again(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._prune_now_and_then()
                await self._start_due()
            except Exception as error:  # noqa: BLE001 - the worker's edge: reported, and tried again
                self._log.warning("looking for what waits failed", error=repr(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds_to_next_look()):
                    await self._wake.wait()

    async def _start_due(self) -> None:
        waiting = {one.key: one for one in await self._waiting()}
        self._due = {key: due for key, due in self._due.items() if key in waiting}
        now = self._clock()
        due = [
            one
            for key, one in waiting.items()
            if key not in self._under_way and self._due.get(key, now) <= now
        ]
        # Whose turn was longest ago, or never was, comes first: what never answers delays nobody.
        due.sort(key=lambda one: self._due.get(one.key, _NEVER))
        for one in due[: ATTEMPTS_AT_ONCE - len(self._under_way)]:
            self._under_way[one.key] = asyncio.create_task(self._attempt(one))

    async def _waiting(self) -> list[_Waiting]:
        byoasns, ranges = await self._reader.read(_own_waiting)
        return [
            *(
                _Waiting(pending.ipam_pool_cidr_id, partial(self.attempt_pool_cidr, pending))
                for pending in self._pending.values()
            ),
            *(_Waiting(one.byoasn_id, partial(self.attempt_byoasn, one)) for one in byoasns),
            *(_Waiting(one.byoip_cidr_id, partial(self.attempt_range, one)) for one in ranges),
        ]

    async def _attempt(self, waiting: _Waiting) -> None:
        started, pause = self._clock(), self._pace.retry
        try:
            is_last = await waiting.attempt()
            self._log.info("attempted to verify", subject=waiting.key, is_last=is_last)
        except Exception as error:  # noqa: BLE001 - the worker's edge: reported, and tried again
            if isinstance(error, CadastreError) and may_pass(error):
                pause = min(pause, _AFTER_OUTAGE)
            self._log.warning("concluding failed", subject=waiting.key, error=repr(error))
        finally:
            self._due[waiting.key] = started + pause
            del self._under_way[waiting.key]
            self.wake()

    def _seconds_to_next_look(self) -> float:
        now = self._clock()
        later = [(due - now).total_seconds() for due in self._due.values() if due > now]
        return min([_LOOK_SECONDS, *later])

    async def _prune_now_and_then(self) -> None:
        now = self._clock()
        if now >= self._prune_at:
            await self._commands.tag(lambda rows: pruning.prune(rows, now), dry_run=False)
            self._prune_at = now + _BETWEEN_PRUNINGS


def _offered(
    rows: Rows, *, pending: PendingPoolCidr
) -> tuple[Proof | CoveredByAssociation | Refuted, Collection[Roa]]:
    """By what a pool's CIDR is verified, and the ROAs that come with it."""
    own = brought_along.roas_of_pool_cidr(rows, pending.ipam_id, pending.claim.cidr)
    return verifying.proof_of(rows, pending), own


def _own_waiting(rows: Rows) -> tuple[Sequence[Byoasn], Sequence[ByoipCidr]]:
    return rows.byoip.unproven_byoasns(), rows.byoip.unproven_ranges()
