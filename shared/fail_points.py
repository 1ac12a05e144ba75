"""Places at which a process can be told to die as by kill -9, so that tests find out what is left.

Started with ``CADASTRE_FAIL_POINT=<name>`` or ``<name>:<n>`` it ends when it gets there, the first
time or the n-th. Not asked for, which is always the case in use, a fail point does nothing.
"""

import os
import re
import signal
from enum import StrEnum
from itertools import count

from shared.errors import StartFailed


class FailPoint(StrEnum):
    """All there are; each says what is done by then and what is not."""

    LEDGER_AFTER_TOKENS = "ledger.after-tokens"
    """A batch's allocations and client tokens are written; its pools' versions are not."""
    LEDGER_BEFORE_COMMIT = "ledger.before-commit"
    """All of a batch is written; nothing is committed."""
    LEDGER_AFTER_COMMIT = "ledger.after-commit"
    """A batch is committed; nobody has been told."""
    OUTBOX_BEFORE_REMOTE = "outbox.before-remote"
    """A step is claimed; nothing of it is done."""
    OUTBOX_BEFORE_FINISH = "outbox.before-finish"
    """The remote part of a step is done; the step is still there."""
    OUTBOX_BEFORE_COMMIT = "outbox.before-commit"
    """A step is ended and what it leads to written; nothing is committed."""


class UnknownFailPoint(StartFailed):
    """What is asked for is no fail point, or no n-th time."""

    def __init__(self, setting: str) -> None:
        names = ", ".join(FailPoint)
        super().__init__(f"'{setting}' is no fail point; use one of {names}, or NAME:2 and so on")


class _Armed:
    """The one fail point that is to end this process."""

    def __init__(self, point: FailPoint, nth: int) -> None:
        self._point, self._nth = point, nth
        # One step of C code, so no two threads draw the same number.
        self._numbers = count(1)

    def reach(self, point: FailPoint) -> None:
        if point is self._point and next(self._numbers) == self._nth:
            os.kill(os.getpid(), signal.SIGKILL)


_armed: _Armed | None = None


def arm(setting: str) -> None:
    """Choose where this process dies; empty: nowhere.

    Raises:
        UnknownFailPoint: no process ever gets there.
    """
    global _armed  # noqa: PLW0603 - of a process, like its death
    _armed = _parsed(setting) if setting else None


def reach(point: FailPoint) -> None:
    """Die here, if that was asked for."""
    if _armed is not None:
        _armed.reach(point)


def _parsed(setting: str) -> _Armed:
    match = re.fullmatch(r"(?P<name>[^:]+)(:(?P<nth>[1-9]\d*))?", setting)
    if match is None or match["name"] not in list(FailPoint):
        raise UnknownFailPoint(setting)
    return _Armed(FailPoint(match["name"]), int(match["nth"] or 1))
