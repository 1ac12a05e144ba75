"""Availability zones: six in every region, with names and ids as EC2 forms them.

EC2 deals out the ids of a region's zones differently to each account. Here the letters and the
numbers go together, for all: us-east-1a is use1-az1, us-east-1f is use1-az6.
"""

import re
from collections.abc import Collection

from shared.errors import InvalidParameterCombination, InvalidParameterValue

_LETTERS = "abcdef"
_DIRECTIONS = re.compile("north|south|east|west|central|gov|iso")


def zones(region: str) -> list[str]:
    """Their names, in order: ``us-east-1a``."""
    return [f"{region}{letter}" for letter in _LETTERS]


def zone_id(zone: str) -> str:
    """The id of a zone by its name: ``apne1-az1`` of ``ap-northeast-1a``."""
    first, *directions, number = zone[:-1].split("-")
    short = "".join(_DIRECTIONS.sub(_initial, direction) for direction in directions)
    return f"{first}{short}{number}-az{_LETTERS.index(zone[-1]) + 1}"


def group_name(region: str) -> str:
    """The zone group that all availability zones of a region are of: ``us-east-1-zg-1``."""
    return f"{region}-zg-1"


def chosen_zone(region: str, name: str | None, wanted_id: str | None) -> str:
    """The name of the zone that a request names, by name or id; by default the region's first.

    Raises:
        InvalidParameterCombination: both are given.
        InvalidParameterValue: the region has no such zone.
    """
    if name is not None and wanted_id is not None:
        raise InvalidParameterCombination(
            "availabilityZone and availabilityZoneId exclude each other; use one",
            parameter="availabilityZoneId",
        )
    names = zones(region)
    if wanted_id is not None:
        by_id = {zone_id(zone): zone for zone in names}
        return by_id[_known(wanted_id, by_id, "availabilityZoneId")]
    return names[0] if name is None else _known(name, names, "availabilityZone")


def _known(value: str, known: Collection[str], parameter: str) -> str:
    if value not in known:
        raise InvalidParameterValue(
            f"Value ({value}) for parameter {parameter} is invalid. Subnets can be created in these"
            f" availability zones: {', '.join(known)}",
            parameter=parameter,
            value=value,
        )
    return value


def _initial(direction: re.Match[str]) -> str:
    return direction[0][0]
