"""What clients asked of the ledger and when, what came back and when, and what was there at last.

All times are of one clock, in seconds.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from shared.cidr import Cidr

NEVER = math.inf
"""When an answer came that did not come."""


@dataclass(frozen=True, slots=True)
class Allocate:
    """Any block of a length, or with ``cidr`` this one. The token is the description, too."""

    pool_id: str
    token: str
    cidr: Cidr | None = None


@dataclass(frozen=True, slots=True)
class Release:
    pool_id: str
    allocation_id: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Any block of a length, or with ``cidr`` this one, kept for whoever allocates exactly it."""

    pool_id: str
    token: str
    ttl_seconds: int
    cidr: Cidr | None = None


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    pool_id: str
    hold_id: str


@dataclass(frozen=True, slots=True)
class Provision:
    """A block of the source pool for a child pool."""

    pool_id: str
    source_id: str
    token: str


@dataclass(frozen=True, slots=True)
class Deprovision:
    pool_id: str
    source_id: str
    cidr: Cidr


@dataclass(frozen=True, slots=True)
class Read:
    """All allocations of a pool."""

    pool_id: str


@dataclass(frozen=True, slots=True)
class ReadHolds:
    """All holds of a pool that have not expired."""

    pool_id: str


Wanted: TypeAlias = (
    Allocate | Release | Hold | ReleaseHold | Provision | Deprovision | Read | ReadHolds
)


@dataclass(frozen=True, slots=True)
class Made:
    """An allocation, a pool's CIDR or a hold, by id; only a hold expires."""

    id: str
    cidr: Cidr
    expires_at: float = NEVER

    def __str__(self) -> str:
        until = f", until {self.expires_at:.6f}" if self.expires_at < NEVER else ""
        return f"{self.id} ({self.cidr}{until})"


@dataclass(frozen=True, slots=True)
class Done:
    """It was carried out, by this attempt or an earlier one."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Who held which block."""

    holders: dict[Cidr, str]


@dataclass(frozen=True, slots=True)
class Refused:
    """A definite no. ``reason`` is AWS's error code."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Carried out or not, or still to be."""


@dataclass(frozen=True, slots=True)
class Unforeseen:
    """An answer that no client can act on; whether it was carried out is unknown, too."""

    message: str


UNKNOWN_HOLD = Refused("InvalidIpamPoolHoldId.NotFound")
"""It was never there, or is over: settled, released or expired."""

Outcome: TypeAlias = Made | Done | Seen | Refused | Unknown | Unforeseen


@dataclass(frozen=True, slots=True)
class Call:
    """A request with all its attempts, from the first one's beginning to the last one's answer.

    After the first attempt none is made unless the outcome of those before is unknown.
    """

    wanted: Wanted
    outcome: Outcome
    invoked: float
    answered: float
    attempts: int = 1

    @property
    def may_come_true(self) -> bool:
        """It was not acknowledged, and may have been carried out all the same, or yet be."""
        if isinstance(self.outcome, Refused):
            return self.attempts > 1
        return isinstance(self.outcome, Unknown | Unforeseen)

    @property
    def is_acknowledged(self) -> bool:
        """The client was told that it was carried out."""
        return isinstance(self.outcome, Made | Done)

    @property
    def may_be_done(self) -> bool:
        """It was carried out, or may have been."""
        return self.is_acknowledged or self.may_come_true

    @property
    def done_by(self) -> float:
        """When it had been carried out, if it ever was."""
        return self.answered if self.is_acknowledged else NEVER


def without_repeats(calls: Iterable[Call]) -> Iterator[Call]:
    """In order of their answers; of those with one token only the first that tells what was made.

    The others took nothing, and the first answer is the strictest.
    """
    told: set[str] = set()
    for call in sorted(calls, key=lambda call: call.answered):
        if isinstance(call.outcome, Made):
            if call.outcome.id in told:
                continue
            told.add(call.outcome.id)
        yield call


@dataclass(frozen=True, slots=True)
class FoundPool:
    """What the database says of a pool; the counts are the ledger's own."""

    pool_id: str
    source_id: str | None
    scope: int
    cidr_count: int
    allocation_count: int
    total_addresses: int
    held_addresses: int


@dataclass(frozen=True, slots=True)
class FoundCidr:
    """A provisioned CIDR of a pool."""

    id: str
    pool_id: str
    cidr: Cidr
    parent_allocation_id: str | None

    @property
    def made(self) -> Made:
        """As clients are told of it."""
        return Made(self.id, self.cidr)

    def __str__(self) -> str:
        return f"{self.id} ({self.cidr} of {self.pool_id})"


@dataclass(frozen=True, slots=True)
class FoundAllocation:
    """A row that takes a block: an allocation, or a hold, which has a time when it expires.

    ``child_pool_id`` is whose CIDR it is; the rest were made by hand with a token.
    """

    id: str
    pool_id: str
    cidr: Cidr
    token: str | None = None
    child_pool_id: str | None = None
    expires_at: float = NEVER

    @property
    def is_hold(self) -> bool:
        """It is nobody's allocation, and no figure counts it."""
        return self.expires_at < NEVER

    @property
    def made(self) -> Made:
        """As clients are told of it."""
        return Made(self.id, self.cidr, self.expires_at)

    @property
    def holder(self) -> str:
        """By whose name it is known to all clients."""
        return self.child_pool_id or self.id

    def __str__(self) -> str:
        whose = f"CIDR of {self.child_pool_id}" if self.child_pool_id else f"token {self.token}"
        whose = f"hold, {whose}" if self.is_hold else whose
        return f"{self.id} ({self.cidr} of {self.pool_id}, {whose})"


@dataclass(frozen=True, slots=True)
class FoundAnswer:
    """What the ledger keeps to answer a repeated request for a hold, be it long over."""

    token: str
    pool_id: str
    made: Made


@dataclass(frozen=True, slots=True)
class Found:
    """The database, after all clients were done and nobody was left who could change it.

    ``hold_answers`` tell of all holds that there were: one that nobody was told of may have been in
    the way for a time, and be gone.
    """

    pools: tuple[FoundPool, ...]
    cidrs: tuple[FoundCidr, ...]
    allocations: tuple[FoundAllocation, ...]
    hold_answers: tuple[FoundAnswer, ...]
    at: float


class Breach(StrEnum):
    """How a promise can be broken."""

    LOST = "lost"
    """Acknowledged and not there, or not as it was acknowledged."""
    DOUBLED = "doubled"
    """Two answers to one token."""
    OVERLAPPING = "overlapping"
    """Two hold one address."""
    BACK = "back"
    """Given back or settled, acknowledged, and there."""
    UNASKED = "unasked"
    """Nobody's request explains it."""
    DISAGREEING = "disagreeing"
    """Parent and child, or a pool and its own counters."""
    AUDITED = "audited"
    """What the ledger's own check finds (BEY-10)."""
    UNFORESEEN = "unforeseen"
    """An answer that tells the client nothing."""
    STALE = "stale"
    """Something was read, or refused, that no order of the calls explains (BEY-2)."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken."""

    kind: Breach
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"
