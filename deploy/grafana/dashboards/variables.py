"""What is chosen at the top of a dashboard."""

from grafana_foundation_sdk.builders.dashboard import (
    CustomVariable,
    DatasourceVariable,
    QueryVariable,
    TextBoxVariable,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
"""Where all figures come from: the Prometheus that is chosen in the dashboard."""

_POOLS_AND_RESOURCES = (
    '{__name__=~"cadastre_ipam_pool_addresses|cadastre_ipam_resource_cidrs", ipam_id=~"$ipam"}'
)


def datasource() -> Builder[VariableModel]:
    """Which Prometheus; Grafana begins with the default one."""
    return DatasourceVariable("datasource").label("Data source").type("prometheus")


def values_of(name: str, title: str, series: str, label: str) -> Builder[VariableModel]:
    """Any number of the values that a label has in some series; to begin with anything."""
    # Takes in what has no such label, and what is in other series only.
    return _values_of(name, title, series, label).all_value(".*")


def _values_of(name: str, title: str, series: str, label: str) -> QueryVariable:
    everything = VariableOption(selected=True, text=["All"], value=["$__all"])
    return (
        QueryVariable(name)
        .label(title)
        .datasource(SOURCE)
        .query({"query": f"label_values({series}, {label})", "refId": f"variable-{name}"})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .current(everything)
    )


def ipam() -> Builder[VariableModel]:
    """Which IPAMs."""
    return values_of("ipam", "IPAM", "cadastre_ipam_info", "ipam_id")


def scope() -> Builder[VariableModel]:
    """Which of their scopes: those with pools, and those with resources.

    All are all of these: series of resources have no IPAM, and are chosen by it in this way.
    """
    return _values_of("scope", "Scope", _POOLS_AND_RESOURCES, "ipam_scope_id")


def family() -> Builder[VariableModel]:
    """Which address families."""
    return values_of("family", "Address family", _POOLS_AND_RESOURCES, "address_family")


def one_family() -> Builder[VariableModel]:
    """Which address family, where addresses are added up: IPv6 would drown IPv4."""
    return (
        CustomVariable("one_family")
        .label("Address family")
        .values("IPv4 : ipv4, IPv6 : ipv6")
        .options(
            [
                VariableOption(selected=True, text="IPv4", value="ipv4"),
                VariableOption(selected=False, text="IPv6", value="ipv6"),
            ]
        )
        .current(VariableOption(selected=True, text="IPv4", value="ipv4"))
    )


def search() -> Builder[VariableModel]:
    """A part of an id or a name, as a regular expression."""
    return TextBoxVariable("search").label("Id or name contains").default_value("")
