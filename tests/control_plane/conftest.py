"""A world for each test: an empty database of each kind and a fake ledger."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.encryption_keys import create_encryption_keys
from shared.identity import create_secret
from shared.rpc.server import running
from shared.settings import Settings
from tests.control_plane.fake_ledger import FakeLedger
from tests.control_plane.world import Client, World


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
