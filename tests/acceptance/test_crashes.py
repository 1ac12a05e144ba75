"""kill -9 of any one service: what was acknowledged stays, what was refused leaves nothing."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, get_args

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from shared.settings import Context
from tests.acceptance.installation import Installation
from tests.acceptance.test_tutorial import create_pool
from tests.waiting import wait_until

pytestmark = pytest.mark.acceptance

CLIENTS = 4
VPCS_PER_CLIENT = 15


@pytest.fixture
def regional_pool(cadastre: Installation) -> Iterator[str]:
    """A pool in us-west-2 with 10.0.0.0/16; everything is cleaned up afterwards."""
    home, west = cadastre.client(), cadastre.client(region="us-west-2")
    ipam = home.create_ipam(OperatingRegions=[{"RegionName": "us-west-2"}])["Ipam"]
    top = create_pool(home, IpamScopeId=ipam["PrivateDefaultScopeId"])
    home.provision_ipam_pool_cidr(IpamPoolId=top, Cidr="10.0.0.0/8")
    pool = create_pool(
        home,
        IpamScopeId=ipam["PrivateDefaultScopeId"],
        SourceIpamPoolId=top,
        Locale="us-west-2",
    )
    home.provision_ipam_pool_cidr(IpamPoolId=pool, Cidr="10.0.0.0/16")
    yield pool
    for vpc in west.describe_vpcs()["Vpcs"]:
        west.delete_vpc(VpcId=vpc["VpcId"])
    home.delete_ipam(IpamId=ipam["IpamId"], Cascade=True)
    wait_until(lambda: home.describe_ipams()["Ipams"] == [])


@pytest.mark.parametrize("service", get_args(Context))
def test_the_tutorial_goes_on_after_a_service_was_killed(
    cadastre: Installation, regional_pool: str, service: str
) -> None:
    west = cadastre.client(region="us-west-2")
    first = west.create_vpc(Ipv4IpamPoolId=regional_pool, Ipv4NetmaskLength=24)["Vpc"]

    cadastre.kill(service)

    second = west.create_vpc(Ipv4IpamPoolId=regional_pool, Ipv4NetmaskLength=24)["Vpc"]
    assert allocated(cadastre, regional_pool) == {
        (first["VpcId"], first["CidrBlock"]),
        (second["VpcId"], second["CidrBlock"]),
    }
    west.delete_vpc(VpcId=first["VpcId"])
    wait_until(
        lambda: allocated(cadastre, regional_pool) == {(second["VpcId"], second["CidrBlock"])}
    )


@pytest.mark.parametrize("service", ["allocation", "network"])
def test_a_service_killed_at_work_loses_nothing_and_leaves_nothing_half_made(  # ALLOC-3, VPC-1
    cadastre: Installation, regional_pool: str, service: str
) -> None:
    west = cadastre.client(region="us-west-2", max_pool_connections=CLIENTS)
    acknowledged: list[tuple[str, str]] = []

    def create_vpcs() -> None:
        for _ in range(VPCS_PER_CLIENT):
            # Requests under way when the service dies may fail; they may not leave anything.
            with suppress(ClientError, BotoCoreError):
                vpc = west.create_vpc(Ipv4IpamPoolId=regional_pool, Ipv4NetmaskLength=28)["Vpc"]
                acknowledged.append((vpc["VpcId"], vpc["CidrBlock"]))

    clients = [threading.Thread(target=create_vpcs) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    wait_until(lambda: len(acknowledged) >= CLIENTS)
    cadastre.kill(service)
    for client in clients:
        client.join()

    there = existing(west)
    assert there >= set(acknowledged)
    assert len({cidr for _, cidr in there}) == len(there)
    wait_until(lambda: allocated(cadastre, regional_pool) == existing(west))


def existing(west: Any) -> set[tuple[str, str]]:
    return {(vpc["VpcId"], vpc["CidrBlock"]) for vpc in west.describe_vpcs()["Vpcs"]}


def allocated(cadastre: Installation, pool_id: str) -> set[tuple[str, str]]:
    answer = cadastre.client().get_ipam_pool_allocations(IpamPoolId=pool_id)
    return {(found["ResourceId"], found["Cidr"]) for found in answer["IpamPoolAllocations"]}
