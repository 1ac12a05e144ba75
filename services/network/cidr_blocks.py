"""Which CIDR blocks a VPC or subnet may have, and where a request wants one from (VPC-1, VPC-4).

Everything EC2 documents about lengths and about members that need or exclude each other.
"""

from dataclasses import dataclass
from enum import Enum, auto

from services.network.errors import InvalidVpcRange
from shared.cidr import AddressFamily, Cidr
from shared.errors import (
    Invalid,
    InvalidParameterCombination,
    InvalidParameterValue,
    UnsupportedOperation,
)


@dataclass(frozen=True, slots=True)
class Given:
    """A block the client chose; several VPCs may have the same."""

    cidr: Cidr


class PolicyPrecedence(Enum):
    """What the IPAM policy that applies to an account has to say about a block."""

    NONE = auto()
    """Nothing: the pool was named."""
    FIRST = auto()
    """Its pools come before the other one."""
    ONLY = auto()
    """Its pools come in the place of the other one, of which nothing may be had."""


@dataclass(frozen=True, slots=True)
class FromPool:
    """A block to be allocated: this one, one of this length, or of the pool's default length."""

    ipam_pool_id: str
    cidr: Cidr | None = None
    netmask_length: int | None = None
    precedence: PolicyPrecedence = PolicyPrecedence.NONE


BlockSource = Given | FromPool


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockMembers:
    """The members of a request that ask for a block of one family; None is absent."""

    cidr_block: str | None = None
    ipam_pool_id: str | None = None
    netmask_length: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ipv6Members:
    """The members of a request that ask for an IPv6 block."""

    block: BlockMembers
    address_pool_id: str | None = None
    is_amazon_provided: bool = False
    network_border_group: str | None = None


@dataclass(frozen=True, slots=True)
class FamilyRules:
    """What VPCs or subnets may have of one family, and how requests and refusals name it."""

    family: AddressFamily
    netmask_lengths: range
    cidr_parameter: str
    pool_parameter: str
    length_parameter: str
    holders: str = "VPCs"
    out_of_range: type[Invalid] = InvalidVpcRange

    def source(self, members: BlockMembers) -> BlockSource | None:
        """Where the block comes from; None when the request asks for none.

        Raises:
            InvalidParameterCombination: members that exclude, or lack, each other.
            InvalidParameterValue: not a CIDR of this family.
            Invalid: ``out_of_range``, a length that the holder can't have.
        """
        self._check_combination(members)
        cidr = self._parse(members.cidr_block) if members.cidr_block is not None else None
        if members.ipam_pool_id is None:
            return Given(cidr) if cidr else None
        if members.netmask_length is not None:
            self._check_length(members.netmask_length, f"/{members.netmask_length}")
        return FromPool(members.ipam_pool_id, cidr, members.netmask_length)

    def check(self, cidr: Cidr) -> Cidr:
        """``cidr`` itself, when the holder can have it.

        Raises:
            InvalidParameterValue: it is of the other family.
            Invalid: ``out_of_range``, a length that the holder can't have.
        """
        if cidr.family is not self.family:
            raise InvalidParameterValue(
                f"Value ({cidr}) for parameter {self.cidr_parameter} is invalid; it takes an"
                f" {self.family.value} CIDR block",
                parameter=self.cidr_parameter,
                value=cidr,
            )
        self._check_length(cidr.prefix_length, str(cidr))
        return cidr

    def _parse(self, text: str) -> Cidr:
        # EC2 clears host bits: 100.68.0.18/18 becomes 100.68.0.0/18.
        return self.check(Cidr.parse(text, parameter=self.cidr_parameter, clear_host_bits=True))

    def _check_combination(self, members: BlockMembers) -> None:
        if members.netmask_length is None:
            return
        if members.ipam_pool_id is None:
            raise InvalidParameterCombination(
                f"{self.length_parameter} needs {self.pool_parameter}: a length is allocated from"
                " a pool",
                parameter=self.length_parameter,
            )
        if members.cidr_block is not None:
            raise InvalidParameterCombination(
                f"{self.cidr_parameter} and {self.length_parameter} exclude each other; use one",
                parameter=self.length_parameter,
            )

    def _check_length(self, length: int, value: str) -> None:
        if length not in self.netmask_lengths:
            allowed = self.netmask_lengths
            steps = f" in steps of {allowed.step}" if allowed.step > 1 else ""
            raise self.out_of_range(
                f"The CIDR '{value}' is invalid; {self.family.value} CIDR blocks of {self.holders}"
                f" are /{allowed[0]} to /{allowed[-1]}{steps}",
                value=value,
            )


IPV4 = FamilyRules(
    AddressFamily.IPV4, range(16, 29), "cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength"
)
IPV6 = FamilyRules(
    AddressFamily.IPV6, range(44, 61, 4), "ipv6CidrBlock", "ipv6IpamPoolId", "ipv6NetmaskLength"
)
AMAZON_IPV6 = "amazon-ipv6"
"""The ledger's pool of Amazon's own IPv6 space; "amazon-ipv4" is that of its IPv4 space."""
AMAZON_IPV6_LENGTH = 56
RULES = {rules.family: rules for rules in (IPV4, IPV6)}


def ipv6_source(members: Ipv6Members, region: str) -> BlockSource | None:
    """Where the IPv6 block comes from; None when the request asks for none.

    Raises:
        UnsupportedOperation: a BYOIP address pool, or a Local Zone.
        InvalidParameterCombination, InvalidParameterValue, InvalidVpcRange: as for any block.
    """
    source = IPV6.source(members.block)
    _check_alternatives(members, source)
    _check_supported(members)
    if members.is_amazon_provided:
        source = FromPool(AMAZON_IPV6, netmask_length=AMAZON_IPV6_LENGTH)
    _check_border_group(members.network_border_group, source, region)
    return source


def _check_alternatives(members: Ipv6Members, source: BlockSource | None) -> None:
    if members.is_amazon_provided and (source or members.address_pool_id is not None):
        raise InvalidParameterCombination(
            "amazonProvidedIpv6CidrBlock excludes ipv6CidrBlock, ipv6IpamPoolId and ipv6Pool;"
            " use one",
            parameter="amazonProvidedIpv6CidrBlock",
        )
    if members.address_pool_id is not None and not isinstance(source, Given):
        raise InvalidParameterCombination(
            "ipv6Pool needs ipv6CidrBlock and excludes ipv6IpamPoolId", parameter="ipv6Pool"
        )
    if isinstance(source, Given) and members.address_pool_id is None:
        raise InvalidParameterCombination(
            f"ipv6CidrBlock '{source.cidr}' needs the pool it comes from; add ipv6IpamPoolId",
            parameter="ipv6CidrBlock",
            value=source.cidr,
        )


def _check_supported(members: Ipv6Members) -> None:
    if members.address_pool_id is not None:
        raise UnsupportedOperation(
            f"There is no IPv6 address pool '{members.address_pool_id}': this installation has"
            " none outside IPAM; use ipv6IpamPoolId",
            parameter="ipv6Pool",
            value=members.address_pool_id,
        )


def _check_border_group(group: str | None, source: BlockSource | None, region: str) -> None:
    if group is None:
        return
    if source is None:
        raise InvalidParameterCombination(
            "ipv6CidrBlockNetworkBorderGroup needs an IPv6 CIDR block; add ipv6IpamPoolId",
            parameter="ipv6CidrBlockNetworkBorderGroup",
        )
    if group != region:
        raise UnsupportedOperation(
            f"VPCs of {region} advertise their IPv6 CIDR blocks from {region} only, not from"
            f" '{group}'",
            parameter="ipv6CidrBlockNetworkBorderGroup",
            value=group,
        )
