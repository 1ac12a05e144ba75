"""What the database refuses by itself, should the ledger ever be wrong."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st

from services.allocation import tables
from services.allocation.allocation import Allocation, ResourceType
from services.allocation.changes import Decision, Held
from services.allocation.definition import PoolDefinition, ScopeType
from services.allocation.service.allocating import Reservation
from services.allocation.service.ledger import Ledger
from services.allocation.store.bulk import BulkInsert
from services.allocation.store.reader import SqlReader
from services.allocation.store.records import allocation_to_row, keys_of
from services.allocation.store.writer import SqlWriter
from services.allocation.wanted_block import WantedBlock
from shared.caller import Caller
from shared.cidr import AddressFamily, Cidr
from shared.ids import IPAM_POOL_ALLOCATION, IPAM_POOL_CIDR
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.rpc.server import background
from tests.postgres import DIALECTS

OWNER = Caller("123456789012", "us-east-1", "tester")
POOLS = {
    f"ipam-pool-{number:017x}": cidr for number, cidr in ((1, "10.0.0.0/8"), (2, "11.0.0.0/8"))
}
POOL = next(iter(POOLS))
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    upgrade(database, "services.allocation")
    yield database
    database.close()


@pytest.fixture
def pools(database: Database) -> dict[str, int]:
    """Numbers of two pools, each with its CIDR."""
    asyncio.run(with_ledger(database, define_pools))
    with database.read() as connection:
        rows = connection.execute(sa.select(tables.pools.c.ipam_pool_id, tables.pools.c.number))
        return {row.ipam_pool_id: row.number for row in rows}


async def define_pools(ledger: Ledger) -> None:
    for pool_id, cidr in POOLS.items():
        await ledger.define(definition(pool_id))
        await ledger.provision(
            OWNER, pool_id, WantedBlock(Cidr.parse(cidr)), once=None, dry_run=False
        )


def test_the_migrations_make_the_tables(database: Database) -> None:
    with database.write() as connection:
        context = MigrationContext.configure(connection)
        # Neither dialect's reflection knows what guards do, so it can't tell them apart.
        found = [
            change
            for change in compare_metadata(context, tables.metadata)
            if "never_overlap" not in str(change)
        ]
    assert found == []


@pytest.mark.parametrize(
    ("cidr", "is_refused"),
    [
        pytest.param("10.0.4.0/24", True, id="the same"),
        pytest.param("10.0.4.0/25", True, id="its beginning"),
        pytest.param("10.0.4.128/25", True, id="its end"),
        pytest.param("10.0.4.7/32", True, id="inside"),
        pytest.param("10.0.4.0/22", True, id="around, same beginning"),
        pytest.param("10.0.0.0/16", True, id="around"),
        pytest.param("10.0.3.0/24", False, id="before"),
        pytest.param("10.0.5.0/24", False, id="after"),
        pytest.param("::a00:400/120", False, id="same digits in IPv6"),
    ],
)
def test_the_database_refuses_overlapping_allocations(
    database: Database, pools: dict[str, int], cidr: str, *, is_refused: bool
) -> None:  # ALLOC-3
    first, second = pools.values()
    insert_allocation(database, first, "10.0.4.0/24")
    insert_allocation(database, first, "10.0.6.0/24")
    insert_allocation(database, second, cidr)
    if is_refused:
        with pytest.raises(sa.exc.IntegrityError):
            insert_allocation(database, first, cidr)
    else:
        insert_allocation(database, first, cidr)


@st.composite
def two_blocks(draw: st.DrawFn) -> tuple[Cidr, Cidr]:
    """Of one family, often one inside the other or side by side, of all lengths."""
    family = draw(st.sampled_from(AddressFamily))
    address = draw(st.integers(0, (1 << family.bits) - 1))
    lengths = st.integers(1, family.bits)
    first = Cidr(family, address, family.bits).supernet(draw(lengths))
    flipped = address ^ (1 << draw(st.integers(0, family.bits - 1)))
    near = Cidr(family, draw(st.sampled_from([address, flipped])), family.bits)
    return first, near.supernet(draw(lengths))


def test_the_database_knows_what_overlaps(database: Database, pools: dict[str, int]) -> None:
    # ALLOC-3
    number = pools[POOL]

    @settings(max_examples=300, deadline=None)
    @given(two_blocks())
    def check(blocks: tuple[Cidr, Cidr]) -> None:
        first, second = blocks
        with database.engine.connect() as connection, connection.begin() as transaction:
            insert_row(connection, number, first)
            if first.overlaps(second):
                with pytest.raises(sa.exc.IntegrityError):
                    insert_row(connection, number, second)
            else:
                insert_row(connection, number, second)
            transaction.rollback()

    check()


@pytest.mark.parametrize("database_url", DIALECTS[1:], indirect=True)
def test_the_guard_looks_at_little_however_much_there_is(
    database: Database, pools: dict[str, int]
) -> None:  # BEY-7
    insert = BulkInsert(tables.allocations)
    with database.write() as connection:
        # In turns, as pools are allocated from: that is what an index has to keep apart.
        for start in range(0, 20_000, 500):
            for number in pools.values():
                blocks = [Cidr(AddressFamily.IPV4, 8 * n, 29) for n in range(start, start + 500)]
                insert.execute(
                    connection,
                    [allocation_to_row(allocation(str(block)), number) for block in blocks],
                )
        pages = [pages_of_insert(connection, number) for number in pools.values()]
    assert max(pages) < 100


def pages_of_insert(connection: sa.Connection, number: int) -> int:
    """How many pages PostgreSQL looks at for one row more."""
    cidr = Cidr.parse("200.0.0.0/29")
    row = (IPAM_POOL_ALLOCATION.new(), number, cidr.first_key, cidr.last_key)
    [explained] = connection.exec_driver_sql(
        """
        EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)
        INSERT INTO ipam_pool_allocations (
            ipam_pool_allocation_id, pool_number, first_key, last_key,
            prefix_length, resource_type, resource_owner, tags, created_at
        ) VALUES (%s, %s, %s, %s, 29, 'custom', 'x', '{}', now())
        """,
        row,
    ).scalar_one()
    plan = explained["Plan"]
    looked_at: int = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return looked_at


def test_the_database_lets_no_allocation_move_onto_another(
    database: Database, pools: dict[str, int]
) -> None:  # ALLOC-3
    insert_allocation(database, pools[POOL], "10.0.4.0/24")
    insert_allocation(database, pools[POOL], "10.0.6.0/24")
    with pytest.raises(sa.exc.IntegrityError), database.write() as connection:
        connection.execute(tables.allocations.update().values(keys_of(Cidr.parse("10.0.4.0/24"))))


@pytest.mark.parametrize("cidr", ["10.0.0.0/8", "10.9.0.0/16", "8.0.0.0/6"])
def test_the_database_refuses_overlapping_top_level_cidrs(
    database: Database, pools: dict[str, int], cidr: str
) -> None:  # PROV-1
    _, second = pools.values()
    with pytest.raises(sa.exc.IntegrityError):
        insert_pool_cidr(database, second, cidr)
    insert_pool_cidr(database, second, cidr, state="deprovisioned")
    with pytest.raises(sa.exc.IntegrityError), database.write() as connection:
        connection.execute(tables.pool_cidrs.update().values(state="provisioned"))


PUBLIC_POOLS = [f"ipam-pool-{number:017x}" for number in (3, 4)]


@pytest.mark.parametrize("cidr", ["130.137.0.0/16", "130.137.245.0/24", "130.0.0.0/8"])
def test_the_database_refuses_public_cidrs_that_two_accounts_would_have(
    database: Database, cidr: str
) -> None:  # PROV-6, SCP-1
    async def make_pools(ledger: Ledger) -> None:
        for number, pool_id in enumerate(PUBLIC_POOLS):
            await ledger.define(
                replace(
                    definition(pool_id),
                    ipam_scope_id=f"ipam-scope-{number + 2:017x}",
                    owner_id=f"{number:012}",
                    scope_type=ScopeType.PUBLIC,
                )
            )

    asyncio.run(with_ledger(database, make_pools))
    with database.read() as connection:
        mine, theirs = connection.scalars(
            sa.select(tables.pools.c.number).order_by(tables.pools.c.ipam_pool_id)
        )
    insert_pool_cidr(database, mine, "130.137.0.0/16")
    with pytest.raises(sa.exc.IntegrityError):
        insert_pool_cidr(database, theirs, cidr)
    insert_pool_cidr(database, theirs, "131.0.0.0/16")


def test_the_database_keeps_a_parents_allocation_while_a_child_has_it(
    database: Database, pools: dict[str, int]
) -> None:  # POOL-8
    first, second = pools.values()
    parent = insert_allocation(database, first, "10.0.4.0/24")
    insert_pool_cidr(database, second, "10.0.4.0/24", parent_allocation_id=parent)
    with pytest.raises(sa.exc.IntegrityError), database.write() as connection:
        connection.execute(tables.allocations.delete())


def test_rows_behind_the_ledgers_back_are_never_given_twice(
    database: Database, pools: dict[str, int]
) -> None:  # ALLOC-3
    made: list[Cidr] = []

    async def use(ledger: Ledger) -> None:
        async def allocate() -> None:
            reservation = Reservation(POOL, WantedBlock(netmask_length=24), None, {})
            found = await ledger.reserve(OWNER, reservation, once=None, dry_run=False)
            made.append(found.cidr)

        await allocate()
        # The cached pool does not know of this, and its version has not changed.
        insert_allocation(database, pools[POOL], "10.0.1.0/24")
        await asyncio.gather(*(allocate() for _ in range(3)))

    asyncio.run(with_ledger(database, use))
    assert sorted(map(str, made)) == ["10.0.0.0/24", "10.0.2.0/24", "10.0.3.0/24", "10.0.4.0/24"]


def test_a_wrong_decision_harms_nobody_else(database: Database, pools: dict[str, int]) -> None:
    # ALLOC-3
    async def use(_ledger: Ledger) -> None:
        writer = SqlWriter(database, lambda: NOW)
        right = Reservation(POOL, WantedBlock(netmask_length=24), None, {})
        async with background(writer.run()):
            ledger = Ledger(WrongOnce(writer), SqlReader(database))
            outcomes = await asyncio.gather(
                *(ledger.reserve(OWNER, right, once=None, dry_run=False) for _ in range(4)),
                return_exceptions=True,
            )
        assert [type(found) for found in outcomes].count(Allocation) == 3
        assert len({str(a.cidr) for a in outcomes if isinstance(a, Allocation)}) == 3

    asyncio.run(with_ledger(database, use))
    with database.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.allocations)) == 3


class WrongOnce:
    """Replaces the first decision by one that holds what lies in no CIDR of the pool."""

    def __init__(self, writer: SqlWriter) -> None:
        self._writer, self._is_first = writer, True

    async def carry_out(self, command: Any) -> Any:
        if self._is_first:
            self._is_first = False
            outside = allocation("192.168.0.0/24")
            command = type(command)(lambda _: Decision(outside, (Held(outside),)), command.pools)
        return await self._writer.carry_out(command)

    async def carry_out_all(self, batch: Any) -> Any:
        return await self._writer.carry_out_all(batch)


async def with_ledger(database: Database, use: Callable[[Ledger], Any]) -> None:
    writer = SqlWriter(database, lambda: NOW)
    async with background(writer.run()):
        await use(Ledger(writer, SqlReader(database)))


def definition(pool_id: str) -> PoolDefinition:
    return PoolDefinition(
        ipam_pool_id=pool_id,
        version=1,
        ipam_id="ipam-00000000000000001",
        ipam_scope_id="ipam-scope-00000000000000001",
        scope_type=ScopeType.PRIVATE,
        owner_id=OWNER.account_id,
        ipam_region=OWNER.region,
        address_family=AddressFamily.IPV4,
        locale="None",
        cidr_quota=50,
    )


def allocation(cidr: str) -> Allocation:
    return Allocation(
        IPAM_POOL_ALLOCATION.new(), POOL, Cidr.parse(cidr), ResourceType.CUSTOM, "x", NOW
    )


def insert_row(connection: sa.Connection, pool_number: int, cidr: Cidr) -> None:
    row = allocation_to_row(allocation(str(cidr)), pool_number)
    connection.execute(tables.allocations.insert(), [row])


def insert_allocation(database: Database, pool_number: int, cidr: str) -> str:
    made = allocation(cidr)
    with database.write() as connection:
        connection.execute(tables.allocations.insert(), [allocation_to_row(made, pool_number)])
    return made.ipam_pool_allocation_id


def insert_pool_cidr(
    database: Database, pool_number: int, cidr: str, **members: str | None
) -> None:
    is_it = tables.pools.c.number == pool_number
    row = {
        "ipam_pool_cidr_id": IPAM_POOL_CIDR.new(),
        "pool_number": pool_number,
        "scope_number": sa.select(tables.pools.c.space_number).where(is_it).scalar_subquery(),
        "state": "provisioned",
        **keys_of(Cidr.parse(cidr)),
        **members,
    }
    with database.write() as connection:
        connection.execute(tables.pool_cidrs.insert().values(row))
