from ipaddress import IPv4Address, IPv6Address
from itertools import islice

import pytest

from services.network.interface_addresses import (
    AddressMembers,
    PrivateAddressMember,
    WantedAddresses,
    check_within,
    ipv6_candidates,
    wanted_addresses,
)
from shared.cidr import Cidr
from shared.errors import CadastreError
from tests.network.test_subnet import subnet

A, B, C = (IPv4Address(f"10.0.0.{last}") for last in (10, 11, 12))
SUBNET = subnet(1, "10.0.0.0/24", "fd00::/64")


def listed(*addresses: str | None, primary: int | None = None) -> list[PrivateAddressMember]:
    return [
        PrivateAddressMember(address, place == primary) for place, address in enumerate(addresses)
    ]


@pytest.mark.parametrize(
    ("members", "wanted"),
    [
        pytest.param(AddressMembers(), WantedAddresses(), id="one to be chosen"),
        pytest.param(
            AddressMembers(private_ip_address="10.0.0.10"), WantedAddresses(primary=A), id="given"
        ),
        pytest.param(
            AddressMembers(private_ip_addresses=listed("10.0.0.11", "10.0.0.10", primary=1)),
            WantedAddresses(primary=A, secondary=(B,)),
            id="the primary one in the list",
        ),
        pytest.param(
            AddressMembers(
                private_ip_address="10.0.0.10",
                private_ip_addresses=listed("10.0.0.12", "10.0.0.11"),
            ),
            WantedAddresses(primary=A, secondary=(C, B)),
            id="the primary one beside the list",
        ),
        pytest.param(
            AddressMembers(private_ip_addresses=listed("10.0.0.11")),
            WantedAddresses(secondary=(B,)),
            id="none primary",
        ),
        pytest.param(
            AddressMembers(private_ip_addresses=listed("10.0.0.10", primary=0), secondary_count=2),
            WantedAddresses(primary=A, secondary_count=2),
            id="others to be chosen",
        ),
        pytest.param(
            AddressMembers(ipv6_addresses=["FD00::9"]),
            WantedAddresses(ipv6=(IPv6Address("fd00::9"),)),
            id="IPv6 given",
        ),
        pytest.param(AddressMembers(ipv6_count=2), WantedAddresses(ipv6_count=2), id="IPv6 chosen"),
    ],
)
def test_addresses_are_given_or_chosen(members: AddressMembers, wanted: WantedAddresses) -> None:
    assert wanted_addresses(members) == wanted


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        (AddressMembers(private_ip_address="10.0.0"), "InvalidParameterValue"),
        (AddressMembers(private_ip_address="10.0.0.0/32"), "InvalidParameterValue"),
        (AddressMembers(private_ip_address="fd00::9"), "InvalidParameterValue"),
        (AddressMembers(ipv6_addresses=["10.0.0.10"]), "InvalidParameterValue"),
        (AddressMembers(ipv6_addresses=["fe80::1%eth0"]), "InvalidParameterValue"),
        (AddressMembers(ipv6_addresses=["fd00::9", "FD00:0::9"]), "InvalidParameterValue"),
        (AddressMembers(private_ip_addresses=listed(None)), "MissingParameter"),
        (
            AddressMembers(private_ip_addresses=listed("10.0.0.10", "10.0.0.10")),
            "InvalidParameterValue",
        ),
        (
            AddressMembers(
                private_ip_address="10.0.0.10",
                private_ip_addresses=listed("10.0.0.11", primary=0),
            ),
            "InvalidParameterCombination",
        ),
        (
            AddressMembers(
                private_ip_addresses=listed("10.0.0.10", "10.0.0.11", primary=0), secondary_count=1
            ),
            "InvalidParameterCombination",
        ),
        (
            AddressMembers(ipv6_addresses=["fd00::9"], ipv6_count=1),
            "InvalidParameterCombination",
        ),
        (AddressMembers(secondary_count=-1), "InvalidParameterValue"),
        (AddressMembers(secondary_count=50), "InvalidParameterValue"),
        (AddressMembers(ipv6_count=51), "InvalidParameterValue"),
    ],
)
def test_what_interfaces_cannot_have_is_refused(members: AddressMembers, reason: str) -> None:
    with pytest.raises(CadastreError) as refusal:
        wanted_addresses(members)
    assert refusal.value.reason == reason


def test_the_primary_address_comes_first() -> None:
    assert WantedAddresses(secondary=(B,), secondary_count=1).private_addresses([A, C]) == (A, B, C)
    assert WantedAddresses(primary=A, secondary_count=1).private_addresses([B]) == (A, B)


@pytest.mark.parametrize(
    "address", ["10.0.0.4", "10.0.0.254", "fd00::4", "fd00::ffff:ffff:ffff:fffe"]
)
def test_addresses_within_the_subnet_are_fine(address: str) -> None:
    check_within(SUBNET, [_address(address)])


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("10.0.1.4", "does not fall within"),
        ("10.0.0.0", "reserved"),
        ("10.0.0.3", "reserved"),
        ("10.0.0.255", "reserved"),
        ("fd00:0:0:1::4", "does not fall within"),
        ("fd00::3", "reserved"),
        ("fd00::ffff:ffff:ffff:ffff", "reserved"),
    ],
)
def test_other_addresses_are_refused(address: str, why: str) -> None:
    with pytest.raises(CadastreError, match=why) as refusal:
        check_within(SUBNET, [_address(address)])
    assert refusal.value.reason == "InvalidParameterValue"


def test_ipv6_addresses_need_an_ipv6_block() -> None:
    with pytest.raises(CadastreError, match="no IPv6 CIDR block"):
        check_within(subnet(1, "10.0.0.0/24"), [_address("fd00::9")])


def test_ipv6_addresses_are_spread_over_the_block_and_come_back_for_an_interface() -> None:
    block = Cidr.parse("3fff:0:0:4::/64")
    some = list(islice(ipv6_candidates("eni-1", block), 100))
    assert len(set(some)) == 100
    assert all(block.contains(Cidr.parse(f"{address}/128")) for address in some)
    assert some == list(islice(ipv6_candidates("eni-1", block), 100))
    assert not set(some) & set(islice(ipv6_candidates("eni-2", block), 100))


def _address(text: str) -> IPv4Address | IPv6Address:
    return IPv6Address(text) if ":" in text else IPv4Address(text)
