import configparser
import stat
from pathlib import Path

import pytest

from services.local.setup import main
from shared.encryption_keys import load_encryption_keys
from shared.identity import load_secret
from shared.settings import Settings


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CADASTRE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def set_up(data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("sys.argv", ["setup", "--postgres-password"])
    assert main() == 0
    return data


def test_what_services_need_is_there_and_is_its_owners(set_up: Path) -> None:
    settings = Settings()
    load_secret(settings.identity_secret_path)
    load_encryption_keys(settings.encryption_key_path)
    assert settings.credentials_path.exists()
    assert settings.organization_path.exists()
    assert stat.S_IMODE(set_up.stat().st_mode) == 0o700


def test_clients_are_sent_to_where_the_gateway_is_told_to_be(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CADASTRE_PORT", "4700")
    monkeypatch.setattr("sys.argv", ["setup"])
    assert main() == 0
    config = configparser.RawConfigParser()
    config.read(data / "aws" / "config")
    assert {config[section]["endpoint_url"] for section in config.sections()} == {
        "http://127.0.0.1:4700"
    }
    assert not (data / "postgres").exists()


def test_server_and_clients_of_postgresql_get_one_password(set_up: Path) -> None:
    password = (set_up / "postgres" / "password").read_text()
    assert len(password) >= 32
    assert (set_up / "postgres" / "pgpass").read_text() == f"*:*:*:*:{password}\n"
    for name in ("password", "pgpass"):
        assert stat.S_IMODE((set_up / "postgres" / name).stat().st_mode) == 0o600


def test_a_second_time_changes_nothing(set_up: Path) -> None:
    before = contents(set_up)
    assert main() == 0
    assert contents(set_up) == before


def test_what_is_there_and_unusable_is_told(
    set_up: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Settings().identity_secret_path.chmod(0o644)
    assert main() == 1
    assert "chmod 600" in capsys.readouterr().err
