"""What becomes of enabled associations in time: registries are asked again what they certify."""

from datetime import timedelta

import pytest
from cryptography import x509

from services.control_plane.delegated_rpki.resources import Resources
from tests.control_plane.registry_associations import (
    HELD,
    Associations,
    Clock,
    id_of,
    serving,
)
from tests.control_plane.world import World, on_sqlite_alone, state
from tests.registries.internet_registry import InternetRegistry
from tests.waiting import eventually

KEPT = Resources.parse(asns="64496", ipv4="192.0.2.0/24")


async def asked(rir: InternetRegistry, *kinds: str) -> None:
    """Once these are all the requests that the registry had."""

    async def are_they() -> bool:
        return [kind for _, kind in rir.asked] == list(kinds)

    await eventually(are_they)


async def test_what_the_registry_takes_away_loses_its_roas(
    associations: Associations, timed_rir: InternetRegistry, clock: Clock
) -> None:
    ipam = await associations.client.create_ipam()
    association_id, response = await associations.enabled(ipam, timed_rir)
    for cidr in ("192.0.2.0/24", "2001:db8::/32"):
        await associations.register(association_id, cidr, "64496")

    async def published(*cidrs: str) -> bool:
        return await associations.roas(association_id) == [(cidr, "64496") for cidr in cidrs]

    await eventually(lambda: published("192.0.2.0/24", "2001:db8::/32"))
    timed_rir.entitle(response.child_handle, KEPT)
    clock.pass_time(hours=1)
    await associations.holds(association_id, ["192.0.2.0/24"])
    assert await associations.asns(association_id) == [64496]
    await eventually(lambda: published("192.0.2.0/24"))
    # The registry had taken it out of the certificate by itself.
    assert [kind for _, kind in timed_rir.asked] == ["list", "list", "issue", "list"]

    timed_rir.entitle(response.child_handle, HELD)
    clock.pass_time(hours=1)
    await associations.holds(association_id, ["192.0.2.0/24", "2001:db8::/32"])
    assert [kind for _, kind in timed_rir.asked][4:] == ["list", "issue"]
    assert state(await associations.one(association_id)) == "enable-complete"


@on_sqlite_alone
async def test_who_has_nothing_any_more_may_get_something_else_later(
    associations: Associations, timed_rir: InternetRegistry, clock: Clock
) -> None:
    ipam = await associations.client.create_ipam()
    association_id, response = await associations.enabled(ipam, timed_rir)
    timed_rir.entitle(response.child_handle, Resources())
    clock.pass_time(hours=1)
    await associations.holds(association_id, [])
    assert "no addresses" in (await associations.one(association_id)).state_message
    timed_rir.answer_with(b"", status=503)
    clock.pass_time(hours=1)
    await associations.says(association_id, "503")
    assert state(await associations.one(association_id)) == "enable-complete"
    timed_rir.answer_again()
    timed_rir.entitle(response.child_handle, KEPT)
    clock.pass_time(hours=1)
    await associations.holds(association_id, ["192.0.2.0/24"])
    await associations.says(association_id, "")


@on_sqlite_alone
async def test_a_registry_that_is_away_changes_nothing_and_is_told_of(
    associations: Associations, timed_rir: InternetRegistry, clock: Clock
) -> None:
    ipam = await associations.client.create_ipam()
    association_id, response = await associations.enabled(ipam, timed_rir)
    certificate = timed_rir.certificate_of(response.child_handle)
    timed_rir.answer_with(b"", status=503)
    clock.pass_time(hours=1)
    since = f"since {clock.now:%Y-%m-%dT%H:%M:%SZ}"
    await associations.says(association_id, since)
    clock.pass_time(hours=1)
    timed_rir.answer_with(b"", status=502)
    # Still since when it was away first.
    assert since in await associations.says(association_id, "502")
    assert state(await associations.one(association_id)) == "enable-complete"
    assert await associations.cidrs(association_id) == ["192.0.2.0/24", "2001:db8::/32"]
    timed_rir.answer_again()
    clock.pass_time(hours=1)
    await associations.says(association_id, "")
    assert timed_rir.certificate_of(response.child_handle) == certificate


@on_sqlite_alone
async def test_once_its_certificate_has_ended_an_association_has_to_be_enabled_again(
    associations: Associations, timed_rir: InternetRegistry, clock: Clock
) -> None:
    ipam = await associations.client.create_ipam()
    association_id, response = await associations.enabled(ipam, timed_rir)
    await associations.register(association_id, "192.0.2.0/24", "64496")

    async def are_published() -> bool:
        return await associations.roas(association_id) == [("192.0.2.0/24", "64496")]

    await eventually(are_published)
    timed_rir.answer_with(b"", status=503)
    clock.pass_time(days=366)
    failed = await associations.settled(association_id, "enable-failed")
    assert "503" in failed.state_message
    assert await associations.cidrs(association_id) == []
    assert await associations.roas(association_id) == []
    timed_rir.answer_again()
    await associations.enable(association_id, response)
    await associations.settled(association_id, "enable-complete")
    await eventually(are_published)


@on_sqlite_alone
async def test_a_certificate_is_renewed_long_before_it_ends(
    associations: Associations, timed_rir: InternetRegistry, clock: Clock
) -> None:
    ipam = await associations.client.create_ipam()
    _, response = await associations.enabled(ipam, timed_rir)
    first = timed_rir.certificate_of(response.child_handle)
    assert first
    await asked(timed_rir, "list", "list", "issue")
    clock.pass_time(days=30)
    await asked(timed_rir, "list", "list", "issue", "list")
    clock.pass_time(days=30)
    renewed = ["list", "list", "issue", "list", "list", "issue"]

    async def is_renewed() -> bool:
        return [kind for _, kind in timed_rir.asked] == renewed

    try:
        await eventually(is_renewed, timeout_seconds=5)
    except TimeoutError:
        # The time went by before the last answer was kept: the next question is an hour off.
        clock.pass_time(hours=1)
        await asked(timed_rir, *renewed)
    second = timed_rir.certificate_of(response.child_handle)
    assert second
    before, after = (x509.load_der_x509_certificate(one) for one in (first, second))
    assert after.not_valid_after_utc - before.not_valid_after_utc >= timedelta(days=60)
    assert after.public_key() == before.public_key()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_replicas_share_the_asking(
    world: World, timed_rir: InternetRegistry, clock: Clock
) -> None:
    async with serving(world, clock) as client, serving(world, clock):
        associations = Associations(client)
        ipam = await client.create_ipam()
        ids = [
            (await associations.enabled(ipam, timed_rir, organization_handle=f"ORG-{number}"))[0]
            for number in range(3)
        ]
        before = len(timed_rir.asked)
        for _ in range(2):
            clock.pass_time(hours=1)
            await _all_observed(associations, ids, clock)
        assert [kind for _, kind in timed_rir.asked[before:]] == ["list"] * 2 * len(ids)
        assert {state(one) for one in await associations.seen()} == {"enable-complete"}


async def _all_observed(associations: Associations, ids: list[str], clock: Clock) -> None:
    """Once the registry has told of all of them at this time."""

    async def told_ago(association_id: str) -> float:
        answer = await associations(
            "GetIpamInternetRegistryAssociationCidrs",
            ipam_internet_registry_association_id=association_id,
        )
        [first, *_] = answer.ipam_internet_registry_association_cidrs
        return clock.now.timestamp() - float(first.last_observed_at.seconds)

    async def are_they() -> bool:
        return all([await told_ago(one) < 2 for one in ids])

    await eventually(are_they)


@on_sqlite_alone
async def test_nobody_is_asked_about_what_is_not_enabled(
    associations: Associations, timed_rir: InternetRegistry, clock: Clock
) -> None:
    ipam = await associations.client.create_ipam()
    pending = await associations.pending(ipam, organization_handle="ORG-2")
    association_id, _ = await associations.enabled(ipam, timed_rir)
    timed_rir.admit(pending.child_request_xml, HELD)
    clock.pass_time(hours=1)
    await asked(timed_rir, "list", "list", "issue", "list")
    assert {state(one): id_of(one) for one in await associations.seen()} == {
        "pending-enable": id_of(pending),
        "enable-complete": association_id,
    }
