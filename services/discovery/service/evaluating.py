"""What IPAMs make of what is there: judgements, and what follows from them (MON-1 to MON-6)."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol, cast

from services.discovery.coverage import Ipam
from services.discovery.evaluation.evaluate import evaluate
from services.discovery.evaluation.model import (
    Books,
    Evaluation,
    Finding,
    Import,
    MarkedCidr,
    Marking,
    Pool,
    Present,
)
from services.discovery.evaluation.natural_scope import scope_by_nature
from services.discovery.metering import Reading, reading_of
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


class Held(NamedTuple):
    """A CIDR that a resource has, or had, of a scope's pool."""

    scope_id: str
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
    """By inventory, when the snapshot was taken that it shows; not of those that the IPAM left, and
    sees again by the same snapshot."""
    complete: AbstractSet[AccountRegion]
    """Where every source told all the last time."""
    versions: Mapping[int, int]
    """Of what inventories show."""
    unremembered: AbstractSet[int]
    """Inventories whose interfaces and instances changed, or are not the IPAM's yet."""
    forgotten: Collection[int]
    """Inventories that the IPAM sees no more."""
    active_ips: Mapping[str, int]
    """By account that has them, where the IPAM monitors (ACC-3)."""

    def has_news_since(self, moment: datetime) -> bool:
        """Resources have come that may have been allocated what was read of the ledger then."""
        return any(
            sighting.candidate.row_id not in self.current
            for sighting in self.sightings
            if (at := self.sampled_at.get(sighting.inventory_id)) and at >= moment
        )


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

    async def version(self, ipam_id: str) -> int:
        """Of what was evaluated or marked last."""

    async def ever_had(self, ipam_id: str, held: Sequence[Held]) -> AbstractSet[Held]:
        """Those of ``held`` that there is, or was, a record of."""

    async def save(
        self,
        ipam: Ipam,
        version: int,
        changes: Turn,
        findings: Sequence[Finding],
        reading: Reading,
        now: datetime,
    ) -> bool:
        """All at once; False, and nothing: another evaluation or a marking came first.

        Inventories with `moved_in` changes are unremembered by it. What was read before is charged
        for up to now, and ``reading`` from now on (ACC-3).
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

    async def forget(self, ipam_id: str, evaluation: int, inventory_id: int, now: datetime) -> None:
        """End the records of what the IPAM sees no more, unless something was saved since."""

    async def keep_only(self, ipam_ids: Collection[str]) -> None:
        """Remove all of other IPAMs (IPAM-9)."""

    async def prune(self, ended_before: datetime) -> None:
        """Remove records that ended before (HIST-1)."""


class Follower(Protocol):
    """Who follows what an IPAM's resources and pools are, after an evaluation."""

    async def follow(self, ipam: Ipam, pools: Collection[Pool]) -> None: ...

    async def keep_only(self, ipam_ids: Collection[str]) -> None:
        """Remove all of other IPAMs (IPAM-9)."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What an evaluation did."""

    imported: int = 0
    released: int = 0
    begun: int = 0
    ended: int = 0
    moved: int = 0
    """Records that began because a resource came to another scope."""


@dataclass(slots=True)
class _Deeds:
    """What an evaluation has done so far."""

    imported: set[tuple[str, Cidr]] = field(default_factory=set)
    """Pools and CIDRs."""
    refused: set[tuple[str, int]] = field(default_factory=set)
    """Pools and rows."""
    released: int = 0

    def told(self, changes: Turn | None) -> Evaluated:
        imported, released = len(self.imported), self.released
        if changes is None:
            return Evaluated(imported, released)
        begun, ended = len(changes.begun), len(changes.ended)
        return Evaluated(imported, released, begun, ended, changes.moved)


class Evaluator:
    """Evaluates an IPAM at a time; all it does may be done twice, also by several replicas."""

    def __init__(
        self,
        ledger: Ledger,
        records: Records,
        clock: Callable[[], datetime],
        policy: Policy,
        in_thread: Callable[..., Awaitable[Any]] = asyncio.to_thread,
        follower: Follower | None = None,
    ) -> None:
        self._ledger, self._records, self._clock = ledger, records, clock
        self._policy, self._in_thread, self._follower = policy, in_thread, follower

    async def evaluate(self, ipam: Ipam, seen: Seen) -> Evaluated:
        """Judge what is there, act on it, and note what it is from now on.

        The ledger is read first, what is there afterwards: an imported allocation that was read
        was made for a resource that was there before, so when it is not there now it is gone.

        Raises:
            CadastreError: the ledger does not answer.
        """
        deeds = _Deeds()
        for is_last in [False] * (_ROUNDS - 1) + [True]:
            asked_at = self._clock()
            books = self._with_policy(await self._ledger.books(ipam.ipam_id))
            view = await self._records.view(ipam.ipam_id, seen)
            if view.has_news_since(asked_at) and not is_last:
                continue
            found = await self._in_thread(_judge, ipam, books, view)
            if await self._records.version(ipam.ipam_id) != view.version:
                continue
            if await self._act(ipam, books, found, deeds) and not is_last:
                continue
            changes = await self._save(ipam, view, found)
            if changes is not None:
                await self._report_observed(found, ipam)
                break
        else:
            changes = None
        if self._follower:
            # Also where others came first: what these noted is there now.
            await self._follower.follow(ipam, list(books.pools.values()))
        return deeds.told(changes)

    async def keep_only(self, ipams: Collection[str]) -> None:
        """Remove all that is known for other IPAMs (IPAM-9)."""
        await self._records.keep_only(ipams)
        if self._follower:
            await self._follower.keep_only(ipams)

    async def prune(self, ended_before: datetime) -> None:
        """Remove what ended before (HIST-1)."""
        await self._records.prune(ended_before)

    def _with_policy(self, books: Books) -> Books:
        """When what is unknown is to be imported, every pool does (MON-4)."""
        if self._policy.unknown == "report":
            return books
        pools = {id_: replace(pool, auto_import=True) for id_, pool in books.pools.items()}
        return replace(books, pools=pools)

    async def _act(self, ipam: Ipam, books: Books, found: Evaluation, deeds: _Deeds) -> bool:
        """Whether anything was imported or released."""
        releases = await self._to_release(ipam, books, found, deeds)
        released = await self._ledger.release(releases) if releases else ()
        deeds.released += len(released)
        imports = [wanted for wanted in found.imports if _row_of(wanted) not in deeds.refused]
        refused = await self._ledger.take_in(imports) if imports else ()
        deeds.refused.update(_row_of(one.wanted) for one in refused)
        made = [wanted for wanted in imports if _row_of(wanted) not in deeds.refused]
        deeds.imported.update((one.pool_id, one.candidate.cidr) for one in made)
        return bool(released or made)

    async def _to_release(
        self, ipam: Ipam, books: Books, found: Evaluation, deeds: _Deeds
    ) -> Sequence[str]:
        """What the policy lets go of what is to be released.

        Only what this IPAM has seen can be gone: after a restored backup that knows less, what
        nobody has seen yet is kept, and reported.
        """
        kept = found.gone if self._policy.reclaimable == "report" else frozenset()
        wanted = set(found.releases) - kept
        allocations = [one for one in books.allocations if one.allocation_id in wanted]
        held = {
            one.allocation_id: Held(books.pools[one.pool_id].scope_id, one.cidr, one.resource_id)
            for one in allocations
        }
        seen = await self._records.ever_had(ipam.ipam_id, list(held.values()))
        return [
            one.allocation_id
            for one in allocations
            if held[one.allocation_id] in seen or (one.pool_id, one.cidr) in deeds.imported
        ]

    async def _save(self, ipam: Ipam, view: View, found: Evaluation) -> Turn | None:
        """What changed; None: something else came first."""
        now = self._clock()
        changes, scopes = await self._in_thread(_outcome, ipam, view, found, now)
        reading = reading_of(ipam, view.active_ips)
        if not await self._records.save(ipam, view.version, changes, found.findings, reading, now):
            return None
        for inventory_id in view.forgotten:
            await self._records.forget(ipam.ipam_id, view.version + 1, inventory_id, now)
        for inventory_id in view.unremembered | moved_in(changes):
            shown = ShownInventory(inventory_id, view.versions[inventory_id])
            await self._records.remember(ipam.ipam_id, view.version + 1, shown, scopes, now)
        return cast(Turn, changes)

    async def _report_observed(self, found: Evaluation, ipam: Ipam) -> None:
        for scope_id in {*ipam.scopes.private, ipam.scopes.public_default}:
            there = {
                ObservedCidr(cidr, resource_id)
                for cidr, resource_id in found.observed.get(scope_id, ())
            }
            known = await self._ledger.observed(scope_id)
            await self._ledger.report_observed(scope_id, there - known, known - there)


def _row_of(wanted: Import) -> tuple[str, int]:
    return wanted.pool_id, wanted.candidate.row_id


def _outcome(ipam: Ipam, view: View, found: Evaluation, now: datetime) -> tuple[Turn, ScopesOfVpcs]:
    """What changes, and where what lies in VPCs is from now on."""
    states = [
        (sighting, state_of(judgement, sighting.name))
        for sighting, judgement in zip(view.sightings, found.judgements, strict=True)
    ]
    scopes = ScopesOfVpcs(lambda cidr: scope_by_nature(ipam.scopes, ResourceType.ENI, cidr))
    for sighting, state in states:
        if sighting.candidate.resource_type is ResourceType.VPC:
            scopes.add(sighting.candidate, state.scope_id)
    return turn(view.current, states, view.sampled_at, now), scopes


def _judge(ipam: Ipam, books: Books, view: View) -> Evaluation:
    return evaluate(
        ipam.scopes,
        books,
        view.markings,
        [sighting.candidate for sighting in view.sightings],
        Present(view.complete),
        ipam.imports_for,
    )
