"""Versions: when there is a new one, and which are kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.discovery.resolvers.resolver import CreationStatus, Resolver, Version, outdated
from services.discovery.resolvers.rule import StaticCidrRule
from shared.cidr import AddressFamily, Cidr

NOW = datetime(2026, 3, 1, tzinfo=UTC)
A, B = Cidr.parse("10.0.0.0/16"), Cidr.parse("10.1.0.0/16")
NEW = Resolver(
    resolver_id="ipam-plr-1",
    owner_id="123456789012",
    region="us-east-1",
    ipam_id="ipam-1",
    family=AddressFamily.IPV4,
    description=None,
    rules=[],
    tags={},
)


def test_the_first_version_may_be_empty() -> None:
    first = NEW.having_selected([], [])
    assert (first.last_version, first.status) == (1, CreationStatus.SUCCESS)


def test_a_version_is_new_when_another_set_is_selected() -> None:
    first = NEW.having_selected([A], [])
    assert first.having_selected([A], [A]) is first
    assert first.having_selected([A, B], [A]).last_version == 2


def test_other_rules_that_select_the_same_make_no_version() -> None:
    first = NEW.having_selected([A], [])
    pending = first.with_rules([StaticCidrRule(A)])
    assert (pending.status, pending.last_version) == (CreationStatus.PENDING, 1)
    done = pending.having_selected([A], [A])
    assert (done.status, done.last_version) == (CreationStatus.SUCCESS, 1)


def test_a_failure_keeps_the_last_version_and_passes() -> None:
    first = NEW.having_selected([A], [])
    failed = first.without_version("too many")
    assert (failed.status, failed.status_message) == (CreationStatus.FAILURE, "too many")
    assert failed.without_version("too many") is failed
    again = failed.having_selected([A], [A])
    assert (again.status, again.status_message, again.last_version) == (
        CreationStatus.SUCCESS,
        None,
        1,
    )


def test_whatever_changes_rules_or_versions_is_another_revision() -> None:
    first = NEW.having_selected([A], [])
    later = [
        first,
        first.with_rules([]),
        first.without_version("no"),
        first.having_selected([], [A]),
    ]
    assert [one.revision for one in later] == [2, 3, 3, 3]
    assert replace(first, description="other").revision == first.revision


def test_ten_versions_are_kept_before_each_in_use_and_all_for_a_week() -> None:
    old = [Version(number, NOW - timedelta(days=8)) for number in range(1, 60)]
    young = [Version(number, NOW - timedelta(days=6)) for number in range(60, 81)]
    gone = outdated([*old, *young], {20}, 80, NOW)
    assert gone == [*range(1, 10), *range(21, 60)]
