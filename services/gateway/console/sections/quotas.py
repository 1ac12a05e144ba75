"""Quotas: what the account may have, and what it has (requirements.md section 14)."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup
from starlette.responses import Response

from cadastre.common.quotas.v1 import quota_service_pb2 as pb
from cadastre.control.v1 import control_service_pb2 as control
from cadastre.control.v1 import resource_discovery_service_pb2 as discoveries
from services.gateway.console.bars import bar
from services.gateway.console.choices import pools
from services.gateway.console.section import Group, Page, Section
from services.gateway.console.visit import Visit
from services.gateway.console.words import percent_of, sentence_of, share_of


@dataclass(frozen=True, slots=True)
class Line:
    """One quota."""

    name: str
    value: int
    used: str
    """Of the thing that is nearest to it; empty: nobody counted."""
    drawing: Markup | None
    variable: str


async def show(visit: Visit) -> Response:
    """All quotas of the account, with what is used of those that are counted quickly."""
    quotas, used = await asyncio.gather(visit.api.quotas(), _used(visit))
    return visit.page(
        "quotas.html",
        title="Quotas",
        lines=[_line(one, used.get(one.name)) for one in quotas],
    )


def _line(one: pb.Quota, used: int | None) -> Line:
    name = sentence_of(one.name)
    share = share_of(used, one.value) if used is not None else 0.0
    return Line(
        name,
        one.value,
        f"{used:,} ({percent_of(share)})" if used is not None else "",
        bar(share, f"{name} used") if used is not None else None,
        f"CADASTRE_QUOTA_{one.name.replace('-', '_').upper()}",
    )


async def _used(visit: Visit) -> Mapping[str, int]:
    """The most that one thing has of what a quota limits."""
    ipams, scopes, found, excluded = await asyncio.gather(
        visit.api.call(control.DescribeIpamsRequest(), control.DescribeIpamsResponse),
        visit.api.call(control.DescribeIpamScopesRequest(), control.DescribeIpamScopesResponse),
        pools(visit),
        visit.api.call(
            discoveries.DescribeIpamResourceDiscoveriesRequest(),
            discoveries.DescribeIpamResourceDiscoveriesResponse,
        ),
    )
    own = [one for one in found if visit.api.own(one)]
    return {
        "scopes-per-ipam": _most(one.scope_count for one in ipams.ipams),
        "discovery-associations-per-ipam": _most(
            one.resource_discovery_association_count for one in ipams.ipams
        ),
        "pools-per-scope": _most(one.pool_count for one in scopes.ipam_scopes),
        "pool-depth": _most(one.pool_depth for one in own),
        "ou-exclusions-per-discovery": _most(
            len(one.organizational_unit_exclusions) for one in excluded.ipam_resource_discoveries
        ),
    }


def _most(counts: Iterable[int]) -> int:
    return max(counts, default=0)


SECTION = Section(
    title="Quotas",
    path="/quotas",
    group=Group.ADMINISTRATION,
    pages=(Page("/quotas", show),),
)
