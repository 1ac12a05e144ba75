"""The steps of bringing an address plan into a pool: plan, reserve, verify, open (BEY-13)."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Protocol

from services.local.brownfield.plan_file import Entry, Line
from services.local.brownfield.planning import (
    Allocation,
    Finding,
    PoolView,
    Verdict,
    extras,
    judged,
)
from shared.cidr import Cidr

MOST_ATTEMPTS = 10


class NotReserved(Exception):
    """The ledger takes what is asked for as a repetition of what was released since."""

    def __init__(self, count: int) -> None:
        super().__init__(
            f"{count} blocks were reserved and released {MOST_ATTEMPTS} times within a day; repeat"
            " it when that is over"
        )


class Pool(Protocol):
    """A pool in the ledger; ``ledger`` has it."""

    async def view(self) -> PoolView: ...

    async def refusals(self, entries: Sequence[Entry]) -> Sequence[tuple[Entry, str]]: ...

    async def reserve(self, entries: Sequence[Entry], *, attempt: int) -> None: ...

    async def release(self, allocations: Sequence[Allocation]) -> None: ...


async def plan(pool: Pool, lines: Sequence[Line], *, containers: bool) -> list[Finding]:
    """What `reserve` would find and do; it changes nothing."""
    findings = judged(lines, await pool.view(), containers=containers)
    refused = dict(await pool.refusals(_missing(findings)))
    if refused:
        # Somebody may have been faster, even with the same plan.
        findings = judged(lines, await pool.view(), containers=containers)
    return [
        replace(found, verdict=Verdict.CONFLICT, message=refused[found.entry])
        if found.verdict is Verdict.MISSING and found.entry in refused
        else found
        for found in findings
    ]


async def reserve(pool: Pool, lines: Sequence[Line], *, containers: bool) -> list[Finding]:
    """Reserve what is missing, unless the plan has a conflict: then nothing is changed.

    Repeated, it reserves what is missing still; the findings are those of the pool as it then is.

    Raises:
        CadastreError: the pool changed meanwhile; what was reserved until then stays.
        NotReserved: it was reserved and released ten times within a day.
    """
    findings = await plan(pool, lines, containers=containers)
    if any(found.verdict is Verdict.CONFLICT for found in findings):
        return findings
    attempt = 0
    while missing := _missing(findings):
        # What was reserved by an attempt and released since is answered, and not reserved again.
        attempt += 1
        if attempt > MOST_ATTEMPTS:
            raise NotReserved(len(missing))
        await pool.reserve(missing, attempt=attempt)
        findings = judged(lines, await pool.view(), containers=containers)
    return findings


async def verify(pool: Pool, lines: Sequence[Line], *, containers: bool) -> list[Finding]:
    """How the pool stands to the plan, and what is reserved in it besides."""
    view = await pool.view()
    findings = judged(lines, view, containers=containers)
    return [*findings, *extras(findings, view)]


async def open_up(
    pool: Pool, lines: Sequence[Line], named: Collection[Cidr] | None, *, containers: bool
) -> list[Finding]:
    """Release what is reserved of the plan in the ``named`` blocks, so that resources can have it.

    All of the plan when None is named. The findings are on these lines alone, as they were before.
    Where one is held otherwise than the plan has it, or a named block has nothing of the plan, that
    is a conflict, and nothing is released.

    Raises:
        CadastreError: the pool changed meanwhile; what was released until then stays so.
    """
    findings = [
        replace(found, verdict=Verdict.CONFLICT) if found.verdict is Verdict.DIFFERS else found
        for found in judged(lines, await pool.view(), containers=containers)
        if found.entry and (named is None or _is_in(found.entry, named))
    ]
    findings += [
        Finding(0, str(cidr), Verdict.CONFLICT, "nothing that the file has reserved lies in it")
        for cidr in sorted(named or ())
        if not any(found.entry and cidr.contains(found.entry.cidr) for found in findings)
    ]
    if not any(found.verdict is Verdict.CONFLICT for found in findings):
        held = [found.allocation for found in findings if found.verdict is Verdict.HELD]
        await pool.release([allocation for allocation in held if allocation])
    return findings


def _missing(findings: Sequence[Finding]) -> list[Entry]:
    return [f.entry for f in findings if f.entry and f.verdict is Verdict.MISSING]


def _is_in(entry: Entry, named: Collection[Cidr]) -> bool:
    return any(cidr.contains(entry.cidr) for cidr in named)
