"""Signed messages of child and parent (RFC 6492, section 3.1), and what is not taken for one."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms, core
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, Hash, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from services.control_plane.delegated_rpki import keys
from services.control_plane.delegated_rpki.bpki import BpkiIdentity
from services.control_plane.delegated_rpki.cms import (
    VerifiedMessage,
    signed_message,
    verified_message,
)
from services.control_plane.delegated_rpki.errors import MessageNotTrusted, MessageReplayed
from services.control_plane.delegated_rpki.keys import KeyMaker

XML = b"<message/>"
NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture(scope="module")
def parent() -> BpkiIdentity:
    return BpkiIdentity.new("parent", NOW)


@pytest.fixture(scope="module")
def message(parent: BpkiIdentity, make_key: KeyMaker) -> bytes:
    return signed_message(XML, parent, NOW, make_key=make_key)


def test_what_the_parent_signed_is_believed(parent: BpkiIdentity, message: bytes) -> None:
    verified = verified_message(message, parent.certificate, NOW)
    assert verified == VerifiedMessage(XML, NOW.replace(microsecond=0))


def test_openssl_believes_it_too(parent: BpkiIdentity, tmp_path: Path) -> None:
    """Otherwise the two sides here could be wrong in the same way."""
    ours = signed_message(XML, parent, datetime.now(UTC))
    anchor = x509.load_der_x509_certificate(parent.certificate)
    (tmp_path / "message").write_bytes(ours)
    (tmp_path / "anchor").write_bytes(anchor.public_bytes(Encoding.PEM))
    # With the CRL that is inside.
    command = "openssl cms -verify -inform der -in message -CAfile anchor -purpose any -crl_check"
    run = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=False)
    assert (run.returncode, run.stdout) == (0, XML), run.stderr


def test_neither_key_is_shown(parent: BpkiIdentity) -> None:
    assert repr(parent) == "BpkiIdentity()"


@pytest.mark.parametrize("sends", [5 * MINUTE - SECOND, timedelta(0), -HOUR + MINUTE], ids=str)
def test_clocks_may_differ_a_little(parent: BpkiIdentity, message: bytes, sends: timedelta) -> None:
    assert verified_message(message, parent.certificate, NOW - sends).xml == XML


@pytest.mark.parametrize(
    ("at", "why"),
    [
        (NOW - 11 * MINUTE, "anchor does not count now"),
        (NOW + HOUR + SECOND, "CRL does not count now"),
        (NOW + timedelta(days=3654), "anchor does not count now"),
    ],
)
def test_a_message_counts_for_an_hour_and_not_before(
    parent: BpkiIdentity, message: bytes, at: datetime, why: str
) -> None:
    with pytest.raises(MessageNotTrusted, match=why):
        verified_message(message, parent.certificate, at)


def test_older_messages_than_the_last_are_replayed(parent: BpkiIdentity, message: bytes) -> None:
    signed_at = NOW.replace(microsecond=0)
    verified_message(message, parent.certificate, NOW, not_before=signed_at)
    with pytest.raises(MessageReplayed, match="before the last"):
        verified_message(message, parent.certificate, NOW, not_before=signed_at + SECOND)


def test_nobody_else_is_believed(message: bytes, identity: BpkiIdentity) -> None:
    with pytest.raises(MessageNotTrusted, match="not the trust anchor's"):
        verified_message(message, identity.certificate, datetime.now(UTC))


def test_another_who_takes_the_parents_name_is_not_believed(
    parent: BpkiIdentity, make_key: KeyMaker
) -> None:
    other = BpkiIdentity.new("parent", NOW)
    forged = signed_message(XML, other, NOW, make_key=make_key)
    with pytest.raises(MessageNotTrusted, match="CRL is not signed by the trust anchor"):
        verified_message(forged, parent.certificate, NOW)


class Forger:
    """Has the parent's own key, and signs what differs from a message in one respect."""

    def __init__(self, parent: BpkiIdentity, key: RSAPrivateKey) -> None:
        self.parent, self.key = parent, key
        self.certificate = parent.certificate_of(key.public_key(), NOW)
        self.crl = parent.crl(NOW)
        self.digest: HashAlgorithm = SHA256()
        self.attributes: dict[str, list[Any]] = {
            "content_type": ["1.2.840.113549.1.9.16.1.28"],
            "signing_time": [cms.Time({"utc_time": NOW})],
            "message_digest": [_digest(XML, SHA256())],
        }
        self.changed: Callable[[Any], None] = lambda _: None

    def message(self) -> bytes:
        listed = [{"type": name, "values": value} for name, value in self.attributes.items()]
        attributes = cms.CMSAttributes(listed)
        template = signed_message(XML, self.parent, NOW, make_key=lambda: self.key)
        whole = cms.ContentInfo.load(template)
        signed = whole["content"]
        certificate = self.certificate.public_bytes(Encoding.DER)
        signed["certificates"] = [cms.CertificateChoices.load(certificate)]
        crl = self.crl.public_bytes(Encoding.DER)
        signed["crls"] = [cms.RevocationInfoChoice.load(crl)]
        signer = signed["signer_infos"][0]
        signer["signed_attrs"] = attributes
        signer["digest_algorithm"] = {"algorithm": self.digest.name}
        signer["signature"] = self.key.sign(attributes.dump(), PKCS1v15(), self.digest)
        self.changed(signed)
        return bytes(whole.dump(force=True))


def _digest(content: bytes, algorithm: HashAlgorithm) -> bytes:
    digest = Hash(algorithm)
    digest.update(content)
    return digest.finalize()


@pytest.fixture
def forger(parent: BpkiIdentity, make_key: KeyMaker) -> Forger:
    return Forger(parent, make_key())


def test_what_the_forger_changes_nothing_of_is_believed(forger: Forger) -> None:
    verified = verified_message(forger.message(), forger.parent.certificate, NOW)
    assert verified == VerifiedMessage(XML, NOW.replace(microsecond=0))


def twice(name: str) -> Callable[[Any], None]:
    def change(signed: Any) -> None:
        signed[name] = [signed[name][0], signed[name][0]]

    return change


def put(*path: str | int, value: Any) -> Callable[[Any], None]:
    def change(signed: Any) -> None:
        for step in path[:-1]:
            signed = signed[step]
        signed[path[-1]] = value

    return change


def without(*path: str | int) -> Callable[[Any], None]:
    def change(signed: Any) -> None:
        for step in path[:-1]:
            signed = signed[step]
        del signed[path[-1]]

    return change


SIGNER = ("signer_infos", 0)
NAMED_OTHERWISE = cms.SignerIdentifier(
    {
        "issuer_and_serial_number": {
            "issuer": cms.Name.build({"common_name": "a"}),
            "serial_number": 1,
        }
    }
)
OTHER_SIGNER = cms.SignerIdentifier({"subject_key_identifier": b"\0" * 20})
OTHERWISE = {
    "version": (put("version", value="v1"), "version is not 3"),
    "type of content": (put("encap_content_info", "content_type", value="data"), "is no XML"),
    "content": (put("encap_content_info", "content", value=b"<o/>"), "not what was signed"),
    "no content": (without("encap_content_info", "content"), "not what was signed"),
    "no certificate": (without("certificates"), "once: certificate"),
    "two certificates": (twice("certificates"), "2 of what has to be there once: certificate"),
    "no CRL": (without("crls"), "once: CRL"),
    "two CRLs": (twice("crls"), "2 of what has to be there once: CRL"),
    "no signer": (put("signer_infos", value=[]), "0 of what has to be there once: signer"),
    "two signers": (twice("signer_infos"), "2 of what has to be there once: signer"),
    "version of signer": (put(*SIGNER, "version", value="v1"), "signer's version is not 3"),
    "signer": (put(*SIGNER, "sid", value=OTHER_SIGNER), "not the certificate's subject"),
    "name of signer": (put(*SIGNER, "sid", value=NAMED_OTHERWISE), "not named by a key"),
    "digest": (put(*SIGNER, "digest_algorithm", value={"algorithm": "sha512"}), "not what was"),
    "old digest": (put(*SIGNER, "digest_algorithm", value={"algorithm": "md5"}), "none of SHA-2"),
    "digest of signature": (
        put(*SIGNER, "signature_algorithm", value={"algorithm": "sha512_rsa"}),
        "its digests differ",
    ),
    "algorithm": (
        put(*SIGNER, "signature_algorithm", value={"algorithm": "sha256_ecdsa"}),
        "not signed by RSA",
    ),
    "signature": (put(*SIGNER, "signature", value=b"\0" * 256), "signature is wrong"),
    "no attributes": (without(*SIGNER, "signed_attrs"), "content_type is missing"),
}


@pytest.mark.parametrize(("change", "why"), OTHERWISE.values(), ids=OTHERWISE)
def test_nothing_of_a_message_may_be_otherwise(
    forger: Forger, change: Callable[[Any], None], why: str
) -> None:
    forger.changed = change
    with pytest.raises(MessageNotTrusted, match=why):
        verified_message(forger.message(), forger.parent.certificate, NOW)


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("content_type", ["data"], "signed no XML"),
        ("content_type", [], "once: value of content_type"),
        ("message_digest", [b"\0" * 32], "not what was signed"),
        ("message_digest", [b"\0" * 32, _digest(XML, SHA256())], "once: value of message_digest"),
        ("signing_time", [], "once: value of signing_time"),
        ("signing_time", [cms.Time({"utc_time": NOW + 6 * MINUTE})], "signed in the future"),
    ],
)
def test_nothing_that_is_signed_with_it_may_be_otherwise(
    forger: Forger, name: str, values: list[Any], why: str
) -> None:
    forger.attributes[name] = values
    with pytest.raises(MessageNotTrusted, match=why):
        verified_message(forger.message(), forger.parent.certificate, NOW)


def test_what_is_not_signed_is_not_believed(parent: BpkiIdentity, message: bytes) -> None:
    whole = cms.ContentInfo.load(message)
    other = core.ObjectIdentifier("1.2.840.113549.1.7.5").dump()
    changed = whole.dump().replace(whole["content_type"].dump(), other, 1)
    with pytest.raises(MessageNotTrusted, match="it is no signed data"):
        verified_message(changed, parent.certificate, NOW)


@pytest.mark.parametrize("name", ["content_type", "message_digest", "signing_time"])
def test_each_attribute_has_to_be_there(forger: Forger, name: str) -> None:
    del forger.attributes[name]
    with pytest.raises(MessageNotTrusted, match=f"{name} is missing"):
        verified_message(forger.message(), forger.parent.certificate, NOW)


def test_sha_1_is_not_taken_though_everything_fits(forger: Forger) -> None:
    forger.digest = SHA1()
    forger.attributes["message_digest"] = [_digest(XML, SHA1())]
    with pytest.raises(MessageNotTrusted, match="none of SHA-2"):
        verified_message(forger.message(), forger.parent.certificate, NOW)


def test_a_revoked_certificate_signs_nothing(forger: Forger) -> None:
    revoked = (
        x509.RevokedCertificateBuilder()
        .serial_number(forger.certificate.serial_number)
        .revocation_date(NOW)
        .build()
    )
    forger.crl = _crl(forger.parent).add_revoked_certificate(revoked).sign(_key(forger), SHA256())
    with pytest.raises(MessageNotTrusted, match="is revoked"):
        verified_message(forger.message(), forger.parent.certificate, NOW)


def test_another_authoritys_crl_says_nothing(forger: Forger, identity: BpkiIdentity) -> None:
    forger.crl = identity.crl(NOW)
    with pytest.raises(MessageNotTrusted, match="CRL is not the trust anchor's"):
        verified_message(forger.message(), forger.parent.certificate, NOW)


@pytest.mark.parametrize("since", [-2 * HOUR, 6 * MINUTE], ids=["over", "yet to come"])
def test_a_crl_has_to_count_now(forger: Forger, since: timedelta) -> None:
    builder = x509.CertificateRevocationListBuilder(
        forger.crl.issuer, NOW + since, NOW + since + HOUR
    )
    forger.crl = builder.sign(_key(forger), SHA256())
    with pytest.raises(MessageNotTrusted, match="CRL does not count now"):
        verified_message(forger.message(), forger.parent.certificate, NOW)


@pytest.mark.parametrize("since", [-2 * HOUR, 6 * MINUTE], ids=["over", "yet to come"])
def test_a_certificate_has_to_count_now(forger: Forger, since: timedelta) -> None:
    forger.certificate = _certificate(forger, since).sign(_key(forger), SHA256())
    with pytest.raises(MessageNotTrusted, match="certificate does not count now"):
        verified_message(forger.message(), forger.parent.certificate, NOW)


def test_authorities_sign_no_messages(forger: Forger) -> None:
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    builder = _certificate(forger, timedelta(0)).add_extension(constraints, critical=True)
    forger.certificate = builder.sign(_key(forger), SHA256())
    with pytest.raises(MessageNotTrusted, match="is a certification authority"):
        verified_message(forger.message(), forger.parent.certificate, NOW)


def test_the_trust_anchor_itself_signs_no_messages(forger: Forger) -> None:
    forger.certificate = x509.load_der_x509_certificate(forger.parent.certificate)
    forger.key = _key(forger)
    with pytest.raises(MessageNotTrusted, match="is a certification authority"):
        verified_message(forger.message(), forger.parent.certificate, NOW)


def test_short_keys_are_not_taken(parent: BpkiIdentity) -> None:
    forger = Forger(parent, generate_private_key(65537, 1024))
    with pytest.raises(MessageNotTrusted, match="less than 2048 bits"):
        verified_message(forger.message(), forger.parent.certificate, NOW)


def _key(forger: Forger) -> RSAPrivateKey:
    return keys.read(forger.parent.key)


def _crl(parent: BpkiIdentity) -> x509.CertificateRevocationListBuilder:
    return x509.CertificateRevocationListBuilder(parent.crl(NOW).issuer, NOW - MINUTE, NOW + HOUR)


def _certificate(forger: Forger, since: timedelta) -> x509.CertificateBuilder:
    now = forger.certificate
    return x509.CertificateBuilder(
        now.issuer,
        now.subject,
        forger.key.public_key(),
        7,
        NOW + since,
        NOW + since + HOUR,
    )


def test_messages_in_ber_are_read(parent: BpkiIdentity, message: bytes) -> None:
    """As Java's library writes them: lengths are told by ends, the content is in pieces."""
    signed = cms.ContentInfo.load(message)["content"]
    parts = {name: signed[name].dump() for name in signed}
    content_type = core.ObjectIdentifier("1.2.840.113549.1.9.16.1.28").dump()
    pieces = core.OctetString(XML[:4]).dump() + core.OctetString(XML[4:]).dump()
    parts["encap_content_info"] = _open(0x30, content_type + _open(0xA0, _open(0x24, pieces)))
    whole = core.ObjectIdentifier("1.2.840.113549.1.7.2").dump() + _open(
        0xA0, _open(0x30, b"".join(parts.values()))
    )
    ber = _open(0x30, whole)
    assert verified_message(ber, parent.certificate, NOW).xml == XML


def _open(tag: int, content: bytes) -> bytes:
    return bytes([tag, 0x80]) + content + b"\0\0"


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@given(data=st.data())
def test_whatever_is_changed_of_a_message_it_is_refused_or_says_the_same(
    parent: BpkiIdentity, message: bytes, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, len(message) - 1))
    last = data.draw(st.integers(first, min(first + 4, len(message))))
    changed = message[:first] + data.draw(st.binary(max_size=4)) + message[last:]
    try:
        verified = verified_message(changed, parent.certificate, NOW)
    except MessageNotTrusted:
        return
    assert verified == verified_message(message, parent.certificate, NOW)
