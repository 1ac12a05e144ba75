from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.discovery import fake_control_plane
from tests.discovery.fake_control_plane import FakeControlPlane
from tests.discovery.fake_network import FakeNetwork
from tests.network.support import settings_for


@pytest.fixture
def schema_package() -> str:
    return "services.discovery"


@pytest.fixture
async def network() -> FakeNetwork:
    return FakeNetwork()


@pytest.fixture
async def control_plane(tmp_path: Path) -> AsyncIterator[str]:
    """The address of one that has nothing to discover."""
    async with fake_control_plane.serving(FakeControlPlane(), settings_for(tmp_path)) as address:
        yield address
