"""One request on its way through the gateway and the services behind it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import grpc
import httpx
import pytest
import structlog
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from opentelemetry.trace import SpanKind

from services.allocation.server import allocation
from services.gateway.server import Running
from services.gateway.server import running as gateway_running
from services.network.server import network
from shared.encryption_keys import create_encryption_keys
from shared.identity import TokenSigner, create_secret
from shared.rpc.client import Remote
from shared.rpc.server import running
from shared.settings import Settings
from shared.telemetry import with_ids
from tests.allocation.world import HOME, World
from tests.gateway.edge import ACCESS_KEY_ID, ACCOUNT_ID, BEHIND, CREDENTIALS, SECRET, Edge
from tests.gateway.fakes import Refusal, fake_services
from tests.spans import CLIENTS_SPAN_ID, TRACE_ID, TRACEPARENT, Recorded, Seen, recorded


@dataclass(frozen=True)
class Installation:
    """A real ledger and embedded cloud behind the gateway; the rest is made up."""

    gateway: Running
    ledger: World

    async def post(self, **parameters: str) -> httpx.Response:
        """A signed request of EC2's, of a client that has a trace under way."""
        body = urlencode({"Version": "2016-11-15", **parameters})
        form = {"Content-Type": "application/x-www-form-urlencoded", "traceparent": TRACEPARENT}
        request = AWSRequest("POST", self.gateway.url, headers=form, data=body)
        SigV4Auth(Credentials(ACCESS_KEY_ID, SECRET), "ec2", "us-east-1").add_auth(request)
        async with httpx.AsyncClient(trust_env=False) as client:
            headers = dict(request.headers.items())
            return await client.post(self.gateway.url, content=body, headers=headers)


@pytest.fixture
async def installation(tmp_path: Path) -> AsyncIterator[Installation]:
    async with AsyncExitStack() as stack:
        fakes = await stack.enter_async_context(fake_services())
        addresses = dict.fromkeys(BEHIND, f"127.0.0.1:{fakes.port}")
        settings = Settings(data=tmp_path, port=0, addresses=addresses)
        signer = TokenSigner(create_secret(settings.identity_secret_path))
        ledger = await stack.enter_async_context(running("allocation", allocation, settings))
        settings.addresses["allocation"] = ledger.address
        remote = await stack.enter_async_context(Remote(ledger.address, signer=signer))
        cloud = await stack.enter_async_context(running("network", network, settings))
        settings.addresses["network"] = cloud.address
        create_encryption_keys(settings.encryption_key_path)
        settings.credentials_path.parent.mkdir(parents=True)
        settings.credentials_path.write_text(CREDENTIALS)
        gateway = await stack.enter_async_context(gateway_running(settings))
        yield Installation(gateway, World(remote))


async def test_a_request_is_one_trace_with_one_request_id(installation: Installation) -> None:
    pool_id = await installation.ledger.pool("10.0.0.0/8", locale=HOME)
    with recorded() as spans, structlog.testing.capture_logs([with_ids]) as lines:
        answer = await installation.post(
            Action="CreateVpc", Ipv4IpamPoolId=pool_id, Ipv4NetmaskLength="24"
        )
    assert answer.is_success
    edge = spans.one("POST CreateVpc", SpanKind.SERVER)
    asked, served = both_sides(spans, "cadastre.network.v1.NetworkService/CreateVpc")
    allocated, by_ledger = both_sides(
        spans, "cadastre.allocation.v1.LedgerService/AllocateResourceCidr"
    )
    chain = [edge, asked, served, allocated, by_ledger]
    assert [span.parent_id for span in chain] == [CLIENTS_SPAN_ID, *(s.span_id for s in chain[:-1])]
    assert {span.trace_id for span in chain} == {TRACE_ID}
    request_id = answer.headers["x-amzn-requestid"]
    assert {span.attributes["cadastre.request_id"] for span in chain} == {request_id}
    logged = [line for line in lines if line.get("request_id") == request_id]
    assert {line["trace_id"] for line in logged} == {TRACE_ID}
    assert {line.get("method", "edge"): line["span_id"] for line in logged} == {
        "AllocateResourceCidr": by_ledger.span_id,
        "CreateVpc": served.span_id,
        "edge": edge.span_id,
    }


def both_sides(spans: Recorded, name: str) -> tuple[Seen, Seen]:
    return spans.one(name, SpanKind.CLIENT), spans.one(name, SpanKind.SERVER)


def test_the_edges_span_says_what_was_answered(edge: Edge) -> None:
    with recorded() as spans:
        answer = edge.post("Action=DescribeIpams&Version=2016-11-15")
    assert spans.one("POST DescribeIpams", SpanKind.SERVER).attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "url.path": "/",
        "url.scheme": "http",
        "server.address": edge.gateway.host,
        "server.port": edge.gateway.port,
        "cadastre.account_id": ACCOUNT_ID,
        "cadastre.action": "DescribeIpams",
        "cadastre.request_id": answer.headers["x-amzn-requestid"],
    }


@pytest.mark.parametrize(
    ("code", "reason", "told", "error"),
    [
        (grpc.StatusCode.NOT_FOUND, "InvalidIpamId.NotFound", "InvalidIpamId.NotFound", None),
        (grpc.StatusCode.UNAVAILABLE, "Unavailable", "Unavailable", "Unavailable"),
        (grpc.StatusCode.INTERNAL, "", "InternalError", "InternalError"),
    ],
)
def test_only_what_is_no_clients_mistake_is_an_error(
    code: grpc.StatusCode, reason: str, told: str, error: str | None, edge: Edge
) -> None:
    edge.fakes.answers["DeleteIpam"] = Refusal(reason, code=code)
    with recorded() as spans:
        edge.post("Action=DeleteIpam&Version=2016-11-15&IpamId=ipam-00000000000000001")
    span = spans.one("POST DeleteIpam", SpanKind.SERVER)
    assert (span.attributes["cadastre.reason"], span.error) == (told, error)


def test_a_request_of_nobody_is_a_span_without_an_action(edge: Edge) -> None:
    with recorded() as spans:
        httpx.post(edge.gateway.url, content="Action=DescribeIpams", trust_env=False)
    span = spans.one("POST", SpanKind.SERVER)
    assert span.attributes["cadastre.reason"] == "MissingAuthenticationToken"
    assert "cadastre.account_id" not in span.attributes
