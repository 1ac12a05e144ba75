"""VPCs and subnets: the request that each action sends (VPC-1 to VPC-4)."""

from collections.abc import Iterator, Sequence

import pytest
from google.protobuf.message import Message

from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import control_service_pb2 as control
from cadastre.control.v1 import ipam_pool_pb2
from cadastre.network.v1 import network_service_pb2 as pb
from cadastre.network.v1 import subnet_service_pb2 as subnets
from cadastre.network.v1 import vpc_pb2
from tests.gateway.console.signed_in import HERE, Browser, links_of, signed_in, text_of
from tests.gateway.edge import ACCOUNT_ID, Edge
from tests.gateway.fakes import Refusal

VPC_ID, SUBNET_ID = "vpc-04f7c3b0c8f0c6d3e", "subnet-0ab3e4a1c6b0d9e21"
POOL_ID, PLANNING_ID = "ipam-pool-0d8f3646b61ca5987", "ipam-pool-0e8f3646b61ca5987"
ASSOCIATION_ID = "vpc-cidr-assoc-0db8a2a4e5a5a5a5a"


@pytest.fixture
def browser(edge: Edge) -> Iterator[Browser]:
    vpc = vpc_pb2.Vpc(
        vpc_id=VPC_ID,
        owner_id=ACCOUNT_ID,
        cidr_block_association_set=[
            vpc_pb2.VpcCidrBlockAssociation(association_id=ASSOCIATION_ID, cidr_block="10.0.0.0/24")
        ],
        tags=[types_pb2.Tag(key="Name", value="<script>shop")],
    )
    with signed_in(edge) as browser:
        edge.fakes.answers |= {
            "DescribeVpcs": pb.DescribeVpcsResponse(vpcs=[vpc]),
            "CreateVpc": pb.CreateVpcResponse(vpc=vpc),
            "DescribeSubnets": subnets.DescribeSubnetsResponse(
                subnets=[subnets.Subnet(subnet_id=SUBNET_ID, cidr_block="10.0.0.0/26")]
            ),
            "DescribeIpamPools": control.DescribeIpamPoolsResponse(
                ipam_pools=[
                    ipam_pool_pb2.IpamPool(
                        ipam_pool_id=POOL_ID, address_family=types_pb2.ADDRESS_FAMILY_IPV4
                    ),
                    ipam_pool_pb2.IpamPool(
                        ipam_pool_id=PLANNING_ID,
                        address_family=types_pb2.ADDRESS_FAMILY_IPV4,
                        source_resource=ipam_pool_pb2.IpamPoolSourceResource(resource_id=VPC_ID),
                    ),
                ]
            ),
        }
        yield browser


def named(resource_type: str, name: str) -> Sequence[types_pb2.TagSpecification]:
    tag = types_pb2.Tag(key="Name", value=name)
    return [types_pb2.TagSpecification(resource_type=resource_type, tags=[tag])]


ACTIONS: list[tuple[str, dict[str, str], Message, str]] = [
    (
        "/vpcs/create",
        {"name": "shop", "ipv4_ipam_pool_id": POOL_ID, "ipv4_netmask_length": "/24"},
        pb.CreateVpcRequest(
            ipv4_ipam_pool_id=POOL_ID,
            ipv4_netmask_length=24,
            tag_specifications=named("vpc", "shop"),
        ),
        f"/vpcs/{VPC_ID}",
    ),
    (
        "/vpcs/create",
        {"cidr_block": "10.0.0.0/16", "amazon_provided_ipv6_cidr_block": "true"},
        pb.CreateVpcRequest(cidr_block="10.0.0.0/16", amazon_provided_ipv6_cidr_block=True),
        f"/vpcs/{VPC_ID}",
    ),
    (f"/vpcs/{VPC_ID}/delete", {}, pb.DeleteVpcRequest(vpc_id=VPC_ID), "/vpcs"),
    (
        f"/vpcs/{VPC_ID}/add-cidr",
        {"cidr_block": "10.1.0.0/24"},
        pb.AssociateVpcCidrBlockRequest(vpc_id=VPC_ID, cidr_block="10.1.0.0/24"),
        f"/vpcs/{VPC_ID}",
    ),
    (
        f"/vpcs/{VPC_ID}/remove-cidr",
        {"association_id": ASSOCIATION_ID},
        pb.DisassociateVpcCidrBlockRequest(association_id=ASSOCIATION_ID),
        f"/vpcs/{VPC_ID}",
    ),
    (
        f"/vpcs/{VPC_ID}/create-subnet",
        {"name": "a", "ipv4_ipam_pool_id": PLANNING_ID, "ipv4_netmask_length": "26"},
        subnets.CreateSubnetRequest(
            vpc_id=VPC_ID,
            ipv4_ipam_pool_id=PLANNING_ID,
            ipv4_netmask_length=26,
            tag_specifications=named("subnet", "a"),
        ),
        f"/vpcs/{VPC_ID}",
    ),
    (
        f"/vpcs/{VPC_ID}/subnets/{SUBNET_ID}/delete",
        {},
        subnets.DeleteSubnetRequest(subnet_id=SUBNET_ID),
        f"/vpcs/{VPC_ID}",
    ),
]


@pytest.mark.parametrize(
    ("path", "filled", "request_sent", "leads_to"),
    ACTIONS,
    ids=[f"{number}-{type(sent).__name__}" for number, (_, _, sent, _) in enumerate(ACTIONS)],
)
def test_an_action_sends_its_request(
    edge: Edge,
    browser: Browser,
    path: str,
    filled: dict[str, str],
    request_sent: Message,
    leads_to: str,
) -> None:
    answer = browser.do(path, **filled)
    assert answer.status_code == 303, text_of(answer.text)
    assert answer.headers["location"].startswith(f"{HERE}{leads_to}?done=")
    [*_, (_, request)] = [
        sent for sent in edge.fakes.requests if isinstance(sent[1], type(request_sent))
    ]
    if "client_token" in request.DESCRIPTOR.fields_by_name:
        request.ClearField("client_token")
    assert request == request_sent


def test_pools_are_those_of_the_region(edge: Edge, browser: Browser) -> None:
    browser.get("/vpcs/create")
    [(_, request)] = edge.fakes.requests
    assert [(one.name, list(one.values)) for one in request.filters] == [("locale", ["us-east-1"])]


def test_a_subnet_is_of_the_pools_that_plan_its_vpc(browser: Browser) -> None:
    answer = browser.review(f"/vpcs/{VPC_ID}/create-subnet", ipv4_ipam_pool_id=POOL_ID)
    assert answer.status_code == 400
    assert "can't be chosen" in text_of(answer.text)


def test_a_vpc_shows_its_subnets(edge: Edge, browser: Browser) -> None:
    page = browser.get(f"/vpcs/{VPC_ID}").text
    assert "<script>shop" not in page
    assert "10.0.0.0/26" in text_of(page)
    assert links_of(page)["Delete subnet"] == f"{HERE}/vpcs/{VPC_ID}/subnets/{SUBNET_ID}/delete"
    [*_, (_, request)] = edge.fakes.requests
    assert [(one.name, list(one.values)) for one in request.filters] == [("vpc-id", [VPC_ID])]


def test_what_depends_on_a_vpc_is_told_of(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["DeleteVpc"] = Refusal("DependencyViolation", "it has subnets")
    said = text_of(browser.get(f"/vpcs/{VPC_ID}/delete").text)
    assert "it has subnets" in said
    assert "Remove what depends on it first" in said


def test_a_vpc_that_is_gone_is_told_of(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["DescribeVpcs"] = pb.DescribeVpcsResponse()
    for page in ("", "/add-cidr", "/create-subnet"):
        assert browser.get(f"/vpcs/{VPC_ID}{page}").status_code == 404
