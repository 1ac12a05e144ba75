"""Rules that need no ledger."""

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest

from services.allocation.definition import PoolDefinition, ScopeType
from services.allocation.rules import check_netmask_rule, check_resource_rules
from services.allocation.scope_space import check_cidr, check_length
from services.allocation.wanted_block import WantedBlock
from shared.cidr import AddressFamily, Cidr
from shared.errors import CadastreError, InvalidParameterCombination, InvalidParameterValue

POOL = PoolDefinition(
    ipam_pool_id="ipam-pool-00000000000000001",
    version=1,
    ipam_id="ipam-00000000000000001",
    ipam_scope_id="ipam-scope-00000000000000001",
    scope_type=ScopeType.PRIVATE,
    owner_id="123456789012",
    ipam_region="us-east-1",
    address_family=AddressFamily.IPV4,
    locale="us-west-2",
    cidr_quota=50,
)


def outcome(reason: str | None) -> Any:
    return pytest.raises(CadastreError, match=reason) if reason else nullcontext()


@pytest.mark.parametrize(
    ("shortest", "longest", "length", "says"),
    [
        (None, None, 0, None),
        (None, None, 32, None),
        (20, None, 20, None),
        (20, None, 19, "20-32"),
        (None, 28, 28, None),
        (None, 28, 29, "0-28"),
        (24, 24, 24, None),
        (24, 24, 25, "24-24"),
        (0, 0, 1, "0-0"),
    ],
)
def test_netmask_lengths_are_kept(
    shortest: int | None, longest: int | None, length: int, says: str | None
) -> None:  # POOL-4
    pool = replace(POOL, min_netmask_length=shortest, max_netmask_length=longest)
    with outcome(says):
        check_netmask_rule(pool, length)


def test_a_broken_rule_is_told_by_its_values() -> None:  # POOL-6
    pool = replace(POOL, max_netmask_length=28, resource_tags={"a": "1"})
    with pytest.raises(CadastreError) as length:
        check_netmask_rule(pool, 29)
    assert length.value.metadata == {
        "ipam_pool_id": pool.ipam_pool_id,
        "netmask_length": "29",
        "allocation_min_netmask_length": "0",
        "allocation_max_netmask_length": "28",
    }
    with pytest.raises(CadastreError) as locale:
        check_resource_rules(pool, "eu-west-1", {"a": "1"})
    assert locale.value.metadata == {
        "ipam_pool_id": pool.ipam_pool_id,
        "locale": pool.locale,
        "region": "eu-west-1",
    }
    with pytest.raises(CadastreError) as tags:
        check_resource_rules(pool, pool.locale, {})
    assert tags.value.metadata == {"ipam_pool_id": pool.ipam_pool_id, "missing_tags": "a=1"}


@pytest.mark.parametrize(
    ("locale", "required", "region", "tags", "says"),
    [
        ("us-west-2", {}, "us-west-2", {}, None),
        ("us-west-2", {}, "us-east-1", {}, "locale of .* is us-west-2"),
        ("None", {}, "us-west-2", {}, "locale of .* is None"),
        ("None", {}, "None", {}, "locale of .* is None"),
        ("us-west-2", {"a": "1"}, "us-west-2", {"a": "1", "b": "2"}, None),
        ("us-west-2", {"a": "1"}, "us-west-2", {"a": "2"}, "a=1"),
        ("us-west-2", {"a": "1", "b": "2"}, "us-west-2", {"a": "1"}, "demand: b=2"),
        ("us-west-2", {"a": ""}, "us-west-2", {}, "a="),
    ],
)
def test_resources_have_the_locale_and_all_tags(
    locale: str, required: dict[str, str], region: str, tags: dict[str, str], says: str | None
) -> None:  # POOL-3, POOL-4, POOL-6
    with outcome(says):
        check_resource_rules(replace(POOL, locale=locale, resource_tags=required), region, tags)


@pytest.mark.parametrize(
    ("cidr", "with_gua", "says"),
    [
        ("10.0.0.0/8", False, None),
        ("8.8.8.0/24", False, None),
        ("100.64.0.0/10", False, None),
        ("1.0.0.0/32", False, None),
        ("223.255.255.0/24", False, None),
        ("0.0.0.0/0", False, "0.0.0.0/8"),
        ("126.0.0.0/7", False, "loopback"),
        ("169.254.1.0/24", False, "link-local"),
        ("224.0.0.0/4", False, "multicast"),
        ("240.0.0.0/4", False, "reserved"),
        ("fd80::/9", False, None),
        ("fdff:ffff:ffff:fff0::/60", False, None),
        ("fd80::/61", False, "/9 to /60"),
        ("fd00::/8", False, "fd00::/16 is reserved"),
        ("fd00:1::/48", False, "fd00::/16 is reserved"),
        ("fd01::/48", False, "fd80::/9"),
        ("fc00::/7", False, "fd00::/16 is reserved"),
        ("fc00::/16", False, "fd80::/9"),
        ("fe80::/10", True, "fd80::/9"),
        ("::/0", True, "fd00::/16 is reserved"),
        ("2600::/32", False, "EnablePrivateGua"),
        ("2600::/32", True, None),
        ("2000::/3", True, None),
        ("4000::/16", True, "fd80::/9"),
    ],
)
def test_private_scopes_have_space_that_networks_can_use(
    cidr: str, says: str | None, *, with_gua: bool
) -> None:  # PROV-2, PROV-3
    with outcome(says) as refusal:
        check_cidr(replace(POOL, enable_private_gua=with_gua), Cidr.parse(cidr))
    if says:
        assert refusal.value.metadata["cidr"] == cidr


@pytest.mark.parametrize(
    ("family", "length", "says"),
    [
        ("ipv6", 9, None),
        ("ipv6", 60, None),
        ("ipv6", 8, "/9 to /60"),
        ("ipv6", 61, "/9 to /60"),
        ("ipv6", None, "parameter Cidr or NetmaskLength$"),
        ("ipv4", 16, "parameter Cidr"),
        ("ipv4", None, "parameter Cidr or NetmaskLength$"),
    ],
)
def test_only_unique_local_space_is_chosen_by_length(
    family: str, length: int | None, says: str | None
) -> None:  # PROV-1, PROV-2
    pool = replace(POOL, address_family=AddressFamily(family))
    with outcome(says) as refusal:
        assert check_length(pool, WantedBlock(netmask_length=length)) == length
    if says == "/9 to /60":
        assert refusal.value.metadata == {"parameter": "netmaskLength", "value": str(length)}


A, B, C = map(Cidr.parse, ("10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"))


@pytest.mark.parametrize(
    ("members", "wanted", "named"),
    [
        pytest.param({}, WantedBlock(None, None, None, ()), (), id="whatever is the default"),
        pytest.param({"cidr": str(A)}, WantedBlock(A, None, None, ()), (A,), id="a certain block"),
        pytest.param({"netmask_length": 0}, WantedBlock(None, 0, None, ()), (), id="by length"),
        pytest.param(
            {"netmask_length": 26, "allowed": [str(B), str(A)], "disallowed": [str(C)]},
            WantedBlock(None, 26, (B, A), (C,)),
            (B, A, C),
            id="by length and lists",
        ),
        pytest.param(
            {"allowed": [], "disallowed": []}, WantedBlock(None, None, None, ()), (), id="no lists"
        ),
    ],
)
def test_a_request_says_what_block_it_wants(
    members: dict[str, Any], wanted: WantedBlock, named: tuple[Cidr, ...]
) -> None:  # ALLOC-1
    read = WantedBlock.parse(**members)
    assert read == wanted
    assert tuple(read.cidrs) == named


@pytest.mark.parametrize(
    ("members", "parameter"),
    [
        pytest.param({"netmask_length": 0}, "NetmaskLength", id="length"),
        pytest.param({"allowed": [str(A)]}, "AllowedCidrs", id="allowed"),
        pytest.param({"disallowed": [str(A)]}, "DisallowedCidrs", id="disallowed"),
    ],
)
def test_what_chooses_a_block_is_refused_beside_a_block(
    members: dict[str, Any], parameter: str
) -> None:  # ALLOC-1
    with pytest.raises(InvalidParameterCombination, match=f"^{parameter} chooses") as refusal:
        WantedBlock.parse(cidr=str(A), **members)
    assert refusal.value.metadata == {"cidr": str(A), "parameter": parameter}


@pytest.mark.parametrize(
    ("members", "parameter"),
    [
        ({"allowed": [str(A), "here"]}, "allowedCidrs.2"),
        ({"disallowed": ["here"]}, "disallowedCidrs.1"),
    ],
)
def test_what_is_no_cidr_in_a_list_is_told_by_its_number(
    members: dict[str, Any], parameter: str
) -> None:  # ALLOC-1
    with pytest.raises(InvalidParameterValue) as refusal:
        WantedBlock.parse(netmask_length=24, **members)
    assert refusal.value.metadata == {"parameter": parameter, "value": "here"}
