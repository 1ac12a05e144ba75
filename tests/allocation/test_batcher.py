import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from services.allocation.batcher import Batcher, Line
from services.allocation.gathering import Linger
from shared.errors import ServiceUnavailable
from shared.rpc.server import background
from tests.waiting import PATIENCE_SECONDS


@dataclass(frozen=True)
class Job:
    name: str
    keys: frozenset[str]
    weight: int = 1


def job(name: str) -> Job:
    """``a1`` needs a, ``ab1`` needs a and b."""
    return Job(name, frozenset(name[:-1]))


def line_of(*names: str, mixes: bool = False, longest_batch: int = 100) -> Line[Job]:
    line: Line[Job] = Line(mixes=mixes, longest_batch=longest_batch)
    for name in names:
        line.add(job(name))
    return line


def names(batch: Sequence[Job]) -> list[str]:
    return [found.name for found in batch]


@pytest.mark.parametrize(
    ("waiting", "batches"),
    [
        pytest.param(["a1", "a2", "a3"], [["a1", "a2", "a3"]], id="one pool is one batch"),
        pytest.param(
            ["a1", "b1", "a2", "b2"], [["a1", "a2"], ["b1", "b2"]], id="others go beside it"
        ),
        pytest.param(["ab1", "a1", "b1"], [["ab1", "a1", "b1"]], id="with keys of the first"),
        pytest.param(["a1", "ab1", "a2", "b1", "c1"], [["a1"], ["c1"]], id="nobody is overtaken"),
        pytest.param(["a1", "bc1", "c1", "d1"], [["a1"], ["bc1", "c1"], ["d1"]], id="three"),
    ],
)
def test_who_can_go_together_goes_together(
    waiting: list[str], batches: list[list[str]]
) -> None:  # BEY-7
    line = line_of(*waiting)
    taken = []
    while batch := line.take():
        taken.append(names(batch))
    assert taken == batches


def test_who_waits_for_a_key_goes_when_it_is_free() -> None:
    line = line_of("a1", "ab1", "a2", "b1")
    first = line.take()
    line.add(job("a3"))
    assert (names(first), line.take()) == (["a1"], [])
    line.finished(first)
    assert names(line.take()) == ["ab1", "a2", "b1", "a3"]
    assert len(line) == 0


def test_a_line_that_mixes_takes_everyone_up_to_a_length() -> None:
    line = line_of("a1", "b1", "ab1", "c1", mixes=True, longest_batch=3)
    batch = line.take()
    assert names(batch) == ["a1", "b1", "ab1"]
    line.finished(batch)
    assert names(line.take()) == ["c1"]


def test_a_batch_has_room_for_so_much_and_what_is_heavier_goes_alone() -> None:
    line: Line[Job] = Line(mixes=True, longest_batch=10)
    weights = {"a1": 4, "b1": 6, "c1": 1, "d1": 12, "e1": 1, "f1": 12}
    for name, weight in weights.items():
        line.add(Job(name, job(name).keys, weight))
    taken = []
    while batch := line.take():
        taken.append(names(batch))
        line.finished(batch)
    assert taken == [["a1", "b1"], ["c1", "e1"], ["d1"], ["f1"]]


class Commits:
    """Commits a batch when let to; notes the batches."""

    def __init__(self, *, poison: str = "", error: Exception | None = None) -> None:
        self.batches: list[list[str]] = []
        self.gate = asyncio.Event()
        self._poison, self._error = poison, error

    async def __call__(self, batch: Sequence[Job]) -> Sequence[object]:
        self.batches.append(names(batch))
        await self.gate.wait()
        if self._error and any(found.name == self._poison for found in batch):
            raise self._error
        return [
            ValueError(found.name) if found.name.endswith("9") else found.name for found in batch
        ]


# So long that a test that waits for the end of it runs into its own time limit.
FOR_EVER = 1000.0
PATIENT = Linger(after_batches_of=4, enough=4, pace_seconds=FOR_EVER)


def batcher_of(commits: Commits, committers: int = 1, linger: Linger = PATIENT) -> Batcher[Job]:
    return Batcher(
        commits, committers=committers, mixes=committers == 1, longest_batch=100, linger=linger
    )


def test_what_needs_nothing_waits_for_nobody() -> None:
    line = line_of("a1", "a2", longest_batch=1)
    first = line.take()
    assert [found.name for found in first] == ["a1"]
    assert not line.add(job("a3"))
    assert line.take() == []
    free = Job("free", frozenset())
    assert line.add(free)
    assert line.take() == [free]
    line.finished(first)
    assert [found.name for found in line.take()] == ["a2"]


def test_a_line_tells_how_many_can_go_with_a_batch() -> None:
    line = line_of("a1", "b1", "a2", "ab1")
    batch = line.take()
    assert [found.name for found in batch] == ["a1", "a2"]
    assert line.waiting_after(batch) == 1
    mixing = line_of("a1", "b1", "a2", mixes=True, longest_batch=1)
    assert mixing.waiting_after(mixing.take()) == 2


async def test_what_comes_during_a_commit_is_the_next_batch() -> None:
    commits = Commits()
    batcher = batcher_of(commits)
    async with background(batcher.run()):
        submitted = [asyncio.create_task(batcher.submit(job("a1")))]
        await until(lambda: len(commits.batches) == 1)
        submitted += [asyncio.create_task(batcher.submit(job(n))) for n in ("b1", "a9", "b2")]
        await asyncio.sleep(0)
        commits.gate.set()
        answers = await asyncio.gather(*submitted, return_exceptions=True)
    assert commits.batches == [["a1"], ["b1", "a9", "b2"]]
    assert [str(answer) for answer in answers] == ["a1", "b1", "a9", "b2"]
    assert isinstance(answers[2], ValueError)


async def test_unrelated_batches_are_committed_at_once() -> None:  # BEY-7
    commits = Commits()
    batcher = batcher_of(commits, committers=2)
    async with background(batcher.run()):
        submitted = [asyncio.create_task(batcher.submit(job(n))) for n in ("a1", "b1", "a2", "c1")]
        await until(lambda: len(commits.batches) == 2)
        commits.gate.set()
        await asyncio.gather(*submitted)
    assert commits.batches == [["a1", "a2"], ["b1"], ["c1"]]


async def test_one_that_cannot_be_committed_fails_alone() -> None:
    commits = Commits(poison="b1", error=RuntimeError("broken"))
    commits.gate.set()
    batcher = batcher_of(commits)
    async with background(batcher.run()):
        answers = await asyncio.gather(
            *(batcher.submit(job(name)) for name in ("a1", "b1", "c1")), return_exceptions=True
        )
    assert [str(answer) for answer in answers] == ["a1", "broken", "c1"]


async def test_a_database_that_is_away_is_not_asked_for_each() -> None:
    commits = Commits(poison="b1", error=ServiceUnavailable("away"))
    commits.gate.set()
    batcher = batcher_of(commits)
    async with background(batcher.run()):
        answers = await asyncio.gather(
            *(batcher.submit(job(name)) for name in ("a1", "b1")), return_exceptions=True
        )
    assert [str(answer) for answer in answers] == ["away", "away"]
    assert len(commits.batches) == 1


async def test_nothing_is_done_for_who_has_gone() -> None:
    commits = Commits()
    batcher = batcher_of(commits)
    async with background(batcher.run()):
        first = asyncio.create_task(batcher.submit(job("a1")))
        await until(lambda: len(commits.batches) == 1)
        gone, also = (asyncio.create_task(batcher.submit(job(name))) for name in ("a2", "a3"))
        await asyncio.sleep(0)
        gone.cancel()
        first.cancel()
        await asyncio.gather(first, gone, return_exceptions=True)
        commits.gate.set()
        assert await also == "a3"
    assert commits.batches == [["a1"], ["a3"]]


async def test_after_a_long_batch_a_fuller_one_gathers() -> None:
    commits = Commits()
    linger = Linger(after_batches_of=3, enough=9, pace_seconds=FOR_EVER)
    batcher = batcher_of(commits, linger=linger)
    async with background(batcher.run()):
        first = [asyncio.create_task(batcher.submit(job(name))) for name in ("a1", "a2", "a3")]
        await until(lambda: len(commits.batches) == 1)
        during = [asyncio.create_task(batcher.submit(job(name))) for name in ("b1", "b2")]
        commits.gate.set()
        await asyncio.gather(*first)
        await asyncio.gather(*during, batcher.submit(job("b3")))
    assert commits.batches == [["a1", "a2", "a3"], ["b1", "b2", "b3"]]


async def test_no_other_committer_takes_what_is_to_gather() -> None:
    commits = Commits()
    linger = Linger(after_batches_of=2, enough=9, pace_seconds=FOR_EVER)
    batcher = batcher_of(commits, committers=2, linger=linger)
    async with background(batcher.run()):
        first = [asyncio.create_task(batcher.submit(job(name))) for name in ("a1", "a2")]
        await until(lambda: len(commits.batches) == 1)
        commits.gate.set()
        await asyncio.gather(*first)
        then = [asyncio.create_task(batcher.submit(job(name))) for name in ("a3", "b1")]
        await until(lambda: len(commits.batches) == 2)
        await asyncio.gather(*then[1:], batcher.submit(job("a4")), *then[:1])
    assert commits.batches == [["a1", "a2"], ["b1"], ["a3", "a4"]]


@pytest.mark.parametrize(
    ("first", "linger"),
    [
        (["a1"], Linger(after_batches_of=2, enough=9, pace_seconds=FOR_EVER)),
        (["a1", "a2"], Linger(after_batches_of=2, enough=9, pace_seconds=0)),
        (["a1", "a2"], Linger(after_batches_of=2, enough=1, pace_seconds=FOR_EVER)),
    ],
    ids=["among few", "its time is up", "enough wait"],
)
async def test_a_request_goes_when_waiting_gains_nothing(first: list[str], linger: Linger) -> None:
    commits = Commits()
    commits.gate.set()
    batcher = batcher_of(commits, linger=linger)
    async with background(batcher.run()):
        await asyncio.gather(*(batcher.submit(job(name)) for name in first))
        assert await batcher.submit(job("b1")) == "b1"
    assert commits.batches == [first, ["b1"]]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - it is about what others have got to
            await asyncio.sleep(0)
