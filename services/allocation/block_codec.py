"""Lists of blocks as bytes: compact, quick to read, and never read as something else.

A checksum, then each list: how many blocks, their first addresses, their prefix lengths.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator

from shared.cidr import AddressFamily

_CHECKSUM = struct.Struct(">I")
_COUNT = struct.Struct(">I")

Block = tuple[int, int]
"""First address and prefix length."""


def blocks_to_bytes(lists: Iterable[Iterable[Block]], family: AddressFamily) -> bytes:
    """Lists of blocks of one family."""
    content = b"".join(_list_to_bytes(list(blocks), family) for blocks in lists)
    return _CHECKSUM.pack(zlib.crc32(content)) + content


def blocks_from_bytes(content: bytes, family: AddressFamily) -> list[list[Block]]:
    """The lists, in their order.

    Raises:
        ValueError: this is not what `blocks_to_bytes` wrote for this family.
    """
    body = memoryview(content)[_CHECKSUM.size :]
    if len(content) < _CHECKSUM.size or _CHECKSUM.unpack_from(content) != (zlib.crc32(body),):
        raise ValueError("the free blocks are damaged")
    lists = []
    while body:
        (count,) = _COUNT.unpack_from(body)
        firsts = body[_COUNT.size :][: count * _width(family)]
        lengths = body[_COUNT.size + len(firsts) :][:count]
        # Where addresses are missing, so are all the lengths.
        if len(lengths) != count:
            raise ValueError(f"the free blocks are not {family.value}")
        if max(lengths, default=0) > family.bits:
            raise ValueError(f"a prefix length of {max(lengths)} is not {family.value}")
        lists.append(list(zip(_firsts_from_bytes(firsts, family), lengths, strict=True)))
        body = body[_COUNT.size + len(firsts) + count :]
    return lists


def blocks_from_columns(firsts: bytes, lengths: bytes, family: AddressFamily) -> Iterator[Block]:
    """Blocks whose first addresses stand one after the other, and so their prefix lengths.

    All are big-endian, the lengths of 32 bits.
    """
    numbers = struct.unpack(f">{len(lengths) // 4}i", lengths)
    return zip(_firsts_from_bytes(memoryview(firsts), family), numbers, strict=True)


def _list_to_bytes(blocks: list[Block], family: AddressFamily) -> bytes:
    width = _width(family)
    firsts = b"".join(first.to_bytes(width) for first, _ in blocks)
    return _COUNT.pack(len(blocks)) + firsts + bytes(length for _, length in blocks)


def _firsts_from_bytes(content: memoryview, family: AddressFamily) -> Iterable[int]:
    if family is AddressFamily.IPV4:
        return struct.unpack(f">{len(content) // 4}I", content)
    return (high << 64 | low for high, low in struct.iter_unpack(">QQ", content))


def _width(family: AddressFamily) -> int:
    return family.bits // 8
