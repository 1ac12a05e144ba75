"""Where elastic IP addresses come from, and what they may be associated with (EIP-2, EIP-3)."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from services.network.address import (
    AMAZON_IPV4,
    Address,
    AddressAssociation,
    AddressSource,
    FromPublicIpv4Pool,
    address_source,
    check_single_address,
    pool_name,
)
from services.network.cidr_blocks import FromPool, PolicyPrecedence
from services.network.errors import AddressAssociated, AlreadyAssociated, TransferNotPermitted
from services.network.network_border_group import advertised_from, check_network_border_group
from services.network.resource import CidrAssociation, PublicIpSource, SourcePool
from shared.cidr import Cidr
from shared.errors import CadastreError, InvalidParameterValue

IPAM_POOL, POOL = "ipam-pool-07ccc86aa41bef7ce", "ipv4pool-ec2-0019eed22a684e0b2"
IP = IPv4Address("18.97.0.41")
BY_POLICY = FromPool(AMAZON_IPV4, netmask_length=32, precedence=PolicyPrecedence.FIRST)
SINGLE = Cidr.parse("18.97.0.41/32")
ONE = AddressAssociation("eipassoc-1", "eni-1", IPv4Address("10.0.0.4"))
OTHER = AddressAssociation("eipassoc-2", "eni-2", IPv4Address("10.0.0.5"))


def address(allocation_id: str, association: AddressAssociation | None = None) -> Address:
    return Address(
        allocation_id=allocation_id,
        owner_id="123456789012",
        region="us-west-2",
        public_ip=IP,
        public_ipv4_pool="amazon",
        network_border_group="us-west-2",
        tags={},
        association=association,
    )


@pytest.mark.parametrize(
    ("ipam_pool_id", "public_ipv4_pool", "wanted", "source"),
    [
        pytest.param(None, None, None, BY_POLICY, id="by policy, or Amazon's"),
        pytest.param(None, "amazon", None, FromPool(AMAZON_IPV4, netmask_length=32), id="amazon"),
        pytest.param(None, None, IP, FromPool(AMAZON_IPV4, SINGLE), id="this one of Amazon's"),
        pytest.param(IPAM_POOL, None, None, FromPool(IPAM_POOL, netmask_length=32), id="IPAM pool"),
        pytest.param(IPAM_POOL, None, IP, FromPool(IPAM_POOL, SINGLE), id="this one of a pool"),
        pytest.param(None, POOL, None, FromPublicIpv4Pool(POOL), id="public IPv4 pool"),
        pytest.param(None, POOL, IP, FromPublicIpv4Pool(POOL, IP), id="this one of it"),
    ],
)
def test_a_request_says_where_an_address_comes_from(  # EIP-2
    ipam_pool_id: str | None,
    public_ipv4_pool: str | None,
    wanted: IPv4Address | None,
    source: AddressSource,
) -> None:
    assert address_source(ipam_pool_id, public_ipv4_pool, wanted) == source


@pytest.mark.parametrize(
    ("ipam_pool_id", "public_ipv4_pool", "reason", "hint"),
    [
        pytest.param(IPAM_POOL, POOL, "InvalidParameterCombination", "use one", id="both pools"),
        pytest.param(None, IPAM_POOL, "InvalidParameterValue", "ipamPoolId", id="misplaced"),
        pytest.param(None, "mine", "InvalidPublicIpv4PoolID.Malformed", "ipv4pool-ec2-", id="none"),
    ],
)
def test_a_request_for_an_address_names_at_most_one_pool_in_its_place(  # EIP-2
    ipam_pool_id: str | None, public_ipv4_pool: str, reason: str, hint: str
) -> None:
    with pytest.raises(CadastreError, match=hint) as refusal:
        address_source(ipam_pool_id, public_ipv4_pool, None)
    assert refusal.value.reason == reason


def test_answers_name_the_pool_and_amazons_own_space() -> None:
    assert pool_name(IPAM_POOL) == IPAM_POOL
    assert pool_name(AMAZON_IPV4) == "amazon"


@pytest.mark.parametrize("given", ["18.97.0.40/31", "2001:db8::1/128"])
def test_an_elastic_ip_address_is_one_ipv4_address(given: str) -> None:
    assert check_single_address(SINGLE) == SINGLE
    with pytest.raises(InvalidParameterValue, match="IPv4 /32"):
        check_single_address(Cidr.parse(given))


def test_an_address_is_associated_and_associated_anew() -> None:  # EIP-2
    for known in (address("eipalloc-1"), address("eipalloc-1", ONE)):
        assert known.associated(OTHER, None, allow_reassociation=True).association == OTHER


def test_an_association_that_is_there_already_stays_as_it_is() -> None:  # EIP-2
    known = address("eipalloc-1", ONE)
    again = replace(ONE, association_id="eipassoc-9")
    for allowed in (True, False):
        assert known.associated(again, known, allow_reassociation=allowed) == known


@pytest.mark.parametrize(
    ("known", "occupant"),
    [
        pytest.param(address("eipalloc-1", ONE), None, id="the address is elsewhere"),
        pytest.param(address("eipalloc-1"), address("eipalloc-2", OTHER), id="another is there"),
    ],
)
def test_nothing_is_moved_when_the_caller_forbids_it(  # EIP-2
    known: Address, occupant: Address | None
) -> None:
    assert known.associated(OTHER, occupant, allow_reassociation=True).association == OTHER
    with pytest.raises(AlreadyAssociated, match="already associated with associate-id eipassoc-"):
        known.associated(OTHER, occupant, allow_reassociation=False)


def test_an_associated_address_cannot_be_released() -> None:  # EIP-2
    address("eipalloc-1").check_releasable()
    with pytest.raises(AddressAssociated, match="'eni-1' as 'eipassoc-1'; disassociate it first"):
        address("eipalloc-1", ONE).check_releasable()


@pytest.mark.parametrize("pool", [IPAM_POOL, POOL])
def test_only_amazons_own_addresses_can_be_transferred(pool: str) -> None:  # EIP-3
    address("eipalloc-1").check_transferable()
    with pytest.raises(TransferNotPermitted, match=pool):
        replace(address("eipalloc-1"), public_ipv4_pool=pool).check_transferable()


@pytest.mark.parametrize("group", ["us-west-2", "us-west-2-lax-1"])
def test_addresses_are_advertised_from_the_region_or_a_local_zones_group(group: str) -> None:
    assert check_network_border_group(group, "us-west-2") == group


@pytest.mark.parametrize("group", ["", "us-east-1", "us-west-2-lax", "us-west-2-lax-1a", "x"])
def test_a_network_border_group_of_elsewhere_is_refused(group: str) -> None:
    with pytest.raises(InvalidParameterValue, match="use 'us-west-2'"):
        check_network_border_group(group, "us-west-2")


def block(locale: str, source: PublicIpSource | None = PublicIpSource.BYOIP) -> CidrAssociation:
    pool = SourcePool(
        ipam_region="us-east-1",
        locale=locale,
        is_public=source is not None,
        public_ip_source=source,
        publicly_advertisable=source is not None,
    )
    return CidrAssociation("eipalloc-1", SINGLE, IPAM_POOL, "ipam-pool-alloc-1", pool)


def test_space_of_an_ipam_pool_is_advertised_from_the_pools_locale() -> None:
    assert advertised_from(block("us-west-2-lax-1"), None) == "us-west-2-lax-1"
    assert advertised_from(block("us-west-2"), "us-west-2") == "us-west-2"
    with pytest.raises(InvalidParameterValue, match="which is 'us-west-2'"):
        advertised_from(block("us-west-2"), "us-west-2-lax-1")
    with pytest.raises(InvalidParameterValue, match="public scope"):
        advertised_from(block("us-west-2", None), None)
