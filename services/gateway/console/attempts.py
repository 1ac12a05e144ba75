"""A limit of wrong guesses, so that a password can't be found by trying."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

from shared.errors import Denied

_MOST_WRONG = 10
_WINDOW = timedelta(minutes=5)
_MOST_NAMES = 10_000


class TooManyAttempts(Denied):
    """A key was guessed at too often."""

    reason = "TooManyAttempts"

    def __init__(self, access_key_id: str, until: datetime) -> None:
        super().__init__(
            f"There were {_MOST_WRONG} wrong sign-ins with this access key ID; try again after"
            f" {until:%H:%M:%S} UTC",
            access_key_id=access_key_id,
        )


class Attempts:
    """Counts the wrong sign-ins of each access key, in this process."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[datetime, int]] = OrderedDict()
        """When the first of the window was, and how many there are."""

    def check(self, access_key_id: str) -> None:
        """Raises:
        TooManyAttempts: it was guessed at too often, just now.
        """
        since, wrong = self._wrong.get(access_key_id, (self._clock(), 0))
        if wrong >= _MOST_WRONG and self._clock() < since + _WINDOW:
            raise TooManyAttempts(access_key_id, since + _WINDOW)

    def failed(self, access_key_id: str) -> None:
        """Count a wrong one."""
        now = self._clock()
        since, wrong = self._wrong.pop(access_key_id, (now, 0))
        if now >= since + _WINDOW:
            since, wrong = now, 0
        self._wrong[access_key_id] = (since, wrong + 1)
        if len(self._wrong) > _MOST_NAMES:
            # Not what is guessed at most, so that made-up names win nobody another try.
            del self._wrong[min(self._wrong, key=lambda one: self._wrong[one][1])]

    def succeeded(self, access_key_id: str) -> None:
        """Whoever is let in has made no mistake."""
        self._wrong.pop(access_key_id, None)
