"""ASNs that are brought along, through the API (ASN-1)."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from services.control_plane.tables import byoasns, byoip_cidrs
from services.control_plane.verification.claim import AsnClaim, SignedMessage
from services.control_plane.verification.verdict import Refuted, Unproven
from shared.errors import CadastreError
from tests.control_plane.byoip_world import ASN, RANGE, SIGNATURE, Byoip, signed
from tests.control_plane.world import ACCOUNT, HOME, STRANGER, on_sqlite_alone, state
from tests.waiting import eventually


async def provision(
    byoip: Byoip,
    ipam_id: str,
    asn: str = ASN,
    account_id: str = ACCOUNT,
    context: dict[str, str] | None = None,
    **members: Any,
) -> Any:
    answer = await byoip(
        "ProvisionIpamByoasn",
        account_id,
        ipam_id=ipam_id,
        asn=asn,
        asn_authorization_context=context or signed(asn, account_id),
        **members,
    )
    return answer.byoasn


async def deprovision(
    byoip: Byoip, ipam_id: str, asn: str = ASN, account_id: str = ACCOUNT, **members: Any
) -> Any:
    answer = await byoip("DeprovisionIpamByoasn", account_id, ipam_id=ipam_id, asn=asn, **members)
    return answer.byoasn


async def is_in(byoip: Byoip, wanted: str, asn: str = ASN, account_id: str = ACCOUNT) -> None:
    """Once the last request for the ASN led to the state ``wanted``."""

    async def as_wanted() -> bool:
        states = [found[1] for found in await byoip.asns(account_id) if found[0] == asn]
        return states[-1:] == [wanted]

    await eventually(as_wanted)


def count(byoip: Byoip, table: sa.Table) -> int:
    """Rows that the context has of a table."""
    url = byoip.world.settings.database_url.replace("postgresql:", "postgresql+psycopg:")
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
    engine.dispose()
    return found


async def test_an_asn_is_brought_verified_and_given_up(byoip: Byoip) -> None:  # ASN-1
    ipam_id = (await byoip.client.create_ipam()).ipam_id
    answer = await provision(byoip, ipam_id)
    assert (answer.asn, answer.ipam_id, state(answer)) == (ASN, ipam_id, "pending-provision")
    await is_in(byoip, "provisioned")
    message = f"1|aws|{ACCOUNT}|{ASN}|20301231|SHA256|RSAPSS"
    assert byoip.verifier.asked == [
        (AsnClaim(int(ASN), ACCOUNT), SignedMessage(message, SIGNATURE))
    ]
    assert state(await deprovision(byoip, ipam_id)) == "pending-deprovision"
    await is_in(byoip, "deprovisioned")


async def test_what_ended_is_told_for_seven_days(byoip: Byoip) -> None:  # ASN-1
    ipam_id = (await byoip.client.create_ipam()).ipam_id
    byoip.verifier.verdicts["2"] = Refuted("the signature is somebody else's")
    await provision(byoip, ipam_id, "2")
    await is_in(byoip, "failed-provision", "2")
    await byoip.an_asn(ipam_id)
    await deprovision(byoip, ipam_id)
    ended = [
        ("2", "failed-provision", "the signature is somebody else's"),
        (ASN, "deprovisioned", ""),
    ]
    assert await byoip.asns() == ended
    byoip.pass_time(days=6, hours=23)
    assert await byoip.asns() == ended
    byoip.pass_time(hours=1)
    assert await byoip.asns() == []


async def test_what_is_told_no_more_is_removed(byoip: Byoip) -> None:  # ASN-1, ASN-3
    ipam = await byoip.client.create_ipam()
    byoip.verifier.verdicts |= {"2": Refuted("no"), RANGE: Refuted("no")}
    await provision(byoip, ipam.ipam_id, "2")
    await is_in(byoip, "failed-provision", "2")
    await byoip.bring()
    await byoip.cidr_in(RANGE, "failed-provision")
    await byoip.an_asn(ipam.ipam_id)
    byoip.space.provision("130.137.1.0/24", await byoip.a_regional_pool(ipam))
    named = {"cidr": "130.137.1.0/24", "asn": ASN}
    await byoip("AssociateIpamByoasn", **named)
    await byoip("AdvertiseByoipCidr", **named)
    await byoip("WithdrawByoipCidr", cidr=named["cidr"])
    await byoip("DisassociateIpamByoasn", **named)
    assert (count(byoip, byoasns), count(byoip, byoip_cidrs)) == (2, 2)
    byoip.pass_time(days=7)

    async def are_removed() -> bool:
        return (count(byoip, byoasns), count(byoip, byoip_cidrs)) == (1, 0)

    await eventually(are_removed)
    assert [found[:2] for found in await byoip.asns()] == [(ASN, "provisioned")]


@on_sqlite_alone
async def test_an_asn_that_ended_can_be_brought_again(byoip: Byoip) -> None:  # ASN-1
    ipam_id = (await byoip.client.create_ipam()).ipam_id
    byoip.verifier.verdicts[ASN] = Refuted("no")
    await provision(byoip, ipam_id)
    await is_in(byoip, "failed-provision")
    del byoip.verifier.verdicts[ASN]
    await byoip.an_asn(ipam_id)
    await deprovision(byoip, ipam_id)
    await provision(byoip, ipam_id)
    await is_in(byoip, "provisioned")
    assert [found[1] for found in await byoip.asns()] == [
        "failed-provision",
        "deprovisioned",
        "provisioned",
    ]


async def test_one_ipam_has_an_asn_at_a_time(byoip: Byoip) -> None:  # ASN-1
    own = (await byoip.client.create_ipam()).ipam_id
    other = (await byoip.client.acting_as(STRANGER).create_ipam()).ipam_id
    await byoip.an_asn(own)
    for again in (provision(byoip, own), provision(byoip, other, account_id=STRANGER)):
        with pytest.raises(CadastreError) as refusal:
            await again
        assert refusal.value.reason == "IncorrectState"
    await deprovision(byoip, own)
    await byoip.an_asn(other, account_id=STRANGER)


async def test_who_is_proven_first_has_it(byoip: Byoip) -> None:  # ASN-1
    own = (await byoip.client.create_ipam()).ipam_id
    other = (await byoip.client.acting_as(STRANGER).create_ipam()).ipam_id
    byoip.verifier.verdicts[ASN] = Unproven("there is no RDAP record")
    await asyncio.gather(provision(byoip, own), provision(byoip, other, account_id=STRANGER))
    await byoip.asked_about(ASN, times=2)
    del byoip.verifier.verdicts[ASN]

    async def outcome() -> list[str]:
        found = [*await byoip.asns(), *await byoip.asns(STRANGER)]
        return sorted(one[1] for one in found)

    async def are_both_concluded() -> bool:
        # Who lost against the other at the same moment tries again a little later.
        byoip.pass_time(minutes=1)
        return "pending-provision" not in await outcome()

    await eventually(are_both_concluded)
    assert await outcome() == ["failed-provision", "provisioned"]


@on_sqlite_alone
async def test_a_pending_asn_can_be_given_up(byoip: Byoip) -> None:  # ASN-1
    ipam_id = (await byoip.client.create_ipam()).ipam_id
    byoip.verifier.verdicts[ASN] = Unproven("not yet")
    await provision(byoip, ipam_id)
    await deprovision(byoip, ipam_id)
    await is_in(byoip, "deprovisioned")


@on_sqlite_alone
async def test_asns_of_other_bytes_and_quota(byoip: Byoip) -> None:  # ASN-1, section 14
    ipam_id = (await byoip.client.create_ipam()).ipam_id
    for asn in ("1", "64495", "131072", "4199999999", "397212"):
        await byoip.an_asn(ipam_id, asn)
    with pytest.raises(CadastreError) as refusal:
        await provision(byoip, ipam_id, "3")
    assert refusal.value.reason == "IpamByoasnLimitExceeded"
    assert (refusal.value.metadata["quota"], refusal.value.metadata["count"]) == ("5", "5")
    await deprovision(byoip, ipam_id, "1")
    await provision(byoip, ipam_id, "3")


@on_sqlite_alone
@pytest.mark.parametrize(
    ("asn", "context", "match"),
    [
        ("0", None, "1 to 4294967294"),
        ("AS12345", None, "1 to 4294967294"),
        ("012345", None, "1 to 4294967294"),
        ("4294967296", None, "1 to 4294967294"),
        ("4294967295", None, "reserved by IANA"),
        ("23456", None, "reserved by IANA"),
        ("64512", None, "private use"),
        ("64496", None, "documentation"),
        (ASN, signed("54321"), "has to name the ASN '12345'"),
        (ASN, signed(ASN, STRANGER), "has to name your account"),
        (ASN, signed(ASN, until="20300614"), "expired"),
        (ASN, signed(ASN, until="20300231"), "YYYYMMDD"),
        (ASN, {"message": signed(ASN)["message"], "signature": "!"}, "base64"),
    ],
)
async def test_a_wrong_asn_or_message_is_refused_at_once(  # ASN-1, BEY-4
    byoip: Byoip, asn: str, context: dict[str, str] | None, match: str
) -> None:
    ipam_id = (await byoip.client.create_ipam()).ipam_id
    with pytest.raises(CadastreError, match=match) as refusal:
        await provision(byoip, ipam_id, asn, context=context)
    assert refusal.value.reason == "InvalidParameterValue"
    assert await byoip.asns() == []


@pytest.fixture
def small_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    """The context that is made after this lets an IPAM have one ASN, and another account's none."""
    quota = f'{{"default": 1, "{STRANGER}": 0}}'
    monkeypatch.setenv("CADASTRE_QUOTA_BYOASNS_PER_IPAM", quota)


@on_sqlite_alone
async def test_the_quota_is_adjustable(small_quota: None, byoip: Byoip) -> None:  # section 14
    own = (await byoip.client.create_ipam()).ipam_id
    others = (await byoip.client.acting_as(STRANGER).create_ipam()).ipam_id
    await byoip.an_asn(own)
    for call in (provision(byoip, own, "2"), provision(byoip, others, "2", STRANGER)):
        with pytest.raises(CadastreError) as refusal:
            await call
        assert refusal.value.reason == "IpamByoasnLimitExceeded"


@pytest.fixture
def laboratory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The context that is made after this lets nobody's ASNs be brought along."""
    monkeypatch.setenv("CADASTRE_BYOASN_RESERVED_ALLOWED", "true")


@on_sqlite_alone
async def test_a_laboratory_may_bring_reserved_asns(laboratory: None, byoip: Byoip) -> None:
    ipam_id = (await byoip.client.create_ipam()).ipam_id
    for asn in ("64496", "64512", "4200000000"):
        await byoip.an_asn(ipam_id, asn)
    with pytest.raises(CadastreError, match="reserved by IANA"):
        await provision(byoip, ipam_id, "65535")


@on_sqlite_alone
async def test_others_ipams_and_unknown_asns_are_refused(byoip: Byoip) -> None:
    ipam_id = (await byoip.client.create_ipam()).ipam_id
    for forbidden, reason in (
        (provision(byoip, ipam_id, account_id=STRANGER), "InvalidIpamId.NotFound"),
        (deprovision(byoip, ipam_id, account_id=STRANGER), "InvalidIpamId.NotFound"),
        (deprovision(byoip, ipam_id), "InvalidParameterValue"),
        (provision(byoip, ipam_id, dry_run=True), "DryRunOperation"),
    ):
        with pytest.raises(CadastreError) as refusal:
            await forbidden
        assert refusal.value.reason == reason
    assert await byoip.asns() == []


@on_sqlite_alone
async def test_asns_are_listed_in_pages_oldest_first(byoip: Byoip) -> None:  # BEY-6
    ipam_id = (await byoip.client.create_ipam()).ipam_id
    for asn in ("1", "2", "3", "4", "5"):
        await byoip.an_asn(ipam_id, asn)
    await deprovision(byoip, ipam_id, "5")
    await byoip.an_asn(ipam_id, "6")
    first = await byoip("DescribeIpamByoasn", max_results=5)
    second = await byoip("DescribeIpamByoasn", max_results=5, next_token=first.next_token)
    assert [one.asn for one in first.byoasns] == ["1", "2", "3", "4", "5"]
    assert [one.asn for one in second.byoasns] == ["6"]
    assert not (await byoip("DescribeIpamByoasn", STRANGER, HOME)).byoasns


async def test_asns_go_with_their_ipam_unless_they_are_in_use(byoip: Byoip) -> None:  # IPAM-9
    ipam_id = (await byoip.client.create_ipam()).ipam_id
    await byoip.an_asn(ipam_id)
    cidr = (await byoip.a_range(region=HOME)).cidr
    await byoip("AssociateIpamByoasn", asn=ASN, cidr=cidr)
    with pytest.raises(CadastreError, match=f"AS{ASN} \\({cidr}\\)") as refusal:
        await byoip.client("DeleteIpam", ipam_id=ipam_id)
    assert refusal.value.reason == "DependencyViolation"
    await byoip("DisassociateIpamByoasn", asn=ASN, cidr=cidr)
    await byoip.client("DeleteIpam", ipam_id=ipam_id)
    assert not await byoip.client.ipams()
    assert await byoip.asns() == []
