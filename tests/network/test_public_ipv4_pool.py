"""Ranges of public IPv4 pools, against sets of addresses (EIP-1)."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.network.errors import (
    InsufficientAddressCapacity,
    PublicIpv4PoolHasAddresses,
    PublicIpv4PoolInUse,
)
from services.network.public_ipv4_pool import (
    PublicIpv4Pool,
    check_netmask_length,
    whole_range,
)
from services.network.resource import CidrAssociation
from shared.cidr import AddressFamily, Cidr
from shared.errors import InvalidParameterValue


def pool(*cidrs: str) -> PublicIpv4Pool:
    blocks = [CidrAssociation(f"ipv4pool-cidr-assoc-{cidr}", Cidr.parse(cidr)) for cidr in cidrs]
    return PublicIpv4Pool(
        pool_id="ipv4pool-ec2-0019eed22a684e0b2",
        owner_id="123456789012",
        region="us-west-2",
        description="",
        network_border_group="us-west-2",
        is_byoip=False,
        tags={},
        ranges=tuple(map(whole_range, blocks)),
    )


def counted(known: PublicIpv4Pool, taken: set[IPv4Address]) -> PublicIpv4Pool:
    """As it is read from the database when these addresses are taken."""
    ranges = [
        replace(one, taken_total=sum(address in one for address in taken)) for one in known.ranges
    ]
    return replace(known, ranges=tuple(ranges))


_STEPS = st.lists(st.sampled_from(["take", "release", "deprovision"]), min_size=10, max_size=60)


@given(st.data())
def test_takes_give_backs_and_deprovisions_agree_with_plain_sets(data: st.DataObject) -> None:
    # Adjacent ranges, one apart, and one of a single address.
    cidrs = ["198.51.100.0/30", "198.51.100.4/30", "203.0.113.8/29", "192.0.2.1/32"]
    known = pool(*sorted(cidrs, key=IPv4Network))
    ranges = [set(IPv4Network(cidr)) for cidr in cidrs]
    taken: set[IPv4Address] = set()
    for step in data.draw(_STEPS):
        left = set[IPv4Address]().union(*ranges)
        if step == "take":
            if left == taken:
                with pytest.raises(InsufficientAddressCapacity):
                    known.range_with_room()
                continue
            lowest = min(left - taken)
            assert lowest in known.range_with_room()
            taken.add(lowest)
        elif step == "release" and taken:
            taken.remove(data.draw(st.sampled_from(sorted(taken))))
        elif step == "deprovision" and left:
            address = data.draw(st.sampled_from(sorted(left)))
            [of] = [addresses for addresses in ranges if address in addresses]
            if address != max(of):
                with pytest.raises(InvalidParameterValue, match=f"use '{max(of)}/32'"):
                    known.range_ending_with(Cidr.parse(f"{address}/32"))
            elif address not in taken:
                shortened = known.range_ending_with(Cidr.parse(f"{address}/32"))
                kept = [one for one in known.ranges if one != shortened]
                rest = shortened.without_last()
                kept += [rest] if rest else []
                known = replace(known, ranges=tuple(sorted(kept, key=lambda one: one.first)))
                of.remove(address)
        known = counted(known, taken)
        shown = [(one.first, one.last, one.total, one.available_total) for one in known.ranges]
        assert shown == sorted((min(of), max(of), len(of), len(of - taken)) for of in ranges if of)
        assert known.total == sum(map(len, ranges))
        assert known.available_total == known.total - len(taken)


@pytest.mark.parametrize(
    ("cidr", "hint"),
    [
        pytest.param("198.51.100.0/30", "one by one", id="the whole range"),
        pytest.param("198.51.100.2/31", "one by one", id="its upper half"),
        pytest.param("2001:db8::/128", "one by one", id="IPv6"),
        pytest.param("198.51.100.2/32", "use '198.51.100.3/32'", id="not the highest"),
        pytest.param("198.51.100.4/32", "198.51.100.0 to 198.51.100.3", id="beyond the range"),
    ],
)
def test_only_the_highest_address_of_a_range_can_be_deprovisioned(  # EIP-1
    cidr: str, hint: str
) -> None:
    with pytest.raises(InvalidParameterValue, match=hint) as refusal:
        pool("198.51.100.0/30").range_ending_with(Cidr.parse(cidr))
    assert refusal.value.metadata["value"] == cidr


def test_an_empty_pool_has_no_range_to_deprovision_from() -> None:
    with pytest.raises(InvalidParameterValue, match="has no addresses"):
        pool().range_ending_with(Cidr.parse("198.51.100.3/32"))


def test_an_address_outside_a_pool_cannot_be_taken_of_it() -> None:
    assert pool("198.51.100.0/30").range_of(IPv4Address("198.51.100.3")).total == 4
    with pytest.raises(InvalidParameterValue, match=r"198\.51\.100\.0 to 198\.51\.100\.3"):
        pool("198.51.100.0/30").range_of(IPv4Address("198.51.100.4"))


def test_a_pool_goes_when_it_is_empty_and_a_range_when_it_is_unused() -> None:  # EIP-1
    pool().check_empty()
    with pytest.raises(PublicIpv4PoolHasAddresses, match="has 4 addresses"):
        pool("198.51.100.0/30").check_empty()
    pool("198.51.100.0/30").check_unused()
    with pytest.raises(PublicIpv4PoolInUse, match="has 1 elastic IP addresses"):
        counted(pool("198.51.100.0/30"), {IPv4Address("198.51.100.1")}).check_unused()


@pytest.mark.parametrize("length", [0, 23])
def test_a_pool_takes_cidrs_up_to_256_addresses(length: int) -> None:  # EIP-1
    assert [check_netmask_length(narrow) for narrow in (24, 32)] == [24, 32]
    with pytest.raises(InvalidParameterValue, match="/24, the widest"):
        check_netmask_length(length)


@given(st.integers(min_value=24, max_value=32), st.data())
def test_what_is_left_of_a_range_is_told_in_the_fewest_cidrs(  # EIP-1
    length: int, data: st.DataObject
) -> None:
    [whole] = pool(f"203.0.113.0/{length}").ranges
    left = data.draw(st.integers(min_value=1, max_value=whole.total))
    cidrs = replace(whole, last=whole.first + left - 1).cidrs
    covered = [number for cidr in cidrs for number in range(cidr.first, cidr.last + 1)]
    assert covered == list(range(int(whole.first), int(whole.first) + left))
    assert {cidr.family for cidr in cidrs} == {AddressFamily.IPV4}
    # From the start of a block, it takes as many as the count has binary ones.
    assert len(cidrs) == left.bit_count()
