"""What is staged for an organization when an association is made: ROAs there are already."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.control_plane.registry_associations import HANDLE, HELD, Associations, id_of
from tests.control_plane.world import World, on_sqlite_alone
from tests.registries.internet_registry import InternetRegistry
from tests.registries.rdap_server import RdapServer
from tests.registries.signing import network_record
from tests.waiting import eventually

ENTITY = f"entity/{HANDLE}"
ROAS = [
    {"asn": "AS64496", "prefix": "192.0.2.0/24", "maxLength": 24},
    {"asn": "AS64497", "prefix": "192.0.2.0/25", "maxLength": 25},
    {"asn": "AS64496", "prefix": "2001:db8::/32", "maxLength": 48},
    # Of others: beside, and around.
    {"asn": "AS64498", "prefix": "192.0.3.0/24", "maxLength": 24},
    {"asn": "AS64498", "prefix": "192.0.0.0/16", "maxLength": 24},
]


def entity(*cidrs: str) -> dict[str, Any]:
    return {
        "objectClassName": "entity",
        "handle": HANDLE,
        "networks": [network_record(cidr) for cidr in cidrs],
    }


@pytest.fixture
def rdap(monkeypatch: pytest.MonkeyPatch) -> Iterator[RdapServer]:
    with RdapServer() as server:
        monkeypatch.setenv("CADASTRE_RDAP_URL", server.url)
        server.put(ENTITY, entity("192.0.2.0/24", "2001:db8::/32", "203.0.113.0/24"))
        yield server


@pytest.fixture
def export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "export.json"
    path.write_text(json.dumps({"roas": ROAS}))
    monkeypatch.setenv("CADASTRE_RPKI_EXPORT_FILE", str(path))
    return path


@pytest.fixture
async def associations(
    world: World, rir: InternetRegistry, rdap: RdapServer, export: Path
) -> AsyncIterator[Associations]:
    async with world.serving() as client:
        yield Associations(client)


@on_sqlite_alone
async def test_what_the_rpki_tells_of_the_organization_is_staged_and_published_once_enabled(
    associations: Associations, rir: InternetRegistry
) -> None:
    ipam = await associations.client.create_ipam()
    made = id_of(await associations.create(ipam))
    assert "3 ROAs" in await associations.says(made, "staged as registrations")
    assert await associations.registrations(made) == dict.fromkeys(
        ["192.0.2.0/24", "192.0.2.0/25", "2001:db8::/32"], "pending-activate"
    )
    pending = await associations.one(made)
    await associations.enable(made, rir.admit(pending.child_request_xml, HELD))

    async def are_published() -> bool:
        return await associations.roas(made) == [
            ("192.0.2.0/24", "64496"),
            ("192.0.2.0/25", "64497"),
            ("2001:db8::/32", "64496"),
        ]

    await eventually(are_published)
    assert set((await associations.registrations(made)).values()) == {"create-complete"}


@on_sqlite_alone
@pytest.mark.parametrize(
    ("record", "words"),
    [
        (None, "no RDAP record"),
        (b"no JSON", "no JSON"),
        (entity("203.0.113.0/24"), "no ROAs"),
        ({"networks": [{"startAddress": 7}, "no network", {}]}, "no ROAs"),
        # Backwards.
        (
            {"networks": [{"startAddress": "192.0.2.255", "endAddress": "192.0.2.0"}]},
            "no ROAs",
        ),
    ],
    ids=["no-record", "no-json", "no-roas", "nonsense", "backwards"],
)
async def test_nothing_is_staged_when_nothing_is_told(
    associations: Associations, rdap: RdapServer, record: Any, words: str
) -> None:
    rdap.remove(ENTITY)
    if isinstance(record, bytes):
        rdap.put_body(ENTITY, record)
    elif record:
        rdap.put(ENTITY, record)
    made = id_of(await associations.create(await associations.client.create_ipam()))
    message = await associations.says(made, "no registrations are staged")
    assert words in message
    assert await associations.registrations(made) == {}


@on_sqlite_alone
async def test_lacnic_is_not_asked(associations: Associations, rdap: RdapServer) -> None:
    ipam = await associations.client.create_ipam()
    made = id_of(await associations.create(ipam, rir="lacnic"))
    assert "LACNIC" in await associations.says(made, "no registrations are staged")
    assert rdap.asked == []


@on_sqlite_alone
async def test_an_export_that_is_away_fails_nothing(
    associations: Associations, rdap: RdapServer, export: Path
) -> None:
    await asyncio.to_thread(export.unlink)
    made = id_of(await associations.create(await associations.client.create_ipam()))
    assert "can't be read now" in await associations.says(made, "no registrations are staged")
    assert rdap.asked == []


@on_sqlite_alone
async def test_more_than_may_be_registered_is_not_staged(
    world: World, rdap: RdapServer, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CADASTRE_QUOTA_ROUTING_POLICY_REGISTRATIONS_PER_ASSOCIATION", "2")
    async with world.serving() as client:
        associations = Associations(client)
        made = id_of(await associations.create(await client.create_ipam()))
        assert "more than 2 CIDRs" in await associations.says(made, "no registrations are staged")
        assert await associations.registrations(made) == {}
