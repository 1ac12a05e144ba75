"""What an account may use, through gRPC."""

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import account_service_pb2 as pb
from services.network.account import account_attributes, availability_zones, regions
from shared.errors import CadastreError
from tests.network.conftest import Network


def named(name: str, *values: str) -> types_pb2.Filter:
    return types_pb2.Filter(name=name, values=values)


async def test_an_account_is_told_of_its_regions_and_limits(api: Network) -> None:
    answer = await api.account.call(pb.DescribeRegionsRequest(region_names=["us-west-2"]))
    assert list(answer.regions) == [
        pb.Region(
            opt_in_status="opt-in-not-required",
            region_name="us-west-2",
            endpoint="ec2.us-west-2.amazonaws.com",
        )
    ]
    request = pb.DescribeRegionsRequest(
        all_regions=True, filters=[named("opt-in-status", "opted-in"), named("endpoint", "*.af-*")]
    )
    found = (await api.account.call(request)).regions
    assert [region.region_name for region in found] == ["af-south-1"]

    answer = await api.account.call(pb.DescribeAccountAttributesRequest())
    told = {one.attribute_name: one.attribute_values for one in answer.account_attributes}
    [limit] = told["vpc-max-elastic-ips"]
    assert limit.attribute_value == "5000"
    answer = await api.account.call(
        pb.DescribeAccountAttributesRequest(attribute_names=[pb.ACCOUNT_ATTRIBUTE_NAME_DEFAULT_VPC])
    )
    assert list(answer.account_attributes) == [
        pb.AccountAttribute(
            attribute_name="default-vpc",
            attribute_values=[pb.AccountAttributeValue(attribute_value="none")],
        )
    ]


async def test_the_zones_are_those_of_the_callers_region(api: Network) -> None:
    answer = await api.account.call(pb.DescribeAvailabilityZonesRequest())
    assert [zone.zone_name[-1] for zone in answer.availability_zones] == list("abcdef")
    request = pb.DescribeAvailabilityZonesRequest(
        all_availability_zones=True,
        zone_ids=["usw2-az2", "usw2-az3"],
        filters=[named("zone-name", "*b"), named("opt-in-status", "opt-in-not-required")],
    )
    assert list((await api.account.call(request)).availability_zones) == [
        pb.AvailabilityZone(
            opt_in_status=pb.AVAILABILITY_ZONE_OPT_IN_STATUS_OPT_IN_NOT_REQUIRED,
            region_name="us-west-2",
            zone_name="us-west-2b",
            zone_id="usw2-az2",
            group_name="us-west-2-zg-1",
            network_border_group="us-west-2",
            zone_type="availability-zone",
            state=pb.AVAILABILITY_ZONE_STATE_AVAILABLE,
        )
    ]


def test_zones_of_other_regions_are_refused() -> None:
    zones = availability_zones("us-west-2", ["us-west-2a", "us-west-2c"], ["usw2-az3"])
    assert [zone.name for zone in zones] == ["us-west-2c"]
    for names, ids in ((["us-east-1a"], []), ([], ["use1-az1"])):
        with pytest.raises(CadastreError, match="us(e1|-east-1)") as refusal:
            availability_zones("us-west-2", names, ids)
        assert refusal.value.reason == "InvalidParameterValue"


def test_regions_are_awss_by_name() -> None:
    names = [region.name for region in regions([])]
    assert names == sorted(names)
    assert {"eu-west-1", "us-east-1"} < set(names)
    with pytest.raises(CadastreError, match="nowhere-1") as refusal:
        regions(["us-east-1", "nowhere-1"])
    assert refusal.value.reason == "InvalidParameterValue"


def test_the_limit_of_addresses_is_the_quota() -> None:
    told = account_attributes(max_addresses=7)
    assert (told["max-elastic-ips"], told["vpc-max-elastic-ips"]) == ("7", "7")
    assert told["supported-platforms"] == "VPC"
