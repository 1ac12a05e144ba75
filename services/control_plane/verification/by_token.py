"""Proof of control of a range by TXT records in its reverse zones (BYOIP-2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from services.control_plane.errors import listed
from services.control_plane.verification.verdict import Proven, Unproven

_LONGEST_SHOWN = 32


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """A name could not be looked up."""

    why: str


TxtAnswer: TypeAlias = Sequence[str] | NoAnswer
"""The values of a name's TXT records, none when it has no such record."""


def token_verdict(token_value: str, answers: Mapping[str, TxtAnswer]) -> Proven | Unproven:
    """Proven when every name that has to tells the value, beside whatever else it tells.

    Otherwise the reason names the records that are missing or wrong, the first ten of each; in all
    it has less than 2,048 characters. The value itself is not for all who are told the reason.
    """
    failures = {
        name: answer.why for name, answer in answers.items() if isinstance(answer, NoAnswer)
    }
    told = {name: answer for name, answer in answers.items() if not isinstance(answer, NoAnswer)}
    missing = [name for name, values in told.items() if not values]
    wrong = {name: v[0] for name, v in told.items() if v and token_value not in v}
    faults = []
    if missing:
        faults.append(f"TXT records missing: {listed(missing)}")
    if wrong:
        found = _shown(next(iter(wrong.values())))
        names = listed(list(wrong))
        faults.append(f"TXT records without the token's value: {names} (the first has {found})")
    if failures:
        why = next(iter(failures.values()))
        faults.append(f"TXT records that could not be looked up: {listed(list(failures))} ({why})")
    return Unproven("; ".join(faults)) if faults else Proven()


def _shown(value: str) -> str:
    """A value as somebody else wrote it, safe to be printed."""
    return ascii(value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}...")
