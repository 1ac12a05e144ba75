"""The benchmark of discovery still runs, at a size at which its figures mean nothing."""

import subprocess
import sys

from tests.service_process import REPOSITORY


def test_the_benchmark_runs_on_sqlite() -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.bench.discovery", "passes", "overlap", "lists"),
            *("--scale", "0.0002", "--database", "sqlite"),
        ],
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
        text=True,
        check=True,
    )
    for line in ("first pass", "no change", "CIDRs in memory", "with SQLite", "GetCidrMap"):
        assert line in done.stdout
