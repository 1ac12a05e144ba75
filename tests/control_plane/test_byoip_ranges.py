"""Ranges that come without an IPAM, through the API (BYOIP-1, BYOIP-4)."""

import asyncio
from typing import Any

import pytest

from services.control_plane.verification.claim import RangeClaim, SignedMessage
from services.control_plane.verification.verdict import Refuted, Unproven
from shared.cidr import Cidr
from shared.errors import CadastreError
from tests.control_plane.byoip_world import (
    ASN,
    IPV6_RANGE,
    RANGE,
    SIGNATURE,
    Byoip,
    associations,
    signed,
)
from tests.control_plane.world import ACCOUNT, HOME, STRANGER, WEST, on_sqlite_alone, state
from tests.waiting import eventually

KIND = "ipv4pool-ec2"
OTHER = "130.138.0.0/24"


async def deprovision(
    byoip: Byoip, cidr: str = RANGE, account_id: str = ACCOUNT, region: str = WEST, **members: Any
) -> Any:
    answer = await byoip("DeprovisionByoipCidr", account_id, region, cidr=cidr, **members)
    return answer.byoip_cidr


async def advertise(byoip: Byoip, cidr: str = RANGE, **members: Any) -> Any:
    answer = await byoip("AdvertiseByoipCidr", region=WEST, cidr=cidr, **members)
    return answer.byoip_cidr


async def is_gone(byoip: Byoip, cidr: str = RANGE) -> None:
    """Once the range is told no more."""

    async def is_not_told() -> bool:
        return cidr not in await byoip.cidrs()

    await eventually(is_not_told)


async def test_an_ipv4_range_becomes_a_public_ipv4_pool(byoip: Byoip) -> None:  # BYOIP-1
    tags = [{"resource_type": KIND, "tags": [{"key": "a", "value": "1"}]}]
    answer = await byoip.bring(description="ours", pool_tag_specifications=tags)
    assert (answer.cidr, state(answer), answer.description) == (RANGE, "pending-provision", "ours")
    found = await byoip.cidr_in(RANGE, "provisioned")
    assert found.status_message == "Cidr successfully provisioned"
    assert found.pool_id == answer.pool_id
    assert found.pool_id.startswith("ipv4pool-ec2-")
    assert not found.ipam_pool_id
    message = f"1|aws|{ACCOUNT}|{RANGE}|20301231|SHA256|RSAPSS"
    assert byoip.verifier.asked == [
        (RangeClaim(Cidr.parse(RANGE), ACCOUNT), SignedMessage(message, SIGNATURE))
    ]
    assert byoip.space.registered == {RANGE: ACCOUNT}
    caller, pool = byoip.network.pools[found.pool_id]
    assert (caller.account_id, caller.region, caller.service) == (ACCOUNT, WEST, "control_plane")
    assert (pool.cidr, pool.network_border_group, pool.description) == (RANGE, WEST, "ours")
    assert [(tag.key, tag.value) for tag in pool.tags] == [("a", "1")]
    assert not await byoip.cidrs(region=HOME)
    assert not await byoip.cidrs(STRANGER)


@on_sqlite_alone
async def test_an_ipv6_range_has_no_pool(byoip: Byoip) -> None:
    found = await byoip.a_range(IPV6_RANGE)
    assert not found.pool_id
    assert byoip.network.pools == {}
    assert state(await advertise(byoip, IPV6_RANGE)) == "advertised"
    hidden = "2605:9cc0:40a:10::/60"
    await byoip.a_range(hidden, publicly_advertisable=False)
    with pytest.raises(CadastreError, match="not publicly advertisable") as refusal:
        await advertise(byoip, hidden)
    assert refusal.value.reason == "OperationNotPermitted"


async def test_a_range_is_advertised_and_given_up(byoip: Byoip) -> None:  # BYOIP-4
    pool_id = (await byoip.a_range()).pool_id
    assert state(await advertise(byoip)) == "advertised"
    with pytest.raises(CadastreError, match="withdraw it first") as refusal:
        await deprovision(byoip)
    assert refusal.value.reason == "IncorrectState"
    withdrawn = (await byoip("WithdrawByoipCidr", region=WEST, cidr=RANGE)).byoip_cidr
    assert state(withdrawn) == "provisioned"
    assert pool_id in byoip.network.pools
    assert state(await deprovision(byoip)) == "pending-deprovision"
    await is_gone(byoip)
    assert (byoip.space.registered, byoip.network.pools) == ({}, {})
    await byoip.a_range()


@on_sqlite_alone
async def test_a_range_has_the_asns_of_its_owners_ipams(byoip: Byoip) -> None:  # ASN-2
    ipam = await byoip.client.create_ipam()
    await byoip.an_asn(ipam.ipam_id)
    await byoip.a_range()
    await byoip("AssociateIpamByoasn", region=WEST, cidr=RANGE, asn=ASN)
    assert associations((await byoip.cidrs())[RANGE]) == {ASN: "associated"}
    with pytest.raises(CadastreError, match=f"AS{ASN} is associated") as refusal:
        await deprovision(byoip)
    assert refusal.value.reason == "IncorrectState"
    assert state(await advertise(byoip, asn=ASN)) == "advertised"
    stranger = await byoip.client.acting_as(STRANGER).create_ipam()
    await byoip.an_asn(stranger.ipam_id, "7", STRANGER)
    with pytest.raises(CadastreError, match=f"an IPAM of account {ACCOUNT}"):
        await byoip("AssociateIpamByoasn", region=WEST, cidr=RANGE, asn="7")


async def test_a_range_that_is_not_proven_fails_and_can_be_brought_again(  # BEY-4
    byoip: Byoip,
) -> None:
    byoip.verifier.verdicts[RANGE] = Refuted("the certificate is of another range")
    await byoip.bring()
    failed = await byoip.cidr_in(RANGE, "failed-provision")
    assert failed.status_message == "the certificate is of another range"
    assert byoip.space.registered == {}
    with pytest.raises(CadastreError) as refusal:
        await advertise(byoip)
    assert refusal.value.reason == "IncorrectState"
    del byoip.verifier.verdicts[RANGE]
    await byoip.a_range()
    byoip.verifier.verdicts[IPV6_RANGE] = Refuted("no")
    await byoip.bring(IPV6_RANGE)
    await byoip.cidr_in(IPV6_RANGE, "failed-provision")
    await deprovision(byoip, IPV6_RANGE)
    await is_gone(byoip, IPV6_RANGE)


@on_sqlite_alone
async def test_a_range_that_was_taken_meanwhile_fails(byoip: Byoip) -> None:  # BEY-4
    byoip.verifier.verdicts[RANGE] = Unproven("not yet")
    await byoip.bring()
    await byoip.asked_about(RANGE, times=1)
    byoip.space.registered[RANGE] = STRANGER
    del byoip.verifier.verdicts[RANGE]
    byoip.pass_time(minutes=1)
    failed = await byoip.cidr_in(RANGE, "failed-provision")
    assert "somebody's already" in failed.status_message
    assert byoip.network.pools == {}


@on_sqlite_alone
async def test_what_the_network_refuses_is_given_back_to_the_ledger(byoip: Byoip) -> None:  # BEY-4
    byoip.network.refusals["add"] = "no more pools"
    await byoip.bring()
    failed = await byoip.cidr_in(RANGE, "failed-provision")
    assert failed.status_message == "no more pools"
    assert byoip.space.registered == {}


async def test_a_range_in_use_stays_usable(byoip: Byoip) -> None:
    await byoip.a_range()
    byoip.network.refusals["remove"] = "an elastic IP address is of it"
    await deprovision(byoip)
    kept = await byoip.cidr_in(RANGE, "failed-deprovision")
    assert kept.status_message == "an elastic IP address is of it"
    assert state(await advertise(byoip)) == "advertised"
    await byoip("WithdrawByoipCidr", region=WEST, cidr=RANGE)
    del byoip.network.refusals["remove"]
    await deprovision(byoip)
    await is_gone(byoip)


@on_sqlite_alone
async def test_a_range_goes_when_discovery_has_released_it(byoip: Byoip) -> None:  # BEY-1
    await byoip.a_range()
    byoip.space.allocated.add(RANGE)
    await deprovision(byoip)
    assert byoip.network.pools == {}
    assert state(await deprovision(byoip)) == "pending-deprovision"
    byoip.space.allocated.clear()
    await is_gone(byoip)


@on_sqlite_alone
async def test_a_range_that_waits_can_be_given_up(byoip: Byoip) -> None:
    byoip.verifier.verdicts[RANGE] = Unproven("not yet")
    await byoip.bring()
    await deprovision(byoip)
    await is_gone(byoip)


@on_sqlite_alone
async def test_another_accounts_range_is_nobodys_business(byoip: Byoip) -> None:  # BEY-12
    await byoip.a_range()
    for call in (
        deprovision(byoip, account_id=STRANGER),
        deprovision(byoip, region=HOME),
        byoip("AdvertiseByoipCidr", STRANGER, WEST, cidr=RANGE),
        byoip("AdvertiseByoipCidr", region=HOME, cidr=RANGE),
    ):
        with pytest.raises(CadastreError, match="no such CIDR") as refusal:
            await call
        assert refusal.value.reason == "InvalidParameterValue"


@on_sqlite_alone
@pytest.mark.parametrize(
    ("cidr", "members", "reason"),
    [
        (RANGE, {"cidr_authorization_context": signed("130.137.250.0/24")}, "Value"),
        (RANGE, {"cidr_authorization_context": signed(RANGE, STRANGER)}, "Value"),
        (RANGE, {"cidr_authorization_context": signed(RANGE, until="20300614")}, "Value"),
        ("130.137.249.0/25", {}, "Value"),
        ("2605:9cc0:409::/49", {}, "Value"),
        ("2605:9cc0:409::/61", {"publicly_advertisable": False}, "Value"),
        ("130.137.249.1/24", {}, "Value"),
        (RANGE, {"network_border_group": HOME}, "Value"),
        (IPV6_RANGE, {"network_border_group": f"{WEST}-lax-1"}, "Value"),
        (RANGE, {"publicly_advertisable": False}, "Combination"),
        (
            IPV6_RANGE,
            {"pool_tag_specifications": [{"resource_type": KIND, "tags": [{"key": "a"}]}]},
            "Combination",
        ),
        (RANGE, {"multi_region": True}, "UnsupportedOperation"),
        (RANGE, {"dry_run": True}, "DryRunOperation"),
    ],
)
async def test_impossible_ranges_are_refused_at_once(  # BYOIP-1, PROV-6, BEY-4
    byoip: Byoip, cidr: str, members: dict[str, Any], reason: str
) -> None:
    with pytest.raises(CadastreError) as refusal:
        await byoip.bring(cidr, **members)
    full = {"Value": "InvalidParameterValue", "Combination": "InvalidParameterCombination"}
    assert refusal.value.reason == full.get(reason, reason)
    assert not await byoip.cidrs()


@on_sqlite_alone
async def test_a_range_needs_a_proof_and_to_be_free(byoip: Byoip) -> None:  # BYOIP-1
    with pytest.raises(CadastreError) as refusal:
        await byoip("ProvisionByoipCidr", region=WEST, cidr=RANGE)
    assert refusal.value.reason == "MissingParameter"
    byoip.space.refusals[RANGE] = "it is no public space"
    with pytest.raises(CadastreError, match="no public space"):
        await byoip.bring()
    byoip.space.refusals.clear()
    await byoip.a_range()
    for region in (WEST, HOME):
        with pytest.raises(CadastreError, match=f"to {WEST} already") as refusal:
            await byoip.bring(region=region)
        assert refusal.value.reason == "InvalidParameterValue"


@on_sqlite_alone
async def test_a_region_has_five_ranges_of_an_account(byoip: Byoip) -> None:  # section 14
    for number in range(4):
        await byoip.a_range(f"130.137.{number}.0/24")
    byoip.verifier.verdicts[RANGE] = Refuted("no")
    await byoip.bring()
    await byoip.cidr_in(RANGE, "failed-provision")
    with pytest.raises(CadastreError) as refusal:
        await byoip.bring(OTHER)
    assert refusal.value.reason == "ByoipCidrLimitExceeded"
    assert (refusal.value.metadata["quota"], refusal.value.metadata["count"]) == ("5", "5")
    # Elsewhere, somebody else's, and the same again are no more of them.
    await byoip.a_range(OTHER, region=HOME)
    await byoip.a_range("130.138.1.0/24", STRANGER)
    await byoip.bring()
    # Nor is what moved or was deprovisioned.
    await byoip.cidr_in(RANGE, "failed-provision")
    await byoip.move(await byoip.a_regional_pool(), cidr="130.137.0.0/24")
    await deprovision(byoip, "130.137.1.0/24")
    for number in (4, 5):
        await byoip.a_range(f"130.137.{number}.0/24")
    with pytest.raises(CadastreError, match="at most 5"):
        await byoip.bring("130.137.6.0/24")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_no_more_ranges_are_brought_at_once_than_there_may_be(  # section 14
    byoip: Byoip,
) -> None:
    calls = [byoip.bring(f"130.137.{number}.0/24") for number in range(8)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    refusals = [one.reason for one in outcomes if isinstance(one, CadastreError)]
    assert refusals == ["ByoipCidrLimitExceeded"] * 3
    assert len(await byoip.cidrs()) == 5


@on_sqlite_alone
async def test_a_range_that_failed_is_told_for_seven_days(byoip: Byoip) -> None:  # BYOIP-1
    byoip.verifier.verdicts[RANGE] = Refuted("no")
    await byoip.bring()
    await byoip.cidr_in(RANGE, "failed-provision")
    byoip.network.refusals["add"] = "no more pools"
    await byoip.bring(OTHER)
    await byoip.cidr_in(OTHER, "failed-provision")
    byoip.pass_time(days=6, hours=23)
    assert set(await byoip.cidrs()) == {RANGE, OTHER}
    byoip.pass_time(hours=1)
    assert not await byoip.cidrs()


@on_sqlite_alone
async def test_a_range_may_be_advertised_from_a_local_zone(byoip: Byoip) -> None:
    group = f"{WEST}-lax-1"
    found = await byoip.a_range(network_border_group=group)
    assert found.network_border_group == group
    await advertise(byoip, network_border_group=group)
