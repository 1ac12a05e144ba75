"""A pool's space, drawn: what is allocated of it, what is free, where the next CIDR would go."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from cadastre.allocation.v1 import placement_service_pb2 as pb
from cadastre.allocation.v1 import pool_allocation_pb2, pool_cidr_pb2
from cadastre.control.v1 import ipam_pool_pb2
from services.gateway.console.visit import Visit
from services.gateway.console.words import count_of, share_of, word_of
from shared.cidr import Cidr
from shared.errors import InvalidParameterValue

_WIDTH = 1000


@dataclass(frozen=True, slots=True)
class Strip:
    """One CIDR of a pool as a strip of its allocations."""

    cidr: str
    drawing: Markup
    legend: Sequence[tuple[str, str]]
    """Class of the colour, and what it means."""


def strips_of(
    cidrs: Sequence[pool_cidr_pb2.IpamPoolCidr],
    allocations: Sequence[pool_allocation_pb2.IpamPoolAllocation],
) -> Sequence[Strip]:
    """A strip for each provisioned CIDR."""
    provisioned = [Cidr.parse(one.cidr) for one in cidrs if word_of(one, "state") == "provisioned"]
    parts = [(Cidr.parse(one.cidr), one) for one in allocations]
    return [
        _strip(block, [part for part in parts if block.contains(part[0])])
        for block in sorted(provisioned)
    ]


def _strip(
    block: Cidr, parts: Sequence[tuple[Cidr, pool_allocation_pb2.IpamPoolAllocation]]
) -> Strip:
    drawn = Markup("").join(_part(block, cidr, one) for cidr, one in parts)
    label = f"{block}: {len(parts)} allocations"
    drawing = Markup(
        '<svg class="strip" role="img" aria-label="{}" viewBox="0 0 {} 24"'
        ' preserveAspectRatio="none"><rect class="strip-free" width="{}" height="24"/>{}</svg>'
    ).format(label, _WIDTH, _WIDTH, drawn)
    kinds = sorted({word_of(one, "resource_type") for _, one in parts})
    return Strip(str(block), drawing, [*((kind, kind) for kind in kinds), ("free", "free")])


def _part(block: Cidr, cidr: Cidr, one: pool_allocation_pb2.IpamPoolAllocation) -> Markup:
    kind = word_of(one, "resource_type")
    # What is there at all is seen.
    width = max(1.5, _WIDTH * cidr.size / block.size - 1)
    x = _WIDTH * (cidr.first - block.first) / block.size
    title = f"{cidr} {kind} {one.resource_id} {one.description}".strip()
    return Markup(
        '<rect class="strip-{}" x="{:.2f}" width="{:.2f}" height="24"><title>{}</title></rect>'
    ).format(kind, x, width, title)


@dataclass(frozen=True, slots=True)
class LengthRow:
    """How many free blocks of one prefix length there are, before and after."""

    netmask_length: int
    addresses: str
    before: int
    after: int | None
    bar_before: Markup
    bar_after: Markup | None
    """How much of what is free now is in blocks of this length."""


async def what_if(visit: Visit, pool: ipam_pool_pb2.IpamPool) -> Mapping[str, Any]:
    """What the page on free space shows, for the length that its query gives.

    Raises:
        CadastreError: the length is none, or the ledger refuses to say.
    """
    length = _length_of(visit, pool)
    request = pb.GetIpamPoolFreeSpaceRequest(ipam_pool_id=pool.ipam_pool_id, netmask_length=length)
    answer = await visit.api.call(request, pb.GetIpamPoolFreeSpaceResponse)
    before, after = _counts(answer.free_cidrs), _counts(answer.remaining_cidrs)
    fits = answer.HasField("cidr")
    bits = 32 if word_of(pool, "address_family") == "ipv4" else 128
    free = int(answer.free_addresses or 0)

    def row(one: int) -> LengthRow:
        size, now, then = 1 << (bits - one), before.get(one, 0), after.get(one, 0)
        return LengthRow(
            one,
            count_of(size),
            now,
            then if fits else None,
            _free_bar(share_of(now * size, free), "strip-now"),
            _free_bar(share_of(then * size, free), "strip-then") if fits else None,
        )

    return {
        "netmask_length": length,
        "cidr": answer.cidr,
        "largest_before": min(before, default=None),
        "largest_after": min(after, default=None),
        "free": free,
        "remaining": int(answer.remaining_addresses or 0) if fits else None,
        "rows": [row(one) for one in sorted({*before, *after})],
    }


def _free_bar(share: float, name: str) -> Markup:
    """For the eyes alone: the numbers are beside it."""
    # What is there at all is seen.
    width = max(1.0, share) if share else 0.0
    return Markup(
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"'
        ' focusable="false"><rect class="bar-rest" width="100" height="8" rx="2"/>'
        '<rect class="{}" width="{:.1f}" height="8" rx="2"/></svg>'
    ).format(name, width)


def _counts(found: Iterable[pb.FreeCidrCount]) -> Mapping[int, int]:
    return {one.netmask_length: one.count for one in found}


def _length_of(visit: Visit, pool: ipam_pool_pb2.IpamPool) -> int | None:
    text = visit.query.get("netmask_length", "").strip().removeprefix("/")
    if not text:
        return None
    longest = 32 if word_of(pool, "address_family") == "ipv4" else 128
    if not text.isascii() or not text.isdecimal() or len(text) > 3 or int(text) > longest:
        raise InvalidParameterValue(
            f"Value ({text}) for parameter netmask_length is invalid. Use a whole number from 0 to"
            f" {longest}",
            parameter="netmask_length",
        )
    return int(text)
