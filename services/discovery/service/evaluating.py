"""What IPAMs make of what is there: judgements, and what follows from them (MON-1 to MON-6)."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from services.discovery.coverage import Ipam
from services.discovery.evaluation.evaluate import evaluate
from services.discovery.evaluation.model import (
    Books,
    Discrepancy,
    Evaluation,
    Finding,
    Import,
    MarkedCidr,
    Marking,
    Present,
)
from services.discovery.evaluation.natural_scope import scope_by_nature
from services.discovery.record import (
    CurrentRecord,
    ScopesOfVpcs,
    Sighting,
    Turn,
    moved_in,
    state_of,
    turn,
)
from services.discovery.resource_cidr import ResourceType
from services.discovery.sources import AccountRegion
from shared.cidr import Cidr

_ROUNDS = 3
"""How often what was done may make it necessary to look again; the next evaluation goes on."""


class ObservedCidr(NamedTuple):
    """What a resource occupies without an allocation (BEY-3)."""

    cidr: Cidr
    resource_id: str


class ShownInventory(NamedTuple):
    """An inventory, and the version of what it showed."""

    inventory_id: int
    version: int


@dataclass(frozen=True, slots=True)
class ImportRefused:
    """The ledger has a reason not to take a resource's CIDR in, perhaps a newer one."""

    wanted: Import
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What becomes of what does not agree (BEY-10); all of it is reported in any case."""

    unknown: Literal["report", "import"] = "report"
    reclaimable: Literal["report", "release"] = "release"


@dataclass(frozen=True, slots=True)
class Seen:
    """Where an IPAM monitors."""

    places: AbstractSet[AccountRegion]
    asked: AbstractSet[tuple[str, AccountRegion]]
    """Sources that discovery asks itself, and where: until each has told, not all is known."""


@dataclass(frozen=True, slots=True)
class View:
    """What is there for an IPAM, all of one moment."""

    version: int
    """Of what was evaluated last; saving needs that it still is."""
    sightings: Sequence[Sighting]
    markings: Mapping[MarkedCidr, Marking]
    current: Mapping[int, CurrentRecord]
    sampled_at: Mapping[int, datetime]
    """By inventory, when the snapshot was taken that it shows."""
    complete: AbstractSet[AccountRegion]
    """Where every source told all the last time."""
    versions: Mapping[int, int]
    """Of what inventories show."""
    unremembered: AbstractSet[int]
    """Inventories whose interfaces and instances changed, or are not the IPAM's yet."""
    forgotten: Collection[int]
    """Inventories that the IPAM sees no more."""


class Ledger(Protocol):
    """Every call is repeatable."""

    async def books(self, ipam_id: str) -> Books: ...

    async def take_in(self, imports: Sequence[Import]) -> Sequence[ImportRefused]:
        """Make them allocations; those that are not."""

    async def release(self, ipam_pool_allocation_ids: Sequence[str]) -> Sequence[str]:
        """Give back those that are live still; which these were."""

    async def observed(self, scope_id: str) -> AbstractSet[ObservedCidr]:
        """What it was told that resources occupy."""

    async def report_observed(
        self, scope_id: str, seen: Iterable[ObservedCidr], gone: Iterable[ObservedCidr]
    ) -> None: ...


class Records(Protocol):
    """What resource CIDRs are to IPAMs, and were."""

    async def view(self, ipam_id: str, seen: Seen) -> View: ...

    async def save(
        self,
        ipam_id: str,
        version: int,
        changes: Turn,
        findings: Sequence[Finding],
        now: datetime,
    ) -> bool:
        """All at once; False, and nothing: another evaluation or a marking came first.

        Inventories with `moved_in` changes are unremembered by it.
        """

    async def remember(
        self,
        ipam_id: str,
        evaluation: int,
        shown: ShownInventory,
        scopes: ScopesOfVpcs,
        now: datetime,
    ) -> None:
        """Make the records of an inventory's interfaces and instances what is there.

        Nothing is done when another ``evaluation`` or a marking was saved since, or the inventory
        shows something newer: what comes next does it.
        """

    async def forget(self, ipam_id: str, inventory_id: int, now: datetime) -> None:
        """End the records of what the IPAM sees no more."""

    async def keep_only(self, ipam_ids: Collection[str]) -> None:
        """Remove all of other IPAMs (IPAM-9)."""

    async def prune(self, ended_before: datetime) -> None:
        """Remove records that ended before (HIST-1)."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What an evaluation did."""

    imported: int = 0
    released: int = 0
    begun: int = 0
    ended: int = 0


class Evaluator:
    """Evaluates an IPAM at a time; all it does may be done twice, also by several replicas."""

    def __init__(
        self,
        ledger: Ledger,
        records: Records,
        clock: Callable[[], datetime],
        policy: Policy,
        in_thread: Callable[..., Awaitable[Evaluation]] = asyncio.to_thread,
    ) -> None:
        self._ledger, self._records, self._clock = ledger, records, clock
        self._policy, self._in_thread = policy, in_thread

    async def evaluate(self, ipam: Ipam, seen: Seen) -> Evaluated:
        """Judge what is there, act on it, and note what it is from now on.

        The ledger is read first, what is there afterwards: an imported allocation that was read
        was made for a resource that was there before, so when it is not there now it is gone.

        Raises:
            CadastreError: the ledger does not answer.
        """
        done, refused = Evaluated(), frozenset[tuple[str, int]]()
        for is_last in [False] * (_ROUNDS - 1) + [True]:
            books = self._with_policy(await self._ledger.books(ipam.ipam_id))
            view = await self._records.view(ipam.ipam_id, seen)
            found = await self._in_thread(_judge, ipam, books, view)
            imported, released, refused = await self._act(found, refused)
            done = replace(
                done, imported=done.imported + imported, released=done.released + released
            )
            if (imported or released) and not is_last:
                continue
            changes = await self._save(ipam, view, found)
            if changes is not None:
                await self._report_observed(found, ipam)
                return replace(done, begun=len(changes.begun), ended=len(changes.ended))
        return done

    async def keep_only(self, ipams: Collection[str]) -> None:
        """Remove all that is known for other IPAMs (IPAM-9)."""
        await self._records.keep_only(ipams)

    async def prune(self, ended_before: datetime) -> None:
        """Remove what ended before (HIST-1)."""
        await self._records.prune(ended_before)

    def _with_policy(self, books: Books) -> Books:
        """When what is unknown is to be imported, every pool does (MON-4)."""
        if self._policy.unknown == "report":
            return books
        pools = {id_: replace(pool, auto_import=True) for id_, pool in books.pools.items()}
        return replace(books, pools=pools)

    async def _act(
        self, found: Evaluation, refused: frozenset[tuple[str, int]]
    ) -> tuple[int, int, frozenset[tuple[str, int]]]:
        """How much was imported and released, and which pools refused which rows so far."""
        kept = _reclaimable(found) if self._policy.reclaimable == "report" else frozenset()
        releases = [one for one in found.releases if one not in kept]
        released = await self._ledger.release(releases) if releases else ()
        imports = [wanted for wanted in found.imports if _row_of(wanted) not in refused]
        if not imports:
            return 0, len(released), refused
        refusals = await self._ledger.take_in(imports)
        now_refused = refused | {_row_of(one.wanted) for one in refusals}
        return len(imports) - len(refusals), len(released), now_refused

    async def _save(self, ipam: Ipam, view: View, found: Evaluation) -> Turn | None:
        """What changed; None: something else came first."""
        now = self._clock()
        states = [
            (sighting, state_of(judgement, sighting.name))
            for sighting, judgement in zip(view.sightings, found.judgements, strict=True)
        ]
        changes = turn(view.current, states, view.sampled_at, now)
        if not await self._records.save(ipam.ipam_id, view.version, changes, found.findings, now):
            return None
        scopes = ScopesOfVpcs(lambda cidr: scope_by_nature(ipam.scopes, ResourceType.ENI, cidr))
        for sighting, state in states:
            candidate = sighting.candidate
            if candidate.resource_type is ResourceType.VPC:
                scopes.add(candidate.resource_id, candidate.cidr, state.scope_id)
        for inventory_id in view.forgotten:
            await self._records.forget(ipam.ipam_id, inventory_id, now)
        for inventory_id in view.unremembered | moved_in(changes):
            shown = ShownInventory(inventory_id, view.versions[inventory_id])
            await self._records.remember(ipam.ipam_id, view.version + 1, shown, scopes, now)
        return changes

    async def _report_observed(self, found: Evaluation, ipam: Ipam) -> None:
        for scope_id in {*ipam.scopes.private, ipam.scopes.public_default}:
            there = {
                ObservedCidr(cidr, resource_id)
                for cidr, resource_id in found.observed.get(scope_id, {}).items()
            }
            known = await self._ledger.observed(scope_id)
            await self._ledger.report_observed(scope_id, there - known, known - there)


def _row_of(wanted: Import) -> tuple[str, int]:
    return wanted.pool_id, wanted.candidate.row_id


def _judge(ipam: Ipam, books: Books, view: View) -> Evaluation:
    return evaluate(
        ipam.scopes,
        books,
        view.markings,
        [sighting.candidate for sighting in view.sightings],
        Present(view.complete),
    )


def _reclaimable(found: Evaluation) -> AbstractSet[str | None]:
    return {
        finding.allocation_id
        for finding in found.findings
        if finding.discrepancy is Discrepancy.RECLAIMABLE
    }
