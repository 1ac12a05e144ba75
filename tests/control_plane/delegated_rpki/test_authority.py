"""What a parent is asked to certify, and what of its answer is taken."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from services.control_plane.delegated_rpki import keys
from services.control_plane.delegated_rpki.authority import (
    Authority,
    Place,
    certificate_request,
    new_key,
)
from services.control_plane.delegated_rpki.bpki import BpkiIdentity
from services.control_plane.delegated_rpki.errors import CertificateNotUsable
from services.control_plane.delegated_rpki.resource_extensions import (
    extensions_of,
    inheriting_extensions,
)
from services.control_plane.delegated_rpki.resources import Resources
from tests.control_plane.delegated_rpki.child import HELD, PLACE, Child

RRDP = Place(PLACE.repository_uri, "https://rpki.example.net/notification.xml")


@pytest.mark.parametrize(
    ("repository_uri", "notification_uri"),
    [
        ("rsync://h/m", None),
        ("rsync://h/", None),
        ("rsync://h/m//", None),
        ("rsync://h/m/ä/", None),
        ("https://h/m/", None),
        ("rsync://h/m/", "http://h/n.xml"),
    ],
)
def test_a_place_is_a_folder_of_rsync_and_a_file_of_https(
    repository_uri: str, notification_uri: str | None
) -> None:
    with pytest.raises(ValueError, match="is not"):
        Place(repository_uri, notification_uri)


@pytest.mark.parametrize("uri", ["rsync://h/m/", "rsync://h:8730/m/a/b-c_d/"])
def test_files_are_in_their_place(uri: str) -> None:
    assert Place(uri, "https://h/n.xml").uri_of("a.roa") == f"{uri}a.roa"


def access(extensions: x509.Extensions) -> dict[str, str]:
    told = extensions.get_extension_for_class(x509.SubjectInformationAccess).value
    return {d.access_method.dotted_string: d.access_location.value for d in told}


@pytest.mark.parametrize("place", [PLACE, RRDP], ids=["rsync", "rrdp"])
def test_a_request_names_the_key_and_where_what_it_signs_is(key: bytes, place: Place) -> None:
    request = x509.load_der_x509_csr(certificate_request(key, place))  # RFC 6487, section 6
    name = keys.key_identifier(key).hex()
    wanted = {
        "1.3.6.1.5.5.7.48.5": place.repository_uri,
        "1.3.6.1.5.5.7.48.10": f"{place.repository_uri}{name}.mft",
    }
    if place.notification_uri:
        wanted["1.3.6.1.5.5.7.48.13"] = place.notification_uri
    assert access(request.extensions) == wanted
    assert request.is_signature_valid
    assert request.public_key() == keys.read(key).public_key()
    assert request.subject.rfc4514_string() == f"CN={name}"
    assert b"\x13\x28" + name.encode() in request.subject.public_bytes()  # PrintableString
    constraints = request.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = request.extensions.get_extension_for_class(x509.KeyUsage)
    assert constraints.critical
    assert constraints.value.ca
    assert usage.critical
    assert usage.value.key_cert_sign
    assert usage.value.crl_sign
    assert not usage.value.digital_signature


def test_an_authority_has_what_its_certificate_says(child: Child, key: bytes) -> None:
    authority = child.certified(key)
    (resource_class,) = child.listed()
    assert authority.resources == HELD == resource_class.resources
    year = datetime.now(UTC) + timedelta(days=365)
    assert abs(authority.not_after - year) < timedelta(minutes=1)
    assert authority.certificate_uri.startswith("rsync://rir.example.net/repository/")


def test_keys_are_never_shown(authority: Authority) -> None:
    assert "key" not in repr(authority)
    assert new_key() != new_key()


def test_a_certificate_for_another_key_is_not_taken(
    child: Child, key: bytes, other_key: bytes
) -> None:  # RFC 6492, section 3.4.2
    issued, theirs = child.issued(other_key)
    mine = Authority(key, theirs.certificate, theirs.certificate_uri, PLACE)
    with pytest.raises(CertificateNotUsable, match="another key"):
        mine.check(issued.issuer, datetime.now(UTC))


@pytest.mark.parametrize("place", [Place("rsync://rpki.example.net/repo/other/"), RRDP], ids=str)
def test_a_certificate_for_another_place_is_not_taken(
    child: Child, key: bytes, place: Place
) -> None:
    issued, authority = child.issued(key)
    moved = Authority(key, authority.certificate, authority.certificate_uri, place)
    with pytest.raises(CertificateNotUsable, match="does not say that what is signed is at"):
        moved.check(issued.issuer, datetime.now(UTC))


@pytest.mark.parametrize("days", [-1, 366])
def test_a_certificate_has_to_count_now(child: Child, key: bytes, days: int) -> None:
    issued, authority = child.issued(key)
    with pytest.raises(CertificateNotUsable, match="which is not now"):
        authority.check(issued.issuer, datetime.now(UTC) + timedelta(days=days))


def test_a_certificate_of_another_issuer_is_not_taken(
    child: Child, key: bytes, identity: BpkiIdentity
) -> None:
    _, authority = child.issued(key)
    for issuer in (identity.certificate, authority.certificate, b"none"):
        with pytest.raises(CertificateNotUsable):
            authority.check(issuer, datetime.now(UTC))


def test_a_changed_certificate_is_not_taken(child: Child, key: bytes) -> None:
    issued, authority = child.issued(key)
    changed = authority.certificate[:-1] + bytes([authority.certificate[-1] ^ 1])
    forged = Authority(key, changed, authority.certificate_uri, PLACE)
    with pytest.raises(CertificateNotUsable, match="not its issuer's"):
        forged.check(issued.issuer, datetime.now(UTC))


def test_a_certificate_of_none_is_not_taken(child: Child, key: bytes) -> None:
    issued, _ = child.issued(key)
    for der in (b"", b"none"):
        with pytest.raises(CertificateNotUsable, match="can't be read"):
            Authority(key, der, "rsync://h/m/a.cer", PLACE).check(issued.issuer, datetime.now(UTC))


class Issuer:
    """Issues what differs in one respect from what it was asked for."""

    def __init__(self, identity: BpkiIdentity, key: bytes) -> None:
        self._identity, self._key = identity, key
        public_key = keys.read(key).public_key()
        self.extensions: dict[str, x509.ExtensionType] = {
            "constraints": x509.BasicConstraints(ca=True, path_length=None),
            "key": x509.SubjectKeyIdentifier.from_public_key(public_key),
            "access": PLACE.access(keys.key_identifier(key)),
            "addresses": extensions_of(HELD)[0],
        }

    def check(self) -> None:
        now = datetime.now(UTC)
        issuer = x509.load_der_x509_certificate(self._identity.certificate)
        builder = (
            x509.CertificateBuilder(issuer.subject, issuer.subject)
            .public_key(keys.read(self._key).public_key())
            .serial_number(7)
            .not_valid_before(now)
            .not_valid_after(now + timedelta(days=1))
        )
        for extension in self.extensions.values():
            builder = builder.add_extension(extension, critical=False)
        certificate = builder.sign(keys.read(self._identity.key), SHA256())
        der = certificate.public_bytes(Encoding.DER)
        Authority(self._key, der, "rsync://h/m/a.cer", PLACE).check(self._identity.certificate, now)


@pytest.fixture
def issuer(identity: BpkiIdentity, key: bytes) -> Issuer:
    return Issuer(identity, key)


def test_what_was_asked_for_is_taken(issuer: Issuer) -> None:
    issuer.check()


@pytest.mark.parametrize("name", ["constraints", "key", "access", "addresses"])
def test_a_certificate_has_to_have_each_part(issuer: Issuer, name: str) -> None:
    del issuer.extensions[name]
    with pytest.raises(CertificateNotUsable, match="can't be read|has no addresses"):
        issuer.check()


@pytest.mark.parametrize(
    ("name", "other", "why"),
    [
        ("constraints", x509.BasicConstraints(ca=False, path_length=None), "not for a certif"),
        ("key", x509.SubjectKeyIdentifier(bytes(20)), "names its key otherwise"),
        ("access", PLACE.access(bytes(20)), "does not say that what is signed is at"),
        ("addresses", inheriting_extensions()[0], "what its issuer has"),
    ],
)
def test_each_part_has_to_be_what_was_asked_for(
    issuer: Issuer, name: str, other: x509.ExtensionType, why: str
) -> None:
    issuer.extensions[name] = other
    with pytest.raises(CertificateNotUsable, match=why):
        issuer.check()


def test_the_parent_withdraws_and_enlarges_by_new_certificates(child: Child, key: bytes) -> None:
    before = child.certified(key)
    less = Resources.parse(asns="64496", ipv4="10.0.0.0/9")
    child.entitle(less)
    (resource_class,) = child.listed()
    (certificate,) = resource_class.certificates
    shrunk = Authority(key, certificate.certificate, certificate.rsync_url, PLACE)
    assert shrunk.resources == less
    assert shrunk.mark == before.mark
    child.entitle(HELD)
    assert child.certified(key).resources == HELD


def test_what_is_signed_tells_of_key_and_places(authority: Authority, other_key: bytes) -> None:
    der, uri = authority.certificate, authority.certificate_uri
    marks = {
        authority.mark,
        Authority(other_key, der, uri, PLACE).mark,
        Authority(authority.key, der, f"{uri}x", PLACE).mark,
        Authority(authority.key, der, uri, Place("rsync://h/m/")).mark,
    }
    assert len(marks) == 4
    assert Authority(authority.key, der, uri, RRDP).mark == authority.mark
