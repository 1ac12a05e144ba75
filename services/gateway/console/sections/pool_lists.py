"""Pools in tables: a scope's, and those that others shared with the account (POOL-1, ORG-4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from cadastre.allocation.v1 import ledger_service_pb2
from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import control_service_pb2 as pb
from cadastre.control.v1 import ipam_pool_pb2, ipam_scope_pb2
from services.gateway.console.bars import bar
from services.gateway.console.choices import text_of_scope
from services.gateway.console.reading import reading
from services.gateway.console.sections.pool_tree import in_use
from services.gateway.console.tables import (
    Cell,
    Column,
    Filter,
    Read,
    Table,
    badge,
    table_page,
    text,
)
from services.gateway.console.visit import Link, Visit
from services.gateway.console.words import NOTHING, count_of, name_of, percent_of, share_of, word_of

_STATES = ("create-complete", "create-in-progress", "modify-in-progress", "delete-in-progress")
# Where an account has pools of its own, they may be thousands.
_READ_ON_ROWS = 1000
_FILTERS = (
    Filter("tag:Name", "Name"),
    Filter("ipam-pool-id", "Pool ID"),
    Filter("source-ipam-pool-id", "Source pool"),
    Filter("pool-depth", "Depth"),
    Filter("description", "Description"),
    Filter("locale", "Locale"),
    Filter("address-family", "Address family", ("ipv4", "ipv6")),
    Filter("state", "State", _STATES),
)


@dataclass(frozen=True, slots=True)
class _Row:
    """A pool, and how full it is; None: that is its owner's to know."""

    pool: ipam_pool_pb2.IpamPool
    usage: ledger_service_pb2.IpamPoolUsage | None

    @property
    def total(self) -> int:
        return int(self.usage.total_addresses or 0) if self.usage else 0

    @property
    def share(self) -> float:
        """In percent, of what it has."""
        return share_of(in_use(self.usage), self.total) if self.usage and self.total else 0.0


async def list_of_scope(
    visit: Visit,
    scope: ipam_scope_pb2.IpamScope,
    found: Sequence[ipam_scope_pb2.IpamScope],
) -> Response:
    """All pools of the scope in a table."""
    of_scope = types_pb2.Filter(name="ipam-scope-arn", values=[scope.ipam_scope_arn])
    read = reading(
        visit,
        pb.DescribeIpamPoolsRequest(filters=[of_scope]),
        pb.DescribeIpamPoolsResponse,
        lambda answer: answer.ipam_pools,
    )
    table = Table(
        name="pools",
        columns=(*_columns(visit), *_usage_columns()),
        read=_with_usages(visit, read),
        filters=_FILTERS,
        empty="There is no pool yet.",
    )
    return await table_page(
        visit,
        table,
        "pools_table.html",
        title="Pools",
        scope=scope,
        scopes=[(one.ipam_scope_id, text_of_scope(one)) for one in found],
        tabs=views(visit, scope.ipam_scope_id, "table"),
        actions=list_links(visit, scope.ipam_scope_id),
    )


async def list_shared(visit: Visit, *, has_ipam: bool) -> Response:
    """The pools that others shared with the account."""
    read = reading(
        visit,
        pb.DescribeIpamPoolsRequest(),
        pb.DescribeIpamPoolsResponse,
        lambda answer: answer.ipam_pools,
    )
    owner: Column[_Row] = Column(
        "owner",
        "Owner",
        lambda row: Cell(row.pool.owner_id, is_code=True),
        sort=lambda row: row.pool.owner_id,
    )
    table = Table(
        name="shared-pools",
        columns=(*_columns(visit), owner),
        read=_of_others(visit, read),
        filters=_FILTERS,
        empty="No pool is shared with this account here.",
    )
    return await table_page(
        visit,
        table,
        "pools_table.html",
        title="Pools shared with this account",
        trail=[Link("Pools", visit.url("/pools"))] if has_ipam else (),
        has_ipam=has_ipam,
        scope=None,
    )


def list_links(visit: Visit, ipam_scope_id: str) -> Sequence[Link]:
    """What can be done where a scope's pools are."""
    create = visit.url("/pools/create", ipam_scope_id=ipam_scope_id)
    return [Link("Create pool", create, is_main=True)]


def views(visit: Visit, scope_id: str, shown: str) -> Sequence[Link]:
    """Other ways to look at a scope's pools, and at others' that are shared."""
    return [
        Link("Hierarchy", visit.url("/pools", scope=scope_id), is_main=shown == "tree"),
        Link("Table", visit.url("/pools", scope=scope_id, view="table"), is_main=shown == "table"),
        Link("CIDR map", visit.url("/cidr-map", scope=scope_id)),
        Link("Shared with this account", visit.url("/pools", view="shared")),
    ]


def _of_others(visit: Visit, read: Read[ipam_pool_pb2.IpamPool]) -> Read[_Row]:
    """Leaves out the account's own, which no filter does, and reads on where that leaves none."""

    async def read_on(
        wanted: Mapping[str, str], rows: int, token: str
    ) -> tuple[Sequence[_Row], str]:
        while True:
            found, token = await read(wanted, rows, token)
            others = [_Row(pool, None) for pool in found if visit.api.own(pool) is None]
            if others or not token:
                return others, token
            rows = _READ_ON_ROWS

    return read_on


def _with_usages(visit: Visit, read: Read[ipam_pool_pb2.IpamPool]) -> Read[_Row]:
    """Rows with how full their pools are, which one more call tells of a thousand."""

    async def read_both(
        wanted: Mapping[str, str], rows: int, token: str
    ) -> tuple[Sequence[_Row], str]:
        found, after = await read(wanted, rows, token)
        usages = await visit.api.pool_usages(found)
        return [_Row(pool, usages.get(pool.ipam_pool_id)) for pool in found], after

    return read_both


def _usage_columns() -> Sequence[Column[_Row]]:
    return (
        Column("usage", "In use", _usage, sort=lambda row: row.share),
        Column(
            "addresses",
            "Addresses",
            lambda row: text(count_of(row.total) if row.total else ""),
            sort=lambda row: row.total,
            is_number=True,
        ),
    )


def _source_url(visit: Visit, pool: ipam_pool_pb2.IpamPool) -> str:
    """Empty: it has none, or it isn't the account's to look at."""
    source = pool.source_ipam_pool_id
    return visit.url(f"/pools/{source}") if source and visit.api.own(pool) else ""


def _usage(row: _Row) -> Cell:
    if not row.total:
        return Cell(NOTHING)
    return Cell(percent_of(row.share), drawing=bar(row.share, "In use"))


def _columns(visit: Visit) -> Sequence[Column[_Row]]:
    return (
        Column(
            "name",
            "Name (pool ID)",
            lambda row: Cell(
                name_of(row.pool.tags) or row.pool.ipam_pool_id,
                url=visit.url(f"/pools/{row.pool.ipam_pool_id}"),
                note=row.pool.ipam_pool_id if name_of(row.pool.tags) else "",
            ),
            sort=lambda row: (name_of(row.pool.tags), row.pool.ipam_pool_id),
        ),
        Column("state", "State", lambda row: badge(word_of(row.pool, "state"))),
        Column(
            "family",
            "Family",
            lambda row: text(word_of(row.pool, "address_family")),
            sort=lambda row: row.pool.address_family,
        ),
        Column(
            "locale", "Locale", lambda row: text(row.pool.locale), sort=lambda row: row.pool.locale
        ),
        Column(
            "depth",
            "Depth",
            lambda row: text(str(row.pool.pool_depth or "")),
            sort=lambda row: row.pool.pool_depth,
            is_number=True,
        ),
        Column(
            "source",
            "Source pool",
            lambda row: text(
                row.pool.source_ipam_pool_id,
                url=_source_url(visit, row.pool),
                is_code=True,
            ),
        ),
        Column(
            "description",
            "Description",
            lambda row: text(row.pool.description),
            sort=lambda row: row.pool.description,
        ),
    )
