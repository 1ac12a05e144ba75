"""Public addresses: of what kind they are, where, and which are idle (PUB-1)."""

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from deploy.grafana.dashboards import variables
from deploy.grafana.dashboards.board import Head, Panels, Section, board
from deploy.grafana.dashboards.panels import (
    Line,
    Size,
    Text,
    layers,
    number,
    ranking,
    shares,
    trend,
)
from deploy.grafana.dashboards.queries import or_none, public_ips
from deploy.grafana.dashboards.style import NONE_WANTED, Steps
from deploy.grafana.dashboards.tables import Figure, Key, figures_table

_CHOSEN = 'ipam_id=~"$ipam", region=~"$region"'
_IDLE = f'{_CHOSEN}, association_status="disassociated"'
_IDLE_PART: Steps = ((None, "green"), (0.1, "orange"), (0.3, "red"))
_TYPES = (
    "ec2-public-ip",
    "amazon-owned-eip",
    "amazon-owned-contig",
    "byoip",
    "service-managed-ip",
    "service-managed-byoip",
    "anycast-ip-list-ip",
)
_CONTIGUOUS = 'dimension_IpamId=~"$ipam", dimension_Region=~"$region"'
_BLOCK = "dimension_PoolID, dimension_Region"


def dashboard() -> Dashboard:
    """Public IP insights."""
    head = Head(
        "cadastre-public-ips",
        "Cadastre / Public IPs",
        "Public IPv4 addresses by type and region, idle ones, and contiguous blocks of Amazon's.",
    )
    series = 'cadastre_ipam_public_ip_addresses{ipam_id=~"$ipam"}'
    chosen = [
        variables.datasource(),
        variables.ipam(),
        variables.values_of("region", "Region", series, "region"),
    ]
    sections = [
        Section("At one look", _numbers()),
        Section("Of what kind and where", _kinds()),
        Section("Over time", _courses()),
        Section("Contiguous blocks of Amazon's", _contiguous()),
    ]
    return board(head, chosen, sections)


def _numbers() -> Panels:
    everything = public_ips("", _CHOSEN)
    of_types = [
        ("EC2 public IPs", "That instances got at launch.", "ec2-public-ip"),
        ("Elastic IPs", "Of Amazon's, contiguous ones left out.", "amazon-owned-eip"),
        ("Brought along", "Of ranges brought along (BYOIP).", "byoip"),
        (
            "Service-managed",
            "That services manage, their own or brought along.",
            "service-managed-.+",
        ),
        ("Contiguous", "Elastic IPs of contiguous blocks of Amazon's.", "amazon-owned-contig"),
    ]
    return [
        number(
            Text("Public IPs", "Public IPv4 addresses of all types."), or_none(everything), "short"
        ),
        *(
            number(
                Text(title, description),
                or_none(public_ips("", f'{_CHOSEN}, address_type=~"{kind}"')),
                "short",
            )
            for title, description, kind in of_types
        ),
        number(
            Text("Idle", "Addresses that are associated with nothing. They cost, too."),
            or_none(public_ips("", _IDLE)),
            "short",
            steps=NONE_WANTED,
        ),
        number(
            Text("Idle part", "Of all public addresses, those that are associated with nothing."),
            f"({or_none(public_ips('', _IDLE))}) / ({everything} > 0)",
            "percentunit",
            steps=_IDLE_PART,
        ),
    ]


def _kinds() -> Panels:
    return [
        shares(
            Text("By type", "AWS's words for the types."),
            Line(public_ips("address_type", _CHOSEN), "{{address_type}}"),
            "short",
            Size(8),
            known=_TYPES,
        ),
        shares(
            Text("By association", "Idle addresses are disassociated."),
            Line(public_ips("association_status", _CHOSEN), "{{association_status}}"),
            "short",
            Size(8),
            known=("associated", "disassociated"),
        ),
        ranking(
            Text("By region", "Regions with the most public addresses."),
            [Line(f"sort_desc({public_ips('region', _CHOSEN)})", "{{region}}")],
            "short",
            Size(8),
        ),
        _regions(),
    ]


def _regions() -> Builder[Panel]:
    columns = [
        ("EC2 public", 'address_type="ec2-public-ip"'),
        ("Elastic", 'address_type="amazon-owned-eip"'),
        ("Contiguous", 'address_type="amazon-owned-contig"'),
        ("Brought along", 'address_type="byoip"'),
        ("Service-managed", 'address_type=~"service-managed-.+"'),
    ]
    everything, idle = public_ips("region", _CHOSEN), public_ips("region", _IDLE)
    return figures_table(
        Text("Region by region", "Idle addresses are among those of their type."),
        [Key("region", "Region")],
        [
            Figure("All", everything, "none"),
            *(
                Figure(title, public_ips("region", f"{_CHOSEN}, {matching}"), "none")
                for title, matching in columns
            ),
            Figure("Idle", idle, "none", NONE_WANTED),
            Figure("Idle part", f"{idle} / ({everything} > 0)", "percentunit", _IDLE_PART, True),
        ],
        Size(24),
        order=("All", True),
    )


def _courses() -> Panels:
    return [
        layers(
            Text("By type", "Public addresses of each type."),
            [Line(public_ips("address_type", _CHOSEN), "{{address_type}}")],
            "short",
            Size(12, 9),
            known=_TYPES,
        ),
        trend(
            Text(
                "Idle elastic IPs", "By type: Amazon's, contiguous ones, and those brought along."
            ),
            [Line(public_ips("address_type", _IDLE), "{{address_type}}")],
            "short",
            Size(12, 9),
            known=_TYPES,
        ),
    ]


def _contiguous() -> Panels:
    everything = _of_blocks("amazon_owned_contig_ips")
    allocated = _of_blocks("allocated_amazon_owned_contig_ips")
    associated = _of_blocks("associated_amazon_owned_contig_ips")
    table = figures_table(
        Text(
            "Pools with contiguous blocks",
            "Allocated: elastic IPs taken from the block; associated: those of them in use.",
        ),
        [
            Key("dimension_PoolID", "Pool", 230, "/d/cadastre-pools?var-pool"),
            Key("dimension_Region", "Region", 110),
        ],
        [
            Figure("Addresses", everything, "none"),
            Figure("Allocated", allocated, "none"),
            Figure("Unallocated", _of_blocks("unallocated_amazon_owned_contig_ips"), "none"),
            Figure("Associated", associated, "none"),
            Figure("Idle", _of_blocks("unassociated_amazon_owned_contig_ips"), "none", NONE_WANTED),
            Figure("Used", f"{allocated} / ({everything} > 0)", "percentunit", (), True),
        ],
        Size(14, 9),
        order=("Used", True),
    )
    course = trend(
        Text("Elastic IPs of each pool", "Allocated ones over time (EIP-3)."),
        [Line(allocated, "{{dimension_PoolID}} ({{dimension_Region}})")],
        "short",
        Size(10, 9),
    )
    return [table, course]


def _of_blocks(figure: str) -> str:
    return f"max by ({_BLOCK}) (aws_ipam_{figure}_average{{{_CONTIGUOUS}}})"
