"""Which addresses of its subnet an interface gets: those given, and others that are chosen."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from services.network.subnet import Subnet, usable
from shared.cidr import Cidr
from shared.errors import InvalidParameterCombination, InvalidParameterValue, MissingParameter

ADDRESSES_PER_INTERFACE = 50
"""Of one family: as many as EC2's largest instances take."""


@dataclass(frozen=True, slots=True)
class PrivateAddressMember:
    """An item of ``privateIpAddresses``."""

    address: str | None
    is_primary: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressMembers:
    """The members of a request that say which addresses an interface gets; None is absent."""

    private_ip_address: str | None = None
    private_ip_addresses: Sequence[PrivateAddressMember] = ()
    secondary_count: int | None = None
    ipv6_addresses: Sequence[str] = ()
    ipv6_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedAddresses:
    """The addresses given, and how many are to be chosen besides."""

    primary: IPv4Address | None = None
    """To be chosen, when None."""
    secondary: tuple[IPv4Address, ...] = ()
    secondary_count: int = 0
    ipv6: tuple[IPv6Address, ...] = ()
    ipv6_count: int | None = None
    """None: as many as the subnet assigns, unless ``ipv6`` are given."""

    @property
    def given(self) -> list[IPv4Address | IPv6Address]:
        primary = [] if self.primary is None else [self.primary]
        return [*primary, *self.secondary, *self.ipv6]

    @property
    def ipv4_to_choose(self) -> int:
        return self.secondary_count + (self.primary is None)

    def ipv6_to_choose(self, subnet: Subnet) -> int:
        """How many IPv6 addresses of ``subnet`` an interface needs besides."""
        if self.ipv6_count is not None:
            return self.ipv6_count
        return int(subnet.attributes.assign_ipv6_address_on_creation and not self.ipv6)

    def private_addresses(self, chosen: Sequence[IPv4Address]) -> tuple[IPv4Address, ...]:
        """All of them, the primary one first; ``chosen`` are as many as are to be chosen."""
        if self.primary is None:
            return (chosen[0], *self.secondary, *chosen[1:])
        return (self.primary, *self.secondary, *chosen)


def wanted_addresses(members: AddressMembers) -> WantedAddresses:
    """What a request asks for.

    Raises:
        MissingParameter, InvalidParameterCombination: members that lack, or exclude, each other.
        InvalidParameterValue: no address of the family, one given twice, or too many.
    """
    primary, secondary = _given_ipv4(members)
    ipv6 = tuple(ipv6_address(text, "ipv6Addresses") for text in members.ipv6_addresses)
    if members.secondary_count is not None and len(members.private_ip_addresses) > 1:
        raise InvalidParameterCombination(
            "secondaryPrivateIpAddressCount excludes more than one of privateIpAddresses; use one"
            " of them",
            parameter="secondaryPrivateIpAddressCount",
        )
    if ipv6 and members.ipv6_count is not None:
        raise InvalidParameterCombination(
            "ipv6AddressCount and ipv6Addresses exclude each other; use one",
            parameter="ipv6AddressCount",
        )
    wanted = WantedAddresses(
        primary=primary,
        secondary=secondary,
        secondary_count=_count(members.secondary_count, "secondaryPrivateIpAddressCount"),
        ipv6=ipv6,
        ipv6_count=_known_count(members.ipv6_count, "ipv6AddressCount"),
    )
    _check_once(wanted.given)
    _check_count("privateIpAddresses", 1 + len(wanted.secondary) + wanted.secondary_count)
    _check_count("ipv6Addresses", len(ipv6))
    return wanted


def check_within(subnet: Subnet, given: Collection[IPv4Address | IPv6Address]) -> None:
    """Interfaces of the subnet can have these addresses, unless others have them.

    Raises:
        InvalidParameterValue: one lies outside the subnet, or is reserved in it.
    """
    for address in given:
        block = subnet.ipv4 if isinstance(address, IPv4Address) else subnet.ipv6
        where = block.cidr if block else "no IPv6 CIDR block"
        if block is None or not block.cidr.first <= int(address) <= block.cidr.last:
            raise _outside(address, subnet, f"does not fall within the subnet's {where}")
        if int(address) not in usable(block.cidr):
            raise _outside(
                address, subnet, f"is one of the five that are reserved in the subnet's {where}"
            )


def ipv6_block(subnet: Subnet) -> Cidr:
    """The block that IPv6 addresses are chosen from.

    Raises:
        InvalidParameterValue: the subnet has none.
    """
    if subnet.ipv6 is None:
        raise InvalidParameterValue(
            f"'{subnet.subnet_id}' has no IPv6 CIDR block to choose addresses from; leave"
            " ipv6AddressCount out, or use a subnet that has one",
            parameter="ipv6AddressCount",
            subnet_id=subnet.subnet_id,
        )
    return subnet.ipv6.cidr


def ipv6_candidates(network_interface_id: str, block: Cidr) -> Iterator[IPv6Address]:
    """Addresses of ``block`` to choose from for an interface, without end; some more than once.

    Derived from its id and spread over the block, so that one that is in use is a rare thing.
    """
    host_bits, number = block.size - 1, 0
    while True:
        digest = hashlib.sha256(f"{network_interface_id}/{number}".encode()).digest()
        host = int.from_bytes(digest) & host_bits
        if block.first + host in usable(block):
            yield IPv6Address(block.first + host)
        number += 1


def ipv4_address(text: str, parameter: str) -> IPv4Address:
    """
    Raises:
        InvalidParameterValue: it isn't one.
    """
    try:
        return IPv4Address(text)
    except AddressValueError:
        raise _malformed(text, parameter, "an IPv4 address, such as '10.0.0.4'") from None


def ipv6_address(text: str, parameter: str) -> IPv6Address:
    """
    Raises:
        InvalidParameterValue: it isn't one.
    """
    try:
        address = IPv6Address(text)
    except AddressValueError:
        raise _malformed(text, parameter, "an IPv6 address, such as '2001:db8::4'") from None
    if address.scope_id is not None:
        raise _malformed(text, parameter, "an IPv6 address without a zone")
    return address


def _given_ipv4(members: AddressMembers) -> tuple[IPv4Address | None, tuple[IPv4Address, ...]]:
    """The primary address, if it is given, and the secondary ones that are."""
    primary: list[IPv4Address] = []
    secondary: list[IPv4Address] = []
    if members.private_ip_address is not None:
        primary.append(ipv4_address(members.private_ip_address, "privateIpAddress"))
    for member in members.private_ip_addresses:
        if member.address is None:
            raise MissingParameter("privateIpAddresses.privateIpAddress")
        address = ipv4_address(member.address, "privateIpAddresses")
        (primary if member.is_primary else secondary).append(address)
    if len(primary) > 1:
        raise InvalidParameterCombination(
            f"Only one address can be primary, not {' and '.join(map(str, primary))}; name it in"
            " privateIpAddress or mark it in privateIpAddresses",
            parameter="privateIpAddresses",
        )
    return primary[0] if primary else None, tuple(secondary)


def _check_once(given: Sequence[IPv4Address | IPv6Address]) -> None:
    for address in given:
        if given.count(address) > 1:
            raise InvalidParameterValue(
                f"Address {address} is given more than once; give it once",
                parameter="privateIpAddresses",
                value=address,
            )


def _known_count(value: int | None, parameter: str) -> int | None:
    return None if value is None else _count(value, parameter)


def _count(value: int | None, parameter: str) -> int:
    if value is not None and value < 0:
        raise InvalidParameterValue(
            f"Value ({value}) for parameter {parameter} is invalid; use 0 or more",
            parameter=parameter,
            value=value,
        )
    _check_count(parameter, value or 0)
    return value or 0


def _check_count(parameter: str, count: int) -> None:
    if count > ADDRESSES_PER_INTERFACE:
        raise InvalidParameterValue(
            f"{count} addresses by {parameter}; an interface has at most {ADDRESSES_PER_INTERFACE}"
            " of a family",
            parameter=parameter,
            count=count,
        )


def _outside(address: IPv4Address | IPv6Address, subnet: Subnet, why: str) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"Address {address} {why}",
        parameter="privateIpAddress" if address.version == 4 else "ipv6Addresses",
        value=address,
        subnet_id=subnet.subnet_id,
    )


def _malformed(text: str, parameter: str, expected: str) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"Value ({text}) for parameter {parameter} is invalid; use {expected}",
        parameter=parameter,
        value=text,
    )
