"""Messages -> EC2's XML, as it stands on the wire."""

import pytest
from google.protobuf.message import Message

from cadastre.common.v1 import types_pb2 as common
from cadastre.control.v1 import control_service_pb2 as control
from cadastre.control.v1 import ipam_pb2
from cadastre.network.v1 import network_service_pb2 as network
from cadastre.network.v1 import vpc_pb2
from services.gateway import xml
from services.gateway.ec2.operations import operations_of
from services.gateway.model import load_model

OPERATIONS = operations_of(load_model("ec2"))


def content(action: str, answer: Message) -> str:
    """What stands between the request id and the end."""
    document = OPERATIONS[action].render(answer, "id")
    head, _, rest = document.partition("<requestId>id</requestId>")
    assert head == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
    )
    assert rest.endswith(f"</{action}Response>")
    return rest.removesuffix(f"</{action}Response>")


@pytest.mark.parametrize(
    ("action", "answer", "expected"),
    [
        pytest.param(
            "CreateTags", control.CreateTagsResponse(), "<return>true</return>", id="no members"
        ),
        pytest.param("CreateIpam", control.CreateIpamResponse(), "", id="no structure"),
        pytest.param(
            "CreateIpam",
            control.CreateIpamResponse(
                ipam=ipam_pb2.Ipam(
                    scope_count=0,
                    description="",
                    operating_regions=[
                        ipam_pb2.IpamOperatingRegion(region_name="a"),
                        ipam_pb2.IpamOperatingRegion(region_name="b"),
                    ],
                    state=ipam_pb2.IPAM_STATE_CREATE_IN_PROGRESS,
                    enable_private_gua=False,
                )
            ),
            "<ipam><scopeCount>0</scopeCount><description></description><operatingRegionSet>"
            "<item><regionName>a</regionName></item><item><regionName>b</regionName></item>"
            "</operatingRegionSet><state>create-in-progress</state><tagSet></tagSet>"
            "<enablePrivateGua>false</enablePrivateGua></ipam>",
            id="absent members are left out, empty lists and zeros are not",
        ),
        pytest.param(
            "DescribeIpams",
            control.DescribeIpamsResponse(next_token="a&b"),
            "<nextToken>a&amp;b</nextToken><ipamSet></ipamSet>",
            id="an empty page",
        ),
        pytest.param(
            "DescribeVpcAttribute",
            network.DescribeVpcAttributeResponse(
                enable_dns_support=vpc_pb2.AttributeBooleanValue(value=True), vpc_id="vpc-1"
            ),
            "<enableDnsSupport><value>true</value></enableDnsSupport><vpcId>vpc-1</vpcId>",
            id="a structure",
        ),
        pytest.param(
            "CreateVpc",
            network.CreateVpcResponse(
                vpc=vpc_pb2.Vpc(tags=[common.Tag(key="<k>", value="1\r\n2\t]]>")])
            ),
            "<vpc><ipv6CidrBlockAssociationSet></ipv6CidrBlockAssociationSet>"
            "<cidrBlockAssociationSet></cidrBlockAssociationSet><tagSet><item><key>&lt;k&gt;</key>"
            "<value>1&#13;\n2\t]]&gt;</value></item></tagSet></vpc>",
            id="what XML would take for markup",
        ),
    ],
)
def test_a_message_becomes_ec2s_xml(action: str, answer: Message, expected: str) -> None:
    assert content(action, answer) == expected


def test_an_enum_value_of_a_newer_contract_is_an_empty_element() -> None:
    newer = control.CreateIpamResponse(ipam=ipam_pb2.Ipam())
    newer.ipam.tier = 99  # type: ignore[assignment]
    assert "<tier></tier>" in content("CreateIpam", newer)


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\uffff"])
def test_what_xml_cannot_carry_is_replaced(character: str) -> None:
    assert xml.text(f"a{character}<") == "a\ufffd&lt;"
