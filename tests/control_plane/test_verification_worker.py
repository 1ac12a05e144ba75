"""What waits is verified until it is proven, refuted or too late (BYOIP-1 to BYOIP-3, PROV-6)."""

import asyncio

import pytest

from services.control_plane.verification.claim import DnsToken, RangeClaim, SignedMessage
from services.control_plane.verification.verdict import Refuted, Unproven
from services.control_plane.verification_worker import ATTEMPTS_AT_ONCE
from shared.cidr import Cidr
from tests.control_plane.byoip_world import ASN, RANGE, SIGNATURE, Byoip, RoaExport, signed
from tests.control_plane.test_byoip_tokens import create, delete, id_of
from tests.control_plane.world import ACCOUNT, STRANGER, on_sqlite_alone
from tests.waiting import eventually

MISSING = "no TXT record '86950620.249.137.130.in-addr.arpa'"


@on_sqlite_alone
async def test_a_pools_cidr_is_verified_by_its_message(byoip: Byoip) -> None:  # BYOIP-1
    ipam = await byoip.client.create_ipam()
    assert await byoip.concluded(byoip.pending(ipam.ipam_id)) == ""
    message = f"1|aws|{ACCOUNT}|{RANGE}|20301231|SHA256|RSAPSS"
    assert byoip.verifier.asked == [
        (RangeClaim(Cidr.parse(RANGE), ACCOUNT), SignedMessage(message, SIGNATURE))
    ]


async def test_a_pools_cidr_is_verified_by_its_ipams_token(byoip: Byoip) -> None:  # BYOIP-2
    ipam = await byoip.client.create_ipam()
    token = await create(byoip, ipam.ipam_id)
    ids = [byoip.pending(ipam.ipam_id, cidr, id_of(token)) for cidr in (RANGE, "130.137.1.0/24")]
    assert [await byoip.concluded(pending_id) for pending_id in ids] == ["", ""]
    proof = DnsToken(token.token_name, token.token_value)
    assert [asked[1] for asked in byoip.verifier.asked] == [proof, proof]


@on_sqlite_alone
async def test_a_token_that_proves_nothing_fails_at_once(byoip: Byoip) -> None:  # BYOIP-2, BEY-4
    ipam = await byoip.client.create_ipam()
    other = await byoip.client.acting_as(STRANGER).create_ipam()
    expired = id_of(await create(byoip, ipam.ipam_id))
    byoip.pass_time(hours=72, seconds=1)
    deleted = id_of(await create(byoip, ipam.ipam_id))
    await delete(byoip, deleted)
    others = id_of(await create(byoip, other.ipam_id, STRANGER))
    for token_id, why in (
        (expired, "expired on 2030-06-18 12:00:00 UTC"),
        (deleted, "does not exist"),
        (others, f"is not of '{ipam.ipam_id}'"),
    ):
        pending_id = byoip.pending(ipam.ipam_id, token_id=token_id)
        assert f"'{token_id}' {why}" in await byoip.concluded(pending_id)
    assert byoip.verifier.asked == []


@on_sqlite_alone
async def test_a_token_counts_at_the_time_of_the_request(byoip: Byoip) -> None:  # BYOIP-2
    ipam = await byoip.client.create_ipam()
    token_id = id_of(await create(byoip, ipam.ipam_id))
    byoip.pass_time(hours=72)
    byoip.verifier.verdicts[RANGE] = Unproven(MISSING)
    pending_id = byoip.pending(ipam.ipam_id, token_id=token_id)
    await byoip.asked_about(RANGE, times=1)
    del byoip.verifier.verdicts[RANGE]
    byoip.pass_time(minutes=1)
    assert await byoip.concluded(pending_id) == ""


@on_sqlite_alone
async def test_what_is_refuted_fails_at_once_with_the_reason(byoip: Byoip) -> None:  # BEY-4
    ipam = await byoip.client.create_ipam()
    byoip.verifier.verdicts[RANGE] = Refuted("the signature was not made by this key")
    pending_id = byoip.pending(ipam.ipam_id)
    assert await byoip.concluded(pending_id) == "the signature was not made by this key"
    assert byoip.verifier.count(RANGE) == 1


@on_sqlite_alone
async def test_what_is_missing_is_looked_for_again_until_it_is_too_late(  # BYOIP-3
    byoip: Byoip,
) -> None:
    ipam = await byoip.client.create_ipam()
    byoip.verifier.verdicts[RANGE] = Unproven(MISSING)
    byoip.verifier.verdicts[ASN] = Unproven("there is no RDAP record of 12345")
    pending_id = byoip.pending(ipam.ipam_id)
    await byoip(
        "ProvisionIpamByoasn",
        ipam_id=ipam.ipam_id,
        asn=ASN,
        asn_authorization_context=signed(ASN),
    )
    await byoip.asked_about(RANGE, times=1)
    await byoip.asked_about(ASN, times=1)
    byoip.pass_time(minutes=1)
    await byoip.asked_about(RANGE, times=2)
    await byoip.asked_about(ASN, times=2)
    assert byoip.space.concluded == {}
    byoip.pass_time(days=7)
    assert await byoip.concluded(pending_id) == MISSING

    async def has_failed() -> bool:
        told = ("failed-provision", "there is no RDAP record of 12345")
        return [found[1:] for found in await byoip.asns()] == [told]

    await eventually(has_failed)


async def test_nothing_is_lost_when_the_ledger_is_away(byoip: Byoip) -> None:  # BYOIP-3
    ipam = await byoip.client.create_ipam()
    byoip.verifier.verdicts[RANGE] = Unproven(MISSING)
    first = byoip.pending(ipam.ipam_id)
    await byoip.asked_about(RANGE, times=1)
    byoip.space.go_down()
    del byoip.verifier.verdicts[RANGE]
    second = byoip.pending(ipam.ipam_id, "130.137.1.0/24")
    byoip.pass_time(minutes=1)
    await byoip.asked_about(RANGE, times=2)
    byoip.space.is_down = False
    byoip.pass_time(seconds=2)
    assert [await byoip.concluded(first), await byoip.concluded(second)] == ["", ""]


@on_sqlite_alone
async def test_what_is_verified_is_soon_concluded_after_an_outage(byoip: Byoip) -> None:  # BYOIP-3
    ipam = await byoip.client.create_ipam()
    byoip.space.conclusions_fail = True
    pending_id = byoip.pending(ipam.ipam_id)
    await byoip.asked_about(RANGE, times=1)
    byoip.pass_time(seconds=2)
    await byoip.asked_about(RANGE, times=2)
    byoip.space.conclusions_fail = False
    byoip.pass_time(seconds=2)
    assert await byoip.concluded(pending_id) == ""


async def test_a_restart_goes_on_with_all_that_waits(byoip: Byoip) -> None:  # BYOIP-3
    ipam = await byoip.client.create_ipam()
    byoip.verifier.verdicts |= {one: Unproven("not yet") for one in (RANGE, ASN, "130.137.1.0/24")}
    pending_id = byoip.pending(ipam.ipam_id)
    await byoip(
        "ProvisionIpamByoasn",
        ipam_id=ipam.ipam_id,
        asn=ASN,
        asn_authorization_context=signed(ASN),
    )
    await byoip.bring("130.137.1.0/24")
    await byoip.stop()
    byoip.verifier.verdicts.clear()
    async with byoip.serving():
        assert await byoip.concluded(pending_id) == ""
        await byoip.cidr_in("130.137.1.0/24", "provisioned")

        async def is_provisioned() -> bool:
            return [found[1] for found in await byoip.asns()] == ["provisioned"]

        await eventually(is_provisioned)


@on_sqlite_alone
async def test_a_proven_range_waits_for_a_roa_that_allows_amazon(  # BYOIP-5
    roas: RoaExport, byoip: Byoip
) -> None:
    ipam = await byoip.client.create_ipam()
    roas.say((3, 24), prefix=RANGE)
    pending_id = byoip.pending(ipam.ipam_id)
    await byoip.asked_about(RANGE, times=1)
    byoip.pass_time(minutes=1)
    await byoip.asked_about(RANGE, times=2)
    roas.say((14618, 24), prefix=RANGE)
    byoip.pass_time(minutes=1)
    assert await byoip.concluded(pending_id) == ""


@on_sqlite_alone
async def test_a_range_without_any_roa_is_taken(roas: RoaExport, byoip: Byoip) -> None:  # BYOIP-5
    ipam = await byoip.client.create_ipam()
    assert await byoip.concluded(byoip.pending(ipam.ipam_id)) == ""


@on_sqlite_alone
async def test_no_fitting_roa_for_a_week_is_a_failure(
    roas: RoaExport, byoip: Byoip
) -> None:  # BYOIP-5
    ipam = await byoip.client.create_ipam()
    roas.say((3, 24), prefix=RANGE)
    pending_id = byoip.pending(ipam.ipam_id)
    await byoip.asked_about(RANGE, times=1)
    byoip.pass_time(days=7)
    assert "none allows AS16509 and AS14618" in await byoip.concluded(pending_id)


@on_sqlite_alone
async def test_roas_are_not_asked_about_what_is_refuted(  # BYOIP-5
    roas: RoaExport, byoip: Byoip
) -> None:
    ipam = await byoip.client.create_ipam()
    roas.path.unlink()
    byoip.verifier.verdicts[RANGE] = Refuted("the signature was not made by this key")
    failure = await byoip.concluded(byoip.pending(ipam.ipam_id))
    assert failure == "the signature was not made by this key"


@on_sqlite_alone
async def test_what_this_installation_fails_to_verify_is_tried_at_the_usual_pace_and_not_for_ever(
    roas: RoaExport, byoip: Byoip
) -> None:  # BYOIP-3, BEY-4
    ipam = await byoip.client.create_ipam()
    roas.path.unlink()
    pending_id = byoip.pending(ipam.ipam_id)
    await byoip.bring("130.137.1.0/24")
    await byoip.asked_about(RANGE, times=1)
    await byoip.asked_about("130.137.1.0/24", times=1)
    for other in ("130.137.2.0/24", "130.137.3.0/24", "130.137.4.0/24"):
        byoip.pass_time(seconds=10)
        byoip.verifier.verdicts[other] = Refuted("no")
        await byoip.concluded(byoip.pending(ipam.ipam_id, other))
    assert byoip.verifier.count(RANGE) == 1
    byoip.pass_time(days=7)
    assert "this installation fails to verify it" in await byoip.concluded(pending_id)
    failed = await byoip.cidr_in("130.137.1.0/24", "failed-provision")
    assert "this installation fails to verify it" in failed.status_message


@on_sqlite_alone
async def test_what_never_answers_delays_nobody_behind_it(byoip: Byoip) -> None:  # BYOIP-3
    ipam = await byoip.client.create_ipam()
    silent = [f"130.138.{number}.0/24" for number in range(ATTEMPTS_AT_ONCE)]
    byoip.verifier.verdicts |= dict.fromkeys(silent, Unproven("no DNS server answers in time"))
    are_waited_for = asyncio.Event()

    async def take_longer_than_between_attempts(subject: str) -> None:
        if subject in silent:
            await are_waited_for.wait()
            byoip.pass_time(minutes=2)

    byoip.verifier.meanwhile = take_longer_than_between_attempts
    for cidr in silent:
        byoip.pending(ipam.ipam_id, cidr)
        await byoip.asked_about(cidr, times=1)
    await byoip.bring()
    are_waited_for.set()
    await byoip.cidr_in(RANGE, "provisioned")
    asked = [claim.subject for claim, _ in byoip.verifier.asked]
    assert asked.index(RANGE) <= 2 * ATTEMPTS_AT_ONCE


@on_sqlite_alone
async def test_many_things_wait_for_each_other_and_all_get_their_turn(byoip: Byoip) -> None:
    ipam = await byoip.client.create_ipam()
    are_answered = asyncio.Event()

    async def wait(_: str) -> None:
        await are_answered.wait()

    byoip.verifier.meanwhile = wait
    cidrs = [f"130.137.{number}.0/24" for number in range(40)]
    ids = [byoip.pending(ipam.ipam_id, cidr) for cidr in cidrs]
    await byoip.asked_about(cidrs[ATTEMPTS_AT_ONCE - 1], times=1)
    # Long enough for more to begin, if more could.
    for _ in range(ATTEMPTS_AT_ONCE):
        await byoip.asns()
    are_answered.set()
    assert {await byoip.concluded(pending_id) for pending_id in ids} == {""}
    assert len(byoip.verifier.asked) == 40
    assert byoip.verifier.most_at_once == ATTEMPTS_AT_ONCE


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_replicas_do_no_harm(byoip: Byoip) -> None:  # BYOIP-3
    ipam = await byoip.client.create_ipam()
    other = Byoip(byoip.world, byoip.network, byoip.verifier)
    async with other.serving():
        ids = [byoip.pending(ipam.ipam_id, f"130.137.{number}.0/24") for number in range(5)]
        for number in range(1, 6):
            await other.an_asn(ipam.ipam_id, str(number))
        await byoip.a_range()
        assert {await byoip.concluded(pending_id) for pending_id in ids} == {""}
        assert [found[1] for found in await byoip.asns()] == ["provisioned"] * 5
        assert len(byoip.network.pools) == 1
