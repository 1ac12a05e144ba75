"""A short fault run of each kind; `make faults` is the long one."""

from collections import Counter

import pytest

from tests.faults.history import Breach, Made
from tests.faults.run import Options, Report, run

pytestmark = pytest.mark.timeout(300)


def breaches(report: Report) -> Counter[Breach]:
    return Counter(violation.kind for violation in report.violations)


def acknowledged(report: Report) -> int:
    return sum(isinstance(call.outcome, Made) for call in report.calls)


@pytest.mark.postgres
async def test_killing_replicas_and_their_database_loses_and_doubles_nothing() -> None:
    # ALLOC-3, BEY-2, BEY-5
    report = await run(Options(seconds=10, kills=5))
    assert list(map(str, report.violations)) == []
    assert report.kills == {"replica": 4, "database": 1}
    assert acknowledged(report) > 100


async def test_killing_the_one_process_on_sqlite_loses_and_doubles_nothing() -> None:
    # ALLOC-3, BEY-5
    report = await run(Options(seconds=6, kills=3, database="sqlite", replicas=1))
    assert list(map(str, report.violations)) == []
    assert report.kills == {"replica": 3}
    assert acknowledged(report) > 100


@pytest.mark.postgres
async def test_a_ledger_without_its_protection_is_found_out() -> None:
    report = await run(Options(seconds=2, kills=0, is_unguarded=True))
    found = breaches(report)
    assert found[Breach.OVERLAPPING] > 0
    assert found[Breach.STALE] > 0
