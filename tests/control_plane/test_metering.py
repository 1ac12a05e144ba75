"""Who pays for active addresses, and when that can change (IPAM-8)."""

from datetime import UTC, datetime, timedelta

import pytest

from services.control_plane.metering import MeteredAccount, Metering, check_may_distribute
from shared.errors import IncorrectState, OperationNotPermitted

OWNER, RESOURCES = MeteredAccount.IPAM_OWNER, MeteredAccount.RESOURCE_OWNER
NOW = datetime(2026, 1, 1, tzinfo=UTC)
IPAM_ID = "ipam-00000000000000001"


def test_costs_are_the_owners_until_they_are_distributed() -> None:
    assert Metering().account is OWNER
    distributed = Metering().changed(RESOURCES, ipam_id=IPAM_ID, now=NOW)
    assert distributed == Metering(RESOURCES, NOW)
    later = NOW + timedelta(hours=1)
    assert distributed.changed(RESOURCES, ipam_id=IPAM_ID, now=later) == distributed
    assert Metering().changed(OWNER, ipam_id=IPAM_ID, now=later) == Metering()


@pytest.mark.parametrize(
    ("after", "is_changeable"),
    [
        pytest.param(timedelta(0), True, id="at once"),
        pytest.param(timedelta(hours=24, seconds=-1), True, id="just within a day"),
        pytest.param(timedelta(hours=24), False, id="after a day"),
        pytest.param(timedelta(days=8, seconds=-1), False, id="just within the seven days then"),
        pytest.param(timedelta(days=8), True, id="after them"),
    ],
)
def test_distribution_ends_within_a_day_or_after_seven_more(
    after: timedelta, *, is_changeable: bool
) -> None:
    distributed, now = Metering(RESOURCES, NOW), NOW + after
    if is_changeable:
        assert distributed.changed(OWNER, ipam_id=IPAM_ID, now=now) == Metering(OWNER)
    else:
        with pytest.raises(IncorrectState, match="from 2026-01-09T00:00:00") as refusal:
            distributed.changed(OWNER, ipam_id=IPAM_ID, now=now)
        assert refusal.value.metadata["changeable_from"] == "2026-01-09T00:00:00+00:00"


def test_a_new_distribution_has_a_day_of_its_own() -> None:
    opted_out = Metering(RESOURCES, NOW).changed(OWNER, ipam_id=IPAM_ID, now=NOW)
    later = NOW + timedelta(days=3)
    again = opted_out.changed(RESOURCES, ipam_id=IPAM_ID, now=later)
    assert again.distributed_since == later


@pytest.mark.parametrize(
    ("region", "administers_ipam", "says"),
    [
        ("us-east-1", True, None),
        ("us-east-1", False, "delegated administrator"),
        ("eu-south-1", True, "opt in to eu-south-1"),
        ("eu-south-1", False, "delegated administrator"),
    ],
)
def test_only_an_ipam_administrator_distributes_costs_at_home_in_a_default_region(
    region: str, *, administers_ipam: bool, says: str | None
) -> None:
    if says is None:
        check_may_distribute("123456789012", region, administers_ipam=administers_ipam)
        return
    with pytest.raises(OperationNotPermitted, match=says):
        check_may_distribute("123456789012", region, administers_ipam=administers_ipam)
