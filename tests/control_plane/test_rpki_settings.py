"""Where delegated RPKI is published, and whom it may speak to."""

import pytest
from pydantic import ValidationError

from services.control_plane.delegated_rpki.parent_hosts import REGISTRIES, HostPattern
from services.control_plane.rpki_settings import RpkiSettings


def test_by_default_parents_are_the_internet_registries() -> None:
    settings = RpkiSettings()
    assert settings.rpki_parent_hosts is None
    assert set(REGISTRIES) == {"arin", "ripe", "apnic", "lacnic", "nicbr"}
    assert settings.rpki_repository_uri == "rsync://localhost/cadastre/"


def test_hosts_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CADASTRE_RPKI_PARENT_HOSTS", '["127.0.0.1:8080", "*.Example.net"]')
    assert RpkiSettings().rpki_parent_hosts == (
        HostPattern("127.0.0.1", 8080, is_domain=False),
        HostPattern("example.net", None, is_domain=True),
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PARENT_HOSTS", '["*"]'),
        ("PARENT_HOSTS", '["https://example.net"]'),
        ("PARENT_HOSTS", '["a b"]'),
        ("PARENT_HOSTS", '["*.[::1]"]'),
        ("PARENT_HOSTS", '[""]'),
        ("REPOSITORY_URI", "rsync://localhost/cadastre"),
        ("REPOSITORY_URI", "https://localhost/cadastre/"),
        ("NOTIFICATION_URI", "http://localhost/notification.xml"),
        ("REFRESH_SECONDS", "0"),
        ("TIMEOUT_SECONDS", "0"),
    ],
)
def test_what_can_not_be_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"CADASTRE_RPKI_{name}", value)
    with pytest.raises(ValidationError, match=r".+"):
        RpkiSettings()


@pytest.mark.parametrize(
    ("pattern", "host", "port", "is_allowed"),
    [
        ("example.net", "example.net", 443, True),
        ("example.net", "EXAMPLE.NET", 8443, True),
        ("example.net", "a.example.net", 443, False),
        ("*.example.net", "a.example.net", 443, True),
        ("*.example.net", "a.b.example.net", 443, True),
        ("*.example.net", "example.net", 443, False),
        ("*.example.net", "aexample.net", 443, False),
        ("example.net:443", "example.net", 443, True),
        ("example.net:443", "example.net", 80, False),
        ("*.example.net:443", "a.example.net", 443, True),
        ("*.example.net:443", "a.example.net", 80, False),
        ("127.0.0.1", "127.0.0.1", 1, True),
        ("[::1]:80", "::1", 80, True),
        ("[::1]:80", "::1", 443, False),
        ("[::1]", "::2", 80, False),
    ],
)
def test_which_hosts_a_pattern_is_for(pattern: str, host: str, port: int, is_allowed: bool) -> None:
    assert HostPattern.parse(pattern).allows(host, port) is is_allowed
