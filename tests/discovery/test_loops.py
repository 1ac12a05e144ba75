"""What discovery does beside serving goes on, whatever is away or tells what can't be."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import grpc
import structlog
from grpc.aio import Metadata
from prometheus_client import CollectorRegistry

from services.discovery.coverage import Coverage, Ipam
from services.discovery.evaluation.model import Scopes
from services.discovery.loops import Work, follow
from services.discovery.service.agenda import Agenda
from services.discovery.service.evaluating import Evaluated
from services.discovery.service.following import Discovery, HeldAllocation, Progress
from services.discovery.service.passes import Passes, PassReport
from services.discovery.snapshot import Snapshot
from services.discovery.sources import (
    AccountRegion,
    Association,
    Change,
    FailureCode,
    SnapshotFailed,
    VpcCidr,
)
from services.discovery.telemetry import DiscoveryTelemetry
from shared.cidr import Cidr
from shared.errors import CadastreError, ServiceUnavailable
from shared.persistence.failures import DatabaseUnavailable

PLACE = AccountRegion("123456789012", "us-east-1")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AWAY = (CadastreError, grpc.aio.AioRpcError)
LOG: Any = structlog.get_logger()


def work(**members: Any) -> Work:
    nothing: Any = SimpleNamespace()
    known = {"orphans": nothing, "ledger": nothing, "passes": nothing, "agenda": Agenda()}
    telemetry = DiscoveryTelemetry(CollectorRegistry())
    return Work(**{**known, "away": AWAY, "log": LOG, "telemetry": telemetry, **members})


async def test_following_goes_on_when_the_own_database_was_away_for_a_moment() -> None:
    followed, is_there = asyncio.Event(), iter([False])

    class Feed:
        async def follow(self) -> None:
            followed.set()
            await asyncio.Event().wait()

        async def progress(self) -> Progress:
            if not next(is_there, True):
                raise DatabaseUnavailable
            return Progress()

    following = asyncio.create_task(follow(Feed(), work()))
    goes_on = asyncio.create_task(followed.wait())
    await asyncio.wait({following, goes_on}, return_when=asyncio.FIRST_COMPLETED, timeout=5)
    has_ended = following.done()
    following.cancel()
    goes_on.cancel()
    await asyncio.gather(following, goes_on, return_exceptions=True)
    assert not has_ended


async def test_other_sources_are_asked_while_the_embedded_cloud_is_away() -> None:  # DISC-6
    passes: list[str] = []

    class Orphans:
        async def run_pass(self) -> Sequence[str]:
            raise ServiceUnavailable("network does not answer")

    class CountedPasses:
        async def run(self) -> PassReport:
            passes.append("pass")
            return PassReport()

    running = work(orphans=Orphans(), passes=CountedPasses()).run_pass()
    await asyncio.gather(running, return_exceptions=True)
    assert passes == ["pass"]


async def test_an_ipam_that_cannot_be_evaluated_does_not_keep_others_from_it() -> None:  # DISC-6
    ipams = [
        Ipam(Scopes(f"ipam-{n}", "private", "public", frozenset()), "1", "r", is_free_tier=False)
        for n in (1, 2)
    ]
    coverage = Coverage(ipams, frozenset({"ipam-1", "ipam-2"}), frozenset(), {})
    evaluated: list[str] = []

    class ControlPlane:
        async def coverage(self) -> Coverage:
            return coverage

    class Evaluator:
        async def evaluate(self, ipam: Ipam, seen: Any) -> Evaluated:
            if ipam.ipam_id == "ipam-1":
                # What a peer's unforeseen error arrives as.
                raise grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, Metadata(), Metadata())
            evaluated.append(ipam.ipam_id)
            return Evaluated()

    class Inventories:
        async def failing_places(self) -> int:
            return 0

    inventories: Any = Inventories()
    evaluator: Any = Evaluator()
    control_plane: Any = ControlPlane()
    passes = Passes(control_plane, [], inventories, evaluator, lambda: NOW, AWAY)
    await asyncio.gather(passes.refresh(frozenset(), None), return_exceptions=True)
    assert evaluated == ["ipam-2"]


async def test_what_a_deletion_freed_is_looked_at_only_with_what_is_there_now() -> None:  # BEY-1
    """Else a deleted VPC, still in the inventory, is judged unmanaged, and imported again."""
    agenda = Agenda()
    vpc = VpcCidr("vpc-1", Cidr.parse("10.0.0.0/16"), PLACE.account_id, PLACE.region)

    class Source:
        name = "network"

        async def changes(self, after: int) -> AsyncGenerator[Change, None]:
            yield Change(1, True, Association("assoc-1", "alloc-1", vpc), PLACE)

        def associations(self) -> AsyncIterator[list[Association]]:
            raise NotImplementedError

    class Ledger:
        async def release(self, ipam_pool_allocation_ids: Sequence[str]) -> Sequence[str]:
            # As its feed has it told, while the answer is on its way.
            agenda.evaluate_all()
            await asyncio.sleep(0)
            return ipam_pool_allocation_ids

        async def report_vpc_cidrs(self, seen: Any, gone: Any) -> None:
            await asyncio.sleep(0)

        def held_allocations(self, source: str) -> AsyncIterator[list[HeldAllocation]]:
            raise NotImplementedError

        def vpc_cidrs(self) -> AsyncIterator[list[VpcCidr]]:
            raise NotImplementedError

    class Store:
        async def progress(self, source: str) -> Progress:
            return Progress()

        async def save_sequence(self, source: str, sequence: int) -> None: ...

        async def save_pass_time(self, source: str, time: datetime) -> None: ...

    errand = asyncio.create_task(agenda.next())
    await Discovery(Source(), Ledger(), Store(), lambda: NOW, agenda.look_at).follow()
    assert PLACE in (await errand).places


async def test_distant_sources_are_asked_by_passes_alone() -> None:  # DISC-6
    asked: list[tuple[str, AccountRegion]] = []

    class Source:
        attempts_at_once = 1

        def __init__(self, name: str, *, is_near: bool) -> None:
            self.name, self.is_asked_between_passes = name, is_near

        def serves(self, wanted: Collection[AccountRegion]) -> Collection[AccountRegion]:
            return wanted

        async def snapshot(self, place: AccountRegion) -> Snapshot:
            asked.append((self.name, place))
            raise SnapshotFailed(FailureCode.OTHER, "nothing to tell")

    coverage = Coverage([], frozenset(), frozenset({PLACE}), {})

    async def done(*_given: Any) -> Any:
        return coverage

    nothing: Any = SimpleNamespace(
        **dict.fromkeys(
            (
                "coverage",
                "note_failure",
                "failing_places",
                "keep_only",
                "prune",
                "evaluate",
            ),
            done,
        )
    )
    sources = [Source("near", is_near=True), Source("far", is_near=False)]
    passes = Passes(nothing, sources, nothing, nothing, lambda: NOW)
    await passes.refresh(frozenset({PLACE}), None)
    assert asked == [("near", PLACE)]
    await passes.run()
    assert sorted(asked) == [("far", PLACE), ("near", PLACE), ("near", PLACE)]
