"""Where in the reverse DNS a range's TXT records are (BYOIP-2)."""

from shared.cidr import AddressFamily, Cidr

_OCTET_BITS, _NIBBLE_BITS = 8, 4


def covering_blocks(cidr: Cidr) -> list[Cidr]:
    """The fewest blocks on octet (IPv4) or nibble (IPv6) boundaries that make up the CIDR.

    In order; at most 128 of IPv4, 8 of IPv6.
    """
    step = _step(cidr.family)
    length = -(-cidr.prefix_length // step) * step
    size = 1 << (cidr.family.bits - length)
    return [Cidr(cidr.family, first, length) for first in range(cidr.first, cidr.last + 1, size)]


def reverse_zone(block: Cidr) -> str:
    """The zone of a block on a boundary: ``123.18.198.in-addr.arpa`` of 198.18.123.0/24."""
    if block.family is AddressFamily.IPV4:
        labels = [str(octet) for octet in block.first.to_bytes(4)]
        suffix = "in-addr.arpa"
    else:
        labels = list(f"{block.first:032x}")
        suffix = "ip6.arpa"
    told = labels[: block.prefix_length // _step(block.family)]
    return ".".join([*reversed(told), suffix])


def record_names(token_name: str, cidr: Cidr) -> list[str]:
    """The names that all have to tell a token's value in a TXT record, in order of address."""
    return [f"{token_name}.{reverse_zone(block)}" for block in covering_blocks(cidr)]


def _step(family: AddressFamily) -> int:
    return _OCTET_BITS if family is AddressFamily.IPV4 else _NIBBLE_BITS
