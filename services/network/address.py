"""Elastic IP addresses: where one comes from, what it is associated with (EIP-2)."""

from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from services.network.cidr_blocks import FromPool, PolicyPrecedence
from services.network.errors import (
    AddressAssociated,
    AlreadyAssociated,
    InvalidAddressNotFound,
    TransferNotPermitted,
)
from services.network.interface import NetworkInterface, interface_holder
from services.network.network_border_group import local_group
from services.network.resource import CidrAssociation, Holder, ResourceType
from shared.cidr import AddressFamily, Cidr
from shared.errors import (
    CadastreError,
    InvalidParameterCombination,
    InvalidParameterValue,
)
from shared.ids import ADDRESS_ALLOCATION, IPAM_POOL, PUBLIC_IPV4_POOL
from shared.tags import Tags

AMAZON = "amazon"
"""AWS's name for Amazon's own addresses, where others have the id of a pool."""
AMAZON_IPV4 = "amazon-ipv4"
"""The ledger's pool of Amazon's own IPv4 space."""

AddressName = str | IPv4Address
"""An allocation id, or the address itself."""


@dataclass(frozen=True, slots=True)
class FromPublicIpv4Pool:
    """An address of a public IPv4 pool: this one, or the lowest that is free."""

    pool_id: str
    address: IPv4Address | None = None


AddressSource = FromPool | FromPublicIpv4Pool


@dataclass(frozen=True, slots=True)
class AddressAssociation:
    """What an address is associated with: one private address of one interface."""

    association_id: str
    network_interface_id: str
    private_address: IPv4Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """``block`` is what the ledger allocated; None when the address is of a public IPv4 pool."""

    allocation_id: str
    owner_id: str
    region: str
    public_ip: IPv4Address
    public_ipv4_pool: str
    """Id of the IPAM pool or public IPv4 pool that it is of; AMAZON for Amazon's own."""
    network_border_group: str
    tags: Tags
    association: AddressAssociation | None = None
    block: CidrAssociation | None = None

    @property
    def holder(self) -> Holder:
        """As the ledger, if it has a block, and the readers of the feed know it."""
        return Holder(
            resource_id=self.allocation_id,
            resource_type=ResourceType.EIP,
            owner_id=self.owner_id,
            region=self.region,
            tags=self.tags,
            network_border_group=local_group(self.network_border_group, self.region),
        )

    @property
    def association_holders(self) -> list[Holder]:
        """What its association is told of: itself, and the interface if it is associated."""
        if self.association is None:
            return [self.holder]
        interface_id = self.association.network_interface_id
        return [self.holder, interface_holder(interface_id, self.owner_id, self.region)]

    @property
    def pool_holder(self) -> Holder:
        """The public IPv4 pool that it is of; only of one that has no block."""
        return Holder(
            resource_id=self.public_ipv4_pool,
            resource_type=ResourceType.PUBLIC_IPV4_POOL,
            owner_id=self.owner_id,
            region=self.region,
        )

    def associated(
        self, wanted: AddressAssociation, occupant: "Address | None", *, allow_reassociation: bool
    ) -> "Address":
        """Itself, associated as ``wanted``; unchanged when it has that private address already.

        ``occupant`` is the address that the private address has now, if any; it is to lose it.

        Raises:
            AlreadyAssociated: something would be moved, and ``allow_reassociation`` is false.
        """
        if occupant and occupant.allocation_id == self.allocation_id:
            return self
        if not allow_reassociation:
            for moved in (self, occupant):
                if moved and moved.association:
                    raise AlreadyAssociated(moved.allocation_id, moved.association.association_id)
        return replace(self, association=wanted)

    def disassociated(self) -> "Address":
        return replace(self, association=None)

    def check_releasable(self) -> None:
        """It is associated with nothing.

        Raises:
            AddressAssociated: it is.
        """
        if self.association:
            raise AddressAssociated(
                self.public_ip,
                self.association.association_id,
                self.association.network_interface_id,
            )

    def check_transferable(self) -> None:
        """It is one of Amazon's own; AWS transfers no others (EIP-3).

        Raises:
            TransferNotPermitted: it is of an IPAM pool or of a public IPv4 pool.
        """
        if self.public_ipv4_pool != AMAZON:
            raise TransferNotPermitted(self.allocation_id, self.public_ipv4_pool)

    def check_reaches(self, interface: NetworkInterface) -> None:
        """It is advertised from where ``interface`` is: all availability zones are the region's.

        Raises:
            InvalidParameterCombination: it is advertised from a Local Zone's group.
        """
        if self.network_border_group != interface.region:
            raise InvalidParameterCombination(
                f"'{self.public_ip}' is advertised from '{self.network_border_group}', but"
                f" '{interface.network_interface_id}' is in '{interface.region}'; use an address of"
                f" the network border group '{interface.region}'",
                network_border_group=self.network_border_group,
                public_ip=self.public_ip,
                network_interface_id=interface.network_interface_id,
                region=interface.region,
            )


def unknown_address(name: AddressName) -> CadastreError:
    """The refusal for a name of nothing that the caller may see."""
    if isinstance(name, str):
        return ADDRESS_ALLOCATION.unknown(name)
    return InvalidAddressNotFound(name)


def address_source(
    ipam_pool_id: str | None, public_ipv4_pool: str | None, address: IPv4Address | None
) -> AddressSource:
    """Where a request wants an address from; without a pool, Amazon's own space.

    Who names neither a pool nor an address leaves the choice to the IPAM policy, if one applies.

    Raises:
        InvalidParameterCombination: both kinds of pool.
        InvalidParameterValue: an IPAM pool in the place of a public IPv4 pool.
        MalformedId: not the id of a public IPv4 pool.
    """
    if ipam_pool_id is not None and public_ipv4_pool is not None:
        raise InvalidParameterCombination(
            "ipamPoolId and publicIpv4Pool exclude each other; use one", parameter="publicIpv4Pool"
        )
    if ipam_pool_id is not None:
        return _from_ledger(ipam_pool_id, address)
    if public_ipv4_pool is None and address is None:
        return replace(_from_ledger(AMAZON_IPV4, None), precedence=PolicyPrecedence.FIRST)
    if public_ipv4_pool is None or public_ipv4_pool == AMAZON:
        return _from_ledger(AMAZON_IPV4, address)
    if public_ipv4_pool.startswith(IPAM_POOL.prefix):
        raise InvalidParameterValue(
            f"Value ({public_ipv4_pool}) for parameter publicIpv4Pool is invalid: it is an IPAM"
            " pool; give it as ipamPoolId",
            parameter="publicIpv4Pool",
            value=public_ipv4_pool,
        )
    return FromPublicIpv4Pool(PUBLIC_IPV4_POOL.check(public_ipv4_pool), address)


def pool_name(ipam_pool_id: str) -> str:
    """What answers call the pool of an address that the ledger allocated."""
    return AMAZON if ipam_pool_id == AMAZON_IPV4 else ipam_pool_id


def check_single_address(cidr: Cidr) -> Cidr:
    """``cidr`` itself, when an elastic IP address can be that.

    Raises:
        InvalidParameterValue: it is no IPv4 /32.
    """
    if cidr.family is not AddressFamily.IPV4 or cidr.prefix_length != cidr.family.bits:
        raise InvalidParameterValue(
            f"The pool gave '{cidr}', but elastic IP addresses are IPv4 /32; use another pool",
            parameter="ipamPoolId",
            value=cidr,
        )
    return cidr


def cidr_of(address: IPv4Address) -> Cidr:
    """The /32 that is this address alone."""
    return Cidr(AddressFamily.IPV4, int(address), AddressFamily.IPV4.bits)


def private_address_of(interface: NetworkInterface, wanted: IPv4Address | None) -> IPv4Address:
    """The private address to associate: the one wanted, or the primary one.

    Raises:
        InvalidParameterValue: the interface doesn't have it.
    """
    if wanted is None:
        return interface.primary_address
    if wanted not in interface.private_addresses:
        raise InvalidParameterValue(
            f"Value ({wanted}) for parameter privateIpAddress is invalid: interface"
            f" '{interface.network_interface_id}' has"
            f" {', '.join(map(str, interface.private_addresses))}",
            parameter="privateIpAddress",
            value=wanted,
            network_interface_id=interface.network_interface_id,
        )
    return wanted


def _from_ledger(pool_id: str, address: IPv4Address | None) -> FromPool:
    if address is None:
        return FromPool(pool_id, netmask_length=AddressFamily.IPV4.bits)
    return FromPool(pool_id, cidr_of(address))
