"""How full pools are, how their free space lies, and when it will be used up (BEY-11)."""

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from deploy.grafana.dashboards import variables
from deploy.grafana.dashboards.board import Head, Panels, Section, board
from deploy.grafana.dashboards.changes import pool_changes
from deploy.grafana.dashboards.panels import (
    Line,
    Size,
    Text,
    layers,
    number,
    trend,
    usage_trend,
)
from deploy.grafana.dashboards.queries import of_pools
from deploy.grafana.dashboards.style import FRAGMENTATION, TIME_LEFT, USAGE
from deploy.grafana.dashboards.tables import Figure, Key, figures_table

_CHOSEN = (
    'ipam_id=~"$ipam", ipam_scope_id=~"$scope",'
    ' address_family="$one_family", locale=~"$locale", ipam_pool_id=~"$pool"'
)
_POOL = "ipam_pool_id, locale"
_NAME = "{{ipam_pool_id}} ({{locale}})"
_PARTS = ("Assigned", "Allocated to pools", "Resting or held", "Free")


def dashboard() -> Dashboard:
    """Pools, one by one and together."""
    head = Head(
        "cadastre-pools",
        "Cadastre / Pools",
        "Pools of one address family: what has their space, how the rest lies, how long it lasts.",
        time_from="now-7d",
    )
    of_scope = 'ipam_id=~"$ipam", ipam_scope_id=~"$scope", address_family="$one_family"'
    series = f"cadastre_ipam_pool_addresses{{{of_scope}"
    chosen = [
        variables.datasource(),
        variables.ipam(),
        variables.scope(),
        variables.one_family(),
        variables.values_of("locale", "Locale", f"{series}}}", "locale"),
        variables.values_of("pool", "Pool", f'{series}, locale=~"$locale"}}', "ipam_pool_id"),
    ]
    sections = [
        Section("Chosen pools together", _numbers()),
        Section("Pool by pool", [_table()]),
        Section("Space over time", _space()),
        Section("Exhaustion", _exhaustion_panels()),
        Section("Free space", _free_space()),
        Section("Allocations", _allocations()),
    ]
    return board(head, chosen, sections)


def _numbers() -> Panels:
    left = f"cadastre:ipam_pool_exhaustion_timestamp_seconds{{{_CHOSEN}}} - time()"
    return [
        number(
            Text("Pools", "Pools chosen above."),
            f"count({_each('addresses')}) or vector(0)",
            "short",
        ),
        number(
            Text(
                "Own space",
                "Addresses in these pools, without those that they allocated to other pools.",
            ),
            f"sum({_each('addresses')}) - sum({_each('allocated_addresses')})",
            "short",
        ),
        number(
            Text("Assigned", "Addresses that resources or people have."),
            f"sum({_each('assigned_addresses')})",
            "short",
        ),
        number(
            Text("Free", "Addresses that can be allocated now."),
            f"sum({_each('free_addresses')})",
            "short",
        ),
        number(
            Text("Largest free block", "The widest that any of these pools can allocate."),
            _largest_free_netmask_length(""),
            "prefix:/",
        ),
        number(
            Text(
                "Worst fragmentation",
                "Part of a pool's free space that is outside its largest free block, at its worst.",
            ),
            f"max({_each('fragmentation_ratio')})",
            "percentunit",
            steps=FRAGMENTATION,
        ),
        number(
            Text("Fullest pool", "Part of its addresses that can't be allocated any more."),
            f"max(cadastre:ipam_pool_occupied_ratio{{{_CHOSEN}}})",
            "percentunit",
            steps=USAGE,
        ),
        number(
            Text(
                "Next pool exhausted in",
                "Predicted by the growth of the last day. A dash: no pool grows.",
            ),
            f"min({left})",
            "s",
            steps=TIME_LEFT,
        ),
    ]


def _table() -> Builder[Panel]:
    return figures_table(
        Text(
            "Pools",
            "Full: what can't be allocated any more. Fragmentation: the part of the free space that"
            " is outside the largest free block. Left: predicted by the growth of the last day.",
        ),
        [
            Key("ipam_pool_id", "Pool", 230, "/d/cadastre-pools?${one_family:queryparam}&var-pool"),
            Key("locale", "Locale", 110),
        ],
        [
            Figure(
                "Full", _recorded("cadastre:ipam_pool_occupied_ratio"), "percentunit", USAGE, True
            ),
            Figure("Addresses", _each("addresses"), "short"),
            Figure("Assigned", _each("assigned_addresses"), "short"),
            Figure("To pools", _each("allocated_addresses"), "short"),
            Figure("Free", _each("free_addresses"), "short"),
            Figure("CIDRs", _each("cidrs"), "none", width=70),
            Figure("Allocations", _each("allocations"), "none", width=100),
            Figure("Free blocks", _each("free_blocks"), "none", width=95),
            Figure(
                "Largest free",
                _largest_free_netmask_length(_POOL),
                "prefix:/",
                width=100,
            ),
            Figure(
                "Fragmentation", _each("fragmentation_ratio"), "percentunit", FRAGMENTATION, True
            ),
            Figure("Left", f"{_exhausted_at()} - time()", "s", TIME_LEFT, width=100),
            Figure("Exhausted on", f"{_exhausted_at()} * 1000", "dateTimeAsIso", width=160),
        ],
        Size(24, 10),
        order=("Full", True),
    )


def _space() -> Panels:
    total = f"sum({_each('addresses')})"
    parts = {
        "Assigned": f"sum({_each('assigned_addresses')})",
        "Allocated to pools": f"sum({_each('allocated_addresses')})",
        "Free": f"sum({_each('free_addresses')})",
    }
    # Of IPv6 the difference of such numbers may be a bit less than nothing.
    parts["Resting or held"] = f"clamp_min({' - '.join([total, *parts.values()])}, 0)"
    return [
        layers(
            Text(
                "Space of the chosen pools",
                "What has their addresses. Resting: released and not to be had for a time; held: by"
                " a preview. Of a pool and a pool below it, both count.",
            ),
            [Line(parts[part], part) for part in _PARTS],
            "short",
            Size(24, 9),
            known=_PARTS,
        ),
        usage_trend(
            Text("Full", "Part of each pool that can't be allocated any more."),
            [Line(_recorded("cadastre:ipam_pool_occupied_ratio"), _NAME)],
            Size(12, 9),
            USAGE,
        ),
        trend(
            Text("Free addresses", "What each pool can allocate now."),
            [Line(_each("free_addresses"), _NAME)],
            "short",
            Size(12, 9),
        ),
        trend(
            Text("Assigned to resources", "Addresses that resources or people have."),
            [Line(_each("assigned_addresses"), _NAME)],
            "short",
            Size(12, 9),
        ),
        trend(
            Text("Allocated to pools", "Addresses that other pools have."),
            [Line(_each("allocated_addresses"), _NAME)],
            "short",
            Size(12, 9),
        ),
    ]


def _exhaustion_panels() -> Panels:
    growth = _recorded("cadastre:ipam_pool_growth_addresses_per_second")
    return [
        trend(
            Text(
                "Time left",
                "Until each pool is exhausted, by the growth of the day before. Falling steadily:"
                " the growth is steady. No line: the pool did not grow.",
            ),
            [Line(f"{_exhausted_at()} - time()", _NAME)],
            "s",
            Size(12, 9),
        ),
        trend(
            Text("Growth", "Addresses more in a day, by a straight line through the day before."),
            [Line(f"{growth} * 86400", _NAME)],
            "short",
            Size(12, 9),
        ),
    ]


def _free_space() -> Panels:
    return [
        usage_trend(
            Text(
                "Fragmentation",
                "Part of the free space that is outside the largest free block. High: much is free,"
                " but no large block can be allocated.",
            ),
            [Line(_each("fragmentation_ratio"), _NAME)],
            Size(8, 9),
            FRAGMENTATION,
        ),
        trend(
            Text("Largest free block", "Its netmask length: a smaller number is a larger block."),
            [Line(_largest_free_netmask_length(_POOL), _NAME)],
            "prefix:/",
            Size(8, 9),
        ),
        trend(
            Text("Free blocks", "The fewest blocks that cover the free space."),
            [Line(_each("free_blocks"), _NAME)],
            "short",
            Size(8, 9),
        ),
    ]


def _allocations() -> Panels:
    return [
        trend(
            Text("Allocations", "That each pool has at the time."),
            [Line(_each("allocations"), _NAME)],
            "short",
            Size(12, 9),
        ),
        pool_changes(Size(12, 9)),
    ]


def _each(figure: str) -> str:
    return of_pools(figure, _POOL, _CHOSEN)


def _recorded(rule: str) -> str:
    return f"max by ({_POOL}) ({rule}{{{_CHOSEN}}})"


def _exhausted_at() -> str:
    return _recorded("cadastre:ipam_pool_exhaustion_timestamp_seconds")


def _largest_free_netmask_length(by: str) -> str:
    """Of the largest free block of each pool, or of all: none where nothing is free."""
    grouping = f" by ({by}) " if by else ""
    return " or ".join(
        f"{bits} - log2(max{grouping}(cadastre_ipam_pool_largest_free_block_addresses"
        f'{{{_CHOSEN}, address_family="{family}"}} > 0))'
        for family, bits in (("ipv4", 32), ("ipv6", 128))
    )
