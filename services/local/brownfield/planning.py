"""Which blocks of an address plan are to be reserved, and how a pool stands to them (BEY-13)."""

import enum
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from services.local.brownfield.plan_file import Entry, Line, Unusable
from shared.cidr import Cidr

CUSTOM, IPAM_POOL = "custom", "ipam-pool"


class Verdict(enum.StrEnum):
    """What is to be said of a line, or of an allocation that no line names."""

    MISSING = "missing"
    """It can be reserved, and is not."""
    HELD = "held"
    """It is reserved as the line says."""
    DIFFERS = "differs"
    """It is reserved with another description."""
    TAKEN = "taken"
    """It is a resource's, whole: there is nothing left to reserve."""
    CONFLICT = "conflict"
    SKIPPED = "skipped"
    EXTRA = "extra"
    """It is reserved, and no line names it."""


DIFFERENCES = {Verdict.MISSING, Verdict.DIFFERS, Verdict.CONFLICT, Verdict.EXTRA}


@dataclass(frozen=True, slots=True)
class Allocation:
    """A block of a pool that somebody has."""

    cidr: Cidr
    ipam_pool_allocation_id: str
    resource_type: str
    """In AWS's word."""
    resource_id: str = ""
    description: str = ""

    def __str__(self) -> str:
        whose = f" of {self.resource_type} {self.resource_id}".rstrip()
        return f"{self.cidr} ('{self.ipam_pool_allocation_id}'{whose})"


class PoolView:
    """A pool at one moment."""

    def __init__(self, cidrs: Iterable[Cidr], allocations: Iterable[Allocation]) -> None:
        """Neither CIDRs nor allocations overlap one another."""
        self.cidrs = sorted(cidrs)
        self.allocations = sorted(allocations, key=lambda allocation: allocation.cidr)
        self._allocated = [allocation.cidr for allocation in self.allocations]

    def holds(self, cidr: Cidr) -> bool:
        """The whole of it is in one of the pool's CIDRs."""
        return any(self.cidrs[n].contains(cidr) for n in _overlapping(self.cidrs, cidr))

    def allocations_in(self, cidr: Cidr) -> list[Allocation]:
        """Those that share addresses with it; the first two at most."""
        return [self.allocations[n] for n in _overlapping(self._allocated, cidr)]


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict on a line; ``line`` is 0 where no line names the block."""

    line: int
    text: str
    verdict: Verdict
    message: str = ""
    entry: Entry | None = None
    allocation: Allocation | None = None
    """What has the block, and nothing else."""


def judged(lines: Sequence[Line], pool: PoolView, *, containers: bool) -> list[Finding]:
    """A finding on each line, in their order.

    Of blocks in one another the innermost are to be reserved and the rest is skipped; with
    ``containers`` it is the outermost.
    """
    entries = [line for line in lines if isinstance(line, Entry)]
    nesting = _Nesting(entries)
    found = []
    for line in lines:
        if isinstance(line, Unusable):
            verdict = Verdict.CONFLICT if line.is_mistake else Verdict.SKIPPED
            found.append(Finding(line.line, line.text, verdict, line.why))
        elif why := nesting.why_skipped(line, containers=containers):
            found.append(Finding(line.line, str(line.cidr), Verdict.SKIPPED, why))
        elif twin := nesting.twin(line):
            found.append(_finding(line, Verdict.CONFLICT, f"line {twin.line} names it, too"))
        else:
            found.append(_standing(line, pool))
    return found


def extras(findings: Iterable[Finding], pool: PoolView) -> Iterator[Finding]:
    """The reservations of a pool that none of the ``findings`` is about."""
    named = {found.entry.cidr for found in findings if found.entry}
    for allocation in pool.allocations:
        if allocation.resource_type == CUSTOM and allocation.cidr not in named:
            yield Finding(
                0,
                str(allocation.cidr),
                Verdict.EXTRA,
                f"'{allocation.ipam_pool_allocation_id}' ({allocation.description}) is reserved,"
                " and the file does not name it",
                allocation=allocation,
            )


def in_vrf(lines: Sequence[Line], vrf: str) -> list[Line]:
    """Those of one VRF alone; the rest is told to be skipped."""
    return [
        Unusable(line.line, str(line.cidr), f"it is of VRF '{line.vrf}'", False)
        if isinstance(line, Entry) and line.vrf != vrf
        else line
        for line in lines
    ]


def vrfs_of(lines: Iterable[Line]) -> Collection[str]:
    return {line.vrf for line in lines if isinstance(line, Entry)}


class _Nesting:
    """How the blocks of a plan lie in one another: two are nested, apart, or the same."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._outermost: dict[Cidr, Entry] = {}
        self._inner: dict[Cidr, Entry] = {}
        self._first: dict[Cidr, Entry] = {}
        around: list[Entry] = []
        # What is there to be used comes first, so that a container of its size is the twin.
        for entry in sorted(entries, key=lambda e: (e.cidr, e.is_container, e.line)):
            while around and not around[-1].cidr.contains(entry.cidr):
                around.pop()
            if self._first.setdefault(entry.cidr, entry) is not entry:
                continue
            if around:
                self._outermost[entry.cidr] = around[0]
                self._inner.setdefault(around[-1].cidr, entry)
            around.append(entry)

    def why_skipped(self, entry: Entry, *, containers: bool) -> str:
        """Why others are reserved instead; empty when it is to be."""
        if containers:
            outer = self._outermost.get(entry.cidr)
            return f"it lies in {outer.cidr} (line {outer.line}), all of it" if outer else ""
        if inner := self._inner.get(entry.cidr):
            return (
                f"it is a container of {inner.cidr} (line {inner.line}) and maybe more; with"
                " --containers it is reserved whole"
            )
        if entry.is_container:
            return "it is a container that nothing lies in; with --containers it is reserved"
        return ""

    def twin(self, entry: Entry) -> Entry | None:
        """Another one of the same block, which comes before it."""
        first = self._first[entry.cidr]
        return None if first is entry else first


def _standing(entry: Entry, pool: PoolView) -> Finding:
    if not pool.holds(entry.cidr):
        has = ", ".join(map(str, pool.cidrs)) or "none"
        return _finding(entry, Verdict.CONFLICT, f"it is outside the pool's CIDRs, {has}")
    in_the_way = pool.allocations_in(entry.cidr)
    if not in_the_way:
        return _finding(entry, Verdict.MISSING)
    allocation = in_the_way[0]
    if allocation.cidr != entry.cidr or allocation.resource_type == IPAM_POOL:
        more = " and more" if len(in_the_way) > 1 else ""
        return _finding(entry, Verdict.CONFLICT, f"{allocation}{more} is in the way")
    if allocation.resource_type != CUSTOM:
        return _finding(entry, Verdict.TAKEN, f"it is {allocation}", allocation)
    if allocation.description != entry.description:
        why = f"it is reserved as '{allocation.description}', not as '{entry.description}'"
        return _finding(entry, Verdict.DIFFERS, why, allocation)
    return _finding(entry, Verdict.HELD, entry.description, allocation)


def _finding(
    entry: Entry, verdict: Verdict, message: str = "", allocation: Allocation | None = None
) -> Finding:
    return Finding(entry.line, str(entry.cidr), verdict, message, entry, allocation)


def _overlapping(blocks: Sequence[Cidr], cidr: Cidr) -> list[int]:
    """Positions of the first two of ``blocks``, sorted and apart, that overlap ``cidr``."""
    place = bisect_left(blocks, cidr)
    near = range(max(place - 1, 0), min(place + 2, len(blocks)))
    return [n for n in near if blocks[n].overlaps(cidr)][:2]
