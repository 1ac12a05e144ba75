"""The rules of making a pool, without any I/O."""

from dataclasses import replace
from typing import Any

import pytest

from services.control_plane.allocation_rules import AllocationRules
from services.control_plane.errors import IpamPoolDepthLimitExceeded, StillInUse
from services.control_plane.ipam import Ipam, Tier
from services.control_plane.lifecycle import State
from services.control_plane.new_pool import NewPool, pool_to_create
from services.control_plane.pool import (
    AwsService,
    Pool,
    PublicIpSource,
    check_cascade_allowed,
    check_childless,
    with_descendants,
)
from services.control_plane.scope import ScopeType
from services.control_plane.source_resource import SourceResource
from shared.cidr import AddressFamily
from shared.errors import (
    CadastreError,
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameter,
    OperationNotPermitted,
)
from tests.control_plane.records import a_pool, a_scope, a_wish, an_ipam

PUBLIC, PRIVATE = ScopeType.PUBLIC, ScopeType.PRIVATE
IPV4, IPV6 = AddressFamily.IPV4, AddressFamily.IPV6
AMAZON, BYOIP = PublicIpSource.AMAZON, PublicIpSource.BYOIP
FREE = an_ipam(tier=Tier.FREE)
A_VPC = SourceResource(
    resource_id="vpc-1", resource_region="us-west-2", resource_owner="123456789012"
)


def create(
    wanted: NewPool,
    *,
    scope_type: ScopeType = PRIVATE,
    source: Pool | None = None,
    ipam: Ipam | None = None,
) -> Pool:
    return pool_to_create(
        wanted,
        ipam=ipam or an_ipam(),
        scope=a_scope(scope_type),
        source=source,
        ipam_pool_id="ipam-pool-0000000000000ffff",
        depth_quota=10,
    )


def test_a_pool_with_nothing_said_has_the_documented_defaults() -> None:  # POOL-1, POOL-3
    expected = a_pool(0xFFFF, locale="None", state=State.CREATE_IN_PROGRESS)
    assert create(a_wish()) == expected


@pytest.mark.parametrize(
    ("scope_type", "wanted", "source", "members"),
    [
        pytest.param(PUBLIC, {}, {}, {"public_ip_source": BYOIP}, id="byoip unless said"),
        pytest.param(
            PUBLIC,
            {"public_ip_source": AMAZON, "aws_service": AwsService.EC2, "locale": "us-west-2"},
            {},
            {
                "public_ip_source": AMAZON,
                "aws_service": AwsService.EC2,
                "publicly_advertisable": None,
            },
            id="contiguous IPv4",
        ),
        pytest.param(
            PUBLIC,
            {"address_family": IPV6, "public_ip_source": AMAZON, "locale": "us-west-2"},
            {},
            {"publicly_advertisable": None},
            id="Amazon's IPv6",
        ),
        pytest.param(
            PUBLIC,
            {"address_family": IPV6, "publicly_advertisable": False},
            {},
            {"publicly_advertisable": False, "public_ip_source": BYOIP},
            id="own IPv6",
        ),
        pytest.param(
            PUBLIC,
            {"locale": "us-west-2-lax-1"},
            {},
            {"locale": "us-west-2-lax-1"},
            id="local zone",
        ),
        pytest.param(PRIVATE, {"address_family": IPV6}, {}, {"public_ip_source": None}, id="ULA"),
        pytest.param(
            PRIVATE, {}, {"locale": "us-west-2"}, {"locale": "us-west-2"}, id="the source's locale"
        ),
        pytest.param(
            PRIVATE, {"locale": "us-west-2"}, {}, {"locale": "us-west-2"}, id="a locale of its own"
        ),
        pytest.param(
            PRIVATE, {}, {"depth": 9}, {"depth": 10, "source_ipam_pool_id": "set"}, id="depth"
        ),
        pytest.param(
            PRIVATE,
            {},
            {"rules": AllocationRules(min_netmask_length=16)},
            {"rules": AllocationRules()},
            id="rules are not inherited",  # POOL-4
        ),
        pytest.param(
            PUBLIC,
            {"address_family": IPV6},
            {
                "address_family": IPV6,
                "public_ip_source": BYOIP,
                "publicly_advertisable": True,
            },
            {"publicly_advertisable": True, "public_ip_source": BYOIP},
            id="as advertisable as the source",
        ),
        pytest.param(
            PUBLIC,
            {},
            {"public_ip_source": AMAZON},
            {"public_ip_source": AMAZON},
            id="from where the source is",
        ),
        pytest.param(
            PUBLIC,
            {},
            {"aws_service": AwsService.EC2},
            {"aws_service": AwsService.EC2},
            id="for the service that the source is for",
        ),
        pytest.param(
            PRIVATE,
            {"source_resource": A_VPC},
            {},
            {"source_resource": A_VPC, "locale": "us-west-2"},
            id="in the region of the VPC that it plans",  # VPC-3
        ),
        pytest.param(
            PRIVATE,
            {},
            {"source_resource": A_VPC, "locale": "us-west-2"},
            {"source_resource": A_VPC, "locale": "us-west-2"},
            id="planning what the source plans",  # VPC-3
        ),
        pytest.param(
            PRIVATE,
            {"source_resource": A_VPC},
            {"locale": "None"},
            {"source_resource": A_VPC, "locale": "us-west-2", "source_ipam_pool_id": "set"},
            id="planning a VPC that has its space of the source",  # VPC-3
        ),
    ],
)
def test_a_pool_is_made_as_said_and_otherwise_as_its_source(  # POOL-1, POOL-3
    scope_type: ScopeType, wanted: dict[str, Any], source: dict[str, Any], members: dict[str, Any]
) -> None:
    parent = a_pool(1, scope_type, **source) if source else None
    pool = create(a_wish(scope_type, **wanted), scope_type=scope_type, source=parent)
    for name, value in members.items():
        expected = parent.ipam_pool_id if parent and value == "set" else value
        assert getattr(pool, name) == expected, name


@pytest.mark.parametrize(
    ("scope_type", "wanted", "refusal", "said"),
    [
        (PRIVATE, {"locale": "eu-west-1"}, InvalidParameterValue, "us-west-2, us-east-1"),
        (PRIVATE, {"locale": "mars-1"}, InvalidParameterValue, "mars-1"),
        (PUBLIC, {"locale": "eu-west-1-ham-1"}, InvalidParameterValue, "eu-west-1-ham-1"),
        (PRIVATE, {"locale": "us-west-2-lax-1"}, InvalidParameterValue, "use 'us-west-2'"),
        (
            PUBLIC,
            {
                "locale": "us-west-2-lax-1",
                "address_family": IPV6,
                "publicly_advertisable": True,
            },
            InvalidParameterValue,
            "IPv4",
        ),
        (PRIVATE, {"aws_service": AwsService.EC2}, InvalidParameterCombination, "AwsService 'ec2'"),
        (PRIVATE, {"public_ip_source": BYOIP}, InvalidParameterCombination, "PublicIpSource"),
        (PRIVATE, {"publicly_advertisable": False}, InvalidParameterCombination, "ipv6"),
        (
            PRIVATE,
            {"publicly_advertisable": False, "address_family": IPV6},
            InvalidParameterCombination,
            "scope is public",
        ),
        (PUBLIC, {"publicly_advertisable": True}, InvalidParameterCombination, "ipv6"),
        (
            PUBLIC,
            {"publicly_advertisable": True, "address_family": IPV6, "public_ip_source": AMAZON},
            InvalidParameterCombination,
            "byoip",
        ),
        (PUBLIC, {"address_family": IPV6}, MissingParameter, "publiclyAdvertisable"),
        # PROV-4, PROV-5
        (PUBLIC, {"public_ip_source": AMAZON}, MissingParameter, "locale"),
        (
            PUBLIC,
            {"public_ip_source": AMAZON, "locale": "us-west-2"},
            MissingParameter,
            "awsService",
        ),
        (
            PUBLIC,
            {
                "public_ip_source": AMAZON,
                "locale": "us-west-2",
                "aws_service": AwsService.GLOBAL_SERVICES,
            },
            InvalidParameterCombination,
            "use 'ec2'",
        ),
        (
            PUBLIC,
            {"public_ip_source": AMAZON, "address_family": IPV6},
            MissingParameter,
            "locale",
        ),
        # VPC-3
        (PUBLIC, {"source_resource": A_VPC}, InvalidParameterCombination, "private scopes"),
        (
            PRIVATE,
            {"source_resource": A_VPC, "locale": "us-east-1"},
            InvalidParameterValue,
            "'us-west-2' as locale",
        ),
        (
            PRIVATE,
            {"source_resource": replace(A_VPC, resource_region="eu-west-1")},
            InvalidParameterValue,
            "operating region",
        ),
        (
            PRIVATE,
            {"rules": AllocationRules(min_netmask_length=33)},
            InvalidParameterValue,
            "0-32",
        ),
        (
            PRIVATE,
            {"rules": AllocationRules(auto_import=True)},
            InvalidParameterCombination,
            "AutoImport",
        ),
    ],
)
def test_what_its_ipam_or_scope_does_not_allow_is_refused(  # POOL-1, IPAM-3, SCP-4
    scope_type: ScopeType, wanted: dict[str, Any], refusal: type[CadastreError], said: str
) -> None:
    with pytest.raises(refusal, match=said):
        create(a_wish(scope_type, **wanted), scope_type=scope_type)


@pytest.mark.parametrize(
    ("wanted", "source", "refusal", "said"),
    [
        ({}, {"ipam_scope_id": "ipam-scope-2"}, InvalidParameterValue, "ipam-scope-2"),
        ({"address_family": IPV6}, {}, InvalidParameterValue, "'ipv4'"),
        ({"locale": "us-east-1"}, {"locale": "us-west-2"}, InvalidParameterValue, "us-west-2"),
        ({"locale": "None"}, {"locale": "us-west-2"}, InvalidParameterValue, "us-west-2"),
        ({}, {"depth": 10}, IpamPoolDepthLimitExceeded, "depth 10"),
        (
            {"public_ip_source": BYOIP},
            {"public_ip_source": AMAZON},
            InvalidParameterValue,
            "amazon",
        ),
        (
            {"publicly_advertisable": True, "address_family": IPV6},
            {"publicly_advertisable": False, "address_family": IPV6},
            InvalidParameterValue,
            "'false'",
        ),
        (
            {"source_resource": A_VPC},
            {"locale": "us-east-1"},
            InvalidParameterValue,
            "us-west-2 has 'us-west-2' as locale",
        ),
        (
            {"source_resource": A_VPC},
            {"source_resource": replace(A_VPC, resource_id="vpc-2")},
            InvalidParameterValue,
            "'vpc-2'",
        ),
    ],
)
def test_what_its_source_does_not_allow_is_refused(  # POOL-1, POOL-2, POOL-3
    wanted: dict[str, Any], source: dict[str, Any], refusal: type[CadastreError], said: str
) -> None:
    with pytest.raises(refusal, match=said):
        create(a_wish(**wanted), source=a_pool(**source))


@pytest.mark.parametrize("locale", ["us-west-2", None])
def test_the_free_tier_has_pools_in_the_home_region_only(locale: str | None) -> None:  # IPAM-4
    assert create(a_wish(locale="us-east-1"), ipam=FREE).locale == "us-east-1"
    with pytest.raises(OperationNotPermitted, match="us-east-1"):
        create(a_wish(locale=locale), ipam=FREE)


def test_descendants_come_deepest_first() -> None:  # POOL-7
    sources = {1: None, 2: 1, 3: 2, 4: 1, 5: None, 6: 5}
    depths = {1: 1, 2: 2, 3: 3, 4: 2, 5: 1, 6: 2}
    pools = {
        n: a_pool(
            n,
            depth=depths[n],
            source_ipam_pool_id=a_pool(source).ipam_pool_id if source else None,
        )
        for n, source in sources.items()
    }
    found = with_descendants(pools[1].ipam_pool_id, list(pools.values()))
    assert found == [pools[n] for n in (3, 2, 4, 1)]


def test_a_pool_with_children_stays() -> None:  # POOL-7
    check_childless("pool-1", [])
    with pytest.raises(StillInUse, match="pool-2"):
        check_childless("pool-1", ["pool-2"])


def test_a_public_pool_is_not_deleted_by_cascade() -> None:
    check_cascade_allowed(a_pool())
    with pytest.raises(OperationNotPermitted, match="public scope"):
        check_cascade_allowed(a_pool(1, PUBLIC))
