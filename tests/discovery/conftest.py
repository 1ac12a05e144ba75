import pytest

from tests.discovery.fake_network import FakeNetwork


@pytest.fixture
async def network() -> FakeNetwork:
    return FakeNetwork()
