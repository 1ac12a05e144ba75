"""What an authority publishes after what it published before (RFC 6487, RFC 9286, RFC 9582)."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from services.control_plane.delegated_rpki.authority import Authority, Place
from services.control_plane.delegated_rpki.errors import RoasNotCovered
from services.control_plane.delegated_rpki.keys import KeyMaker
from services.control_plane.delegated_rpki.publication import (
    Publication,
    publish,
    renew_at,
)
from services.control_plane.delegated_rpki.resource_extensions import resources_of
from services.control_plane.delegated_rpki.resources import Resources
from services.control_plane.delegated_rpki.roa import Roa
from services.control_plane.delegated_rpki.syntax import ManifestContent, RouteOriginAttestation
from shared.cidr import Cidr
from tests.control_plane.delegated_rpki.child import Child

NOW = datetime.now(UTC).replace(microsecond=0)
A_SECOND, A_MINUTE = timedelta(seconds=1), timedelta(minutes=1)
AN_HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)


def roa(cidr: str, asn: int, max_length: int | None = None) -> Roa:
    block = Cidr.parse(cidr)
    return Roa(block, asn, max_length or block.prefix_length)


WIDE, NARROW = roa("10.1.0.0/16", 64496, 24), roa("10.1.0.0/16", 64497)
IPV6 = roa("2001:db8::/36", 64496, 48)


class Publisher:
    """Publishes again and again."""

    def __init__(self, authority: Authority, make_key: KeyMaker) -> None:
        self.authority, self.make_key = authority, make_key
        self.last: Publication | None = None

    def __call__(self, *wanted: Roa, at: datetime = NOW) -> Publication:
        self.last = publish(self.authority, wanted, self.last, at, make_key=self.make_key)
        return self.last


@pytest.fixture
def published(authority: Authority, make_key: KeyMaker) -> Publisher:
    return Publisher(authority, make_key)


@pytest.mark.parametrize(
    ("cidr", "asn", "max_length"),
    [
        ("10.0.0.0/16", 64496, 15),
        ("10.0.0.0/16", 64496, 33),
        ("2001:db8::/32", 64496, 129),
        ("10.0.0.0/16", -1, 16),
        ("10.0.0.0/16", 1 << 32, 16),
    ],
)
def test_a_roa_can_only_be_for_routes_that_there_are(cidr: str, asn: int, max_length: int) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Roa(Cidr.parse(cidr), asn, max_length)


@pytest.mark.parametrize(
    ("wish", "name", "content"),
    [
        (
            roa("10.1.0.0/16", 64496),
            "AS64496-0a010000-16-16.roa",
            "3016 020300fbf0 300f 300d 04020001 3007 3005 03030 00a01",
        ),
        (
            roa("10.1.0.0/16", 64496, 24),
            "AS64496-0a010000-16-24.roa",
            "3019 020300fbf0 3012 3010 04020001 300a 3008 03030 00a01 020118",
        ),
        (
            roa("2001:db8::/36", 0, 48),
            "AS0-20010db8000000000000000000000000-36-48.roa",
            "301a 020100 3015 3013 04020002 300d 300b 030604 20010db800 020130",
        ),
    ],
)
def test_roas_are_written_as_rfc_9582_has_them(wish: Roa, name: str, content: str) -> None:
    """The AS, the family, the bits of the prefix, and a maximum length if it says more."""
    assert (wish.file_name, wish.content.hex()) == (name, content.replace(" ", ""))


def crl_of(publication: Publication) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl(publication.crl)


def revoked_in(publication: Publication) -> set[int]:
    return {entry.serial_number for entry in crl_of(publication)}


def certificate_in(der: bytes) -> x509.Certificate:
    signed = cms.ContentInfo.load(der, strict=True)["content"]
    return x509.load_der_x509_certificate(signed["certificates"][0].chosen.dump())


def content_of(der: bytes) -> bytes:
    return bytes(cms.ContentInfo.load(der)["content"]["encap_content_info"]["content"])


def manifest_of(publication: Publication) -> Any:
    return ManifestContent.load(content_of(publication.manifest), strict=True)


def test_exactly_what_is_wanted_is_published(published: Publisher) -> None:
    first = published(WIDE, IPV6)
    assert set(first.roas) == {WIDE, IPV6}
    names = {"AS64496-0a010000-16-24.roa", IPV6.file_name, first.manifest_name, first.crl_name}
    assert set(first.objects) == names
    for wish in (WIDE, IPV6):
        der = first.objects[wish.file_name]
        assert content_of(der) == wish.content
        attestation = RouteOriginAttestation.load(content_of(der), strict=True)
        assert attestation["as_id"].native == wish.asn


def test_what_stays_wanted_stays_as_it_is(published: Publisher) -> None:
    first = published(WIDE, IPV6)
    second = published(IPV6, NARROW, at=NOW + AN_HOUR)
    assert set(second.roas) == {NARROW, IPV6}
    assert second.roas[IPV6] == first.roas[IPV6]
    assert revoked_in(first) == set()
    assert revoked_in(second) == {first.roas[WIDE].serial, first.manifest_serial}
    assert second.revoked[first.roas[WIDE].serial] == (
        NOW + AN_HOUR,
        first.roas[WIDE].not_after,
    )


def test_each_is_the_authoritys_and_for_what_it_says(
    published: Publisher, authority: Authority
) -> None:  # RFC 6487, RFC 6488
    signed = published(WIDE).roas[WIDE]
    certificate = certificate_in(signed.der)
    certificate.verify_directly_issued_by(authority.parsed_certificate)
    assert certificate.serial_number == signed.serial < 1 << 63
    assert resources_of(certificate) == Resources.of([WIDE.cidr])
    assert certificate.not_valid_before_utc == signed.not_before == NOW - 5 * A_MINUTE
    assert certificate.not_valid_after_utc == signed.not_after == NOW + 365 * A_DAY
    name = authority.key_identifier.hex()
    place = authority.place.repository_uri
    told = certificate.extensions.get_extension_for_class
    points = told(x509.CRLDistributionPoints).value
    assert [str(uri.value) for point in points for uri in point.full_name or []] == [
        f"{place}{name}.crl"
    ]
    assert [d.access_location.value for d in told(x509.AuthorityInformationAccess).value] == [
        authority.certificate_uri
    ]
    assert [d.access_location.value for d in told(x509.SubjectInformationAccess).value] == [
        f"{place}{signed.file_name}"
    ]
    assert told(x509.AuthorityKeyIdentifier).value.key_identifier == authority.key_identifier
    critical = {
        extension.oid.dotted_string for extension in certificate.extensions if extension.critical
    }
    assert critical == {"2.5.29.15", "2.5.29.32", "1.3.6.1.5.5.7.1.7"}


def test_the_manifest_lists_all_files_and_their_hashes(published: Publisher) -> None:  # RFC 9286
    publication = published(WIDE, NARROW, IPV6)
    manifest = manifest_of(publication)
    listed = {entry["file"].native: entry["hash"].native for entry in manifest["file_list"]}
    assert listed == {
        name: hashlib.sha256(content).digest()
        for name, content in publication.objects.items()
        if name != publication.manifest_name
    }
    assert manifest["manifest_number"].native == publication.number
    assert manifest["this_update"].native == publication.this_update == NOW - 5 * A_MINUTE
    assert manifest["next_update"].native == publication.next_update == NOW + A_DAY
    certificate = certificate_in(publication.manifest)
    assert certificate.serial_number == publication.manifest_serial
    assert certificate.not_valid_after_utc == publication.next_update


def test_the_crl_is_the_authoritys_and_counts_as_long(
    published: Publisher, authority: Authority
) -> None:
    publication = published(WIDE)
    crl = crl_of(publication)
    key = authority.parsed_certificate.public_key()
    assert isinstance(key, RSAPublicKey)
    assert crl.is_signature_valid(key)
    assert isinstance(crl.signature_hash_algorithm, SHA256)
    assert (crl.last_update_utc, crl.next_update_utc) == (NOW - 5 * A_MINUTE, NOW + A_DAY)
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == (
        publication.number
    )


@pytest.mark.parametrize("later", [timedelta(0), A_SECOND, -A_DAY, A_DAY], ids=str)
def test_number_and_time_only_grow(published: Publisher, later: timedelta) -> None:
    first, second = published(WIDE), published(WIDE, at=NOW + later)
    assert second.number > first.number
    assert second.this_update > first.this_update


def test_the_number_grows_though_a_database_was_restored(published: Publisher) -> None:
    """Validators go on with what they have when the number of what they find is lower."""
    before = published(WIDE)
    latest = published(WIDE, at=NOW + A_MINUTE)
    published.last = before
    assert published(WIDE, at=NOW + 2 * A_MINUTE).number > latest.number


def test_what_is_revoked_is_told_until_it_would_not_count_anyway(published: Publisher) -> None:
    first = published(WIDE)
    serial = first.roas[WIDE].serial
    published(at=NOW + AN_HOUR)
    almost, over = NOW + 365 * A_DAY - A_SECOND, NOW + 365 * A_DAY
    assert serial in revoked_in(published(at=almost))
    assert serial not in revoked_in(published(at=over))


def test_since_when_one_is_revoked_never_changes(published: Publisher) -> None:
    serial = published(WIDE).roas[WIDE].serial
    revoked = published(at=NOW + AN_HOUR).revoked[serial]
    assert published(WIDE, at=NOW + 2 * AN_HOUR).revoked[serial] == revoked
    assert revoked[0] == NOW + AN_HOUR


def test_roas_are_renewed_four_weeks_before_they_end(published: Publisher) -> None:
    first = published(WIDE)
    due = NOW + 365 * A_DAY - timedelta(weeks=4)
    assert published(WIDE, at=due - A_SECOND).roas == first.roas
    renewed = published(WIDE, at=due)
    assert renewed.roas[WIDE].not_after == due + 365 * A_DAY
    assert renewed.roas[WIDE].file_name == first.roas[WIDE].file_name
    assert first.roas[WIDE].serial in revoked_in(renewed)


def test_the_next_is_due_before_manifest_or_roas_end(
    published: Publisher, authority: Authority
) -> None:
    assert renew_at(published(WIDE), authority) == NOW + 16 * AN_HOUR
    almost = NOW + 365 * A_DAY - timedelta(weeks=4) - AN_HOUR
    assert renew_at(published(WIDE, at=almost), authority) == almost + AN_HOUR
    assert renew_at(published(at=almost), authority) == almost + 16 * AN_HOUR


def test_what_the_certificate_has_not_is_refused(published: Publisher) -> None:
    with pytest.raises(RoasNotCovered) as caught:
        published(WIDE, roa("11.0.0.0/16", 1), roa("9.0.0.0/8", 1), roa("9.0.0.0/8", 2))
    assert caught.value.metadata == {"cidrs": "9.0.0.0/8, 11.0.0.0/16"}
    assert published.last is None


def test_any_as_may_be_authorized(published: Publisher) -> None:
    """Amazon's originate what is brought to it, and a registry certifies no such ASN."""
    assert set(published(roa("10.0.0.0/8", 16509)).roas) == {roa("10.0.0.0/8", 16509)}


def test_what_the_registry_withdraws_has_to_go(
    published: Publisher, child: Child, key: bytes
) -> None:
    published.authority = child.certified(key)
    before = published(WIDE, IPV6)
    child.entitle(Resources.of([WIDE.cidr]))
    published.authority = child.certified(key)
    assert renew_at(before, published.authority) <= NOW
    with pytest.raises(RoasNotCovered):
        published(WIDE, IPV6)
    after = published(WIDE)
    assert after.roas == {WIDE: before.roas[WIDE]}
    assert before.roas[IPV6].serial in revoked_in(after)
    assert renew_at(after, published.authority) > NOW


def test_a_renewed_certificate_leaves_what_is_signed(
    published: Publisher, child: Child, key: bytes
) -> None:
    published.authority = child.certified(key)
    before = published(WIDE)
    renewed = published.authority = child.certified(key)
    assert renew_at(before, renewed) > NOW
    assert published(WIDE).roas == before.roas


def test_another_place_has_all_signed_anew(published: Publisher, authority: Authority) -> None:
    before = published(WIDE)
    moved = Authority(
        authority.key, authority.certificate, authority.certificate_uri, Place("rsync://h/m/")
    )
    assert renew_at(before, moved) <= NOW
    published.authority = moved
    after = published(WIDE)
    assert after.roas[WIDE].serial != before.roas[WIDE].serial
    assert before.roas[WIDE].serial in revoked_in(after)


def test_another_key_has_nothing_of_the_one_before(
    published: Publisher, child: Child, other_key: bytes
) -> None:
    before = published(WIDE)
    published.authority = child.certified(other_key)
    assert renew_at(before, published.authority) <= NOW
    after = published(WIDE)
    assert (after.revoked, revoked_in(after)) == ({}, set())
    assert not set(before.objects) - {WIDE.file_name} & set(after.objects)


def test_no_serial_number_is_used_twice(published: Publisher) -> None:
    publications = [published(*wanted) for wanted in [(WIDE, IPV6), (IPV6,), (WIDE, IPV6)]]
    serials = {
        serial
        for publication in publications
        for serial in (
            publication.manifest_serial,
            *publication.revoked,
            *(signed.serial for signed in publication.roas.values()),
        )
    }
    assert len(serials) == 6
    assert all(0 < serial < 1 << 63 for serial in serials)


def test_each_object_has_a_key_of_its_own(authority: Authority) -> None:  # RFC 6480, section 2.3
    publication = publish(authority, [WIDE, NARROW], None, NOW)
    objects = [*(signed.der for signed in publication.roas.values()), publication.manifest]
    assert len({certificate_in(der).subject for der in objects}) == 3


def test_objects_are_not_shown(published: Publisher) -> None:
    assert "\\x" not in repr(published(WIDE))
