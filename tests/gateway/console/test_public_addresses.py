"""Public IP insights: counts, idle addresses, and what is asked for (PUB-1, PUB-2)."""

from collections.abc import Iterator
from typing import Any

import pytest

from cadastre.control.v1 import ipam_pb2
from cadastre.control.v1 import resource_discovery_service_pb2 as discoveries
from cadastre.discovery.v1 import monitoring_service_pb2 as pb
from tests.gateway.console.signed_in import HERE, Browser, links_of, signed_in, text_of
from tests.gateway.edge import ACCOUNT_ID, Edge

OWN, SHARED = "ipam-res-disco-0365d2977fc1672fe", "ipam-res-disco-0465d2977fc1672fe"
ALLOCATION_ID = "eipalloc-056cdd6019c0f4b46"


def a_discovery(discovery_id: str, owner_id: str, *regions: str) -> Any:
    return discoveries.IpamResourceDiscovery(
        ipam_resource_discovery_id=discovery_id,
        owner_id=owner_id,
        operating_regions=[ipam_pb2.IpamOperatingRegion(region_name=one) for one in regions],
    )


def an_address(address: str, **members: Any) -> pb.IpamDiscoveredPublicAddress:
    common: dict[str, Any] = {
        "address": address,
        "address_owner_id": ACCOUNT_ID,
        "address_type": pb.IPAM_PUBLIC_ADDRESS_TYPE_AMAZON_OWNED_EIP,
        "association_status": pb.IPAM_PUBLIC_ADDRESS_ASSOCIATION_STATUS_DISASSOCIATED,
        "address_allocation_id": ALLOCATION_ID,
    }
    return pb.IpamDiscoveredPublicAddress(**common | members)


@pytest.fixture
def browser(edge: Edge) -> Iterator[Browser]:
    with signed_in(edge) as browser:
        edge.fakes.answers["DescribeIpamResourceDiscoveries"] = (
            discoveries.DescribeIpamResourceDiscoveriesResponse(
                ipam_resource_discoveries=[
                    a_discovery(SHARED, "222222222222", "eu-west-1", "us-west-2"),
                    a_discovery(OWN, ACCOUNT_ID, "us-east-1", "us-west-2"),
                ]
            )
        )
        yield browser


def asked_for(edge: Edge) -> list[pb.GetIpamDiscoveredPublicAddressesRequest]:
    return [
        request
        for path, request in edge.fakes.requests
        if path.endswith("/GetIpamDiscoveredPublicAddresses")
    ]


def test_idle_addresses_are_told_of(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["GetIpamDiscoveredPublicAddresses"] = (
        pb.GetIpamDiscoveredPublicAddressesResponse(
            ipam_discovered_public_addresses=[
                an_address(
                    "198.18.0.1",
                    tags=pb.IpamPublicAddressTags(
                        eip_tags=[pb.IpamPublicAddressTag(key="Name", value="<script>x")]
                    ),
                ),
                an_address(
                    "198.18.0.2",
                    association_status=pb.IPAM_PUBLIC_ADDRESS_ASSOCIATION_STATUS_ASSOCIATED,
                ),
                an_address(
                    "198.18.0.3", address_type=pb.IPAM_PUBLIC_ADDRESS_TYPE_SERVICE_MANAGED_IP
                ),
            ]
        )
    )
    page = browser.get("/public-ips").text
    assert "<script>x" not in page
    said = text_of(page)
    assert "1 idle Elastic IP address. Nothing uses it" in said, "services release theirs"
    assert "Amazon-owned EIP 2" in said
    assert "Unassociated Amazon-owned EIP 1" in said
    assert links_of(page)["Show idle addresses"] == (
        f"{HERE}/public-ips?f.association-status=disassociated"
    )


def test_the_own_discovery_is_looked_at_first(edge: Edge, browser: Browser) -> None:
    browser.get("/public-ips", **{"f.address-type": "byoip"})
    requests = asked_for(edge)
    assert {(one.ipam_resource_discovery_id, one.address_region) for one in requests} == {
        (OWN, "us-east-1")
    }
    assert ["address-type"] in [[each.name for each in one.filters] for one in requests]


def test_others_are_chosen(edge: Edge, browser: Browser) -> None:
    browser.get("/public-ips", discovery=SHARED)
    assert {one.address_region for one in asked_for(edge)} == {"eu-west-1"}, "its first region"
    answer = browser.get("/public-ips", discovery="ipam-res-disco-0965d2977fc1672fe")
    assert answer.status_code == 404


def test_an_idle_address_of_the_account_can_be_released(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["GetIpamDiscoveredPublicAddresses"] = (
        pb.GetIpamDiscoveredPublicAddressesResponse(
            ipam_discovered_public_addresses=[an_address("198.18.0.1")]
        )
    )
    page = browser.get("/public-ips/198.18.0.1").text
    assert links_of(page)["Release"] == f"{HERE}/addresses/{ALLOCATION_ID}/release"
    [request] = asked_for(edge)
    assert [(one.name, list(one.values)) for one in request.filters] == [
        ("address", ["198.18.0.1"])
    ]


def test_without_a_discovery_there_is_nothing_to_see(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["DescribeIpamResourceDiscoveries"] = (
        discoveries.DescribeIpamResourceDiscoveriesResponse()
    )
    assert "no resource discovery in us-east-1" in text_of(browser.get("/public-ips").text)
    assert browser.get("/public-ips/198.18.0.1").status_code == 404
