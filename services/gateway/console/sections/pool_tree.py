"""The hierarchy of a scope's pools, as much of it as a page can show at once.

Top-level pools come a page at a time. A level below is shown as a whole where it is small enough,
and otherwise pool by pool, where somebody opens one: what a page costs doesn't grow with the
number of pools there are.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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

_MOST_ROWS = 150
"""Of levels that are shown as a whole, together."""
_MOST_CHILDREN = 100
"""Of a pool that is opened; all of them are on a page of their own."""
_MOST_CALLS = 50
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


class _Level:
    """Pools by the pool they are in."""

    def __init__(self) -> None:
        self.children: dict[str, list[ipam_pool_pb2.IpamPool]] = defaultdict(list)
        self.known: set[str] = set()
        """Pools whose children are known."""
        self.cut: set[str] = set()
        """Pools that have more children than are known."""


async def tree_of(visit: Visit, scope: ipam_scope_pb2.IpamScope) -> Tree:
    """The part that the query asks for: ``under`` a pool, ``open`` pools, a ``token`` of a page.

    Raises:
        CadastreError: it names a pool that isn't there, or a context's refusal.
    """
    under = visit.query.get("under", "")
    root = await visit.api.pool(under) if under else None
    of_scope = types_pb2.Filter(name="ipam-scope-arn", values=[scope.ipam_scope_arn])
    of_root = (
        types_pb2.Filter(name="source-ipam-pool-id", values=[under])
        if under
        else types_pb2.Filter(name="pool-depth", values=["1"])
    )
    page = await visit.api.call(
        pb.DescribeIpamPoolsRequest(
            filters=[of_scope, of_root],
            max_results=PAGE_ROWS,
            next_token=visit.query.get("token") or None,
        ),
        pb.DescribeIpamPoolsResponse,
    )
    level = await _levels(visit, page.ipam_pools)
    opened = [one for one in visit.query.get("open", "").split(",") if one]
    closed = [pool_id for pool_id in opened if pool_id not in level.known]
    await asyncio.gather(*(_open(visit, level, pool_id) for pool_id in closed[:_MOST_OPEN]))
    pools = [one for _, one in _flat(page.ipam_pools, level, 0)]
    usages, cidrs = await asyncio.gather(visit.api.pool_usages(pools), _cidrs(visit, pools))
    rows = [
        _row(visit, level, opened, depth, pool, usages.get(pool.ipam_pool_id), cidrs)
        for depth, pool in _flat(page.ipam_pools, level, 0)
    ]
    return Tree(
        rows,
        root,
        visit.with_query(token=None, done=None) if visit.query.get("token") else "",
        visit.with_query(token=page.next_token, done=None) if page.next_token else "",
        any(is_busy(row.state) for row in rows),
    )


async def _levels(visit: Visit, pools: Sequence[ipam_pool_pb2.IpamPool]) -> _Level:
    """All levels below ``pools`` that are small enough."""
    level, parents, room = _Level(), list(pools), _MOST_ROWS - len(pools)
    while parents and room >= PAGE_ROWS:
        ids = [one.ipam_pool_id for one in parents]
        answer = await visit.api.call(_below(ids, room), pb.DescribeIpamPoolsResponse)
        if answer.next_token:
            break
        level.known.update(ids)
        for pool in answer.ipam_pools:
            level.children[pool.source_ipam_pool_id].append(pool)
        parents, room = list(answer.ipam_pools), room - len(answer.ipam_pools)
    return level


async def _open(visit: Visit, level: _Level, pool_id: str) -> None:
    request = _below([pool_id], _MOST_CHILDREN)
    answer = await visit.api.call(request, pb.DescribeIpamPoolsResponse)
    level.known.add(pool_id)
    level.children[pool_id] = list(answer.ipam_pools)
    if answer.next_token:
        level.cut.add(pool_id)


def _below(pool_ids: Sequence[str], most: int) -> pb.DescribeIpamPoolsRequest:
    return pb.DescribeIpamPoolsRequest(
        filters=[types_pb2.Filter(name="source-ipam-pool-id", values=pool_ids)], max_results=most
    )


def _flat(
    pools: Iterable[ipam_pool_pb2.IpamPool], level: _Level, depth: int
) -> Sequence[tuple[int, ipam_pool_pb2.IpamPool]]:
    """The hierarchy in reading order."""
    found = []
    for pool in sorted(pools, key=lambda one: (name_of(one.tags), one.ipam_pool_id)):
        found.append((depth, pool))
        found.extend(_flat(level.children.get(pool.ipam_pool_id, ()), level, depth + 1))
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
    level: _Level,
    opened: Sequence[str],
    depth: int,
    pool: ipam_pool_pb2.IpamPool,
    usage: ledger_service_pb2.IpamPoolUsage | None,
    cidrs: Mapping[str, Sequence[str]],
) -> Row:
    pool_id = pool.ipam_pool_id
    is_open = pool_id in opened
    others = [one for one in opened if one != pool_id]
    toggled = ",".join(others if is_open else [*others, pool_id])
    can_toggle = is_open or pool_id not in level.known
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
        toggle_url=visit.with_query(open=toggled or None, done=None) if can_toggle else "",
        is_open=is_open,
        more_url=(
            visit.with_query(under=pool_id, open=None, token=None, done=None)
            if pool_id in level.cut
            else ""
        ),
    )
