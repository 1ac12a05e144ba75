"""How records end and begin (HIST-1, DISC-6), against a naive history."""

from dataclasses import replace
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
from services.discovery.sources import AccountRegion
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
    current = {1: CurrentRecord(100, 7, START, known)} if known else {}
    sightings = [(sighting(1), found)] if found else []
    changes = turn(current, sightings, {7: SAMPLED}, NOW)
    assert changes.ended == ([(100, ended)] if ended else [])
    assert changes.begun == ([(sighting(1), found, begun)] if begun else [])


def test_what_is_in_no_inventory_any_more_ends_now() -> None:
    changes = turn({1: CurrentRecord(100, 8, START, CALM)}, [], {7: SAMPLED}, NOW)
    assert changes.ended == [(100, NOW)]


@pytest.mark.parametrize("found", [None, BUSY], ids=["gone", "judged otherwise"])
def test_no_record_ends_or_is_followed_before_it_started(
    found: RecordState | None,
) -> None:  # HIST-1
    """Pushers' clocks may be fast."""
    later = NOW + timedelta(minutes=4)
    sightings = [(sighting(1), found)] if found else []
    changes = turn({1: CurrentRecord(100, 7, later, CALM)}, sightings, {7: SAMPLED}, NOW)
    assert changes.ended == [(100, later)]
    assert [at for _, _, at in changes.begun] == ([later] if found else [])


def test_what_came_to_another_scope_is_counted_beside_what_was_judged_otherwise() -> None:
    # MON-6, MET-5
    current = {row: CurrentRecord(row, 7, START, CALM) for row in range(1, 4)}
    elsewhere = CALM._replace(scope_id="another")
    states = [elsewhere, elsewhere, BUSY, elsewhere]
    found = [(sighting(row), state) for row, state in enumerate(states, 1)]
    changes = turn(current, found, {7: SAMPLED}, NOW)
    assert (len(changes.begun), changes.moved) == (4, 2)


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
        for seen, state, at in changes.begun:
            assert seen.candidate.row_id not in current
            current[seen.candidate.row_id] = CurrentRecord(next_id, 7, at, state)
            next_id += 1
        assert {row: one.state for row, one in current.items()} == found


HERE = AccountRegion("1" * 12, "us-east-1")
OTHER = AccountRegion("2" * 12, "us-east-1")
INSIDE = Cidr.parse("10.0.1.7/32")


def vpc_of(place: AccountRegion, cidr: str = "10.0.0.0/16") -> Candidate:
    return replace(
        sighting(1).candidate, owner_id=place.account_id, region=place.region, cidr=Cidr.parse(cidr)
    )


def test_what_lies_in_a_vpc_is_where_its_narrowest_cidr_around_is() -> None:  # MON-6
    scopes = ScopesOfVpcs(lambda _: "default")
    # One is stale: another source tells of a VPC with other CIDRs than it has.
    scopes.add(vpc_of(HERE, "10.0.0.0/8"), "default")
    scopes.add(vpc_of(HERE), "moved")
    assert scopes.scope_of(INSIDE, HERE, "vpc-1") == "moved"
    assert scopes.scope_of(Cidr.parse("10.1.0.1/32"), HERE, "vpc-1") == "default"
    assert scopes.scope_of(INSIDE, HERE, "vpc-2") == "default"
    assert scopes.scope_of(INSIDE, HERE, None) == "default"


@pytest.mark.parametrize(
    ("vpcs", "scope_id"),
    [
        ([HERE, OTHER], "scope of 1"),
        ([OTHER], "scope of 2"),
        ([OTHER, AccountRegion("3" * 12, "us-east-1")], "default"),
        ([AccountRegion("1" * 12, "us-west-2")], "default"),
    ],
    ids=["its own", "one shared with it", "nobody knows whose", "abroad"],
)
def test_what_an_account_has_in_a_vpc_is_where_that_vpc_is(
    vpcs: list[AccountRegion], scope_id: str
) -> None:  # MON-6
    scopes = ScopesOfVpcs(lambda _: "default")
    for place in vpcs:
        scopes.add(vpc_of(place), f"scope of {place.account_id[0]}")
    assert scopes.scope_of(INSIDE, HERE, "vpc-1") == scope_id


def test_vpcs_that_began_take_along_what_lies_in_them() -> None:  # MON-6
    begun = [(sighting(1), CALM), (sighting(2, ResourceType.SUBNET), CALM)]
    assert moved_in(turn({}, begun, {7: SAMPLED}, NOW)) == {7}
    assert moved_in(turn({}, begun[1:], {7: SAMPLED}, NOW)) == set()
