"""Prometheus's own tool, where it is installed."""

import shutil
import subprocess

import pytest


def promtool(*arguments: str) -> None:
    """Run it; the test fails with what it says, or is skipped where it is not."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
