"""What stands around the protocols: signatures missing, limits, health, metrics, the log."""

import socket
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from grpc_health.v1.health_pb2 import HealthCheckResponse

from services.gateway.app import MAX_BODY_BYTES
from services.gateway.server import MAX_HEAD_BYTES
from tests.gateway.edge import ACCESS_KEY_ID, ACCOUNT_ID, SECRET, Edge
from tests.gateway.fakes import Refusal

DESCRIBE = "Action=DescribeIpams&Version=2016-11-15"


def test_the_answer_is_ec2s(edge: Edge) -> None:
    answer = edge.post(DESCRIBE)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/xml;charset=UTF-8"
    request_id = answer.headers["x-amzn-requestid"]
    assert f"<requestId>{request_id}</requestId>" in answer.text
    assert [sent["x-request-id"] for sent in edge.fakes.metadata] == [request_id]


def test_the_error_is_ec2s(edge: Edge) -> None:
    edge.fakes.answers["DescribeIpams"] = Refusal("InvalidNextToken", "a < b")
    answer = edge.post(DESCRIBE)
    assert answer.status_code == 400
    assert answer.text == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<Response><Errors><Error><Code>InvalidNextToken</Code><Message>a &lt; b</Message></Error>"
        f"</Errors><RequestID>{answer.headers['x-amzn-requestid']}</RequestID></Response>"
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "MissingAction"),
        ("Version=2016-11-15", "MissingAction"),
        ("Action=&Version=2016-11-15", "MissingAction"),
        ("Action=Fly&Version=2016-11-15", "InvalidAction"),
        ("Action=describeIpams&Version=2016-11-15", "InvalidAction"),
        ("Action=PutIpamPool&Version=2016-11-15", "InvalidAction"),
        ("Action=Watch&Version=2016-11-15", "InvalidAction"),
        ("Action=DescribeIpams", "MissingParameter"),
        ("Action=DescribeIpams&Version=2016-11-16", "NoSuchVersion"),
        ("Action=DescribeIpams&Version=today", "NoSuchVersion"),
        (f"{DESCRIBE}&Action=DescribeIpams", "InvalidParameterValue"),
        (f"{DESCRIBE}&Colour=red", "UnknownParameter"),
        (f"{DESCRIBE}&MaxResults=many", "InvalidParameterValue"),
        (f"{DESCRIBE}&NextToken=%00", "InvalidParameterValue"),
        ('{"json": true}', "MissingAction"),
    ],
)
def test_a_wrong_request_is_refused_and_goes_nowhere(body: str, code: str, edge: Edge) -> None:
    answer = edge.post(body)
    assert answer.status_code == 400
    assert f"<Code>{code}</Code>" in answer.text
    assert edge.fakes.requests == []


def test_older_clients_are_welcome(edge: Edge) -> None:
    assert edge.post("Action=DescribeIpams&Version=2014-10-01").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 403, "MissingAuthenticationToken"),
        ({"Authorization": "Basic eDp5"}, 400, "IncompleteSignature"),
    ],
)
def test_an_unsigned_request_is_refused(
    headers: dict[str, str], status: int, code: str, edge: Edge
) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    url = edge.gateway.url
    query = httpx.post(url, content=DESCRIBE, headers={**form, **headers}, trust_env=False)
    json = httpx.post(url, json={}, headers=headers, trust_env=False)
    assert (query.status_code, json.status_code) == (status, status)
    assert f"<Code>{code}</Code>" in query.text
    assert json.json()["__type"] == json.headers["x-amzn-errortype"] == code


def test_a_body_is_bounded(edge: Edge) -> None:
    largest = edge.post(f"{DESCRIBE}&X=".ljust(MAX_BODY_BYTES, "x"))
    assert "<Code>UnknownParameter</Code>" in largest.text
    larger = edge.post(b"x" * (MAX_BODY_BYTES + 1))
    assert larger.status_code == 413
    assert "<Code>RequestEntityTooLarge</Code>" in larger.text


@pytest.mark.parametrize("head", [b"X-Long: ", b"GET /"], ids=["a header", "the request line"])
def test_a_head_is_bounded(head: bytes, edge: Edge) -> None:
    start = head if head.startswith(b"GET") else b"GET /healthz HTTP/1.1\r\n" + head
    with socket.create_connection((edge.gateway.host, edge.gateway.port), timeout=10) as client:
        client.sendall(start)
        received = b""
        for _ in range(2 * MAX_HEAD_BYTES // 1024):
            try:
                client.sendall(b"x" * 1024)
            except OSError:
                break
        received = client.recv(1024)
    assert received.startswith(b"HTTP/1.1 400")


def test_what_is_quoted_in_a_message_is_bounded(edge: Edge) -> None:
    answer = edge.post("Version=2016-11-15&Action=" + "x" * 100_000)
    assert "<Code>InvalidAction</Code>" in answer.text
    assert len(answer.text) < 2_000


AUTHORIZATION = (
    f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/20260102/us-east-1/ec2/aws4_request,"
    f" SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
)


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(b"POST /\xff HTTP/1.1\r\nHost: x\r\n", id="bytes in the path"),
        pytest.param(b"POST /?\xff HTTP/1.1\r\nHost: x\r\n", id="bytes in the query"),
        pytest.param(b"POST /%ff HTTP/1.1\r\nHost: x\r\n", id="an escape in the path"),
        pytest.param(b"POST //[ HTTP/1.1\r\nHost: x\r\n", id="a bracket in the path"),
        pytest.param(b"POST http://[/ HTTP/1.1\r\nHost: x\r\n", id="an absolute target"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: [\r\n", id="a bracket in the host"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: \xff\r\n", id="bytes in a header"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n", id="two hosts"),
        pytest.param(b"POST / HTTP/1.1\r\n", id="no host"),
        pytest.param(b"nonsense\r\n", id="no HTTP"),
    ],
)
def test_odd_requests_are_the_clients_fault(request_: bytes, edge: Edge) -> None:
    date = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    rest = f"Authorization: {AUTHORIZATION}\r\nX-Amz-Date: {date}\r\nContent-Length: 0\r\n\r\n"
    with socket.create_connection((edge.gateway.host, edge.gateway.port), timeout=10) as client:
        client.sendall(request_ + rest.encode())
        assert client.recv(1024).startswith(b"HTTP/1.1 4")
    assert all(line["status"] < 500 for line in edge.log)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 303), ("PUT", "/", 405), ("GET", "/nothing", 405), ("PUT", "/healthz", 405)],
)
def test_only_post_and_delete_speak_to_aws_and_browsers_are_shown_the_way(
    method: str, path: str, status: int, edge: Edge
) -> None:
    answer = httpx.request(method, f"{edge.gateway.url}{path}", trust_env=False)
    assert answer.status_code == status


def test_rest_paths_are_refused_in_json(edge: Edge) -> None:
    headers = {"Content-Type": "application/json"}
    answer = edge.post("{}", service="ram", headers=headers, path="/nothing")
    assert answer.status_code == 400
    assert answer.json()["__type"] == "UnknownOperationException"


class TestHealth:
    """One look tells whether everything is well."""

    def test_it_is_good_when_every_service_serves(self, edge: Edge) -> None:
        answer = edge.get("/healthz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok", "not_serving": {}})

    def test_it_names_who_does_not(self, edge: Edge) -> None:
        report(edge, HealthCheckResponse.NOT_SERVING)
        answer = edge.get("/healthz")
        report(edge, HealthCheckResponse.SERVING)
        assert answer.status_code == 503
        assert answer.json()["not_serving"] == {
            "control_plane": "NOT_SERVING",
            "allocation": "NOT_SERVING",
            "network": "NOT_SERVING",
            "discovery": "NOT_SERVING",
            "metrics": "NOT_SERVING",
        }


def report(edge: Edge, status: Any) -> None:
    edge.portal.call(edge.fakes.health.set, "", status)


def test_every_request_is_one_line_without_secrets(edge: Edge) -> None:
    edge.fakes.answers["DescribeIpams"] = Refusal("InvalidNextToken")
    answer = edge.post(DESCRIBE)
    [line] = edge.log
    assert line.pop("duration_ms") >= 0
    assert line == {
        "event": "request",
        "log_level": "info",
        "action": "DescribeIpams",
        "code": "InvalidNextToken",
        "status": 400,
        "account_id": ACCOUNT_ID,
        "principal": f"arn:aws:iam::{ACCOUNT_ID}:user/ipam-account",
        "access_key_id": ACCESS_KEY_ID,
        "region": "us-east-1",
        "request_id": answer.headers["x-amzn-requestid"],
    }


def test_nothing_secret_is_logged(edge: Edge) -> None:
    answer = edge.post(DESCRIBE, headers={"X-Amz-Meta": "m"})
    signature = answer.request.headers["authorization"].rpartition("Signature=")[2]
    assert edge.log
    assert SECRET not in str(edge.log)
    assert signature not in str(edge.log)


def test_requests_are_counted_by_finitely_many_actions(edge: Edge) -> None:
    edge.post("Action=DescribeIpamScopes&Version=2016-11-15")
    edge.post("Action=Made-up-for-this-test&Version=2016-11-15")
    answer = edge.get("/metrics")
    assert answer.status_code == 200
    counted = "cadastre_gateway_requests_total"
    assert f'{counted}{{action="DescribeIpamScopes",status="200"}} 1.0' in answer.text
    assert f'{counted}{{action="unknown",status="400"}}' in answer.text
    assert "Made-up-for-this-test" not in answer.text
