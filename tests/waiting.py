"""Waiting for conditions; a test never sleeps and hopes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], *, timeout_seconds: float = 20) -> T:
    """The first true answer of ``condition``; when time is up, an AssertionError with the last."""
    deadline = time.monotonic() + timeout_seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"still {answer!r} after {timeout_seconds} s"
        time.sleep(0.02)
    return answer
