"""Quotas, and how near the account is to them (requirements.md section 14)."""

from collections.abc import Iterator

import pytest

from cadastre.common.quotas.v1 import quota_service_pb2 as pb
from cadastre.control.v1 import control_service_pb2 as control
from cadastre.control.v1 import ipam_pool_pb2, ipam_scope_pb2
from services.gateway.console.words import NOTHING
from tests.gateway.console.signed_in import Browser, signed_in, text_of
from tests.gateway.edge import ACCOUNT_ID, Edge


@pytest.fixture
def browser(edge: Edge) -> Iterator[Browser]:
    with signed_in(edge) as browser:
        # Each context has some of its own, or none.
        answers = iter(
            [
                [pb.Quota(name="pools-per-scope", value=50), pb.Quota(name="pool-depth", value=10)],
                [pb.Quota(name="vpcs-per-region", value=1234)],
                [pb.Quota(name="addresses-per-region", value=7)],
                [],
            ]
        )
        edge.fakes.answers["ListServiceQuotas"] = lambda _: pb.ListServiceQuotasResponse(
            quotas=next(answers)
        )
        yield browser


def test_tells_the_thing_that_is_nearest_to_a_quota(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers |= {
        "DescribeIpamScopes": control.DescribeIpamScopesResponse(
            ipam_scopes=[ipam_scope_pb2.IpamScope(pool_count=count) for count in (3, 25)]
        ),
        "DescribeIpamPools": control.DescribeIpamPoolsResponse(
            ipam_pools=[
                ipam_pool_pb2.IpamPool(owner_id=owner, pool_depth=depth)
                for owner, depth in ((ACCOUNT_ID, 2), ("444455556666", 9))
            ]
        ),
    }
    page = text_of(browser.get("/quotas").text)
    assert "25 (50" in page
    assert "2 (20" in page, "others' pools, shared with the account, don't count"
    assert "CADASTRE_QUOTA_POOLS_PER_SCOPE" in page


def test_what_nobody_counted_has_its_value_only(browser: Browser) -> None:
    page = text_of(browser.get("/quotas").text)
    assert f"VPCs per region1,234{NOTHING}CADASTRE_QUOTA_VPCS_PER_REGION" in page


def test_those_of_all_contexts_are_in_order_of_their_names(browser: Browser) -> None:
    page = browser.get("/quotas").text
    places = [
        page.index(f"CADASTRE_QUOTA_{name}")
        for name in ("ADDRESSES_PER", "POOL_DEPTH", "POOLS_PER", "VPCS_PER")
    ]
    assert places == sorted(places)
