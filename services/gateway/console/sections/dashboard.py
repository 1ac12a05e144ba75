"""The dashboard of a scope: what there is, how well it is, and how it went (MON-7)."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from markupsafe import Markup
from starlette.responses import Response

from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import control_service_pb2 as control
from cadastre.control.v1 import ipam_pool_pb2, ipam_scope_pb2
from cadastre.discovery.v1 import monitoring_service_pb2 as monitoring
from cadastre.discovery.v1 import usage_service_pb2 as pb
from cadastre.metrics.v1 import cloud_watch_service_pb2 as metrics
from services.gateway.console.api import Owned
from services.gateway.console.bars import bar
from services.gateway.console.choices import scope_of_page, text_of_scope
from services.gateway.console.drawings import Part, Series, line_chart, stacked_bar
from services.gateway.console.section import Group, Page, Section
from services.gateway.console.tables import Cell, badge, text
from services.gateway.console.visit import Link, Visit
from services.gateway.console.words import name_of, percent_of, word_of
from shared.errors import CadastreError, InvalidParameterValue, UnknownId

_WINDOWS: Mapping[str, tuple[timedelta, int]] = {
    "1h": (timedelta(hours=1), 60),
    "3h": (timedelta(hours=3), 60),
    "1d": (timedelta(days=1), 600),
    "7d": (timedelta(days=7), 3600),
    "30d": (timedelta(days=30), 14400),
}
"""Each with the seconds between two points of it."""
_FAMILIES = {"ipv4": types_pb2.ADDRESS_FAMILY_IPV4, "ipv6": types_pb2.ADDRESS_FAMILY_IPV6}
_CHARTED_POOLS = 6
_LISTED = 5
_NAMESPACE = "AWS/IPAM"
_VPC, _SUBNET = monitoring.IPAM_RESOURCE_TYPE_VPC, monitoring.IPAM_RESOURCE_TYPE_SUBNET


@dataclass(frozen=True, slots=True)
class Used:
    """A resource and how full it is."""

    name: str
    url: str
    share: str
    drawing: Markup


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart over time, with what its lines are."""

    title: str
    drawing: Markup
    names: Sequence[str]
    rows: Sequence[tuple[str, str, str]]
    """Each line's name, and its first and last value in words."""
    has_data: bool


async def show(visit: Visit) -> Response:
    """All widgets of one scope."""
    scope, found = await scope_of_page(visit)
    if scope is None:
        return visit.page("no_ipam.html", title="Dashboard")
    own = visit.api.own(scope)
    if own is None:
        raise UnknownId("InvalidIpamScopeId", scope.ipam_scope_id)
    family, window = _choice(visit, "family", _FAMILIES), _choice(visit, "window", _WINDOWS, "3h")
    counts, usages, pools = await asyncio.gather(
        _counts(visit, scope, own, family),
        _usages(visit, own),
        _pools(visit, scope, family),
    )
    charts, unavailable = await _charts(visit, own, family, window, pools)
    resources = {"scope": scope.ipam_scope_id}
    return visit.page(
        "dashboard.html",
        title="Dashboard",
        scope=scope,
        scopes=[(one.ipam_scope_id, text_of_scope(one)) for one in found],
        facts=_facts(visit, scope),
        family=family,
        window=window,
        families=[
            Link(label, visit.with_query(family=one), one == family)
            for one, label in (("ipv4", "IPv4"), ("ipv6", "IPv6"))
        ],
        windows=[Link(one, visit.with_query(window=one), one == window) for one in _WINDOWS],
        counted=_counted(visit, counts, resources),
        usages=usages,
        charts=charts,
        unavailable=unavailable,
    )


def _choice(visit: Visit, name: str, known: Mapping[str, object], default: str = "ipv4") -> str:
    wanted = visit.query.get(name) or default
    if wanted not in known:
        raise InvalidParameterValue(
            f"Value ({wanted}) for parameter {name} is invalid. Use one of {', '.join(known)}",
            parameter=name,
        )
    return wanted


def _facts(visit: Visit, scope: ipam_scope_pb2.IpamScope) -> Sequence[tuple[str, Cell | str]]:
    scope_id = scope.ipam_scope_id
    ipam_id = scope.ipam_arn.rpartition("/")[2]
    return (
        ("Scope ID", Cell(scope_id, is_code=True)),
        ("Scope type", badge(word_of(scope, "ipam_scope_type"))),
        ("IPAM ID", Cell(ipam_id, url=visit.url(f"/ipams/{ipam_id}"), is_code=True)),
        (
            "Pools in this scope",
            text(str(scope.pool_count), url=visit.url("/pools", scope=scope_id)),
        ),
        (
            "Networking resources",
            Cell("View resources in this scope", url=visit.url("/resources", scope=scope_id)),
        ),
        (
            "IP history",
            Cell("Search IP history in this scope", url=visit.url("/history", scope=scope_id)),
        ),
    )


async def _counts(
    visit: Visit, scope: ipam_scope_pb2.IpamScope, own: Owned, family: str
) -> Sequence[pb.ResourceCidrCount]:
    ipam_id = scope.ipam_arn.rpartition("/")[2]
    answer = await visit.api.figures(
        pb.ListResourceCidrCountsRequest(ipam_id=ipam_id),
        pb.ListResourceCidrCountsResponse,
        of=own,
        action="ec2:GetIpamResourceCidrs",
    )
    return [
        one
        for one in answer.counts
        if one.ipam_scope_id == own.resource_id and one.address_family == _FAMILIES[family]
    ]


def _counted(
    visit: Visit, counts: Sequence[pb.ResourceCidrCount], resources: Mapping[str, str]
) -> Sequence[tuple[str, Markup, Sequence[Part]]]:
    """The guide's counting widgets: a title, a bar, and what is in it."""

    def widget(
        title: str, field: str, filter_: str, words: Sequence[tuple[str, str, str]]
    ) -> tuple[str, Markup, Sequence[Part]]:
        found: Counter[str] = Counter()
        for one in counts:
            found[_word(one, field)] += one.count
        parts = [
            Part(
                label,
                found[word],
                tone,
                visit.url("/resources", **{**resources, f"f.{filter_}": word}),
            )
            for word, label, tone in words
        ]
        return title, stacked_bar(title, parts), parts

    return [
        widget(
            "Resource CIDR types",
            "resource_type",
            "resource-type",
            (
                ("vpc", "VPC", "plain"),
                ("subnet", "Subnet", "good"),
                ("eip", "EIP", "busy"),
                ("public-ipv4-pool", "Public IPv4 pool", "quiet"),
            ),
        ),
        widget(
            "Management state",
            "management_state",
            "management-state",
            (
                ("managed", "Managed CIDRs", "good"),
                ("unmanaged", "Unmanaged CIDRs", "busy"),
                ("ignored", "Ignored CIDRs", "quiet"),
            ),
        ),
        widget(
            "Overlapping resource CIDRs",
            "overlap_status",
            "overlap-status",
            (
                ("nonoverlapping", "Nonoverlapping CIDRs", "good"),
                ("overlapping", "Overlapping CIDRs", "bad"),
            ),
        ),
        widget(
            "Compliant resource CIDRs",
            "compliance_status",
            "compliance-status",
            (
                ("compliant", "Compliant CIDRs", "good"),
                ("noncompliant", "Noncompliant CIDRs", "bad"),
            ),
        ),
    ]


def _word(count: pb.ResourceCidrCount, field: str) -> str:
    """Of enums without presence: 0 is no value."""
    enum = _ENUMS[field]
    return enum.get(getattr(count, field), "")


_ENUMS: Mapping[str, Mapping[int, str]] = {
    "resource_type": {
        monitoring.IPAM_RESOURCE_TYPE_VPC: "vpc",
        monitoring.IPAM_RESOURCE_TYPE_SUBNET: "subnet",
        monitoring.IPAM_RESOURCE_TYPE_EIP: "eip",
        monitoring.IPAM_RESOURCE_TYPE_PUBLIC_IPV4_POOL: "public-ipv4-pool",
    },
    "management_state": {
        monitoring.IPAM_MANAGEMENT_STATE_MANAGED: "managed",
        monitoring.IPAM_MANAGEMENT_STATE_UNMANAGED: "unmanaged",
        monitoring.IPAM_MANAGEMENT_STATE_IGNORED: "ignored",
    },
    "compliance_status": {
        monitoring.IPAM_COMPLIANCE_STATUS_COMPLIANT: "compliant",
        monitoring.IPAM_COMPLIANCE_STATUS_NONCOMPLIANT: "noncompliant",
    },
    "overlap_status": {
        monitoring.IPAM_OVERLAP_STATUS_OVERLAPPING: "overlapping",
        monitoring.IPAM_OVERLAP_STATUS_NONOVERLAPPING: "nonoverlapping",
    },
}


async def _usages(
    visit: Visit, own: Owned
) -> Sequence[tuple[str, Sequence[tuple[str, Sequence[Used]]]]]:
    """VPCs and subnets by how full they are, as the guide's widgets have them."""
    vpcs4, vpcs6, subnets4 = await asyncio.gather(
        _utilization(visit, own, _VPC, "ipv4"),
        _utilization(visit, own, _VPC, "ipv6"),
        _utilization(visit, own, _SUBNET, "ipv4"),
    )
    return [
        ("VPC utilization (IPv4)", _ends(visit, own, vpcs4)),
        ("VPC utilization (IPv6)", _ends(visit, own, vpcs6)),
        ("Subnet utilization (IPv4)", _ends(visit, own, subnets4)),
        (
            "VPCs with the most IPs assigned",
            [("Largest share in subnets", _used(visit, own, vpcs4[:_LISTED]))],
        ),
        (
            "Subnets with the most IPs allocated",
            [("Largest share in use", _used(visit, own, subnets4[:_LISTED]))],
        ),
    ]


async def _utilization(
    visit: Visit, own: Owned, kind: monitoring.IpamResourceType.ValueType, family: str
) -> Sequence[pb.ResourceUtilization]:
    answer = await visit.api.figures(
        pb.ListResourceUtilizationRequest(
            ipam_scope_id=own.resource_id,
            resource_type=kind,
            address_family=_FAMILIES[family],
            highest=_LISTED,
            lowest=_LISTED,
        ),
        pb.ListResourceUtilizationResponse,
        of=own,
        action="ec2:GetIpamResourceCidrs",
    )
    return answer.utilizations


def _ends(
    visit: Visit, own: Owned, found: Sequence[pb.ResourceUtilization]
) -> Sequence[tuple[str, Sequence[Used]]]:
    lowest = found[-_LISTED:] if len(found) > _LISTED else found
    return [
        ("Highest", _used(visit, own, found[:_LISTED])),
        ("Lowest", _used(visit, own, list(reversed(lowest)))),
    ]


def _used(visit: Visit, own: Owned, found: Sequence[pb.ResourceUtilization]) -> Sequence[Used]:
    return [
        Used(
            one.name or one.resource_id,
            visit.url(f"/resources/{one.resource_id}", scope=own.resource_id),
            percent_of(100 * one.ip_usage),
            bar(100 * one.ip_usage, "IP usage"),
        )
        for one in found
    ]


async def _pools(
    visit: Visit, scope: ipam_scope_pb2.IpamScope, family: str
) -> Sequence[ipam_pool_pb2.IpamPool]:
    """The scope's first pools: those at the top come first."""
    request = control.DescribeIpamPoolsRequest(
        filters=[
            types_pb2.Filter(name="ipam-scope-arn", values=[scope.ipam_scope_arn]),
            types_pb2.Filter(name="address-family", values=[family]),
        ],
        max_results=50,
    )
    answer = await visit.api.call(request, control.DescribeIpamPoolsResponse)
    return sorted(answer.ipam_pools, key=lambda pool: pool.pool_depth)[:_CHARTED_POOLS]


async def _charts(
    visit: Visit,
    own: Owned,
    family: str,
    window: str,
    pools: Sequence[ipam_pool_pb2.IpamPool],
) -> tuple[Sequence[Chart], str]:
    """What CloudWatch tells of the window; or why there is nothing, in a sentence."""
    span, period = _WINDOWS[window]
    end = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    start = end - span
    of_scope = {"AddressFamily": family, "ScopeID": own.resource_id}
    wanted: list[tuple[str, str, Mapping[str, str]]] = [
        ("Overlapping", "OverlappingResourceCidrs", of_scope),
        ("Compliant", "CompliantResourceCidrs", of_scope),
        ("Noncompliant", "NoncompliantResourceCidrs", of_scope),
    ]
    for name in ("PercentAssigned", "PercentAllocated"):
        wanted.extend(
            (
                name_of(pool.tags) or pool.ipam_pool_id,
                name,
                {**of_scope, "Locale": pool.locale or "None", "PoolID": pool.ipam_pool_id},
            )
            for pool in pools
        )
    request = metrics.GetMetricDataRequest(
        metric_data_queries=[
            _query(number, name, dimensions, period)
            for number, (_, name, dimensions) in enumerate(wanted)
        ],
        scan_by=metrics.SCAN_BY_TIMESTAMP_ASCENDING,
    )
    request.start_time.FromDatetime(start)
    request.end_time.FromDatetime(end)
    try:
        answer = await visit.api.call(request, metrics.GetMetricDataResponse)
    except CadastreError as refusal:
        # All else on the page is there; what is missing is said in its place.
        return [], refusal.message
    by_id = {one.id: one for one in answer.metric_data_results}
    series = [
        Series(label, _points(by_id.get(f"m{number}")))
        for number, (label, _, _) in enumerate(wanted)
    ]
    of_pools = series[3:]
    half = len(of_pools) // 2
    return [
        _chart("Overlap status over time", series[:1], start, end),
        _chart("Compliance status over time", series[1:3], start, end),
        _chart("Pool assignment: space assigned to resources", of_pools[:half], start, end, "%"),
        _chart("Pool allocation: space allocated to other pools", of_pools[half:], start, end, "%"),
    ], ""


def _query(
    number: int, name: str, dimensions: Mapping[str, str], period: int
) -> metrics.MetricDataQuery:
    return metrics.MetricDataQuery(
        id=f"m{number}",
        metric_stat=metrics.MetricStat(
            metric=metrics.Metric(
                namespace=_NAMESPACE,
                metric_name=name,
                dimensions=[
                    metrics.Dimension(name=key, value=value) for key, value in dimensions.items()
                ],
            ),
            period=period,
            stat="Average",
        ),
    )


def _points(result: metrics.MetricDataResult | None) -> Sequence[tuple[datetime, float]]:
    if result is None:
        return []
    moments = [one.ToDatetime(tzinfo=UTC) for one in result.timestamps]
    return sorted(zip(moments, result.values, strict=True))


def _chart(
    title: str, series: Sequence[Series], start: datetime, end: datetime, unit: str = ""
) -> Chart:
    def told(value: float) -> str:
        return percent_of(value) if unit else f"{value:,.0f}"

    return Chart(
        title,
        line_chart(title, series, start, end, unit=unit),
        [one.name for one in series],
        [
            (one.name, told(one.points[0][1]), told(one.points[-1][1]))
            for one in series
            if one.points
        ],
        any(one.points for one in series),
    )


SECTION = Section(
    title="Dashboard",
    path="/dashboard",
    group=Group.PLANNING,
    pages=(Page("/dashboard", show),),
)
