"""The console's pages, a module per entry of its navigation."""

from collections.abc import Sequence

from services.gateway.console.section import Section
from services.gateway.console.sections import ipams, pools

SECTIONS: Sequence[Section] = (pools.SECTION, ipams.SECTION)
"""In the order of the navigation, within its groups."""
