import configparser
import stat
from pathlib import Path

from services.local.aws_profiles import ACCOUNT_IDS, write_config, write_credentials


def read(path: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    parser.read(path)
    return parser


def test_every_profile_of_the_guide_gets_its_own_key_and_account(tmp_path: Path) -> None:
    write_credentials(tmp_path / "credentials")
    credentials = read(tmp_path / "credentials")
    keys = {name: credentials[name]["aws_access_key_id"] for name in ACCOUNT_IDS}
    assert len(set(keys.values())) == len(ACCOUNT_IDS)
    assert {name: credentials[name]["aws_account_id"] for name in ACCOUNT_IDS} == ACCOUNT_IDS
    assert dict(credentials["default"]) == dict(credentials["ipam-account"])
    assert stat.S_IMODE((tmp_path / "credentials").stat().st_mode) == 0o600


def test_keys_and_profiles_that_are_there_stay(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    write_credentials(path)
    path.write_text(path.read_text() + "\n[another]\naws_access_key_id = AKIAANOTHER\n")
    before = path.read_text()
    write_credentials(path)
    after = read(path)
    assert after["another"]["aws_access_key_id"] == "AKIAANOTHER"
    for name in ACCOUNT_IDS:
        assert after[name]["aws_secret_access_key"] in before


def test_every_profile_points_at_the_gateway_and_keeps_other_settings(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("[profile ipam-account]\nregion = eu-central-1\n")
    write_config(path, "http://127.0.0.1:4500")
    write_config(path, "http://127.0.0.1:4600")
    config = read(path)
    for section in ["default", *(f"profile {name}" for name in ACCOUNT_IDS)]:
        assert config[section]["endpoint_url"] == "http://127.0.0.1:4600"
    assert config["profile ipam-account"]["region"] == "eu-central-1"
