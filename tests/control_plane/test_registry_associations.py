"""Associations with internet registries over the context's own API, below a local registry."""

import asyncio
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from services.control_plane.delegated_rpki.resources import Resources
from tests.control_plane.registry_associations import (
    HANDLE,
    HELD,
    UNKNOWN,
    Associations,
    Clock,
    id_of,
    refusal_of,
)
from tests.control_plane.world import (
    ACCOUNT,
    HOME,
    STRANGER,
    WEST,
    on_sqlite_alone,
    state,
)
from tests.registries.internet_registry import InternetRegistry
from tests.waiting import eventually

_SET_UP = "{http://www.hactrn.net/uris/rpki/rpki-setup/}"


async def test_an_association_comes_is_certified_and_goes(
    associations: Associations, timed_rir: InternetRegistry, clock: Clock
) -> None:  # RFC 8183, RFC 6492
    control = associations.client
    ipam = await control.create_ipam()
    tags = [
        {
            "resource_type": "ipam-internet-registry-association",
            "tags": [{"key": "Name", "value": "edge"}],
        }
    ]
    made = await associations.create(ipam, description="Example", tag_specifications=tags)
    association_id = id_of(made)
    assert association_id.startswith("ipam-internet-registry-assoc-")
    assert len(association_id) == len("ipam-internet-registry-assoc-") + 17
    kind = "ipam-internet-registry-association"
    assert made.ipam_internet_registry_association_arn == (
        f"arn:aws:ec2::{ACCOUNT}:{kind}/{association_id}"
    )
    assert (made.ipam_id, made.ipam_region, made.owner_id) == (ipam.ipam_id, HOME, ACCOUNT)
    assert (made.organization_handle, made.description) == (HANDLE, "Example")
    assert (state(made), made.HasField("child_request_xml")) == ("create-in-progress", False)

    pending = await associations.settled(association_id, "pending-enable")
    request = fromstring(pending.child_request_xml)
    assert request.tag == f"{_SET_UP}child_request"
    assert "no registrations are staged" in pending.state_message
    assert await associations.cidrs(association_id) == []

    response = timed_rir.admit(pending.child_request_xml, HELD)
    enabling = await associations.enable(association_id, response)
    assert state(enabling) == "enable-in-progress"
    done = await associations.settled(association_id, "enable-complete")
    assert not done.HasField("state_message")
    assert [(tag.key, tag.value) for tag in done.tags] == [("Name", "edge")]
    assert await associations.cidrs(association_id) == ["192.0.2.0/24", "2001:db8::/32"]
    assert await associations.asns(association_id) == [*range(64496, 64512), 65551]
    told = await associations(
        "GetIpamInternetRegistryAssociationCidrs",
        ipam_internet_registry_association_id=association_id,
    )
    [first, _] = told.ipam_internet_registry_association_cidrs
    assert abs(first.last_observed_at.seconds - clock.now.timestamp()) < 2

    await associations.register(association_id, "192.0.2.0/24", "64496")

    async def is_published() -> bool:
        return await associations.roas(association_id) == [("192.0.2.0/24", "64496")]

    await eventually(is_published)
    assert timed_rir.certificate_of(response.child_handle)
    refusal = await refusal_of(associations.delete(association_id))
    assert (refusal.reason, refusal.metadata["count"]) == ("DependencyViolation", "1")
    await control.of(
        "cadastre.control.v1.RoutingPolicyService",
        "DeleteIpamRoutingPolicyRegistration",
        ipam_internet_registry_association_id=association_id,
        cidr="192.0.2.0/24",
    )

    async def is_withdrawn() -> bool:
        return await associations.registrations(association_id) == {}

    await eventually(is_withdrawn)
    gone = await associations.delete(association_id)
    assert state(gone) == "delete-in-progress"
    await associations.gone(association_id)
    assert timed_rir.certificate_of(response.child_handle) is None
    assert [kind for _, kind in timed_rir.asked] == ["list", "list", "issue", "revoke"]


async def test_associations_are_tagged_and_listed_in_pages_by_their_owner_at_home(
    associations: Associations,
) -> None:  # BEY-6, BEY-12
    control = associations.client
    ipam = await control.create_ipam()
    handles = [f"ORG-{number}" for number in range(5)]
    made = [id_of(await associations.create(ipam, organization_handle=one)) for one in handles]
    await control("CreateTags", resources=[made[3]], tags=[{"key": "team", "value": "a"}])
    by_tag = [{"name": "tag:team", "values": ["a"]}]
    assert [id_of(one) for one in await associations.seen(filters=by_tag)] == [made[3]]
    by_handle = [{"name": "organization-handle", "values": ["ORG-1", "ORG-4"]}]
    by_rir = [{"name": "rir", "values": ["ripe"]}]
    assert [id_of(one) for one in await associations.seen(filters=by_handle + by_rir)] == [
        made[1],
        made[4],
    ]
    await associations.delete(made[0])
    await associations.gone(made[0])
    await associations.create(ipam, organization_handle="ORG-5")
    assert [one.organization_handle for one in await associations.seen()] == [
        *handles[1:],
        "ORG-5",
    ]
    for other in (control.acting_as(STRANGER), control.acting_as(region=WEST)):
        assert await Associations(other).seen() == []


@on_sqlite_alone
@pytest.mark.parametrize(
    ("rpc", "members"),
    [
        ("DescribeIpamInternetRegistryAssociations", {}),
        ("DeleteIpamInternetRegistryAssociation", {}),
        ("GetIpamInternetRegistryAssociationAsns", {}),
        ("GetIpamInternetRegistryAssociationCidrs", {}),
        ("GetIpamRouteOriginAuthorizations", {}),
    ],
)
async def test_anothers_association_is_as_unknown_as_nobodys(
    associations: Associations, rpc: str, members: dict[str, Any]
) -> None:  # BEY-12
    control = associations.client
    mine = id_of(await associations.create(await control.create_ipam()))
    for client, association_id in (
        (associations, UNKNOWN),
        (Associations(control.acting_as(STRANGER)), mine),
        (Associations(control.acting_as(region=WEST)), mine),
    ):
        named: dict[str, Any] = {"ipam_internet_registry_association_id": association_id}
        if rpc.startswith("Describe"):
            named = {"ipam_internet_registry_association_ids": [association_id]}
        refusal = await refusal_of(client(rpc, **named, **members))
        assert refusal.reason == "InvalidIpamInternetRegistryAssociationId.NotFound"
        assert association_id in refusal.message


@on_sqlite_alone
async def test_creations_are_checked(
    associations: Associations, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = associations.client
    ipam = await control.create_ipam()
    refused = await refusal_of(associations.create(ipam, organization_handle="ORG EX1"))
    assert (refused.reason, refused.metadata["value"]) == ("InvalidParameterValue", "ORG EX1")
    refused = await refusal_of(associations.create(ipam, dry_run=True))
    assert refused.reason == "DryRunOperation"
    assert await associations.seen() == []

    first = await associations.create(ipam, client_token="t")
    assert await associations.create(ipam, client_token="t") == first  # ALLOC-7
    refused = await refusal_of(associations.create(ipam, organization_handle=HANDLE.title()))
    assert refused.reason == "InvalidParameterValue"
    assert id_of(first) in refused.message
    # Another registry may call another organization the same.
    await associations.create(ipam, rir="apnic")
    for number in range(3):
        await associations.create(ipam, organization_handle=f"ORG-{number}")
    refused = await refusal_of(associations.create(ipam, organization_handle="ORG-3"))
    assert refused.reason == "IpamInternetRegistryAssociationLimitExceeded"
    assert (refused.metadata["quota"], len(await associations.seen())) == ("5", 5)


@on_sqlite_alone
async def test_associations_are_for_the_advanced_tier(associations: Associations) -> None:
    control = associations.client
    ipam = await control.create_ipam(tier="free", operating_regions=[])
    assert (await refusal_of(associations.create(ipam))).reason == "UnsupportedOperation"
    await control("ModifyIpam", ipam_id=ipam.ipam_id, tier="advanced")
    association_id = id_of(await associations.pending(ipam))
    refused = await refusal_of(control("ModifyIpam", ipam_id=ipam.ipam_id, tier="free"))
    assert refused.reason == "DependencyViolation"
    assert association_id in refused.message
    await associations.delete(association_id)
    await associations.gone(association_id)
    await control("ModifyIpam", ipam_id=ipam.ipam_id, tier="free")


@on_sqlite_alone
@pytest.mark.parametrize(
    ("members", "parameter"),
    [
        ({"rpki_version": "2"}, "rpkiVersion"),
        ({"service_uri": "ftp://rpki.example.net/"}, "serviceUri"),
        ({"service_uri": "https://rpki.example.net/up-down"}, "serviceUri"),
        ({"child_handle": "no handle"}, "childHandle"),
        ({"parent_handle": "ö"}, "parentHandle"),
        ({"parent_bpki_ta": "c2VjcmV0"}, "parentBpkiTa"),
    ],
    ids=["version", "scheme", "host-not-allowed", "child", "parent", "trust-anchor"],
)
async def test_a_parent_response_that_cant_be_right_changes_nothing(
    associations: Associations, timed_rir: InternetRegistry, members: dict[str, str], parameter: str
) -> None:
    pending = await associations.pending(await associations.client.create_ipam())
    response = timed_rir.admit(pending.child_request_xml, HELD)
    refused = await refusal_of(associations.enable(id_of(pending), response, **members))
    assert (refused.reason, refused.metadata["parameter"]) == ("InvalidParameterValue", parameter)
    assert state(await associations.one(id_of(pending))) == "pending-enable"
    assert timed_rir.asked == []


@on_sqlite_alone
async def test_what_is_in_progress_or_enabled_is_not_enabled(
    associations: Associations, timed_rir: InternetRegistry
) -> None:
    association_id, response = await associations.enabled(
        await associations.client.create_ipam(), timed_rir
    )
    refused = await refusal_of(associations.enable(association_id, response))
    assert (refused.reason, refused.metadata["state"]) == ("IncorrectState", "enable-complete")


@on_sqlite_alone
async def test_a_repeated_enabling_gives_the_first_answer(
    associations: Associations, timed_rir: InternetRegistry
) -> None:  # ALLOC-7
    pending = await associations.pending(await associations.client.create_ipam())
    response = timed_rir.admit(pending.child_request_xml, HELD)
    first = await associations.enable(id_of(pending), response, client_token="t")
    await associations.settled(id_of(pending), "enable-complete")
    assert await associations.enable(id_of(pending), response, client_token="t") == first


def refuse(rir: InternetRegistry) -> None:
    rir.refuse(1203, "badly formed certificate request")


def refuse_at_length(rir: InternetRegistry) -> None:
    rir.refuse(1203, "x" * 100_000)


def say_what_is_nobodys(rir: InternetRegistry) -> None:
    rir.answer_with(b"no CMS")


@on_sqlite_alone
@pytest.mark.parametrize(
    ("act", "words"),
    [
        (refuse, "badly formed certificate request"),
        (refuse_at_length, "xxx…; ask the registry"),
        (say_what_is_nobodys, "can't be trusted"),
    ],
)
async def test_what_the_registry_refuses_fails_at_once_and_may_be_tried_again(
    associations: Associations, timed_rir: InternetRegistry, act: Any, words: str
) -> None:
    pending = await associations.pending(await associations.client.create_ipam())
    response = timed_rir.admit(pending.child_request_xml, HELD)
    act(timed_rir)
    await associations.enable(id_of(pending), response)
    failed = await associations.settled(id_of(pending), "enable-failed")
    assert words in failed.state_message
    assert len(failed.state_message) < 700
    timed_rir.answer_again()
    await associations.enable(id_of(pending), response)
    done = await associations.settled(id_of(pending), "enable-complete")
    assert not done.HasField("state_message")


@on_sqlite_alone
async def test_a_registry_that_is_away_is_asked_for_a_quarter_of_an_hour(
    associations: Associations, timed_rir: InternetRegistry, clock: Clock
) -> None:
    pending = await associations.pending(await associations.client.create_ipam())
    response = timed_rir.admit(pending.child_request_xml, HELD)
    timed_rir.answer_with(b"", status=503)
    enabling = asyncio.create_task(associations.enable(id_of(pending), response))
    await associations.settled(id_of(pending), "enable-in-progress")
    refused = await refusal_of(associations.delete(id_of(pending)))
    assert (refused.reason, refused.metadata["state"]) == ("IncorrectState", "enable-in-progress")
    clock.pass_time(minutes=16)
    failed = await associations.settled(id_of(pending), "enable-failed")
    assert "503" in failed.state_message
    await enabling
    enabling = asyncio.create_task(associations.enable(id_of(pending), response))
    await associations.settled(id_of(pending), "enable-in-progress")
    timed_rir.answer_again()
    await associations.settled(id_of(pending), "enable-complete")
    await enabling


@on_sqlite_alone
async def test_an_organization_without_anything_is_certified_later(
    associations: Associations, timed_rir: InternetRegistry, clock: Clock
) -> None:
    association_id, response = await associations.enabled(
        await associations.client.create_ipam(), timed_rir, Resources()
    )
    assert "nothing" not in await associations.says(association_id, "no addresses")
    assert await associations.cidrs(association_id) == []
    timed_rir.entitle(response.child_handle, HELD)
    clock.pass_time(hours=2)
    await associations.holds(association_id, ["192.0.2.0/24", "2001:db8::/32"])
    await associations.says(association_id, "")


async def test_an_ipam_goes_with_its_associations_by_cascade_alone(
    associations: Associations, timed_rir: InternetRegistry
) -> None:  # IPAM-9
    control = associations.client
    ipam = await control.create_ipam()
    association_id, response = await associations.enabled(ipam, timed_rir)
    await associations.pending(ipam, organization_handle="ORG-2")
    await associations.register(association_id, "192.0.2.0/24", "64496")
    refused = await refusal_of(control("DeleteIpam", ipam_id=ipam.ipam_id))
    assert refused.reason == "DependencyViolation"
    assert association_id in refused.message
    await control("DeleteIpam", ipam_id=ipam.ipam_id, cascade=True)

    async def is_gone() -> bool:
        return await control.ipams() == [] and await associations.seen() == []

    await eventually(is_gone)
    assert timed_rir.certificate_of(response.child_handle) is None


@on_sqlite_alone
async def test_numbers_are_listed_out_of_ranges_page_by_page(
    associations: Associations, timed_rir: InternetRegistry
) -> None:
    held = Resources.parse(asns="7,64496-64498,4200000000-4294967294", ipv4="192.0.2.0/24")
    ipam = await associations.client.create_ipam()
    association_id, _ = await associations.enabled(ipam, timed_rir, held)
    pages, token, about = [], None, {"ipam_internet_registry_association_id": association_id}
    for _ in range(2):
        members = {**about, "max_results": 6, **({"next_token": token} if token else {})}
        page = await associations("GetIpamInternetRegistryAssociationAsns", **members)
        pages += [int(one.asn) for one in page.ipam_internet_registry_association_asns]
        token = page.next_token
    assert pages == [7, 64496, 64497, 64498, *range(4_200_000_000, 4_200_000_008)]
    assert token

    async def named(*values: str) -> list[int]:
        filters = [{"name": "asn", "values": list(values)}]
        return await associations.asns(association_id, filters=filters, max_results=5)

    # None of these is looked for among ninety million others.
    assert await named("4294967294", "64497", "8", "99999999999") == [64497, 4294967294]
    assert await named("6449?", "7", "429496729*") == [
        *(7, 64496, 64497, 64498),
        4_294_967_290,
    ]
    blocks = [{"name": "cidr", "values": ["192.0.*"]}]
    assert await associations.cidrs(association_id, filters=blocks) == ["192.0.2.0/24"]
    refused = await refusal_of(
        associations.asns(association_id, filters=[{"name": "colour", "values": ["red"]}])
    )
    assert refused.reason == "InvalidParameterValue"


@on_sqlite_alone
async def test_a_registry_that_is_silent_keeps_no_association_from_going(
    associations: Associations, timed_rir: InternetRegistry
) -> None:
    association_id, _ = await associations.enabled(
        await associations.client.create_ipam(), timed_rir
    )
    timed_rir.answer_with(b"", status=503)
    await associations.delete(association_id)
    await associations.gone(association_id)
