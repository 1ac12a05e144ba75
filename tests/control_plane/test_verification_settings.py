"""How verification is configured."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.control_plane.registries.dns_records import NameServer
from services.control_plane.verification_settings import VerificationSettings


def test_without_configuration_the_registries_and_the_systems_dns_are_asked() -> None:  # BYOIP-3
    settings = VerificationSettings()
    assert str(settings.rdap_url) == "https://rdap.org/"
    assert settings.dns_servers == ()
    assert settings.lookup_timeout_seconds == 10
    assert settings.verification_retry_seconds == 60
    assert settings.verification_timeout_seconds == 7 * 24 * 3600
    assert settings.rpki_export_file is None
    assert settings.rpki_policy == "refuse"


def test_every_setting_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "RDAP_URL": "http://127.0.0.1:8080/rdap",
        "DNS_SERVERS": '["192.0.2.53:53", "[2001:db8::53]:5353"]',
        "LOOKUP_TIMEOUT_SECONDS": "1.5",
        "VERIFICATION_RETRY_SECONDS": "0.1",
        "VERIFICATION_TIMEOUT_SECONDS": "20",
        "RPKI_EXPORT_FILE": "/var/db/rpki-client/json",
        "RPKI_POLICY": "warn",
        "ROUTE_FEED_FILE": "/var/db/routes.gz",
    }.items():
        monkeypatch.setenv(f"CADASTRE_{name}", value)
    settings = VerificationSettings()
    assert str(settings.rdap_url) == "http://127.0.0.1:8080/rdap"
    assert settings.dns_servers == (
        NameServer("192.0.2.53", 53),
        NameServer("2001:db8::53", 5353),
    )
    assert settings.lookup_timeout_seconds == 1.5
    assert settings.verification_retry_seconds == 0.1
    assert settings.verification_timeout_seconds == 20
    assert settings.rpki_export_file == Path("/var/db/rpki-client/json")
    assert settings.rpki_policy == "warn"
    assert settings.route_feed_file == Path("/var/db/routes.gz")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RDAP_URL", "rdap.org"),
        ("RDAP_URL", "ftp://rdap.org"),
        ("DNS_SERVERS", '["ns.example.com:53"]'),
        ("DNS_SERVERS", "[53]"),
        ("LOOKUP_TIMEOUT_SECONDS", "0"),
        ("VERIFICATION_RETRY_SECONDS", "0"),
        ("VERIFICATION_TIMEOUT_SECONDS", "-1"),
        ("RPKI_POLICY", "ignore"),
    ],
)
def test_a_wrong_setting_is_refused_at_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"CADASTRE_{name}", value)
    with pytest.raises(ValidationError):
        VerificationSettings()
