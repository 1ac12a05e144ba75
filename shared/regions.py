"""Where a locale lies (POOL-3, IPAM-3)."""

import re

_BORDER_GROUP = re.compile(r"(?P<region>[a-z]+(-[a-z]+)+-\d+)-[a-z]+-\d+", re.ASCII)


def region_of(locale: str) -> str:
    """The region a locale lies in: itself, or the parent of a local zone's border group.

    ``us-east-1-scl-1`` lies in ``us-east-1``.
    """
    group = _BORDER_GROUP.fullmatch(locale)
    return group["region"] if group else locale


def is_local_zone(locale: str) -> bool:
    """``locale`` is a local zone's network border group, not a region."""
    return region_of(locale) != locale
