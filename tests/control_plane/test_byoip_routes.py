"""Which routes there are to what was brought along: the rules, and what discovery is told."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from services.control_plane.byoip.asn_association import AsnAssociation, AssociationState
from services.control_plane.byoip.byoip_cidr import (
    BroughtAlone,
    ByoipCidr,
    ByoipCidrState,
    of_pool,
)
from services.control_plane.byoip.public_cidr import PublicCidr
from services.control_plane.byoip.routes import (
    AdvertisementType,
    announced_origin,
    is_brought,
    origins_by_cidr,
    routes_of_pool_cidr,
    routes_of_range,
)
from services.control_plane.pool import AwsService, PublicIpSource
from services.control_plane.regions import NO_LOCALE
from services.control_plane.verification.claim import SignedMessage
from services.control_plane.verification.verdict import Refuted
from shared.cidr import Cidr
from shared.errors import CadastreError
from tests.control_plane.byoip_world import ASN, NOON, RANGE, Byoip
from tests.control_plane.world import ACCOUNT, HOME, STRANGER, WEST, on_sqlite_alone

CIDR = "130.137.245.0/24"
PUBLIC = PublicCidr(
    ipam_pool_cidr_id="ipam-pool-cidr-1",
    cidr=Cidr.parse(CIDR),
    ipam_pool_id="ipam-pool-1",
    ipam_id="ipam-1",
    owner_id=ACCOUNT,
    locale=WEST,
    aws_service=AwsService.EC2,
    public_ip_source=PublicIpSource.BYOIP,
    publicly_advertisable=False,
)
ALONE = BroughtAlone(
    proof=SignedMessage("", ""),
    requested_at=NOON,
    description=None,
    publicly_advertisable=True,
    pool_id="ipv4pool-ec2-1",
)


def own(asn: int, state: AssociationState = AssociationState.ASSOCIATED) -> AsnAssociation:
    return AsnAssociation(asn, state)


def a_range(**members: Any) -> ByoipCidr:
    known = ByoipCidr(
        byoip_cidr_id="byoip-cidr-1",
        cidr=Cidr.parse(CIDR),
        owner_id=ACCOUNT,
        region=WEST,
        network_border_group=f"{WEST}-lax-1",
        holder=ALONE,
        state=ByoipCidrState.PROVISIONED,
    )
    return replace(known, **members)


LEAVING = own(7, AssociationState.PENDING_DISASSOCIATION)


@pytest.mark.parametrize(
    ("associations", "is_advertised", "origin", "asns", "announced"),
    [
        ([], False, None, [16509], None),
        ([], True, None, [16509], 16509),
        ([own(9), own(5)], False, None, [5, 9], None),
        ([own(9), own(5)], True, 9, [5, 9], 9),
        ([own(9)], True, None, [9, 16509], 16509),
        ([own(9, AssociationState.PENDING_ASSOCIATION), LEAVING], False, None, [9], None),
        ([LEAVING], False, None, [16509], None),
    ],
    ids=["none", "by Amazon", "own", "by an own", "own, but by Amazon", "coming", "leaving"],
)
def test_own_asns_originate_what_they_are_associated_with_and_amazons_the_rest(  # ASN-2, ASN-3
    associations: Sequence[AsnAssociation],
    is_advertised: bool,
    origin: int | None,
    asns: list[int],
    announced: int | None,
) -> None:
    cidr = a_range(
        asn_associations=tuple(associations), is_advertised=is_advertised, origin_asn=origin
    )
    assert [route.asn for route in routes_of_range(cidr)] == asns
    assert announced_origin(cidr) == announced


def test_amazon_announces_by_right_by_either_of_its_asns() -> None:  # BYOIP-5
    routes = routes_of_range(a_range(asn_associations=(own(9),), is_advertised=True))
    assert origins_by_cidr(routes) == {Cidr.parse(CIDR): {9, 16509, 14618}}
    assert origins_by_cidr(routes[:1]) == {Cidr.parse(CIDR): {9}}


@pytest.mark.parametrize(
    ("state", "is_advertised", "told"),
    [
        (ByoipCidrState.PENDING_TRANSFER, True, "advertised"),
        (ByoipCidrState.PENDING_TRANSFER, False, "provisioned"),
        (ByoipCidrState.FAILED_TRANSFER, False, "provisioned"),
        (ByoipCidrState.FAILED_PROVISION, False, "failed-provision"),
        (ByoipCidrState.PENDING_WITHDRAWAL, False, "pending-withdrawal"),
    ],
)
def test_a_transfer_changes_nothing_about_a_route(  # BYOIP-6
    state: ByoipCidrState, is_advertised: bool, told: str
) -> None:
    [route] = routes_of_range(a_range(state=state, is_advertised=is_advertised))
    assert route.state == told


@pytest.mark.parametrize(
    ("cidr", "source", "is_one"),
    [
        ("130.137.245.0/24", PublicIpSource.BYOIP, True),
        ("130.137.245.0/25", PublicIpSource.BYOIP, False),
        ("130.137.245.0/24", PublicIpSource.AMAZON, False),
        ("130.137.245.0/24", None, False),
        ("2605:9cc0:409::/48", PublicIpSource.BYOIP, True),
        ("2605:9cc0:409::/49", PublicIpSource.BYOIP, False),
    ],
)
def test_only_what_was_brought_along_and_can_be_routed_has_routes(
    cidr: str, source: PublicIpSource | None, is_one: bool
) -> None:  # BYOIP-4, PROV-6
    assert is_brought(replace(PUBLIC, cidr=Cidr.parse(cidr), public_ip_source=source)) is is_one


def test_what_has_no_locale_is_global_and_where_its_ipam_is() -> None:
    [route] = routes_of_pool_cidr(replace(PUBLIC, locale=NO_LOCALE), None, HOME)
    assert (route.region, route.network_border_group) == (HOME, HOME)
    assert route.advertisement_type is AdvertisementType.GLOBAL
    [route] = routes_of_pool_cidr(PUBLIC, None, HOME)
    assert (route.region, route.network_border_group) == (WEST, WEST)
    assert route.advertisement_type is AdvertisementType.REGIONAL
    services = replace(PUBLIC, aws_service=AwsService.GLOBAL_SERVICES)
    [route] = routes_of_pool_cidr(services, None, HOME)
    assert route.advertisement_type is AdvertisementType.GLOBAL


@pytest.mark.parametrize(
    ("advertisable", "state"),
    [(True, "provisioned"), (False, "provisioned-not-publicly-advertisable")],
)
def test_a_pools_ipv6_cidr_says_whether_it_may_be_advertised(
    advertisable: bool, state: str
) -> None:  # BYOIP-4
    cidr = Cidr.parse("2605:9cc0:409::/48")
    public = replace(PUBLIC, cidr=cidr, publicly_advertisable=advertisable)
    for told in (None, of_pool(public, "byoip-cidr-1")):
        [route] = routes_of_pool_cidr(public, told, HOME)
        assert route.state == state


async def told(
    byoip: Byoip, region: str = WEST, owners: Sequence[str] = (ACCOUNT,)
) -> list[tuple[str, int, str]]:
    answer = await byoip.client.inventory(
        "ListByoipRoutes", service="discovery", owner_ids=owners, region=region
    )
    return [(one.cidr, one.asn, one.state) for one in answer.byoip_routes]


async def test_discovery_is_told_of_pools_and_of_what_came_without_an_ipam(byoip: Byoip) -> None:
    ipam = await byoip.client.create_ipam()
    pool = await byoip.a_regional_pool(ipam)
    whole = await byoip.a_regional_pool(ipam, locale=NO_LOCALE, aws_service="ec2")
    byoip.space.provision(CIDR, pool)
    byoip.space.provision("130.137.244.0/22", whole)
    byoip.space.provision("130.137.245.128/25", pool)
    await byoip.a_range()
    await byoip.an_asn(ipam.ipam_id)
    await byoip("AssociateIpamByoasn", asn=ASN, cidr=CIDR)
    await byoip("AdvertiseByoipCidr", ACCOUNT, WEST, cidr=CIDR, asn=ASN)
    assert await told(byoip) == [
        (CIDR, int(ASN), "advertised"),
        (RANGE, 16509, "provisioned"),
    ]
    assert await told(byoip, HOME) == [("130.137.244.0/22", 16509, "provisioned")]
    answer = await byoip.client.inventory(
        "ListByoipRoutes", service="discovery", owner_ids=[ACCOUNT], region=WEST
    )
    of_a_pool, alone = answer.byoip_routes
    assert (of_a_pool.ipam_pool_id, of_a_pool.HasField("pool_id")) == (pool.ipam_pool_id, False)
    assert (of_a_pool.owner_id, of_a_pool.network_border_group) == (ACCOUNT, WEST)
    assert alone.pool_id.startswith("ipv4pool-ec2-")
    assert not alone.HasField("ipam_pool_id")
    assert await told(byoip, owners=[STRANGER]) == []


@on_sqlite_alone
async def test_a_cidr_that_nested_pools_have_is_one_route_of_the_highest(byoip: Byoip) -> None:
    top = await byoip.a_regional_pool()
    child = await byoip.client.create_pool(
        top.ipam_scope_arn.rpartition("/")[2],
        source_ipam_pool_id=top.ipam_pool_id,
        locale=WEST,
    )
    await byoip.is_told(child.ipam_pool_id)
    byoip.space.provision(CIDR, child)
    byoip.space.provision(CIDR, top)
    answer = await byoip.client.inventory(
        "ListByoipRoutes", service="discovery", owner_ids=[ACCOUNT], region=WEST
    )
    assert [one.ipam_pool_id for one in answer.byoip_routes] == [top.ipam_pool_id]


@on_sqlite_alone
async def test_pools_that_are_shared_are_their_owners_alone(byoip: Byoip) -> None:
    pool = await byoip.a_regional_pool()
    byoip.space.provision(CIDR, pool)
    byoip.space.shared_with[pool.ipam_pool_id] = STRANGER
    await byoip.a_regional_pool(await byoip.client.acting_as(STRANGER).create_ipam())
    assert await told(byoip, owners=[STRANGER]) == []
    assert await told(byoip, owners=[STRANGER, ACCOUNT]) == [(CIDR, 16509, "provisioned")]


@on_sqlite_alone
async def test_what_failed_is_told_for_a_week(byoip: Byoip) -> None:  # BYOIP-1
    byoip.verifier.verdicts[RANGE] = Refuted("no")
    await byoip.bring()
    await byoip.cidr_in(RANGE, "failed-provision")
    assert await told(byoip) == [(RANGE, 16509, "failed-provision")]
    byoip.pass_time(days=7)
    assert await told(byoip) == []


@on_sqlite_alone
async def test_accounts_are_not_told_by_this_rpc(byoip: Byoip) -> None:
    with pytest.raises(CadastreError):
        await byoip.client.inventory(
            "ListByoipRoutes", service="", owner_ids=[ACCOUNT], region=WEST
        )
