from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.installation import Installation, installation


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def cadastre(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """A running installation, shared by the tests of one module."""
    settings = {}
    if request.param == "postgresql":
        settings["CADASTRE_DATABASE_URL"] = request.getfixturevalue("database_url_template")
    with installation(tmp_path_factory.mktemp("data"), **settings) as running:
        yield running


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An empty data folder."""
    return tmp_path / "data"
