"""The client of parents (RFC 6492), against a local registry over HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.control_plane.delegated_rpki import keys
from services.control_plane.delegated_rpki.authority import (
    Authority,
    Place,
    certificate_request,
    new_key,
)
from services.control_plane.delegated_rpki.bpki import BpkiIdentity
from services.control_plane.delegated_rpki.errors import (
    MessageNotTrusted,
    MessageReplayed,
    ParentResponseRefused,
    RefusedByParent,
)
from services.control_plane.delegated_rpki.out_of_band import ParentContact, child_request_xml
from services.control_plane.delegated_rpki.parent_hosts import HostPattern
from services.control_plane.delegated_rpki.resources import Resources
from services.control_plane.registries.up_down import (
    MOST_BYTES,
    ParentUnreachable,
    UpDownClient,
    up_down_client,
)
from shared.errors import Unavailable
from tests.registries.internet_registry import InternetRegistry
from tests.waiting import PATIENCE_SECONDS

HELD = Resources.parse(asns="64496", ipv4="198.18.0.0/15", ipv6="2001:db8::/32")
PLACE = Place("rsync://rpki.example.net/repo/child/all/")
RIR = "ripe"


def clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def identity() -> BpkiIdentity:
    return BpkiIdentity.new("child", clock())


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[InternetRegistry]:
    with InternetRegistry(tmp_path) as registry:
        yield registry


@pytest.fixture
def parent(registry: InternetRegistry, identity: BpkiIdentity) -> ParentContact:
    response = registry.admit(child_request_xml(identity, "child"), HELD)
    return ParentContact.of(
        rpki_version=response.rpki_version,
        service_uri=response.service_uri,
        child_handle=response.child_handle,
        parent_handle=response.parent_handle,
        parent_bpki_ta=response.parent_bpki_ta,
        now=clock(),
    )


@pytest.fixture
async def client(registry: InternetRegistry) -> AsyncIterator[UpDownClient]:
    async with up_down_client([HostPattern.parse(registry.host)], 20, clock) as client:
        yield client


async def test_a_child_is_certified_and_revoked(
    client: UpDownClient, registry: InternetRegistry, parent: ParentContact, identity: BpkiIdentity
) -> None:
    listed = await client.list_classes(RIR, parent, identity)
    (resource_class,) = listed.classes
    assert (resource_class.resources, resource_class.certificates) == (HELD, ())
    assert abs(listed.signed_at - clock()) < timedelta(minutes=1)
    key = new_key()
    issued = await client.issue(
        RIR, parent, identity, "all", certificate_request(key, PLACE), listed.signed_at
    )
    (certificate,) = issued.resource_class.certificates
    authority = Authority(key, certificate.certificate, certificate.rsync_url, PLACE)
    authority.check(issued.resource_class.issuer, clock())
    assert authority.resources == HELD
    (now_listed,) = (await client.list_classes(RIR, parent, identity)).classes
    assert now_listed.certificates == issued.resource_class.certificates
    await client.revoke(RIR, parent, identity, "all", keys.key_identifier(key), issued.signed_at)
    (resource_class,) = (await client.list_classes(RIR, parent, identity)).classes
    assert resource_class.certificates == ()
    kinds = [kind for _, kind in registry.asked]
    assert kinds == ["list", "issue", "list", "revoke", "list"]
    assert {handle for handle, _ in registry.asked} == {"child/1"}


async def test_who_holds_nothing_has_no_classes(
    client: UpDownClient, registry: InternetRegistry, parent: ParentContact, identity: BpkiIdentity
) -> None:
    registry.entitle(parent.child_handle, Resources())
    assert (await client.list_classes(RIR, parent, identity)).classes == ()
    with pytest.raises(RefusedByParent, match="status 1201"):
        await client.issue(RIR, parent, identity, "all", certificate_request(new_key(), PLACE))


async def test_what_the_parent_refuses_is_told_in_its_words(
    client: UpDownClient, registry: InternetRegistry, parent: ParentContact, identity: BpkiIdentity
) -> None:
    registry.refuse(2001, "Come back tomorrow")
    with pytest.raises(RefusedByParent, match="Come back tomorrow") as caught:
        await client.list_classes(RIR, parent, identity)
    assert caught.value.may_pass
    registry.answer_again()
    with pytest.raises(RefusedByParent, match="status 1302"):
        await client.revoke(RIR, parent, identity, "all", bytes(20))
    with pytest.raises(RefusedByParent, match="status 1203"):
        await client.issue(RIR, parent, identity, "all", b"none")


async def test_an_answer_older_than_the_last_is_not_taken(
    client: UpDownClient, parent: ParentContact, identity: BpkiIdentity
) -> None:
    with pytest.raises(MessageReplayed):
        await client.list_classes(RIR, parent, identity, clock() + timedelta(minutes=1))


async def test_only_the_parent_is_believed(
    client: UpDownClient, registry: InternetRegistry, parent: ParentContact, identity: BpkiIdentity
) -> None:
    registry.answer_with(b"<html/>")
    with pytest.raises(MessageNotTrusted):
        await client.list_classes(RIR, parent, identity)
    registry.answer_again()
    other = ParentContact(
        "1", parent.service_uri, parent.child_handle, parent.parent_handle, identity.certificate
    )
    with pytest.raises(MessageNotTrusted, match="not the trust anchor's"):
        await client.list_classes(RIR, other, identity)


async def test_a_stranger_is_told_so_by_http(
    client: UpDownClient, registry: InternetRegistry, parent: ParentContact
) -> None:
    with pytest.raises(ParentUnreachable, match="answered 403") as caught:
        await client.list_classes(RIR, parent, BpkiIdentity.new("stranger", clock()))
    assert isinstance(caught.value, Unavailable)
    assert registry.asked == []


@pytest.mark.parametrize("status", [302, 404, 503])
async def test_other_answers_may_pass_and_are_not_followed(
    client: UpDownClient,
    registry: InternetRegistry,
    parent: ParentContact,
    identity: BpkiIdentity,
    status: int,
) -> None:
    registry.answer_with(b"", status=status)
    with pytest.raises(ParentUnreachable, match=f"answered {status}; repeat later"):
        await client.list_classes(RIR, parent, identity)


async def test_long_answers_are_not_read(
    client: UpDownClient, registry: InternetRegistry, parent: ParentContact, identity: BpkiIdentity
) -> None:
    registry.answer_with(b"\0" * (MOST_BYTES + 1))
    with pytest.raises(MessageNotTrusted, match=f"more than {MOST_BYTES} bytes"):
        await client.list_classes(RIR, parent, identity)


async def test_silence_has_an_end(
    registry: InternetRegistry, parent: ParentContact, identity: BpkiIdentity
) -> None:
    registry.be_silent()
    async with up_down_client([HostPattern.parse(registry.host)], 0.1, clock) as client:
        async with asyncio.timeout(PATIENCE_SECONDS):
            with pytest.raises(ParentUnreachable, match="does not answer"):
                await client.list_classes(RIR, parent, identity)


async def test_where_nobody_listens_is_unreachable(
    parent: ParentContact, identity: BpkiIdentity
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{taken.getsockname()[1]}"
        contact = ParentContact(
            "1", f"http://{host}/", parent.child_handle, parent.parent_handle, parent.bpki_ta
        )
        async with up_down_client([HostPattern.parse(host)], 20, clock) as client:
            with pytest.raises(ParentUnreachable, match="can't be reached"):
                await client.list_classes(RIR, contact, identity)


async def test_other_hosts_are_not_even_connected_to(
    registry: InternetRegistry, parent: ParentContact, identity: BpkiIdentity
) -> None:
    """An account names the URL, and must not reach what only this service may."""
    for hosts in (None, [], [HostPattern.parse("127.0.0.1:1")]):
        async with up_down_client(hosts, 20, clock) as client:
            with pytest.raises(ParentResponseRefused, match="'127.0.0.1' is none of the hosts"):
                await client.list_classes(RIR, parent, identity)
    assert registry.asked == []


@pytest.mark.parametrize(
    ("uri", "rir"),
    [
        ("https://rpki.arin.net/up-down", "arin"),
        ("https://up-down.rpki.ripe.net:8443/x", "ripe"),
        ("http://rpki.apnic.net/up-down/APNIC-AP/", "apnic"),
        ("https://RPKI.LACNIC.NET/", "lacnic"),
        ("https://rpki-up-down.registro.br/", "nicbr"),
    ],
)
async def test_the_registries_hosts_are_allowed_each_for_itself(uri: str, rir: str) -> None:
    async with up_down_client(None, 20, clock) as client:
        client.check_host(uri, rir)
        for other in {"arin", "ripe", "apnic", "lacnic", "nicbr", "none"} - {rir}:
            with pytest.raises(ParentResponseRefused):
                client.check_host(uri, other)


@pytest.mark.parametrize(
    "uri",
    [
        "https://ripe.net.example.net/",
        "https://xripe.net/",
        "https://ripe.net/",
        "https://example.net/.ripe.net",
        "https://example.net?.ripe.net",
        "https://example.net\\.ripe.net/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "ftp://rpki.ripe.net/",
        "https://:99999/",
    ],
)
async def test_hosts_that_only_look_like_a_registrys_are_not(uri: str) -> None:
    async with up_down_client(None, 20, clock) as client:
        with pytest.raises(ParentResponseRefused):
            client.check_host(uri, RIR)
