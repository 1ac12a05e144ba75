import pytest

from shared.regions import is_local_zone, region_of


@pytest.mark.parametrize(
    ("locale", "region"),
    [
        ("us-east-1", "us-east-1"),
        ("us-gov-west-1", "us-gov-west-1"),
        ("us-east-1-scl-1", "us-east-1"),
        ("us-west-2-lax-1", "us-west-2"),
        ("None", "None"),
    ],
)
def test_a_local_zone_lies_in_its_parent_region(locale: str, region: str) -> None:  # IPAM-3
    assert region_of(locale) == region
    assert is_local_zone(locale) == (locale != region)
