"""Proofs of control, verified against registries and a DNS on loopback."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.control_plane.registries.dns_records import DnsClient, NameServer
from services.control_plane.registries.rdap import rdap_client
from services.control_plane.verification.claim import (
    AsnClaim,
    Claim,
    DnsToken,
    RangeClaim,
    SignedMessage,
)
from services.control_plane.verification.rdap_records import Record
from services.control_plane.verification.verdict import Proven, Refuted, Unproven
from services.control_plane.verifier import LOOK_UPS_AT_ONCE, LookUpFailed, Verifier
from shared.cidr import Cidr
from tests.registries import Registries
from tests.registries.signing import (
    authorization_message,
    autnum_record,
    certificate,
    network_record,
    one_line,
    rsa_key,
    sign,
)

ACCOUNT = "123456789012"
RANGE = RangeClaim(Cidr.parse("198.18.12.0/22"), ACCOUNT)
ASN = AsnClaim(64496, ACCOUNT)
KEY = rsa_key()
CERTIFICATE = one_line(certificate(KEY))
TOKEN = DnsToken("86950620", "a34597c3-5317-4238-9ce7-50da5b6e6dc8")
NAMES = [f"86950620.{octet}.18.198.in-addr.arpa" for octet in (12, 13, 14, 15)]


class Clock:
    """Tells the time, and another one later."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def registries() -> Iterator[Registries]:
    with Registries() as registries:
        yield registries


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def verifier(registries: Registries, clock: Clock) -> AsyncIterator[Verifier]:
    dns = DnsClient([NameServer.parse(registries.dns_server)], timeout_seconds=20)
    async with rdap_client(registries.rdap_url, timeout_seconds=20) as rdap:
        yield Verifier(rdap, dns, clock)


def signed(claim: Claim) -> SignedMessage:
    message = authorization_message(claim.account_id, claim.subject)
    return SignedMessage(message, sign(KEY, message))


async def test_a_range_is_proven_as_soon_as_its_record_has_the_certificate(
    verifier: Verifier, registries: Registries
) -> None:  # BYOIP-1, BYOIP-3
    proof = signed(RANGE)
    assert await verifier.verify(RANGE, proof) == Unproven(
        "there is no RDAP record of 198.18.12.0/22"
    )
    registries.rdap.put("ip/198.18.12.0/22", network_record("198.18.0.0/16", "A network"))
    assert await verifier.verify(RANGE, proof) == Unproven(
        "there is no certificate in the remarks of the RDAP record of 198.18.12.0/22"
    )
    registries.rdap.put("ip/198.18.12.0/22", network_record("198.18.0.0/16", CERTIFICATE))
    assert await verifier.verify(RANGE, proof) == Proven()


async def test_a_records_certificates_are_not_checked_on_the_event_loop(clock: Clock) -> None:
    rdap = WatchedRdap(network_record("198.18.0.0/16", CERTIFICATE))
    verifier = Verifier(rdap, CountingDns(failing=""), clock)
    assert await verifier.verify(RANGE, signed(RANGE)) == Proven()
    assert rdap.threads
    assert threading.get_ident() not in rdap.threads


async def test_an_asn_is_proven_by_the_certificate_in_its_record(
    verifier: Verifier, registries: Registries
) -> None:  # ASN-1
    assert await verifier.verify(ASN, signed(ASN)) == Unproven("there is no RDAP record of 64496")
    registries.rdap.put("autnum/64496", autnum_record(64496, CERTIFICATE))
    assert await verifier.verify(ASN, signed(ASN)) == Proven()


async def test_a_registry_that_fails_proves_nothing_yet(
    verifier: Verifier, registries: Registries
) -> None:
    registries.rdap.put_body("ip/198.18.12.0/22", b"", status=503)
    assert await verifier.verify(RANGE, signed(RANGE)) == Unproven(
        "the RDAP record of 198.18.12.0/22 could not be read: the RDAP server answered 503"
    )


async def test_a_record_of_another_range_refutes(
    verifier: Verifier, registries: Registries
) -> None:  # BYOIP-1
    registries.rdap.put("ip/198.18.12.0/22", network_record("198.18.12.0/24", CERTIFICATE))
    assert await verifier.verify(RANGE, signed(RANGE)) == Refuted(
        "the RDAP record that was found is not about all of 198.18.12.0/22"
    )


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (authorization_message("210987654321", RANGE.subject), "name your account '123456789012'"),
        (authorization_message(ACCOUNT, "198.18.12.0/24"), "name the CIDR '198.18.12.0/22'"),
        (
            authorization_message(ACCOUNT, RANGE.subject, datetime(2024, 1, 1, tzinfo=UTC)),
            "expired",
        ),
        (f"1|aws|{ACCOUNT}|198.18.12.0/22|tomorrow|SHA256|RSAPSS", "YYYYMMDD"),
    ],
)
async def test_a_message_for_something_else_refutes_before_anybody_is_asked(
    verifier: Verifier, registries: Registries, message: str, reason: str
) -> None:  # BYOIP-1
    verdict = await verifier.verify(RANGE, SignedMessage(message, sign(KEY, message)))
    assert isinstance(verdict, Refuted)
    assert reason in verdict.reason
    assert not registries.rdap.asked


async def test_a_message_of_somebody_elses_key_refutes(
    verifier: Verifier, registries: Registries
) -> None:  # BYOIP-1
    registries.rdap.put(
        "ip/198.18.12.0/22", network_record("198.18.0.0/16", certificate(rsa_key()))
    )
    verdict = await verifier.verify(RANGE, signed(RANGE))
    assert isinstance(verdict, Refuted)
    assert "was not signed with the certificate's key" in verdict.reason


async def test_a_signature_written_in_another_way_refutes_before_anybody_is_asked(
    verifier: Verifier, registries: Registries
) -> None:  # BYOIP-1
    proof = SignedMessage(signed(RANGE).message, "a+b/c=")
    verdict = await verifier.verify(RANGE, proof)
    assert isinstance(verdict, Refuted)
    assert "Value (a+b/c=) for parameter signature" in verdict.reason
    assert not registries.rdap.asked


async def test_a_message_counts_to_the_end_of_its_last_day_in_utc(
    verifier: Verifier, registries: Registries, clock: Clock
) -> None:  # BYOIP-1
    registries.rdap.put("ip/198.18.12.0/22", network_record("198.18.0.0/16", CERTIFICATE))
    midnight = (clock.now + timedelta(days=3)).replace(hour=0, minute=0, second=0, microsecond=0)
    message = authorization_message(ACCOUNT, RANGE.subject, midnight - timedelta(days=1))
    proof = SignedMessage(message, sign(KEY, message))
    clock.now = midnight - timedelta(seconds=1)
    assert await verifier.verify(RANGE, proof) == Proven()
    clock.now = midnight
    assert isinstance(await verifier.verify(RANGE, proof), Refuted)


async def test_a_range_is_proven_as_soon_as_the_last_of_its_zones_tells_the_token(
    verifier: Verifier, registries: Registries
) -> None:  # BYOIP-2, BYOIP-3
    for name in NAMES[:-1]:
        registries.dns.put_txt(name, TOKEN.token_value)
    missing = Unproven("TXT records missing: 86950620.15.18.198.in-addr.arpa")
    assert await verifier.verify(RANGE, TOKEN) == missing
    registries.dns.put_txt(NAMES[-1], "another value")
    assert await verifier.verify(RANGE, TOKEN) == Unproven(
        "TXT records without the token's value: 86950620.15.18.198.in-addr.arpa"
        " (the first has 'another value')"
    )
    registries.dns.put_txt(NAMES[-1], "another value", TOKEN.token_value)
    assert await verifier.verify(RANGE, TOKEN) == Proven()
    assert {name for name, _ in registries.dns.asked} == set(NAMES)


async def test_an_ipv6_range_is_proven_by_its_zones(
    verifier: Verifier, registries: Registries
) -> None:  # BYOIP-2
    for nibble in "89ab":
        registries.dns.put_txt(f"86950620.{nibble}.0.0.8.b.d.0.1.0.0.2.ip6.arpa", TOKEN.token_value)
    claim = RangeClaim(Cidr.parse("2001:db8:80::/42"), ACCOUNT)
    assert await verifier.verify(claim, TOKEN) == Proven()


async def test_a_zone_that_fails_proves_nothing_yet(
    verifier: Verifier, registries: Registries
) -> None:
    for name in NAMES:
        registries.dns.put_txt(name, TOKEN.token_value)
    registries.dns.fail(NAMES[1])
    assert await verifier.verify(RANGE, TOKEN) == Unproven(
        "TXT records that could not be looked up: 86950620.13.18.198.in-addr.arpa"
        " (the DNS servers fail to answer)"
    )


async def test_no_token_proves_an_asn(verifier: Verifier, registries: Registries) -> None:  # ASN-1
    assert await verifier.verify(ASN, TOKEN) == Refuted(
        "no token can show control of ASN 64496; sign a message"
    )
    assert not registries.dns.asked


class CountingDns:
    """Tells the token of every name but one, and how many were looked up at a time."""

    def __init__(self, failing: str) -> None:
        self.now = self.most = self.asked = 0
        self._failing = failing

    async def txt(self, name: str) -> list[str]:
        self.asked += 1
        self.now += 1
        self.most = max(self.most, self.now)
        # All that may begin do so before this one goes on.
        await asyncio.sleep(0)
        self.now -= 1
        if name == self._failing:
            raise LookUpFailed("it fails")
        return [TOKEN.token_value]


class WatchedRdap:
    """Has one record, and tells which threads looked into it."""

    def __init__(self, record: Record) -> None:
        self.threads = threads = set[int]()

        class Watched(dict[str, Any]):
            def get(self, key: str, default: Any = None) -> Any:
                threads.add(threading.get_ident())
                return super().get(key, default)

        self._record = Watched(record)

    async def network(self, cidr: Cidr) -> Record | None:
        return self._record

    async def autnum(self, asn: int) -> Record | None:
        raise AssertionError(asn)


class NoRdap:
    """Is not asked."""

    async def network(self, cidr: Cidr) -> Record | None:
        raise AssertionError(cidr)

    async def autnum(self, asn: int) -> Record | None:
        raise AssertionError(asn)


async def test_many_zones_are_looked_up_together_but_not_all_at_once(clock: Clock) -> None:
    failing = "86950620.200.198.in-addr.arpa"
    dns = CountingDns(failing)
    verifier = Verifier(NoRdap(), dns, clock)
    claim = RangeClaim(Cidr.parse("198.128.0.0/9"), ACCOUNT)
    both = await asyncio.gather(*(verifier.verify(claim, TOKEN) for _ in range(2)))
    assert both == [Unproven(f"TXT records that could not be looked up: {failing} (it fails)")] * 2
    assert (dns.asked, dns.most) == (2 * 128, LOOK_UPS_AT_ONCE)


def test_a_signature_is_not_printed() -> None:
    assert signed(RANGE).signature not in repr(signed(RANGE))
