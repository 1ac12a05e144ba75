"""Who pays for active addresses, and when that can change (IPAM-8)."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from services.control_plane.ipam import Ipam, IpamChange, NewIpam
from services.control_plane.metering import MeteredAccount, Metering, check_may_distribute
from services.control_plane.organizations.organization import FeatureSet
from services.control_plane.quotas import Quotas
from services.control_plane.service.ipams import create_ipam, modify_ipam
from services.control_plane.service.organizations.accounts import create_account
from services.control_plane.service.organizations.organization import create_organization
from services.control_plane.service.organizations.service_access import (
    disable_ipam_administrator,
    enable_ipam_administrator,
)
from services.control_plane.service.steps import Accepted
from services.control_plane.store.rows import SqlRows
from shared.caller import Caller
from shared.errors import IncorrectState, OperationNotPermitted
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade

T = TypeVar("T")

OWNER, RESOURCES = MeteredAccount.IPAM_OWNER, MeteredAccount.RESOURCE_OWNER
NOW = datetime(2026, 1, 1, tzinfo=UTC)
IPAM_ID = "ipam-00000000000000001"


def test_costs_are_the_owners_until_they_are_distributed() -> None:
    assert Metering().account is OWNER
    distributed = Metering().changed(RESOURCES, ipam_id=IPAM_ID, administers_ipam=True, now=NOW)
    assert distributed == Metering(RESOURCES, NOW)
    later = NOW + timedelta(hours=1)
    assert (
        distributed.changed(RESOURCES, ipam_id=IPAM_ID, administers_ipam=True, now=later)
        == distributed
    )
    assert (
        Metering().changed(OWNER, ipam_id=IPAM_ID, administers_ipam=True, now=later) == Metering()
    )


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
        assert distributed.changed(
            OWNER, ipam_id=IPAM_ID, administers_ipam=True, now=now
        ) == Metering(OWNER)
    else:
        with pytest.raises(IncorrectState, match="from 2026-01-09T00:00:00") as refusal:
            distributed.changed(OWNER, ipam_id=IPAM_ID, administers_ipam=True, now=now)
        assert refusal.value.metadata["changeable_from"] == "2026-01-09T00:00:00+00:00"


@pytest.mark.parametrize("days", [0, 2, 9])
def test_distribution_ends_whenever_its_owner_wants_who_administers_ipam_no_more(days: int) -> None:
    ended = Metering(RESOURCES, NOW).changed(
        OWNER, ipam_id=IPAM_ID, administers_ipam=False, now=NOW + timedelta(days=days)
    )
    assert ended == Metering(OWNER)


def test_a_new_distribution_has_a_day_of_its_own() -> None:
    opted_out = Metering(RESOURCES, NOW).changed(
        OWNER, ipam_id=IPAM_ID, administers_ipam=True, now=NOW
    )
    later = NOW + timedelta(days=3)
    again = opted_out.changed(RESOURCES, ipam_id=IPAM_ID, administers_ipam=True, now=later)
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


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    upgrade(database, "services.control_plane")
    yield database
    database.close()


def test_distribution_is_locked_only_while_the_owner_administers_ipam(database: Database) -> None:
    def do(decide: Callable[[SqlRows], Accepted[T]]) -> T:
        with database.write() as connection:
            return decide(SqlRows(connection)).resource

    manager, later = Caller("444444444444", "us-east-1", "tester"), NOW + timedelta(days=2)
    do(lambda rows: create_organization(rows, manager, FeatureSet.ALL, NOW))
    made = do(lambda rows: create_account(rows, manager, "o", "o@example.com", {}, NOW))
    owner = Caller(str(made.account_id), "us-east-1", "tester")

    def administer() -> None:
        do(lambda rows: enable_ipam_administrator(rows, manager, owner.account_id, NOW))

    def end() -> Ipam:
        change = IpamChange(metered_account=OWNER)
        return do(lambda rows: modify_ipam(rows, owner, ipam.ipam_id, change, later))

    administer()
    wanted = NewIpam(tags={}, metered_account=RESOURCES)
    ipam = do(lambda rows: create_ipam(rows, owner, wanted, Quotas(), NOW))
    with pytest.raises(IncorrectState):
        end()
    do(lambda rows: disable_ipam_administrator(rows, manager, owner.account_id))
    with database.read() as connection:
        [(_, shown)] = SqlRows(connection).visible_ipams(owner, ids=(), after=None)
    # What was chosen stays chosen, and counts again once the owner administers IPAM again.
    assert shown.metering == Metering(RESOURCES, NOW)
    administer()
    with pytest.raises(IncorrectState):
        end()
    do(lambda rows: disable_ipam_administrator(rows, manager, owner.account_id))
    assert end().metering == Metering(OWNER)
