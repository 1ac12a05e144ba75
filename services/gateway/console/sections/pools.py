"""Pools: their hierarchy, and what each has (POOL-1 to POOL-8)."""

import asyncio
from collections.abc import Sequence
from typing import TypeVar

from starlette.responses import Response

from cadastre.allocation.v1 import allocation_service_pb2 as allocation
from cadastre.allocation.v1 import ledger_service_pb2, pool_allocation_pb2, pool_cidr_pb2
from cadastre.common.v1 import types_pb2
from cadastre.control.sharing.v1 import sharing_service_pb2 as sharing
from cadastre.control.v1 import ipam_pool_pb2
from services.gateway.console.bars import bar
from services.gateway.console.choices import scope_of_page, text_of_scope
from services.gateway.console.reading import reading
from services.gateway.console.section import Group, Page, Section
from services.gateway.console.sections.pool_actions import ACTIONS
from services.gateway.console.sections.pool_lists import (
    list_links,
    list_of_scope,
    list_shared,
    views,
)
from services.gateway.console.sections.pool_space import Strip, strips_of, what_if
from services.gateway.console.sections.pool_tree import in_use, tree_of
from services.gateway.console.sections.share_lists import MOST, id_of
from services.gateway.console.tables import Cell, Column, Filter, Table, badge, table_page, text
from services.gateway.console.visit import Link, Visit
from services.gateway.console.words import (
    NOTHING,
    count_of,
    name_of,
    percent_of,
    share_of,
    tags_of,
    word_of,
)
from shared.cidr import Cidr

R = TypeVar("R")

_DRAWN_ALLOCATIONS = 1000


async def list_pools(visit: Visit) -> Response:
    """The hierarchy of a scope's pools, or a table of them."""
    scope, found = await scope_of_page(visit)
    if scope is None or visit.query.get("view") == "shared":
        return await list_shared(visit, has_ipam=scope is not None)
    if visit.query.get("view") == "table":
        return await list_of_scope(visit, scope, found)
    tree = await tree_of(visit, scope)
    return visit.page(
        "pools.html",
        title="Pools",
        scope=scope,
        scopes=[(one.ipam_scope_id, text_of_scope(one)) for one in found],
        tree=tree,
        tabs=views(visit, scope.ipam_scope_id, "tree"),
        is_changing=tree.is_changing,
        actions=list_links(visit, scope.ipam_scope_id),
    )


async def show_cidrs(visit: Visit) -> Response:
    """One pool: what is provisioned to it, and how it is used."""
    pool = await visit.api.pool(visit.params["ipam_pool_id"])
    is_own = visit.api.own(pool) is not None
    here = f"/pools/{pool.ipam_pool_id}"

    def links(row: pool_cidr_pb2.IpamPoolCidr) -> Sequence[Link]:
        if not is_own:
            return ()
        gone = visit.url(f"{here}/deprovision", cidr=row.cidr)
        return (
            Link("Show on the map", visit.url("/cidr-map", pool=pool.ipam_pool_id, cidr=row.cidr)),
            _history_link(visit, pool, row.cidr),
            Link("Deprovision", gone, is_destructive=True),
        )

    table = Table(
        name="pool-cidrs",
        columns=_cidr_columns(),
        read=reading(
            visit,
            allocation.GetIpamPoolCidrsRequest(ipam_pool_id=pool.ipam_pool_id),
            allocation.GetIpamPoolCidrsResponse,
            lambda answer: answer.ipam_pool_cidrs,
        ),
        filters=(Filter("cidr", "CIDR"), Filter("state", "State")),
        row_links=links,
        empty="Nothing is provisioned to this pool. Provision a CIDR to allocate from it.",
    )
    strips, is_cut = ((), False) if visit.query.get("format") else await _strips(visit, pool)
    return await _pool_page(visit, pool, table, "CIDRs", strips, is_cut=is_cut)


async def show_allocations(visit: Visit) -> Response:
    """One pool: who has which part of it."""
    pool = await visit.api.pool(visit.params["ipam_pool_id"])
    here = f"/pools/{pool.ipam_pool_id}"

    def links(row: pool_allocation_pb2.IpamPoolAllocation) -> Sequence[Link]:
        history = [_history_link(visit, pool, row.cidr)] if visit.api.own(pool) else []
        if word_of(row, "resource_type") != "custom":
            return history
        return (
            Link("Edit description", visit.url(f"{here}/{row.ipam_pool_allocation_id}/edit")),
            *history,
            Link(
                "Release",
                visit.url(f"{here}/{row.ipam_pool_allocation_id}/release"),
                is_destructive=True,
            ),
        )

    table = Table(
        name="pool-allocations",
        columns=_allocation_columns(visit, pool),
        read=reading(
            visit,
            allocation.GetIpamPoolAllocationsRequest(ipam_pool_id=pool.ipam_pool_id),
            allocation.GetIpamPoolAllocationsResponse,
            lambda answer: answer.ipam_pool_allocations,
        ),
        filters=(
            Filter("cidr", "CIDR"),
            Filter(
                "resource-type",
                "Resource type",
                ("ipam-pool", "vpc", "ec2-public-ipv4-pool", "custom", "subnet", "eip"),
            ),
            Filter("resource-id", "Resource ID"),
            Filter("description", "Description"),
        ),
        row_links=links,
        empty="Nothing is allocated from this pool.",
    )
    return await _pool_page(visit, pool, table, "Allocations")


def _history_link(visit: Visit, pool: ipam_pool_pb2.IpamPool, cidr: str) -> Link:
    scope_id = pool.ipam_scope_arn.rpartition("/")[2]
    return Link("IP history", visit.url("/history", scope=scope_id, cidr=cidr))


async def show_shares(visit: Visit) -> Response:
    """One pool: the resource shares it is in."""
    pool = await visit.api.pool(visit.params["ipam_pool_id"])
    associations = reading(
        visit,
        sharing.GetResourceShareAssociationsRequest(
            association_type=sharing.RESOURCE_SHARE_ASSOCIATION_TYPE_RESOURCE,
            resource_arn=pool.ipam_pool_arn,
        ),
        sharing.GetResourceShareAssociationsResponse,
        lambda answer: answer.resource_share_associations,
        least=1,
        most=MOST,
    )
    table = Table(
        name="pool-shares",
        columns=(
            Column(
                "name",
                "Resource share",
                lambda row: Cell(
                    row.resource_share_name or row.resource_share_arn,
                    url=visit.url(f"/shares/{id_of(row.resource_share_arn)}"),
                ),
            ),
            Column("status", "Status", lambda row: badge(word_of(row, "status"))),
            Column("message", "Message", lambda row: text(row.status_message)),
        ),
        read=associations,
        empty="This pool isn't shared.",
    )
    return await _pool_page(visit, pool, table, "Resource sharing")


async def show_what_if(visit: Visit) -> Response:
    """Where a CIDR of a length would go, and what would be left."""
    pool = await visit.api.pool(visit.params["ipam_pool_id"])
    return visit.page(
        "pool_what_if.html",
        title="Free space",
        trail=_trail(visit, pool),
        pool=pool,
        **await what_if(visit, pool),
    )


async def _pool_page(
    visit: Visit,
    pool: ipam_pool_pb2.IpamPool,
    table: Table[R],
    tab: str,
    strips: Sequence[Strip] = (),
    *,
    is_cut: bool = False,
) -> Response:
    usage = (await visit.api.pool_usages([pool])).get(pool.ipam_pool_id)
    return await table_page(
        visit,
        table,
        "pool.html",
        title=name_of(pool.tags) or pool.ipam_pool_id,
        trail=[Link("Pools", visit.url("/pools"))],
        facts=_facts(visit, pool, usage),
        rules=_rules(pool),
        tabs=_tabs(visit, pool, tab),
        strips=strips,
        is_cut=is_cut,
        caption=tab,
        actions=_actions(visit, pool),
        is_changing=badge(word_of(pool, "state")).tone == "busy",
    )


def _trail(visit: Visit, pool: ipam_pool_pb2.IpamPool) -> Sequence[Link]:
    url = visit.url(f"/pools/{pool.ipam_pool_id}")
    return [
        Link("Pools", visit.url("/pools")),
        Link(name_of(pool.tags) or pool.ipam_pool_id, url),
    ]


def _tabs(visit: Visit, pool: ipam_pool_pb2.IpamPool, shown: str) -> Sequence[Link]:
    here = f"/pools/{pool.ipam_pool_id}"
    tabs = [
        ("CIDRs", here),
        ("Allocations", f"{here}/allocations"),
        ("Resource sharing", f"{here}/shares"),
    ]
    own_tabs = [Link(title, visit.url(path), is_main=title == shown) for title, path in tabs]
    free_space = Link("Free space", visit.url(f"{here}/what-if"))
    if visit.api.own(pool) is None:
        return [*own_tabs, free_space]
    of_pool = {"scope": pool.ipam_scope_arn.rpartition("/")[2], "f.ipam-pool-id": pool.ipam_pool_id}
    return [
        *own_tabs,
        Link("Resources", visit.url("/resources", **of_pool)),
        free_space,
        Link("CIDR map", visit.url("/cidr-map", pool=pool.ipam_pool_id)),
        Link("Audit log", visit.url("/audit", **{"f.ResourceName": pool.ipam_pool_id})),
    ]


def _actions(visit: Visit, pool: ipam_pool_pb2.IpamPool) -> Sequence[Link]:
    here = f"/pools/{pool.ipam_pool_id}"
    allocate = Link("Allocate CIDR", visit.url(f"{here}/allocate"), is_main=True)
    if visit.api.own(pool) is None:
        return [allocate]
    scope_id = pool.ipam_scope_arn.rpartition("/")[2]
    child = visit.url(
        "/pools/create", ipam_scope_id=scope_id, source_ipam_pool_id=pool.ipam_pool_id
    )
    return [
        allocate,
        Link("Provision CIDR", visit.url(f"{here}/provision")),
        Link("Create pool in this pool", child),
        Link("Edit", visit.url(f"{here}/edit")),
        Link("Edit tags", visit.url(f"{here}/edit-tags")),
        Link("Share", visit.url("/shares/create", resource_arns=pool.ipam_pool_arn)),
        Link("Delete", visit.url(f"{here}/delete"), is_destructive=True),
    ]


def _facts(
    visit: Visit,
    pool: ipam_pool_pb2.IpamPool,
    usage: ledger_service_pb2.IpamPoolUsage | None,
) -> Sequence[tuple[str, Cell | str]]:
    source = pool.source_ipam_pool_id
    source_url = visit.url(f"/pools/{source}") if source and visit.api.own(pool) else ""
    plans = pool.source_resource.resource_id
    return (
        ("Pool ID", Cell(pool.ipam_pool_id, is_code=True)),
        ("State", badge(word_of(pool, "state"))),
        *([("State message", pool.state_message)] if pool.state_message else []),
        ("In use", _in_use(usage)),
        ("Description", pool.description),
        ("Scope", Cell(pool.ipam_scope_arn.rpartition("/")[2], is_code=True)),
        (
            "Source pool",
            text(source, url=source_url, is_code=True),
        ),
        ("Address family", word_of(pool, "address_family")),
        ("Locale", pool.locale or "None"),
        *([("Plans", Cell(plans, is_code=True))] if plans else []),
        *([("AWS service", word_of(pool, "aws_service"))] if pool.aws_service else []),
        *([("Public IP source", word_of(pool, "public_ip_source"))] if _is_public(pool) else []),
        *(
            [("Publicly advertisable", "Yes" if pool.publicly_advertisable else "No")]
            if _is_public(pool)
            else []
        ),
        ("Owner", Cell(pool.owner_id, is_code=True)),
        ("Tags", ", ".join(f"{key}={value}" for key, value in tags_of(pool.tags).items())),
        ("ARN", Cell(pool.ipam_pool_arn, is_code=True)),
    )


def _is_public(pool: ipam_pool_pb2.IpamPool) -> bool:
    return pool.ipam_scope_type == types_pb2.IPAM_SCOPE_TYPE_PUBLIC


def _in_use(usage: ledger_service_pb2.IpamPoolUsage | None) -> Cell:
    if usage is None or usage.total_addresses in ("", "0"):
        return Cell(NOTHING)
    total = int(usage.total_addresses)
    share = share_of(in_use(usage), total)
    return Cell(
        f"{percent_of(share)} of {count_of(total)} addresses",
        drawing=bar(share, "In use"),
        note=f"Allocations: {usage.allocation_count:,}; CIDRs: {usage.cidr_count:,}",
    )


def _rules(pool: ipam_pool_pb2.IpamPool) -> Sequence[tuple[str, Cell | str]]:
    def length(field: str) -> str:
        return f"/{getattr(pool, field)}" if pool.HasField(field) else ""  # type: ignore[arg-type]

    required = [f"{tag.key}={tag.value}" for tag in pool.allocation_resource_tags]
    return (
        ("Automatic import", "Allowed" if pool.auto_import else "Not allowed"),
        ("Minimum netmask length", length("allocation_min_netmask_length")),
        ("Default netmask length", length("allocation_default_netmask_length")),
        ("Maximum netmask length", length("allocation_max_netmask_length")),
        ("Required resource tags", ", ".join(required)),
    )


def _cidr_columns() -> Sequence[Column[pool_cidr_pb2.IpamPoolCidr]]:
    return (
        Column("cidr", "CIDR", lambda row: text(row.cidr, is_code=True)),
        Column("state", "State", lambda row: badge(word_of(row, "state"))),
        Column(
            "failure",
            "Why it failed",
            lambda row: text(
                row.failure_reason.message if row.HasField("failure_reason") else "",
                note=word_of(row.failure_reason, "code"),
            ),
        ),
        Column("id", "Pool CIDR ID", lambda row: text(row.ipam_pool_cidr_id, is_code=True)),
    )


def _allocation_columns(
    visit: Visit, pool: ipam_pool_pb2.IpamPool
) -> Sequence[Column[pool_allocation_pb2.IpamPoolAllocation]]:
    scope_id = pool.ipam_scope_arn.rpartition("/")[2]

    def resource(row: pool_allocation_pb2.IpamPoolAllocation) -> Cell:
        if not row.resource_id or visit.api.own(pool) is None:
            return text(row.resource_id, is_code=True)
        if word_of(row, "resource_type") == "ipam-pool":
            url = visit.url(f"/pools/{row.resource_id}")
        else:
            found = {"scope": scope_id, "f.resource-id": row.resource_id}
            url = visit.url("/resources", **found)
        return text(row.resource_id, url=url, is_code=True)

    return (
        Column(
            "cidr",
            "CIDR",
            lambda row: Cell(row.cidr, is_code=True),
            sort=lambda row: Cidr.parse(row.cidr),
        ),
        Column(
            "type",
            "Resource type",
            lambda row: badge(word_of(row, "resource_type")),
            sort=lambda row: row.resource_type,
        ),
        Column("resource", "Resource", resource, sort=lambda row: row.resource_id),
        Column("region", "Region", lambda row: text(row.resource_region)),
        Column("owner", "Owner", lambda row: text(row.resource_owner, is_code=True)),
        Column("description", "Description", lambda row: text(row.description)),
        Column("id", "Allocation ID", lambda row: Cell(row.ipam_pool_allocation_id, is_code=True)),
    )


async def _strips(visit: Visit, pool: ipam_pool_pb2.IpamPool) -> tuple[Sequence[Strip], bool]:
    """The pool's CIDRs as strips, of what its first allocations are, and whether there are more."""
    pool_id = pool.ipam_pool_id
    cidrs, allocations = await asyncio.gather(
        visit.api.call(
            allocation.GetIpamPoolCidrsRequest(ipam_pool_id=pool_id, max_results=50),
            allocation.GetIpamPoolCidrsResponse,
        ),
        visit.api.call(
            allocation.GetIpamPoolAllocationsRequest(
                ipam_pool_id=pool_id, max_results=_DRAWN_ALLOCATIONS
            ),
            allocation.GetIpamPoolAllocationsResponse,
        ),
    )
    strips = strips_of(cidrs.ipam_pool_cidrs, allocations.ipam_pool_allocations)
    return strips, bool(allocations.next_token)


SECTION = Section(
    title="Pools",
    path="/pools",
    group=Group.PLANNING,
    pages=(
        Page("/pools", list_pools),
        Page("/pools/{ipam_pool_id}", show_cidrs),
        Page("/pools/{ipam_pool_id}/allocations", show_allocations),
        Page("/pools/{ipam_pool_id}/shares", show_shares),
        Page("/pools/{ipam_pool_id}/what-if", show_what_if),
    ),
    actions=ACTIONS,
)
