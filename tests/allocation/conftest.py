"""A running ledger for each test, on an empty database of each kind."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.settings import Settings
from tests.allocation.world import World, serving, settings_for


@pytest.fixture
def schema_package() -> str:
    return "services.allocation"


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return settings_for(tmp_path, database_url)


@pytest.fixture
async def world(settings: Settings) -> AsyncIterator[World]:
    async with serving(settings) as running_world:
        yield running_world
