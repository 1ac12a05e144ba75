"""Moving ranges to pools, through the API (BYOIP-6)."""

from typing import Any

import pytest

from shared.errors import CadastreError
from tests.control_plane.byoip_world import (
    ASN,
    IPV6_RANGE,
    RANGE,
    Byoip,
    associations,
    signed,
)
from tests.control_plane.share_world import (
    DEFAULT_PERMISSION,
    IMPORT_PERMISSION,
    Company,
    a_company,
)
from tests.control_plane.world import ACCOUNT, STRANGER, WEST, on_sqlite_alone, state
from tests.waiting import eventually

OTHER = "130.137.250.0/24"


async def moved(byoip: Byoip, pool: Any, account_id: str = ACCOUNT) -> Any:
    """The answer to who asks until the transfer is over."""
    answer = await byoip.move(pool, account_id)
    assert state(answer) == "pending-transfer"
    return await byoip.move(pool, account_id)


async def test_a_range_moves_to_an_own_pool_as_the_guide_prints(byoip: Byoip) -> None:  # BYOIP-6
    pool = await byoip.a_regional_pool()
    await byoip.a_range()
    answer = await moved(byoip, pool)
    assert (answer.cidr, state(answer)) == (RANGE, "complete-transfer")
    assert byoip.space.registered == {}
    found = (await byoip.cidrs())[RANGE]
    assert (state(found), found.ipam_pool_id, found.pool_id) == (
        "provisioned",
        pool.ipam_pool_id,
        "",
    )
    # It is the pool's from now on: advertised, and deprovisioned, as such.
    await byoip("AdvertiseByoipCidr", region=WEST, cidr=RANGE)
    with pytest.raises(CadastreError, match="no such CIDR"):
        await byoip("DeprovisionByoipCidr", region=WEST, cidr=RANGE)
    assert state(await byoip.move(pool)) == "complete-transfer"


async def test_what_is_advertised_stays_so(byoip: Byoip) -> None:  # BYOIP-6, ASN-2
    ipam = await byoip.client.create_ipam()
    pool = await byoip.a_regional_pool(ipam)
    await byoip.an_asn(ipam.ipam_id)
    await byoip.a_range()
    await byoip("AssociateIpamByoasn", region=WEST, cidr=RANGE, asn=ASN)
    await byoip("AdvertiseByoipCidr", region=WEST, cidr=RANGE, asn=ASN)
    await moved(byoip, pool)
    found = await byoip.cidr_in(RANGE, "advertised")
    assert found.ipam_pool_id == pool.ipam_pool_id
    assert associations(found) == {ASN: "associated"}
    [public] = byoip.space.cidrs
    assert byoip.space.pins == {public.ipam_pool_cidr_id: "it is advertised; withdraw it first"}
    await byoip("WithdrawByoipCidr", region=WEST, cidr=RANGE)
    await byoip("DisassociateIpamByoasn", region=WEST, cidr=RANGE, asn=ASN)
    assert byoip.space.pins == {}
    await byoip("DeprovisionIpamByoasn", ipam_id=ipam.ipam_id, asn=ASN)


@on_sqlite_alone
async def test_what_is_advertised_stays_before_it_is_the_pools(byoip: Byoip) -> None:  # BYOIP-6
    pool = await byoip.a_regional_pool()
    await byoip.a_range()
    await byoip("AdvertiseByoipCidr", region=WEST, cidr=RANGE)
    byoip.space.pins_fail = True
    await byoip.move(pool)

    async def has_failed() -> bool:
        return byoip.space.pins_failed > 0

    await eventually(has_failed)
    assert state(await byoip.move(pool)) == "pending-transfer"
    byoip.space.pins_fail = False

    async def is_moved() -> bool:
        return state(await byoip.move(pool)) == "complete-transfer"

    await eventually(is_moved)
    assert list(byoip.space.pins.values()) == ["it is advertised; withdraw it first"]


@on_sqlite_alone
async def test_no_asn_of_another_ipam_goes_with_it(byoip: Byoip) -> None:  # BYOIP-6, ASN-2
    ipam = await byoip.client.create_ipam()
    other = await byoip.client.acting_as(region="us-west-1").create_ipam()
    pool = await byoip.a_regional_pool(ipam)
    await byoip(
        "ProvisionIpamByoasn",
        region="us-west-1",
        ipam_id=other.ipam_id,
        asn=ASN,
        asn_authorization_context=signed(ASN),
    )
    await byoip.a_range()

    async def associate() -> bool:
        try:
            await byoip("AssociateIpamByoasn", region=WEST, cidr=RANGE, asn=ASN)
        except CadastreError:
            return False
        return True

    await eventually(associate)
    with pytest.raises(CadastreError, match=f"AS{ASN}, not provisioned to '{ipam.ipam_id}'"):
        await byoip.move(pool)
    await byoip("DisassociateIpamByoasn", region=WEST, cidr=RANGE, asn=ASN)
    assert state(await moved(byoip, pool)) == "complete-transfer"


@on_sqlite_alone
async def test_the_ledger_is_told_again_what_has_to_stay(byoip: Byoip) -> None:  # BEY-14
    pool = await byoip.a_regional_pool()
    await byoip.a_range()
    await moved(byoip, pool)
    await byoip("AdvertiseByoipCidr", region=WEST, cidr=RANGE)
    told = dict(byoip.space.pins)
    assert list(told.values()) == ["it is advertised; withdraw it first"]
    await byoip.stop()
    # Restored from a backup, the ledger has no pins.
    byoip.space.pins.clear()
    async with byoip.serving():

        async def is_told() -> bool:
            return byoip.space.pins == told

        await eventually(is_told)


@on_sqlite_alone
async def test_a_refused_transfer_leaves_it_usable(byoip: Byoip) -> None:  # BYOIP-6, BEY-4
    pool = await byoip.a_regional_pool()
    await byoip.a_range()
    byoip.space.refusals[RANGE] = "the pool has as many CIDRs as it may have"
    await byoip.move(pool)
    failed = await byoip.cidr_in(RANGE, "failed-transfer")
    assert failed.status_message == "the pool has as many CIDRs as it may have"
    await byoip("AdvertiseByoipCidr", region=WEST, cidr=RANGE)
    await byoip.cidr_in(RANGE, "advertised")
    byoip.space.refusals.clear()
    assert state(await moved(byoip, pool)) == "complete-transfer"
    await byoip.cidr_in(RANGE, "advertised")


@on_sqlite_alone
async def test_nothing_is_done_to_a_range_on_its_way(byoip: Byoip) -> None:  # BYOIP-6
    ipam = await byoip.client.create_ipam()
    pool, other = await byoip.a_regional_pool(ipam), await byoip.a_regional_pool(ipam)
    await byoip.a_range()
    byoip.space.moves_fail = True
    assert state(await byoip.move(pool)) == "pending-transfer"
    for call in (
        byoip("AdvertiseByoipCidr", region=WEST, cidr=RANGE),
        byoip("WithdrawByoipCidr", region=WEST, cidr=RANGE),
        byoip("DeprovisionByoipCidr", region=WEST, cidr=RANGE),
        byoip.move(other),
    ):
        with pytest.raises(CadastreError) as refusal:
            await call
        assert refusal.value.reason == "IncorrectState"
    assert state((await byoip.cidrs())[RANGE]) == "pending-transfer"
    byoip.space.moves_fail = False
    await byoip.cidr_in(RANGE, "provisioned")


@on_sqlite_alone
async def test_the_pools_owner_may_be_quicker_than_the_transfers_end(  # BYOIP-6
    byoip: Byoip,
) -> None:
    pool = await byoip.a_regional_pool()
    await byoip.a_range()
    await byoip("AdvertiseByoipCidr", region=WEST, cidr=RANGE)
    byoip.space.moves_are_lost = True
    assert state(await byoip.move(pool)) == "pending-transfer"
    answer = await byoip("AdvertiseByoipCidr", region=WEST, cidr=RANGE)
    assert answer.byoip_cidr.ipam_pool_id == pool.ipam_pool_id
    byoip.space.moves_are_lost = False

    async def is_complete() -> bool:
        return state(await byoip.move(pool)) == "complete-transfer"

    await eventually(is_complete)
    await byoip.cidr_in(RANGE, "advertised")
    [public] = byoip.space.cidrs
    assert list(byoip.space.pins) == [public.ipam_pool_cidr_id]
    await byoip("WithdrawByoipCidr", region=WEST, cidr=RANGE)
    assert byoip.space.pins == {}


@on_sqlite_alone
async def test_a_range_that_moved_can_be_brought_again(byoip: Byoip) -> None:
    await byoip.a_range()
    pool = await byoip.a_regional_pool()
    await moved(byoip, pool)
    [public] = byoip.space.cidrs
    byoip.space.deprovision(public.ipam_pool_cidr_id)
    again = await byoip.a_range()
    assert not again.ipam_pool_id
    assert state(await byoip.move(pool)) == "pending-transfer"


@pytest.fixture
async def company(byoip: Byoip) -> Company:
    return await a_company(byoip.client)


async def test_who_may_import_moves_a_range_to_anothers_pool(  # BYOIP-6, ORG-4
    byoip: Byoip, company: Company
) -> None:
    pool = await byoip.a_regional_pool(company.ipam)
    await byoip.a_range(account_id=company.member)
    with pytest.raises(CadastreError) as refusal:
        await byoip.move(pool, company.member)
    assert refusal.value.reason == "InvalidIpamPoolId.NotFound"

    principals = [company.member]
    await company.share(
        pool.ipam_pool_arn, principals=principals, permission_arns=[DEFAULT_PERMISSION]
    )
    with pytest.raises(CadastreError, match=IMPORT_PERMISSION.rpartition("/")[2]) as refusal:
        await byoip.move(pool, company.member)
    assert refusal.value.reason == "OperationNotPermitted"

    share = await company.share(
        pool.ipam_pool_arn, principals=[company.unit_arn], permission_arns=[IMPORT_PERMISSION]
    )
    with pytest.raises(CadastreError) as refusal:
        await byoip.move(pool, company.member)
    assert refusal.value.reason == "OperationNotPermitted"
    await company.ram(
        company.owner, "AssociateResourceShare", resource_share_arn=share, principals=principals
    )
    assert state(await moved(byoip, pool, company.member)) == "complete-transfer"
    assert not await byoip.cidrs(company.member)
    assert set(await byoip.cidrs(company.owner)) == {RANGE}


@on_sqlite_alone
async def test_on_the_free_tier_nobody_else_imports(  # BYOIP-6, IPAM-4
    byoip: Byoip, company: Company
) -> None:
    owner = byoip.client.acting_as(company.owner)
    pool = await byoip.a_regional_pool(company.ipam, locale=company.ipam.ipam_region)
    await company.share(
        pool.ipam_pool_arn, principals=[company.member], permission_arns=[IMPORT_PERMISSION]
    )
    await owner("ModifyIpam", ipam_id=company.ipam.ipam_id, tier="free")
    await byoip.a_range(account_id=company.member, region=company.ipam.ipam_region)
    with pytest.raises(CadastreError) as refusal:
        await byoip.client.acting_as(company.member).of(
            "cadastre.control.v1.ByoipService",
            "MoveByoipCidrToIpam",
            cidr=RANGE,
            ipam_pool_id=pool.ipam_pool_id,
            ipam_pool_owner=company.owner,
        )
    assert refusal.value.reason == "InvalidIpamPoolId.NotFound"


@on_sqlite_alone
async def test_each_wrong_pool_is_refused_for_what_is_wrong(byoip: Byoip) -> None:  # BYOIP-6
    ipam = await byoip.client.create_ipam()
    good = await byoip.a_regional_pool(ipam)
    private = await byoip.client.create_pool(ipam.private_default_scope_id, locale=WEST)
    plain = await byoip.client.create_pool(ipam.public_default_scope_id, locale=WEST)
    await byoip.a_range()
    for pool, match in (
        (private, "private scope"),
        (
            await byoip.a_regional_pool(ipam, source_ipam_pool_id=good.ipam_pool_id),
            "use a top-level pool",
        ),
        (
            await byoip.a_regional_pool(ipam, address_family="ipv6", publicly_advertisable=True),
            "for IPv6",
        ),
        (await byoip.a_regional_pool(ipam, locale="us-east-1"), f"use one with '{WEST}'"),
        (await byoip.a_regional_pool(ipam, public_ip_source="amazon"), "Amazon's addresses"),
        (plain, "aws-service 'ec2'"),
    ):
        with pytest.raises(CadastreError, match=match) as refusal:
            await byoip.move(pool)
        assert refusal.value.reason == "InvalidParameterValue"
    assert state((await byoip.cidrs())[RANGE]) == "provisioned"


@on_sqlite_alone
async def test_wrong_ranges_and_owners_are_refused(byoip: Byoip) -> None:  # BYOIP-6
    pool = await byoip.a_regional_pool()
    await byoip.a_range()
    await byoip.a_range(IPV6_RANGE)
    await byoip.a_range("130.137.251.0/24", network_border_group=f"{WEST}-lax-1")
    for call, reason in (
        (byoip.move(pool, cidr=IPV6_RANGE), "InvalidParameterValue"),
        (byoip.move(pool, cidr=OTHER), "InvalidParameterValue"),
        (byoip.move(pool, cidr="130.137.251.0/24"), "InvalidParameterValue"),
        (byoip.move(pool, STRANGER), "InvalidParameterValue"),
        (byoip.move(pool, ipam_pool_owner=STRANGER), "InvalidIpamPoolId.NotFound"),
        (byoip.move(pool, dry_run=True), "DryRunOperation"),
    ):
        with pytest.raises(CadastreError) as refusal:
            await call
        assert refusal.value.reason == reason
    assert state((await byoip.cidrs())[RANGE]) == "provisioned"
