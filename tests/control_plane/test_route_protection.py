"""GetIpamRouteProtectionFindings, and the rules behind it (RFC 6811)."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cadastre.control.v1 import route_protection_service_pb2 as pb
from services.control_plane.byoip.byoip_cidr import ByoipCidrState
from services.control_plane.byoip.route_protection import (
    MOST_OVERLAPS,
    KnownRoas,
    RpkiStatus,
    RpkiStrength,
    protection_of,
    routes_of_others,
)
from services.control_plane.byoip.routes import AdvertisementType, ByoipRoute
from services.control_plane.routes.route import AnnouncedRoute
from services.control_plane.servicer.route_protection_messages import (
    overlaps_to_proto,
    those_that_fit,
)
from services.control_plane.verification.roas import Roa, RoaTable
from shared.cidr import Cidr
from shared.errors import CadastreError, StartFailed
from shared.rpc.client import MAX_MESSAGE_BYTES
from tests.control_plane.byoip_world import ASN, NOON, RANGE, Byoip, RoaExport
from tests.control_plane.routes.feeds import ris_line
from tests.control_plane.world import ACCOUNT, HOME, STRANGER, WEST, World, on_sqlite_alone

SERVICE = "cadastre.control.v1.RouteProtectionService"
CIDR = Cidr.parse("130.137.244.0/23")
WRITTEN, DETECTED = datetime(2030, 6, 14, tzinfo=UTC), datetime(2030, 6, 13, tzinfo=UTC)

ROUTE = ByoipRoute(
    owner_id=ACCOUNT,
    region=WEST,
    cidr=CIDR,
    asn=64496,
    state=ByoipCidrState.PROVISIONED,
    advertisement_type=AdvertisementType.REGIONAL,
    network_border_group=WEST,
)
NONE = RoaTable(())


def roa(asn: int, prefix: str = str(CIDR), longest: int | None = None) -> Roa:
    cidr = Cidr.parse(prefix)
    return Roa(asn, cidr, longest or cidr.prefix_length)


@pytest.mark.parametrize(
    ("roas", "status", "strength"),
    [
        ([], RpkiStatus.UNKNOWN, None),
        ([roa(64496)], RpkiStatus.VALID, RpkiStrength.STRICT),
        ([roa(64496, longest=24)], RpkiStatus.VALID, RpkiStrength.PERMISSIVE),
        ([roa(64496, "130.136.0.0/15", 23)], RpkiStatus.VALID, RpkiStrength.PERMISSIVE),
        ([roa(64496), roa(64496, longest=24)], RpkiStatus.VALID, RpkiStrength.PERMISSIVE),
        ([roa(64496), roa(64497, longest=24)], RpkiStatus.VALID, RpkiStrength.STRICT),
        ([roa(64497)], RpkiStatus.INVALID, None),
        ([roa(64496, "130.136.0.0/15", 22)], RpkiStatus.INVALID, None),
        ([roa(0, longest=32)], RpkiStatus.INVALID, None),
        ([roa(64496, "130.137.244.0/24")], RpkiStatus.UNKNOWN, None),
    ],
    ids=range(10),
)
def test_a_route_is_as_protected_as_the_roas_that_it_is_valid_by(
    roas: list[Roa], status: RpkiStatus, strength: RpkiStrength | None
) -> None:
    found = protection_of(ROUTE, KnownRoas(RoaTable(roas), NONE))
    assert (found.status, found.strength) == (status, strength)


def test_covering_roas_are_told_in_order_and_those_of_both_sources_once() -> None:
    wide, strict, other = roa(64497, "130.136.0.0/15"), roa(64496), roa(64498)
    known = KnownRoas(RoaTable([other, wide, strict]), RoaTable([strict, roa(64495)]))
    found = protection_of(ROUTE, known)
    assert [(one.roa, one.matches) for one in found.roas] == [
        (wide, False),
        (roa(64495), False),
        (strict, True),
        (other, False),
    ]


def test_without_an_export_it_is_not_known_whether_others_have_roas() -> None:
    assert protection_of(ROUTE, KnownRoas(None, NONE)).status is None
    assert protection_of(ROUTE, KnownRoas(None, RoaTable([roa(64496)]))).status == "valid"
    assert protection_of(ROUTE, KnownRoas(None, RoaTable([roa(64497)]))).status == "invalid"


def test_others_are_all_but_its_origins_and_who_announces_everything() -> None:
    announced = [
        AnnouncedRoute(Cidr.parse(prefix), asn, DETECTED)
        for prefix, asn in [
            ("0.0.0.0/0", 1),
            ("130.0.0.0/8", 2),
            (str(CIDR), 64496),
            (str(CIDR), 3),
        ]
    ]
    assert [one.asn for one in routes_of_others(announced, {64496})] == [2, 3]
    many = (AnnouncedRoute(CIDR, asn, DETECTED) for asn in range(MOST_OVERLAPS + 5))
    assert len(routes_of_others(many, ())) == MOST_OVERLAPS


@pytest.fixture
def feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Routes that the context that is made after this is told."""
    path = tmp_path / "routes"
    monkeypatch.setenv("CADASTRE_ROUTE_FEED_FILE", str(path))
    announce(path, (64496, "203.0.113.0/24"))
    return path


def announce(path: Path, *routes: tuple[int, str]) -> None:
    path.write_bytes(b"".join(ris_line([asn], Cidr.parse(prefix)) for asn, prefix in routes))
    os.utime(path, (DETECTED.timestamp(), DETECTED.timestamp()))


def export(roas: RoaExport, *entries: tuple[int, str, int], **members: Any) -> None:
    told = [
        {"asn": asn, "prefix": prefix, "maxLength": longest, **members}
        for asn, prefix, longest in entries
    ]
    roas.path.write_text(json.dumps({"roas": told}))
    os.utime(roas.path, (WRITTEN.timestamp(), WRITTEN.timestamp()))


async def ask(byoip: Byoip, ipam: Any, account_id: str = ACCOUNT, **members: Any) -> Any:
    client = byoip.client.acting_as(account_id, HOME)
    rpc = "GetIpamRouteProtectionFindings"
    return await client.of(SERVICE, rpc, ipam_id=ipam.ipam_id, **members)


async def findings(byoip: Byoip, ipam: Any, **members: Any) -> list[Any]:
    return list((await ask(byoip, ipam, **members)).route_protection_findings)


async def refusal_of(call: Any) -> CadastreError:
    with pytest.raises(CadastreError) as refused:
        await call
    return refused.value


async def test_a_finding_tells_roas_and_routes_of_others(
    feed: Path, roas: RoaExport, byoip: Byoip
) -> None:
    ipam = await byoip.client.create_ipam()
    pool = await byoip.a_regional_pool(ipam)
    byoip.space.provision(str(CIDR), pool)
    end = datetime(2031, 1, 1, tzinfo=UTC)
    export(roas, (14618, str(CIDR), 24), (16509, str(CIDR), 23), expires=int(end.timestamp()))
    announce(
        feed,
        (64496, "130.137.0.0/16"),
        (16509, str(CIDR)),
        (14618, "130.137.244.0/24"),
        (64497, "130.137.245.0/24"),
        (64498, "130.137.246.0/24"),
    )
    answer = await ask(byoip, ipam)
    [finding] = answer.route_protection_findings
    assert answer.ipam_id == ipam.ipam_id
    assert text(finding) == {
        "resource_owner_id": ACCOUNT,
        "resource_region": WEST,
        "ipam_pool_id": pool.ipam_pool_id,
        "cidr": str(CIDR),
        "state": "IPAM_BYOIP_CIDR_STATE_PROVISIONED",
        "advertisement_type": "IPAM_BYOIP_ADVERTISEMENT_TYPE_REGIONAL",
        "network_border_group": WEST,
        "asn": "16509",
        "rpki_status": "IPAM_RPKI_STATUS_VALID",
        "rpki_strength": "IPAM_RPKI_STRENGTH_STRICT",
        "roas": [
            {
                "asn": asn,
                "prefix": str(CIDR),
                "max_length": longest,
                "match": matches,
                "expiration": end,
            }
            for asn, longest, matches in [("14618", 24, False), ("16509", 23, True)]
        ],
        "route_overlaps": [
            {"prefix": "130.137.0.0/16", "asn": "64496", "detected_at": DETECTED},
            {"prefix": "130.137.245.0/24", "asn": "64497", "detected_at": DETECTED},
        ],
        "sample_time": NOON,
        "roa_sample_time": WRITTEN,
    }


def text(message: Any) -> dict[str, Any]:
    """A message's members, as far as they are there."""

    def plain(field: Any, value: Any) -> Any:
        if field.enum_type:
            return field.enum_type.values_by_number[value].name
        if field.message_type is None:
            return value
        is_time = field.message_type.full_name == "google.protobuf.Timestamp"
        return value.ToDatetime(tzinfo=UTC) if is_time else text(value)

    return {
        field.name: [plain(field, one) for one in value]
        if field.is_repeated
        else plain(field, value)
        for field, value in message.ListFields()
    }


async def test_it_tells_what_it_knows_without_roas_and_routes(byoip: Byoip) -> None:
    ipam = await byoip.client.create_ipam()
    byoip.space.provision(str(CIDR), await byoip.a_regional_pool(ipam))
    [finding] = await findings(byoip, ipam)
    known = text(finding)
    assert {"rpki_status", "rpki_strength", "roas", "route_overlaps", "roa_sample_time"}.isdisjoint(
        known
    )
    assert (known["asn"], known["sample_time"]) == ("16509", NOON)


@on_sqlite_alone
async def test_ranges_without_an_ipam_are_told_of_accounts_that_the_ipam_sees(
    byoip: Byoip,
) -> None:
    ipam = await byoip.client.create_ipam()
    await byoip.a_range()
    await byoip.a_range("130.137.250.0/24", STRANGER)
    other = await byoip.client.acting_as(STRANGER).create_ipam()
    byoip.space.provision(str(CIDR), await byoip.a_regional_pool(other))
    [finding] = await findings(byoip, ipam)
    assert (finding.cidr, finding.HasField("ipam_pool_id")) == (RANGE, False)
    found = await findings(byoip, other, account_id=STRANGER)
    assert [one.cidr for one in found] == [str(CIDR), "130.137.250.0/24"]


@on_sqlite_alone
async def test_what_comes_to_be_valid_is_told_at_once(roas: RoaExport, byoip: Byoip) -> None:
    ipam = await byoip.client.create_ipam()
    byoip.space.provision(str(CIDR), await byoip.a_regional_pool(ipam))
    statuses = []
    for entries in ([], [(64496, str(CIDR), 23)], [(16509, str(CIDR), 23)]):
        roas.say(*((asn, longest) for asn, _, longest in entries))
        [finding] = await findings(byoip, ipam)
        statuses.append(text(finding)["rpki_status"].rpartition("_")[2])
    assert statuses == ["UNKNOWN", "INVALID", "VALID"]


FIRST, SECOND = "130.137.244.0/24", "130.137.245.0/24"
FILTERS = [
    ("cidr", "130.137.245.*", [SECOND]),
    ("account-id", ACCOUNT, [FIRST, SECOND, RANGE]),
    ("resource-region", HOME, []),
    ("byoip-cidr-state", "adv*", [SECOND]),
    ("advertisement-type", "global", []),
    ("network-border-group", "us-west-?", [FIRST, SECOND, RANGE]),
    ("ipam-pool-id", "ipam-pool-*", [FIRST, SECOND]),
    ("rpki-status", "valid", [FIRST]),
    ("rpki-status", "unknown", [RANGE]),
    ("asn", ASN, [SECOND]),
]


@on_sqlite_alone
async def test_filters_are_those_of_the_contract(roas: RoaExport, byoip: Byoip) -> None:
    roas.say((16509, 24), (int(ASN), 24))
    ipam = await byoip.client.create_ipam()
    pool = await byoip.a_regional_pool(ipam)
    for cidr in (FIRST, SECOND):
        byoip.space.provision(cidr, pool)
    await byoip.an_asn(ipam.ipam_id)
    await byoip("AssociateIpamByoasn", asn=ASN, cidr=SECOND)
    await byoip("AdvertiseByoipCidr", ACCOUNT, WEST, cidr=SECOND, asn=ASN)
    roas.say((16509, 24), (int(ASN), 23))
    await byoip.a_range()
    found = [
        (name, value, [one.cidr for one in await findings(byoip, ipam, filters=[wanted])])
        for name, value, _ in FILTERS
        for wanted in [{"name": name, "values": [value]}]
    ]
    assert found == FILTERS


@on_sqlite_alone
async def test_what_can_not_be_asked_is_refused(byoip: Byoip) -> None:
    ipam = await byoip.client.create_ipam()
    other = [{"name": "rpki-strength", "values": ["strict"]}]
    refusal = await refusal_of(ask(byoip, ipam, filters=other))
    assert (refusal.reason, refusal.metadata["value"]) == ("InvalidParameterValue", "rpki-strength")
    assert "rpki-status" in refusal.message
    refusal = await refusal_of(ask(byoip, ipam, account_id=STRANGER))
    assert refusal.reason == "InvalidIpamId.NotFound"
    assert (await refusal_of(ask(byoip, ipam, next_token="x"))).reason == "InvalidNextToken"
    assert (await refusal_of(ask(byoip, ipam, dry_run=True))).reason == "DryRunOperation"
    free = await byoip.client.acting_as(STRANGER).create_ipam(tier="free")
    refusal = await refusal_of(ask(byoip, free, account_id=STRANGER))
    assert refusal.reason == "UnsupportedOperation"
    assert "GetIpamDiscoveredRoutes" in refusal.message


@on_sqlite_alone
async def test_pages_go_on_where_they_ended(byoip: Byoip) -> None:
    ipam = await byoip.client.create_ipam()
    pool = await byoip.a_regional_pool(ipam)
    cidrs = [f"130.137.{number}.0/24" for number in range(7)]
    for cidr in cidrs:
        byoip.space.provision(cidr, pool)
    first = await ask(byoip, ipam, max_results=5)
    second = await ask(byoip, ipam, max_results=5, next_token=first.next_token)
    found = [[one.cidr for one in page.route_protection_findings] for page in (first, second)]
    assert found == [cidrs[:5], cidrs[5:]]
    assert not second.next_token


def test_a_page_is_as_large_as_fits_into_a_message() -> None:
    announced = AnnouncedRoute(CIDR, 4_200_000_000, DETECTED)
    overlaps = overlaps_to_proto([announced] * MOST_OVERLAPS)
    finding = pb.IpamRouteProtectionFinding(route_overlaps=overlaps)
    found = [(str(number), finding) for number in range(1000)]
    fitting = those_that_fit(found)
    assert 50 < len(fitting) < 1000
    assert list(fitting) == found[: len(fitting)]
    answer = pb.GetIpamRouteProtectionFindingsResponse(
        route_protection_findings=[finding for _, finding in fitting], next_token="x" * 2048
    )
    assert answer.ByteSize() <= MAX_MESSAGE_BYTES
    assert those_that_fit(found[:2]) == found[:2]


@on_sqlite_alone
async def test_a_feed_that_can_not_be_read_is_an_outage_and_not_no_routes(
    feed: Path, byoip: Byoip, world: World
) -> None:
    ipam = await byoip.client.create_ipam()
    announce(feed)
    refusal = await refusal_of(ask(byoip, ipam))
    assert refusal.reason == "Unavailable"
    assert "CADASTRE_ROUTE_FEED_FILE" in refusal.message
    await byoip.stop()
    with pytest.raises(StartFailed, match="CADASTRE_ROUTE_FEED_FILE"):
        async with world.serving():
            pass
