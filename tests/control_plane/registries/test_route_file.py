"""What a collector tells of the internet's routes, as its file changes."""

import asyncio
import bz2
import gzip
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.control_plane.registries.route_file import RouteFile, RouteFileUnreadable
from services.control_plane.routes.route_table import RouteTable
from shared.cidr import Cidr
from shared.errors import StartFailed, Unavailable, kind_of
from tests.control_plane.routes.feeds import SEQUENCE, Told, peer_index_table, rib, ris_line

CIDR = Cidr.parse("198.18.0.0/16")
TABLE_DUMP = peer_index_table() + rib(CIDR, [Told([(SEQUENCE, [64496])], since=77)])


def dump(*asns: int) -> bytes:
    return b"% RIPE RIS\n" + b"".join(ris_line([asn], CIDR) for asn in asns)


def origins(table: RouteTable) -> list[tuple[int, datetime]]:
    return [(route.asn, route.detected_at) for route in table.overlapping(CIDR)]


def replace(path: Path, content: bytes | None, at: int | None = None) -> None:
    """Have another file in its place, of that time; None: none."""
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_bytes(content)
        if at is not None:
            os.utime(path, (at, at))


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "routes"


@pytest.mark.parametrize(
    "compress", [bytes, gzip.compress, bz2.compress], ids=["plain", "gzip", "bzip2"]
)
@pytest.mark.parametrize(
    ("content", "seen_at"), [(dump(64496), 5), (TABLE_DUMP, 77)], ids=["RIS", "MRT"]
)
def test_each_form_is_told_by_how_it_begins(
    path: Path, content: bytes, seen_at: int, compress: Callable[[bytes], bytes]
) -> None:
    replace(path, compress(content), 5)
    assert origins(asyncio.run(RouteFile(path).table())) == [(64496, at(seen_at))]


def test_a_changed_file_is_read_anew_and_an_unchanged_one_is_not(path: Path) -> None:
    replace(path, dump(64496), 5)
    file = RouteFile(path)

    async def twice() -> None:
        assert await file.table() is await file.table()
        replace(path, dump(64497), 6)
        assert origins(await file.table()) == [(64497, at(6))]

    asyncio.run(twice())


async def test_while_a_renewed_file_is_read_the_former_one_counts(path: Path) -> None:
    replace(path, dump(64496))
    file = RouteFile(path, patience_seconds=0)
    assert [asn for asn, _ in origins(await file.table())] == [64496]
    replace(path, dump(64497), 6)
    assert [asn for asn, _ in origins(await file.table())] == [64496]
    while [asn for asn, _ in origins(await file.table())] != [64497]:  # noqa: ASYNC110 - reading goes on
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"% no routes\n",
        peer_index_table(),
        b"\x1f\x8b\x08",
        gzip.compress(dump(64496))[:-9],
        bz2.compress(dump(64496))[:-9],
        gzip.compress(b"\xff\xfe"),
        TABLE_DUMP[:-1],
    ],
    ids=range(9),
)
async def test_an_unreadable_file_is_an_error_and_never_no_routes(
    path: Path, content: bytes | None
) -> None:
    replace(path, dump(64496))
    file = RouteFile(path)
    await file.table()
    replace(path, content)
    with pytest.raises(RouteFileUnreadable) as refused:
        await file.table()
    assert isinstance(refused.value, StartFailed)
    assert kind_of(refused.value) is Unavailable
    assert "CADASTRE_ROUTE_FEED_FILE" in str(refused.value)
    replace(path, dump(64497))
    assert [asn for asn, _ in origins(await file.table())] == [64497]
