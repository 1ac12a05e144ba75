"""The dashboard of a scope: what there is, how well it is, and how it went (MON-7)."""

import asyncio
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

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
_WIDGETS: Mapping[str, str] = {
    "scope": "Scope",
    "types": "Resource CIDR types",
    "management": "Management state",
    "overlapping": "Overlapping resource CIDRs",
    "compliant": "Compliant resource CIDRs",
    "vpcs-ipv4": "VPC utilization (IPv4)",
    "vpcs-ipv6": "VPC utilization (IPv6)",
    "subnets-ipv4": "Subnet utilization (IPv4)",
    "vpcs-assigned": "VPCs with the most IPs assigned",
    "subnets-allocated": "Subnets with the most IPs allocated",
    "overlap-history": "Overlap status over time",
    "compliance-history": "Compliance status over time",
    "pool-assignment": "Pool assignment: space assigned to resources",
    "pool-allocation": "Pool allocation: space allocated to other pools",
}
"""The guide's, by the names that the query's ``hide`` has of them. They stay: pages are kept."""
_OUT_OF_REACH = "What tells of the past did not answer. Try again in a moment."
_POOL_METRICS = {"pool-assignment": "PercentAssigned", "pool-allocation": "PercentAllocated"}
_VPC, _SUBNET = monitoring.IPAM_RESOURCE_TYPE_VPC, monitoring.IPAM_RESOURCE_TYPE_SUBNET


@dataclass(frozen=True, slots=True)
class Widget:
    """A widget that is shown."""

    title: str
    hide_url: str


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

    key: str
    drawing: Markup
    names: Sequence[str]
    rows: Sequence[tuple[str, str, str, str, str]]
    """Each line's name, and its first, least, greatest and last value in words."""
    has_data: bool


@dataclass(frozen=True, slots=True)
class _Line:
    """What is asked for a line of a chart."""

    name: str
    metric: str
    dimensions: Mapping[str, str]


async def show(visit: Visit) -> Response:
    """The widgets of one scope, but for those that the query's ``hide`` names."""
    scope, found = await scope_of_page(visit)
    if scope is None:
        return visit.page("no_ipam.html", title="Dashboard")
    own = visit.api.own(scope)
    if own is None:
        raise UnknownId("InvalidIpamScopeId", scope.ipam_scope_id)
    family, window = _choice(visit, "family", _FAMILIES), _choice(visit, "window", _WINDOWS, "3h")
    widgets, hidden = _widgets(visit)
    counts, usages, (charts, unavailable) = await asyncio.gather(
        _counts(visit, scope, own, family),
        _usages(visit, own, widgets),
        _charts(visit, scope, own, family, window, widgets),
    )
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
        widgets=widgets,
        hide=visit.query.get("hide", ""),
        hidden=hidden,
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


def _widgets(visit: Visit) -> tuple[Mapping[str, Widget], Sequence[Link]]:
    """The widgets that are shown, and how the others come back."""
    named = visit.query.get("hide", "").split(",")
    hidden = [key for key in _WIDGETS if key in named]

    def url(keys: Sequence[str]) -> str:
        return visit.with_query(hide=",".join(keys))

    shown = {
        key: Widget(title, url([*hidden, key]))
        for key, title in _WIDGETS.items()
        if key not in hidden
    }
    back = [Link(_WIDGETS[key], url([one for one in hidden if one != key])) for key in hidden]
    return shown, [*back, Link("All widgets", url([]))] if len(back) > 1 else back


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
    """The guide's counting widgets: which it is, a bar, and what is in it."""

    def widget(
        key: str, field: str, filter_: str, words: Sequence[tuple[str, str, str]]
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
        return key, stacked_bar(_WIDGETS[key], parts), parts

    return [
        widget(
            "types",
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
            "management",
            "management_state",
            "management-state",
            (
                ("managed", "Managed CIDRs", "good"),
                ("unmanaged", "Unmanaged CIDRs", "busy"),
                ("ignored", "Ignored CIDRs", "quiet"),
            ),
        ),
        widget(
            "overlapping",
            "overlap_status",
            "overlap-status",
            (
                ("nonoverlapping", "Nonoverlapping CIDRs", "good"),
                ("overlapping", "Overlapping CIDRs", "bad"),
            ),
        ),
        widget(
            "compliant",
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
    visit: Visit, own: Owned, widgets: Container[str]
) -> Sequence[tuple[str, Sequence[tuple[str, Sequence[Used]]]]]:
    """VPCs and subnets by how full they are, as the guide's widgets have them."""

    async def ask(
        kind: monitoring.IpamResourceType.ValueType, family: str, *keys: str
    ) -> Sequence[pb.ResourceUtilization]:
        is_shown = any(key in widgets for key in keys)
        return await _utilization(visit, own, kind, family) if is_shown else []

    vpcs4, vpcs6, subnets4 = await asyncio.gather(
        ask(_VPC, "ipv4", "vpcs-ipv4", "vpcs-assigned"),
        ask(_VPC, "ipv6", "vpcs-ipv6"),
        ask(_SUBNET, "ipv4", "subnets-ipv4", "subnets-allocated"),
    )
    return [
        ("vpcs-ipv4", _ends(visit, own, vpcs4)),
        ("vpcs-ipv6", _ends(visit, own, vpcs6)),
        ("subnets-ipv4", _ends(visit, own, subnets4)),
        (
            "vpcs-assigned",
            [("Largest share in subnets", _used(visit, own, vpcs4[:_LISTED]))],
        ),
        (
            "subnets-allocated",
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
    scope: ipam_scope_pb2.IpamScope,
    own: Owned,
    family: str,
    window: str,
    widgets: Container[str],
) -> tuple[Sequence[Chart], str]:
    """What CloudWatch tells of the window; and why something of it is missing, in a sentence."""
    span, period = _WINDOWS[window]
    end = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    start = end - span
    of_scope = {"AddressFamily": family, "ScopeID": own.resource_id}
    lines: dict[str, Sequence[_Line]] = {
        "overlap-history": [_Line("Overlapping", "OverlappingResourceCidrs", of_scope)],
        "compliance-history": [
            _Line("Compliant", "CompliantResourceCidrs", of_scope),
            _Line("Noncompliant", "NoncompliantResourceCidrs", of_scope),
        ],
    }
    of_pools = [key for key in _POOL_METRICS if key in widgets]
    pools = await _pools(visit, scope, family) if of_pools else []
    for key in of_pools:
        lines[key] = [_line_of(pool, _POOL_METRICS[key], of_scope) for pool in pools]
    lines = {key: some for key, some in lines.items() if key in widgets}
    try:
        found, is_whole = await _history(visit, lines, start, end, period)
    except CadastreError as refusal:
        # All else on the page is there; what is missing is said in its place.
        return [], refusal.message
    charts = [
        _chart(key, some, start, end, "%" if key in _POOL_METRICS else "")
        for key, some in found.items()
    ]
    return charts, "" if is_whole else _OUT_OF_REACH


def _line_of(pool: ipam_pool_pb2.IpamPool, metric: str, of_scope: Mapping[str, str]) -> _Line:
    dimensions = {**of_scope, "Locale": pool.locale or "None", "PoolID": pool.ipam_pool_id}
    return _Line(name_of(pool.tags) or pool.ipam_pool_id, metric, dimensions)


async def _history(
    visit: Visit,
    lines: Mapping[str, Sequence[_Line]],
    start: datetime,
    end: datetime,
    period: int,
) -> tuple[Mapping[str, Sequence[Series]], bool]:
    """The lines of each chart, and whether the past was there to be asked.

    Raises:
        CadastreError: a policy forbids it, or the metrics context doesn't answer.
    """
    wanted = [line for some in lines.values() for line in some]
    if not wanted:
        return {key: [] for key in lines}, True
    request = metrics.GetMetricDataRequest(
        metric_data_queries=[_query(number, line, period) for number, line in enumerate(wanted)],
        scan_by=metrics.SCAN_BY_TIMESTAMP_ASCENDING,
    )
    request.start_time.FromDatetime(start)
    request.end_time.FromDatetime(end)
    answer = await visit.api.call(request, metrics.GetMetricDataResponse)
    by_id = {one.id: one for one in answer.metric_data_results}
    series = iter(
        [Series(line.name, _points(by_id.get(f"m{number}"))) for number, line in enumerate(wanted)]
    )
    # A past that is out of reach is no refusal: CloudWatch says it of each line.
    is_whole = all(
        one.status_code != metrics.METRIC_DATA_STATUS_INTERNAL_ERROR
        for one in answer.metric_data_results
    )
    return {key: list(islice(series, len(some))) for key, some in lines.items()}, is_whole


def _query(number: int, line: _Line, period: int) -> metrics.MetricDataQuery:
    return metrics.MetricDataQuery(
        id=f"m{number}",
        metric_stat=metrics.MetricStat(
            metric=metrics.Metric(
                namespace=_NAMESPACE,
                metric_name=line.metric,
                dimensions=[
                    metrics.Dimension(name=key, value=value)
                    for key, value in line.dimensions.items()
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


def _chart(key: str, series: Sequence[Series], start: datetime, end: datetime, unit: str) -> Chart:
    def told(value: float) -> str:
        return percent_of(value) if unit else f"{value:,.0f}"

    def row(one: Series) -> tuple[str, str, str, str, str]:
        values = [value for _, value in one.points]
        return one.name, told(values[0]), told(min(values)), told(max(values)), told(values[-1])

    return Chart(
        key,
        line_chart(_WIDGETS[key], series, start, end, unit=unit),
        [one.name for one in series],
        [row(one) for one in series if one.points],
        any(one.points for one in series),
    )


SECTION = Section(
    title="Dashboard",
    path="/dashboard",
    group=Group.PLANNING,
    pages=(Page("/dashboard", show),),
)
