"""Regions: where an IPAM may work (IPAM-3)."""

from collections.abc import Collection, Iterable

from shared.aws_regions import known_regions
from shared.errors import InvalidParameterCombination, InvalidParameterValue

NO_LOCALE = "None"


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
