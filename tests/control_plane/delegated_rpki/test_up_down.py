"""Requests and responses of RFC 6492."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from xml.etree.ElementTree import fromstring

import pytest

from services.control_plane.delegated_rpki.errors import MessageMalformed, RefusedByParent
from services.control_plane.delegated_rpki.out_of_band import ParentContact
from services.control_plane.delegated_rpki.resources import Resources
from services.control_plane.delegated_rpki.up_down import (
    IssuedCertificate,
    ResourceClass,
    check_revoked,
    issue_request,
    issued,
    list_request,
    listed,
    revoke_request,
)

PARENT = ParentContact("1", "https://rpki.example.net/", "child", "parent", b"")
NAMESPACE = "http://www.apnic.net/specs/rescerts/up-down/"
KEY = bytes(range(236, 256))
SKI = base64.urlsafe_b64encode(KEY).decode().rstrip("=")


def response(kind: str, body: str, sender: str = "parent", recipient: str = "child") -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<message xmlns="{NAMESPACE}" version="1" sender="{sender}" recipient="{recipient}"'
        f' type="{kind}">\n  {body}\n</message>'
    ).encode()


def class_xml(name: str = "a class", certificates: int = 2) -> str:
    issued = "".join(
        f'<certificate cert_url="https://h/{i}.cer,rsync://h/m/{i}.cer"'
        f' req_resource_set_ipv4="10.0.0.0/9">\nAAE{i}\n</certificate>'
        for i in range(certificates)
    )
    return (
        f'<class class_name="{name}" cert_url="rsync://h/m/ta.cer,http://h/ta.cer"'
        ' resource_set_as="64496-64511,65000" resource_set_ipv4="10.0.0.0/8" resource_set_ipv6=""'
        ' resource_set_notafter="2027-03-01T22:58:23.012Z" suggested_sia_head="rsync://h/s/">'
        f"{issued}<issuer> AAE= </issuer></class>"
    )


CLASS = ResourceClass(
    class_name="a class",
    cert_urls=("rsync://h/m/ta.cer", "http://h/ta.cer"),
    resources=Resources.parse(asns="64496-64511,65000", ipv4="10.0.0.0/8"),
    not_after=datetime(2027, 3, 1, 22, 58, 23, 12_000, tzinfo=UTC),
    issuer=b"\0\1",
    certificates=(
        IssuedCertificate(b"\0\1\x34", ("https://h/0.cer", "rsync://h/m/0.cer")),
        IssuedCertificate(b"\0\1\x35", ("https://h/1.cer", "rsync://h/m/1.cer")),
    ),
    suggested_sia_head="rsync://h/s/",
)


@pytest.mark.parametrize(
    ("request_xml", "kind", "body"),
    [
        (list_request(PARENT), "list", ""),
        (
            issue_request(PARENT, "a class", b"\0\1"),
            "issue",
            '<request class_name="a class">AAE=</request>',
        ),
        (
            revoke_request(PARENT, "a class", KEY),
            "revoke",
            f'<key class_name="a class" ski="{SKI}" />',
        ),
    ],
    ids=["list", "issue", "revoke"],
)
def test_requests_are_written_as_rfc_6492_has_them(
    request_xml: bytes, kind: str, body: str
) -> None:  # sections 3.3.1, 3.4.1, 3.5.1
    expected = response(kind, body, sender="child", recipient="parent")
    written, wanted = fromstring(request_xml), fromstring(expected)
    assert (written.tag, written.attrib) == (wanted.tag, wanted.attrib)
    assert [(p.tag, p.attrib, p.text) for p in written] == [
        (p.tag, p.attrib, p.text) for p in wanted
    ]


def test_the_classes_of_a_list_are_read() -> None:  # RFC 6492, section 3.3.2
    other = class_xml("other", certificates=0)
    classes = listed(response("list_response", class_xml() + other), PARENT)
    assert classes[0] == CLASS
    assert (classes[1].class_name, classes[1].certificates) == ("other", ())
    assert CLASS.certificates[1].rsync_url == "rsync://h/m/1.cer"


def test_who_holds_nothing_gets_an_empty_list() -> None:
    assert listed(response("list_response", ""), PARENT) == ()


def test_names_may_have_a_prefix() -> None:
    xml = response("list_response", class_xml()).decode()
    prefixed = (
        xml.replace("xmlns=", "xmlns:u=").replace("</", "</u:").replace("<", "<u:")
    ).replace("<u:/u:", "</u:")
    assert listed(prefixed.replace("<u:?", "<?").encode(), PARENT) == (CLASS,)


def test_the_certificate_that_was_issued_is_read() -> None:  # RFC 6492, section 3.4.2
    got = issued(response("issue_response", class_xml(certificates=1)), PARENT, "a class")
    assert got.certificates == CLASS.certificates[:1]
    assert got.resources == CLASS.resources


@pytest.mark.parametrize(
    "body", [class_xml("other", 1), class_xml(certificates=0), class_xml(), "", class_xml() * 2]
)
def test_an_issue_response_has_one_certificate_of_the_class(body: str) -> None:
    with pytest.raises(MessageMalformed):
        issued(response("issue_response", body), PARENT, "a class")


@pytest.mark.parametrize("ski", [SKI, f"{SKI}="])
def test_a_revoke_response_names_the_key(ski: str) -> None:  # RFC 6492, section 3.5.2
    body = f'<key class_name="a class" ski="{ski}"/>'
    check_revoked(response("revoke_response", body), PARENT, "a class", KEY)
    for name, key in (("other", KEY), ("a class", bytes(20))):
        with pytest.raises(MessageMalformed, match="another key"):
            check_revoked(response("revoke_response", body), PARENT, name, key)


READERS: list[Callable[[bytes], object]] = [
    lambda xml: listed(xml, PARENT),
    lambda xml: issued(xml, PARENT, "a class"),
    lambda xml: check_revoked(xml, PARENT, "a class", KEY),
]


@pytest.mark.parametrize("read", READERS, ids=["list", "issue", "revoke"])
@pytest.mark.parametrize(
    ("code", "may_pass"),
    [(1101, True), (1104, True), (1201, False), (1302, False), (2001, True)],
)
def test_an_error_has_a_code_and_a_description(
    read: Callable[[bytes], object], code: int, may_pass: bool
) -> None:  # RFC 6492, section 3.6
    body = f'<status> {code} </status><description xml:lang="en-US">Not &amp; so</description>'
    with pytest.raises(RefusedByParent, match=f"status {code}: Not & so") as caught:
        read(response("error_response", body))
    refusal = caught.value
    assert (refusal.code, refusal.description, refusal.may_pass) == (code, "Not & so", may_pass)


def test_an_error_needs_no_description() -> None:
    with pytest.raises(RefusedByParent, match="status 2001: no description"):
        listed(response("error_response", "<status>2001</status>"), PARENT)


MALFORMED = {
    "no XML": b"no",
    "nothing": b"",
    "half": response("list_response", "")[:-3],
    "two roots": response("list_response", "") + b"<a/>",
    "other namespace": response("list_response", "").replace(NAMESPACE.encode(), b"urn:x"),
    "other version": response("list_response", "").replace(b'n="1" s', b'n="2" s'),
    "other sender": response("list_response", "", sender="other"),
    "other recipient": response("list_response", "", recipient="other"),
    "other type": response("issue_response", class_xml()),
    "request": response("list", ""),
    "error without status": response("error_response", ""),
    "error with a word": response("error_response", "<status>no</status>"),
    "no class name": response("list_response", class_xml().replace("class_name", "name")),
    "no URL": response("list_response", class_xml().replace("rsync:", "http:")),
    "no issuer": response("list_response", class_xml().replace("issuer", "other")),
    "issuer no base64": response("list_response", class_xml().replace("AAE=", "A*E=")),
    "no end": response("list_response", class_xml().replace("resource_set_notafter", "until")),
    "end is no moment": response("list_response", class_xml().replace("2027-03-01T", "soon")),
    "bad addresses": response("list_response", class_xml().replace("10.0.0.0/8", "10.0.0.1/8")),
}


@pytest.mark.parametrize("xml", MALFORMED.values(), ids=MALFORMED)
def test_anything_else_is_no_answer(xml: bytes) -> None:
    with pytest.raises(MessageMalformed):
        listed(xml, PARENT)


def test_a_document_type_is_not_even_read() -> None:
    """With it would come entities, of which a few grow without end."""
    entities = '<!DOCTYPE message [<!ENTITY a "b">]>'
    xml = response("list_response", class_xml()).decode().replace("?>\n", f"?>{entities}", 1)
    with pytest.raises(MessageMalformed, match="with a document type"):
        listed(xml.encode(), PARENT)


def test_long_xml_is_not_read() -> None:
    with pytest.raises(MessageMalformed, match="more than 8388608 bytes"):
        listed(response("list_response", " " * (8 << 20)), PARENT)
