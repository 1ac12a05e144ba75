"""Where what is allocated and what is there differ (BEY-10)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.discovery.evaluation.model import Finding
from services.discovery.store.batches import batches_of
from services.discovery.tables import discrepancies

_LONGEST_MESSAGE = 1024
_MEMBERS = (
    discrepancies.c.kind,
    discrepancies.c.ipam_scope_id,
    discrepancies.c.ipam_pool_id,
    discrepancies.c.first_address,
    discrepancies.c.prefix_length,
    discrepancies.c.resource_id,
    discrepancies.c.owner_id,
    discrepancies.c.region,
    discrepancies.c.ipam_pool_allocation_id,
    discrepancies.c.message,
)


def replace_discrepancies(
    connection: sa.Connection, ipam_id: str, findings: Sequence[Finding], now: datetime
) -> None:
    """Make ``findings`` those of the IPAM; what was found before keeps its time."""
    rows = connection.execute(
        sa.select(discrepancies.c.discrepancy_id, *_MEMBERS).where(
            discrepancies.c.ipam_id == ipam_id
        )
    )
    known = {tuple(members): discrepancy_id for discrepancy_id, *members in rows}
    found = dict.fromkeys(map(_members, findings))
    gone = [discrepancy_id for members, discrepancy_id in known.items() if members not in found]
    for some in batches_of(gone):
        connection.execute(discrepancies.delete().where(discrepancies.c.discrepancy_id.in_(some)))
    names = [column.name for column in _MEMBERS]
    for new in batches_of([members for members in found if members not in known]):
        connection.execute(
            discrepancies.insert(),
            [
                {"ipam_id": ipam_id, "found_at": now, **dict(zip(names, members, strict=True))}
                for members in new
            ],
        )


def _members(finding: Finding) -> tuple[Any, ...]:
    return (
        finding.discrepancy.value,
        finding.scope_id,
        finding.pool_id,
        finding.cidr.first_key,
        finding.cidr.prefix_length,
        finding.resource_id,
        finding.owner_id,
        finding.region,
        finding.allocation_id,
        finding.message[:_LONGEST_MESSAGE],
    )
