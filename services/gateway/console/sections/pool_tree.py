"""The hierarchy of a scope's pools, as much of it as a page can show at once.

Of a scope that one call tells all pools of, levels are opened as far as a page has room. Of others
top-level pools come a page at a time, and the pools in one where somebody opens it: what a page
costs doesn't grow with the levels there are, for a filter has the context look at all pools.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from google.protobuf.message import Message

from cadastre.allocation.v1 import allocation_service_pb2 as allocation
from cadastre.allocation.v1 import ledger_service_pb2
from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import control_service_pb2 as pb
from cadastre.control.v1 import ipam_pool_pb2, ipam_scope_pb2
from services.gateway.console.tables import PAGE_ROWS
from services.gateway.console.visit import Visit
from services.gateway.console.words import (
    count_of,
    is_busy,
    name_of,
    percent_of,
    share_of,
    word_of,
)

_MOST_READ = 1000
"""Pools of one call."""
_MOST_ROWS = 150
"""Of levels that are shown without being opened, together."""
_MOST_CHILDREN = 100
"""Of a pool that is opened; all of them are on a page of their own."""
_MOST_CALLS = 25
"""To find out the CIDRs of what is shown."""
_MOST_OPEN = 50
"""Pools that one address opens."""
_SHOWN_CIDRS = 3


@dataclass(frozen=True, slots=True)
class Row:
    """A pool in the hierarchy."""

    depth: int
    """From 0, of what is shown."""
    name: str
    pool_id: str
    url: str
    cidrs: str
    family: str
    locale: str
    state: str
    description: str
    share: float | None
    """Of its space, in percent, that is in use; None: it has no space."""
    usage: str
    toggle_url: str
    """Opens or closes it; empty: its pools are shown anyway, or there are none."""
    is_open: bool
    more_url: str
    """A page of all its pools, where only some are shown."""


@dataclass(frozen=True, slots=True)
class Tree:
    """What the page shows of the hierarchy."""

    rows: Sequence[Row]
    root: ipam_pool_pb2.IpamPool | None
    """The pool below which all that is; None: the scope."""
    first_url: str
    next_url: str
    is_changing: bool


@dataclass(frozen=True, slots=True)
class _Part:
    """What is known of the hierarchy, and what of it is shown."""

    tops: Sequence[ipam_pool_pb2.IpamPool]
    next_token: str
    children: Mapping[str, Sequence[ipam_pool_pb2.IpamPool]]
    """By the pool they are in."""
    shown: Set[str]
    """Pools whose children are shown without being opened."""
    opened: Sequence[str]
    is_whole: bool
    """Which pools have no children is known too."""
    is_cut: bool = False
    """Opened pools may have more children than are known."""

    def children_shown(self, pool_id: str) -> Sequence[ipam_pool_pb2.IpamPool]:
        if pool_id in self.shown:
            return self.children.get(pool_id, ())
        if pool_id in self.opened:
            return self.children.get(pool_id, ())[:_MOST_CHILDREN]
        return ()

    def can_toggle(self, pool_id: str) -> bool:
        if pool_id in self.shown:
            return False
        return not self.is_whole or pool_id in self.children

    def has_more(self, pool_id: str) -> bool:
        if pool_id in self.shown or pool_id not in self.opened:
            return False
        return self.is_cut or len(self.children.get(pool_id, ())) > _MOST_CHILDREN


async def tree_of(visit: Visit, scope: ipam_scope_pb2.IpamScope) -> Tree:
    """The part that the query asks for: ``under`` a pool, ``open`` pools, a ``token`` of a page.

    Raises:
        CadastreError: it names a pool that isn't there, or a context's refusal.
    """
    under = visit.query.get("under", "")
    root = await visit.api.pool(under) if under else None
    part = await (_small if scope.pool_count <= _MOST_READ else _large)(visit, scope, under)
    found = _flat(part, part.tops, 0)
    pools = [pool for _, pool in found]
    usages, cidrs = await asyncio.gather(visit.api.pool_usages(pools), _cidrs(visit, pools))
    rows = [
        _row(visit, part, depth, pool, usages.get(pool.ipam_pool_id), cidrs)
        for depth, pool in found
    ]
    return Tree(
        rows,
        root,
        visit.with_query(token=None, done=None) if visit.query.get("token") else "",
        visit.with_query(token=part.next_token, done=None) if part.next_token else "",
        any(is_busy(row.state) for row in rows),
    )


async def _small(visit: Visit, scope: ipam_scope_pb2.IpamScope, under: str) -> _Part:
    """Of all pools of the scope. Its tokens are how many top-level pools come before."""
    answer = await _described(visit, _MOST_READ, ("ipam-scope-arn", [scope.ipam_scope_arn]))
    children = _by_source(answer.ipam_pools)
    text = visit.query.get("token", "")
    start = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
    tops, end = children.get(under, ())[start : start + PAGE_ROWS], start + PAGE_ROWS
    shown, rows, level = set[str](), len(tops), tops
    while level:
        below = [one for pool in level for one in children.get(pool.ipam_pool_id, ())]
        rows += len(below)
        if rows > _MOST_ROWS:
            break
        shown.update(pool.ipam_pool_id for pool in level)
        level = below
    has_more = end < len(children.get(under, ()))
    return _Part(tops, str(end) if has_more else "", children, shown, _opened(visit), True)


async def _large(visit: Visit, scope: ipam_scope_pb2.IpamScope, under: str) -> _Part:
    """Of one page of pools, and those in the ones that are opened."""
    opened = _opened(visit)
    page, below = await asyncio.gather(
        _described(
            visit,
            PAGE_ROWS,
            ("ipam-scope-arn", [scope.ipam_scope_arn]),
            ("source-ipam-pool-id", [under]) if under else ("pool-depth", ["1"]),
            token=visit.query.get("token", ""),
        ),
        _described(visit, _MOST_READ, ("source-ipam-pool-id", opened)) if opened else _nothing(),
    )
    return _Part(
        sorted(page.ipam_pools, key=_name),
        page.next_token,
        _by_source(below.ipam_pools),
        frozenset(),
        opened,
        is_whole=False,
        is_cut=bool(below.next_token),
    )


def _opened(visit: Visit) -> Sequence[str]:
    return [one for one in visit.query.get("open", "").split(",") if one][:_MOST_OPEN]


async def _described(
    visit: Visit, most: int, *filters: tuple[str, Sequence[str]], token: str = ""
) -> pb.DescribeIpamPoolsResponse:
    request = pb.DescribeIpamPoolsRequest(
        filters=[types_pb2.Filter(name=name, values=values) for name, values in filters],
        max_results=most,
        next_token=token or None,
    )
    return await visit.api.call(request, pb.DescribeIpamPoolsResponse)


async def _nothing() -> pb.DescribeIpamPoolsResponse:
    return pb.DescribeIpamPoolsResponse()


def _by_source(
    pools: Iterable[ipam_pool_pb2.IpamPool],
) -> Mapping[str, Sequence[ipam_pool_pb2.IpamPool]]:
    found: dict[str, list[ipam_pool_pb2.IpamPool]] = {}
    for pool in sorted(pools, key=_name):
        found.setdefault(pool.source_ipam_pool_id, []).append(pool)
    return found


def _name(pool: ipam_pool_pb2.IpamPool) -> tuple[str, str]:
    return name_of(pool.tags), pool.ipam_pool_id


def _flat(
    part: _Part, pools: Iterable[ipam_pool_pb2.IpamPool], depth: int
) -> Sequence[tuple[int, ipam_pool_pb2.IpamPool]]:
    """What is shown, in reading order."""
    found = []
    for pool in pools:
        found.append((depth, pool))
        found.extend(_flat(part, part.children_shown(pool.ipam_pool_id), depth + 1))
    return found


async def _cidrs(
    visit: Visit, pools: Sequence[ipam_pool_pb2.IpamPool]
) -> Mapping[str, Sequence[str]]:
    """Their CIDRs: pools of one source pool by its allocations, others one by one.

    Nothing of them, where that takes too many calls.
    """
    sources = sorted({pool.source_ipam_pool_id for pool in pools if pool.source_ipam_pool_id})
    others = [pool.ipam_pool_id for pool in pools if not pool.source_ipam_pool_id]
    if len(sources) + len(others) > _MOST_CALLS:
        return {}
    allocated, provisioned = await asyncio.gather(
        visit.api.gather(*(_allocated_in(one) for one in sources)),
        visit.api.gather(*(_provisioned_to(one) for one in others)),
    )
    found = {pool.ipam_pool_id: list[str]() for pool in pools}
    for answer in allocated:
        for one in answer.ipam_pool_allocations:
            found.get(one.resource_id, []).append(one.cidr)
    for pool_id, page in zip(others, provisioned, strict=True):
        found[pool_id] = [one.cidr for one in page.ipam_pool_cidrs]
    return found


def _allocated_in(
    pool_id: str,
) -> tuple[Message, type[allocation.GetIpamPoolAllocationsResponse]]:
    request = allocation.GetIpamPoolAllocationsRequest(
        ipam_pool_id=pool_id,
        filters=[types_pb2.Filter(name="resource-type", values=["ipam-pool"])],
        max_results=1000,
    )
    return request, allocation.GetIpamPoolAllocationsResponse


def _provisioned_to(pool_id: str) -> tuple[Message, type[allocation.GetIpamPoolCidrsResponse]]:
    request = allocation.GetIpamPoolCidrsRequest(ipam_pool_id=pool_id, max_results=5)
    return request, allocation.GetIpamPoolCidrsResponse


def _some(cidrs: Sequence[str], count: int) -> str:
    if not cidrs:
        return f"{count:,} CIDR{'' if count == 1 else 's'}" if count else ""
    return "\n".join([*cidrs[:_SHOWN_CIDRS], *(["…"] if len(cidrs) > _SHOWN_CIDRS else [])])


def in_use(usage: ledger_service_pb2.IpamPoolUsage) -> int:
    """How many addresses are other pools', resources' or reserved."""
    return int(usage.allocated_addresses) + int(usage.assigned_addresses)


def _row(
    visit: Visit,
    part: _Part,
    depth: int,
    pool: ipam_pool_pb2.IpamPool,
    usage: ledger_service_pb2.IpamPoolUsage | None,
    cidrs: Mapping[str, Sequence[str]],
) -> Row:
    pool_id = pool.ipam_pool_id
    is_open = pool_id in part.opened
    others = [one for one in part.opened if one != pool_id]
    toggled = ",".join(others if is_open else [*others, pool_id])
    total = int(usage.total_addresses) if usage else 0
    share = share_of(in_use(usage), total) if usage and total else None
    return Row(
        depth=depth,
        name=name_of(pool.tags) or pool_id,
        pool_id=pool_id,
        url=visit.url(f"/pools/{pool_id}"),
        cidrs=_some(cidrs.get(pool_id, ()), usage.cidr_count if usage else 0),
        family=word_of(pool, "address_family"),
        locale=pool.locale or "None",
        state=word_of(pool, "state"),
        description=pool.description,
        share=share,
        usage=f"{percent_of(share)} of {count_of(total)}" if share is not None else "",
        toggle_url=visit.with_query(open=toggled or None, done=None)
        if part.can_toggle(pool_id)
        else "",
        is_open=is_open,
        more_url=(
            visit.with_query(under=pool_id, open=None, token=None, done=None)
            if part.has_more(pool_id)
            else ""
        ),
    )
