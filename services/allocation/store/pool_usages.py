"""How full an IPAM's pools are and how their free space lies (MET-1, BEY-11)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from services.allocation.free_figures import FreeFigures
from services.allocation.service.view import PoolUsage
from services.allocation.store.pool_loader import free_space_at
from services.allocation.store.records import (
    Row,
    definition_from_json,
    free_figures_from_row,
    usage_from_row,
)
from services.allocation.tables import pools
from shared.telemetry import logger

# The contract's largest page, and the record by which a page knows that it is not the last.
_POOL_ROWS = 101

_log = logger("allocation")
_id = pools.c.ipam_pool_id


@dataclass(frozen=True, slots=True)
class _Counted:
    version: int
    figures: FreeFigures


class CountedFigures:
    """Figures that had to be counted: by pool the last ones, which hold for one version of it.

    Seldom needed: whoever changes a pool notes its figures with it. They are missing after a
    repair, or behind when something set aside has ended and nobody has used the pool since.
    """

    def __init__(self) -> None:
        self._by_number: dict[int, _Counted] = {}

    def of(self, connection: sa.Connection, row: Row, now: datetime) -> FreeFigures:
        """The figures of the pool in a row of a snapshot; as long as they hold, without a look."""
        noted = free_figures_from_row(row)
        if noted and noted.hold_at(now):
            return noted
        known = self._by_number.get(row.number)
        if known and known.version == row.version and known.figures.hold_at(now):
            return known.figures
        figures = _counted(connection, row, now)
        # Two threads may both have counted, and either is right.
        self._by_number[row.number] = _Counted(row.version, figures)
        return figures


def pool_usages_after(
    connection: sa.Connection,
    counted: CountedFigures,
    ipam_id: str,
    after: str | None,
    now: datetime,
) -> Iterator[tuple[str, PoolUsage]]:
    """By pool id, which is the key."""
    query = (
        sa.select(pools)
        .where(pools.c.ipam_id == ipam_id, ~pools.c.is_retired)
        .order_by(_id)
        .limit(_POOL_ROWS)
    )
    last = after or ""
    while chunk := connection.execute(query.where(_id > last)).all():
        for row in chunk:
            free = counted.of(connection, row, now)
            found = PoolUsage(definition_from_json(row.definition), usage_from_row(row), free)
            yield row.ipam_pool_id, found
        last = chunk[-1].ipam_pool_id


def _counted(connection: sa.Connection, row: Row, now: datetime) -> FreeFigures:
    try:
        space, until = free_space_at(connection, row, now)
    except ValueError as error:
        # Damaged as it is, nobody can allocate from it, and the other pools are to be told of.
        _log.warning("pool unreadable", ipam_pool_id=row.ipam_pool_id, error=str(error))
        return FreeFigures()
    return FreeFigures.of(space, until)
