import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from services.local.health import main
from shared.rpc.server import Binding, Runtime, running
from shared.settings import Settings
from tests.acceptance.installation import free_base_port
from tests.network.support import settings_for
from tests.shared.rpc.certificates import Authority


@asynccontextmanager
async def nothing_of_its_own(_runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
    yield []


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Everything listens everywhere, as in a container; the check reads the same settings."""
    settings = settings_for(tmp_path).model_copy(
        update={"host": "0.0.0.0", "port": free_base_port()}
    )
    monkeypatch.setenv("CADASTRE_HOST", settings.host)
    monkeypatch.setenv("CADASTRE_PORT", str(settings.port))
    return settings


def check(service: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", ["health", service])
    return main()


async def test_a_service_that_serves_is_well_and_another_one_is_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running("network", nothing_of_its_own, settings):
        assert await asyncio.to_thread(check, "network", monkeypatch) == 0
        assert await asyncio.to_thread(check, "discovery", monkeypatch) == 1
    assert "discovery: " in capsys.readouterr().err


async def test_through_tls_its_certificate_may_be_for_the_name_that_others_use(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = Authority(tmp_path, "authority")
    issued = authority.issue("service")  # For 127.0.0.1, which stands for the name here.
    files = {
        "tls_certificate_file": issued.certificate,
        "tls_key_file": issued.key,
        "tls_ca_file": authority.certificate,
    }
    for name, path in files.items():
        monkeypatch.setenv(f"CADASTRE_{name.upper()}", str(path))
    encrypted = settings.model_copy(update={**files, "host": "127.0.0.2"})
    monkeypatch.setenv("CADASTRE_HOST", "127.0.0.2")
    async with running("network", nothing_of_its_own, encrypted):
        assert await asyncio.to_thread(check, "network", monkeypatch) == 1
        monkeypatch.setenv("CADASTRE_ADDRESSES", '{"network": "127.0.0.1:1"}')
        assert await asyncio.to_thread(check, "network", monkeypatch) == 0


@contextmanager
def gateway(port: int, status: int) -> Iterator[None]:
    """Answers everything with ``status``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()
            self.wfile.write(b"not_serving: discovery")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            pass

    with HTTPServer(("127.0.0.1", port), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield
        finally:
            server.shutdown()
            serving.join()


def test_the_gateway_is_as_well_as_it_says(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with gateway(settings.port, 200):
        assert check("gateway", monkeypatch) == 0
    with gateway(settings.port, 503):
        assert check("gateway", monkeypatch) == 1
    assert "gateway: not_serving: discovery" in capsys.readouterr().err
    assert check("gateway", monkeypatch) == 1
