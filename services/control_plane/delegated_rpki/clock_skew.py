"""How far clocks may differ."""

from datetime import timedelta

CLOCK_SKEW = timedelta(minutes=5)
"""What is signed now counts as of this long ago, so that those whose clocks are slow take it."""
