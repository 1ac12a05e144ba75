import pytest

from services.network.availability_zones import chosen_zone, zone_id, zones
from shared.errors import CadastreError


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("us-east-1a", "use1-az1"),
        ("us-east-1f", "use1-az6"),
        ("us-west-2b", "usw2-az2"),
        ("ap-northeast-1c", "apne1-az3"),
        ("ap-southeast-5a", "apse5-az1"),
        ("eu-central-1a", "euc1-az1"),
        ("us-gov-west-1a", "usgw1-az1"),
        ("us-isob-east-1a", "usibe1-az1"),
        ("cn-northwest-1a", "cnnw1-az1"),
    ],
)
def test_zone_ids_abbreviate_regions_as_ec2_does(zone: str, expected: str) -> None:
    assert zone_id(zone) == expected


def test_a_region_has_six_zones() -> None:
    assert zones("us-west-2") == [f"us-west-2{letter}" for letter in "abcdef"]
    assert len({zone_id(zone) for zone in zones("us-west-2")}) == 6


@pytest.mark.parametrize(
    ("name", "wanted_id", "expected"),
    [
        pytest.param(None, None, "us-west-2a", id="the first by default"),
        pytest.param("us-west-2c", None, "us-west-2c", id="by name"),
        pytest.param(None, "usw2-az2", "us-west-2b", id="by id"),
    ],
)
def test_a_zone_is_asked_for_by_name_or_id(
    name: str | None, wanted_id: str | None, expected: str
) -> None:
    assert chosen_zone("us-west-2", name, wanted_id) == expected


@pytest.mark.parametrize(
    ("name", "wanted_id", "reason"),
    [
        pytest.param("us-west-2g", None, "InvalidParameterValue", id="no such letter"),
        pytest.param("us-east-1a", None, "InvalidParameterValue", id="another region's"),
        pytest.param("us-west-2", None, "InvalidParameterValue", id="no letter"),
        pytest.param(None, "usw2-az7", "InvalidParameterValue", id="no such id"),
        pytest.param("us-west-2a", "usw2-az1", "InvalidParameterCombination", id="both"),
    ],
)
def test_other_zones_are_refused(name: str | None, wanted_id: str | None, reason: str) -> None:
    with pytest.raises(CadastreError) as refusal:
        chosen_zone("us-west-2", name, wanted_id)
    assert refusal.value.reason == reason
