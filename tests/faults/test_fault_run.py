"""A short fault run of each kind; `make faults` is the long one."""

import re
import subprocess
import sys

import pytest

from tests import faults
from tests.faults.history import Breach
from tests.faults.holds import Fate
from tests.faults.run import Options, Report, run
from tests.service_process import REPOSITORY


def assert_all_promises_were_kept(report: Report) -> None:
    shown = [f"seed {report.options.seed}", *map(str, report.violations)]
    assert len(shown) == 1, "\n".join(shown)


@pytest.mark.postgres
async def test_killing_replicas_and_their_database_loses_and_doubles_nothing() -> None:
    # ALLOC-3, BEY-2, BEY-5
    report = await run(Options(seconds=10, kills=5))
    assert_all_promises_were_kept(report)
    assert report.kills == {"replica": 4, "database": 1}
    # BEY-8: holds ended in every way that they can.
    assert {Fate.SETTLED, Fate.RELEASED, Fate.EXPIRED} <= report.fates.keys()


async def test_killing_the_one_process_on_sqlite_loses_and_doubles_nothing() -> None:
    # ALLOC-3, BEY-5
    report = await run(Options(seconds=6, kills=3, database="sqlite", replicas=1))
    assert_all_promises_were_kept(report)
    assert report.kills == {"replica": 3}


@pytest.mark.postgres
def test_a_ledger_without_locks_versions_and_constraints_is_found_out() -> None:
    arguments = ["--seconds", "2", "--kills", "0", "--without", "protection"]
    command = [sys.executable, "-m", faults.__name__, *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    figures = dict(re.findall(r"^(\w+) (\d+)$", done.stdout, re.MULTILINE))
    assert int(figures[Breach.OVERLAPPING]) > 0
    assert int(figures[Breach.STALE]) > 0
    assert done.returncode == 1


@pytest.mark.postgres
async def test_a_database_that_acknowledges_too_early_is_found_out() -> None:
    report = await run(Options(seconds=4, kills=6, without="durability"))
    assert report.count(Breach.LOST) > 0
