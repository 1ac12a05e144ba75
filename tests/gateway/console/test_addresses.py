"""Elastic IP addresses and public IPv4 pools: the request that each action sends (EIP-1, EIP-2)."""

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.message import Message

from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import control_service_pb2 as control
from cadastre.control.v1 import ipam_pool_pb2
from cadastre.network.v1 import address_service_pb2 as pb
from tests.gateway.console.signed_in import HERE, Browser, links_of, signed_in, text_of
from tests.gateway.edge import ACCOUNT_ID, Edge
from tests.gateway.fakes import Refusal

ALLOCATION_ID, ASSOCIATION_ID = "eipalloc-056cdd6019c0f4b46", "eipassoc-06aa85073d3936e0e"
POOL_ID, IPAM_POOL_ID = "ipv4pool-ec2-0019eed22a684e0b2", "ipam-pool-07ccc86aa41bef7ce"


@pytest.fixture
def browser(edge: Edge) -> Iterator[Browser]:
    with signed_in(edge) as browser:
        edge.fakes.answers |= {
            "DescribeAddresses": pb.DescribeAddressesResponse(addresses=[an_address()]),
            "DescribePublicIpv4Pools": pb.DescribePublicIpv4PoolsResponse(
                public_ipv4_pools=[
                    pb.PublicIpv4Pool(
                        pool_id=POOL_ID,
                        total_address_count=4,
                        total_available_address_count=3,
                        pool_address_ranges=[
                            pb.PublicIpv4PoolRange(
                                first_address="198.18.0.4",
                                last_address="198.18.0.7",
                                address_count=4,
                                available_address_count=3,
                            )
                        ],
                    )
                ]
            ),
            "DescribeIpamPools": control.DescribeIpamPoolsResponse(
                ipam_pools=[ipam_pool_pb2.IpamPool(ipam_pool_id=IPAM_POOL_ID, owner_id=ACCOUNT_ID)]
            ),
            "AllocateAddress": pb.AllocateAddressResponse(allocation_id=ALLOCATION_ID),
            "CreatePublicIpv4Pool": pb.CreatePublicIpv4PoolResponse(pool_id=POOL_ID),
        }
        yield browser


def an_address(**members: Any) -> pb.Address:
    common = {
        "allocation_id": ALLOCATION_ID,
        "public_ip": "198.18.0.1",
        "association_id": ASSOCIATION_ID,
        "public_ipv4_pool": POOL_ID,
    }
    return pb.Address(**common | members)


ACTIONS: list[tuple[str, dict[str, str], Message, str]] = [
    (
        "/addresses/allocate",
        {"ipam_pool_id": IPAM_POOL_ID, "address": "198.18.0.9", "tags": "Name=door"},
        pb.AllocateAddressRequest(
            domain=pb.DOMAIN_TYPE_VPC,
            ipam_pool_id=IPAM_POOL_ID,
            address="198.18.0.9",
            tag_specifications=[
                types_pb2.TagSpecification(
                    resource_type="elastic-ip", tags=[types_pb2.Tag(key="Name", value="door")]
                )
            ],
        ),
        f"/addresses/{ALLOCATION_ID}",
    ),
    (
        f"/addresses/{ALLOCATION_ID}/release",
        {},
        pb.ReleaseAddressRequest(allocation_id=ALLOCATION_ID),
        "/addresses",
    ),
    (
        f"/addresses/{ALLOCATION_ID}/associate",
        {"instance_id": "i-07459a6fca5b35823"},
        pb.AssociateAddressRequest(allocation_id=ALLOCATION_ID, instance_id="i-07459a6fca5b35823"),
        f"/addresses/{ALLOCATION_ID}",
    ),
    (
        f"/addresses/{ALLOCATION_ID}/disassociate",
        {"association_id": "eipassoc-0000000000000000a"},
        pb.DisassociateAddressRequest(association_id=ASSOCIATION_ID),
        f"/addresses/{ALLOCATION_ID}",
    ),
    (
        "/addresses/pools/create",
        {},
        pb.CreatePublicIpv4PoolRequest(),
        f"/addresses/pools/{POOL_ID}",
    ),
    (
        f"/addresses/pools/{POOL_ID}/provision",
        {"ipam_pool_id": IPAM_POOL_ID, "netmask_length": "/30"},
        pb.ProvisionPublicIpv4PoolCidrRequest(
            pool_id=POOL_ID, ipam_pool_id=IPAM_POOL_ID, netmask_length=30
        ),
        f"/addresses/pools/{POOL_ID}",
    ),
    (
        f"/addresses/pools/{POOL_ID}/deprovision",
        {"cidr": "198.18.0.7/32"},
        pb.DeprovisionPublicIpv4PoolCidrRequest(pool_id=POOL_ID, cidr="198.18.0.7/32"),
        f"/addresses/pools/{POOL_ID}",
    ),
    (
        f"/addresses/pools/{POOL_ID}/delete",
        {},
        pb.DeletePublicIpv4PoolRequest(pool_id=POOL_ID),
        "/addresses/pools",
    ),
]


@pytest.mark.parametrize(
    ("path", "filled", "request_sent", "leads_to"), ACTIONS, ids=[path for path, *_ in ACTIONS]
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
    assert request == request_sent


def test_addresses_come_a_page_at_a_time(edge: Edge, browser: Browser) -> None:
    """DescribeAddresses answers with all at once."""
    edge.fakes.answers["DescribeAddresses"] = pb.DescribeAddressesResponse(
        addresses=[an_address(allocation_id=f"eipalloc-{number}") for number in range(60)]
    )
    page = browser.get("/addresses").text
    assert "eipalloc-49" in page
    assert "eipalloc-50" not in page
    assert links_of(page)["Next page"] == f"{HERE}/addresses?token=50"
    assert "eipalloc-59" in browser.get("/addresses", token="50").text
    assert browser.get("/addresses", token="x").status_code == 400


def test_an_address_leads_to_its_pool(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["DescribeAddresses"] = pb.DescribeAddressesResponse(
        addresses=[an_address(tags=[{"key": "Name", "value": "<script>x"}])]
    )
    page = browser.get(f"/addresses/{ALLOCATION_ID}").text
    assert links_of(page)[POOL_ID] == f"{HERE}/addresses/pools/{POOL_ID}"
    assert "<script>x" not in page


def test_pools_are_read_ten_at_a_time(edge: Edge, browser: Browser) -> None:
    page = browser.get("/addresses/pools").text
    assert "25%" in text_of(page)
    [(_, request)] = edge.fakes.requests
    assert request.max_results == 10, "AWS's most"


def test_an_address_in_use_is_not_released(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["ReleaseAddress"] = Refusal("InvalidIPAddress.InUse", "in use")
    answer = browser.get(f"/addresses/{ALLOCATION_ID}/release")
    assert answer.status_code >= 400
    assert "in use" in text_of(answer.text)


def test_what_is_gone_is_told_of(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers |= {
        "DescribeAddresses": pb.DescribeAddressesResponse(),
        "DescribePublicIpv4Pools": pb.DescribePublicIpv4PoolsResponse(),
    }
    assert browser.get(f"/addresses/{ALLOCATION_ID}").status_code == 404
    assert browser.get(f"/addresses/pools/{POOL_ID}/provision").status_code == 404
