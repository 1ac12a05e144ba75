"""The export of an RPKI validator, as it changes."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from services.control_plane.registries.roa_file import RoaFile, RoaFileUnreadable
from services.control_plane.verification.roas import RoaTable, RoaValidity
from shared.cidr import Cidr
from shared.errors import StartFailed, Unavailable, kind_of

CIDR = Cidr.parse("198.18.0.0/16")


def exported(asn: int) -> str:
    return json.dumps({"roas": [{"asn": asn, "prefix": str(CIDR), "maxLength": 24}]})


def origin(table: RoaTable) -> list[int]:
    return [asn for asn in (64496, 64497) if table.validity(CIDR, asn) is RoaValidity.VALID]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "roas.json"


def test_a_changed_file_is_read_anew(path: Path) -> None:
    path.write_text(exported(64496))
    file = RoaFile(path)
    assert origin(asyncio.run(file.table())) == [64496]
    path.write_text(exported(64497))
    os.utime(path, ns=(0, 1))
    assert origin(asyncio.run(file.table())) == [64497]


def test_a_replaced_file_is_read_anew_whatever_its_time(path: Path) -> None:
    path.write_text(exported(64496))
    os.utime(path, ns=(0, 1))
    file = RoaFile(path)
    assert origin(asyncio.run(file.table())) == [64496]
    other = path.with_suffix(".new")
    other.write_text(exported(64497))
    os.utime(other, ns=(0, 1))
    other.replace(path)
    assert origin(asyncio.run(file.table())) == [64497]


def test_an_unchanged_file_is_not_read_again(path: Path) -> None:
    path.write_text(exported(64496))
    file = RoaFile(path)
    assert asyncio.run(file.table()) is asyncio.run(file.table())


@pytest.mark.parametrize("content", [None, b"{}", b'{"roas": [', b"\xff"])
def test_an_unreadable_file_is_an_error_and_never_no_roas(
    path: Path, content: bytes | None
) -> None:
    path.write_text(exported(64496))
    file = RoaFile(path)
    asyncio.run(file.table())
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RoaFileUnreadable) as refused:
        asyncio.run(file.table())
    assert isinstance(refused.value, StartFailed)
    assert kind_of(refused.value) is Unavailable
    assert "CADASTRE_RPKI_EXPORT_FILE" in str(refused.value)
    path.write_text(exported(64497))
    assert origin(asyncio.run(file.table())) == [64497]
