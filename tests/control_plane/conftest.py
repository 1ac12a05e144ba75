"""A world for each test: an empty database of each kind and a fake ledger."""

import itertools
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from services.control_plane.delegated_rpki.keys import KeyMaker, new_rsa_key
from shared.encryption_keys import create_encryption_keys
from shared.identity import create_secret
from shared.rpc.server import running
from shared.settings import Settings
from tests.control_plane.byoip_world import Byoip, RoaExport
from tests.control_plane.fake_ledger import FakeLedger
from tests.control_plane.fake_public_space import FakeNetwork
from tests.control_plane.registry_associations import Associations, Clock, serving
from tests.control_plane.world import Client, World
from tests.registries.internet_registry import InternetRegistry


@pytest.fixture
def schema_package() -> str:
    return "services.control_plane"


@pytest.fixture
async def world(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    ledger = FakeLedger()  # type: ignore[abstract] # all that this context calls is there
    settings = Settings(data=tmp_path, port=0, database_url=database_url)
    create_secret(settings.identity_secret_path)
    create_encryption_keys(settings.encryption_key_path)
    async with running("allocation", ledger.build, settings) as server:
        addresses = {"allocation": server.address}
        yield World(settings.model_copy(update={"addresses": addresses}), ledger)


@pytest.fixture
async def control(world: World) -> AsyncIterator[Client]:
    async with world.serving() as client:
        yield client


@pytest.fixture
async def byoip(world: World) -> AsyncIterator[Byoip]:
    """The context beside a fake network, too, and a world that proves what a test says."""
    network = FakeNetwork()
    async with running("network", network.build, world.settings) as server:
        addresses = {**world.settings.addresses, "network": server.address}
        settings = world.settings.model_copy(update={"addresses": addresses})
        own = Byoip(World(settings, world.ledger), network)
        async with own.serving():
            yield own


@pytest.fixture
def roas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RoaExport:
    """An RPKI validator's export; the context that is made after this reads it."""
    export = RoaExport(tmp_path / "roas.json")
    monkeypatch.setenv("CADASTRE_RPKI_EXPORT_FILE", str(export.path))
    return export


@pytest.fixture(scope="session")
def make_key() -> KeyMaker:
    """One of few keys in turn, for making them takes longest."""
    keys = itertools.cycle([new_rsa_key() for _ in range(3)])
    return lambda: next(keys)


@pytest.fixture
def rir(
    tmp_path: Path, make_key: KeyMaker, monkeypatch: pytest.MonkeyPatch
) -> Iterator[InternetRegistry]:
    """A registry that the context, if it is made after this, may speak to."""
    with InternetRegistry(tmp_path / "registry", make_key=make_key) as registry:
        monkeypatch.setenv("CADASTRE_RPKI_PARENT_HOSTS", json.dumps([registry.host]))
        yield registry


@pytest.fixture
def clock() -> Clock:
    """The time of registry and context, for tests that have it pass."""
    return Clock()


@pytest.fixture
def timed_rir(
    tmp_path: Path, make_key: KeyMaker, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[InternetRegistry]:
    """Like ``rir``, at that time."""
    with InternetRegistry(tmp_path / "registry", clock=clock, make_key=make_key) as registry:
        monkeypatch.setenv("CADASTRE_RPKI_PARENT_HOSTS", json.dumps([registry.host]))
        yield registry


@pytest.fixture
async def associations(
    world: World, clock: Clock, timed_rir: InternetRegistry
) -> AsyncIterator[Associations]:
    """The context at that time; it may speak to the registry, which is made before it."""
    async with serving(world, clock) as client:
        yield Associations(client)
