from collections.abc import Iterator

import pytest
import structlog
from anyio.from_thread import start_blocking_portal
from structlog.testing import LogCapture

from services.gateway.server import running
from shared.encryption_keys import create_encryption_keys
from shared.identity import create_secret
from shared.settings import Settings
from tests.gateway.edge import BEHIND, CREDENTIALS, Edge
from tests.gateway.fakes import fake_services


@pytest.fixture(scope="module")
def running_edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """A gateway in front of fakes, in a thread of its own: AWS's clients block."""
    data, captured = tmp_path_factory.mktemp("data"), LogCapture()
    log = structlog.wrap_logger(None, processors=[captured])
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(fake_services()) as fakes,
    ):
        addresses = dict.fromkeys(BEHIND, f"127.0.0.1:{fakes.port}")
        settings = Settings(data=data, port=0, addresses=addresses)
        create_secret(settings.identity_secret_path)
        create_encryption_keys(settings.encryption_key_path)
        settings.credentials_path.parent.mkdir(parents=True)
        settings.credentials_path.write_text(CREDENTIALS)
        with portal.wrap_async_context_manager(running(settings, log)) as gateway:
            yield Edge(gateway, fakes, settings, captured.entries, portal)


@pytest.fixture
def edge(running_edge: Edge) -> Edge:
    """The gateway, with fakes that haven't been asked or told anything yet."""
    running_edge.fakes.forget()
    running_edge.log.clear()
    return running_edge
