"""How records end and begin (HIST-1, DISC-6), against a naive history."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.discovery.evaluation.model import Candidate
from services.discovery.record import (
    CurrentRecord,
    RecordState,
    ScopesOfVpcs,
    Sighting,
    moved_in,
    turn,
)
from services.discovery.resource_cidr import ResourceType
from shared.cidr import Cidr

START = datetime(2026, 1, 1, tzinfo=UTC)
SAMPLED, NOW = START + timedelta(minutes=1), START + timedelta(minutes=2)
BLOCK = Cidr.parse("10.0.0.0/16")
CALM, BUSY = RecordState("scope-1", "unmanaged"), RecordState("scope-1", "managed")


def sighting(row_id: int, kind: ResourceType = ResourceType.VPC) -> Sighting:
    candidate = Candidate(
        row_id, kind, f"vpc-{row_id}", BLOCK, "1" * 12, "us-east-1", None, None, {}
    )
    return Sighting(candidate, inventory_id=7, name=None)


@pytest.mark.parametrize(
    ("known", "found", "ended", "begun"),
    [
        pytest.param(None, CALM, None, SAMPLED, id="new with its snapshot"),
        pytest.param(CALM, None, SAMPLED, None, id="gone with its snapshot"),
        pytest.param(CALM, CALM, None, None, id="the same"),
        pytest.param(CALM, BUSY, NOW, NOW, id="judged otherwise now"),
    ],
)
def test_a_record_ends_when_what_it_tells_does(
    known: RecordState | None,
    found: RecordState | None,
    ended: datetime | None,
    begun: datetime | None,
) -> None:
    current = {1: CurrentRecord(100, 7, known)} if known else {}
    sightings = [(sighting(1), found)] if found else []
    changes = turn(current, sightings, {7: SAMPLED}, NOW)
    assert changes.ended == ([(100, ended)] if ended else [])
    assert changes.begun == ([(sighting(1), found, begun)] if begun else [])


def test_what_is_in_no_inventory_any_more_ends_now() -> None:
    changes = turn({1: CurrentRecord(100, 8, CALM)}, [], {7: SAMPLED}, NOW)
    assert changes.ended == [(100, NOW)]


STATES = st.dictionaries(st.integers(0, 5), st.sampled_from([CALM, BUSY]), max_size=6)


@given(st.lists(STATES, max_size=8))
def test_current_records_are_always_what_was_found_last(
    rounds: list[dict[int, RecordState]],
) -> None:
    current: dict[int, CurrentRecord] = {}
    next_id = 0
    for found in rounds:
        changes = turn(
            current, [(sighting(row), state) for row, state in found.items()], {7: SAMPLED}, NOW
        )
        ended = {record_id for record_id, _ in changes.ended}
        current = {row: one for row, one in current.items() if one.record_id not in ended}
        for seen, state, _ in changes.begun:
            assert seen.candidate.row_id not in current
            current[seen.candidate.row_id] = CurrentRecord(next_id, 7, state)
            next_id += 1
        assert {row: one.state for row, one in current.items()} == found


def test_what_lies_in_a_vpc_is_where_its_cidr_is() -> None:  # MON-6
    scopes = ScopesOfVpcs(lambda _: "default")
    scopes.add("vpc-1", BLOCK, "moved")
    inside = Cidr.parse("10.0.1.7/32")
    assert scopes.scope_of(inside, "vpc-1") == "moved"
    assert scopes.scope_of(Cidr.parse("10.1.0.1/32"), "vpc-1") == "default"
    assert scopes.scope_of(inside, "vpc-2") == "default"
    assert scopes.scope_of(inside, None) == "default"


def test_vpcs_that_began_take_along_what_lies_in_them() -> None:  # MON-6
    begun = [(sighting(1), CALM), (sighting(2, ResourceType.SUBNET), CALM)]
    assert moved_in(turn({}, begun, {7: SAMPLED}, NOW)) == {7}
    assert moved_in(turn({}, begun[1:], {7: SAMPLED}, NOW)) == set()
