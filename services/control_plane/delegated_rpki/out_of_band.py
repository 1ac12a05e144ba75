"""The set-up of child and parent, which people carry back and forth (RFC 8183)."""

import base64
import re
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, SubElement, tostring

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from services.control_plane.delegated_rpki.bpki import BpkiIdentity
from services.control_plane.delegated_rpki.errors import ParentResponseRefused
from services.control_plane.delegated_rpki.unreadable import UNREADABLE

_NAMESPACE = "http://www.hactrn.net/uris/rpki/rpki-setup/"
_VERSION = "1"
_HANDLE = re.compile(r"[-_A-Za-z0-9/]{1,255}", re.ASCII)
_URI = re.compile(r"https?://[!-~]{1,2000}", re.ASCII | re.IGNORECASE)
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----")


def child_request_xml(identity: BpkiIdentity, child_handle: str) -> str:
    """What is handed in at the registry (RFC 8183, section 5.2.1).

    Raises:
        ValueError: the handle has characters beyond letters, digits, ``-``, ``_`` and ``/``.
    """
    if not _HANDLE.fullmatch(child_handle):
        raise ValueError(f"'{child_handle}' is no handle")
    root = Element("child_request", xmlns=_NAMESPACE, version=_VERSION, child_handle=child_handle)
    SubElement(root, "child_bpki_ta").text = base64.b64encode(identity.certificate).decode()
    return tostring(root, encoding="unicode")


@dataclass(frozen=True, slots=True)
class ParentContact:
    """Where the parent is spoken to, by which names, and whose signature to trust there."""

    version: str
    """Of the set-up protocol: ``1``."""
    service_uri: str
    """http or https; the messages are signed in any case."""
    child_handle: str
    """What the parent calls the child; it needn't be what the child asked for."""
    parent_handle: str
    bpki_ta: bytes = field(repr=False)
    """DER; registries have it issued by others, too."""

    @classmethod
    def of(
        cls,
        *,
        rpki_version: str,
        service_uri: str,
        child_handle: str,
        parent_handle: str,
        parent_bpki_ta: str,
        now: datetime,
    ) -> "ParentContact":
        """The members of EnableIpamInternetRegistryAssociation (RFC 8183, section 5.2.2).

        Raises:
            ParentResponseRefused: one can't be right; the message names it.
        """
        if rpki_version != _VERSION:
            raise ParentResponseRefused(
                "rpkiVersion", rpki_version, f"the version of the protocol is '{_VERSION}'"
            )
        _check_uri(service_uri)
        _check_handle("childHandle", child_handle)
        _check_handle("parentHandle", parent_handle)
        anchor = _certificate(parent_bpki_ta)
        _check_anchor(anchor, parent_bpki_ta, now)
        der = anchor.public_bytes(Encoding.DER)
        return cls(rpki_version, service_uri, child_handle, parent_handle, der)


def _check_uri(text: str) -> None:
    if not _is_service_uri(text):
        raise ParentResponseRefused(
            "serviceUri",
            text,
            "use the URL in the parent response, such as 'https://rpki.example.net/up-down/',"
            " without user and fragment",
        )


def _is_service_uri(text: str) -> bool:
    if not _URI.fullmatch(text):
        return False
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and parts.port != 0 and not parts.fragment and "@" not in text
    except ValueError:
        return False


def _check_handle(member: str, text: str) -> None:
    if not _HANDLE.fullmatch(text):
        raise ParentResponseRefused(
            member,
            text,
            "use the handle in the parent response: 1-255 letters, digits, '-', '_' or '/'",
        )


def _certificate(text: str) -> x509.Certificate:
    found = _PEM.search(text)
    try:
        der = base64.b64decode("".join((found[1] if found else text).split()), validate=True)
        return x509.load_der_x509_certificate(der)
    except UNREADABLE as error:
        raise ParentResponseRefused(
            "parentBpkiTa",
            text,
            "use the content of parent_bpki_ta in the parent response, which is a certificate in"
            " base64, or PEM",
        ) from error


def _check_anchor(anchor: x509.Certificate, text: str, now: datetime) -> None:
    if not _may_sign(anchor):
        raise ParentResponseRefused(
            "parentBpkiTa", text, "use a certification authority's certificate of an RSA key"
        )
    first, last = anchor.not_valid_before_utc, anchor.not_valid_after_utc
    if not first <= now <= last:
        raise ParentResponseRefused(
            "parentBpkiTa",
            text,
            f"the certificate counts from {first:%Y-%m-%dT%H:%M:%SZ} to"
            f" {last:%Y-%m-%dT%H:%M:%SZ}; get a new parent response",
        )


def _may_sign(anchor: x509.Certificate) -> bool:
    try:
        constraints = anchor.extensions.get_extension_for_class(x509.BasicConstraints).value
        return constraints.ca and isinstance(anchor.public_key(), RSAPublicKey)
    except UNREADABLE:
        return False
