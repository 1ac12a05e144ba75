"""`make run`: starting, stopping, starting again, and two side by side."""

import os
import re
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from shared.settings import PROMETHEUS_PORT_OFFSET
from tests.acceptance.installation import Installation, installation, start
from tests.waiting import wait_until

pytestmark = pytest.mark.acceptance

SERVICES = {"control_plane", "allocation", "network", "discovery", "metrics"}


def test_a_second_start_on_the_same_data_goes_on_where_it_was(data: Path) -> None:
    with installation(data) as first:
        ipam = first.client().create_ipam(ClientToken="once")["Ipam"]
        keys = (data / "aws" / "credentials").read_text()
    with installation(data) as second:
        assert second.client().create_ipam(ClientToken="once")["Ipam"]["IpamId"] == ipam["IpamId"]
        [found] = second.client().describe_ipams()["Ipams"]
        assert found["IpamId"] == ipam["IpamId"]
    assert (data / "aws" / "credentials").read_text() == keys


def test_two_installations_live_side_by_side(tmp_path: Path) -> None:
    with installation(tmp_path / "one") as one, installation(tmp_path / "two") as two:
        one.client().create_ipam()
        assert two.client().describe_ipams()["Ipams"] == []


def test_a_taken_port_is_a_clear_failed_start(data: Path, tmp_path: Path) -> None:
    with installation(tmp_path / "first") as first:
        second = start(data, first.port, stderr=subprocess.PIPE)
        _, error = second.communicate(timeout=60)
        assert first.is_healthy()
    assert second.returncode == 1
    assert f"127.0.0.1:{first.port} can't be listened on" in error.decode()


def test_secrets_are_for_their_owner_only(data: Path) -> None:
    with installation(data):
        for secret in (data / "aws" / "credentials", data / "identity" / "secret"):
            assert stat.S_IMODE(secret.stat().st_mode) & 0o077 == 0


def test_health_is_that_of_every_service(data: Path) -> None:
    with installation(data) as running:
        assert running.get("/healthz")[0] == 200
        os.kill(running.pid_of("discovery"), signal.SIGSTOP)
        status, body = running.get("/healthz")
        assert status == 503
        assert "discovery" in body
        os.kill(running.pid_of("discovery"), signal.SIGCONT)
        wait_until(running.is_healthy)


def test_prometheus_finds_every_service_on_one_port(data: Path) -> None:
    with installation(data) as running:
        running.client().describe_ipams()
        # Metrics may have yet to connect once more to those that were up after it.
        wait_until(lambda: up_by(metrics(running)) == SERVICES)
        assert 'method="DescribeIpams"' in metrics(running)


def up_by(exposition: str) -> set[str]:
    """The services that answered."""
    return set(
        re.findall(r'^cadastre_service_up\{service="(\w+)"\} 1\.0$', exposition, re.MULTILINE)
    )


def metrics(running: Installation) -> str:
    status, text = running.get("/metrics", port=running.port + PROMETHEUS_PORT_OFFSET)
    assert status == 200
    return text
