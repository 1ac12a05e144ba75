import subprocess
import sys
from pathlib import Path

import pytest

from shared.persistence.database import Database, DatabaseInUse

ROOT = Path(__file__).parents[3]
HOLD = """
import sys
from shared.persistence.database import Database
database = Database(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "cadastre.db"


def holder(path: Path) -> subprocess.Popen[str]:
    """Another process that wants the file, and keeps it until its standard input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, f"sqlite:///{path}"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_second_process_is_told_what_to_do(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    _, error = holder(path).communicate()
    assert "DatabaseInUse" in error
    assert str(path) in error
    assert "use PostgreSQL to run several replicas" in error
    database.close()


def test_a_second_database_in_this_process_is_refused(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    with pytest.raises(DatabaseInUse):
        Database(f"sqlite:///{path}")
    database.close()


def test_a_process_that_is_killed_leaves_the_file_free(path: Path) -> None:
    with holder(path) as process:
        assert process.stdout
        assert process.stdout.readline() == "open\n"
        with pytest.raises(DatabaseInUse):
            Database(f"sqlite:///{path}")
        process.kill()
    Database(f"sqlite:///{path}").close()


def test_a_closed_database_can_be_opened_again(path: Path) -> None:
    for _ in range(2):
        Database(f"sqlite:///{path}").close()


def test_commits_reach_the_disk_in_either_kind_of_transaction(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    for block in (database.read, database.write):
        with block() as connection:
            pragmas = [
                connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()
                for pragma in ("journal_mode", "synchronous", "foreign_keys")
            ]
        assert pragmas == ["wal", 2, 1]
    database.close()
