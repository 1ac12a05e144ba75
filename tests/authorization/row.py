"""One line of the table: an RPC, a request, and what each caller is to be answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.rpc.method import is_reading
from tests.authorization.api import method_named
from tests.authorization.callers import ABROAD, ADMINISTRATOR, CALLERS, MEMBER, OUTSIDER, OWNER
from tests.authorization.things import Things

ALLOWED = "allowed"
"""It is done; with dry_run, it would be."""
HIDDEN = "hidden"
"""Answered, to the byte, as for ids that nobody has (BEY-12)."""
EMPTY = "shows nothing"
"""Answered, without any of it."""
# Every other outcome is the error code of a refusal.

Outcomes = Mapping[str, str]
Members = Callable[[Things], dict[str, Any]]


def outcomes(others: str, but: Outcomes) -> Outcomes:
    """By caller; ``others`` for those that ``but`` says nothing of."""
    return {caller: but.get(caller, others) for caller in CALLERS}


ITS_ALONE = outcomes(HIDDEN, {ADMINISTRATOR: ALLOWED})
SHOWN_TO_IT_ALONE = outcomes(EMPTY, {ADMINISTRATOR: ALLOWED})
EVERYBODYS = outcomes(ALLOWED, {})


@dataclass(frozen=True)
class Row:
    """``expected`` is of requests about the delegated administrator's things."""

    service: str
    rpc: str
    expected: Outcomes
    members: Members = lambda _: {}
    note: str = ""
    shows: Callable[[Things], str] | None = None
    """What stands in an answer that shows them; without, every answer does."""
    region: str = ""
    """Where it is asked, if not each caller where it is."""
    is_about_owners: bool = False
    """It is asked about the owner's things as well, which are not shared."""
    is_abroad_too: bool = True
    """What is asked depends on the region."""
    are_shown_all: frozenset[str] = frozenset()
    """Callers with whom it is shared to see all that the administrator sees."""
    is_steady: bool = True
    """What it tells changes only with what somebody does."""

    @property
    def path(self) -> str:
        return f"{self.service}/{self.rpc}"

    @property
    def name(self) -> str:
        return f"{self.path.removeprefix('control.').replace('.v1', '')} {self.note}".strip()

    @property
    def is_reading(self) -> bool:
        return is_reading(self.rpc)

    @property
    def has_dry_run(self) -> bool:
        request = method_named(f"cadastre.{self.service}", self.rpc).input_type
        return "dry_run" in request.fields_by_name

    def knowing(self, callers: frozenset[str]) -> frozenset[str]:
        """Who may be told what ``callers`` may know."""
        return callers | self.are_shown_all if ADMINISTRATOR in callers else callers

    def expected_about(self, whose: str) -> Outcomes:
        """By caller, in the order in which they ask: who changes something comes last."""
        if whose == OWNER:
            strangers = dict.fromkeys((OUTSIDER, MEMBER, ADMINISTRATOR), self.expected[OUTSIDER])
            return strangers | {OWNER: self.expected[ADMINISTRATOR]}
        is_asked_abroad = self.is_abroad_too and not self.region
        return {
            caller: self.expected[caller]
            for caller in CALLERS
            if is_asked_abroad or caller != ABROAD
        }

    @property
    def whose(self) -> tuple[str, ...]:
        """Those about whose things it is asked."""
        return (ADMINISTRATOR, OWNER) if self.is_about_owners else (ADMINISTRATOR,)
