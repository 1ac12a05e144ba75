"""Advertising CIDRs, and by whose ASN, through the API (BYOIP-4, BYOIP-5, ASN-2, ASN-3)."""

from typing import Any

import pytest

from shared.errors import CadastreError
from tests.control_plane.byoip_world import ASN, IPV6_RANGE, Byoip, RoaExport, associations
from tests.control_plane.world import ACCOUNT, HOME, STRANGER, WEST, on_sqlite_alone, state
from tests.waiting import eventually

CIDR = "130.137.245.0/24"
OTHER_ASN = "54321"


async def advertise(
    byoip: Byoip, cidr: str = CIDR, account_id: str = ACCOUNT, region: str = WEST, **members: Any
) -> Any:
    answer = await byoip("AdvertiseByoipCidr", account_id, region, cidr=cidr, **members)
    return answer.byoip_cidr


async def withdraw(byoip: Byoip, cidr: str = CIDR, region: str = WEST, **members: Any) -> Any:
    answer = await byoip("WithdrawByoipCidr", ACCOUNT, region, cidr=cidr, **members)
    return answer.byoip_cidr


async def associate(
    byoip: Byoip,
    asn: str = ASN,
    cidr: str = CIDR,
    account_id: str = ACCOUNT,
    region: str = HOME,
    **members: Any,
) -> Any:
    answer = await byoip("AssociateIpamByoasn", account_id, region, asn=asn, cidr=cidr, **members)
    return answer.asn_association


async def disassociate(byoip: Byoip, asn: str = ASN, cidr: str = CIDR, **members: Any) -> Any:
    answer = await byoip("DisassociateIpamByoasn", asn=asn, cidr=cidr, **members)
    return answer.asn_association


async def refused(call: Any, match: str | None = None) -> str:
    with pytest.raises(CadastreError, match=match) as refusal:
        await call
    return refusal.value.reason


async def test_a_pools_cidr_is_advertised_and_withdrawn_as_the_guide_prints(  # BYOIP-4
    byoip: Byoip,
) -> None:
    pool = await byoip.a_regional_pool()
    cidr_id = byoip.space.provision(CIDR, pool)
    [before] = (await byoip.cidrs()).values()
    assert (before.cidr, before.status_message, state(before)) == (
        CIDR,
        "Cidr successfully provisioned",
        "provisioned",
    )
    assert (before.ipam_pool_id, before.network_border_group, before.advertisement_type) == (
        pool.ipam_pool_id,
        WEST,
        "regional",
    )
    answer = await advertise(byoip)
    assert (answer.cidr, state(answer), answer.status_message) == (CIDR, "advertised", "")
    assert byoip.space.pins == {cidr_id: "it is advertised; withdraw it first"}
    assert state((await byoip.cidrs())[CIDR]) == "advertised"
    assert state(await advertise(byoip)) == "advertised"
    answer = await withdraw(byoip)
    assert (answer.cidr, state(answer)) == (CIDR, "provisioned")
    assert byoip.space.pins == {}
    assert await byoip.cidrs() == {CIDR: before}


async def test_an_own_asn_goes_the_whole_way_of_the_guide(byoip: Byoip) -> None:  # ASN-1 to 3
    ipam = await byoip.client.create_ipam()
    cidr_id = byoip.space.provision(CIDR, await byoip.a_regional_pool(ipam))
    await byoip.an_asn(ipam.ipam_id)
    answer = await associate(byoip)
    assert (answer.asn, answer.cidr, state(answer)) == (ASN, CIDR, "pending-association")
    assert associations((await byoip.cidrs())[CIDR]) == {ASN: "associated"}
    assert byoip.space.pins[cidr_id] == f"AS{ASN} is associated with it; disassociate it first"

    answer = await advertise(byoip, region=HOME, asn=ASN)
    assert state(answer) == "advertised"
    [association] = answer.asn_associations
    assert association.status_message == "The CIDR is advertised by it"
    assert await refused(disassociate(byoip), "advertised by ASN 12345") == "DependencyViolation"
    assert state(await advertise(byoip, asn="AWS")) == "advertised"
    [association] = (await byoip.cidrs())[CIDR].asn_associations
    assert not association.status_message
    assert state(await withdraw(byoip)) == "provisioned"

    deprovision = {"ipam_id": ipam.ipam_id, "asn": ASN}
    assert await refused(byoip("DeprovisionIpamByoasn", **deprovision), CIDR) == (
        "DependencyViolation"
    )
    assert state(await disassociate(byoip)) == "pending-disassociation"
    assert associations((await byoip.cidrs())[CIDR]) == {}
    assert byoip.space.pins == {}
    await byoip("DeprovisionIpamByoasn", **deprovision)


@on_sqlite_alone
async def test_a_cidr_has_several_asns_and_goes_from_one_to_another(byoip: Byoip) -> None:  # ASN-2
    ipam = await byoip.client.create_ipam()
    cidr_id = byoip.space.provision(CIDR, await byoip.a_regional_pool(ipam))
    for asn in (ASN, OTHER_ASN):
        await byoip.an_asn(ipam.ipam_id, asn)
        await associate(byoip, asn)
    assert byoip.space.pins[cidr_id] == (
        f"AS{ASN}, AS{OTHER_ASN} are associated with it; disassociate them first"
    )
    await advertise(byoip, asn=ASN)
    await advertise(byoip, asn=OTHER_ASN)
    await disassociate(byoip, ASN)
    assert await refused(disassociate(byoip, OTHER_ASN)) == "DependencyViolation"
    # Nothing said: it stays as it is.
    [association] = (await advertise(byoip)).asn_associations
    assert (association.asn, bool(association.status_message)) == (OTHER_ASN, True)


async def test_an_own_asn_takes_over_once_an_hour(byoip: Byoip) -> None:  # ASN-3
    ipam = await byoip.client.create_ipam()
    byoip.space.provision(CIDR, await byoip.a_regional_pool(ipam))
    await byoip.an_asn(ipam.ipam_id)
    await associate(byoip)
    await advertise(byoip, asn=ASN)
    await advertise(byoip, asn="AWS")
    byoip.pass_time(minutes=59, seconds=59)
    reason = await refused(advertise(byoip, asn=ASN), "2030-06-15T13:00:00Z")
    assert reason == "IncorrectState"
    byoip.pass_time(seconds=1)
    await advertise(byoip, asn=ASN)
    # Nor does going out of the routes, or out of the association, save any time.
    await withdraw(byoip)
    await disassociate(byoip)
    await associate(byoip)
    assert await refused(advertise(byoip, asn=ASN)) == "IncorrectState"
    assert state(await advertise(byoip)) == "advertised"


@on_sqlite_alone
async def test_what_is_missing_for_an_advertisement_is_named(byoip: Byoip) -> None:  # BYOIP-4
    ipam = await byoip.client.create_ipam()
    stray = await byoip.a_regional_pool(ipam, locale="None")
    plain = await byoip.client.create_pool(ipam.public_default_scope_id, locale=WEST)
    await byoip.is_told(plain.ipam_pool_id)
    hidden = await byoip.a_regional_pool(ipam, address_family="ipv6", publicly_advertisable=False)
    amazons = await byoip.a_regional_pool(ipam, public_ip_source="amazon")
    for cidr, pool, missing in (
        ("130.137.1.0/24", stray, "no locale"),
        ("130.137.2.0/24", plain, "aws-service 'ec2'"),
        (IPV6_RANGE, hidden, "not publicly advertisable"),
        ("130.137.3.0/24", amazons, "it is Amazon's"),
    ):
        byoip.space.provision(cidr, pool)
        assert await refused(advertise(byoip, cidr), missing) == "OperationNotPermitted"
    assert state((await byoip.cidrs())[IPV6_RANGE]) == "provisioned-not-publicly-advertisable"
    assert set(await byoip.cidrs()) == {IPV6_RANGE}
    assert byoip.space.pins == {}


@on_sqlite_alone
async def test_only_the_pools_owner_decides(byoip: Byoip) -> None:  # BYOIP-4
    pool = await byoip.a_regional_pool()
    byoip.space.provision(CIDR, pool)
    unknown = advertise(byoip, account_id=STRANGER)
    assert await refused(unknown, "no such CIDR in us-west-2") == "InvalidParameterValue"
    byoip.space.shared_with[pool.ipam_pool_id] = STRANGER
    assert set(await byoip.cidrs(STRANGER)) == {CIDR}
    forbidden = advertise(byoip, account_id=STRANGER)
    assert await refused(forbidden, ACCOUNT) == "OperationNotPermitted"
    assert await refused(associate(byoip, account_id=STRANGER, region=WEST)) == (
        "OperationNotPermitted"
    )


@on_sqlite_alone
async def test_a_cidr_is_decided_about_where_it_is_and_where_its_ipam_is(  # ASN-2, BYOIP-4
    byoip: Byoip,
) -> None:
    byoip.space.provision(CIDR, await byoip.a_regional_pool())
    assert set(await byoip.cidrs(region=HOME)) == set(await byoip.cidrs(region=WEST)) == {CIDR}
    await advertise(byoip, region=HOME)
    await withdraw(byoip, region=WEST)
    assert not await byoip.cidrs(region="eu-west-1")
    assert await refused(advertise(byoip, region="eu-west-1")) == "InvalidParameterValue"


@on_sqlite_alone
async def test_impossible_advertisements_are_refused(byoip: Byoip) -> None:
    ipam = await byoip.client.create_ipam()
    byoip.space.provision(CIDR, await byoip.a_regional_pool(ipam))
    await byoip.an_asn(ipam.ipam_id)
    for call, reason in (
        (withdraw(byoip), "IncorrectState"),
        (withdraw(byoip, "130.137.9.0/24"), "InvalidParameterValue"),
        (advertise(byoip, "130.137.245.1/24"), "InvalidParameterValue"),
        (advertise(byoip, asn=ASN), "InvalidParameterValue"),
        (advertise(byoip, asn="aws"), "InvalidParameterValue"),
        (advertise(byoip, network_border_group=HOME), "InvalidParameterValue"),
        (advertise(byoip, dry_run=True), "DryRunOperation"),
        (associate(byoip, OTHER_ASN), "InvalidParameterValue"),
        (associate(byoip, cidr="130.137.9.0/24"), "InvalidParameterValue"),
        (associate(byoip, dry_run=True), "DryRunOperation"),
        (disassociate(byoip), "InvalidParameterValue"),
    ):
        assert await refused(call) == reason
    await associate(byoip)
    assert await refused(associate(byoip), "already") == "IncorrectState"
    assert state((await byoip.cidrs())[CIDR]) == "provisioned"


@on_sqlite_alone
async def test_an_asn_of_another_ipam_can_not_originate_a_pools_cidr(byoip: Byoip) -> None:  # ASN-2
    byoip.space.provision(CIDR, await byoip.a_regional_pool())
    other = await byoip.client.acting_as(region="eu-west-1").create_ipam(operating_regions=[])
    await byoip(
        "ProvisionIpamByoasn",
        region="eu-west-1",
        ipam_id=other.ipam_id,
        asn=ASN,
        asn_authorization_context={
            "message": f"1|aws|{ACCOUNT}|{ASN}|20301231|SHA256|RSAPSS",
            "signature": "c2ln",
        },
    )

    async def is_provisioned() -> bool:
        found = await byoip("DescribeIpamByoasn", region="eu-west-1")
        return [state(one) for one in found.byoasns] == ["provisioned"]

    await eventually(is_provisioned)
    assert await refused(associate(byoip), "not provisioned to 'ipam-") == "InvalidParameterValue"


@on_sqlite_alone
async def test_a_cidr_of_nested_pools_is_told_once_as_the_highest_ones(byoip: Byoip) -> None:
    ipam = await byoip.client.create_ipam()
    top = await byoip.a_regional_pool(ipam, locale="None")
    regional = await byoip.a_regional_pool(ipam, source_ipam_pool_id=top.ipam_pool_id)
    below = await byoip.a_regional_pool(ipam, source_ipam_pool_id=regional.ipam_pool_id)
    byoip.space.provision(CIDR, below)
    byoip.space.provision(CIDR, top)
    cidr_id = byoip.space.provision(CIDR, regional)
    byoip.space.provision("130.137.244.0/24", below)
    found = await byoip.cidrs()
    assert list(found) == ["130.137.244.0/24", CIDR]
    assert found[CIDR].ipam_pool_id == regional.ipam_pool_id
    await advertise(byoip)
    assert list(byoip.space.pins) == [cidr_id]


@on_sqlite_alone
async def test_cidrs_are_told_in_pages_in_order_of_address(byoip: Byoip) -> None:  # BEY-6
    pool = await byoip.a_regional_pool()
    byoip.space.provision("130.137.10.0/24", pool)
    byoip.space.provision("130.137.9.0/24", pool)
    await byoip.a_range("130.137.100.0/24")
    first = await byoip("DescribeByoipCidrs", region=WEST, max_results=2)
    second = await byoip(
        "DescribeByoipCidrs", region=WEST, max_results=2, next_token=first.next_token
    )
    assert [one.cidr for one in first.byoip_cidrs] == ["130.137.9.0/24", "130.137.10.0/24"]
    assert [one.cidr for one in second.byoip_cidrs] == ["130.137.100.0/24"]
    assert not second.next_token
    bad = byoip("DescribeByoipCidrs", region=WEST, max_results=2, next_token="nonsense")
    assert await refused(bad) == "InvalidNextToken"


@on_sqlite_alone
async def test_what_waits_for_the_ledger_is_told_as_pending(byoip: Byoip) -> None:  # BYOIP-4
    cidr_id = byoip.space.provision(CIDR, await byoip.a_regional_pool())
    byoip.space.pins_fail = True
    assert state(await advertise(byoip)) == "pending-advertising"
    byoip.space.pins_fail = False
    await byoip.cidr_in(CIDR, "advertised")
    byoip.space.pins_fail = True
    assert state(await withdraw(byoip)) == "pending-withdrawal"
    byoip.space.pins_fail = False
    await byoip.cidr_in(CIDR, "provisioned")
    assert cidr_id not in byoip.space.pins


async def test_a_cidr_that_vanishes_meanwhile_leaves_nothing(byoip: Byoip) -> None:  # BYOIP-4
    ipam = await byoip.client.create_ipam()
    pool = await byoip.a_regional_pool(ipam)
    await byoip.an_asn(ipam.ipam_id)
    byoip.space.vanish_when_pinned = True
    byoip.space.provision(CIDR, pool)
    await associate(byoip)
    byoip.space.provision(CIDR, pool)
    assert await refused(advertise(byoip), "no such CIDR") == "InvalidParameterValue"
    await byoip("DeprovisionIpamByoasn", ipam_id=ipam.ipam_id, asn=ASN)
    byoip.space.vanish_when_pinned = False
    byoip.space.provision(CIDR, pool)
    assert state((await byoip.cidrs())[CIDR]) == "provisioned"


@on_sqlite_alone
async def test_nothing_more_specific_than_its_roas_is_advertised(  # BYOIP-5
    roas: RoaExport, byoip: Byoip
) -> None:
    pool = await byoip.a_regional_pool()
    byoip.space.provision(CIDR, pool)
    byoip.space.provision("130.137.245.0/25", pool)
    byoip.space.provision("198.51.100.0/25", pool)
    roas.say((16509, 23))
    assert await refused(advertise(byoip), "longer than /23") == "OperationNotPermitted"
    too_specific = advertise(byoip, "198.51.100.0/25")
    assert await refused(too_specific, "longer than /24") == "OperationNotPermitted"
    roas.say((16509, 25), (14618, 24))
    assert state(await advertise(byoip)) == "advertised"
    # Whatever ROAs allow, the internet takes no more specific ones.
    too_specific = advertise(byoip, "130.137.245.0/25")
    assert await refused(too_specific, "longer than /24") == "OperationNotPermitted"


@on_sqlite_alone
async def test_routes_that_would_be_invalid_are_refused(
    roas: RoaExport, byoip: Byoip
) -> None:  # ASN-3
    ipam = await byoip.client.create_ipam()
    byoip.space.provision(CIDR, await byoip.a_regional_pool(ipam))
    await byoip.an_asn(ipam.ipam_id)
    roas.say((16509, 24))
    assert await refused(associate(byoip), f"none allows AS{ASN}") == "OperationNotPermitted"
    roas.say((int(ASN), 24))
    assert await refused(advertise(byoip), "AS16509 and AS14618") == "OperationNotPermitted"
    await associate(byoip)
    assert state(await advertise(byoip, asn=ASN)) == "advertised"


@pytest.fixture
def warning_roas(roas: RoaExport, monkeypatch: pytest.MonkeyPatch) -> RoaExport:
    """Like ``roas``, in an installation that only warns."""
    monkeypatch.setenv("CADASTRE_RPKI_POLICY", "warn")
    return roas


@on_sqlite_alone
async def test_an_installation_can_warn_of_invalid_routes_instead(
    warning_roas: RoaExport, byoip: Byoip
) -> None:
    warning_roas.say((3, 24))
    ipam = await byoip.client.create_ipam()
    byoip.space.provision(CIDR, await byoip.a_regional_pool(ipam))
    await byoip.an_asn(ipam.ipam_id)
    assert f"none allows AS{ASN}" in (await associate(byoip)).status_message
    answer = await advertise(byoip, asn=ASN)
    assert (state(answer), f"none allows AS{ASN}" in answer.status_message) == ("advertised", True)
    brought = await byoip.a_range("130.137.244.0/24")
    assert "none allows AS16509" in brought.status_message
