"""The console's pages, a module per entry of its navigation."""

from collections.abc import Sequence

from services.gateway.console.section import Section
from services.gateway.console.sections import (
    addresses,
    audit,
    byoip,
    cidr_map,
    costs,
    dashboard,
    discoveries,
    history,
    ipams,
    organization,
    pools,
    public_addresses,
    quotas,
    resources,
    shares,
    vpcs,
)

SECTIONS: Sequence[Section] = (
    dashboard.SECTION,
    pools.SECTION,
    cidr_map.SECTION,
    resources.SECTION,
    history.SECTION,
    public_addresses.SECTION,
    shares.SECTION,
    discoveries.SECTION,
    byoip.RANGES,
    byoip.ASNS,
    byoip.TOKENS,
    vpcs.SECTION,
    addresses.SECTION,
    ipams.SECTION,
    organization.SECTION,
    quotas.SECTION,
    costs.SECTION,
    audit.SECTION,
)
"""In the order of the navigation, within its groups."""
