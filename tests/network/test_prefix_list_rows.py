"""Versions of prefix lists in both databases."""

from dataclasses import replace

from services.network.prefix_list import VERSIONS_KEPT
from services.network.service.rows import Rows
from services.network.store.store import SqlStore
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from tests.network.test_prefix_list import LIST, entries


async def test_the_oldest_versions_make_room_for_new_ones(database_url: str) -> None:
    def use_case(rows: Rows) -> None:
        rows.prefix_lists.add(LIST, entries("10.0.0.0/8"))
        for version in (2, VERSIONS_KEPT, VERSIONS_KEPT + 1):
            rows.prefix_lists.add_version(replace(LIST, version=version), entries("10.1.0.0/16"))

    def kept(rows: Rows) -> list[int]:
        versions = (1, 2, VERSIONS_KEPT, VERSIONS_KEPT + 1)
        return [
            version
            for version in versions
            if rows.prefix_lists.entries(LIST.prefix_list_id, version) is not None
        ]

    database = Database(database_url)
    try:
        await database.run(upgrade, database, "services.network")
        store = SqlStore(database, on_change=lambda _: None)
        await store.write(use_case)
        assert await store.read(kept) == [2, VERSIONS_KEPT, VERSIONS_KEPT + 1]
    finally:
        database.close()
