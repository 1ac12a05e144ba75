"""Discovery at its design size: `python -m tests.bench.discovery`, or some sections of it.

passes   passes over 100,000 VPCs, 300,000 subnets and 1,000,000 interfaces of 500 accounts and
         regions, in a process of their own: seconds, and how many of a processor by stage
one      the same, all in one account and region
overlap  which of 1,000,000 CIDRs overlap, against comparing samples with all others
history  look-ups among 10,000,000 records, on PostgreSQL
lists    pages and figures of 100,000 resource CIDRs
"""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from shared.rpc.server import settle_memory
from shared.telemetry import configure_logging
from tests.bench.discovery_overlap import CIDRS, report_in_memory, report_with
from tests.bench.discovery_pass import PASSES, STAGES, Job, Passed
from tests.bench.discovery_reads import report_history, report_lists
from tests.bench.discovery_world import PLACES, write_world
from tests.faults.database_server import DatabaseServer, database_server
from tests.service_process import REPOSITORY

SECTIONS = ("passes", "one", "overlap", "history", "lists")
TENTH = 0.1


class Databases:
    """Empty ones of the kinds that are asked for."""

    def __init__(self, folder: Path, server: DatabaseServer | None, *, with_sqlite: bool) -> None:
        self._folder, self._server, self._with_sqlite = folder, server, with_sqlite
        self._numbers = count(1)

    def each(self) -> Iterator[tuple[str, str]]:
        """Name and URL."""
        if self._with_sqlite:
            yield "SQLite", f"sqlite:///{self._folder}/{next(self._numbers)}/bench.db"
        if url := self.postgresql():
            yield "PostgreSQL", url

    def postgresql(self) -> str | None:
        """URL of a new one; None when it is not asked for."""
        if self._server is None:
            return None
        name = f"bench_{next(self._numbers)}"
        self._server.create_database(name)
        return self._server.url_of(name)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.discovery",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sections", nargs="*", metavar="section", help="all, unless some are named")
    parser.add_argument("--scale", type=float, default=1.0, help="of all sizes")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    options = parser.parse_args(arguments)
    if unknown := set(options.sections) - set(SECTIONS):
        parser.error(f"there is no section {', '.join(sorted(unknown))}")
    settle_memory()
    configure_logging("error")
    print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.platform()}, {os.cpu_count()} CPUs,")
    print(f"Python {platform.python_version()}; discovery at {options.scale:g} of its design size")
    with databases(options.database) as found:
        for section in options.sections or SECTIONS:
            print(f"\n{section}")
            report(section, found, options.scale)


@contextmanager
def databases(kind: str) -> Iterator[Databases]:
    with tempfile.TemporaryDirectory() as folder:
        if kind == "sqlite":
            yield Databases(Path(folder), None, with_sqlite=True)
        else:
            with database_server() as server:
                yield Databases(Path(folder), server, with_sqlite=kind == "both")


def report(section: str, found: Databases, scale: float) -> None:
    match section:
        case "passes":
            report_passes(found, scale)
        case "one":
            report_one_place(found, scale)
        case "overlap":
            report_in_memory(int(CIDRS * scale))
            for name, url in found.each():
                report_with(name, url, int(CIDRS * scale))
        case "history":
            if made := found.postgresql():
                asyncio.run(report_history(made, scale))
        case "lists":
            for name, url in found.each():
                print(f" {name}")
                asyncio.run(report_lists(url, scale))


def report_passes(found: Databases, scale: float) -> None:
    """A tenth beside the whole."""
    whole, tenth = places_at(scale), places_at(scale * TENTH)
    with tempfile.TemporaryDirectory() as folder:
        write_world(Path(folder), whole)
        small = {
            name: print_passes(name, Job(database_url=url, folder=folder, places=tenth))
            for name, url in found.each()
        }
        for name, url in found.each():
            big = print_passes(name, Job(database_url=url, folder=folder, places=whole))
            pairs = list(zip(big, small[name], strict=True))
            grown = (one.seconds / other.seconds for one, other in pairs)
            cpu_grown = (one.cpu_total / other.cpu_total for one, other in pairs)
            print(
                f"  {name} at {whole / tenth:g} times the size takes {_listed(grown)} times as"
                f" long, and {_listed(cpu_grown)} times as much of a CPU"
            )


def _listed(ratios: Iterable[float]) -> str:
    return ", ".join(f"{ratio:.1f}" for ratio in ratios)


def report_one_place(found: Databases, scale: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_world(Path(folder), places_at(scale))
        for name, url in found.each():
            job = Job(database_url=url, folder=folder, places=places_at(scale), is_together=True)
            print_passes(name, job)


def places_at(scale: float) -> int:
    return max(1, int(PLACES * scale))


def print_passes(name: str, job: Job) -> list[Passed]:
    """Run them, and print each as it is done."""
    title = f"{name}, {job.places} places" + (" in one" if job.is_together else "")
    print(f"  {title:24}{'s':>8}{'CPU s':>8}" + "".join(f"{stage:>9}" for stage in STAGES), end="")
    print(f"{'peak MB':>9}{'changes':>11}{'records':>11}", flush=True)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.discovery_pass"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        json.dump(asdict(job), process.stdin)
        process.stdin.close()
        passes = [_printed(Passed(**json.loads(line))) for line in process.stdout]
    if len(passes) < len(PASSES):
        raise RuntimeError(f"the passes failed: {job}")
    return passes


def _printed(passed: Passed) -> Passed:
    stages = "".join(f"{passed.cpu_seconds.get(stage, 0.0):9.1f}" for stage in STAGES)
    print(
        f"    {passed.name:22}{passed.seconds:8.1f}{passed.cpu_total:8.1f}{stages}"
        f"{passed.peak_mb:9,.0f}{passed.changes:11,}{passed.records:11,}",
        flush=True,
    )
    return passed


if __name__ == "__main__":
    main()
