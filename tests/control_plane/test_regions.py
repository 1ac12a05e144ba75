"""Regions and operating regions."""

import pytest

from services.control_plane.regions import check_region, operating_regions
from shared.errors import InvalidParameterValue


@pytest.mark.parametrize(
    ("named", "result"),
    [
        ((), ("us-east-1",)),
        (("us-west-2",), ("us-west-2", "us-east-1")),
        (("us-east-1", "us-west-2", "us-west-2"), ("us-east-1", "us-west-2")),
    ],
)
def test_the_home_region_is_always_an_operating_region(  # IPAM-1
    named: tuple[str, ...], result: tuple[str, ...]
) -> None:
    assert operating_regions("us-east-1", named) == result


@pytest.mark.parametrize("name", ["mars-1", "", "us-east-1-scl-1", "US-EAST-1"])
def test_only_regions_are_regions(name: str) -> None:  # IPAM-3
    with pytest.raises(InvalidParameterValue, match="no region"):
        check_region(name)
