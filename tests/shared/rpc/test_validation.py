import pytest
from google.protobuf.message import Message

from cadastre.allocation.v1 import allocation_service_pb2 as allocation
from cadastre.common.v1.types_pb2 import Filter, Tag, TagSpecification
from cadastre.control.v1 import control_service_pb2 as control
from cadastre.control.v1 import ipam_pb2
from shared.errors import CadastreError
from shared.rpc.enums import aws_enum_name, enum_number
from shared.rpc.validation import validate

POOL = "ipam-pool-0123456789abcdef0"


@pytest.mark.parametrize(
    "request_",
    [
        control.CreateIpamRequest(),
        control.CreateIpamRequest(tier=ipam_pb2.IPAM_TIER_FREE, description="d" * 255),
        control.DescribeIpamPoolsRequest(ipam_pool_ids=[POOL], max_results=5),
        control.CreateTagsRequest(resources=["ipam-0123456789abcdef0", POOL], tags=[Tag(key="k")]),
        allocation.AllocateIpamPoolCidrRequest(ipam_pool_id=POOL, netmask_length=0),
    ],
    ids=["nothing", "longest", "ids", "mixed ids", "zero"],
)
def test_sound_requests_pass(request_: Message) -> None:
    validate(request_)


@pytest.mark.parametrize(
    ("request_", "reason", "name"),
    [
        (allocation.AllocateIpamPoolCidrRequest(), "MissingParameter", "ipamPoolId"),
        (allocation.AllocateIpamPoolCidrRequest(ipam_pool_id=""), "MissingParameter", "ipamPoolId"),
        (control.CreateTagsRequest(tags=[Tag(key="k")]), "MissingParameter", "resources"),
        (
            control.CreateIpamRequest(tag_specifications=[TagSpecification()]),
            "MissingParameter",
            "tagSpecifications.1.resourceType",
        ),
        (
            control.CreateIpamRequest(description="d" * 256),
            "InvalidParameterValue",
            "description",
        ),
        (
            control.DescribeIpamsRequest(filters=[Filter(name="f", values=["v"] * 201)]),
            "InvalidParameterValue",
            "filters.1.values",
        ),
        (control.CreateIpamRequest(description="a\0b"), "InvalidParameterValue", "description"),
        (control.DescribeIpamsRequest(max_results=4), "InvalidParameterValue", "maxResults"),
        (control.DescribeIpamsRequest(max_results=1001), "InvalidParameterValue", "maxResults"),
        (
            control.CreateIpamRequest(tier=ipam_pb2.IPAM_TIER_UNSPECIFIED),
            "InvalidParameterValue",
            "free, advanced",
        ),
        (control.CreateIpamRequest(tier=99), "InvalidParameterValue", "free, advanced"),  # type: ignore[arg-type]
        (
            control.DescribeIpamPoolsRequest(ipam_pool_ids=[POOL, "ipam-1"]),
            "InvalidIpamPoolId.Malformed",
            "ipam-1",
        ),
        (
            control.CreateTagsRequest(resources=["vpc-0123456789abcdef0"], tags=[Tag(key="k")]),
            "InvalidIpamInternetRegistryAssociationId.Malformed",
            "vpc-",
        ),
    ],
    ids=[
        "absent",
        "empty",
        "empty list",
        "nested",
        "too long",
        "too many",
        "control character",
        "too low",
        "too high",
        "unspecified enum value",
        "unknown enum value",
        "malformed id",
        "id of no allowed kind",
    ],
)
def test_what_breaks_a_rule_is_refused_by_name(request_: Message, reason: str, name: str) -> None:
    with pytest.raises(CadastreError) as refusal:
        validate(request_)
    assert refusal.value.reason == reason
    assert name in refusal.value.message


def test_aws_strings_and_enum_values_translate_both_ways() -> None:
    states = ipam_pb2.IpamState.DESCRIPTOR
    number = ipam_pb2.IPAM_STATE_CREATE_IN_PROGRESS
    assert aws_enum_name(states, number) == "create-in-progress"
    assert enum_number(states, "create-in-progress") == number
    assert enum_number(states, "unspecified") is None
    assert enum_number(states, "nonsense") is None
