"""The DNS client, against a real server."""

from collections.abc import Iterator

import dns.rcode
import pytest

from services.control_plane.registries.dns_records import DnsClient, NameServer
from services.control_plane.verifier import LookUpFailed
from tests.registries.dns_server import DnsServer

NAME = "86950620.113.0.203.in-addr.arpa"


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with DnsServer() as server:
        yield server


def client(*servers: str, timeout_seconds: float = 20) -> DnsClient:
    return DnsClient(list(map(NameServer.parse, servers)), timeout_seconds)


async def test_a_name_tells_the_values_of_its_txt_records(server: DnsServer) -> None:  # BYOIP-3
    server.put_txt(NAME, "a34597c3", "v=spf1 -all", "")
    assert sorted(await client(server.address).txt(NAME)) == ["", "a34597c3", "v=spf1 -all"]
    assert server.asked == [(NAME, "udp")]


async def test_the_strings_of_a_record_are_one_value(server: DnsServer) -> None:
    value = "é" * 300
    server.put_txt(NAME, value)
    assert await client(server.address).txt(NAME) == [value]


async def test_a_value_may_be_no_text_at_all(server: DnsServer) -> None:
    server.put_txt(NAME, b"\xff\x00")
    assert await client(server.address).txt(NAME) == ["\ufffd\x00"]


async def test_what_udp_can_not_hold_is_asked_for_by_tcp(server: DnsServer) -> None:
    server.put_txt(NAME, "x" * 5_000)
    assert await client(server.address).txt(NAME) == ["x" * 5_000]
    assert server.asked == [(NAME, "udp"), (NAME, "tcp")]


async def test_a_name_that_is_not_there_has_no_records(server: DnsServer) -> None:
    assert not await client(server.address).txt(NAME)


async def test_a_name_without_txt_records_has_none(server: DnsServer) -> None:
    server.put_txt(NAME, "value")
    assert not await client(server.address).txt("113.0.203.in-addr.arpa")


async def test_what_is_put_in_or_taken_out_is_seen_at_once(server: DnsServer) -> None:
    asking = client(server.address)
    assert not await asking.txt(NAME)
    server.put_txt(NAME, "value")
    assert await asking.txt(NAME) == ["value"]
    server.remove(NAME)
    assert not await asking.txt(NAME)


@pytest.mark.parametrize("code", [dns.rcode.SERVFAIL, dns.rcode.REFUSED])
async def test_a_failing_server_says_nothing_about_a_name(
    server: DnsServer, code: dns.rcode.Rcode
) -> None:
    server.fail(NAME, code)
    with pytest.raises(LookUpFailed, match="^the DNS servers fail to answer$"):
        await client(server.address).txt(NAME)


async def test_a_server_that_does_not_answer_is_waited_for_so_long(server: DnsServer) -> None:
    server.be_silent_about(NAME)
    with pytest.raises(LookUpFailed, match="^no DNS server answers in time$"):
        await client(server.address, timeout_seconds=0.05).txt(NAME)


async def test_the_next_server_is_asked_when_one_fails(server: DnsServer) -> None:
    with DnsServer() as failing:
        failing.fail(NAME)
        server.put_txt(NAME, "value")
        assert await client(failing.address, server.address).txt(NAME) == ["value"]


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.53:53", NameServer("192.0.2.53", 53)),
        ("[2001:db8::53]:5353", NameServer("2001:db8::53", 5353)),
    ],
)
def test_a_server_is_an_address_and_a_port(text: str, server: NameServer) -> None:
    assert NameServer.parse(text) == server


@pytest.mark.parametrize(
    "text",
    [
        "",
        "192.0.2.53",
        "192.0.2.53:",
        "192.0.2.53:0",
        "192.0.2.53:65536",
        "192.0.2.53:-53",
        "192.0.2.53:dns",
        "[192.0.2.53]:53",
        "2001:db8::53",
        "2001:db8::53:53",
        "[2001:db8::53]",
        "ns.example.com:53",
    ],
)
def test_anything_else_is_no_server(text: str) -> None:
    with pytest.raises(ValueError, match="write its address and port as '192.0.2.53:53' or"):
        NameServer.parse(text)
