"""The console's pages, a module per entry of its navigation."""

from collections.abc import Sequence

from services.gateway.console.section import Section
from services.gateway.console.sections import ipams

SECTIONS: Sequence[Section] = (ipams.SECTION,)
"""In the order of the navigation, within its groups."""
