"""How full VPCs, subnets and public IPv4 pools are (MET-2, BEY-11)."""

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from deploy.grafana.dashboards import variables
from deploy.grafana.dashboards.board import Head, Panels, Section, board
from deploy.grafana.dashboards.panels import Line, Size, Text, number, ranking, usage_trend
from deploy.grafana.dashboards.queries import resource_cidrs
from deploy.grafana.dashboards.style import NONE_WANTED, PLAIN, USAGE, Steps
from deploy.grafana.dashboards.tables import Figure, Key, figures_table

_EVERY = 'ipam_scope_id=~"$scope", address_family=~"$family", region=~"$region", owner_id=~"$owner"'
"""Of series of every resource."""
_CHOSEN = 'dimension_ScopeID=~"$scope", dimension_Region=~"$region", dimension_OwnerID=~"$owner"'
"""Of AWS's series, which MET-2 chooses resources for."""
_CHOSEN_FAMILY = f'{_CHOSEN}, dimension_AddressFamily=~"$family"'

_VPC, _SUBNET = "VPC", "Subnet"
_USAGE = {
    _VPC: f"aws_ipam_vpc_ipusage_maximum{{{_CHOSEN_FAMILY}}}",
    _SUBNET: f"aws_ipam_subnet_ipusage_maximum{{{_CHOSEN_FAMILY}}}",
}
_PLACE = [
    Key("dimension_Region", "Region", 110),
    Key("dimension_OwnerID", "Account", 125),
]
_KEYS = {
    _VPC: [Key("dimension_VpcID", "VPC"), *_PLACE],
    _SUBNET: [Key("dimension_SubnetID", "Subnet"), Key("dimension_VpcID", "VPC"), *_PLACE],
}
_POOL_KEYS = [Key("dimension_PublicIPv4PoolID", "Public IPv4 pool"), *_PLACE]
_POOL_USAGE = f"aws_ipam_public_ipv4_pool_ipusage_maximum{{{_CHOSEN}}}"


def dashboard() -> Dashboard:
    """Which resources run out of addresses, and which waste them."""
    head = Head(
        "cadastre-resources",
        "Cadastre / Resources",
        "How much of their addresses VPCs, subnets and public IPv4 pools use.",
    )
    of_scope = 'cadastre_ipam_resource_addresses{ipam_scope_id=~"$scope"}'
    chosen = [
        variables.datasource(),
        variables.ipam(),
        variables.scope(),
        variables.family(),
        variables.values_of("region", "Region", of_scope, "region"),
        variables.values_of("owner", "Account", of_scope, "owner_id"),
        variables.search(),
    ]
    sections = [
        Section("At one look", _numbers()),
        Section("Highest and lowest usage", _ends()),
        Section("Usage over time", _courses()),
        Section("Find a resource", [_search()]),
        Section("States", [*_bands(), _states()]),
    ]
    return board(head, chosen, sections)


def _numbers() -> Panels:
    kinds = [("VPCs", "vpc"), ("Subnets", "subnet"), ("Public IPv4 pools", "public-ipv4-pool")]
    counts = [
        number(
            Text(title, "Whose usage is known, by address family."),
            f'count({_ratio(f"""resource_type="{kind}" """.strip())}) or vector(0)',
            "short",
        )
        for title, kind in kinds
    ]
    highest = [
        number(
            Text(f"Highest {title} usage", f"Of all {title}s chosen above."),
            f"max({_ratio(matching)})",
            "percentunit",
            steps=USAGE,
        )
        for title, matching in (
            ("VPC", 'resource_type="vpc"'),
            ("subnet", 'resource_type="subnet"'),
            ("public pool", 'resource_type="public-ipv4-pool"'),
        )
    ]
    return [
        *counts,
        *highest,
        number(
            Text("From 80 % on", "Resources that use 80 percent of their addresses or more."),
            f"count({_ratio('')} >= 0.8) or vector(0)",
            "short",
            steps=NONE_WANTED,
        ),
        number(
            Text("Empty subnets", "Subnets none of whose addresses is taken."),
            f"""count({_ratio('resource_type="subnet"')} == 0) or vector(0)""",
            "short",
        ),
    ]


def _ends() -> Panels:
    tables = [
        _end(kind, title, pick, descending=descending, steps=steps)
        for kind in (_VPC, _SUBNET)
        for title, pick, descending, steps in (
            ("highest", "topk", True, USAGE),
            ("lowest", "bottomk", False, PLAIN),
        )
    ]
    pools = figures_table(
        Text("Public IPv4 pools", "Part of each pool's addresses that are elastic IP addresses."),
        _POOL_KEYS,
        [Figure("Usage", _by(_POOL_KEYS, _POOL_USAGE), "percentunit", USAGE, True)],
        Size(24, 7),
        order=("Usage", True),
    )
    return [*tables, pools]


def _end(kind: str, title: str, pick: str, *, descending: bool, steps: Steps) -> Builder[Panel]:
    keys = [*_KEYS[kind], Key("dimension_AddressFamily", "Family", 80)]
    usage = f"{pick}(20, {_by(keys, _USAGE[kind])})"
    return figures_table(
        Text(
            f"{kind}s with the {title} usage",
            "Twenty of those that the metrics of AWS/IPAM are about; below is every one.",
        ),
        keys,
        [Figure("Usage", usage, "percentunit", steps, True)],
        Size(12, 9),
        order=("Usage", descending),
    )


def _courses() -> Panels:
    return [
        usage_trend(
            Text(f"{title} with the highest usage", "Ten at any time."),
            [Line(f"topk(10, {_by(keys, usage)})", legend)],
            Size(8, 9),
            USAGE,
        )
        for title, keys, usage, legend in (
            ("VPCs", _KEYS[_VPC], _USAGE[_VPC], "{{dimension_VpcID}}"),
            ("Subnets", _KEYS[_SUBNET], _USAGE[_SUBNET], "{{dimension_SubnetID}}"),
            ("Public IPv4 pools", _POOL_KEYS, _POOL_USAGE, "{{dimension_PublicIPv4PoolID}}"),
        )
    ]


def _search() -> Builder[Panel]:
    keys = [
        Key("resource_type", "Type", 130),
        Key("resource_id", "Resource", 230),
        Key("name", "Name"),
        Key("vpc_id", "VPC", 210),
        Key("region", "Region", 110),
        Key("owner_id", "Account", 125),
        Key("address_family", "Family", 80),
    ]
    by = ", ".join(key.label for key in keys)

    def found(metric: str) -> str:
        either = " or ".join(
            f'{metric}{{{_EVERY}, {label}=~"(?i).*$search.*"}}' for label in ("resource_id", "name")
        )
        return f"max by ({by}) ({either})"

    return figures_table(
        Text(
            "Resources whose id or name contains what is searched for",
            "Every resource whose usage is known. A regular expression, whatever the case of its"
            " letters.",
        ),
        keys,
        [
            Figure(
                "Usage", found("cadastre_ipam_resource_ip_usage_ratio"), "percentunit", USAGE, True
            ),
            Figure("Addresses", found("cadastre_ipam_resource_addresses"), "short", width=110),
        ],
        Size(24, 12),
        order=("Usage", True),
    )


def _bands() -> Panels:
    """How many resources there are in each fifth of usage."""
    edges = [0.0, 0.2, 0.4, 0.6, 0.8]
    return [
        ranking(
            Text(f"{title} by usage", "How many are in each fifth, the fullest last."),
            [
                Line(_between(kind, low, low + 0.2), f"{low:.0%} to {low + 0.2:.0%}")
                for low in edges
            ],
            "short",
            Size(6, 8),
        )
        for title, kind in (("VPCs", "vpc"), ("Subnets", "subnet"))
    ]


def _between(kind: str, low: float, high: float) -> str:
    usage = _ratio(f'resource_type="{kind}"')
    # What is full belongs to the last fifth.
    upper = f" < {high:.1f}" if high < 1 else ""
    return f"count({usage} >= {low:.1f}{upper}) or vector(0)"


def _states() -> Builder[Panel]:
    keys = [
        Key("resource_type", "Type", 130),
        Key("management_state", "Management"),
        Key("compliance_status", "Compliance"),
        Key("overlap_status", "Overlap"),
    ]
    matching = 'ipam_id=~"$ipam", ipam_scope_id=~"$scope", address_family=~"$family"'
    counts = resource_cidrs(", ".join(key.label for key in keys), matching)
    return figures_table(
        Text("CIDRs by type and states", "How many resource CIDRs agree in all of these."),
        keys,
        [Figure("CIDRs", counts, "none", width=90)],
        Size(12, 8),
        order=("CIDRs", True),
    )


def _ratio(matching: str) -> str:
    """The usage of every resource, whichever replica tells it."""
    more = f", {matching}" if matching else ""
    return (
        "max by (resource_type, resource_id, region, address_family, ipam_scope_id)"
        f" (cadastre_ipam_resource_ip_usage_ratio{{{_EVERY}{more}}})"
    )


def _by(keys: list[Key], series: str) -> str:
    return f"max by ({', '.join(key.label for key in keys)}) ({series})"
