"""An internet registry that certifies children, speaks RFC 6492 with them and publishes."""

import base64
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.control_plane.delegated_rpki import keys, manifest
from services.control_plane.delegated_rpki.authority import (
    Authority,
    Place,
    crl_name,
    manifest_name,
)
from services.control_plane.delegated_rpki.bpki import BpkiIdentity
from services.control_plane.delegated_rpki.cms import signed_message, verified_message
from services.control_plane.delegated_rpki.crl import signed_crl
from services.control_plane.delegated_rpki.errors import MessageNotTrusted
from services.control_plane.delegated_rpki.names import key_name
from services.control_plane.delegated_rpki.resource_certificate import (
    POLICY,
    authority_key,
    crl_place,
    issuer_place,
)
from services.control_plane.delegated_rpki.resource_extensions import extensions_of, resources_of
from services.control_plane.delegated_rpki.resources import Resources
from services.control_plane.delegated_rpki.signed_object import Unsigned, signed_object

REPOSITORY_URI = "rsync://rir.example.net/repository/"
EVERYTHING = Resources.parse(asns="0-4294967295", ipv4="0.0.0.0/0", ipv6="::/0")

_UP_DOWN = "http://www.apnic.net/specs/rescerts/up-down/"
_SET_UP = "http://www.hactrn.net/uris/rpki/rpki-setup/"
_CLASS = "all"
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class ParentResponse:
    """What people carry to the child: the members of EnableIpamInternetRegistryAssociation."""

    rpki_version: str
    service_uri: str
    child_handle: str
    parent_handle: str
    parent_bpki_ta: str


@dataclass
class _Child:
    bpki_ta: bytes
    resources: Resources
    certificates: dict[bytes, x509.Certificate] = field(default_factory=dict)
    """By key identifier."""
    heard_at: datetime | None = None


class _Refused(Exception):
    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code, self.description = code, description


class InternetRegistry:
    """A parent on the loopback interface, while it is entered.

    Its publication point is in ``directory / "repository"``, as rsync would offer it at
    `REPOSITORY_URI`; ``directory / "local.tal"`` is how validators trust in it.
    """

    def __init__(
        self,
        directory: Path,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        make_key: keys.KeyMaker = keys.new_rsa_key,
    ) -> None:
        self.repository, self.tal = directory / "repository", directory / "local.tal"
        self.handle = "local-rir"
        self.asked: list[tuple[str, str]] = []
        """Each request that was understood: the child's handle and the message's type."""
        self.identity = BpkiIdentity.new("Local registry", clock())
        self._clock, self._make_key = clock, make_key
        self._authority = _trust_anchor(clock())
        self._children: dict[str, _Child] = {}
        self._revoked: dict[int, datetime] = {}
        self._number = 0
        self._refusal: _Refused | None = None
        self._is_silent = False
        self._body: bytes | None = None
        self._status = 200
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        host, port = self._server.server_address[:2]
        self.host = f"{host!s}:{port}"
        """For CADASTRE_RPKI_PARENT_HOSTS."""
        self.service_uri = f"http://{self.host}/up-down"
        self.repository.mkdir(parents=True)
        self.tal.write_text(_tal(self._authority))
        self._publish()

    def admit(self, child_request_xml: str, resources: Resources) -> ParentResponse:
        """Take a child in, by its request (RFC 8183); a known one gets these resources."""
        request = fromstring(child_request_xml)
        assert request.tag == f"{{{_SET_UP}}}child_request"
        assert request.get("version") == "1"
        anchor = base64.b64decode(request.findtext(f"{{{_SET_UP}}}child_bpki_ta") or "")
        handle = f"{request.get('child_handle')}/1"
        with self._lock:
            self._children[handle] = _Child(anchor, resources)
        return ParentResponse(
            rpki_version="1",
            service_uri=self.service_uri,
            child_handle=handle,
            parent_handle=self.handle,
            parent_bpki_ta=base64.encodebytes(self.identity.certificate).decode(),
        )

    def entitle(self, child_handle: str, resources: Resources) -> None:
        """The child may have these from now on; what its certificates have beyond that they lose.

        What comes new it has to have certified itself.
        """
        with self._lock:
            child = self._children[child_handle]
            child.resources = resources
            for identifier, certificate in list(child.certificates.items()):
                if not resources.includes(resources_of(certificate)):
                    self._revoke(child, identifier)
                    if resources:
                        child.certificates[identifier] = self._certificate(child, certificate)
            self._publish()

    def refuse(self, code: int, description: str) -> None:
        """Answer each request with an error from now on."""
        self._refusal = _Refused(code, description)

    def be_silent(self) -> None:
        """Answer no request from now on."""
        self._is_silent = True

    def answer_with(self, body: bytes, *, status: int = 200) -> None:
        """Answer each request with these bytes from now on."""
        self._body, self._status = body, status

    def answer_again(self) -> None:
        """End what `refuse`, `be_silent` and `answer_with` began."""
        self._refusal, self._is_silent, self._body, self._status = None, False, None, 200

    def certificate_of(self, child_handle: str) -> bytes | None:
        """The child's newest certificate, in DER."""
        certificates = list(self._children[child_handle].certificates.values())
        return certificates[-1].public_bytes(Encoding.DER) if certificates else None

    def answer(self, message: bytes) -> tuple[int, bytes] | None:
        """Status and body of an answer; after the end, when there is none."""
        if self._is_silent:
            self._ended.wait()
            return None
        if self._body is not None:
            return self._status, self._body
        with self._lock:
            try:
                xml = self._answer(message)
            except MessageNotTrusted as error:
                return 403, str(error).encode()
            return 200, signed_message(xml, self.identity, self._clock(), make_key=self._make_key)

    def _answer(self, message: bytes) -> bytes:
        handle, child, request = self._heard(message)
        kind = request.get("type", "")
        self.asked.append((handle, kind))
        answers = {"list": self._list, "issue": self._issue, "revoke": self._revoke_key}
        try:
            if self._refusal:
                raise self._refusal
            if kind not in answers:
                raise _Refused(1103, "unrecognized request type")
            return _message(self.handle, handle, f"{kind}_response", answers[kind](child, request))
        except _Refused as refusal:
            status, description = Element("status"), Element("description")
            status.text, description.text = str(refusal.code), refusal.description
            description.set("xml:lang", "en-US")
            return _message(self.handle, handle, "error_response", [status, description])

    def _heard(self, message: bytes) -> tuple[str, _Child, Element]:
        """Whose message it is: who is named in it has to have signed it, later than the last."""
        for handle, child in self._children.items():
            with suppress(MessageNotTrusted):
                heard = verified_message(
                    message, child.bpki_ta, self._clock(), not_before=child.heard_at
                )
                request = fromstring(heard.xml)
                assert request.tag == f"{{{_UP_DOWN}}}message"
                assert (request.get("sender"), request.get("recipient")) == (handle, self.handle)
                child.heard_at = heard.signed_at
                return handle, child, request
        raise MessageNotTrusted("it is no child's")

    def _list(self, child: _Child, _: Element) -> list[Element]:
        return [self._class(child, child.certificates)] if child.resources else []

    def _issue(self, child: _Child, message: Element) -> list[Element]:
        request = _only(message, "request", child)
        try:
            signing = x509.load_der_x509_csr(base64.b64decode(request.text or ""))
        except ValueError as error:
            raise _Refused(1203, "badly formed certificate request") from error
        key = signing.public_key()
        if not signing.is_signature_valid or not isinstance(key, RSAPublicKey):
            raise _Refused(1203, "badly formed certificate request")
        identifier = keys.identifier_of(key)
        if identifier in child.certificates:
            self._revoke(child, identifier)
        child.certificates[identifier] = self._certificate(child, signing)
        self._publish()
        return [self._class(child, {identifier: child.certificates[identifier]})]

    def _revoke_key(self, child: _Child, message: Element) -> list[Element]:
        key = _only(message, "key", child)
        text = key.get("ski", "")
        identifier = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        if identifier not in child.certificates:
            raise _Refused(1302, "no such key")
        self._revoke(child, identifier)
        self._publish()
        return [Element("key", class_name=_CLASS, ski=text)]

    def _revoke(self, child: _Child, identifier: bytes) -> None:
        self._revoked[child.certificates.pop(identifier).serial_number] = self._clock()

    def _class(self, child: _Child, certificates: Mapping[bytes, x509.Certificate]) -> Element:
        ends = self._clock() + 365 * _A_DAY
        has = child.resources
        element = Element(
            "class",
            class_name=_CLASS,
            cert_url=self._authority.certificate_uri,
            resource_set_as=",".join(f"{first}-{last}" for first, last in has.asn_ranges),
            resource_set_ipv4=",".join(str(c) for c in has.cidrs() if c.family.bits == 32),
            resource_set_ipv6=",".join(str(c) for c in has.cidrs() if c.family.bits == 128),
            resource_set_notafter=ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        for identifier, certificate in certificates.items():
            uri = self._authority.place.uri_of(f"{identifier.hex()}.cer")
            issued = SubElement(element, "certificate", cert_url=uri)
            issued.text = base64.encodebytes(certificate.public_bytes(Encoding.DER)).decode()
        issuer = SubElement(element, "issuer")
        issuer.text = base64.b64encode(self._authority.certificate).decode()
        return element

    def _certificate(
        self, child: _Child, wanted: x509.CertificateSigningRequest | x509.Certificate
    ) -> x509.Certificate:
        """For the key and the place of a request, or of the certificate before."""
        key, now = wanted.public_key(), self._clock()
        assert isinstance(key, RSAPublicKey)
        access = wanted.extensions.get_extension_for_class(x509.SubjectInformationAccess)
        builder = (
            _certificate(key, child.resources, now, 365 * _A_DAY)
            .issuer_name(self._authority.parsed_certificate.subject)
            .add_extension(access.value, critical=False)
            .add_extension(authority_key(self._authority), critical=False)
            .add_extension(crl_place(self._authority), critical=False)
            .add_extension(issuer_place(self._authority), critical=False)
        )
        return builder.sign(self._authority.signing_key, SHA256())

    def _publish(self) -> None:
        """CRL, manifest and the children's certificates, as they are now."""
        self._number += 1
        now = self._clock().replace(microsecond=0)
        first, last = now - timedelta(minutes=5), now + _A_DAY
        identifier = self._authority.key_identifier
        files = {
            f"{identifier.hex()}.cer": certificate.public_bytes(Encoding.DER)
            for child in self._children.values()
            for identifier, certificate in child.certificates.items()
        }
        files[crl_name(identifier)] = signed_crl(
            self._authority, self._number, first, last, self._revoked
        )
        unsigned = Unsigned(
            content_type=manifest.CONTENT_TYPE,
            content=manifest.manifest_content(self._number, first, last, files),
            file_name=manifest_name(identifier),
            serial=x509.random_serial_number(),
            resources=None,
            not_before=first,
            not_after=last,
        )
        files[unsigned.file_name] = signed_object(unsigned, self._authority, now, self._make_key)
        files["ta.cer"] = self._authority.certificate
        for old in self.repository.iterdir():
            old.unlink()
        for name, content in files.items():
            (self.repository / name).write_bytes(content)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _only(message: Element, name: str, child: _Child) -> Element:
    element = message.find(f"{{{_UP_DOWN}}}{name}")
    assert element is not None
    if element.get("class_name") != _CLASS or not child.resources:
        raise _Refused(1301 if name == "key" else 1201, "no such resource class")
    return element


def _message(sender: str, recipient: str, kind: str, parts: list[Element]) -> bytes:
    message = Element(
        "message", xmlns=_UP_DOWN, version="1", sender=sender, recipient=recipient, type=kind
    )
    message.extend(parts)
    return bytes(tostring(message, encoding="utf-8", xml_declaration=True))


def _certificate(
    key: RSAPublicKey, resources: Resources, now: datetime, valid_for: timedelta
) -> x509.CertificateBuilder:
    builder = (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .subject_name(key_name(keys.identifier_of(key)))
        .public_key(key)
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + valid_for)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(keys.CERTIFYING, critical=True)
        .add_extension(POLICY, critical=True)
    )
    for extension in extensions_of(resources):
        builder = builder.add_extension(extension, critical=True)
    return builder


def _trust_anchor(now: datetime) -> Authority:
    # A key of its own: validators refuse an object whose key is an authority's.
    key, place = keys.new_rsa_key(), Place(REPOSITORY_URI)
    identifier = keys.identifier_of(key.public_key())
    certificate = (
        _certificate(key.public_key(), EVERYTHING, now, 3650 * _A_DAY)
        .issuer_name(key_name(identifier))
        .add_extension(place.access(identifier), critical=False)
        .sign(key, SHA256())
    )
    return Authority(
        keys.written(key),
        certificate.public_bytes(Encoding.DER),
        place.uri_of("ta.cer"),
        place,
    )


def _tal(authority: Authority) -> str:
    """A trust anchor locator (RFC 8630)."""
    key = authority.parsed_certificate.public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"{authority.certificate_uri}\n\n{base64.encodebytes(der).decode()}"


def _handler(registry: InternetRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            is_ours = urlsplit(registry.service_uri).path == self.path
            message = self.rfile.read(int(self.headers["content-length"]))
            if not is_ours or self.headers["content-type"] != "application/rpki-updown":
                self._say(404, b"")
            elif answer := registry.answer(message):
                self._say(*answer)

        def _say(self, status: int, body: bytes) -> None:
            # Who asked may have hung up, having read enough.
            with suppress(ConnectionError):
                self.send_response(status)
                self.send_header("content-type", "application/rpki-updown")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's
            """Say nothing."""

    return Handler
