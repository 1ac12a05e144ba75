"""CIDR blocks of both families as one value type.

Parse at the edge with `Cidr.parse`, then pass the value, never the string.
"""

import enum
import ipaddress
import socket
from dataclasses import dataclass
from functools import total_ordering

from shared.errors import InvalidParameterValue

KEY_BYTES = 16
_MAPPED_PREFIX = 0xFFFF << 32  # ::ffff:0:0/96, RFC 4291 section 2.5.5.2


class AddressFamily(enum.Enum):
    """IPv4 or IPv6; the value is AWS's word for it."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"

    def __init__(self, word: str) -> None:
        self.bits = 32 if word == "ipv4" else 128
        """Length of an address in bits."""


@total_ordering
@dataclass(frozen=True, slots=True)
class Cidr:
    """A block of addresses in canonical form: host bits are zero, always.

    Blocks of one family order by address, then widest first; IPv4 sorts before IPv6.
    """

    family: AddressFamily
    first: int
    prefix_length: int

    def __post_init__(self) -> None:
        bits, first, prefix_length = self.family.bits, self.first, self.prefix_length
        if not 0 <= prefix_length <= bits:
            raise ValueError(f"prefix length {prefix_length} outside 0-{bits}")
        if not 0 <= first < 1 << bits or first & ((1 << (bits - prefix_length)) - 1):
            raise ValueError(f"{first:#x}/{prefix_length} is not a block")

    @classmethod
    def parse(cls, text: str, *, parameter: str = "cidr", clear_host_bits: bool = False) -> "Cidr":
        """Read ``10.0.0.0/16`` or ``2001:db8::/32``.

        Raises:
            InvalidParameterValue: not a CIDR, or host bits are set (unless ``clear_host_bits``,
                which clears them as AWS does for VPCs).
        """
        if (block := _canonical(text, clear_host_bits)) is not None:
            return cls(*block)
        _, slash, length = text.partition("/")
        # ip_interface also takes netmasks, hostmasks and bare addresses; a CIDR is none of these.
        if not slash or not (length.isascii() and length.isdigit()) or "%" in text:
            raise _malformed(text, parameter)
        try:
            interface = ipaddress.ip_interface(text)
        except ValueError:
            raise _malformed(text, parameter) from None
        network = interface.network
        # ::ffff:0:0/96 is where keys put IPv4, and no network uses it on the wire (RFC 6890).
        if network.version == 6 and int(network.network_address) >> 32 == 0xFFFF:
            raise _malformed(text, parameter)
        family = AddressFamily.IPV4 if network.version == 4 else AddressFamily.IPV6
        if interface.ip != network.network_address and not clear_host_bits:
            raise InvalidParameterValue(
                f"Value ({text}) for parameter {parameter} has host bits set; use '{network}'",
                parameter=parameter,
                value=text,
                canonical=network,
            )
        return cls(family, int(network.network_address), network.prefixlen)

    @classmethod
    def from_key(cls, key: bytes, prefix_length: int) -> "Cidr":
        """The block whose first address has this `first_key`."""
        value = int.from_bytes(key)
        if value >> 32 == 0xFFFF:
            return cls(AddressFamily.IPV4, value & 0xFFFF_FFFF, prefix_length)
        return cls(AddressFamily.IPV6, value, prefix_length)

    @property
    def size(self) -> int:
        """Number of addresses."""
        return 1 << (self.family.bits - self.prefix_length)

    @property
    def last(self) -> int:
        """The highest address, as a number."""
        return self.first + self.size - 1

    @property
    def first_key(self) -> bytes:
        """The lowest address as 16 big-endian bytes, IPv4 mapped into ::ffff:0:0/96."""
        return self.keys[0]

    @property
    def last_key(self) -> bytes:
        """The highest address as 16 big-endian bytes, IPv4 mapped into ::ffff:0:0/96."""
        return self.keys[1]

    @property
    def keys(self) -> tuple[bytes, bytes]:
        """`first_key` and `last_key`."""
        bits, first = self.family.bits, self.first
        if bits == 32:
            first |= _MAPPED_PREFIX
        last = first | ((1 << (bits - self.prefix_length)) - 1)
        return first.to_bytes(KEY_BYTES), last.to_bytes(KEY_BYTES)

    @property
    def halves(self) -> tuple["Cidr", "Cidr"]:
        """The two blocks one bit longer that make up this one, lower first."""
        length = self.prefix_length + 1
        return (
            Cidr(self.family, self.first, length),
            Cidr(self.family, self.first + self.size // 2, length),
        )

    @property
    def buddy(self) -> "Cidr":
        """The block that makes up `parent` together with this one."""
        return Cidr(self.family, self.first ^ self.size, self.prefix_length)

    @property
    def parent(self) -> "Cidr":
        """The block one bit shorter that holds this one."""
        return self.supernet(self.prefix_length - 1)

    def supernet(self, prefix_length: int) -> "Cidr":
        """The block of ``prefix_length``, not longer than this one's, that holds this one."""
        size = 1 << (self.family.bits - prefix_length)
        return Cidr(self.family, self.first & ~(size - 1), prefix_length)

    def contains(self, other: "Cidr") -> bool:
        """Every address of ``other`` is in this block."""
        return (
            self.family is other.family
            and self.prefix_length <= other.prefix_length
            and other.first & ~(self.size - 1) == self.first
        )

    def overlaps(self, other: "Cidr") -> bool:
        """At least one address is in both blocks."""
        return self.contains(other) or other.contains(self)

    def __hash__(self) -> int:
        # Without the family, whose hash costs more than all the rest and tells few blocks apart.
        return hash((self.first, self.prefix_length))

    def __lt__(self, other: "Cidr") -> bool:
        return self._order < other._order

    @property
    def _order(self) -> tuple[int, int, int]:
        return (self.family.bits, self.first, self.prefix_length)

    def __str__(self) -> str:
        if self.family is AddressFamily.IPV4:
            return f"{socket.inet_ntoa(self.first.to_bytes(4))}/{self.prefix_length}"
        return f"{ipaddress.IPv6Address(self.first)}/{self.prefix_length}"


def check_netmask_length(length: int, family: AddressFamily, *, parameter: str) -> int:
    """``length`` itself, when a block of ``family`` can have it.

    Raises:
        InvalidParameterValue: outside 0-32 for IPv4, 0-128 for IPv6.
    """
    if not 0 <= length <= family.bits:
        raise InvalidParameterValue(
            f"Value ({length}) for parameter {parameter} is invalid; {family.value} netmask lengths"
            f" are 0-{family.bits}",
            parameter=parameter,
            value=length,
        )
    return length


_VERSIONS = ((AddressFamily.IPV4, socket.AF_INET), (AddressFamily.IPV6, socket.AF_INET6))


def _canonical(text: str, clear_host_bits: bool) -> tuple[AddressFamily, int, int] | None:
    """What `Cidr` takes, when ``text`` is written as the system writes it and denotes a block.

    Almost all is: snapshots bring a million of them. None leaves the judgement to `ipaddress`.
    """
    address, _, length = text.partition("/")
    if not (length.isascii() and length.isdigit() and len(length) <= 3):
        return None
    family, version = _VERSIONS[":" in address]
    try:
        packed = socket.inet_pton(version, address)
    except (OSError, ValueError):
        return None
    # Systems differ in what else they read: leading zeros, for example.
    if socket.inet_ntop(version, packed) != address or int(length) > family.bits:
        return None
    value, spare = int.from_bytes(packed), family.bits - int(length)
    first = value >> spare << spare
    if (first != value and not clear_host_bits) or (
        family is AddressFamily.IPV6 and first >> 32 == 0xFFFF
    ):
        return None
    return family, first, int(length)


def _malformed(text: str, parameter: str) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"Value ({text}) for parameter {parameter} is invalid. This is not a valid CIDR block; use"
        " an address and a prefix length, such as '10.0.0.0/16' or '2001:db8::/56'",
        parameter=parameter,
        value=text,
    )
