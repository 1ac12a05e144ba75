"""What became of a proof."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Proven:
    """The account controls what it claims."""

    warning: str | None = None
    """What is against advertising it all the same."""


@dataclass(frozen=True, slots=True)
class Refuted:
    """This proof never will show it; another one may."""

    reason: str
    """For the account, in one sentence without a full stop; as below."""


@dataclass(frozen=True, slots=True)
class Unproven:
    """This proof does not show it now, and may later: ask again."""

    reason: str


Verdict: TypeAlias = Proven | Refuted | Unproven
