"""Regions and local zones: where an IPAM may work (IPAM-3)."""

import re
from collections.abc import Iterable
from functools import cache

import botocore.session

from shared.errors import InvalidParameterValue

NO_LOCALE = "None"

_BORDER_GROUP = re.compile(r"(?P<region>[a-z]+(-[a-z]+)+-\d+)-[a-z]+-\d+")


@cache
def known_regions() -> frozenset[str]:
    """Every region AWS has; read from botocore once, on first need."""
    return frozenset(botocore.session.get_session().get_available_regions("ec2"))


def check_region(name: str) -> str:
    """``name`` itself, when a region has it.

    Raises:
        InvalidParameterValue: there is no such region.
    """
    if name not in known_regions():
        raise InvalidParameterValue(
            f"Value ({name}) for parameter regionName is invalid; it is no region, such as"
            " 'us-east-1'",
            parameter="regionName",
            value=name,
        )
    return name


def region_of(locale: str) -> str:
    """The region a locale lies in: itself, or the parent of a local zone's border group.

    ``us-east-1-scl-1`` lies in ``us-east-1``.
    """
    group = _BORDER_GROUP.fullmatch(locale)
    return group["region"] if group else locale


def is_local_zone(locale: str) -> bool:
    """``locale`` is a local zone's network border group, not a region."""
    return region_of(locale) != locale


def operating_regions(home: str, named: Iterable[str]) -> tuple[str, ...]:
    """The regions an IPAM works in: those named, once each, and always its home (IPAM-1).

    Raises:
        InvalidParameterValue: one of them is no region.
    """
    checked = [name if name == home else check_region(name) for name in named]
    return tuple(dict.fromkeys([*checked, home]))
