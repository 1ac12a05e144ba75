"""Routing policy registrations: what becomes of them, and the ROAs that are published of them."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from services.control_plane.delegated_rpki.resources import Resources
from services.control_plane.server import control_plane
from shared.errors import CadastreError
from tests.control_plane.byoip_world import RoaExport
from tests.control_plane.routing_policies import HELD, REGISTRIES, Policies, an_association
from tests.control_plane.world import STRANGER, World, on_sqlite_alone, state
from tests.registries.internet_registry import InternetRegistry
from tests.registries.rpki_validator import needs_rpki_client, validate
from tests.waiting import eventually

URI = "rsync://rpki.example.net/repo/"
A, B, OUTSIDE = "10.0.0.0/16", "2001:db8::/32", "198.51.100.0/24"


@pytest.fixture
async def policies(rir: InternetRegistry, world: World) -> AsyncIterator[Policies]:
    """Of an enabled association."""
    async with world.serving() as client:
        found = await an_association(client)
        await found.enable(rir)
        yield found


async def test_a_registration_is_published_then_changed_then_withdrawn(policies: Policies) -> None:
    delta = await policies.create(A, "64500", "64496", description="first")
    assert state(delta) == "pending"
    assert json.loads(delta.delta_json)["Add"][0]["asns"] == ["64496", "64500"]
    assert await policies.settled() == [("published", "")]
    [found] = await policies.registrations()
    assert (found.cidr, list(found.asns), state(found)) == (
        A,
        ["64496", "64500"],
        "create-complete",
    )
    assert (found.latest_delta_id, found.max_length) == (delta.delta_id, 16)
    assert await policies.roas() == [(A, "64496", 16), (A, "64500", 16)]

    delta = await policies.modify(
        A, "64496", permit_more_specific_announcements=True, max_length=18
    )
    assert set(json.loads(delta.delta_json)) == {"Add", "Delete"}
    await policies.are(**{A: "update-complete"})
    [found] = await policies.registrations()
    assert (found.description, found.latest_delta_id) == ("first", delta.delta_id)
    assert await policies.roas() == [(A, "64496", 18)]

    await policies.delete(A)
    await policies.are()
    assert await policies.roas() == []
    assert await policies.settled() == [("published", "")] * 3


@on_sqlite_alone
async def test_what_is_said_of_a_registration_anew_is_all_there_is(policies: Policies) -> None:
    await policies.create(
        A, "7", permit_more_specific_announcements=True, max_length=20, description="first"
    )
    await policies.modify(A, "8", description="")
    await policies.settled()
    [found] = await policies.registrations()
    assert (found.max_length, found.permit_more_specific_announcements) == (16, False)
    assert (found.description, list(found.asns)) == ("", ["8"])


@on_sqlite_alone
async def test_lists_are_by_cidr_in_pages(policies: Policies) -> None:
    cidrs = ["10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "192.0.2.0/24", B, "2001:db8:1::/48"]
    await policies.batch({"Add": [{"prefix": one, "asns": [7]} for one in reversed(cidrs)]})
    await policies.settled()
    for rpc, service, records in (
        (
            "GetIpamRoutingPolicyRegistrations",
            "cadastre.control.v1.RoutingPolicyService",
            "ipam_routing_policy_registrations",
        ),
        ("GetIpamRouteOriginAuthorizations", REGISTRIES, "ipam_route_origin_authorizations"),
    ):
        first = await policies(rpc, service=service, max_results=5)
        second = await policies(rpc, service=service, max_results=5, next_token=first.next_token)
        pages = [[one.cidr for one in getattr(page, records)] for page in (first, second)]
        assert pages == [cidrs[:5], cidrs[5:]]
        assert not second.next_token
        [one] = getattr(await policies(rpc, service=service, cidr="10.0.0.0/9"), records)
        assert one.cidr == "10.0.0.0/9"
        assert not getattr(await policies(rpc, service=service, cidr="10.0.0.0/10"), records)
        with pytest.raises(CadastreError, match=r"use '10\.0\.0\.0/9'"):
            await policies(rpc, service=service, cidr="10.1.0.0/9")


@on_sqlite_alone
async def test_deltas_are_listed_by_age_and_time(policies: Policies) -> None:
    made = [(await policies.create(f"10.{n}.0.0/16", "7")).delta_id for n in range(3)]
    await policies.settled()

    async def ids(**members: Any) -> list[str]:
        return [one.delta_id for one in await policies.deltas(**members)]

    assert await ids() == await ids(chronological_order="forward") == made
    assert await ids(chronological_order="reverse") == made[::-1]
    assert await ids(delta_id=made[1]) == [made[1]]
    assert await ids(start_time={"seconds": 0}, end_time={"seconds": 2**35}) == made
    assert await ids(end_time={"seconds": 2**30}) == await ids(start_time={"seconds": 2**35}) == []
    with pytest.raises(CadastreError) as refused:
        await ids(delta_id="0130c368-1f8c-4283-8f16-66e67e633086")
    assert refused.value.reason == "InvalidIpamRoutingPolicyRegistrationDeltaId.NotFound"
    with pytest.raises(CadastreError, match="the years 1 to 9999"):
        await ids(start_time={"seconds": 2**40})


@on_sqlite_alone
async def test_refusals_say_what_is_wrong_and_change_nothing(policies: Policies) -> None:
    await policies.create(A, "7")
    await policies.settled()
    combination, exists = (
        "InvalidParameterCombination",
        "IpamRoutingPolicyRegistrationAlreadyExists",
    )
    unknown, value = "InvalidIpamRoutingPolicyRegistration.NotFound", "InvalidParameterValue"
    for call, reason, says in (
        (policies.create(OUTSIDE, "7"), value, "does not certify"),
        (policies.create("10.0.0.0/7", "7"), value, "does not certify"),
        (policies.create("10.1.0.0/8", "7"), value, "10.0.0.0/8"),
        (policies.create("10.1.0.0/16", "AS7"), value, "AS7"),
        (policies.create("10.1.0.0/16", "7", "7"), value, "once"),
        (policies.create("10.1.0.0/16", "7", max_length=17), combination, "permitMore"),
        (policies.create(A, "8"), exists, "modify it"),
        (policies.modify("10.1.0.0/16", "7"), unknown, "10.1.0.0/16"),
        (policies.delete("10.1.0.0/16"), unknown, "10.1.0.0/16"),
        (
            policies.batch({"Add": [{"prefix": B, "asns": [7]}, {"prefix": OUTSIDE, "asns": [7]}]}),
            value,
            OUTSIDE,
        ),
        (
            policies.batch({"Add": [{"prefix": B, "asns": [7]}], "Delete": [{"prefix": B}]}),
            unknown,
            B,
        ),
        (
            policies.batch({"Delete": [{"prefix": A, "asns": [8]}]}),
            value,
            "has asns 7, not 8",
        ),
        (policies.batch({"Insert": []}), value, '"Insert" is not known'),
    ):
        with pytest.raises(CadastreError) as refused:
            await call
        assert refused.value.reason == reason
        assert says in refused.value.message
    assert await policies.states() == {A: "create-complete"}
    assert len(await policies.deltas()) == 1


@on_sqlite_alone
async def test_others_see_nothing_of_an_association(policies: Policies) -> None:
    await policies.create(A, "7")
    stranger = Policies(policies.client.acting_as(STRANGER), policies.association_id)
    for call in (stranger.registrations(), stranger.deltas(), stranger.roas(), stranger.delete(A)):
        with pytest.raises(CadastreError) as refused:
            await call
        assert refused.value.reason == "InvalidIpamInternetRegistryAssociationId.NotFound"


@on_sqlite_alone
async def test_a_repeated_request_is_one_delta_and_a_dry_run_none(policies: Policies) -> None:
    with pytest.raises(CadastreError) as dry:
        await policies.create(A, "7", dry_run=True)
    assert dry.value.reason == "DryRunOperation"
    first = await policies.create(A, "7", client_token="once")
    assert await policies.create(A, "7", client_token="once") == first
    await policies.settled()
    assert [one.delta_id for one in await policies.deltas()] == [first.delta_id]


@on_sqlite_alone
async def test_an_association_has_as_many_registrations_as_its_quota(
    rir: InternetRegistry, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CADASTRE_QUOTA_ROUTING_POLICY_REGISTRATIONS_PER_ASSOCIATION", "2")
    async with world.serving() as client:
        policies = await an_association(client)
        await policies.batch({"Add": [{"prefix": one, "asns": [7]} for one in (A, B)]})
        with pytest.raises(CadastreError, match="at most 2") as refused:
            await policies.create("192.0.2.0/24", "7")
        assert refused.value.reason == "IpamRoutingPolicyRegistrationLimitExceeded"
        await policies.batch(
            {"Add": [{"prefix": "192.0.2.0/24", "asns": [7]}], "Delete": [{"prefix": A}]}
        )
        assert set(await policies.states()) == {"192.0.2.0/24", B}


@on_sqlite_alone
async def test_what_is_registered_before_waits_for_the_association_to_be_enabled(
    rir: InternetRegistry, world: World
) -> None:
    async with world.serving() as client:
        policies = await an_association(client)
        for cidr in (A, B, OUTSIDE):
            await policies.create(cidr, "7")
        await policies.modify(A, "8")
        await policies.delete(B)
        assert await policies.states() == {A: "pending-activate", OUTSIDE: "pending-activate"}
        assert {state(one) for one in await policies.deltas()} == {"pending"}
        assert await policies.roas() == []

        await policies.enable(rir)
        await policies.are(**{A: "create-complete", OUTSIDE: "activate-failed"})
        assert await policies.roas() == [(A, "8", 16)]
        failed = ("failed", f"the internet registry does not certify {OUTSIDE}")
        assert [("published", "")] * 2 + [failed] + [("published", "")] * 2 == (
            await policies.settled()
        )


@on_sqlite_alone
async def test_what_the_registry_ceases_to_certify_has_no_roa_until_it_does_again(
    rir: InternetRegistry, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CADASTRE_RPKI_REFRESH_SECONDS", "0.2")
    async with world.serving() as client:
        policies = await an_association(client)
        handle = await policies.enable(rir)
        await policies.batch({"Add": [{"prefix": one, "asns": [7]} for one in (A, B)]})
        await policies.settled()
        rir.entitle(handle, Resources.parse(ipv6="2001:db8::/32"))
        await policies.are(**{A: "activate-failed", B: "create-complete"})
        assert await policies.roas() == [(B, "7", 32)]
        rir.entitle(handle, HELD)
        await policies.are(**{A: "create-complete", B: "create-complete"})
        assert await policies.roas() == [(A, "7", 16), (B, "7", 32)]


@on_sqlite_alone
async def test_routes_that_would_suffer_are_named_unless_it_is_forced(
    rir: InternetRegistry,
    world: World,
    roas: RoaExport,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """RFC 6811; by what is announced in the internet, and what others' ROAs say."""
    feed = tmp_path / "routes.txt"
    routes = [("10.9.0.0/16", 7), *((f"10.0.{n}.0/24", 64500) for n in range(5))]
    routes += [(f"10.{64 + n // 256}.{n % 256}.0/24", 7) for n in range(5_001)]
    feed.write_text("".join(f"{asn}\t{prefix}\t9\n" for prefix, asn in routes))
    monkeypatch.setenv("CADASTRE_ROUTE_FEED_FILE", str(feed))
    roas.say((64500, 24), prefix="10.0.4.0/24")
    async with world.serving() as client:
        policies = await an_association(client)
        await policies.enable(rir)
        with pytest.raises(CadastreError) as refused:
            await policies.create(A, "64500")
        assert refused.value.reason == "OperationNotPermitted"
        # 10.0.4.0/24 stays valid by another's ROA.
        named = [f"10.0.{n}.0/24 by AS64500 is unknown and would be invalid" for n in range(3)]
        assert f"{', '.join(named)} and 1 more; repeat with Force" in refused.value.message
        await policies.create(A, "64500", force=True)
        await policies.modify(A, "64500", permit_more_specific_announcements=True, max_length=24)
        with pytest.raises(CadastreError, match="is valid and would be unknown"):
            await policies.delete(A)
        with pytest.raises(CadastreError, match="is valid and would be invalid"):
            await policies.batch({"Add": [{"prefix": A, "asns": [7]}], "Delete": [{"prefix": A}]})
        await policies.create("10.9.0.0/16", "7")
        # What validators have read of the own ROAs meanwhile is none of others'.
        roas.say((64500, 24), prefix=A)
        with pytest.raises(CadastreError, match="would be unknown"):
            await policies.delete(A)
        await policies.delete(A, force=True)
        await policies.settled()
        assert await policies.roas() == [("10.9.0.0/16", "7", 16)]
        with pytest.raises(CadastreError, match="More than 5000 announced routes"):
            await policies.create("10.64.0.0/10", "7")


@pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
async def test_replicas_publish_for_one_association_at_once(
    rir: InternetRegistry, world: World
) -> None:
    async with world.serving() as one, world.serving() as other:
        policies = await an_association(one)
        await policies.enable(rir)
        replicas = [policies, Policies(other, policies.association_id)]
        cidrs = [f"10.{n}.0.0/16" for n in range(8)]
        await asyncio.gather(*(replicas[n % 2].create(cidr, "7") for n, cidr in enumerate(cidrs)))
        assert await policies.settled() == [("published", "")] * 8
        await policies.are(**dict.fromkeys(cidrs, "create-complete"))
        assert await policies.roas() == [(cidr, "7", 16) for cidr in cidrs]


@on_sqlite_alone
async def test_what_is_published_is_renewed_before_it_ends(
    rir: InternetRegistry, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A manifest counts for a day (RFC 9286, section 5.2); meanwhile the registry is away."""
    directory = tmp_path / "rpki"
    monkeypatch.setenv("CADASTRE_RPKI_REPOSITORY_DIRECTORY", str(directory))
    monkeypatch.setenv("CADASTRE_RPKI_REPOSITORY_URI", URI)
    monkeypatch.setenv(
        "CADASTRE_RPKI_NOTIFICATION_URI", "https://rpki.example.net/notification.xml"
    )
    async with world.serving() as client:
        policies = await an_association(client)
        await policies.enable(rir)
        await policies.create(A, "7")
        await policies.settled()
        [first] = (await points_with(directory, "AS7-0a000000-16-16.roa")).values()

    rir.be_silent()

    async def is_renewed() -> bool:
        files = snapshot_in(directory)
        return bool(files) and not {*files.values()} >= {*first.values()}

    later = datetime.now(UTC) + timedelta(hours=17)
    async with world.serving(partial(control_plane, clock=lambda: later)):
        await eventually(is_renewed)
        [second] = (await points_with(directory, "AS7-0a000000-16-16.roa")).values()
        assert {name for name in first if first[name] == second[name]} == {"AS7-0a000000-16-16.roa"}


@needs_rpki_client
@on_sqlite_alone
async def test_validators_find_what_is_told_to_be_published(
    rir: InternetRegistry, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "rpki"
    monkeypatch.setenv("CADASTRE_RPKI_REPOSITORY_DIRECTORY", str(directory))
    monkeypatch.setenv("CADASTRE_RPKI_REPOSITORY_URI", URI)
    monkeypatch.setenv(
        "CADASTRE_RPKI_NOTIFICATION_URI", "https://rpki.example.net/notification.xml"
    )
    async with world.serving() as client:
        policies = await an_association(client)
        await policies.enable(rir)
        await policies.batch({"Add": [{"prefix": A, "asns": [7, 8]}, {"prefix": B, "asns": [0]}]})
        await policies.modify(A, "8", permit_more_specific_announcements=True, max_length=24)
        await policies.settled()
        told = set(await policies.roas())
        assert told == {(A, "8", 24), (B, "0", 32)}
        points = await points_with(directory, "AS8-0a000000-16-24.roa")
        validated = await asyncio.to_thread(validate, rir, points)
        assert {(prefix, str(asn), longest) for prefix, asn, longest in validated.vrps} == told
        assert (validated.roas, validated.faults) == (2, 0), validated.said

        await policies.batch({"Delete": [{"prefix": A}, {"prefix": B}]})
        await policies.settled()
        await policies("DeleteIpamInternetRegistryAssociation", service=REGISTRIES)
        await eventually_is_empty(directory)


async def points_with(directory: Path, name: str) -> dict[str, dict[str, bytes]]:
    """Publication points by URI, once the mirror has written what has a file of that name."""
    written: dict[str, bytes] = {}

    async def is_written() -> bool:
        written.clear()
        written.update(snapshot_in(directory))
        has_it = any(uri.endswith(f"/{name}") for uri in written)
        return has_it and {URI + path for path in files_in(directory)} == written.keys()

    await eventually(is_written)
    found = {URI + path: (directory / path).read_bytes() for path in files_in(directory)}
    assert found == written
    points: dict[str, dict[str, bytes]] = {}
    for uri, content in found.items():
        place, _, file_name = uri.rpartition("/")
        points.setdefault(f"{place}/", {})[file_name] = content
    return points


def snapshot_in(directory: Path) -> dict[str, bytes]:
    """What RRDP tells of (RFC 8182)."""
    notification = directory / "rrdp" / "notification.xml"
    if not notification.exists():
        return {}
    [told] = fromstring(notification.read_text())
    path = directory / "rrdp" / told.attrib["uri"].removeprefix("https://rpki.example.net/")
    root = fromstring(path.read_text())
    return {one.attrib["uri"]: base64.b64decode(one.text or "") for one in root}


def files_in(directory: Path) -> set[str]:
    """The paths of all that rsync offers; folders may go while they are looked at."""
    found = (Path(root, name) for root, _, names in os.walk(directory) for name in names)
    return {
        str(path.relative_to(directory))
        for path in found
        if path.suffix in (".roa", ".mft", ".crl")
    }


async def eventually_is_empty(directory: Path) -> None:
    async def is_it() -> bool:
        return not files_in(directory)

    await eventually(is_it)
