"""GetIpamDiscoveredRoutes: what the control plane says, as a resource discovery sees it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import inventory_service_pb2
from cadastre.discovery.v1 import monitoring_service_pb2 as pb
from shared.errors import CadastreError
from tests.discovery.monitored import (
    DISCOVERY,
    HOME,
    MEMBER,
    NOW,
    OWNER,
    STRANGER,
    WEST,
    Known,
    listed_discovery,
    serving,
)

REQUEST = {"ipam_resource_discovery_id": DISCOVERY, "resource_region": HOME}


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Known]:
    # Nothing of it is in discovery's database.
    async with serving(f"sqlite:///{tmp_path}/discovery.db", tmp_path) as known:
        yield known


def route(cidr: str, asn: int = 16509, **members: Any) -> inventory_service_pb2.ByoipRoute:
    known = {
        "owner_id": OWNER,
        "region": HOME,
        "state": "provisioned",
        "advertisement_type": "regional",
        "network_border_group": HOME,
    }
    return inventory_service_pb2.ByoipRoute(cidr=cidr, asn=asn, **{**known, **members})


async def ask(it: Known, **members: Any) -> Any:
    return await it.ask(pb.GetIpamDiscoveredRoutesRequest(**{**REQUEST, **members}))


async def found(it: Known, **members: Any) -> list[tuple[str, str]]:
    return [(r.cidr, r.asn) for r in (await ask(it, **members)).ipam_discovered_routes]


async def test_a_route_is_told_with_all_that_is_known_of_it(it: Known) -> None:
    it.control.routes = [
        route(
            "130.137.245.0/24",
            64496,
            owner_id=MEMBER,
            state="advertised",
            advertisement_type="global",
            network_border_group=f"{HOME}-nyc-1",
            ipam_pool_id="ipam-pool-0a545886e5bcbd17d",
        )
    ]
    [told] = (await ask(it)).ipam_discovered_routes
    expected = pb.IpamDiscoveredRoute(
        ipam_resource_discovery_id=DISCOVERY,
        resource_region=HOME,
        resource_owner_id=MEMBER,
        cidr="130.137.245.0/24",
        asn="64496",
        state=pb.IPAM_BYOIP_CIDR_STATE_ADVERTISED,
        advertisement_type=pb.IPAM_BYOIP_ADVERTISEMENT_TYPE_GLOBAL,
        network_border_group=f"{HOME}-nyc-1",
        ipam_pool_id="ipam-pool-0a545886e5bcbd17d",
    )
    expected.sample_time.FromDatetime(NOW)
    assert told == expected


async def test_routes_of_covered_accounts_in_the_region_are_told_in_order(it: Known) -> None:
    it.control.routes = [
        route("2605:9cc0:409::/48"),
        route("130.137.245.0/24", 64497, owner_id=MEMBER),
        route("130.137.245.0/24", 9, owner_id=MEMBER),
        route("9.0.0.0/8", pool_id="ipv4pool-ec2-0123456789abcdef0"),
        route("8.0.0.0/8", owner_id=STRANGER),
        route("7.0.0.0/8", region=WEST),
    ]
    in_order = [
        ("9.0.0.0/8", "16509"),
        ("130.137.245.0/24", "9"),
        ("130.137.245.0/24", "64497"),
        ("2605:9cc0:409::/48", "16509"),
    ]
    assert await found(it) == in_order
    assert await found(it, resource_region=WEST) == [("7.0.0.0/8", "16509")]


@pytest.mark.parametrize(
    ("name", "value", "cidrs"),
    [
        ("cidr", "130.*", ["130.0.0.0/8"]),
        ("account-id", MEMBER, ["130.0.0.0/8"]),
        ("resource-region", HOME, ["9.0.0.0/8", "130.0.0.0/8"]),
        ("byoip-cidr-state", "advertised", ["9.0.0.0/8"]),
        ("advertisement-type", "global", ["130.0.0.0/8"]),
        ("network-border-group", f"{HOME}-nyc-?", ["9.0.0.0/8"]),
        ("ipam-pool-id", "ipam-pool-*", ["130.0.0.0/8"]),
        ("pool-id", "ipv4pool-*", ["9.0.0.0/8"]),
        ("asn", "644*", ["130.0.0.0/8"]),
    ],
)
async def test_filters_are_those_of_the_contract(
    it: Known, name: str, value: str, cidrs: list[str]
) -> None:
    it.control.routes = [
        route(
            "9.0.0.0/8",
            state="advertised",
            network_border_group=f"{HOME}-nyc-1",
            pool_id="ipv4pool-ec2-0123456789abcdef0",
        ),
        route(
            "130.0.0.0/8",
            64496,
            owner_id=MEMBER,
            advertisement_type="global",
            ipam_pool_id="ipam-pool-0a545886e5bcbd17d",
        ),
    ]
    filters = [types_pb2.Filter(name=name, values=[value])]
    assert [cidr for cidr, _ in await found(it, filters=filters)] == cidrs


async def test_other_filters_are_refused_with_those_that_there_are(it: Known) -> None:
    with pytest.raises(CadastreError, match="use one of account-id, .* resource-region") as refused:
        await ask(it, filters=[types_pb2.Filter(name="sample-time", values=["*"])])
    assert refused.value.reason == "InvalidParameterValue"


async def test_pages_go_on_where_they_ended_and_whatever_came_meanwhile(it: Known) -> None:
    it.control.routes = [route(f"130.{number}.0.0/16") for number in range(12)]
    first = await ask(it, max_results=5)
    it.control.routes = [route("8.0.0.0/8"), *it.control.routes[6:]]
    second = await ask(it, max_results=5, next_token=first.next_token)
    third = await ask(it, max_results=5, next_token=second.next_token)
    assert [len(page.ipam_discovered_routes) for page in (first, second, third)] == [5, 5, 1]
    assert not third.next_token
    assert second.ipam_discovered_routes[0].cidr == "130.6.0.0/16"
    with pytest.raises(CadastreError) as refused:
        await ask(it, resource_region=WEST, next_token=first.next_token)
    assert refused.value.reason == "InvalidNextToken"


async def test_the_control_plane_is_asked_about_a_thousand_accounts_at_a_time(it: Known) -> None:
    accounts = [f"{number:012}" for number in range(1, 2002)]
    it.control.resource_discoveries = [
        listed_discovery(account_ids=accounts, organizational_unit_ids=[])
    ]
    it.control.routes = [route("9.0.0.0/8", owner_id=accounts[-1]), route("8.0.0.0/8")]
    assert await found(it) == [("9.0.0.0/8", "16509")]
    assert it.control.most_owners == 1000
