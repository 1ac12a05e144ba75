"""How IPAMs, their scopes and pools are, at one look (MON-7)."""

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from deploy.grafana.dashboards import variables
from deploy.grafana.dashboards.board import Head, Panels, Section, board
from deploy.grafana.dashboards.changes import pool_changes, record_changes
from deploy.grafana.dashboards.panels import (
    Line,
    Size,
    Text,
    layers,
    number,
    shares,
    usage_ranking,
    usage_trend,
)
from deploy.grafana.dashboards.queries import (
    IN_IPAM,
    IN_SCOPE,
    active_ips,
    of_pools,
    or_none,
    resource_cidrs,
)
from deploy.grafana.dashboards.style import NONE_WANTED, PLAIN, TIME_LEFT, USAGE
from deploy.grafana.dashboards.tables import Figure, Key, figures_table

_POOL = "ipam_pool_id, locale, address_family"
_SCOPE = "ipam_scope_id, address_family"
_TIME_LEFT = f"cadastre:ipam_pool_exhaustion_timestamp_seconds{{{IN_SCOPE}}} - time()"
_MANAGEMENT = ("managed", "unmanaged", "ignored")
_COMPLIANCE = ("compliant", "noncompliant", "unmanaged", "ignored")
_OVERLAP = ("nonoverlapping", "overlapping", "ignored")
_TYPES = ("vpc", "subnet", "eip", "public-ipv4-pool", "ipv6-pool", "eni", "anycast-ip-list")


def dashboard() -> Dashboard:
    """The one to begin with."""
    head = Head(
        "cadastre-overview",
        "Cadastre / Overview",
        "Address space at one look: scopes, the fullest pools, what is monitored, what is amiss.",
    )
    chosen = [variables.datasource(), variables.ipam(), variables.scope(), variables.family()]
    sections = [
        Section("At one look", _numbers()),
        Section("Address space", _address_space()),
        Section("Monitored resources", _monitored()),
        Section("Highest and lowest usage", _usage()),
        Section("What happens", _events()),
        Section("Alerts", [_alerts()]),
    ]
    return board(head, chosen, sections)


def _numbers() -> Panels:
    managed = resource_cidrs("", f'{IN_SCOPE}, management_state="managed"')
    manageable = resource_cidrs("", f'{IN_SCOPE}, management_state=~"managed|unmanaged"')
    noncompliant = resource_cidrs("", f'{IN_SCOPE}, compliance_status="noncompliant"')
    overlapping = resource_cidrs("", f'{IN_SCOPE}, overlap_status="overlapping"')
    firing = 'count(ALERTS{alertname=~"Cadastre.+", alertstate="firing"})'
    return [
        number(
            Text("Active IP addresses", "Addresses and prefixes on interfaces that are in use."),
            or_none(active_ips("", IN_IPAM)),
            "short",
        ),
        number(
            Text("Pools", "Pools in the scopes chosen above."),
            or_none(f"count({of_pools('addresses', 'ipam_pool_id', IN_SCOPE)})"),
            "short",
        ),
        number(
            Text(
                "Resource CIDRs", "CIDRs of VPCs, subnets and other resources that are monitored."
            ),
            or_none(resource_cidrs("", IN_SCOPE)),
            "short",
        ),
        number(
            Text("Managed", "Part of the CIDRs that can be managed that a pool has allocated."),
            f"{managed} / {manageable}",
            "percentunit",
        ),
        number(
            Text("Noncompliant", "CIDRs that break a rule of their pool."),
            or_none(noncompliant),
            "short",
            steps=NONE_WANTED,
        ),
        number(
            Text("Overlapping", "CIDRs that overlap with others of their scope."),
            or_none(overlapping),
            "short",
            steps=NONE_WANTED,
        ),
        number(
            Text(
                "Next pool exhausted in",
                "Predicted by the growth of the last day. A dash: no pool grows.",
            ),
            f"min({_TIME_LEFT})",
            "s",
            steps=TIME_LEFT,
        ),
        number(
            Text("Alerts firing", "Alerts of the rules that come with Cadastre."),
            or_none(firing),
            "short",
            steps=NONE_WANTED,
        ),
    ]


def _address_space() -> Panels:
    assigned = f"sum by ({_SCOPE}) ({_of_each_pool('assigned_addresses')})"
    free = f"sum by ({_SCOPE}) ({_of_each_pool('free_addresses')})"
    scopes = figures_table(
        Text(
            "Scopes",
            "Each scope and address family. Usage: the assigned part of what is assigned or free in"
            " all of its pools; a pool's pools count for themselves.",
        ),
        [Key("ipam_scope_id", "Scope", 230), Key("address_family", "Family", 80)],
        [
            Figure("Usage", f"{assigned} / ({assigned} + {free})", "percentunit", USAGE, True),
            Figure("Assigned", assigned, "short"),
            Figure("Free", free, "short"),
            Figure("Pools", f"count by ({_SCOPE}) ({_of_each_pool('addresses')})", "none"),
            Figure("Resource CIDRs", resource_cidrs(_SCOPE, IN_SCOPE), "none"),
            Figure("Managed", _cidrs_in("management_state", "managed"), "none"),
            Figure("Unmanaged", _cidrs_in("management_state", "unmanaged"), "none"),
            Figure("Compliant", _cidrs_in("compliance_status", "compliant"), "none"),
            Figure(
                "Noncompliant", _cidrs_in("compliance_status", "noncompliant"), "none", NONE_WANTED
            ),
            Figure("Overlapping", _cidrs_in("overlap_status", "overlapping"), "none", NONE_WANTED),
        ],
        Size(24, 7),
        order=("Usage", True),
    )
    fullest = usage_ranking(
        Text("Fullest pools", "Part of a pool's addresses that can't be allocated any more."),
        Line(
            f"sort_desc(topk(10, max by ({_POOL})"
            f" (cadastre:ipam_pool_occupied_ratio{{{IN_SCOPE}}})))",
            "{{ipam_pool_id}} ({{address_family}}, {{locale}})",
        ),
        Size(12, 9),
        USAGE,
    )
    soonest = figures_table(
        Text(
            "Pools that will be exhausted",
            "Predicted by the growth of the last day; pools that don't grow are not here.",
        ),
        [
            Key(
                "ipam_pool_id",
                "Pool",
                230,
                "/d/cadastre-pools?var-one_family=${__data.fields.Family}&var-pool",
            ),
            Key("locale", "Locale", 110),
            Key("address_family", "Family", 70),
        ],
        [
            Figure(
                "Full",
                f"max by ({_POOL}) (cadastre:ipam_pool_occupied_ratio{{{IN_SCOPE}}})"
                f" and {_exhaustion()}",
                "percentunit",
                USAGE,
                True,
            ),
            Figure("Left", f"{_exhaustion()} - time()", "s", TIME_LEFT, width=100),
            Figure("Exhausted on", f"{_exhaustion()} * 1000", "dateTimeAsIso", width=160),
        ],
        Size(12, 9),
        order=("Left", False),
    )
    name = "{{ipam_pool_id}} ({{locale}})"
    return [
        scopes,
        fullest,
        soonest,
        usage_trend(
            Text("Assigned to resources", "Part of each pool that resources or people have."),
            [Line(_part_of_pools("assigned_addresses"), name)],
            Size(12, 9),
            USAGE,
        ),
        usage_trend(
            Text("Allocated to pools", "Part of each pool that other pools have."),
            [Line(_part_of_pools("allocated_addresses"), name)],
            Size(12, 9),
            USAGE,
        ),
    ]


def _monitored() -> Panels:
    rings = [
        (Text("By type", "Resource CIDRs by what has them."), "resource_type", _TYPES),
        (
            Text("By management", "Whether a pool has allocated them."),
            "management_state",
            _MANAGEMENT,
        ),
        (
            Text("By compliance", "Whether they keep their pool's rules."),
            "compliance_status",
            _COMPLIANCE,
        ),
        (Text("By overlap", "Whether others of the scope overlap."), "overlap_status", _OVERLAP),
    ]
    courses = [
        (Text("Management over time", "Resource CIDRs."), "management_state", _MANAGEMENT),
        (Text("Compliance over time", "Resource CIDRs."), "compliance_status", _COMPLIANCE),
        (Text("Overlaps over time", "Resource CIDRs."), "overlap_status", _OVERLAP),
    ]
    return [
        *(
            shares(text, _states(state), "short", Size(6, 7), known=known)
            for text, state, known in rings
        ),
        *(
            layers(text, [_states(state)], "short", Size(8, 8), known=known)
            for text, state, known in courses
        ),
    ]


def _usage() -> Panels:
    kinds = [
        ("VPCs", "Part of a VPC's addresses that its subnets have.", "vpc", "VpcID"),
        ("Subnets", "Part of a subnet's addresses that are taken.", "subnet", "SubnetID"),
    ]
    ends = [("highest", "topk", "sort_desc", USAGE), ("lowest", "bottomk", "sort", PLAIN)]
    return [
        usage_ranking(
            Text(f"{title} with the {end} usage", description),
            Line(
                f"{sort}({pick}(10, max by (dimension_{label}, dimension_Region)"
                f' (aws_ipam_{kind}_ipusage_maximum{{dimension_ScopeID=~"$scope",'
                f' dimension_AddressFamily=~"$family"}})))',
                f"{{{{dimension_{label}}}}} ({{{{dimension_Region}}}})",
            ),
            Size(12, 9),
            steps,
        )
        for title, description, kind, label in kinds
        for end, pick, sort, steps in ends
    ]


def _events() -> Panels:
    return [pool_changes(Size(12)), record_changes(Size(12))]


def _alerts() -> Builder[Panel]:
    keys = [
        Key("alertname", "Alert", 290),
        Key("severity", "Severity", 90),
        Key("ipam_pool_id", "Pool", 230),
        Key("ipam_scope_id", "Scope", 230),
        Key("name", "Resource"),
        Key("service", "Service", 130),
    ]
    by = ", ".join(key.label for key in keys)
    since = f'max by ({by}) (ALERTS_FOR_STATE{{alertname=~"Cadastre.+"}})'
    firing = f'max by ({by}) (ALERTS{{alertname=~"Cadastre.+", alertstate="firing"}})'
    return figures_table(
        Text(
            "Alerts that fire", "Of the rules that come with Cadastre; Prometheus has their texts."
        ),
        keys,
        [Figure("Since", f"({since} and {firing}) * 1000", "dateTimeFromNow", width=130)],
        Size(24, 7),
        order=("Severity", False),
    )


def _of_each_pool(figure: str) -> str:
    return of_pools(figure, f"ipam_pool_id, {_SCOPE}", IN_SCOPE)


def _part_of_pools(figure: str) -> str:
    addresses = of_pools("addresses", _POOL, IN_SCOPE)
    return f"{of_pools(figure, _POOL, IN_SCOPE)} / ({addresses} > 0)"


def _exhaustion() -> str:
    return f"max by ({_POOL}) (cadastre:ipam_pool_exhaustion_timestamp_seconds{{{IN_SCOPE}}})"


def _cidrs_in(label: str, state: str) -> str:
    return resource_cidrs(_SCOPE, f'{IN_SCOPE}, {label}="{state}"')


def _states(label: str) -> Line:
    """Resource CIDRs by a state, without those that it does not apply to."""
    return Line(resource_cidrs(label, f'{IN_SCOPE}, {label}!=""'), f"{{{{{label}}}}}")
