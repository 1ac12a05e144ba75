"""Which ranges accounts can bring along, and how specific ones (PROV-6)."""

from services.allocation.definition import PoolDefinition
from services.allocation.errors import SpaceNotProvisionable, TooSpecific
from shared.cidr import AddressFamily, Cidr

_GLOBAL_UNICAST = Cidr.parse("2000::/3")
_IPV6_UNICAST = (_GLOBAL_UNICAST, Cidr.parse("fc00::/7"), Cidr.parse("5f00::/16"))


def _named(blocks: dict[str, str]) -> dict[Cidr, str]:
    return {Cidr.parse(block): name for block, name in blocks.items()}


# What no host ever has as its address, whatever is allowed.
_NO_UNICAST = _named(
    {
        "0.0.0.0/8": "'this network'",
        "127.0.0.0/8": "loopback",
        "169.254.0.0/16": "link-local",
        "224.0.0.0/4": "multicast",
        "240.0.0.0/4": "reserved",
    }
)
# The rest of IANA's special-purpose address registries (RFC 6890 and what came after it).
_SPECIAL = _named(
    {
        "10.0.0.0/8": "private use",
        "100.64.0.0/10": "shared address space of carriers",
        "172.16.0.0/12": "private use",
        "192.0.0.0/24": "IETF protocol assignments",
        "192.0.2.0/24": "documentation",
        "192.31.196.0/24": "AS112",
        "192.52.193.0/24": "AMT",
        "192.88.99.0/24": "6to4 relay anycast",
        "192.168.0.0/16": "private use",
        "192.175.48.0/24": "AS112",
        "198.18.0.0/15": "benchmarking",
        "198.51.100.0/24": "documentation",
        "203.0.113.0/24": "documentation",
        "2001::/23": "IETF protocol assignments, such as Teredo and ORCHID",
        "2001:db8::/32": "documentation",
        "2002::/16": "6to4",
        "2620:4f:8000::/48": "AS112",
        "3fff::/20": "documentation",
        "5f00::/16": "segment routing",
        "fc00::/7": "unique local",
    }
)
_MOST_SPECIFIC_IPV4 = 24
_MOST_SPECIFIC_ADVERTISED_IPV6 = 48
_MOST_SPECIFIC_IPV6 = 60


def check_public_range(cidr: Cidr, *, reserved_allowed: bool) -> None:
    """Refuse what nobody can own in the Internet.

    With ``reserved_allowed`` ranges for private use, documentation and tests will do as well.

    Raises:
        SpaceNotProvisionable: naming what the range is for instead.
    """
    refused = _NO_UNICAST if reserved_allowed else _NO_UNICAST | _SPECIAL
    for block, name in refused.items():
        if block.overlaps(cidr):
            raise SpaceNotProvisionable(cidr, f"it overlaps {block} ({name}); use public space")
    unicast = _IPV6_UNICAST if reserved_allowed else (_GLOBAL_UNICAST,)
    if cidr.family is AddressFamily.IPV6 and not any(block.contains(cidr) for block in unicast):
        raise SpaceNotProvisionable(
            cidr, f"it is not global unicast space; use space in {_GLOBAL_UNICAST}"
        )


def most_specific_range(family: AddressFamily, *, is_advertisable: bool) -> int:
    """The longest netmask of a range that is brought along, and of what comes right below it."""
    if family is AddressFamily.IPV4:
        return _MOST_SPECIFIC_IPV4
    return _MOST_SPECIFIC_ADVERTISED_IPV6 if is_advertisable else _MOST_SPECIFIC_IPV6


def check_specific(pool: PoolDefinition, netmask_length: int) -> None:
    """Refuse what is too specific for a top-level pool that is brought along, or right below it.

    Raises:
        TooSpecific: naming the most specific length.
    """
    longest = most_specific_range(pool.address_family, is_advertisable=pool.publicly_advertisable)
    if netmask_length > longest:
        raise TooSpecific(netmask_length, longest)
