"""Active-IP hours as the area under what evaluations read (ACC-3, IPAM-8)."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadastre.control.v1 import inventory_service_pb2 as pb
from services.discovery.clients.coverage import CoverageClient
from services.discovery.coverage import Ipam
from services.discovery.evaluation.model import Scopes
from services.discovery.metering import (
    HOUR,
    Account,
    Meter,
    Pace,
    Reading,
    Usage,
    advanced,
    hour_of,
    is_due,
    reading_of,
)
from shared.identity import TokenSigner, load_secret
from shared.rpc.client import Remote
from tests.discovery import fake_control_plane
from tests.discovery.fake_control_plane import FakeControlPlane
from tests.network.support import settings_for

OWNER, MEMBER, STRANGER = "123456789012", "222222222222", "999999999999"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
OWN, OF_MEMBER = Account(OWNER, OWNER), Account(MEMBER, MEMBER)
PACE = Pace(longest=HOUR)


def ipam(*, is_free_tier: bool = False, self_paying: Sequence[str] = ()) -> Ipam:
    scopes = Scopes("ipam-1", "private", "public", frozenset({"private"}))
    return Ipam(scopes, OWNER, "us-east-1", is_free_tier, frozenset(self_paying))


@pytest.mark.parametrize(
    ("of", "reading"),
    [
        pytest.param(
            ipam(),
            {OWN: 1, Account(MEMBER, OWNER): 2, Account(STRANGER, OWNER): 4},
            id="the owner pays for all",
        ),
        pytest.param(
            ipam(self_paying=[OWNER, MEMBER]),
            {OWN: 1, OF_MEMBER: 2, Account(STRANGER, OWNER): 4},
            id="each of the organization for its own, the owner for others",
        ),
        pytest.param(ipam(is_free_tier=True), {}, id="nobody on the free tier"),
    ],
)
def test_who_pays(of: Ipam, reading: Reading) -> None:  # IPAM-4, IPAM-8
    assert reading_of(of, {OWNER: 1, MEMBER: 2, STRANGER: 4, "333333333333": 0}) == reading


def run(
    steps: Sequence[tuple[datetime, Reading]], pace: Pace = PACE
) -> tuple[Meter, Counter[tuple[datetime, Account]]]:
    """What a meter of evaluations at these times has at the end."""
    found: Counter[tuple[datetime, Account]] = Counter()
    (began_at, first), *later = steps
    meter = Meter(began_at, first)
    for at, reading in later:
        if is_due(meter, reading, at, pace):
            meter, used = advanced(meter, reading, at, pace)
            for hour, account, milliseconds in used:
                assert milliseconds > 0
                found[hour, account] += milliseconds
    return meter, found


COUNTS = st.dictionaries(st.sampled_from([OWN, OF_MEMBER]), st.integers(1, 3), max_size=2)
STEPS = st.lists(st.tuples(st.integers(1, 40), COUNTS), min_size=1, max_size=12)


@given(STEPS, st.integers(0, 59), st.integers(1, 20))
def test_it_agrees_with_counting_every_second(
    steps: list[tuple[int, Reading]], begin: int, scale: int
) -> None:
    """A second at a time: who had addresses then, unless too long before."""
    at, evaluations = NOON + begin * MINUTE, []
    for seconds, reading in steps:
        evaluations.append((at, reading))
        at += seconds * scale * 10 * SECOND
    evaluations.append((at, {}))
    _, found = run(evaluations)
    expected: Counter[tuple[datetime, Account]] = Counter()
    for (start, reading), (end, _) in pairwise(evaluations):
        for second in range(min(int((end - start).total_seconds()), 3600)):
            hour = hour_of(start + second * SECOND)
            for account, count in reading.items():
                expected[hour, account] += 1000 * count
    assert found == expected


@given(st.lists(st.integers(-90, 90), min_size=1, max_size=20))
def test_a_clock_that_goes_back_charges_for_no_time_twice(jumps: list[int]) -> None:
    """Within the longest gap, its highest time is all the time there was."""
    times, at = [NOON], NOON
    for jump in jumps:
        at = max(at + jump * SECOND, NOON - 30 * MINUTE)
        times.append(at)
    meter, found = run([(time, {OWN: 1}) for time in times])
    assert found.total() == (meter.metered_at - NOON) / timedelta(milliseconds=1)
    assert meter.metered_at <= max(times)


def test_after_a_clock_that_was_far_ahead_it_goes_on() -> None:
    ahead, back = NOON + timedelta(days=400), NOON + 2 * MINUTE
    steps = [(NOON, {OWN: 1}), (ahead, {OWN: 1}), (back, {OWN: 1}), (back + HOUR, {OWN: 1})]
    meter, found = run(steps)
    assert meter.metered_at == back + HOUR
    # An hour, as long as a reading holds, and the hour from then on.
    assert found.total() == 2 * 3_600_000


def test_of_a_long_outage_its_beginning_is_charged_for() -> None:
    gone, back = NOON + 30 * MINUTE, NOON + timedelta(days=3)
    _, found = run([(NOON, {OWN: 2}), (gone, {OWN: 2}), (back, {OWN: 5})], Pace(longest=2 * HOUR))
    assert found == {
        (NOON, OWN): 2 * 3_600_000,
        (NOON + HOUR, OWN): 2 * 3_600_000,
        (NOON + 2 * HOUR, OWN): 2 * 1_800_000,
    }


def test_a_switch_within_the_hour_divides_it() -> None:  # IPAM-8
    quarter = 15 * MINUTE
    _, found = run(
        [
            (NOON, {Account(MEMBER, OWNER): 4}),
            (NOON + quarter, {OF_MEMBER: 4}),
            (NOON + 2 * quarter, {}),
            (NOON + 3 * quarter, {OF_MEMBER: 4}),
            (NOON + 4 * quarter, {OF_MEMBER: 4}),
        ]
    )
    assert found == {
        (NOON, Account(MEMBER, OWNER)): 3_600_000,
        (NOON, OF_MEMBER): 2 * 3_600_000,
    }


def test_the_same_reading_is_not_noted_more_often_than_once_a_minute() -> None:
    meter = Meter(NOON, {OWN: 1})
    soon, later = NOON + 59 * SECOND, NOON + MINUTE
    assert not is_due(meter, {OWN: 1}, soon, PACE)
    assert is_due(meter, {OWN: 2}, soon, PACE)
    assert is_due(meter, {OWN: 1}, later, PACE)
    _, used = advanced(meter, {OWN: 1}, later, PACE)
    assert list(used) == [Usage(NOON, OWN, 60_000)]


@given(st.lists(st.integers(0, 5_000_000), min_size=1, max_size=10))
def test_fractions_of_milliseconds_are_never_lost_for_good(microseconds: list[int]) -> None:
    at, steps = NOON, [(NOON, {OWN: 1})]
    for passed in microseconds:
        at += timedelta(microseconds=passed)
        steps.append((at, {OWN: 1}))
    _, found = run(steps, Pace(longest=HOUR, shortest=timedelta(0)))
    assert found.total() == (at - NOON) // timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("administrator_id", "distributes_costs", "self_paying"),
    [
        (OWNER, True, {OWNER, MEMBER, "333333333333"}),
        (OWNER, False, set()),
        (MEMBER, True, set()),
        (None, True, set()),
    ],
    ids=["delegated", "not distributed", "another administers", "nobody administers"],
)
async def test_an_organization_pays_for_itself_where_its_administrator_has_the_ipam(
    tmp_path: Path,
    administrator_id: str | None,
    distributes_costs: bool,
    self_paying: set[str],
) -> None:  # IPAM-8
    control, settings = FakeControlPlane(), settings_for(tmp_path)
    control.ipams = [
        pb.ListedIpam(ipam_id="ipam-1", owner_id=OWNER, distributes_costs=distributes_costs)
    ]
    # In parts, and beside an organization that is none of its business.
    control.organizations = [
        pb.ListedOrganization(
            organization_id=organization_id,
            ipam_administrator_id=administrator,
            account_ids=account_ids,
        )
        for organization_id, administrator, account_ids in [
            ("o-first", administrator_id, [OWNER, MEMBER]),
            ("o-first", administrator_id, ["333333333333"]),
            ("o-second", STRANGER, [STRANGER]),
        ]
    ]
    signer = TokenSigner(load_secret(settings.identity_secret_path))
    async with (
        fake_control_plane.serving(control, settings) as address,
        Remote(address, signer=signer) as remote,
    ):
        [found] = (await CoverageClient(remote).coverage()).ipams
    assert found.self_paying == self_paying
