"""What a resource CIDR is to an IPAM: one record as long as nothing of that changes (HIST-1).

Words are plain strings here: a million of them are compared with the database's at each evaluation.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from services.discovery.evaluation.blocks import HoldingBlocks
from services.discovery.evaluation.model import Candidate, Judgement
from services.discovery.resource_cidr import ResourceType
from services.discovery.sources import AccountRegion
from shared.cidr import Cidr


class RecordState(NamedTuple):
    """When one of these changes, a record ends and another begins."""

    scope_id: str
    management_state: str | None = None
    compliance_status: str | None = None
    overlap_status: str | None = None
    pool_id: str | None = None
    broken_rules: str = ""
    """Separated by commas."""
    name: str | None = None


class CurrentRecord(NamedTuple):
    """A record that has not ended."""

    record_id: int
    inventory_id: int
    started_at: datetime
    state: RecordState


class Sighting(NamedTuple):
    """A resource CIDR of an inventory, as far as records tell it."""

    candidate: Candidate
    inventory_id: int
    name: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """What to do to records so that they tell what is."""

    ended: Sequence[tuple[int, datetime]]
    """Records, and when they do."""
    begun: Sequence[tuple[Sighting, RecordState, datetime]]
    moved: int
    """How many of these were in another scope before (MON-6)."""

    @property
    def is_nothing(self) -> bool:
        return not (self.ended or self.begun)


def state_of(judgement: Judgement, name: str | None) -> RecordState:
    """What a record of a judged resource CIDR tells."""
    management, compliance = judgement.management_state, judgement.compliance_status
    overlap = judgement.overlap_status
    return RecordState(
        judgement.scope_id,
        management and management.value,
        compliance and compliance.value,
        overlap and overlap.value,
        judgement.pool_id,
        ",".join(rule.value for rule in judgement.broken_rules),
        name,
    )


def turn(
    current: Mapping[int, CurrentRecord],
    found: Sequence[tuple[Sighting, RecordState]],
    sampled_at: Mapping[int, datetime],
    now: datetime,
) -> Turn:
    """What changes when ``found`` is what is there.

    ``current`` is by row of the inventory. What a snapshot shows first, or no more, began or ended
    with it (DISC-6): ``sampled_at`` is when the inventories' were taken. What it is to the IPAM
    changes ``now``; so does what is in none of these inventories. Nothing ends before it started,
    as a source's clock may be fast; nor does what follows start before that.
    """
    ended: list[tuple[int, datetime]] = []
    begun: list[tuple[Sighting, RecordState, datetime]] = []
    seen: set[int] = set()
    moved = 0
    for sighting, state in found:
        row_id = sighting.candidate.row_id
        seen.add(row_id)
        record = current.get(row_id)
        if record is None:
            begun.append((sighting, state, sampled_at.get(sighting.inventory_id, now)))
        elif record.state != state:
            at = max(now, record.started_at)
            ended.append((record.record_id, at))
            begun.append((sighting, state, at))
            moved += record.state.scope_id != state.scope_id
    ended.extend(
        (record.record_id, max(sampled_at.get(record.inventory_id, now), record.started_at))
        for row_id, record in current.items()
        if row_id not in seen
    )
    return Turn(ended, begun, moved)


def moved_in(changes: Turn) -> set[int]:
    """Inventories with VPCs that are new or came to another scope: what is in them goes along."""
    return {
        sighting.inventory_id
        for sighting, _, _ in changes.begun
        if sighting.candidate.resource_type is ResourceType.VPC
    }


class ScopesOfVpcs:
    """Which scope the space of VPCs is in: what lies in a VPC is where its CIDR is (MON-6)."""

    def __init__(self, by_nature: Callable[[Cidr], str]) -> None:
        """``by_nature``: where a CIDR is that lies in no VPC's (SCP-5)."""
        self._by_nature = by_nature
        self._of_vpcs: HoldingBlocks[tuple[AccountRegion, str], str] = HoldingBlocks()
        self._owners: defaultdict[tuple[str, str], set[AccountRegion]] = defaultdict(set)

    def add(self, vpc: Candidate, scope_id: str) -> None:
        """One of a VPC's CIDRs is in a scope."""
        owner, vpc_id = AccountRegion(vpc.owner_id, vpc.region), vpc.resource_id
        self._of_vpcs.file((owner, vpc_id), vpc.cidr, scope_id)
        self._owners[vpc.region, vpc_id].add(owner)

    def scope_of(self, cidr: Cidr, place: AccountRegion, vpc_id: str | None) -> str:
        """The scope of the narrowest CIDR around ``cidr`` of the VPC that ``place`` has.

        An account may also use a VPC that another one shares with it.
        """
        if vpc_id is None:
            return self._by_nature(cidr)
        owners = self._owners.get((place.region, vpc_id), set())
        owner = next(iter(owners)) if len(owners) == 1 else place
        return self._of_vpcs.narrowest((owner, vpc_id), cidr) or self._by_nature(cidr)
