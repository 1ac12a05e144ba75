"""The RDAP client, against a real HTTP server."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest

from services.control_plane.registries.rdap import MOST_BYTES, RdapClient, rdap_client
from services.control_plane.verifier import LookUpFailed
from shared.cidr import Cidr
from tests.registries.rdap_server import RdapServer
from tests.registries.signing import autnum_record, network_record

CIDR = Cidr.parse("198.18.0.0/16")
PATH = "ip/198.18.0.0/16"
RECORD = network_record("198.18.0.0/16", "A network")


@pytest.fixture
def server() -> Iterator[RdapServer]:
    with RdapServer() as server:
        yield server


@pytest.fixture
async def rdap(server: RdapServer) -> AsyncIterator[RdapClient]:
    async with rdap_client(server.url, timeout_seconds=20) as client:
        yield client


async def test_records_are_asked_for_as_rfc_9082_says(
    rdap: RdapClient, server: RdapServer
) -> None:  # BYOIP-3
    ipv6, autnum = network_record("2001:db8::/40"), autnum_record(4_200_000_000)
    server.put(PATH, RECORD)
    server.put("ip/2001:db8::/40", ipv6)
    server.put("autnum/4200000000", autnum)
    assert await rdap.network(CIDR) == RECORD
    assert await rdap.network(Cidr.parse("2001:db8::/40")) == ipv6
    assert await rdap.autnum(4_200_000_000) == autnum
    accepted = "application/rdap+json"
    paths = (PATH, "ip/2001:db8::/40", "autnum/4200000000")
    assert server.asked == [(path, accepted) for path in paths]


async def test_the_server_may_be_below_a_path(server: RdapServer) -> None:
    server.put(f"rdap/{PATH}", RECORD)
    for url in (f"{server.url}/rdap", f"{server.url}/rdap/"):
        async with rdap_client(url, timeout_seconds=20) as client:
            assert await client.network(CIDR) == RECORD


async def test_what_the_registry_does_not_have_is_no_record(rdap: RdapClient) -> None:
    assert await rdap.network(CIDR) is None


async def test_the_registry_may_be_another_server(rdap: RdapClient, server: RdapServer) -> None:
    with RdapServer() as registry:
        server.redirect(PATH, f"{registry.url}/here")
        registry.put("here", RECORD)
        assert await rdap.network(CIDR) == RECORD


async def test_five_redirects_are_followed_and_no_more(
    rdap: RdapClient, server: RdapServer
) -> None:
    for hop in range(1, 6):
        server.redirect(f"hop-{hop}", f"/hop-{hop + 1}")
    server.put("hop-6", RECORD)
    server.redirect(PATH, "/hop-2")
    assert await rdap.network(CIDR) == RECORD
    server.redirect(PATH, "/hop-1")
    with pytest.raises(LookUpFailed, match="^the RDAP server redirects more than 5 times$"):
        await rdap.network(CIDR)


UNREACHABLE = "the RDAP server can't be reached or does not answer"


@pytest.mark.parametrize(
    ("arrange", "why"),
    [
        (lambda s: s.put_body(PATH, b"", status=503), "the RDAP server answered 503"),
        (lambda s: s.put_body(PATH, b"{}", status=429), "the RDAP server answered 429"),
        (lambda s: s.put_body(PATH, b"<html>"), "the RDAP server's answer is no JSON"),
        (lambda s: s.put_body(PATH, b"\xff"), "the RDAP server's answer is no JSON"),
        (lambda s: s.put_body(PATH, b"[" * 100_000), "the RDAP server's answer is no JSON"),
        (lambda s: s.put_body(PATH, b"[]"), "the RDAP server's answer is no JSON object"),
        (
            lambda s: s.redirect(PATH, "file:///etc/hosts"),
            "the RDAP server redirects from http to file",
        ),
        (
            lambda s: s.redirect(PATH, "ftp://192.0.2.1/"),
            "the RDAP server redirects from http to ftp",
        ),
        (lambda s: s.redirect(PATH, "http://[nowhere/"), UNREACHABLE),
        (lambda s: s.redirect(PATH, "http:]/192.0.2.1/"), UNREACHABLE),
        (lambda s: s.redirect(PATH, "http://xn--/"), UNREACHABLE),
        (lambda s: s.redirect(PATH, f"http://{64 * 'a'}.example/"), UNREACHABLE),
        (
            lambda s: s.redirect(PATH, "http://127.0.0.1:99999/"),
            "the RDAP server redirects to port 99999",
        ),
        (lambda s: s.redirect(PATH, "https://127.0.0.1:1/"), UNREACHABLE),
    ],
    ids=[
        "out of order",
        "asked too often",
        "a page",
        "no text",
        "nested too deeply",
        "a list",
        "redirect to a file",
        "redirect to FTP",
        "redirect to nowhere",
        "redirect to what is no URL",
        "redirect to a name that can't be one",
        "redirect to a name that is too long",
        "redirect to no port",
        "redirect to who is not there",
    ],
)
async def test_what_is_no_answer_may_be_one_later(
    rdap: RdapClient, server: RdapServer, arrange: Callable[[RdapServer], None], why: str
) -> None:
    arrange(server)
    with pytest.raises(LookUpFailed, match=f"^{why}$"):
        await rdap.network(CIDR)


async def test_an_answer_has_a_limit(rdap: RdapClient, server: RdapServer) -> None:
    largest = b'{"a": "%s"}' % (b"x" * (MOST_BYTES - 9))
    server.put_body(PATH, largest)
    assert await rdap.network(CIDR)
    server.put_body(PATH, largest + b" ")
    with pytest.raises(LookUpFailed, match="^the RDAP server's answer has more than 1048576 bytes"):
        await rdap.network(CIDR)


async def test_a_server_that_does_not_answer_is_waited_for_so_long(server: RdapServer) -> None:
    server.be_silent_about(PATH)
    async with rdap_client(server.url, timeout_seconds=0.05) as client:
        with pytest.raises(LookUpFailed, match=f"^{UNREACHABLE}$"):
            await client.network(CIDR)


async def test_a_server_that_is_not_there_may_be_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with rdap_client(f"http://127.0.0.1:{port}", timeout_seconds=20) as client:
        with pytest.raises(LookUpFailed, match=f"^{UNREACHABLE}$"):
            await client.network(CIDR)


async def test_what_began_encrypted_stays_so() -> None:
    """Else whoever is on the way could put a certificate of its own into the record."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.scheme == "https":
            return httpx.Response(302, headers={"location": f"http://other.example/{PATH}"})
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(RECORD).encode()))

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        assert await RdapClient(http, "http://rdap.example", 20).network(CIDR) == RECORD
        with pytest.raises(LookUpFailed, match="^the RDAP server redirects from https to http$"):
            await RdapClient(http, "https://rdap.example", 20).network(CIDR)


class Endless(httpx.AsyncByteStream):
    """Begins to be told, and goes on for ever."""

    def __init__(self) -> None:
        self.is_read = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.is_read = True
        while True:
            yield b" "
            await asyncio.sleep(0)


async def test_an_answer_that_does_not_end_is_waited_for_so_long() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Endless())

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        with pytest.raises(LookUpFailed, match=f"^{UNREACHABLE}$"):
            await RdapClient(http, "http://rdap.example", 0.05).network(CIDR)


async def test_what_a_redirect_says_itself_is_not_read() -> None:
    said = Endless()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/here":
            return httpx.Response(302, headers={"location": "/here"}, stream=said)
        return httpx.Response(404)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        assert await RdapClient(http, "http://rdap.example", 20).network(CIDR) is None
    assert not said.is_read
