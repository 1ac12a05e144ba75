"""What space top-level pools of a private scope may have (PROV-1 to PROV-3)."""

from services.allocation.definition import PoolDefinition
from services.allocation.errors import SpaceNotProvisionable
from services.allocation.wanted_block import WantedBlock
from shared.cidr import AddressFamily, Cidr
from shared.errors import InvalidParameterValue, MissingParameter

ULA = Cidr.parse("fd80::/9")
"""Where unique local addresses are taken from."""
RESERVED_ULA = Cidr.parse("fd00::/16")
GUA = Cidr.parse("2000::/3")
ULA_LENGTHS = range(9, 61)

_NEVER_UNICAST = {
    Cidr.parse("0.0.0.0/8"): "'this network'",
    Cidr.parse("127.0.0.0/8"): "loopback",
    Cidr.parse("169.254.0.0/16"): "link-local",
    Cidr.parse("224.0.0.0/3"): "multicast and reserved",
}


def check_cidr(pool: PoolDefinition, cidr: Cidr) -> None:
    """Refuse what no network of a private scope can use.

    Raises:
        SpaceNotProvisionable: naming the space to use instead.
    """
    if cidr.family is AddressFamily.IPV4:
        _check_ipv4(cidr)
    elif GUA.contains(cidr):
        _check_gua(pool, cidr)
    else:
        _check_ula(cidr)


def check_length(pool: PoolDefinition, wanted: WantedBlock) -> int:
    """The length of the unique local block to choose for a top-level pool.

    Raises:
        MissingParameter: only IPv6 space is chosen by length, so IPv4 needs a CIDR.
        InvalidParameterValue: longer or shorter than such blocks are.
    """
    if wanted.netmask_length is None:
        raise MissingParameter("Cidr or NetmaskLength")
    if pool.address_family is AddressFamily.IPV4:
        raise MissingParameter("Cidr (an IPv4 pool without a source pool has nothing to choose in)")
    if wanted.netmask_length not in ULA_LENGTHS:
        raise InvalidParameterValue(
            f"Value ({wanted.netmask_length}) for parameter netmaskLength is invalid; blocks of"
            f" {ULA} are /{ULA_LENGTHS[0]} to /{ULA_LENGTHS[-1]}",
            parameter="netmaskLength",
            value=wanted.netmask_length,
        )
    return wanted.netmask_length


def _check_ipv4(cidr: Cidr) -> None:
    # Public ranges are fine: a private network may use what it does not announce.
    for block, name in _NEVER_UNICAST.items():
        if block.overlaps(cidr):
            why = f"it overlaps {block} ({name}); use unicast space"
            raise SpaceNotProvisionable(cidr, why)


def _check_gua(pool: PoolDefinition, cidr: Cidr) -> None:
    if not pool.enable_private_gua:
        raise SpaceNotProvisionable(
            cidr,
            "global unicast space in a private scope needs an IPAM with EnablePrivateGua; enable"
            f" it, or use unique local space in {ULA}",
        )


def _check_ula(cidr: Cidr) -> None:
    if RESERVED_ULA.overlaps(cidr):
        raise SpaceNotProvisionable(cidr, f"{RESERVED_ULA} is reserved; use space in {ULA}")
    if not ULA.contains(cidr) or cidr.prefix_length not in ULA_LENGTHS:
        raise SpaceNotProvisionable(
            cidr,
            f"IPv6 pools of private scopes have unique local space in {ULA}, /{ULA_LENGTHS[0]} to"
            f" /{ULA_LENGTHS[-1]}",
        )
