"""Public IPv4 pools: ranges of addresses that one account turns into elastic IPs (EIP-1)."""

from dataclasses import dataclass, replace
from ipaddress import IPv4Address, summarize_address_range

from services.network.errors import (
    InsufficientAddressCapacity,
    PublicIpv4PoolHasAddresses,
    PublicIpv4PoolInUse,
)
from services.network.network_border_group import local_group
from services.network.resource import CidrAssociation, Holder, PublicIpSource, ResourceType
from shared.cidr import AddressFamily, Cidr
from shared.errors import InvalidParameterValue
from shared.tags import Tags

NETMASK_LENGTHS = range(24, 33)
"""Of what is provisioned from IPAM pools."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRange:
    """Addresses of a pool, in a row.

    ``block`` is what the ledger allocated, whole. The range has its addresses up to ``last``: those
    above were deprovisioned already.
    """

    block: CidrAssociation
    last: IPv4Address
    taken_total: int
    """Addresses that elastic IPs have."""

    @property
    def first(self) -> IPv4Address:
        return IPv4Address(self.block.cidr.first)

    @property
    def total(self) -> int:
        return int(self.last) - int(self.first) + 1

    @property
    def available_total(self) -> int:
        return self.total - self.taken_total

    @property
    def cidrs(self) -> list[Cidr]:
        """The fewest that it is made of, in order."""
        return [
            Cidr(AddressFamily.IPV4, int(part.network_address), part.prefixlen)
            for part in summarize_address_range(self.first, self.last)
        ]

    @property
    def was_brought_along(self) -> bool:
        pool = self.block.source_pool
        return pool is not None and pool.public_ip_source is PublicIpSource.BYOIP

    def __contains__(self, address: IPv4Address) -> bool:
        return self.first <= address <= self.last

    def without_last(self) -> "AddressRange | None":
        """What is left; None when that was all."""
        return replace(self, last=self.last - 1) if self.total > 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicIpv4Pool:
    """``ranges`` are in order of address and stay apart, also where they are adjacent."""

    pool_id: str
    owner_id: str
    region: str
    description: str
    network_border_group: str
    is_byoip: bool
    """Made of a range that was brought along without an IPAM (BYOIP-6)."""
    tags: Tags
    ranges: tuple[AddressRange, ...] = ()

    @property
    def holder(self) -> Holder:
        return Holder(
            resource_id=self.pool_id,
            resource_type=ResourceType.PUBLIC_IPV4_POOL,
            owner_id=self.owner_id,
            region=self.region,
            tags=self.tags,
            network_border_group=local_group(self.network_border_group, self.region),
        )

    @property
    def total(self) -> int:
        return sum(known.total for known in self.ranges)

    @property
    def available_total(self) -> int:
        return sum(known.available_total for known in self.ranges)

    @property
    def has_byoip_space(self) -> bool:
        """Some of its space was brought along, with an IPAM or without."""
        return self.is_byoip or any(known.was_brought_along for known in self.ranges)

    def range_with_room(self) -> AddressRange:
        """The lowest range that has a free address.

        Raises:
            InsufficientAddressCapacity: none has.
        """
        for known in self.ranges:
            if known.available_total:
                return known
        raise InsufficientAddressCapacity(self.pool_id, self.total)

    def range_of(self, address: IPv4Address) -> AddressRange:
        """The range that ``address`` is in.

        Raises:
            InvalidParameterValue: it is in none.
        """
        for known in self.ranges:
            if address in known:
                return known
        raise InvalidParameterValue(
            f"Value ({address}) for parameter address is invalid: '{self.pool_id}' has"
            f" {self._ranges_in_words()}",
            parameter="address",
            value=address,
            pool_id=self.pool_id,
            ranges=self._ranges_in_words(),
        )

    def range_ending_with(self, cidr: Cidr) -> AddressRange:
        """The range whose highest address is ``cidr``, so that it can be deprovisioned.

        Raises:
            InvalidParameterValue: ``cidr`` is no /32, in none of the ranges, or not the highest.
        """
        if cidr.family is not AddressFamily.IPV4 or cidr.prefix_length != cidr.family.bits:
            raise self._wrong_cidr(cidr, "addresses go one by one, so use the /32 of the highest")
        address = IPv4Address(cidr.first)
        for known in self.ranges:
            if address == known.last:
                return known
            if address in known:
                raise self._wrong_cidr(
                    cidr, f"the highest of a range goes first; use '{known.last}/32'"
                )
        raise self._wrong_cidr(cidr, f"'{self.pool_id}' has {self._ranges_in_words()}")

    def check_empty(self) -> None:
        """It has no addresses.

        Raises:
            PublicIpv4PoolHasAddresses: it has.
        """
        if self.ranges:
            raise PublicIpv4PoolHasAddresses(self.pool_id, self.total)

    def check_unused(self) -> None:
        """No elastic IP address is of it.

        Raises:
            PublicIpv4PoolInUse: one is.
        """
        if taken := self.total - self.available_total:
            raise PublicIpv4PoolInUse(self.pool_id, taken)

    def check_advertised_from(self, group: str) -> None:
        """``group`` is the pool's network border group.

        Raises:
            InvalidParameterValue: the pool has another.
        """
        if group != self.network_border_group:
            raise InvalidParameterValue(
                f"Value ({group}) for parameter networkBorderGroup is invalid: '{self.pool_id}' is"
                f" advertised from '{self.network_border_group}'",
                parameter="networkBorderGroup",
                value=group,
                pool_id=self.pool_id,
                network_border_group=self.network_border_group,
            )

    def _ranges_in_words(self) -> str:
        named = (f"{known.first} to {known.last}" for known in self.ranges)
        return ", ".join(named) or "no addresses"

    def _wrong_cidr(self, cidr: Cidr, reason: str) -> InvalidParameterValue:
        return InvalidParameterValue(
            f"Value ({cidr}) for parameter cidr is invalid: {reason}",
            parameter="cidr",
            value=cidr,
            pool_id=self.pool_id,
            ranges=self._ranges_in_words(),
        )


def whole_range(block: CidrAssociation) -> AddressRange:
    """All of a block that was just allocated."""
    return AddressRange(block=block, last=IPv4Address(block.cidr.last), taken_total=0)


def check_ipv4(cidr: Cidr) -> Cidr:
    """``cidr`` itself, when a public IPv4 pool can have it.

    Raises:
        InvalidParameterValue: it is of the other family.
    """
    if cidr.family is not AddressFamily.IPV4:
        raise InvalidParameterValue(
            f"The pool gave '{cidr}', but public IPv4 pools have IPv4 CIDRs; use another pool",
            parameter="ipamPoolId",
            value=cidr,
        )
    return cidr


def check_netmask_length(length: int) -> int:
    """``length`` itself, when a public IPv4 pool can be provisioned with such a CIDR.

    Raises:
        InvalidParameterValue: it is wider than /24.
    """
    if length not in NETMASK_LENGTHS:
        raise InvalidParameterValue(
            f"Value ({length}) for parameter netmaskLength is invalid; public IPv4 pools take /24,"
            " the widest, to /32",
            parameter="netmaskLength",
            value=length,
        )
    return length
