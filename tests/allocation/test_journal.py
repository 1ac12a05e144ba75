"""What is copied beside the database, whatever becomes of the process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.allocation.store import journal as journal_module
from services.allocation.store.journal import Entry, Gap, Journal


def entry(sequence: int, content: str = "[]") -> Entry:
    return Entry(sequence, "ipam-pool-1", sequence, "2026-01-01T00:00:00+00:00", content, {"a": 1})


@contextmanager
def owned(folder: Path) -> Iterator[Journal]:
    journal = Journal(folder)
    assert journal.own()
    yield journal
    journal.close()


def write(folder: Path, *sequences: int, after: int = 0) -> None:
    with owned(folder) as journal:
        if journal.last_sequence is None:
            journal.begin(after)
        journal.append([entry(sequence) for sequence in sequences])


def test_entries_are_read_as_they_were_written(tmp_path: Path) -> None:
    write(tmp_path, 11, 12, 15, after=10)
    assert Journal(tmp_path).last_sequence == 15
    assert list(Journal(tmp_path).after(10)) == [entry(11), entry(12), entry(15)]
    assert list(Journal(tmp_path).after(12)) == [entry(15)]
    assert list(Journal(tmp_path).after(15)) == []


def test_an_empty_journal_tells_where_it_begins(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert journal.last_sequence is None
    with pytest.raises(Gap):
        list(journal.after(0))
    with owned(tmp_path) as begun:
        begun.begin(7)
    assert Journal(tmp_path).last_sequence == 7
    assert list(Journal(tmp_path).after(7)) == []


def test_what_came_before_its_beginning_is_a_gap(tmp_path: Path) -> None:
    write(tmp_path, 11, after=10)
    with pytest.raises(Gap):
        list(Journal(tmp_path).after(9))


@pytest.mark.parametrize("left", [1, 20, -1])
def test_a_line_that_a_crash_cut_off_is_written_again(tmp_path: Path, left: int) -> None:
    write(tmp_path, 1, 2)
    [file] = tmp_path.glob("*.jsonl")
    whole = file.read_bytes()
    begin = whole.rindex(b"\n", 0, -1) + 1
    file.write_bytes(whole[: begin + left if left > 0 else len(whole) + left])
    assert Journal(tmp_path).last_sequence == 1
    assert list(Journal(tmp_path).after(0)) == [entry(1)]
    write(tmp_path, 2, 3)
    assert list(Journal(tmp_path).after(0)) == [entry(1), entry(2), entry(3)]


def test_files_are_changed_and_old_ones_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 300)
    monkeypatch.setattr(journal_module, "SEGMENTS_KEPT", 3)
    with owned(tmp_path) as journal:
        journal.begin(0)
        for sequence in range(1, 31):
            journal.append([entry(sequence)])
    assert len(list(tmp_path.glob("*.jsonl"))) == 3
    assert journal.last_sequence == 30
    assert [found.sequence for found in journal.after(27)] == [28, 29, 30]
    with pytest.raises(Gap):
        list(journal.after(0))


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    second = Journal(tmp_path)
    with owned(tmp_path) as first:
        assert first.own()
        assert not second.own()
    assert second.own()
    second.close()
