"""What resources are seen to occupy in a scope, without an allocation (BEY-3)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from sortedcontainers import SortedList

from services.allocation.block_codec import Block
from shared.cidr import AddressFamily, Cidr


class ObservedCidrs:
    """CIDRs and whose they are; never changed once it is made, for all pools of a scope share it.

    The time of a call depends on the logarithm of the number of CIDRs, and on the number of those
    that it tells.
    """

    def __init__(self, observed: Iterable[tuple[Cidr, str]] = ()) -> None:
        """``observed``: CIDRs, in whatever way they overlap, each with a resource id."""
        self._resources: defaultdict[Cidr, set[str]] = defaultdict(set)
        for cidr, resource_id in observed:
            self._resources[cidr].add(resource_id)
        self._ordered: dict[AddressFamily, SortedList[Block]] = {
            family: SortedList(
                (cidr.first, cidr.prefix_length)
                for cidr in self._resources
                if cidr.family is family
            )
            for family in AddressFamily
        }
        self._lengths = sorted({cidr.prefix_length for cidr in self._resources})

    def overlapping(self, cidr: Cidr) -> Iterator[Cidr]:
        """Those that share addresses with ``cidr``: the ones around it, then the ones inside."""
        for prefix_length in self._lengths:
            if prefix_length < cidr.prefix_length:
                around = cidr.supernet(prefix_length)
                if around in self._resources:
                    yield around
        begin, end = (cidr.first, cidr.prefix_length), (cidr.last, cidr.family.bits)
        for block in self._ordered[cidr.family].irange(begin, end):
            yield Cidr(cidr.family, *block)

    def is_of_others(self, cidr: Cidr, resource_id: str | None) -> bool:
        """Somebody but this resource is seen to occupy exactly this."""
        return bool(self._resources.get(cidr, set()) - {resource_id})


NOTHING_OBSERVED = ObservedCidrs()
