"""What is sent twice, by a second click or after a cut connection, is done once.

AWS's client tokens see to it where operations have them, whichever gateway is asked; this sees to
the others, in this process.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime, timedelta

_KEPT = timedelta(minutes=10)
_MOST = 10_000


class Repeats:
    """Outcomes by what was sent. What was refused is forgotten: it may be sent again."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._outcomes: OrderedDict[Hashable, tuple[datetime, asyncio.Future[str]]] = OrderedDict()

    async def once(self, key: Hashable, make: Callable[[], Awaitable[str]]) -> str:
        """What ``make`` made for ``key`` a while ago, or makes now. Raises what it does."""
        self._forget()
        known = self._outcomes.get(key)
        if known is None:
            known = (self._clock(), asyncio.ensure_future(make()))
            self._outcomes[key] = known
        outcome = known[1]
        try:
            # Whoever goes away doesn't take the others' answer along.
            return await asyncio.shield(outcome)
        finally:
            if outcome.done() and (outcome.cancelled() or outcome.exception()):
                self._outcomes.pop(key, None)

    def has(self, key: Hashable) -> bool:
        """Whether ``key`` was made a while ago, or is being made."""
        self._forget()
        return key in self._outcomes

    def _forget(self) -> None:
        oldest = self._clock() - _KEPT
        while self._outcomes:
            key, (since, outcome) = next(iter(self._outcomes.items()))
            if not outcome.done() or (since >= oldest and len(self._outcomes) < _MOST):
                return
            del self._outcomes[key]
