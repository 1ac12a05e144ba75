"""Resource CIDRs of a scope: what is asked for, and what is changed (MON-1 to MON-6)."""

from collections.abc import Iterator

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import control_service_pb2 as control
from cadastre.control.v1 import ipam_scope_pb2
from cadastre.discovery.v1 import monitoring_service_pb2 as pb
from tests.gateway.console.signed_in import HERE, Browser, links_of, signed_in, text_of
from tests.gateway.edge import ACCOUNT_ID, Edge

SCOPE_ID, OTHER_SCOPE_ID = "ipam-scope-0a158dde35c51107b", "ipam-scope-0b158dde35c51107b"
VPC_ID = "vpc-04f7c3b0c8f0c6d3e"
HERE_IT_IS = f"scope={SCOPE_ID}&cidr=10.0.0.0/24"


@pytest.fixture
def browser(edge: Edge) -> Iterator[Browser]:
    with signed_in(edge) as browser:
        edge.fakes.answers["DescribeIpamScopes"] = control.DescribeIpamScopesResponse(
            ipam_scopes=[
                ipam_scope_pb2.IpamScope(
                    ipam_scope_id=scope_id,
                    owner_id=ACCOUNT_ID,
                    is_default=scope_id == SCOPE_ID,
                    ipam_scope_type=types_pb2.IPAM_SCOPE_TYPE_PRIVATE,
                )
                for scope_id in (OTHER_SCOPE_ID, SCOPE_ID)
            ]
        )
        edge.fakes.answers["GetIpamResourceCidrs"] = pb.GetIpamResourceCidrsResponse(
            ipam_resource_cidrs=[
                pb.IpamResourceCidr(
                    ipam_scope_id=SCOPE_ID,
                    resource_id=VPC_ID,
                    resource_name="<script>shop",
                    resource_cidr="10.0.0.0/24",
                    resource_region="us-east-1",
                    resource_type=pb.IPAM_RESOURCE_TYPE_VPC,
                    management_state=pb.IPAM_MANAGEMENT_STATE_MANAGED,
                    ipam_pool_id="ipam-pool-0d8f3646b61ca5987",
                    ip_usage=0.25,
                )
            ]
        )
        yield browser


def the_last(edge: Edge, rpc: str) -> object:
    return [request for path, request in edge.fakes.requests if path.endswith(f"/{rpc}")][-1]


@pytest.mark.parametrize(
    ("tag", "filters"),
    [
        ("env=prod", [("ipam-pool-id", ["p"]), ("tag:env", ["prod"])]),
        ("env", [("ipam-pool-id", ["p"]), ("tag-key", ["env"])]),
    ],
)
def test_filters_are_the_contexts(
    edge: Edge, browser: Browser, tag: str, filters: list[tuple[str, list[str]]]
) -> None:
    page = browser.get("/resources", **{"f.ipam-pool-id": "p", "f.tag": tag}).text
    request = the_last(edge, "GetIpamResourceCidrs")
    assert isinstance(request, pb.GetIpamResourceCidrsRequest)
    assert request.ipam_scope_id == SCOPE_ID, "the default private one"
    assert [(one.name, list(one.values)) for one in request.filters] == filters
    assert "<script>shop" not in page
    assert "<script>shop" in text_of(page)
    assert "25%" in text_of(page)


def test_a_csv_has_what_a_page_has_no_room_for(browser: Browser) -> None:
    head, row = browser.get("/resources", format="csv").text.splitlines()
    assert "Pool" in head.split(",")
    assert "ipam-pool-0d8f3646b61ca5987" in row
    assert "Pool" not in links_of(browser.get("/resources").text)


def test_one_resource_leads_to_its_pool_and_its_history(browser: Browser) -> None:
    page = browser.get(f"/resources/{VPC_ID}", scope=SCOPE_ID, cidr="10.0.0.0/24")
    links = links_of(page.text)
    pool = "ipam-pool-0d8f3646b61ca5987"
    assert links[pool] == f"{HERE}/pools/{pool}"
    assert links["IP history"] == f"{HERE}/history?cidr=10.0.0.0%2F24&scope={SCOPE_ID}"


@pytest.mark.parametrize(
    ("action", "filled", "monitored", "destination"),
    [
        ("ignore", {}, False, ""),
        ("monitor", {}, True, ""),
        ("move", {"destination_ipam_scope_id": OTHER_SCOPE_ID}, True, OTHER_SCOPE_ID),
    ],
)
def test_a_cidr_is_changed_where_it_is(
    edge: Edge,
    browser: Browser,
    action: str,
    filled: dict[str, str],
    monitored: bool,
    destination: str,
) -> None:
    """What a form says of the resource itself is not believed."""
    path = f"/resources/{VPC_ID}/{action}?{HERE_IT_IS}"
    answer = browser.do(path, resource_id="vpc-other", **filled)
    assert answer.status_code == 303
    request = the_last(edge, "ModifyIpamResourceCidr")
    assert request == pb.ModifyIpamResourceCidrRequest(
        resource_id=VPC_ID,
        resource_cidr="10.0.0.0/24",
        resource_region="us-east-1",
        current_ipam_scope_id=SCOPE_ID,
        monitored=monitored,
        destination_ipam_scope_id=destination or None,
    )


def test_an_account_without_an_ipam_is_told_so(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["DescribeIpamScopes"] = control.DescribeIpamScopesResponse()
    assert "This account has no IPAM in us-east-1" in text_of(browser.get("/resources").text)


def test_what_is_not_monitored_is_not_there(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["GetIpamResourceCidrs"] = pb.GetIpamResourceCidrsResponse()
    assert browser.get(f"/resources/{VPC_ID}", cidr="10.9.0.0/24").status_code == 404
