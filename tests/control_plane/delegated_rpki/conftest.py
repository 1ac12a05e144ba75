"""Keys that are made once, for making them takes longest, and a registry below which to be."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.control_plane.delegated_rpki.authority import Authority, new_key
from services.control_plane.delegated_rpki.bpki import BpkiIdentity
from services.control_plane.delegated_rpki.keys import KeyMaker, new_rsa_key
from tests.control_plane.delegated_rpki.child import Child
from tests.registries.internet_registry import InternetRegistry


@pytest.fixture(scope="session")
def make_key() -> KeyMaker:
    """One of few keys in turn: no two in a row are the same."""
    keys = itertools.cycle([new_rsa_key() for _ in range(3)])
    return lambda: next(keys)


@pytest.fixture(scope="session")
def identity() -> BpkiIdentity:
    return BpkiIdentity.new("child", datetime.now(UTC))


@pytest.fixture(scope="session")
def key() -> bytes:
    """An authority's key."""
    return new_key()


@pytest.fixture(scope="session")
def other_key() -> bytes:
    """Another authority's key, or the next one of the same."""
    return new_key()


@pytest.fixture
def registry(tmp_path: Path, make_key: KeyMaker) -> Iterator[InternetRegistry]:
    with InternetRegistry(tmp_path, make_key=make_key) as registry:
        yield registry


@pytest.fixture
def child(registry: InternetRegistry, identity: BpkiIdentity, make_key: KeyMaker) -> Child:
    return Child(registry, identity, make_key)


@pytest.fixture(scope="session")
def authority(
    tmp_path_factory: pytest.TempPathFactory,
    identity: BpkiIdentity,
    key: bytes,
    make_key: KeyMaker,
) -> Authority:
    """Who is certified for all of `HELD`, by a registry that is gone by now."""
    with InternetRegistry(tmp_path_factory.mktemp("registry"), make_key=make_key) as registry:
        return Child(registry, identity, make_key).certified(key)
