"""Fail points end a process, and do nothing unless they are asked for."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.fail_points import FailPoint, reach
from shared.settings import Settings
from tests.service_process import ServiceProcess

POINT = FailPoint.LEDGER_BEFORE_COMMIT
PROGRAM = """
import sys
from shared import fail_points
fail_points.arm(sys.argv[1])
for number in range(5):
    print(number, flush=True)
    fail_points.reach(fail_points.FailPoint.LEDGER_AFTER_COMMIT)
    fail_points.reach(fail_points.FailPoint.LEDGER_BEFORE_COMMIT)
"""


@pytest.mark.parametrize(
    ("setting", "rounds", "ended_by"),
    [
        ("", 5, 0),
        (f"{POINT}", 1, -signal.SIGKILL),
        (f"{POINT}:3", 3, -signal.SIGKILL),
        (f"{POINT}:6", 5, 0),
    ],
    ids=["unset", "first time", "third time", "never got there"],
)
def test_a_process_dies_where_it_was_told_to(setting: str, rounds: int, ended_by: int) -> None:
    command = [sys.executable, "-c", PROGRAM, setting]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert (len(done.stdout.split()), done.returncode) == (rounds, ended_by)


def test_a_fail_point_does_nothing_unless_it_is_asked_for() -> None:
    for point in FailPoint:
        reach(point)


@pytest.mark.parametrize("setting", ["ledger.nowhere", "ledgerXbefore-commit", f"{POINT}:0", ":1"])
def test_a_service_refuses_to_start_with_an_unknown_fail_point(
    setting: str, tmp_path: Path
) -> None:
    service = ServiceProcess("metrics", Settings(data=tmp_path, port=4500), fail_point=setting)
    with service.running():
        assert service.wait() == 1
    assert f"'{setting}' is no fail point" in service.log
    assert str(POINT) in service.log
