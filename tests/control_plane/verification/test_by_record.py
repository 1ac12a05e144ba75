"""What signatures and the certificates in registries' records prove."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import which

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from hypothesis import given
from hypothesis import strategies as st

from services.control_plane.verification.by_record import record_verdict
from services.control_plane.verification.claim import AsnClaim, Claim, RangeClaim
from services.control_plane.verification.errors import MalformedSignature
from services.control_plane.verification.rdap_records import certificates
from services.control_plane.verification.signature import Fault, decode_signature, fault_of
from services.control_plane.verification.verdict import Proven, Refuted, Unproven, Verdict
from shared.cidr import Cidr
from tests.registries.signing import (
    authorization_message,
    autnum_record,
    certificate,
    network_record,
    one_line,
    rsa_key,
    sign,
    sign_by_openssl,
    write_key,
    written,
)

ACCOUNT = "123456789012"
NOW = datetime.now(UTC)
A_DAY = timedelta(days=1)
KEY, OTHER_KEY = rsa_key(), rsa_key()
CERTIFICATE, OTHER_CERTIFICATE = certificate(KEY), certificate(OTHER_KEY)
EXPIRED = certificate(KEY, first=NOW - 10 * A_DAY, last=NOW - A_DAY)
CLAIM = RangeClaim(Cidr.parse("198.18.12.0/22"), ACCOUNT)
MESSAGE = authorization_message(ACCOUNT, CLAIM.subject)


def verdict(*remarks: str, signature: str = "", record: str = "198.18.12.0/22") -> Verdict:
    decoded = decode_signature(signature or sign(KEY, MESSAGE))
    return record_verdict(network_record(record, *remarks), CLAIM, MESSAGE, decoded, NOW)


@pytest.mark.parametrize(
    "remarks",
    [
        [CERTIFICATE],
        [one_line(CERTIFICATE)],
        ["Our network", one_line(OTHER_CERTIFICATE), one_line(CERTIFICATE)],
        [one_line(EXPIRED), one_line(CERTIFICATE)],
    ],
    ids=["as a file", "in one line", "beside another's", "beside an expired one"],
)
def test_a_signature_by_the_holder_of_a_certificate_in_the_record_proves_the_range(
    remarks: list[str],
) -> None:  # BYOIP-1
    assert verdict(*remarks) == Proven()


def test_a_signature_proves_an_asn_by_the_asns_record() -> None:  # ASN-1
    claim = AsnClaim(64496, ACCOUNT)
    message = authorization_message(ACCOUNT, claim.subject)
    signature = decode_signature(sign(KEY, message))
    record, other = (autnum_record(asn, one_line(CERTIFICATE)) for asn in (64496, 64497))
    assert record_verdict(record, claim, message, signature, NOW) == Proven()
    refuted = record_verdict(other, claim, message, signature, NOW)
    assert refuted == Refuted("the RDAP record that was found is not about all of 64496")


def test_a_certificate_of_another_range_proves_nothing() -> None:  # BYOIP-1
    reason = "the RDAP record that was found is not about all of 198.18.12.0/22"
    assert verdict(CERTIFICATE, record="198.18.12.0/23") == Refuted(reason)
    assert verdict(CERTIFICATE, record="198.19.0.0/16") == Refuted(reason)


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(sign(OTHER_KEY, MESSAGE), id="by another key"),
        pytest.param(sign(KEY, f"{MESSAGE}\n"), id="over another message"),
        pytest.param(written(KEY.sign(MESSAGE.encode(), PKCS1v15(), SHA256())), id="PKCS 1 v1.5"),
        pytest.param(
            written(KEY.sign(MESSAGE.encode(), PSS(MGF1(SHA1()), 20), SHA1())), id="other digest"
        ),
        pytest.param("AAAA", id="too short"),
    ],
)
def test_a_wrong_signature_never_becomes_right(signature: str) -> None:  # BYOIP-1
    assert verdict(one_line(CERTIFICATE), signature=signature) == Refuted(
        "the message was not signed with the certificate's key; the certificate is in the remarks"
        " of the RDAP record of 198.18.12.0/22"
    )


@pytest.mark.parametrize("salt_bytes", [0, 20, 32, 222])
def test_the_salt_may_have_any_length(salt_bytes: int) -> None:
    signature = KEY.sign(MESSAGE.encode(), PSS(MGF1(SHA256()), salt_bytes), SHA256())
    assert verdict(CERTIFICATE, signature=written(signature)) == Proven()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(lambda: EXPIRED, "the certificate is valid from", id="expired"),
        pytest.param(
            lambda: certificate(KEY, first=NOW + A_DAY),
            "the certificate is valid from",
            id="not valid yet",
        ),
        pytest.param(
            lambda: certificate(ec.generate_private_key(ec.SECP256R1())),
            "the certificate's key is no RSA key",
            id="elliptic curve",
        ),
        pytest.param(
            lambda: certificate(rsa_key(1024)),
            "the certificate's key has 1024 bits, less than 2048",
            id="weak",
        ),
        pytest.param(
            lambda: CERTIFICATE[:200] + CERTIFICATE[300:],
            "the certificate can't be read",
            id="damaged",
        ),
        pytest.param(lambda: CERTIFICATE[:200], "the certificate can't be read", id="cut off"),
    ],
)
def test_a_certificate_that_can_be_put_right_leaves_the_range_unproven(
    make: Callable[[], str], reason: str
) -> None:  # BYOIP-1
    # Another's certificate beside it does not make it hopeless.
    for remarks in ([one_line(make())], [one_line(OTHER_CERTIFICATE), one_line(make())]):
        found = verdict(*remarks)
        assert isinstance(found, Unproven)
        assert found.reason.startswith(reason)
        assert "RDAP record of 198.18.12.0/22" in found.reason


def test_a_certificate_tells_when_it_is_valid() -> None:
    first, last = datetime(2020, 1, 2, tzinfo=UTC), datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)
    found = verdict(certificate(KEY, first=first, last=last))
    assert isinstance(found, Unproven)
    assert "from 2020-01-02 00:00:00 UTC to 2021-03-04 05:06:07 UTC, not now" in found.reason


def test_a_record_without_a_certificate_leaves_the_range_unproven() -> None:  # BYOIP-1
    assert verdict("Our network") == Unproven(
        "there is no certificate in the remarks of the RDAP record of 198.18.12.0/22"
    )


@pytest.mark.parametrize(
    "text",
    ["", "A", "AAAAA", "AAA", "AAAA____", "AA_A", "AAAA\n", " AAAA", "AA+A", "AA/A", "AAA=", "é"],
)
def test_a_signature_is_in_base64_with_three_other_characters(text: str) -> None:  # BYOIP-1
    with pytest.raises(MalformedSignature) as refused:
        decode_signature(text)
    assert refused.value.reason == "InvalidParameterValue"
    assert f"({text})" in refused.value.message


@given(st.binary(min_size=1))
def test_a_signature_is_read_as_it_was_written(signature: bytes) -> None:
    assert decode_signature(written(signature)) == signature


@given(st.data())
def test_no_damaged_certificate_is_taken_for_a_good_one_or_stops_anything(
    data: st.DataObject,
) -> None:
    (der,) = certificates(network_record("198.18.0.0/16", CERTIFICATE))
    at = data.draw(st.integers(0, len(der) - 1))
    damaged = der[:at] + data.draw(st.binary(max_size=4)) + der[at + data.draw(st.integers(0, 4)) :]
    forged = decode_signature(sign(OTHER_KEY, MESSAGE))
    assert fault_of(damaged, MESSAGE, forged, NOW) is not None


def test_a_certificate_of_an_unknown_version_is_at_fault() -> None:  # BYOIP-1
    (der,) = certificates(network_record("198.18.0.0/16", CERTIFICATE))
    third, unknown = bytes.fromhex("a003020102"), bytes.fromhex("a003020109")
    assert der.count(third) == 1
    signature = decode_signature(sign(KEY, MESSAGE))
    fault = fault_of(der.replace(third, unknown), MESSAGE, signature, NOW)
    assert fault == Fault(
        "the certificate can't be read: it is damaged, or of an unknown kind", is_final=False
    )


needs_openssl = pytest.mark.skipif(which("openssl") is None, reason="openssl is not installed")


@needs_openssl
@pytest.mark.parametrize("claim", [CLAIM, AsnClaim(64496, ACCOUNT)])
def test_the_guides_command_line_signs_what_is_accepted(
    claim: Claim, tmp_path: Path
) -> None:  # BYOIP-1, ASN-1
    message = authorization_message(ACCOUNT, claim.subject)
    signature = sign_by_openssl(write_key(KEY, tmp_path / "private-key.pem"), message)
    (der,) = certificates(network_record("198.18.0.0/16", CERTIFICATE))
    assert fault_of(der, message, decode_signature(signature), NOW) is None


@needs_openssl
def test_a_key_and_a_certificate_made_by_openssl_are_accepted(tmp_path: Path) -> None:  # BYOIP-1
    key_file = tmp_path / "private-key.pem"
    for command in (
        "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out private-key.pem",
        "openssl req -new -x509 -key private-key.pem -days 365 -subj /CN=example.com"
        ' | tr -d "\\n" > certificate.pem',
    ):
        subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True, capture_output=True)
    certificate_text = (tmp_path / "certificate.pem").read_text()
    signature = sign_by_openssl(key_file, MESSAGE)
    record = network_record("198.18.0.0/16", certificate_text)
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert record_verdict(record, CLAIM, MESSAGE, decode_signature(signature), later) == Proven()
