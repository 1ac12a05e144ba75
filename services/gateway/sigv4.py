"""Signature Version 4: who signed a request, and that it arrived as it was signed.

The canonical form is botocore's, so it is the clients' own. Only the Authorization header is taken:
no presigned URLs, no chunked or unsigned payloads.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPMessage

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from services.gateway.errors import (
    IncompleteSignature,
    MissingAuthenticationToken,
    RequestExpired,
    SignatureDoesNotMatch,
)

SECURITY_TOKEN = "x-amz-security-token"  # noqa: S105 - a header's name
MAX_SKEW = timedelta(minutes=5)

_ALGORITHM = "AWS4-HMAC-SHA256"
_CREDENTIAL = re.compile(
    r"(?P<access_key_id>\w{16,128})/(?P<date>\d{8})/(?P<region>[A-Za-z0-9-]{1,64})"
    r"/(?P<service>[A-Za-z0-9-]{1,64})/aws4_request",
    re.ASCII,
)
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_AMZ_DATE = re.compile(r"\d{8}T\d{6}Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What a signature covers. Header names are lower case; path and query are as sent."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Authorization:
    """What an Authorization header claims."""

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str

    @classmethod
    def parse(cls, header: str | None) -> "Authorization":
        """Read ``AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...``.

        Raises:
            MissingAuthenticationToken: there is none.
            IncompleteSignature: another scheme, or a part is missing or malformed.
        """
        if not header:
            raise MissingAuthenticationToken
        algorithm, _, rest = header.partition(" ")
        if algorithm != _ALGORITHM:
            raise IncompleteSignature(f"The Authorization header must use {_ALGORITHM}")
        parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
        credential = _CREDENTIAL.fullmatch(parts.get("Credential", ""))
        signature = _SIGNATURE.fullmatch(parts.get("Signature", ""))
        if not credential or not signature or not parts.get("SignedHeaders"):
            raise IncompleteSignature(
                "The Authorization header must have"
                " Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders and Signature"
            )
        signed_headers = tuple(parts["SignedHeaders"].split(";"))
        return cls(**credential.groupdict(), signed_headers=signed_headers, signature=signature[0])


def verify(
    authorization: Authorization, request: SignedRequest, secret: str, *, now: datetime
) -> None:
    """Make sure that the holder of ``secret`` signed exactly ``request``, just now.

    Raises:
        IncompleteSignature: the date, the host or another header of AWS's is not signed.
        RequestExpired: signed more than five minutes before or after ``now``.
        SignatureDoesNotMatch: anything else is not as it was signed.
    """
    _check_signed_headers(authorization, request)
    timestamp = request.headers.get("x-amz-date", "")
    _check_time(timestamp, now)
    digest = hashlib.sha256(request.body).hexdigest()
    if request.headers.get("x-amz-content-sha256", digest) != digest:
        raise SignatureDoesNotMatch
    expected = _signature(authorization, request, secret, timestamp, digest)
    in_scope = timestamp.startswith(authorization.date)
    if not (hmac.compare_digest(expected, authorization.signature) and in_scope):
        raise SignatureDoesNotMatch


def _check_signed_headers(authorization: Authorization, request: SignedRequest) -> None:
    """An unsigned header of AWS's could be put in or changed on the way."""
    needed = {"host", *(name for name in request.headers if name.startswith("x-amz-"))}
    unsigned = needed - {*authorization.signed_headers}
    absent = {*authorization.signed_headers} - request.headers.keys()
    if unsigned or absent:
        names = ", ".join(sorted(unsigned | absent))
        raise IncompleteSignature(f"These headers must be both sent and signed: {names}")


def _check_time(timestamp: str, now: datetime) -> None:
    try:
        signed_at = datetime.fromisoformat(timestamp)
    except ValueError:
        signed_at = None
    if signed_at is None or not _AMZ_DATE.fullmatch(timestamp):
        raise IncompleteSignature("The X-Amz-Date header must be a time like 20260102T030405Z")
    if abs(now - signed_at) > MAX_SKEW:
        raise RequestExpired(
            f"The request was signed at {timestamp}, more than five minutes from the server's time"
            f" {now.strftime(SIGV4_TIMESTAMP)}",
            why="signed too long ago" if signed_at < now else "signed ahead of time",
        )


def _signature(
    authorization: Authorization, request: SignedRequest, secret: str, timestamp: str, digest: str
) -> str:
    signer = _Signer(authorization, secret, digest)
    query = f"?{request.query}" if request.query else ""
    signed = AWSRequest(
        method=request.method,
        # The host stands in the headers; here it only makes the URL one.
        url=f"http://host{request.path}{query}",
        headers={name: request.headers[name] for name in authorization.signed_headers},
    )
    signed.context["timestamp"] = timestamp
    canonical = signer.canonical_request(signed)
    return str(signer.signature(signer.string_to_sign(signed, canonical), signed))


class _Signer(SigV4Auth):
    """botocore's signer, but the client chose the headers and the body's digest is known."""

    def __init__(self, authorization: Authorization, secret: str, digest: str) -> None:
        key = ReadOnlyCredentials(authorization.access_key_id, secret, None)
        super().__init__(key, authorization.service, authorization.region)
        self._digest = digest

    def headers_to_sign(self, request: AWSRequest) -> HTTPMessage:
        return request.headers

    def payload(self, request: AWSRequest) -> str:  # noqa: ARG002 the body is digested already
        return self._digest
