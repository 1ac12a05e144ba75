"""The repository's directory: what validators are offered (RFC 6481, RFC 8182)."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from xml.etree.ElementTree import fromstring

import pytest
import structlog

from services.control_plane import rpki_repository
from services.control_plane.rpki_repository import Offered, RepositoryMirror, write_repository
from services.control_plane.service.routing_policy_rows import Repository
from tests.waiting import eventually

SESSION = UUID("6f3b1a1e-8f0c-4c55-9f70-0a3d5b7f1f11")
URI = "rsync://rpki.example.net/repository/"
POINT = f"{URI}ipam-internet-registry-assoc-0123456789abcdef0/all/"
RRDP = "{http://www.ripe.net/rpki/rrdp}"


@pytest.fixture
def offered(tmp_path: Path) -> Offered:
    return Offered(tmp_path / "rpki", URI, "https://rpki.example.net/rrdp/notification.xml")


def published(serial: int, **files: str) -> Repository:
    """``a_roa="x"`` is the file ``a.roa`` with that content."""
    objects = {POINT + name.replace("_", "."): text.encode() for name, text in files.items()}
    return Repository(SESSION, serial, objects)


def found(offered: Offered) -> dict[str, str]:
    """What is in the directory, but for RRDP's files and what is hidden."""
    return {
        str(path.relative_to(offered.directory)): path.read_text()
        for path in offered.directory.rglob("*")
        if path.is_file() and not path.name.startswith(".") and "rrdp" not in path.parts
    }


def notified(offered: Offered) -> tuple[int, str]:
    """Serial number and snapshot that a validator is told of."""
    root = fromstring((offered.directory / "rrdp" / "notification.xml").read_text())
    [snapshot] = root.findall(f"{RRDP}snapshot")
    return int(root.attrib["serial"]), snapshot.attrib["uri"]


def test_files_are_where_their_uris_say_and_go_with_what_is_published(offered: Offered) -> None:
    write_repository(offered, published(1, a_roa="1", b_roa="2", x_mft="3", x_crl="4"))
    place = "ipam-internet-registry-assoc-0123456789abcdef0/all"
    assert found(offered) == {
        f"{place}/a.roa": "1",
        f"{place}/b.roa": "2",
        f"{place}/x.mft": "3",
        f"{place}/x.crl": "4",
    }
    write_repository(offered, published(2, b_roa="5", x_mft="6", x_crl="7"))
    assert found(offered) == {f"{place}/b.roa": "5", f"{place}/x.mft": "6", f"{place}/x.crl": "7"}
    write_repository(offered, published(3))
    assert found(offered) == {}
    assert not (offered.directory / place).exists()


def test_what_somebody_else_put_there_stays(offered: Offered) -> None:
    offered.directory.mkdir()
    (offered.directory / "index.html").write_text("hello")
    write_repository(offered, published(1, a_roa="1"))
    write_repository(offered, published(2))
    assert found(offered) == {"index.html": "hello"}


def test_a_crash_leaves_nothing_that_is_not_removed_later(
    offered: Offered, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_repository(offered, published(1, a_roa="1", x_mft="1"))
    with monkeypatch.context() as patched:
        patched.setattr(rpki_repository, "_remove", _crash)
        with pytest.raises(KeyboardInterrupt):
            write_repository(offered, published(2, b_roa="2", x_mft="2"))
    assert len(found(offered)) == 3
    write_repository(offered, published(3, x_mft="3"))
    assert list(found(offered).values()) == ["3"]


def test_objects_come_before_the_manifest_that_names_them_and_go_after_it(
    offered: Offered, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_repository(offered, published(1, a_roa="1", x_mft="1", x_crl="1"))
    done: list[str] = []
    write, unlink = Path.replace, Path.unlink

    def noted_write(path: Path, target: Path) -> Path:
        done.append(f"write {target.name}")
        return write(path, target)

    def noted_unlink(path: Path, missing_ok: bool = False) -> None:
        done.append(f"remove {path.name}")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "replace", noted_write)
    monkeypatch.setattr(Path, "unlink", noted_unlink)
    write_repository(offered, published(2, x_mft="2", x_crl="2", z_roa="2"))
    order = [step for step in done if step.endswith((".roa", ".mft", ".crl"))]
    assert order == ["write z.roa", "write x.mft", "write x.crl", "remove a.roa"]


def test_validators_are_told_of_snapshots_by_serial_number(offered: Offered) -> None:
    write_repository(offered, published(7, a_roa="1"))
    serial, uri = notified(offered)
    assert (serial, uri) == (7, f"https://rpki.example.net/rrdp/{SESSION}/7/snapshot.xml")
    former = offered.directory / "rrdp" / str(SESSION) / "7" / "snapshot.xml"
    [told] = fromstring(former.read_text()).findall(f"{RRDP}publish")
    assert told.attrib["uri"] == f"{POINT}a.roa"

    write_repository(offered, published(8))
    assert notified(offered)[0] == 8
    assert former.exists()
    an_hour_ago = time.time() - 3601
    os.utime(former, (an_hour_ago, an_hour_ago))
    write_repository(offered, published(9))
    assert not former.parent.exists()


def test_without_a_notification_uri_there_is_no_rrdp(tmp_path: Path) -> None:
    offered = Offered(tmp_path, URI, None)
    write_repository(offered, published(1, a_roa="1"))
    assert not (tmp_path / "rrdp").exists()
    assert len(found(offered)) == 1


@pytest.mark.parametrize("uri", ["rsync://elsewhere.example.net/m/a.roa", f"{URI}../a.roa"])
def test_what_is_not_below_the_repository_is_not_written(offered: Offered, uri: str) -> None:
    write_repository(offered, Repository(SESSION, 1, {uri: b"1"}))
    assert found(offered) == {}


class _Reader:
    """Tells what is published, and lets others have their turn before it does."""

    def __init__(self, found: Repository) -> None:
        self.found, self.reads = found, 0
        self.may_go_on = asyncio.Event()

    async def read(self, question: Callable[[Any], Any]) -> Any:
        answer = question(SimpleNamespace(routing_policies=self))
        if isinstance(answer, Repository):
            self.reads += 1
            await self.may_go_on.wait()
        return answer

    def serial(self) -> int:
        return self.found.serial

    def repository(self) -> Repository:
        return self.found


async def test_of_two_who_write_to_one_directory_the_later_one_reads_later(
    offered: Offered,
) -> None:
    """Or who read less might write after who read more."""
    early, late = _Reader(published(1, a_roa="1")), _Reader(published(2, b_roa="2"))
    late.may_go_on.set()
    log = structlog.get_logger()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(RepositoryMirror(early, offered, log).look())
        await eventually(_has_read(early))
        waiting = tasks.create_task(RepositoryMirror(late, offered, log).look())
        for _ in range(100):
            await asyncio.sleep(0)
        assert (late.reads, waiting.done()) == (0, False)
        early.may_go_on.set()
    assert list(found(offered).values()) == ["2"]


async def test_what_is_written_is_not_read_again_until_something_else_is_published(
    offered: Offered,
) -> None:
    reader = _Reader(published(1, a_roa="1"))
    reader.may_go_on.set()
    mirror = RepositoryMirror(reader, offered, structlog.get_logger())
    await mirror.look()
    await mirror.look()
    assert reader.reads == 1
    reader.found = published(2, b_roa="2")
    await mirror.look()
    assert list(found(offered).values()) == ["2"]


async def test_nothing_is_written_before_something_is_published(offered: Offered) -> None:
    await RepositoryMirror(_Reader(published(0)), offered, structlog.get_logger()).look()
    assert not offered.directory.exists()


def _has_read(reader: _Reader) -> Callable[[], Awaitable[bool]]:
    async def has_it() -> bool:
        return reader.reads > 0

    return has_it


def _crash(*_: object) -> None:
    raise KeyboardInterrupt
