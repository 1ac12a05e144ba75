import re
from pathlib import Path

import pytest

LOCKS = Path(__file__).parents[2] / ".requirements"
PINNED = re.compile(
    r"[a-z0-9][a-z0-9.-]*(\[[a-z0-9,-]+\])?==\S+( ; .+)?( --hash=sha256:[0-9a-f]{64})+"
)


def requirements(lock: str) -> list[str]:
    """One line per locked package, its hashes on the same line."""
    text = (LOCKS / lock).read_text().replace("\\\n", " ")
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.mark.parametrize("lock", ["runtime.txt", "dev.txt"])
def test_a_lock_holds_nothing_but_exact_versions_with_hashes(lock: str) -> None:
    # That leaves no room for an option, an index or a host.
    assert [line for line in requirements(lock) if not PINNED.fullmatch(line)] == []


def test_what_runs_is_what_was_tested() -> None:
    assert set(requirements("runtime.txt")) <= set(requirements("dev.txt"))
