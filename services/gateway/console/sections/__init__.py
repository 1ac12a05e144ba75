"""The console's pages, a module per entry of its navigation."""

from collections.abc import Sequence

from services.gateway.console.section import Section
from services.gateway.console.sections import (
    cidr_map,
    dashboard,
    history,
    ipams,
    organization,
    pools,
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
    shares.SECTION,
    vpcs.SECTION,
    ipams.SECTION,
    organization.SECTION,
)
"""In the order of the navigation, within its groups."""
