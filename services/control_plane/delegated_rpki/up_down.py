"""What child and parent say to each other (RFC 6492, sections 3.2 to 3.6)."""

import base64
import binascii
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from services.control_plane.delegated_rpki.errors import MessageMalformed, RefusedByParent
from services.control_plane.delegated_rpki.out_of_band import ParentContact
from services.control_plane.delegated_rpki.resources import Resources
from services.control_plane.delegated_rpki.safe_xml import NotSafe, parsed

_NAMESPACE = "http://www.apnic.net/specs/rescerts/up-down/"
_VERSION = "1"


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A certificate that the child has."""

    certificate: bytes = field(repr=False)
    """DER."""
    cert_urls: tuple[str, ...]
    """Where the parent publishes it: at least one, of rsync."""

    @property
    def rsync_url(self) -> str:
        """The first of rsync, which authorities name in what they sign."""
        return next(url for url in self.cert_urls if url.startswith("rsync://"))


@dataclass(frozen=True, slots=True)
class ResourceClass:
    """What the parent certifies together, under one key of its own."""

    class_name: str
    cert_urls: tuple[str, ...]
    """Where the issuer's certificate is published."""
    resources: Resources
    """All that the child may have certified of it."""
    not_after: datetime
    """Until when certificates issued now would count."""
    issuer: bytes = field(repr=False)
    """DER of the issuer's certificate."""
    certificates: tuple[IssuedCertificate, ...] = ()
    """One for each key of the child's."""
    suggested_sia_head: str | None = None


def list_request(parent: ParentContact) -> bytes:
    """Ask what the child may have, and has."""
    return _written(_message(parent, "list"))


def issue_request(parent: ParentContact, class_name: str, certificate_request: bytes) -> bytes:
    """Ask for a certificate with all that the child may have of the class."""
    message = _message(parent, "issue")
    request = SubElement(message, "request", class_name=class_name)
    request.text = base64.b64encode(certificate_request).decode()
    return _written(message)


def revoke_request(parent: ParentContact, class_name: str, key_identifier: bytes) -> bytes:
    """Ask to revoke all certificates of a key; see `keys.key_identifier`."""
    message = _message(parent, "revoke")
    SubElement(message, "key", class_name=class_name, ski=_key_text(key_identifier))
    return _written(message)


def listed(xml: bytes, parent: ParentContact) -> tuple[ResourceClass, ...]:
    """What a list_response says.

    Raises:
        RefusedByParent: it is an error_response.
        MessageMalformed: it is anything else.
    """
    message = _response(xml, parent, "list_response")
    return tuple(_class(element) for element in message if element.tag == _tag("class"))


def issued(xml: bytes, parent: ParentContact, class_name: str) -> ResourceClass:
    """What an issue_response says: the class, with the one certificate that was issued.

    Raises:
        RefusedByParent: it is an error_response.
        MessageMalformed: it is anything else.
    """
    message = _response(xml, parent, "issue_response")
    resource_class = _class(_child(message, "class"))
    if resource_class.class_name != class_name or len(resource_class.certificates) != 1:
        raise MessageMalformed(f"it is not about one certificate of class '{class_name}'")
    return resource_class


def check_revoked(
    xml: bytes, parent: ParentContact, class_name: str, key_identifier: bytes
) -> None:
    """It is the revoke_response for this key.

    Raises:
        RefusedByParent: it is an error_response.
        MessageMalformed: it is anything else.
    """
    key = _child(_response(xml, parent, "revoke_response"), "key")
    told = _attribute(key, "class_name"), _attribute(key, "ski").rstrip("=")
    if told != (class_name, _key_text(key_identifier)):
        raise MessageMalformed("it is about another key than was asked for")


def _message(parent: ParentContact, kind: str) -> Element:
    return Element(
        "message",
        xmlns=_NAMESPACE,
        version=_VERSION,
        sender=parent.child_handle,
        recipient=parent.parent_handle,
        type=kind,
    )


def _written(message: Element) -> bytes:
    return bytes(tostring(message, encoding="utf-8"))


def _key_text(key_identifier: bytes) -> str:
    return base64.urlsafe_b64encode(key_identifier).decode().rstrip("=")


def _response(xml: bytes, parent: ParentContact, kind: str) -> Element:
    try:
        message = parsed(xml)
    except NotSafe as error:
        raise MessageMalformed(str(error)) from error
    if message.tag != _tag("message") or message.get("version") != _VERSION:
        raise MessageMalformed("it is no message of RFC 6492, version 1")
    names = message.get("sender"), message.get("recipient")
    if names != (parent.parent_handle, parent.child_handle):
        raise MessageMalformed(f"it is from {names[0]!r} to {names[1]!r}")
    if message.get("type") == "error_response":
        raise _refusal(message)
    if message.get("type") != kind:
        raise MessageMalformed(f"it is no {kind}")
    return message


def _refusal(message: Element) -> RefusedByParent:
    status = (message.findtext(_tag("status")) or "").strip()
    if not (status.isascii() and status.isdigit() and len(status) <= 4):
        raise MessageMalformed("it is an error_response without a status")
    description = message.findtext(_tag("description"))
    return RefusedByParent(int(status), description.strip() if description else None)


def _class(element: Element) -> ResourceClass:
    certificates = (child for child in element if child.tag == _tag("certificate"))
    return ResourceClass(
        class_name=_attribute(element, "class_name"),
        cert_urls=_urls(element),
        resources=_resources(element),
        not_after=_moment(element, "resource_set_notafter"),
        issuer=_content(_child(element, "issuer")),
        certificates=tuple(
            IssuedCertificate(_content(child), _urls(child)) for child in certificates
        ),
        suggested_sia_head=element.get("suggested_sia_head"),
    )


def _resources(element: Element) -> Resources:
    try:
        return Resources.parse(
            asns=element.get("resource_set_as", ""),
            ipv4=element.get("resource_set_ipv4", ""),
            ipv6=element.get("resource_set_ipv6", ""),
        )
    except ValueError as error:
        raise MessageMalformed(f"its resources can't be read: {error}") from error


def _urls(element: Element) -> tuple[str, ...]:
    urls = tuple(url.strip() for url in _attribute(element, "cert_url").split(","))
    if not any(url.startswith("rsync://") for url in urls):
        raise MessageMalformed("it names no rsync URL of a certificate")
    return urls


def _moment(element: Element, name: str) -> datetime:
    text = _attribute(element, name)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise MessageMalformed(f"'{text}' is no moment") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _content(element: Element) -> bytes:
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except binascii.Error as error:
        raise MessageMalformed(f"its {element.tag} is no base64") from error


def _attribute(element: Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise MessageMalformed(f"the attribute {name} is missing")
    return value


def _child(element: Element, name: str) -> Element:
    children = element.findall(_tag(name))
    if len(children) != 1:
        raise MessageMalformed(f"it has {len(children)} elements {name}, and one is needed")
    return children[0]


def _tag(name: str) -> str:
    return f"{{{_NAMESPACE}}}{name}"
