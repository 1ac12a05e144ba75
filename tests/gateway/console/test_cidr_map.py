"""The CIDR map: what it asks discovery, and what it draws of the answer (MON-8)."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from cadastre.allocation.v1 import allocation_service_pb2 as allocation
from cadastre.allocation.v1 import pool_cidr_pb2
from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import control_service_pb2 as control
from cadastre.control.v1 import ipam_pool_pb2, ipam_scope_pb2
from cadastre.discovery.v1 import usage_service_pb2 as pb
from tests.gateway.console.signed_in import HERE, Browser, links_of, signed_in, text_of
from tests.gateway.edge import ACCOUNT_ID, Edge
from tests.gateway.fakes import Refusal

SCOPE = "ipam-scope-02fc38cd4c48e7d38"
OTHER = "ipam-scope-0b9eed026396dbc16"
POOL_ID = "ipam-pool-0ec231690a6d2a4aa"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def browser(edge: Edge) -> Iterator[Browser]:
    with signed_in(edge) as browser:
        edge.fakes.answers |= {
            "DescribeIpamScopes": control.DescribeIpamScopesResponse(ipam_scopes=[a_scope()]),
            "GetCidrMap": pb.GetCidrMapResponse(),
        }
        yield browser


def a_scope(scope_id: str = SCOPE, owner: str = ACCOUNT_ID) -> ipam_scope_pb2.IpamScope:
    return ipam_scope_pb2.IpamScope(
        ipam_scope_id=scope_id,
        ipam_scope_arn=f"arn:aws:ec2::{owner}:ipam-scope/{scope_id}",
        owner_id=owner,
        ipam_scope_type=types_pb2.IPAM_SCOPE_TYPE_PRIVATE,
        is_default=scope_id == SCOPE,
        tags=[types_pb2.Tag(key="Name", value=EVIL)],
    )


def a_pool(owner: str = ACCOUNT_ID) -> ipam_pool_pb2.IpamPool:
    return ipam_pool_pb2.IpamPool(
        ipam_pool_id=POOL_ID,
        ipam_pool_arn=f"arn:aws:ec2::{owner}:ipam-pool/{POOL_ID}",
        owner_id=owner,
        ipam_scope_arn=f"arn:aws:ec2::{ACCOUNT_ID}:ipam-scope/{OTHER}",
        address_family=types_pb2.ADDRESS_FAMILY_IPV4,
        tags=[types_pb2.Tag(key="Name", value=EVIL)],
    )


def asked(edge: Edge) -> list[tuple[str, str, int]]:
    """Scope, block and netmask length of each map that was asked for, the largest block first."""
    maps = [one for path, one in edge.fakes.requests if path.endswith("/GetCidrMap")]
    return sorted(
        ((one.ipam_scope_id, one.cidr, one.netmask_length) for one in maps),
        key=lambda one: one[2],
    )


class Tiles(HTMLParser):
    """The tiles of a page's map: the address behind each name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.urls: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found: dict[str, Any] = dict(attrs)
        if tag == "a" and found.get("class") == "tile":
            self.urls[found["aria-label"]] = found["href"]


def test_begins_with_all_of_the_default_private_scope(edge: Edge, browser: Browser) -> None:
    page = browser.get("/cidr-map").text
    assert asked(edge) == [(SCOPE, "0.0.0.0/0", 8)]
    tiles = Tiles(page).urls
    assert len(tiles) == 256
    assert tiles["10.0.0.0/8, available"] == f"{HERE}/cidr-map?cidr=10.0.0.0%2F8"
    assert "Nothing is in this block" in text_of(page)
    assert EVIL not in page


def test_tiles_and_table_tell_what_blocks_hold(edge: Edge, browser: Browser) -> None:
    states = (
        ("10.0.0.0/16", pb.CIDR_MAP_BLOCK_STATE_COMPLIANT, 3, True),
        ("10.1.0.0/16", pb.CIDR_MAP_BLOCK_STATE_OVERLAPPING, 1, False),
    )
    edge.fakes.answers["GetCidrMap"] = lambda request: pb.GetCidrMapResponse(
        blocks=[
            pb.CidrMapBlock(cidr=cidr, state=state, resource_cidr_count=count, is_full=full)
            for cidr, state, count, full in states
            if request.netmask_length == 16
        ]
    )
    page = browser.get("/cidr-map", cidr="10.0.0.0/8").text
    assert asked(edge) == [(SCOPE, "0.0.0.0/0", 8), (SCOPE, "10.0.0.0/8", 16)]
    tiles = Tiles(page).urls
    assert "10.0.0.0/16, compliant, 3 resource CIDRs" in tiles
    assert "10.1.0.0/16, partly overlapping, 1 resource CIDR" in tiles
    links = links_of(page)
    assert links["10.1.0.0/16"] == f"{HERE}/cidr-map?cidr=10.1.0.0%2F16"
    assert links["Zoom out to 0.0.0.0/0"] == f"{HERE}/cidr-map?cidr=0.0.0.0%2F0"
    assert links["IP history of 10.0.0.0/16"] == f"{HERE}/history?cidr=10.0.0.0%2F16&scope={SCOPE}"


def test_ipv6_begins_where_something_is(edge: Edge, browser: Browser) -> None:
    def held(request: pb.GetCidrMapRequest) -> pb.GetCidrMapResponse:
        length = request.netmask_length
        # 2001:db8::/56 alone, in blocks of whatever length is asked.
        block = {12: "2000::/12", 20: "2001::/20", 24: "2001:d00::/24"}.get(length)
        cidr = block or f"2001:db8::/{max(length, 32)}"
        return pb.GetCidrMapResponse(
            blocks=[pb.CidrMapBlock(cidr=cidr, state=pb.CIDR_MAP_BLOCK_STATE_COMPLIANT)]
        )

    edge.fakes.answers["GetCidrMap"] = held
    page = browser.get("/cidr-map", family="ipv6")
    assert page.status_code == 200
    assert asked(edge)[0] == (SCOPE, "::/0", 12)


def test_a_block_says_its_family_itself(browser: Browser) -> None:
    page = browser.get("/cidr-map", family="ipv4", cidr="2001:db8::/32").text
    assert "2001:db8::/32 in blocks of /40" in text_of(page)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"cidr": "10.1.2.3/8"}, "use '10.0.0.0/8'"),
        ({"cidr": "10.0.0.0"}, "10.0.0.0"),
        ({"cidr": EVIL}, "cidr"),
        ({"family": "ipv5"}, "Use ipv4 or ipv6"),
    ],
)
def test_refuses_what_is_no_block(
    edge: Edge, browser: Browser, query: dict[str, str], told: str
) -> None:
    answer = browser.get("/cidr-map", **query)
    assert answer.status_code == 400
    assert told in text_of(answer.text)
    assert EVIL not in answer.text
    assert not asked(edge)


def test_a_pools_map_begins_with_its_first_cidr(edge: Edge, browser: Browser) -> None:
    provisioned = pool_cidr_pb2.IPAM_POOL_CIDR_STATE_PROVISIONED
    edge.fakes.answers |= {
        "DescribeIpamPools": control.DescribeIpamPoolsResponse(ipam_pools=[a_pool()]),
        "DescribeIpamScopes": control.DescribeIpamScopesResponse(ipam_scopes=[a_scope(OTHER)]),
        "GetIpamPoolCidrs": allocation.GetIpamPoolCidrsResponse(
            ipam_pool_cidrs=[
                pool_cidr_pb2.IpamPoolCidr(cidr=cidr, state=provisioned)
                for cidr in ("10.8.0.0/16", "10.4.0.0/24")
            ]
        ),
    }
    page = browser.get("/cidr-map", pool=POOL_ID).text
    assert asked(edge)[-1] == (OTHER, "10.4.0.0/24", 32)
    # Of a single address there is its history, in the pool's scope and not in the default one.
    history = Tiles(page).urls["10.4.0.7/32, available"]
    assert history == f"{HERE}/history?cidr=10.4.0.7%2F32&scope={OTHER}"
    assert links_of(page)["10.8.0.0/16"].endswith(f"pool={POOL_ID}&cidr=10.8.0.0%2F16")
    assert EVIL not in page


def test_others_scopes_and_pools_are_not_drawn(edge: Edge, browser: Browser) -> None:
    theirs = a_scope(OTHER, "222222222222")
    edge.fakes.answers |= {
        "DescribeIpamScopes": control.DescribeIpamScopesResponse(ipam_scopes=[theirs]),
        "DescribeIpamPools": control.DescribeIpamPoolsResponse(ipam_pools=[a_pool("222222222222")]),
    }
    for query in ({"scope": OTHER}, {"pool": POOL_ID}):
        answer = browser.get("/cidr-map", **query)
        assert answer.status_code in (400, 404)
        assert "does not exist" in answer.text
    assert not asked(edge)


def test_discoverys_refusal_is_told(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["GetCidrMap"] = Refusal("InvalidParameterValue", "too fine a map")
    assert "too fine a map" in text_of(browser.get("/cidr-map").text)


def test_a_block_several_tiles_wide_is_marked_once(edge: Edge, browser: Browser) -> None:
    page = browser.get("/cidr-map", cidr="16.0.0.0/4").text
    assert asked(edge) == [(SCOPE, "0.0.0.0/0", 8), (SCOPE, "16.0.0.0/4", 12)]
    # Sixteen of the 256 blocks of a strip that is 960 wide.
    assert 'class="here-mark" x="60.00" y="0" width="60.00"' in page
    assert page.count("here-mark") == 1
