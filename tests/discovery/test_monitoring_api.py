"""GetIpamResourceCidrs through gRPC, on both databases."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.discovery.v1 import monitoring_service_pb2 as pb
from services.discovery.tables import records
from shared.errors import CadastreError
from shared.paging import token_after
from tests.discovery.monitored import (
    HOME,
    IPAM,
    MEMBER,
    OTHERS,
    OWNER,
    POOL,
    PRIVATE,
    SECOND,
    STRANGER,
    SUBNET,
    VPC,
    WEST,
    Known,
    at,
    record_values,
    serving,
)


@pytest.fixture
async def it(database_url: str, tmp_path: Path) -> AsyncIterator[Known]:
    async with serving(database_url, tmp_path) as known:
        yield known


async def cidrs(it: Known, **members: Any) -> list[str]:
    request = pb.GetIpamResourceCidrsRequest(**{"ipam_scope_id": PRIVATE, **members})
    return [one.resource_cidr for one in (await it.ask(request)).ipam_resource_cidrs]


async def test_all_that_is_known_of_a_resource_cidr_is_told(it: Known) -> None:  # MON-1 to MON-3
    row_id = it.there(
        it.inventory(),
        "vpc",
        VPC,
        "10.0.0.0/16",
        tags={"env": "prod", "Name": "one"},
        ip_usage=0.25,
    )
    it.record(
        "vpc",
        VPC,
        "10.0.0.0/16",
        row_id,
        name="one",
        management_state="managed",
        compliance_status="noncompliant",
        overlap_status="overlapping",
        ipam_pool_id=POOL,
        broken_rules="allocation-resource-tags,locale",
    )
    answer = await it.ask(pb.GetIpamResourceCidrsRequest(ipam_scope_id=PRIVATE))
    assert list(answer.ipam_resource_cidrs) == [
        pb.IpamResourceCidr(
            ipam_id=IPAM,
            ipam_scope_id=PRIVATE,
            ipam_pool_id=POOL,
            resource_region=HOME,
            resource_owner_id=OWNER,
            resource_id=VPC,
            resource_name="one",
            resource_cidr="10.0.0.0/16",
            resource_type=pb.IPAM_RESOURCE_TYPE_VPC,
            resource_tags=[
                types_pb2.Tag(key="Name", value="one"),
                types_pb2.Tag(key="env", value="prod"),
            ],
            ip_usage=0.25,
            compliance_status=pb.IPAM_COMPLIANCE_STATUS_NONCOMPLIANT,
            management_state=pb.IPAM_MANAGEMENT_STATE_MANAGED,
            overlap_status=pb.IPAM_OVERLAP_STATUS_OVERLAPPING,
            vpc_id=VPC,
            broken_rules=["allocation-resource-tags", "locale"],
        )
    ]


async def test_what_cannot_be_managed_has_no_states(it: Known) -> None:  # MON-1
    row_id = it.there(
        it.inventory(), "subnet", SUBNET, "10.0.0.0/24", availability_zone_id="use1-az1"
    )
    it.record("subnet", SUBNET, "10.0.0.0/24", row_id)
    answer = await it.ask(pb.GetIpamResourceCidrsRequest(ipam_scope_id=PRIVATE))
    [found] = answer.ipam_resource_cidrs
    absent = ("management_state", "compliance_status", "overlap_status", "ipam_pool_id", "ip_usage")
    assert not any(found.HasField(name) for name in absent)
    assert found.availability_zone_id == "use1-az1"


async def test_what_is_monitored_now_is_told_by_address(it: Known) -> None:  # BEY-6
    for cidr in ("10.128.0.0/16", "10.0.0.0/24", "2001:db8::/56", "10.0.0.0/16", "9.0.0.0/8"):
        it.record("vpc", VPC, cidr)
    it.record("vpc", VPC, "10.1.0.0/16", ended_at=at(1))
    it.record("vpc", VPC, "10.2.0.0/16", ipam_scope_id=SECOND)
    it.record("eni", "eni-1", "10.0.0.4/32")
    assert await cidrs(it) == [
        "9.0.0.0/8",
        "10.0.0.0/16",
        "10.0.0.0/24",
        "10.128.0.0/16",
        "2001:db8::/56",
    ]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"ipam_pool_id": POOL}, ["10.0.0.0/16"]),
        ({"resource_id": SUBNET}, ["10.0.1.0/24"]),
        ({"resource_type": pb.IPAM_RESOURCE_TYPE_SUBNET}, ["10.0.1.0/24"]),
        ({"resource_type": pb.IPAM_RESOURCE_TYPE_ANYCAST_IP_LIST}, []),
        ({"resource_owner": MEMBER}, ["10.1.0.0/16"]),
        ({"resource_tag": {"key": "env", "value": "prod"}}, ["10.0.0.0/16"]),
        ({"resource_tag": {"key": "env"}}, ["10.0.0.0/16", "10.0.1.0/24"]),
        ({"resource_tag": {"key": "env", "value": "x"}}, []),
        (
            {"filters": [{"name": "resource-cidr", "values": ["10.0.*"]}]},
            ["10.0.0.0/16", "10.0.1.0/24"],
        ),
        ({"filters": [{"name": "management-state", "values": ["managed"]}]}, ["10.0.0.0/16"]),
        ({"filters": [{"name": "tag:env", "values": ["test"]}]}, ["10.0.1.0/24"]),
        (
            {"filters": [{"name": "tag-key", "values": ["env"]}], "resource_id": VPC},
            ["10.0.0.0/16"],
        ),
    ],
)
async def test_a_request_narrows_what_is_told(  # BEY-6
    it: Known, members: dict[str, Any], expected: list[str]
) -> None:
    inventory_id = it.inventory()
    vpc = it.there(inventory_id, "vpc", VPC, "10.0.0.0/16", tags={"env": "prod"})
    subnet = it.there(inventory_id, "subnet", SUBNET, "10.0.1.0/24", tags={"env": "test"})
    it.record("vpc", VPC, "10.0.0.0/16", vpc, ipam_pool_id=POOL, management_state="managed")
    it.record("subnet", SUBNET, "10.0.1.0/24", subnet)
    it.record("vpc", "vpc-00000002", "10.1.0.0/16", owner_id=MEMBER)
    assert await cidrs(it, **members) == expected


async def test_pages_show_each_once_whatever_passes_the_filters(it: Known) -> None:  # BEY-6
    # More than one chunk, several of one address.
    it.insert(
        records,
        [
            record_values(
                "vpc",
                f"vpc-{n:08x}",
                f"10.{n // 3}.0.0/16",
                owner_id=MEMBER if n % 2 else OWNER,
            )
            for n in range(600)
        ],
    )
    found: list[str] = []
    token = None
    while True:
        request = pb.GetIpamResourceCidrsRequest(
            ipam_scope_id=PRIVATE,
            max_results=50,
            next_token=token,
            filters=[types_pb2.Filter(name="resource-owner-id", values=[MEMBER])],
        )
        answer = await it.ask(request)
        found += [one.resource_id for one in answer.ipam_resource_cidrs]
        if not (token := answer.next_token):
            break
        assert len(answer.ipam_resource_cidrs) == 50
    assert sorted(found) == [f"vpc-{n:08x}" for n in range(600) if n % 2]
    assert len(found) == 300


async def refusal_of(it: Known, request: Any, **caller: str) -> CadastreError:
    with pytest.raises(CadastreError) as caught:
        await it.ask(request, **caller)
    return caught.value


@pytest.mark.parametrize(
    ("scope_id", "caller"),
    [
        (PRIVATE, {"account_id": STRANGER}),
        (PRIVATE, {"region": WEST}),
        (OTHERS, {}),
        ("ipam-scope-0123456789abcdef0", {}),
    ],
    ids=["a stranger", "abroad", "a stranger's", "nobody's"],
)
@pytest.mark.parametrize(
    "request_type", [pb.GetIpamResourceCidrsRequest, pb.GetIpamAddressHistoryRequest]
)
async def test_a_scope_that_is_not_the_callers_does_not_exist(  # BEY-12, ORG-10
    it: Known, request_type: Any, scope_id: str, caller: dict[str, str]
) -> None:
    it.record("vpc", VPC, "10.0.0.0/16")
    request = request_type(ipam_scope_id=scope_id)
    if request_type is pb.GetIpamAddressHistoryRequest:
        request.cidr = "10.0.0.0/16"
    refusal = await refusal_of(it, request, **caller)
    assert refusal.reason == "InvalidIpamScopeId.NotFound"


async def test_a_dry_run_only_asks_whether_it_would_succeed(it: Known) -> None:
    request = pb.GetIpamResourceCidrsRequest(ipam_scope_id=PRIVATE, dry_run=True)
    assert (await refusal_of(it, request)).reason == "DryRunOperation"


@pytest.mark.parametrize(
    "key",
    ["", "a/b/c", "1/2", f"00/8/{2**63}", f"00/{2**31}/1", "00/8/-1"],
    ids=["none", "no numbers", "too short", "a huge id", "a huge length", "a negative id"],
)
async def test_a_token_with_a_strange_key_is_refused(it: Known, key: str) -> None:
    request = pb.GetIpamResourceCidrsRequest(ipam_scope_id=PRIVATE)
    request.next_token = token_after(request, key)
    assert (await refusal_of(it, request)).reason == "InvalidNextToken"
