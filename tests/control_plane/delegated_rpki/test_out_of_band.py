"""What people carry between child and parent (RFC 8183)."""

import base64
import textwrap
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import fromstring

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from services.control_plane.delegated_rpki.bpki import BpkiIdentity
from services.control_plane.delegated_rpki.errors import ParentResponseRefused
from services.control_plane.delegated_rpki.out_of_band import ParentContact, child_request_xml

NOW = datetime(2026, 3, 1, tzinfo=UTC)
URI = "https://rpki.example.net:8443/up-down/parent?x=1"


@pytest.fixture(scope="module")
def parent() -> BpkiIdentity:
    return BpkiIdentity.new("parent", NOW)


@pytest.fixture(scope="module")
def base64_ta(parent: BpkiIdentity) -> str:
    return base64.b64encode(parent.certificate).decode()


def contact(base64_ta: str, *, now: datetime = NOW, **members: str) -> ParentContact:
    usual = {
        "rpki_version": "1",
        "service_uri": URI,
        "child_handle": "child/1",
        "parent_handle": "PARENT",
        "parent_bpki_ta": base64_ta,
    }
    return ParentContact.of(**{**usual, **members}, now=now)


def test_the_child_request_is_written_as_rfc_8183_has_it(identity: BpkiIdentity) -> None:
    request = fromstring(child_request_xml(identity, "ipam-internet-registry-assoc-0a1"))
    namespace = "{http://www.hactrn.net/uris/rpki/rpki-setup/}"
    assert request.tag == f"{namespace}child_request"
    assert request.attrib == {"version": "1", "child_handle": "ipam-internet-registry-assoc-0a1"}
    (anchor,) = request
    assert anchor.tag == f"{namespace}child_bpki_ta"
    certificate = x509.load_der_x509_certificate(base64.b64decode(anchor.text or ""))
    certificate.verify_directly_issued_by(certificate)
    assert certificate.subject.rfc4514_string() == "CN=child"
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=3650)


@pytest.mark.parametrize("handle", ["", "a b", "a.b", "<", "é", "a" * 256])
def test_handles_have_few_characters(identity: BpkiIdentity, handle: str) -> None:
    with pytest.raises(ValueError, match="is no handle"):
        child_request_xml(identity, handle)


@pytest.mark.parametrize("form", ["one line", "lines", "PEM", "PEM in one line"])
def test_the_parents_certificate_is_read_in_each_form(
    parent: BpkiIdentity, base64_ta: str, form: str
) -> None:
    pem = x509.load_der_x509_certificate(parent.certificate).public_bytes(Encoding.PEM).decode()
    forms = {
        "one line": base64_ta,
        "lines": "\n" + textwrap.fill(base64_ta, 64) + "\n\n",
        "PEM": pem,
        "PEM in one line": pem.replace("\n", " "),
    }
    assert contact(base64_ta, parent_bpki_ta=forms[form]) == ParentContact(
        "1", URI, "child/1", "PARENT", parent.certificate
    )


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("rpki_version", "2"),
        ("rpki_version", ""),
        ("service_uri", "ftp://rpki.example.net/"),
        ("service_uri", "rpki.example.net"),
        ("service_uri", "https://"),
        ("service_uri", "https:///up-down"),
        ("service_uri", "https://rpki.example.net:0/"),
        ("service_uri", "https://rpki.example.net:99999/"),
        ("service_uri", "https://user@rpki.example.net/"),
        ("service_uri", "https://rpki.example.net/#part"),
        ("service_uri", "https://rpki.example.net/a b"),
        ("service_uri", "https://rpki.example.net/" + "a" * 2000),
        ("child_handle", ""),
        ("child_handle", "a b"),
        ("parent_handle", "a" * 256),
        ("parent_bpki_ta", ""),
        ("parent_bpki_ta", "no base64"),
        ("parent_bpki_ta", "AAAA"),
        ("parent_bpki_ta", "-----BEGIN CERTIFICATE-----AAAA-----END CERTIFICATE-----"),
    ],
)
def test_what_can_not_be_right_is_refused_by_the_members_name(
    base64_ta: str, member: str, value: str
) -> None:
    first, *others = member.split("_")
    with pytest.raises(ParentResponseRefused) as caught:
        contact(base64_ta, now=NOW, **{member: value})
    assert caught.value.metadata["parameter"] == first + "".join(map(str.title, others))
    assert caught.value.reason == "InvalidParameterValue"


def test_who_only_signs_messages_is_no_trust_anchor(
    parent: BpkiIdentity, base64_ta: str, identity: BpkiIdentity
) -> None:
    key = x509.load_der_x509_certificate(identity.certificate).public_key()
    certificate = parent.certificate_of(key, NOW)  # type: ignore[arg-type] # it is RSA's
    der = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
    with pytest.raises(ParentResponseRefused, match="certification authority's"):
        contact(base64_ta, parent_bpki_ta=der)


@pytest.mark.parametrize("now", [NOW - timedelta(days=1), NOW + timedelta(days=3654)], ids=str)
def test_a_trust_anchor_has_to_count_now(base64_ta: str, now: datetime) -> None:
    with pytest.raises(ParentResponseRefused, match="get a new parent response"):
        contact(base64_ta, now=now)
