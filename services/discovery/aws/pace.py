"""How fast an account may be asked."""

from threading import Lock


class TokenBucket:
    """Permits that come back at a steady rate, up to one second's worth, but at least one.

    Permits are given in the order of asking, ahead of time: who gets one waits until it is due.
    """

    def __init__(self, per_second: float) -> None:
        self._per_second, self._most = per_second, max(per_second, 1.0)
        self._left, self._at = self._most, float("-inf")
        self._lock = Lock()

    def take(self, now: float) -> float:
        """Take a permit; the seconds from ``now``, of a monotonic clock, until it is due."""
        with self._lock:
            if now > self._at:
                self._left = min(self._most, self._left + (now - self._at) * self._per_second)
                self._at = now
            self._left -= 1
            return max(0.0, -self._left / self._per_second)
