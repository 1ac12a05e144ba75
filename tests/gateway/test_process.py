"""The gateway as a process: how it starts, fails to start, and stops."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.encryption_keys import create_encryption_keys
from shared.identity import create_secret
from tests.gateway.edge import CREDENTIALS
from tests.waiting import wait_until


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with all a gateway needs."""
    create_secret(tmp_path / "identity" / "secret")
    create_encryption_keys(tmp_path / "identity" / "encryption-key")
    (tmp_path / "aws").mkdir()
    (tmp_path / "aws" / "credentials").write_text(CREDENTIALS)
    return tmp_path


@pytest.fixture
def port() -> int:
    """One that is free when the test starts."""
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        free: int = probe.getsockname()[1]
    return free


def start(data: Path, port: int, **settings: str) -> "subprocess.Popen[str]":
    environment = {"CADASTRE_DATA": str(data), "CADASTRE_PORT": str(port), **settings}
    return subprocess.Popen(
        [sys.executable, "-m", "services.gateway"],
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).is_success
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals, data: Path, port: int) -> None:
    process = start(data, port)
    wait_until(lambda: process.poll() is not None or answers(port))
    process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 0
    assert '"event": "stopped"' in stderr.splitlines()[-1]


def remove(path: str) -> Any:
    return lambda data: (data / path).unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(remove("aws/credentials"), "credentials: No such file", id="credentials"),
        pytest.param(remove("identity/secret"), "identity/secret", id="identity secret"),
        pytest.param(remove("identity/encryption-key"), "identity/encryption-key", id="its key"),
    ],
)
def test_what_is_missing_is_said_in_one_line(
    spoil: Any, message: str, data: Path, port: int
) -> None:
    spoil(data)
    process = start(data, port)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 1
    [line] = stderr.splitlines()
    assert line.startswith("gateway: ")
    assert message in line


def test_a_taken_port_is_said_in_one_line(data: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port: int = other.getsockname()[1]
        process = start(data, port)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 1
    [line] = stderr.splitlines()
    assert f"127.0.0.1:{port} can't be listened on" in line
