"""The console's pages over ten thousand pools: how long the server takes for each.

`python -m tests.bench.console`, or with another number of pools; they are made through the AWS API
first, which takes longest. ``--data`` keeps them for the next time.
"""

import argparse
import configparser
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from tests.acceptance.account import make_pool
from tests.acceptance.installation import Installation, installation
from tests.waiting import wait_until

PROFILE, REGION = "ipam-account", "us-east-1"
QUOTA = "20000"
TOP_LEVEL_POOLS, ROUNDS, MAKERS = 100, 15, 8


def main() -> None:
    """Make what is missing, and time the pages."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.console", description=__doc__)
    parser.add_argument("pools", nargs="?", type=int, default=10_000)
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args()
    with _folder(arguments.data) as data, _running(data) as cadastre:
        ec2 = cadastre.client(PROFILE, REGION, max_pool_connections=MAKERS)
        scope_id = _scope(ec2)
        _make_pools(ec2, scope_id, arguments.pools)
        pool_ids = [pool["IpamPoolId"] for pool in _pools(ec2)]
        with _signed_in(cadastre) as (client, here):
            paths = {
                "dashboard": "/dashboard",
                "pools, as a tree": "/pools",
                "pools, as a table": "/pools?view=table",
                "pools, as a table, filtered": "/pools?view=table&f.description=*77*",
                "pools, as a table, sorted": "/pools?view=table&sort=name",
                "a pool": f"/pools/{pool_ids[0]}",
                "its allocations": f"/pools/{pool_ids[0]}/allocations",
                "the map": "/cidr-map",
                "resources": "/resources",
                "the audit log": "/audit",
            }
            sys.stdout.write(f"{len(pool_ids):,} pools; milliseconds on the server\n")
            for name, path in paths.items():
                _report(name, client, f"{here}{path}")


def _report(name: str, client: httpx.Client, url: str) -> None:
    answers = [client.get(url) for _ in range(ROUNDS)]
    statuses = {answer.status_code for answer in answers}
    times = sorted(float(a.headers["server-timing"].partition("dur=")[2]) for a in answers)
    sys.stdout.write(
        f"  {name:30} first {_first(answers):6.0f}  median {median(times):6.0f}"
        f"  worst {times[-1]:6.0f}  {len(answers[0].content) // 1024:5} KiB  {statuses}\n"
    )


def _first(answers: list[httpx.Response]) -> float:
    return float(answers[0].headers["server-timing"].partition("dur=")[2])


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept:
        yield kept
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "data"


@contextmanager
def _running(data: Path) -> Iterator[Installation]:
    settings = {
        "CADASTRE_QUOTA_POOLS_PER_SCOPE": QUOTA,
        "CADASTRE_LOG_LEVEL": "error",
    }
    with installation(data, **settings) as cadastre:
        yield cadastre


def _scope(ec2: Any) -> str:
    ipams = ec2.describe_ipams()["Ipams"]
    if not ipams:
        ec2.create_ipam(OperatingRegions=[{"RegionName": REGION}])
    wait_until(lambda: ec2.describe_ipams()["Ipams"][0]["State"] == "create-complete")
    [ipam] = ec2.describe_ipams()["Ipams"]
    return str(ipam["PrivateDefaultScopeId"])


def _pools(ec2: Any) -> list[Mapping[str, Any]]:
    pages = ec2.get_paginator("describe_ipam_pools").paginate(PaginationConfig={"PageSize": 1000})
    return [pool for page in pages for pool in page["IpamPools"]]


def _make_pools(ec2: Any, scope_id: str, count: int) -> None:
    """A hundred top-level pools, and the others evenly below them."""
    have = len(_pools(ec2))
    if have >= count:
        return
    tops = [
        make_pool(
            ec2,
            {"Cidr": f"10.{number}.0.0/16"},
            IpamScopeId=scope_id,
            AddressFamily="ipv4",
            Description=f"top {number}",
        )
        for number in range(TOP_LEVEL_POOLS)
    ]

    def make(number: int) -> None:
        name = {"Key": "Name", "Value": f"pool {number:05}"}
        ec2.create_ipam_pool(
            IpamScopeId=scope_id,
            SourceIpamPoolId=tops[number % TOP_LEVEL_POOLS],
            AddressFamily="ipv4",
            Description=f"number {number}",
            TagSpecifications=[{"ResourceType": "ipam-pool", "Tags": [name]}],
        )

    with ThreadPoolExecutor(MAKERS) as makers:
        list(makers.map(make, range(count - TOP_LEVEL_POOLS)))
    wait_until(
        lambda: {pool["State"] for pool in _pools(ec2)} == {"create-complete"}, timeout_seconds=600
    )


@contextmanager
def _signed_in(cadastre: Installation) -> Iterator[tuple[httpx.Client, str]]:
    credentials = configparser.RawConfigParser()
    credentials.read(cadastre.data / "aws" / "credentials")
    key = credentials[PROFILE]
    url = f"http://127.0.0.1:{cadastre.port}"
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        form = {
            "access_key_id": key["aws_access_key_id"],
            "secret": key["aws_secret_access_key"],
            "region": REGION,
        }
        client.post("/console/sign-in", data=form)
        yield client, f"/console/{key['aws_account_id']}/{REGION}"


if __name__ == "__main__":
    os.environ.setdefault("CADASTRE_DISCOVERY_INTERVAL_SECONDS", "60")
    main()
