"""What clients asked of the ledger and when, what came back and when, and what was there at last.

All times are of one clock, in seconds.
"""

import math
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


Wanted: TypeAlias = Allocate | Release | Provision | Deprovision | Read


@dataclass(frozen=True, slots=True)
class Made:
    """An allocation or a pool's CIDR, by id."""

    id: str
    cidr: Cidr

    def __str__(self) -> str:
        return f"{self.id} ({self.cidr})"


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

    def __str__(self) -> str:
        return f"{self.id} ({self.cidr} of {self.pool_id})"


@dataclass(frozen=True, slots=True)
class FoundAllocation:
    """``child_pool_id`` is whose CIDR it is; the rest were made by hand with a token."""

    id: str
    pool_id: str
    cidr: Cidr
    token: str | None = None
    child_pool_id: str | None = None

    @property
    def holder(self) -> str:
        """By whose name it is known to all clients."""
        return self.child_pool_id or self.id

    def __str__(self) -> str:
        whose = f"CIDR of {self.child_pool_id}" if self.child_pool_id else f"token {self.token}"
        return f"{self.id} ({self.cidr} of {self.pool_id}, {whose})"


@dataclass(frozen=True, slots=True)
class Found:
    """The database, after all clients were done and nobody was left who could change it."""

    pools: tuple[FoundPool, ...]
    cidrs: tuple[FoundCidr, ...]
    allocations: tuple[FoundAllocation, ...]
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
    """Given back, acknowledged, and there."""
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
