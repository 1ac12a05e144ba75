"""Regions: where an IPAM may work (IPAM-3)."""

from collections.abc import Collection, Iterable
from functools import cache

import botocore.session

from shared.errors import InvalidParameterCombination, InvalidParameterValue

NO_LOCALE = "None"

_ENABLED_BY_DEFAULT = frozenset(
    {
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-north-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    }
)
"""AWS's regions of before March 20, 2019; accounts have to opt in to all later ones."""


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


def needs_opt_in(region: str) -> bool:
    """Accounts have ``region`` only once they asked for it."""
    return region not in _ENABLED_BY_DEFAULT


def operating_regions(home: str, named: Iterable[str]) -> tuple[str, ...]:
    """The regions an IPAM works in: those named, once each, and always its home (IPAM-1).

    Raises:
        InvalidParameterValue: one of them is no region.
    """
    checked = [name if name == home else check_region(name) for name in named]
    return tuple(dict.fromkeys([*checked, home]))


def changed_operating_regions(
    home: str, before: Iterable[str], *, added: Collection[str], removed: Collection[str]
) -> tuple[str, ...]:
    """The regions after a change; to remove one that is none changes nothing.

    Raises:
        InvalidParameterValue: the home region was to be removed, or an added one is no region.
        InvalidParameterCombination: a region is to be added and removed.
    """
    if home in removed:
        raise InvalidParameterValue(
            f"Value ({home}) for parameter removeOperatingRegions is invalid; the home"
            " region is always an operating region",
            parameter="removeOperatingRegions",
            value=home,
        )
    for region in set(added) & set(removed):
        raise InvalidParameterCombination(
            f"Region {region} is to be added and removed at once; name it in one of"
            " AddOperatingRegions and RemoveOperatingRegions",
            region=region,
        )
    kept = [region for region in before if region not in removed]
    return operating_regions(home, [*kept, *added])
