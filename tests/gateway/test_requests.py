"""EC2's parameters -> messages, rule by rule. All kinds together: test_round_trip.py."""

from typing import Any

import pytest
from google.protobuf.message import Message

from cadastre.allocation.v1 import allocation_service_pb2 as allocation
from cadastre.common.v1 import types_pb2 as common
from cadastre.control.v1 import control_service_pb2 as control
from cadastre.control.v1 import ipam_pb2
from cadastre.network.v1 import network_service_pb2 as network
from cadastre.network.v1 import vpc_pb2
from services.gateway.ec2.operations import operations_of
from services.gateway.ec2.parameters import nested
from services.gateway.model import load_model
from services.gateway.structures import MAX_LIST_LENGTH

OPERATIONS = operations_of(load_model("ec2"))


def request_for(action: str, parameters: dict[str, str]) -> Message:
    [(_, request)] = OPERATIONS[action].requests(nested(parameters))
    return request


POOL_ID = "ipam-pool-0008f25d7187a08d9"


@pytest.mark.parametrize(
    ("action", "parameters", "request_"),
    [
        pytest.param("DescribeIpams", {}, control.DescribeIpamsRequest(), id="nothing"),
        pytest.param(
            "AllocateIpamPoolCidr",
            {"IpamPoolId": POOL_ID, "NetmaskLength": "24", "PreviewNextCidr": "TRUE"},
            allocation.AllocateIpamPoolCidrRequest(
                ipam_pool_id=POOL_ID, netmask_length=24, preview_next_cidr=True
            ),
            id="values",
        ),
        pytest.param(
            "AllocateIpamPoolCidr",
            {"NetmaskLength": "0", "PreviewNextCidr": "false", "Description": ""},
            allocation.AllocateIpamPoolCidrRequest(
                netmask_length=0, preview_next_cidr=False, description=""
            ),
            id="zero, false and empty are values",
        ),
        pytest.param(
            "AllocateIpamPoolCidr",
            {"DisallowedCidr.7": "c", "DisallowedCidr.10": "d", "DisallowedCidr.1": "a"},
            allocation.AllocateIpamPoolCidrRequest(disallowed_cidrs=["a", "c", "d"]),
            id="a list with gaps, out of order",
        ),
        pytest.param(
            "DescribeIpams",
            {"Filter.1.Name": "tier", "Filter.1.Value.1": "free", "Filter.1.Value.2": "x"},
            control.DescribeIpamsRequest(
                filters=[common.Filter(name="tier", values=["free", "x"])]
            ),
            id="a list of structures with lists",
        ),
        pytest.param(
            "CreateIpam",
            {
                "OperatingRegion.1.RegionName": "us-west-2",
                "Tier": "free",
                "TagSpecification.1.ResourceType": "ipam",
                "TagSpecification.1.Tag.1.Key": "a",
                "TagSpecification.1.Tag.1.Value": "b",
            },
            control.CreateIpamRequest(
                operating_regions=[ipam_pb2.AddIpamOperatingRegion(region_name="us-west-2")],
                tier=ipam_pb2.IPAM_TIER_FREE,
                tag_specifications=[
                    common.TagSpecification(
                        resource_type="ipam", tags=[common.Tag(key="a", value="b")]
                    )
                ],
            ),
            id="an enum, and lists named by the wire",
        ),
        pytest.param(
            "ModifyVpcAttribute",
            {"VpcId": "vpc-1", "EnableDnsSupport.Value": "false"},
            network.ModifyVpcAttributeRequest(
                vpc_id="vpc-1", enable_dns_support=vpc_pb2.AttributeBooleanValue(value=False)
            ),
            id="a structure",
        ),
        pytest.param(
            "CreateVpc",
            {"AmazonProvidedIpv6CidrBlock": "true", "InstanceTenancy": "dedicated"},
            network.CreateVpcRequest(
                amazon_provided_ipv6_cidr_block=True, instance_tenancy=vpc_pb2.TENANCY_DEDICATED
            ),
            id="names whose first letter is raised",
        ),
    ],
)
def test_parameters_become_a_message(
    action: str, parameters: dict[str, str], request_: Message
) -> None:
    assert request_for(action, parameters) == request_


VALUE, UNKNOWN = "InvalidParameterValue", "UnknownParameter"


@pytest.mark.parametrize(
    ("action", "parameters", "reason", "message"),
    [
        ("DescribeIpams", {"Colour": "red"}, UNKNOWN, "Colour"),
        ("DescribeIpams", {"IpamIds": "x"}, UNKNOWN, "IpamIds"),
        ("DescribeIpams", {"description": "x"}, UNKNOWN, "description"),
        ("DescribeIpams", {"Filter.1.Colour": "red"}, UNKNOWN, "Filter.1.Colour"),
        ("DescribeIpams", {"X" * 300: "1"}, UNKNOWN, "XXX..."),
        ("DescribeIpams", {"A" + ".1" * 5000: "1"}, UNKNOWN, "A.1"),
        ("DescribeIpams", {"": "1"}, UNKNOWN, ""),
        ("DescribeIpams", {"Filter": "x"}, VALUE, "Filter is a list"),
        ("DescribeIpams", {"Filter.Name": "x"}, VALUE, "Filter.Name"),
        ("DescribeIpams", {"Filter.0.Name": "x"}, VALUE, "numbered from 1"),
        ("DescribeIpams", {"Filter.-1.Name": "x"}, VALUE, "numbered from 1"),
        ("DescribeIpams", {"Filter.01.Name": "x"}, VALUE, "numbered from 1"),
        ("DescribeIpams", {"Filter.1": "x"}, VALUE, "Filter.1 is a structure"),
        ("DescribeIpams", {"MaxResults": "ten"}, VALUE, "(ten) for parameter MaxResults"),
        ("DescribeIpams", {"MaxResults": ""}, VALUE, "() for parameter MaxResults"),
        ("DescribeIpams", {"MaxResults": "1.5"}, VALUE, "MaxResults"),
        ("DescribeIpams", {"MaxResults": "+5"}, VALUE, "MaxResults"),
        ("DescribeIpams", {"MaxResults": "1_000"}, VALUE, "MaxResults"),
        ("DescribeIpams", {"MaxResults": "\uff15"}, VALUE, "MaxResults"),
        ("DescribeIpams", {"MaxResults": "2147483648"}, VALUE, "32 bits"),
        ("DescribeIpams", {"MaxResults": "9" * 5000}, VALUE, "32 bits"),
        ("DescribeIpams", {"MaxResults.1": "5"}, VALUE, "MaxResults is a single value"),
        ("DescribeIpams", {"DryRun": "yes"}, VALUE, "'true' or 'false'"),
        ("DescribeIpams", {"MaxResults": "5", "MaxResults.1": "5"}, VALUE, "clashes"),
        ("DescribeIpams", {"MaxResults.1": "5", "MaxResults": "5"}, VALUE, "clashes"),
        ("CreateIpam", {"Tier": "gold"}, VALUE, "Use one of free, advanced"),
        ("CreateIpam", {"Tier": "unspecified"}, VALUE, "Use one of free, advanced"),
        ("CreateIpam", {"Tier": "FREE"}, VALUE, "Use one of free, advanced"),
        ("ModifyVpcAttribute", {"EnableDnsSupport": "true"}, VALUE, "EnableDnsSupport.Value"),
        (
            "CreateVpc",
            {"VpcEncryptionControl.Mode": "monitor"},
            "UnsupportedOperation",
            "VpcEncryptionControl is not supported here",
        ),
    ],
)
def test_what_the_action_does_not_take_is_refused_by_name(
    action: str, parameters: dict[str, str], reason: str, message: str
) -> None:
    with pytest.raises(Exception) as refusal:  # noqa: PT011 the reason is what matters
        request_for(action, parameters)
    assert getattr(refusal.value, "reason", repr(refusal.value)) == reason
    assert message in str(refusal.value)


def test_lists_are_bounded() -> None:
    longest = {f"IpamId.{i}": "x" for i in range(1, MAX_LIST_LENGTH + 1)}
    request: Any = request_for("DescribeIpams", longest)
    assert len(request.ipam_ids) == MAX_LIST_LENGTH
    with pytest.raises(Exception, match="at most 1000"):
        request_for("DescribeIpams", {**longest, "IpamId.1001": "x"})
