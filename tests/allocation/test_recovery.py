"""A database restored from a backup gives nothing away that was given away after it (BEY-14)."""

import asyncio
import errno
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from services.allocation.store.journal import Entry, Journal
from shared.errors import CadastreError
from shared.settings import Settings
from tests.allocation.backup import back_up, restore
from tests.allocation.test_check_ledger import check
from tests.allocation.test_watch import watching
from tests.allocation.world import IPAM, WEST, World, serving
from tests.waiting import eventually

ASKS = "make check REPAIR=1"


async def before_the_backup(world: World) -> dict[str, Any]:
    top = await world.pool("10.0.0.0/16")
    child = await world.define(source_ipam_pool_id=top, locale=WEST)
    await world.provision(child, cidr="10.0.0.0/24")
    gone = await world.pool("11.0.0.0/24")
    kept = [await world.allocate(top, netmask_length=24) for _ in range(3)]
    return {"top": top, "child": child, "gone": gone, "kept": kept}


async def after_the_backup(world: World, made: dict[str, Any]) -> None:
    """Everything that can be done to a pool."""
    top, child = made["top"], made["child"]
    await world.release(top, made["kept"][0])
    await world.place(top, cool_down_seconds=3600, add_excluded_cidrs=["10.0.255.0/24"])
    await world.allocate(top, cidr="10.0.4.0/24", description='it\'s "quoted" ü')
    await world.release(top, made["kept"][1])
    await world.hold(top, cidr="10.0.5.0/24", ttl_seconds=3600)
    await world.provision(child, cidr="10.0.6.0/24")
    await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=child, cidr="10.0.0.0/24")
    await world.allocate_to_vpc(child, "t", cidr="10.0.6.0/28")
    await world.import_one(child, "10.0.6.64/26")
    made["new"] = await world.pool("12.0.0.0/24")
    await world.release(made["new"], await world.allocate(made["new"], netmask_length=28))
    await world.allocate(made["new"], netmask_length=28)
    await world.control_plane("RetireIpamPool", ipam_pool_id=made["gone"], cascade=True)


async def everything(world: World, made: dict[str, Any]) -> list[Any]:
    """What callers see of the pools."""
    seen: list[Any] = []
    for name in ("top", "child", "new"):
        pool = made[name]
        seen += [
            await world.cidrs(pool),
            await world.allocations(pool),
            await world.unavailable(pool),
            await world.usage(pool),
            (await world.owner("GetIpamPoolPlacement", ipam_pool_id=pool)).ipam_pool_placement,
        ]
    for rpc in ("ListPools", "ListAllocations"):
        seen.append(await world.discovery(rpc, ipam_id=IPAM))
    return seen


async def fed(world: World, last: str) -> list[tuple[int, Any]]:
    """The feed from its beginning to the retirement of a pool."""
    async with watching(world.control_plane) as watch:
        await watch.until(lambda seen: ("retired", "", last) in seen.told)
        return [(response.sequence, response.changes) for response in watch.responses]


def journal_in(settings: Settings) -> Journal:
    [folder] = (settings.data / "allocation" / "journal").iterdir()
    return Journal(folder)


def journal_files(settings: Settings) -> list[Path]:
    return sorted((settings.data / "allocation" / "journal").glob("*/*.jsonl"))


async def refused(call: Any) -> CadastreError:
    with pytest.raises(CadastreError) as refusal:
        await call
    return refusal.value


async def test_what_was_done_after_the_backup_is_redone(settings: Settings) -> None:  # BEY-14
    async with serving(settings) as world:
        made = await before_the_backup(world)
    backup = back_up(settings)
    async with serving(settings) as world:
        await after_the_backup(world, made)
        before, told = await everything(world, made), await fed(world, made["gone"])
    restore(settings, backup)
    async with serving(settings) as world:
        for call in (
            world.allocate(made["top"], netmask_length=24),
            world.hold(made["top"], netmask_length=24),
            world.provision(made["child"], netmask_length=24),
            world.allocate_to_vpc(made["child"], "u", netmask_length=28),
            world.release(made["top"], made["kept"][2]),
        ):
            refusal = await refused(call)
            assert refusal.reason == "ServiceUnavailable"
            assert ASKS in refusal.message
        assert len(await world.allocations(made["top"])) == 4
        report = await check(world)
        assert report.of("lost-changes").repair
    async with serving(settings) as world:
        repaired = (await check(world, repair=True)).of("lost-changes")
        assert repaired.is_repaired
        assert await everything(world, made) == before
        assert await fed(world, made["gone"]) == told
        assert (await check(world)).findings == []
        new = await world.allocate(made["top"], netmask_length=24)
        assert new.cidr == "10.0.1.0/24"
    async with serving(settings) as world:
        assert (await check(world)).findings == []
        await world.allocate(made["top"], netmask_length=24)


async def test_what_the_journal_lacks_is_given_up_only_when_told(settings: Settings) -> None:
    """BEY-14"""
    async with serving(settings) as world:
        pool = await world.pool("10.0.0.0/16")
    backup = back_up(settings)
    async with serving(settings) as world:
        await world.allocate(pool, netmask_length=24)
    journal = journal_in(settings)
    last = journal.last_sequence
    assert last is not None
    for file in journal_files(settings):
        file.unlink()
    assert journal.own()
    journal.begin(last)
    journal.close()
    restore(settings, backup)
    async with serving(settings) as world:
        report = await check(world, repair=True)
        assert not report.of("lost-changes").is_repaired
        assert "does not go back" in report.of("lost-changes").message
        assert ASKS in (await refused(world.allocate(pool, netmask_length=24))).message
        given_up = await check(world, repair=True, accept_loss=True)
        assert given_up.of("lost-changes").is_repaired
        assert (await world.allocate(pool, netmask_length=24)).cidr == "10.0.0.0/24"
        assert (await check(world)).findings == []
        async with watching(world.owner, after=last) as watch:
            await watch.until(lambda seen: bool(seen.told))
        assert [told[1] for told in watch.told] == ["10.0.0.0/24"]


async def test_another_database_is_no_restored_one(
    settings: Settings, tmp_path: Path
) -> None:  # BEY-14
    async with serving(settings) as world:
        await world.pool("10.0.0.0/16")
    other = settings.model_copy(update={"database_url": f"sqlite:///{tmp_path}/other.db"})
    async with serving(other) as world:
        pool = await world.pool("10.0.0.0/16")
        await world.allocate(pool, netmask_length=24)


async def test_all_that_is_done_is_copied_when_the_service_stops(settings: Settings) -> None:
    async with serving(settings) as world:
        pool = await world.pool("10.0.0.0/16")
        await asyncio.gather(*(world.allocate(pool, netmask_length=24) for _ in range(20)))
    last = max(row["sequence"] for row in back_up(settings)["ipam_ledger_changes"])
    assert journal_in(settings).last_sequence == last


async def test_a_disk_that_is_full_for_a_while_stops_nobody(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:  # BEY-14
    append = Journal.append
    failures: list[Sequence[Entry]] = []

    def failing(journal: Journal, entries: Sequence[Entry]) -> None:
        if len(failures) < 2:
            failures.append(entries)
            raise OSError(errno.ENOSPC, "No space left on device")
        append(journal, entries)

    monkeypatch.setattr(Journal, "append", failing)
    async with serving(settings) as world:
        pool = await world.pool("10.0.0.0/16")
        await world.allocate(pool, netmask_length=24)

        async def is_copied_after_all() -> bool:
            return len(failures) == 2

        await eventually(is_copied_after_all)
        await world.allocate(pool, netmask_length=24)
    copied = [entry.sequence for entry in journal_in(settings).after(0)]
    there = [row["sequence"] for row in back_up(settings)["ipam_ledger_changes"]]
    assert copied == sorted(there)
