"""Resource discoveries: what they found, and what is sent to change them (DISC-1 to DISC-7)."""

from collections.abc import Iterator
from typing import Any

import pytest

from cadastre.control.v1 import control_service_pb2 as control
from cadastre.control.v1 import ipam_pb2
from cadastre.control.v1 import resource_discovery_service_pb2 as pb
from cadastre.discovery.v1 import monitoring_service_pb2 as monitoring
from tests.gateway.console.signed_in import Browser, links_of, signed_in, text_of
from tests.gateway.console.test_organization import EVIL, OTHER_ID, organize
from tests.gateway.edge import ACCOUNT_ID, Edge

DISCOVERY_ID = "ipam-res-disco-0365d2977fc1672fe"
HERE = f"/discoveries/{DISCOVERY_ID}"
PATH = "o-exampleorg/r-fssg/ou-fssg-q5brfv9c/"
OLD_PATH = "o-exampleorg/r-fssg/ou-fssg-deleted1/*"


@pytest.fixture
def browser(edge: Edge) -> Iterator[Browser]:
    with signed_in(edge) as browser:
        discover(edge)
        yield browser


def discover(edge: Edge, owner: str = ACCOUNT_ID) -> None:
    edge.fakes.answers["DescribeIpamResourceDiscoveries"] = (
        pb.DescribeIpamResourceDiscoveriesResponse(
            ipam_resource_discoveries=[
                pb.IpamResourceDiscovery(
                    ipam_resource_discovery_id=DISCOVERY_ID,
                    owner_id=owner,
                    description=EVIL,
                    operating_regions=[
                        ipam_pb2.IpamOperatingRegion(region_name=region)
                        for region in ("us-east-1", "us-west-1")
                    ],
                    organizational_unit_exclusions=[
                        pb.IpamOrganizationalUnitExclusion(organizations_entity_path=OLD_PATH)
                    ],
                )
            ]
        )
    )


def sent(edge: Edge, action: str) -> Any:
    [request] = [
        one
        for path, one in edge.fakes.requests
        if path.endswith(f"/{action}") and not getattr(one, "dry_run", False)
    ]
    return request


def test_accounts_are_told_with_why_they_failed(edge: Edge, browser: Browser) -> None:  # DISC-5
    account = monitoring.IpamDiscoveredAccount(account_id=OTHER_ID, discovery_region="us-east-1")
    account.failure_reason.message = EVIL
    edge.fakes.answers["GetIpamDiscoveredAccounts"] = monitoring.GetIpamDiscoveredAccountsResponse(
        ipam_discovered_accounts=[account]
    )
    page = browser.get(HERE).text
    assert EVIL not in page
    assert OTHER_ID in text_of(page)
    assert sent(edge, "GetIpamDiscoveredAccounts").discovery_region == "us-east-1"
    assert "public-ips" in links_of(page)["Discovered public addresses"]


def test_anothers_discovery_is_only_associated(edge: Edge, browser: Browser) -> None:
    discover(edge, OTHER_ID)
    links = links_of(browser.get(HERE).text)
    assert "Associate with an IPAM" in links
    assert not {"Edit", "Edit OU exclusions", "Share", "Delete"} & links.keys()


def test_editing_sends_what_differs(edge: Edge, browser: Browser) -> None:
    regions = ["us-east-1", "us-west-2"]
    answer = browser.do(f"{HERE}/edit", description="new", operating_regions=regions)
    assert answer.status_code == 303
    request = sent(edge, "ModifyIpamResourceDiscovery")
    assert request.description == "new"
    assert [one.region_name for one in request.add_operating_regions] == ["us-west-2"]
    assert [one.region_name for one in request.remove_operating_regions] == ["us-west-1"]


def test_ous_are_picked_from_the_tree(edge: Edge, browser: Browser) -> None:  # DISC-7
    organize(edge)
    page = browser.get(f"{HERE}/exclusions").text
    assert f'value="{PATH}"' in page
    assert f'value="{PATH}*"' in page
    assert OLD_PATH in page, "what isn't in the tree stays as it was typed"
    typed = "o-exampleorg/r-fssg/ou-fssg-another1/"
    browser.do(f"{HERE}/exclusions", picked=PATH, paths=typed)
    request = sent(edge, "ModifyIpamResourceDiscovery")
    assert [
        one.organizations_entity_path for one in request.add_organizational_unit_exclusions
    ] == [typed, PATH]
    assert [
        one.organizations_entity_path for one in request.remove_organizational_unit_exclusions
    ] == [OLD_PATH]


def test_it_is_associated_with_an_own_ipam(edge: Edge, browser: Browser) -> None:
    ipam_id = "ipam-0de83dba6694560a9"
    edge.fakes.answers["DescribeIpams"] = control.DescribeIpamsResponse(
        ipams=[ipam_pb2.Ipam(ipam_id=ipam_id)]
    )
    assert browser.do(f"{HERE}/associate", ipam_id=ipam_id).status_code == 303
    request = sent(edge, "AssociateIpamResourceDiscovery")
    assert (request.ipam_id, request.ipam_resource_discovery_id) == (ipam_id, DISCOVERY_ID)


def test_one_that_isnt_there_is_not_found(edge: Edge, browser: Browser) -> None:
    del edge.fakes.answers["DescribeIpamResourceDiscoveries"]
    for path in (HERE, f"{HERE}/edit", f"{HERE}/delete"):
        assert browser.get(path).status_code == 404
