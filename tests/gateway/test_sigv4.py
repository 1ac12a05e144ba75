"""Signatures: botocore's own are taken, and not one byte may differ."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from services.gateway.errors import (
    IncompleteSignature,
    MissingAuthenticationToken,
    RequestExpired,
    SignatureDoesNotMatch,
)
from services.gateway.sigv4 import MAX_SKEW, Authorization, SignedRequest, verify
from tests.gateway.edge import ACCESS_KEY_ID, SECRET

BODY = b"Action=DescribeIpams&Version=2016-11-15"
EMPTY_DIGEST = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

Signed = tuple[Authorization, SignedRequest]


def signed(
    body: bytes = BODY,
    *,
    path: str = "/",
    query: str = "",
    method: str = "POST",
    token: str | None = None,
    key: tuple[str, str] = (ACCESS_KEY_ID, SECRET),
    **headers: str,
) -> Signed:
    """A request as botocore signs it."""
    url = f"http://localhost:4500{path}" + (f"?{query}" if query else "")
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    request = AWSRequest(method, url, headers={"Host": "localhost:4500", **given}, data=body)
    SigV4Auth(Credentials(*key, token), "ec2", "us-west-2").add_auth(request)
    sent = {name.lower(): value for name, value in request.headers.items()}
    authorization = Authorization.parse(sent.pop("authorization"))
    return authorization, SignedRequest(method, path, query, sent, body)


def signed_at(request: SignedRequest) -> datetime:
    return datetime.fromisoformat(request.headers["x-amz-date"])


def check(signed_request: Signed, secret: str = SECRET) -> None:
    authorization, request = signed_request
    verify(authorization, request, secret, now=datetime.now(UTC))


# Signed in the test: what was signed while tests are collected may have expired when they run.
@pytest.mark.parametrize(
    "sign",
    [
        pytest.param(partial(signed), id="as the CLI sends it"),
        pytest.param(partial(signed, b""), id="no body"),
        pytest.param(partial(signed, query="b=2&a=1&a=0"), id="a query string"),
        pytest.param(partial(signed, path="/create%20share/"), id="a path with an escape"),
        pytest.param(partial(signed, path="/tags/arn%3Aaws%3Aram"), id="an ARN in the path"),
        pytest.param(partial(signed, path="/%EA%B0%80/a+b~c/"), id="odd characters in the path"),
        pytest.param(
            partial(
                signed, b"", method="DELETE", query="arn=arn%3Aaws%3Aa%2Fb&t=a%20%2B~%EA%B0%80"
            ),
            id="a deletion by query string",
        ),
        pytest.param(
            partial(signed, Content_Type="application/json", X_Amz_Target="A.B"), id="JSON"
        ),
        pytest.param(partial(signed, X_Padded="  two   words "), id="white space in a header"),
        pytest.param(
            partial(signed, b"", X_Amz_Content_SHA256=EMPTY_DIGEST), id="the digest in a header"
        ),
    ],
)
def test_what_botocore_signs_is_taken(sign: Callable[[], Signed]) -> None:  # ACC-1
    signed_request = sign()
    authorization, _ = signed_request
    check(signed_request)
    assert (authorization.access_key_id, authorization.region, authorization.service) == (
        ACCESS_KEY_ID,
        "us-west-2",
        "ec2",
    )


def with_header(name: str, value: str) -> Callable[[Signed], Signed]:
    def change(request: Signed) -> Signed:
        headers = {**request[1].headers, name: value}
        return request[0], replace(request[1], headers=headers)

    return change


def without_header(name: str) -> Callable[[Signed], Signed]:
    def change(request: Signed) -> Signed:
        headers = {k: v for k, v in request[1].headers.items() if k != name}
        return request[0], replace(request[1], headers=headers)

    return change


def with_request(**changes: str | bytes) -> Callable[[Signed], Signed]:
    return lambda request: (request[0], replace(request[1], **changes))  # type: ignore[arg-type]


def with_authorization(**changes: object) -> Callable[[Signed], Signed]:
    return lambda request: (replace(request[0], **changes), request[1])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tamper", "refusal"),
    [
        pytest.param(with_request(body=BODY + b"&x=1"), SignatureDoesNotMatch, id="body"),
        pytest.param(with_request(method="PUT"), SignatureDoesNotMatch, id="method"),
        pytest.param(with_request(path="/x"), SignatureDoesNotMatch, id="path"),
        pytest.param(with_request(query="a=1"), SignatureDoesNotMatch, id="query"),
        pytest.param(with_header("host", "elsewhere"), SignatureDoesNotMatch, id="host"),
        pytest.param(with_header("content-type", "x/y"), SignatureDoesNotMatch, id="a header"),
        pytest.param(
            with_header("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
            IncompleteSignature,
            id="unsigned payload, header unsigned",
        ),
        pytest.param(with_header("x-amz-new", "1"), IncompleteSignature, id="added AWS header"),
        pytest.param(without_header("host"), IncompleteSignature, id="host is not sent"),
        pytest.param(without_header("content-type"), IncompleteSignature, id="removed header"),
        pytest.param(without_header("x-amz-date"), IncompleteSignature, id="no date"),
        pytest.param(
            with_authorization(signed_headers=("x-amz-date",)),
            IncompleteSignature,
            id="host is not signed",
        ),
        pytest.param(with_authorization(date="20200101"), SignatureDoesNotMatch, id="scope's date"),
        pytest.param(with_authorization(region="eu-west-1"), SignatureDoesNotMatch, id="region"),
        pytest.param(with_authorization(service="ram"), SignatureDoesNotMatch, id="service"),
        pytest.param(with_authorization(signature="0" * 64), SignatureDoesNotMatch, id="signature"),
    ],
)
def test_what_was_changed_after_signing_is_refused(
    tamper: Callable[[Signed], Signed], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        check(tamper(signed(Content_Type="text/plain")))


def test_another_secret_is_refused() -> None:
    with pytest.raises(SignatureDoesNotMatch):
        check(signed(), secret=SECRET[::-1])


def test_an_unsigned_payload_is_refused_even_if_signed_so() -> None:
    with pytest.raises(SignatureDoesNotMatch):
        check(signed(X_Amz_Content_SHA256="UNSIGNED-PAYLOAD"))


def test_a_session_token_is_signed_along() -> None:
    check(signed(token="token"))
    with pytest.raises(SignatureDoesNotMatch):
        check(with_header("x-amz-security-token", "other")(signed(token="token")))
    with pytest.raises(IncompleteSignature, match="x-amz-security-token"):
        check(with_header("x-amz-security-token", "token")(signed()))


@pytest.mark.parametrize("offset", [-MAX_SKEW, timedelta(0), MAX_SKEW])
def test_clocks_may_differ_by_five_minutes(offset: timedelta) -> None:
    authorization, request = signed()
    verify(authorization, request, SECRET, now=signed_at(request) + offset)


@pytest.mark.parametrize("direction", [-1, 1])
def test_clocks_may_not_differ_by_more(direction: int) -> None:
    authorization, request = signed()
    now = signed_at(request) + direction * (MAX_SKEW + timedelta(seconds=1))
    with pytest.raises(RequestExpired, match=now.strftime("%Y%m%dT%H%M%SZ")):
        verify(authorization, request, SECRET, now=now)


@pytest.mark.parametrize("date", ["", "now", "2026-01-02T03:04:05Z", "20261301T000000Z"])
def test_a_malformed_date_is_refused(date: str) -> None:
    authorization, request = signed()
    request = replace(request, headers={**request.headers, "x-amz-date": date})
    with pytest.raises(IncompleteSignature, match="X-Amz-Date"):
        verify(authorization, request, SECRET, now=datetime.now(UTC))


GOOD = f"Credential={ACCESS_KEY_ID}/20260102/us-east-1/ec2/aws4_request"
SIGNATURE = "Signature=" + "ab" * 32


def test_the_header_may_have_spaces_or_none() -> None:
    spaced = Authorization.parse(f"AWS4-HMAC-SHA256 {GOOD}, SignedHeaders=a;host, {SIGNATURE}")
    dense = Authorization.parse(f"AWS4-HMAC-SHA256 {GOOD},SignedHeaders=a;host,{SIGNATURE}")
    assert spaced == dense
    assert spaced.signed_headers == ("a", "host")


@pytest.mark.parametrize("header", [None, ""])
def test_an_unsigned_request_is_refused(header: str | None) -> None:
    with pytest.raises(MissingAuthenticationToken):
        Authorization.parse(header)


@pytest.mark.parametrize(
    "header",
    [
        "AWS4-HMAC-SHA256",
        "Basic dXNlcjpwYXNz",
        f"AWS4-ECDSA-P256-SHA256 {GOOD}, SignedHeaders=host, {SIGNATURE}",
        f"AWS4-HMAC-SHA256 SignedHeaders=host, {SIGNATURE}",
        f"AWS4-HMAC-SHA256 {GOOD}, {SIGNATURE}",
        f"AWS4-HMAC-SHA256 {GOOD}, SignedHeaders=host",
        f"AWS4-HMAC-SHA256 {GOOD}, SignedHeaders=host, Signature=abc",
        f"AWS4-HMAC-SHA256 {GOOD.replace('aws4_request', 'aws4')}, SignedHeaders=host, {SIGNATURE}",
        f"AWS4-HMAC-SHA256 {GOOD.replace('20260102', '2026')}, SignedHeaders=host, {SIGNATURE}",
        f"AWS4-HMAC-SHA256 {GOOD.replace('/ec2', '')}, SignedHeaders=host, {SIGNATURE}",
        f"AWS4-HMAC-SHA256 {GOOD.replace(ACCESS_KEY_ID, 'short')}, SignedHeaders=host, {SIGNATURE}",
    ],
)
def test_a_malformed_authorization_is_refused(header: str) -> None:
    with pytest.raises(IncompleteSignature):
        Authorization.parse(header)
