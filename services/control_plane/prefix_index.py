"""Records of prefixes, a million of them, in little memory.

They are kept as one string of bytes for each family, each record as long as the others: address,
prefix length and numbers. So a record costs its bytes, 13 to 26, where objects would cost hundreds.
"""

import struct
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias, overload

from shared.cidr import AddressFamily, Cidr

Numbers: TypeAlias = tuple[int, ...]
"""What a record says of its prefix, as the index's form has it."""


class PrefixIndex:
    """The finished records, in order of prefix, the widest first, and of their numbers."""

    def __init__(self, form: struct.Struct, records: Mapping[AddressFamily, bytes]) -> None:
        """``records`` are what `PrefixIndexBuilder` makes."""
        self._form = form
        self._records = {
            family: _Records(found, _width(family, form)) for family, found in records.items()
        }

    def __len__(self) -> int:
        return sum(map(len, self._records.values()))

    def holding(self, cidr: Cidr) -> Iterator[tuple[Cidr, Numbers]]:
        """Those whose prefix holds the CIDR or is it; one binary search for each prefix length."""
        for length in range(cidr.prefix_length + 1):
            yield from self._of(cidr.supernet(length))

    def within(self, cidr: Cidr) -> Iterator[tuple[Cidr, Numbers]]:
        """Those whose prefix is part of the CIDR, and not all of it; one binary search for all."""
        records = self._records[cidr.family]
        last = cidr.last.to_bytes(_address_bytes(cidr.family))
        # Those of the CIDR itself come first.
        start = bisect_left(records, _key(cidr))
        for index in range(start, len(records)):
            record = records[index]
            if record[: len(last)] > last:
                return
            prefix, numbers = self._read(cidr.family, record)
            if prefix != cidr:
                yield prefix, numbers

    def overlapping(self, cidr: Cidr) -> Iterator[tuple[Cidr, Numbers]]:
        """Those that have an address in common with the CIDR, in order."""
        yield from self.holding(cidr)
        yield from self.within(cidr)

    def _of(self, prefix: Cidr) -> Iterator[tuple[Cidr, Numbers]]:
        """Those of exactly this prefix."""
        records, key = self._records[prefix.family], _key(prefix)
        for index in range(bisect_left(records, key), len(records)):
            record = records[index]
            if not record.startswith(key):
                return
            yield prefix, self._form.unpack_from(record, len(key))

    def _read(self, family: AddressFamily, record: bytes) -> tuple[Cidr, Numbers]:
        size = _address_bytes(family)
        prefix = Cidr(family, int.from_bytes(record[:size]), record[size])
        return prefix, self._form.unpack_from(record, size + 1)


class PrefixIndexBuilder:
    """Gathers records in whatever order."""

    def __init__(self, form: str) -> None:
        """``form`` is what `struct` packs a record's numbers by, big-endian so that they sort."""
        self._form = struct.Struct(form)
        self._found: dict[AddressFamily, defaultdict[bytes, bytearray]] = {
            family: defaultdict(bytearray) for family in AddressFamily
        }
        """By family and the first two bytes of the address."""

    def add(self, prefix: Cidr, *numbers: int) -> None:
        """Take one record in."""
        address = prefix.first.to_bytes(_address_bytes(prefix.family))
        self.add_packed(prefix.family, address, prefix.prefix_length, self._form.pack(*numbers))

    def add_packed(
        self, family: AddressFamily, address: bytes, prefix_length: int, numbers: bytes
    ) -> None:
        """The same for who has the bytes already: of an address without host bits, and numbers."""
        self._found[family][address[:2]] += b"%b%c%b" % (address, prefix_length, numbers)

    def build(self) -> PrefixIndex:
        """All that was added, equal records once; the builder is empty afterwards."""
        return PrefixIndex(self._form, {family: self._sorted(family) for family in AddressFamily})

    def _sorted(self, family: AddressFamily) -> bytes:
        # Piece by piece: who sorts keeps the interpreter to itself, and others wait for their turn.
        width, found = _width(family, self._form), self._found[family]
        result = bytearray()
        for start in sorted(found):
            piece = found.pop(start)
            records = {bytes(piece[at : at + width]) for at in range(0, len(piece), width)}
            result += b"".join(sorted(records))
        return bytes(result)


class _Records(Sequence[bytes]):
    """Strings of one length, kept as one."""

    def __init__(self, content: bytes, width: int) -> None:
        self._content, self._width = content, width
        self._count = len(content) // width

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> bytes: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...

    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(self._count))]
        if not 0 <= index < self._count:
            raise IndexError(index)
        start = index * self._width
        return self._content[start : start + self._width]


def _address_bytes(family: AddressFamily) -> int:
    return family.bits // 8


def _width(family: AddressFamily, form: struct.Struct) -> int:
    return _address_bytes(family) + 1 + form.size


def _key(prefix: Cidr) -> bytes:
    """What all records of the prefix begin with."""
    address = prefix.first.to_bytes(_address_bytes(prefix.family))
    return address + prefix.prefix_length.to_bytes(1)
