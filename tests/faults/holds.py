"""How holds end: settled by the allocation of exactly their CIDR, released, or expired (BEY-8)."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from shared.cidr import Cidr
from tests.faults.history import (
    Allocate,
    Call,
    Hold,
    Made,
    Refused,
    ReleaseHold,
    without_repeats,
)

Block: TypeAlias = tuple[str, Cidr]
"""A pool, and a CIDR of it."""


class Fate(StrEnum):
    """What became of a hold, as far as clients know."""

    SETTLED = "settled"
    RELEASED = "released"
    EXPIRED = "expired"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class _Hold:
    """One that was acknowledged, with the times of the call."""

    made: Made
    block: Block
    invoked: float
    answered: float


class Holds:
    """The acknowledged holds of a history, and the calls that ended them, or may have.

    Whoever allocates what is held settles it: all clients are of the account that holds it.
    """

    def __init__(self, calls: Sequence[Call]) -> None:
        self._by_id: dict[str, _Hold] = {}
        self._by_block: defaultdict[Block, list[_Hold]] = defaultdict(list)
        self._allocations: defaultdict[Block, list[Call]] = defaultdict(list)
        self._releases: defaultdict[str, list[Call]] = defaultdict(list)
        for call in without_repeats(calls):
            match call.wanted, call.outcome:
                case Hold(pool_id), Made() as made:
                    hold = _Hold(made, (pool_id, made.cidr), call.invoked, call.answered)
                    self._by_id[made.id] = hold
                    self._by_block[hold.block].append(hold)
                case Allocate(pool_id, _, Cidr() as cidr), _ if call.may_be_done:
                    self._allocations[pool_id, cidr].append(call)
                case ReleaseHold(_, hold_id), _ if call.may_be_done:
                    self._releases[hold_id].append(call)

    def may_be_over(self, hold_id: str, by: float) -> bool:
        """It had expired by then, or somebody had begun what may have ended it."""
        hold = self._by_id[hold_id]
        return hold.made.expires_at <= by or any(
            call.invoked <= by and call.done_by >= hold.invoked
            for call in (*self._releases[hold_id], *self._allocations[hold.block])
        )

    def is_over(self, hold_id: str) -> bool:
        """It was released, or its block allocated since: whether it had expired or not."""
        hold = self._by_id.get(hold_id)
        return hold is not None and (self._is_released(hold) or any(self._given_since(hold)))

    def denied_by(self, call: Call) -> Iterator[Made]:
        """The holds that a refusal takes for over although they can't be."""
        if isinstance(call.outcome, Refused):
            for hold in self._named_by(call):
                is_told = hold.answered < call.invoked
                if is_told and not self.may_be_over(hold.made.id, by=call.answered):
                    yield hold.made

    def fates(self, by: float) -> Counter[Fate]:
        """What had become of how many."""
        return Counter(self._fate(hold, by) for hold in self._by_id.values())

    def _named_by(self, call: Call) -> Sequence[_Hold]:
        match call.wanted:
            case ReleaseHold(_, hold_id):
                return [self._by_id[hold_id]]
            case Allocate(pool_id, _, Cidr() as cidr):
                return self._by_block[pool_id, cidr]
        return []

    def _is_released(self, hold: _Hold) -> bool:
        return any(call.is_acknowledged for call in self._releases[hold.made.id])

    def _given_since(self, hold: _Hold) -> Iterator[Call]:
        """The acknowledged allocations of its block that were asked for after it was told of."""
        for call in self._allocations[hold.block]:
            if call.is_acknowledged and call.invoked > hold.answered:
                yield call

    def _fate(self, hold: _Hold, by: float) -> Fate:
        if self._is_released(hold):
            return Fate.RELEASED
        if any(call.answered < hold.made.expires_at for call in self._given_since(hold)):
            return Fate.SETTLED
        return Fate.EXPIRED if hold.made.expires_at <= by else Fate.KEPT
