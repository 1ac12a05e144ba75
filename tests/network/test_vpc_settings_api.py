"""Attributes and tags of VPCs, through gRPC, on both databases."""

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import network_service_pb2 as pb
from cadastre.network.v1 import vpc_pb2
from shared.errors import CadastreError
from tests.network.conftest import Network
from tests.network.support import UNKNOWN_VPC


async def test_attributes_as_terraform_reads_and_sets_them(api: Network) -> None:
    vpc = await api.create(cidr_block="10.0.0.0/16")

    async def attribute(name: str, member: str) -> bool:
        answer = await api.vpcs.call(
            pb.DescribeVpcAttributeRequest(vpc_id=vpc.vpc_id, attribute=name)
        )
        assert {field.name for field, _ in answer.ListFields()} == {member, "vpc_id"}
        value: bool = getattr(answer, member).value
        return value

    names = {
        "enableDnsSupport": ("enable_dns_support", True),
        "enableDnsHostnames": ("enable_dns_hostnames", False),
        "enableNetworkAddressUsageMetrics": ("enable_network_address_usage_metrics", False),
    }
    for name, (member, default) in names.items():
        assert await attribute(name, member) is default
        value = vpc_pb2.AttributeBooleanValue(value=not default)
        await api.vpcs.call(pb.ModifyVpcAttributeRequest(vpc_id=vpc.vpc_id, **{member: value}))
        assert await attribute(name, member) is not default

    value = vpc_pb2.AttributeBooleanValue(value=True)
    for refused, reason in [
        (pb.ModifyVpcAttributeRequest(vpc_id=vpc.vpc_id), "InvalidParameterCombination"),
        (
            pb.ModifyVpcAttributeRequest(
                vpc_id=vpc.vpc_id, enable_dns_support=value, enable_dns_hostnames=value
            ),
            "InvalidParameterCombination",
        ),
        (
            pb.DescribeVpcAttributeRequest(vpc_id=vpc.vpc_id, attribute="colour"),
            "InvalidParameterValue",
        ),
    ]:
        with pytest.raises(CadastreError) as refusal:
            await api.vpcs.call(refused)
        assert refusal.value.reason == reason


async def test_tags_change_on_all_resources_or_none(api: Network) -> None:
    vpcs = [await api.create(cidr_block=f"10.{n}.0.0/16") for n in range(2)]
    ids = [vpc.vpc_id for vpc in vpcs]

    async def tags() -> list[dict[str, str]]:
        return [{tag.key: tag.value for tag in vpc.tags} for vpc in await api.describe()]

    both = [types_pb2.Tag(key="a", value="1"), types_pb2.Tag(key="b", value="2")]
    with pytest.raises(CadastreError):
        await api.vpcs.call(pb.CreateTagsRequest(resources=[*ids, UNKNOWN_VPC], tags=both))
    assert await tags() == [{}, {}]
    await api.vpcs.call(pb.CreateTagsRequest(resources=ids, tags=both))
    assert await tags() == [{"a": "1", "b": "2"}] * 2
    wrong_value = types_pb2.Tag(key="b", value="other")
    await api.vpcs.call(
        pb.DeleteTagsRequest(resources=ids, tags=[types_pb2.Tag(key="a"), wrong_value])
    )
    assert await tags() == [{"b": "2"}] * 2
    await api.vpcs.call(pb.DeleteTagsRequest(resources=ids[:1]))
    assert await tags() == [{}, {"b": "2"}]
