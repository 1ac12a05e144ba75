"""`make check`: auditing a running installation (BEY-10)."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.installation import REPOSITORY, Installation, free_base_port, installation
from tests.acceptance.test_tutorial import create_pool
from tests.waiting import wait_until

pytestmark = pytest.mark.acceptance

# And not the ledger's own pools.
OF_ACCOUNTS = "WHERE owner_id <> 'amazon'"


@pytest.fixture
def running(data: Path) -> Iterator[Installation]:
    with installation(data) as found:
        yield found


def check(data: Path, port: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What `make check` runs."""
    return subprocess.run(
        [sys.executable, "-m", "services.local.check", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "CADASTRE_DATA": str(data), "CADASTRE_PORT": str(port)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def findings(running: Installation, *arguments: str) -> tuple[int, dict[str, Any], dict[str, int]]:
    """The exit code, the findings by kind, and the summary."""
    done = check(running.data, running.port, "--json", *arguments)
    assert done.stderr == ""
    *found, end = map(json.loads, done.stdout.splitlines())
    return done.returncode, {finding["kind"]: finding for finding in found}, end["summary"]


def harm(running: Installation, context: str, statement: str) -> None:
    with closing(sqlite3.connect(running.data / f"{context}.db", timeout=30)) as connection:
        assert connection.execute(statement).rowcount > 0
        connection.commit()


def test_a_running_installation_is_audited(running: Installation) -> None:
    home, west = running.client(), running.client(region="us-west-2")
    ipam = home.create_ipam(OperatingRegions=[{"RegionName": "us-west-2"}])["Ipam"]
    scope = ipam["PrivateDefaultScopeId"]
    top = create_pool(home, IpamScopeId=scope)
    home.provision_ipam_pool_cidr(IpamPoolId=top, Cidr="10.0.0.0/8")
    pool = create_pool(home, IpamScopeId=scope, SourceIpamPoolId=top, Locale="us-west-2")
    home.provision_ipam_pool_cidr(IpamPoolId=pool, Cidr="10.0.0.0/16")
    vpcs = [
        west.create_vpc(Ipv4IpamPoolId=pool, Ipv4NetmaskLength=24)["Vpc"]["VpcId"] for _ in range(3)
    ]
    home.modify_ipam(IpamId=ipam["IpamId"], Description="new")
    west.delete_vpc(VpcId=vpcs.pop())
    # Besides there are the ledger's own pools, and Amazon's ranges in two of them.
    clean = {"cidrs_checked": 2 + 2, "findings": 0, "repaired": 0}

    def is_clean() -> bool:
        code, found, summary = findings(running)
        assert (code, found) == (0, {})
        assert summary["pools_checked"] == 2 + 4
        return clean.items() <= summary.items() and summary["allocations_checked"] == 3

    wait_until(is_clean)
    assert check(running.data, running.port).stdout.startswith("6 pools, 4 CIDRs, 3 allocations")

    # It would release by itself what the harm below leaves unused.
    os.kill(running.pid_of("discovery"), signal.SIGSTOP)
    try:
        finds_what_is_harmed(running, pool, vpcs)
    finally:
        os.kill(running.pid_of("discovery"), signal.SIGCONT)


def finds_what_is_harmed(running: Installation, pool: str, vpcs: Sequence[str]) -> None:
    harm(running, "allocation", f"UPDATE ipam_pools SET allocation_count = 77 {OF_ACCOUNTS}")
    harm(running, "control_plane", f"UPDATE ipam_pools SET definition_version = 9 {of(pool)}")
    harm(running, "network", f"UPDATE cidr_associations SET cidr = '1.0.0.0/24' {at(vpcs[0])}")
    harm(running, "network", f"DELETE FROM cidr_associations {at(vpcs[1])}")
    code, found, summary = findings(running)
    assert code == 1
    assert found.keys() == {
        "wrong-usage",
        "other-definition",
        "association-of-another-cidr",
        "allocation-without-association",
    }
    assert (summary["findings"], summary["repaired"]) == (5, 0)
    assert found["other-definition"]["ipam_pool_id"] == pool
    assert found["association-of-another-cidr"]["cidrs"] == ["1.0.0.0/24", "10.0.0.0/24"]

    code, found, summary = findings(running, "--repair")
    assert (code, found["wrong-usage"]["is_repaired"], summary["repaired"]) == (1, True, 2)
    told = check(running.data, running.port)
    assert told.returncode == 1
    assert "network: allocation-without-association: " in told.stdout
    assert "wrong-usage" not in told.stdout


def test_a_repair_of_all_there_is_is_a_success(running: Installation) -> None:
    scope = running.client().create_ipam()["Ipam"]["PrivateDefaultScopeId"]
    create_pool(running.client(), IpamScopeId=scope)
    harm(running, "allocation", f"UPDATE ipam_pools SET cidr_count = 77 {OF_ACCOUNTS}")
    assert check(running.data, running.port).returncode == 1
    done = check(running.data, running.port, "--repair")
    assert (done.returncode, done.stdout.count("[repaired: ")) == (0, 1)
    assert check(running.data, running.port).returncode == 0


def test_what_can_not_be_checked_is_told(data: Path, running: Installation) -> None:
    nobody = check(data, free_base_port())
    unknown = check(data / "elsewhere", running.port)
    for done in (nobody, unknown):
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("The check could not be made: ")
    assert "signing key" in unknown.stderr


def of(pool: str) -> str:
    return f"WHERE ipam_pool_id = '{pool}'"


def at(vpc: str) -> str:
    return f"WHERE resource_id = '{vpc}'"
