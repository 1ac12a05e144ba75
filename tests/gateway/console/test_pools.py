"""The pages of pools: their hierarchy, their space, and the guide's wizards (POOL-1 to POOL-8)."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from cadastre.allocation.v1 import allocation_service_pb2 as allocation
from cadastre.allocation.v1 import ledger_service_pb2 as ledger
from cadastre.allocation.v1 import placement_service_pb2 as placement
from cadastre.allocation.v1 import pool_allocation_pb2, pool_cidr_pb2
from cadastre.common.tags.v1 import tag_service_pb2
from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import control_service_pb2 as pb
from cadastre.control.v1 import ipam_pool_pb2, ipam_scope_pb2
from tests.gateway.console.signed_in import HERE, Browser, links_of, signed_in, text_of
from tests.gateway.edge import ACCOUNT_ID, Edge
from tests.gateway.fakes import Refusal

SCOPE_ID = "ipam-scope-0de83dba6694560a9"
SCOPE_ARN = f"arn:aws:ec2::{ACCOUNT_ID}:ipam-scope/{SCOPE_ID}"
POOL_ID = "ipam-pool-0de83dba6694560a9"
CHILD_ID = "ipam-pool-0de83dba6694560b0"
ALLOCATION_ID = "ipam-pool-alloc-0de83dba6694560a9"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def browser(edge: Edge) -> Iterator[Browser]:
    with signed_in(edge) as browser:
        yield browser


def a_scope(pool_count: int = 2) -> ipam_scope_pb2.IpamScope:
    return ipam_scope_pb2.IpamScope(
        ipam_scope_id=SCOPE_ID,
        ipam_scope_arn=SCOPE_ARN,
        owner_id=ACCOUNT_ID,
        is_default=True,
        ipam_scope_type=types_pb2.IPAM_SCOPE_TYPE_PRIVATE,
        pool_count=pool_count,
    )


def a_pool(pool_id: str = POOL_ID, **members: Any) -> ipam_pool_pb2.IpamPool:
    common: dict[str, Any] = {
        "ipam_pool_id": pool_id,
        "ipam_pool_arn": f"arn:aws:ec2::{ACCOUNT_ID}:ipam-pool/{pool_id}",
        "ipam_scope_arn": SCOPE_ARN,
        "owner_id": ACCOUNT_ID,
        "address_family": types_pb2.ADDRESS_FAMILY_IPV4,
        "state": ipam_pool_pb2.IPAM_POOL_STATE_CREATE_COMPLETE,
        "pool_depth": 1,
    }
    return ipam_pool_pb2.IpamPool(**common | members)


def named(name: str) -> Sequence[dict[str, str]]:
    return [{"key": "Name", "value": name}]


def have(edge: Edge, *pools: ipam_pool_pb2.IpamPool, pool_count: int | None = None) -> None:
    """The account has a scope with these pools."""
    scope = a_scope(len(pools) if pool_count is None else pool_count)
    edge.fakes.answers["DescribeIpamScopes"] = pb.DescribeIpamScopesResponse(ipam_scopes=[scope])
    edge.fakes.answers["DescribeIpamPools"] = pb.DescribeIpamPoolsResponse(ipam_pools=pools)


def requests_of(edge: Edge, action: str) -> Sequence[Any]:
    """What an RPC was asked, in order."""
    return [request for path, request in edge.fakes.requests if path.endswith(f"/{action}")]


def filters_of(request: Any) -> dict[str, list[str]]:
    return {one.name: list(one.values) for one in request.filters}


def test_a_small_hierarchy_is_one_question(edge: Edge, browser: Browser) -> None:
    have(
        edge,
        a_pool(CHILD_ID, source_ipam_pool_id=POOL_ID, tags=named("Child")),
        a_pool(tags=named(EVIL)),
    )
    edge.fakes.answers["GetIpamPoolUsage"] = ledger.GetIpamPoolUsageResponse(
        usages=[
            ledger.IpamPoolUsage(
                ipam_pool_id=POOL_ID,
                total_addresses="65536",
                allocated_addresses="16384",
                assigned_addresses="0",
                cidr_count=1,
            )
        ]
    )
    edge.fakes.answers["GetIpamPoolAllocations"] = allocation.GetIpamPoolAllocationsResponse(
        ipam_pool_allocations=[
            pool_allocation_pb2.IpamPoolAllocation(cidr="10.0.64.0/18", resource_id=CHILD_ID)
        ]
    )
    page = browser.get("/pools").text
    assert EVIL not in page
    told = text_of(page)
    assert told.index(f"Level 1: {EVIL}") < told.index("Level 2: Child") < told.index("10.0.64.0")
    assert "25% of 65,536" in told
    [request] = requests_of(edge, "DescribeIpamPools")
    assert filters_of(request) == {"ipam-scope-arn": [SCOPE_ARN]}


def test_a_large_hierarchy_opens_where_somebody_looks(edge: Edge, browser: Browser) -> None:
    """However many pools there are, a page asks for its own."""

    def answer(request: pb.DescribeIpamPoolsRequest) -> pb.DescribeIpamPoolsResponse:
        if "pool-depth" in filters_of(request):
            return pb.DescribeIpamPoolsResponse(ipam_pools=[a_pool()], next_token="more")
        child = a_pool(CHILD_ID, source_ipam_pool_id=POOL_ID, pool_depth=2)
        return pb.DescribeIpamPoolsResponse(ipam_pools=[child])

    have(edge, pool_count=10_000)
    edge.fakes.answers["DescribeIpamPools"] = answer
    closed = browser.get("/pools").text
    assert CHILD_ID not in closed
    assert links_of(closed)["▸"] == f"{HERE}/pools?open={POOL_ID}"
    assert links_of(closed)["Next page"] == f"{HERE}/pools?token=more"
    edge.fakes.requests.clear()
    opened = browser.get("/pools", open=POOL_ID).text
    assert links_of(opened)["▾"] == f"{HERE}/pools"
    assert f"Level 2: ▸{CHILD_ID}" in text_of(opened), "what is in it, nobody asked"
    assert [filters_of(one) for one in requests_of(edge, "DescribeIpamPools")] == [
        {"ipam-scope-arn": [SCOPE_ARN], "pool-depth": ["1"]},
        {"source-ipam-pool-id": [POOL_ID]},
    ]


def test_the_table_is_filtered_by_the_context(edge: Edge, browser: Browser) -> None:
    have(edge, a_pool(description="=1+1"))
    csv = browser.get("/pools", view="table", format="csv", **{"f.locale": "us-east-1"}).text
    assert "'=1+1" in csv
    [request] = requests_of(edge, "DescribeIpamPools")
    assert filters_of(request) == {"ipam-scope-arn": [SCOPE_ARN], "locale": ["us-east-1"]}


def test_without_an_ipam_shared_pools_are_listed(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["DescribeIpamPools"] = pb.DescribeIpamPoolsResponse(
        ipam_pools=[a_pool(owner_id="111122223333", tags=named("Theirs"))]
    )
    page = browser.get("/pools").text
    assert "Theirs" in text_of(page)
    assert "111122223333" in text_of(page)
    assert requests_of(edge, "GetIpamPoolUsage") == [], "that is its owner's to know"


def test_a_pool_that_is_shared_offers_what_may_be_done(edge: Edge, browser: Browser) -> None:
    have(edge, a_pool(owner_id="111122223333"))
    links = links_of(browser.get(f"/pools/{POOL_ID}").text)
    there = {text for text, url in links.items() if POOL_ID in url}
    assert there == {"Allocate CIDR", "CIDRs", "Allocations", "Resource sharing", "Free space"}


def test_a_pools_space_is_drawn(edge: Edge, browser: Browser) -> None:
    have(edge, a_pool())
    edge.fakes.answers["GetIpamPoolCidrs"] = allocation.GetIpamPoolCidrsResponse(
        ipam_pool_cidrs=[
            pool_cidr_pb2.IpamPoolCidr(
                cidr="10.0.0.0/16",
                state=pool_cidr_pb2.IPAM_POOL_CIDR_STATE_PROVISIONED,
            )
        ]
    )
    edge.fakes.answers["GetIpamPoolAllocations"] = allocation.GetIpamPoolAllocationsResponse(
        ipam_pool_allocations=[
            pool_allocation_pb2.IpamPoolAllocation(
                cidr="10.0.128.0/17",
                resource_type=pool_allocation_pb2.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_CUSTOM,
                description=EVIL,
            )
        ],
        next_token="more",
    )
    page = browser.get(f"/pools/{POOL_ID}").text
    assert '<rect class="strip-custom" x="500.00" width="499.00"' in page
    assert EVIL not in page
    assert "Drawn are the first 1,000 allocations" in text_of(page)
    assert links_of(page)["Deprovision"] == (
        f"{HERE}/pools/{POOL_ID}/deprovision?cidr=10.0.0.0%2F16"
    )


def test_a_pool_is_created_and_provisioned_to(edge: Edge, browser: Browser) -> None:
    have(edge, a_pool())
    edge.fakes.answers["CreateIpamPool"] = pb.CreateIpamPoolResponse(ipam_pool=a_pool())
    answer = browser.do(
        "/pools/create",
        client_token="token-of-the-form",
        ipam_scope_id=SCOPE_ID,
        name="Main",
        address_family="ipv4",
        locale="None",
        cidrs="10.0.0.0/16\n/20",
        allocation_min_netmask_length="/20",
        allocation_resource_tags="env=prod",
        tags="team=net",
    )
    assert answer.headers["location"] == f"{HERE}/pools/{POOL_ID}?done=create-pool"
    [request] = requests_of(edge, "CreateIpamPool")
    assert request.ipam_scope_id == SCOPE_ID
    assert not request.HasField("locale")
    assert not request.HasField("publicly_advertisable")
    assert request.allocation_min_netmask_length == 20
    assert [(tag.key, tag.value) for tag in request.tag_specifications[0].tags] == [
        ("Name", "Main"),
        ("team", "net"),
    ]
    provisions = requests_of(edge, "ProvisionIpamPoolCidr")
    assert [(one.cidr, one.netmask_length) for one in provisions] == [("10.0.0.0/16", 0), ("", 20)]
    assert [one.client_token for one in (request, *provisions)] == [
        "token-of-the-form",
        "token-of-the-form-1",
        "token-of-the-form-2",
    ]


def test_what_could_not_be_provisioned_is_led_to(edge: Edge, browser: Browser) -> None:
    """The pool is there: nothing of what was typed is lost, and it isn't created again."""
    have(edge, a_pool())
    edge.fakes.answers["CreateIpamPool"] = pb.CreateIpamPoolResponse(ipam_pool=a_pool())
    edge.fakes.answers["ProvisionIpamPoolCidr"] = Refusal("InvalidParameterValue")
    form = {"ipam_scope_id": SCOPE_ID, "address_family": "ipv4", "locale": "None"}
    answer = browser.do("/pools/create", cidrs="10.0.0.0/16\n/20", **form)
    there = f"/pools/{POOL_ID}/provision"
    assert answer.headers["location"] == (
        f"{HERE}{there}?cidr=10.0.0.0%2F16&then=%2F20&done=create-pool"
    )
    page = browser.get(there, cidr="10.0.0.0/16", then="/20", done="create-pool").text
    assert (
        "The pool is there, but this isn't provisioned to it yet. Still to be provisioned after"
        " this one: /20." in text_of(page)
    )
    del edge.fakes.answers["ProvisionIpamPoolCidr"]
    first = browser.do(f"{there}?then=%2F20", cidr="10.0.0.0/16")
    assert first.headers["location"] == (f"{HERE}{there}?netmask_length=%2F20&done=provision-cidr")


@pytest.mark.parametrize(("checked", "told"), [("true", True), ("", False)])
def test_ipv6_that_is_brought_along_says_whether_it_may_be_advertised(
    edge: Edge, browser: Browser, checked: str, told: bool
) -> None:
    have(edge)
    edge.fakes.answers["CreateIpamPool"] = Refusal("DryRunOperation")
    answer = browser.review(
        "/pools/create",
        ipam_scope_id=SCOPE_ID,
        address_family="ipv6",
        locale="None",
        public_ip_source="byoip",
        publicly_advertisable=checked,
    )
    assert answer.status_code == 200
    [request] = requests_of(edge, "CreateIpamPool")
    assert (request.HasField("publicly_advertisable"), request.publicly_advertisable) == (
        True,
        told,
    )


def test_a_pool_in_a_pool_takes_after_it(edge: Edge, browser: Browser) -> None:
    have(edge, a_pool(locale="us-west-2", tags=named("Source")))
    page = browser.get("/pools/create", source_ipam_pool_id=POOL_ID).text
    assert f'<option value="{POOL_ID}" selected>' in page
    assert '<option value="us-west-2" selected>' in page


def test_editing_sends_what_changes(edge: Edge, browser: Browser) -> None:
    pool = a_pool(
        allocation_min_netmask_length=16,
        allocation_default_netmask_length=24,
        allocation_resource_tags=[{"key": "env", "value": "prod"}, {"key": "a", "value": "1"}],
    )
    have(edge, pool)
    path = f"/pools/{POOL_ID}/edit"
    kept = {"allocation_min_netmask_length": "16", "allocation_resource_tags": "env=test\na=1"}
    assert browser.do(path, auto_import="true", **kept).status_code == 303
    [request] = requests_of(edge, "ModifyIpamPool")
    assert request.auto_import
    assert request.clear_allocation_default_netmask_length
    assert [(tag.key, tag.value) for tag in request.add_allocation_resource_tags] == [
        ("env", "test")
    ]
    assert [(tag.key, tag.value) for tag in request.remove_allocation_resource_tags] == [
        ("env", "prod")
    ]
    refused = browser.review(path, allocation_min_netmask_length="")
    assert refused.status_code == 400
    assert "A limit can be changed but not removed; it is /16 now" in text_of(refused.text)


def test_an_allocation_is_previewed(edge: Edge, browser: Browser) -> None:
    def answer(request: allocation.AllocateIpamPoolCidrRequest) -> Any:
        if request.dry_run:
            return Refusal("DryRunOperation")
        return allocation.AllocateIpamPoolCidrResponse(
            ipam_pool_allocation=pool_allocation_pb2.IpamPoolAllocation(cidr="10.0.16.0/20")
        )

    have(edge, a_pool())
    edge.fakes.answers["AllocateIpamPoolCidr"] = answer
    page = browser.review(
        f"/pools/{POOL_ID}/allocate", netmask_length="20", allowed_cidrs="10.0.0.0/17"
    ).text
    assert "10.0.16.0/20 would be allocated" in text_of(page)
    trial, preview = requests_of(edge, "AllocateIpamPoolCidr")
    assert (trial.dry_run, preview.preview_next_cidr) == (True, True)
    assert (preview.netmask_length, list(preview.allowed_cidrs)) == (20, ["10.0.0.0/17"])


def test_a_release_is_reviewed_at_once(edge: Edge, browser: Browser) -> None:
    have(edge, a_pool())
    edge.fakes.answers["GetIpamPoolAllocations"] = allocation.GetIpamPoolAllocationsResponse(
        ipam_pool_allocations=[
            pool_allocation_pb2.IpamPoolAllocation(
                ipam_pool_allocation_id=ALLOCATION_ID, cidr="10.0.0.0/20"
            )
        ]
    )
    edge.fakes.answers["ReleaseIpamPoolAllocation"] = Refusal("DryRunOperation")
    path = f"/pools/{POOL_ID}/{ALLOCATION_ID}/release"
    page = browser.get(path).text
    assert "--cidr 10.0.0.0/20" in text_of(page)
    del edge.fakes.answers["ReleaseIpamPoolAllocation"]
    assert browser.do(path).status_code == 303
    *_, request = requests_of(edge, "ReleaseIpamPoolAllocation")
    assert (request.ipam_pool_allocation_id, request.cidr, request.dry_run) == (
        ALLOCATION_ID,
        "10.0.0.0/20",
        False,
    )


def test_a_certain_cidr_is_deprovisioned_by_its_link(edge: Edge, browser: Browser) -> None:
    have(edge, a_pool())
    edge.fakes.answers["DeprovisionIpamPoolCidr"] = Refusal("DryRunOperation")
    page = browser.get(f"/pools/{POOL_ID}/deprovision", cidr="10.0.0.0/16").text
    assert "--cidr 10.0.0.0/16" in text_of(page)


def test_deleting_needs_the_word(edge: Edge, browser: Browser) -> None:
    have(edge, a_pool())
    path = f"/pools/{POOL_ID}/delete"
    assert browser.do(path, cascade="true", confirm="").status_code == 400
    assert all(one.dry_run for one in requests_of(edge, "DeleteIpamPool"))
    assert browser.do(path, cascade="true", confirm="delete").status_code == 303
    *_, request = requests_of(edge, "DeleteIpamPool")
    assert (request.ipam_pool_id, request.cascade, request.dry_run) == (POOL_ID, True, False)


def test_tags_that_lines_cannot_tell_stay(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["DescribeTags"] = tag_service_pb2.DescribeTagsResponse(
        tags=[
            tag_service_pb2.TagDescription(resource_id=POOL_ID, key=key, value=value)
            for key, value in (("a", "1"), ("b", "2"), ("x=y", "3"))
        ]
    )
    have(edge, a_pool())
    path = f"/pools/{POOL_ID}/edit-tags"
    assert browser.do(path, tags="a=1\nc=4").status_code == 303
    [created], [deleted] = requests_of(edge, "CreateTags"), requests_of(edge, "DeleteTags")
    assert [(tag.key, tag.value) for tag in created.tags] == [("c", "4")]
    assert [tag.key for tag in deleted.tags] == ["b"]


def test_what_if_tells_what_would_be_left(edge: Edge, browser: Browser) -> None:
    have(edge, a_pool())
    edge.fakes.answers["GetIpamPoolFreeSpace"] = placement.GetIpamPoolFreeSpaceResponse(
        free_cidrs=[placement.FreeCidrCount(netmask_length=17, count=1)],
        cidr="10.0.0.0/20",
        remaining_cidrs=[
            placement.FreeCidrCount(netmask_length=one, count=1) for one in (18, 19, 20)
        ],
        free_addresses="32768",
        remaining_addresses="28672",
    )
    page = browser.get(f"/pools/{POOL_ID}/what-if", netmask_length="/20").text
    told = text_of(page)
    assert "A /20 would go to 10.0.0.0/20." in told
    assert "The largest free block would then be a /18; now it is a /17." in told
    assert "32,768 addresses are free; 28,672 would be left." in told
    assert links_of(page)["Allocate it"] == (f"{HERE}/pools/{POOL_ID}/allocate?cidr=10.0.0.0%2F20")
    [request] = requests_of(edge, "GetIpamPoolFreeSpace")
    assert (request.ipam_pool_id, request.netmask_length) == (POOL_ID, 20)


@pytest.mark.parametrize("length", ["x", "33", "-1", "²"])
def test_a_length_that_is_none_is_refused(edge: Edge, browser: Browser, length: str) -> None:
    have(edge, a_pool())
    answer = browser.get(f"/pools/{POOL_ID}/what-if", netmask_length=length)
    assert answer.status_code == 400
    assert "Use a whole number from 0 to 32" in text_of(answer.text)


def test_a_pool_that_is_not_there_is_told_of(browser: Browser) -> None:
    answer = browser.get(f"/pools/{POOL_ID}")
    assert answer.status_code == 404
    assert "InvalidIpamPoolId.NotFound" in text_of(answer.text)
