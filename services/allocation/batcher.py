"""Group commit: what waits is carried out together, in batches that don't share a key.

`Line` says who is next and knows nothing of time; `Batcher` lets committers work it off.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Generic, Protocol, TypeVar

from services.allocation.gathering import Gathering, Linger
from shared.errors import Unavailable


class Keyed(Protocol):
    @property
    def keys(self) -> frozenset[str]:
        """What it needs to itself while it is carried out."""

    @property
    def weight(self) -> int:
        """How much of a batch it fills."""


Item = TypeVar("Item", bound=Keyed)

# Stands for itself, and is never busy.
_NO_KEYS = frozenset({""})


class Line(Generic[Item]):
    """First come, first served among those that share a key; the rest pass each other freely."""

    def __init__(self, *, mixes: bool, longest_batch: int) -> None:
        """``mixes``: any two may go in one batch; otherwise only those with keys of the first.

        What is heavier than ``longest_batch`` goes alone.
        """
        self._mixes, self._longest_batch = mixes, longest_batch
        self._waiting: deque[Item] = deque()
        self._waiting_by_key: defaultdict[str, int] = defaultdict(int)
        self._busy: set[str] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, item: Item) -> bool:
        """Whether it may be able to go; if not, it is because of a batch to be `finished`."""
        self._waiting.append(item)
        for key in item.keys or _NO_KEYS:
            self._waiting_by_key[key] += 1
        return self._busy.isdisjoint(item.keys)

    def waiting_after(self, batch: Iterable[Item]) -> int:
        """How many can go with what comes next in a batch like this."""
        if self._mixes:
            return len(self._waiting)
        keys = {key for item in batch for key in item.keys}
        return max((self._waiting_by_key.get(key, 0) for key in keys), default=0)

    def take(self) -> list[Item]:
        """The next batch; its keys are busy until it is `finished`. Empty: nobody can go."""
        if self._waiting_by_key.keys() <= self._busy:
            # Told without a look at each, for on PostgreSQL a hot pool's are asked for often.
            return []
        batch: list[Item] = []
        keys: set[str] = set()
        passed_over = set(self._busy)
        left: deque[Item] = deque()
        room = self._longest_batch
        while self._waiting and room > 0:
            item = self._waiting.popleft()
            joins = not batch or ((self._mixes or item.keys <= keys) and item.weight <= room)
            if joins and passed_over.isdisjoint(item.keys):
                batch.append(item)
                keys |= item.keys
                room -= item.weight
            else:
                left.append(item)
                # Whoever needs one of these keys comes after it, so that nobody waits for ever.
                passed_over |= item.keys
        self._waiting.extendleft(reversed(left))
        for item in batch:
            for key in item.keys or _NO_KEYS:
                self._one_less(key)
        self._busy |= keys
        return batch

    def _one_less(self, key: str) -> None:
        self._waiting_by_key[key] -= 1
        if not self._waiting_by_key[key]:
            del self._waiting_by_key[key]

    def finished(self, batch: Iterable[Item]) -> None:
        """The batch's keys can be used by others."""
        for item in batch:
            self._busy -= item.keys


Work = TypeVar("Work", bound=Keyed)
Commit = Callable[[Sequence[Work]], Awaitable[Sequence[object]]]
"""Carries out a batch: for each item its answer, or the refusal to raise. All of it, or nothing."""


class _Waiter(Generic[Work]):
    """An item and where its answer is awaited."""

    def __init__(self, work: Work) -> None:
        self.work, self.keys, self.weight = work, work.keys, work.weight
        self.answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    def tell(self, outcome: object) -> None:
        # Whoever waited may have gone.
        if self.answer.done():
            return
        if isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class Batcher(Generic[Work]):
    """Carries out what is submitted, one batch per committer at a time."""

    def __init__(
        self,
        commit: Commit[Work],
        *,
        committers: int,
        mixes: bool,
        longest_batch: int,
        linger: Linger,
    ) -> None:
        self._commit, self._committers, self._linger_for = commit, committers, linger
        self._line: Line[_Waiter[Work]] = Line(mixes=mixes, longest_batch=longest_batch)
        self._changed = asyncio.Event()
        self._gatherings: set[Gathering] = set()

    @property
    def waiting(self) -> int:
        """How many are in line."""
        return len(self._line)

    async def submit(self, work: Work) -> object:
        """The answer, once the batch it went in is committed.

        When the wait is cancelled before that batch is begun, nothing is done.

        Raises:
            Exception: the refusal, or why the batch could not be committed.
        """
        waiter = _Waiter(work)
        if self._line.add(waiter):
            self._changed.set()
        for gathering in self._gatherings:
            gathering.look()
        return await waiter.answer

    async def run(self) -> None:
        """Work the line off; never ends by itself."""
        async with asyncio.TaskGroup() as committers:
            for _ in range(self._committers):
                committers.create_task(self._work_off())

    async def _work_off(self) -> None:
        while True:
            while not (batch := self._line.take()):
                self._changed.clear()
                await self._changed.wait()
            began = asyncio.get_running_loop().time()
            if waiters := [waiter for waiter in batch if not waiter.answer.done()]:
                await self._carry_out(waiters)
            # Its keys stay busy, or another committer would take what is to gather.
            await self._linger(batch, began)
            self._line.finished(batch)
            self._changed.set()

    async def _linger(self, batch: Sequence[_Waiter[Work]], began: float) -> None:
        """After a batch that was worth it, let a fuller one gather."""
        linger = self._linger_for
        if len(batch) < linger.after_batches_of:
            return
        gathering = Gathering(
            partial(self._line.waiting_after, batch),
            wanted=min(len(batch), linger.enough),
            end=began + linger.pace_seconds,
        )
        self._gatherings.add(gathering)
        try:
            await gathering.over()
        finally:
            self._gatherings.discard(gathering)

    async def _carry_out(self, waiters: Sequence[_Waiter[Work]]) -> None:
        try:
            outcomes = await self._commit([waiter.work for waiter in waiters])
        except Unavailable as error:
            outcomes = [error] * len(waiters)
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the answer
            if len(waiters) > 1:
                # One of them can't be committed; the others are not to suffer for it.
                for waiter in waiters:
                    await self._carry_out([waiter])
                return
            outcomes = [error]
        for waiter, outcome in zip(waiters, outcomes, strict=True):
            waiter.tell(outcome)
