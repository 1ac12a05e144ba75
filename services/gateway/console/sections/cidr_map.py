"""The CIDR map: a scope's or a pool's space, to zoom into (MON-8)."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from starlette.responses import Response

from cadastre.allocation.v1 import allocation_service_pb2 as allocation
from cadastre.control.v1 import ipam_pool_pb2, ipam_scope_pb2
from cadastre.discovery.v1 import usage_service_pb2 as pb
from services.gateway.console.api import Owned
from services.gateway.console.choices import scope_of_page, text_of_scope
from services.gateway.console.map_layout import (
    AVAILABLE,
    COLUMNS,
    STEP,
    Held,
    Tile,
    cover_of,
    step_below,
    tiles_of,
    way_to,
)
from services.gateway.console.section import Group, Page, Section
from services.gateway.console.visit import Link, Visit
from services.gateway.console.words import name_of, word_of
from shared.cidr import AddressFamily, Cidr
from shared.errors import InvalidParameterValue, UnknownId

_TILE_WIDTH, _TILE_HEIGHT, _GAP = 60, 30, 3
_STRIP_HEIGHT = 26
_SHOWN_LEVELS = 3
"""How many of the larger blocks are drawn above the map."""
_MOST_MAP_BITS = 12
"""Of one question to discovery."""
_EVERYTHING = {
    "ipv4": Cidr(AddressFamily.IPV4, 0, 0),
    "ipv6": Cidr(AddressFamily.IPV6, 0, 0),
}
_STATES = ("compliant", "occupied", "noncompliant", "overlapping", AVAILABLE)
_MEANINGS: Mapping[str, str] = {
    AVAILABLE: "Available: nothing is there",
    "compliant": "Compliant and nonoverlapping: allocated from a pool, by its rules",
    "occupied": "Occupied: something is there that no pool allocated",
    "noncompliant": "Noncompliant: against the rules of its pool",
    "overlapping": "Overlapping: several resources have the same addresses",
}


@dataclass(frozen=True, slots=True)
class Level:
    """A larger block, as a strip of the blocks in it."""

    cidr: str
    url: str
    drawing: Markup


@dataclass(frozen=True, slots=True)
class Line:
    """A block that holds something, as the table has it."""

    cidr: str
    state: str
    meaning: str
    resource_cidrs: int
    is_full: bool
    zoom_url: str
    history_url: str


async def show(visit: Visit) -> Response:
    """The map of the block that the query names, or of all there is."""
    pool = await _pool(visit)
    if pool:
        scope = await visit.api.scope(pool.ipam_scope_arn.rpartition("/")[2])
        found: Sequence[ipam_scope_pb2.IpamScope] = [scope]
    else:
        chosen, found = await scope_of_page(visit)
        if chosen is None:
            return visit.page("no_ipam.html", title="CIDR map")
        scope = chosen
    own = visit.api.own(scope)
    if own is None:
        raise UnknownId("InvalidIpamScopeId", scope.ipam_scope_id)
    family = _family(visit, pool)
    whole = await _whole(visit, own, family, pool)
    above = way_to(whole)[-_SHOWN_LEVELS:]
    maps = await asyncio.gather(*(_held(visit, own, block) for block in (*above, whole)))
    tiles = tiles_of(whole, maps[-1])
    counts = Counter(tile.state for tile in tiles)
    return visit.page(
        "cidr_map.html",
        title="CIDR map",
        scope=scope,
        scopes=[(one.ipam_scope_id, text_of_scope(one)) for one in found],
        pool=pool,
        pool_name=(name_of(pool.tags) or pool.ipam_pool_id) if pool else "",
        pool_cidrs=await _pool_links(visit, pool, whole) if pool else (),
        family=family,
        whole=str(whole),
        netmask_length=step_below(whole),
        levels=[
            _level(visit, block, held, inner)
            for block, held, inner in zip(above, maps, [*above[1:], whole], strict=False)
        ],
        drawing=_drawing(visit, own.resource_id, whole, tiles),
        legend=[(state, _MEANINGS[state], counts[state]) for state in _STATES],
        lines=[_line(visit, own.resource_id, tile) for tile in tiles if tile.state != AVAILABLE],
        families=[
            Link(text, visit.url("/cidr-map", scope=scope.ipam_scope_id, family=one), family == one)
            for one, text in (("ipv4", "IPv4"), ("ipv6", "IPv6"))
        ],
    )


async def _pool(visit: Visit) -> ipam_pool_pb2.IpamPool | None:
    """The pool that the query names, which must be the account's own."""
    pool_id = visit.query.get("pool", "")
    if not pool_id:
        return None
    pool = await visit.api.pool(pool_id)
    if visit.api.own(pool) is None:
        raise UnknownId("InvalidIpamPoolId", pool_id)
    return pool


def _family(visit: Visit, pool: ipam_pool_pb2.IpamPool | None) -> str:
    if pool:
        return word_of(pool, "address_family")
    # A block says by itself of which family it is.
    if cidr := visit.query.get("cidr", "").strip():
        return "ipv6" if ":" in cidr else "ipv4"
    wanted = visit.query.get("family") or "ipv4"
    if wanted not in _EVERYTHING:
        raise InvalidParameterValue(
            f"Value ({wanted}) for parameter family is invalid. Use ipv4 or ipv6",
            parameter="family",
        )
    return wanted


async def _whole(
    visit: Visit, scope: Owned, family: str, pool: ipam_pool_pb2.IpamPool | None
) -> Cidr:
    """What is drawn: the query's block, else a pool's first one, else where something is."""
    wanted = visit.query.get("cidr", "").strip()
    if wanted:
        return Cidr.parse(wanted)
    if pool:
        cidrs = await _cidrs_of(visit, pool)
        if cidrs:
            return cidrs[0]
    if family == "ipv4":
        return _EVERYTHING[family]
    return await _cover(visit, scope, _EVERYTHING[family])


async def _cover(visit: Visit, scope: Owned, whole: Cidr) -> Cidr:
    """The smallest block, of the map's levels, that all of the scope's space is in."""
    while whole.prefix_length < whole.family.bits:
        length = min(whole.prefix_length + _MOST_MAP_BITS, whole.family.bits)
        cover = cover_of(list(await _held(visit, scope, whole, length)))
        if cover is None:
            return whole
        inner = cover.supernet(cover.prefix_length // STEP * STEP)
        if inner.prefix_length <= whole.prefix_length:
            return whole
        whole = inner
    return whole


async def _held(
    visit: Visit, scope: Owned, whole: Cidr, netmask_length: int | None = None
) -> Mapping[Cidr, Held]:
    """What the blocks of ``whole`` hold, by discovery's count."""
    request = pb.GetCidrMapRequest(
        ipam_scope_id=scope.resource_id,
        cidr=str(whole),
        netmask_length=step_below(whole) if netmask_length is None else netmask_length,
    )
    answer = await visit.api.figures(
        request, pb.GetCidrMapResponse, of=scope, action="ec2:GetIpamResourceCidrs"
    )
    return {
        Cidr.parse(block.cidr): Held(
            _STATE_WORDS[block.state], block.resource_cidr_count, block.is_full
        )
        for block in answer.blocks
    }


_STATE_WORDS: Mapping[int, str] = {
    pb.CIDR_MAP_BLOCK_STATE_OVERLAPPING: "overlapping",
    pb.CIDR_MAP_BLOCK_STATE_NONCOMPLIANT: "noncompliant",
    pb.CIDR_MAP_BLOCK_STATE_OCCUPIED: "occupied",
    pb.CIDR_MAP_BLOCK_STATE_COMPLIANT: "compliant",
}


async def _cidrs_of(visit: Visit, pool: ipam_pool_pb2.IpamPool) -> Sequence[Cidr]:
    request = allocation.GetIpamPoolCidrsRequest(ipam_pool_id=pool.ipam_pool_id, max_results=50)
    answer = await visit.api.call(request, allocation.GetIpamPoolCidrsResponse)
    return sorted(
        Cidr.parse(one.cidr)
        for one in answer.ipam_pool_cidrs
        if word_of(one, "state") == "provisioned"
    )


async def _pool_links(visit: Visit, pool: ipam_pool_pb2.IpamPool, whole: Cidr) -> Sequence[Link]:
    return [
        Link(
            str(cidr),
            visit.url("/cidr-map", pool=pool.ipam_pool_id, cidr=str(cidr)),
            is_main=cidr == whole,
        )
        for cidr in await _cidrs_of(visit, pool)
    ]


def _zoom_url(visit: Visit, scope_id: str, cidr: Cidr) -> str:
    """Into a block; of a single address there is only its history."""
    if cidr.prefix_length == cidr.family.bits:
        return visit.url("/history", cidr=str(cidr), scope=scope_id)
    return visit.with_query(cidr=str(cidr))


def _line(visit: Visit, scope_id: str, tile: Tile) -> Line:
    cidr = str(tile.cidr)
    return Line(
        cidr,
        tile.state,
        _MEANINGS[tile.state].partition(":")[0],
        tile.resource_cidrs,
        tile.is_full,
        _zoom_url(visit, scope_id, tile.cidr),
        visit.url("/history", cidr=cidr, scope=scope_id),
    )


def _name(tile: Tile) -> str:
    """What a tile is to who can't see it."""
    if tile.state == AVAILABLE:
        return f"{tile.cidr}, available"
    part = "" if tile.is_full else "partly "
    many = "resource CIDR" if tile.resource_cidrs == 1 else "resource CIDRs"
    return f"{tile.cidr}, {part}{tile.state}, {tile.resource_cidrs:,} {many}"


def _drawing(visit: Visit, scope_id: str, whole: Cidr, tiles: Sequence[Tile]) -> Markup:
    columns = min(COLUMNS, len(tiles))
    rows = tiles[-1].row + 1
    drawn = Markup("").join(
        _drawn(visit, scope_id, tile, is_first=number == 0) for number, tile in enumerate(tiles)
    )
    return Markup(
        '<svg class="map" data-map="{}" role="group" aria-label="Map of {}" viewBox="0 0 {} {}">{}'
        "</svg>"
    ).format(columns, whole, columns * _TILE_WIDTH, rows * _TILE_HEIGHT, drawn)


def _drawn(visit: Visit, scope_id: str, tile: Tile, *, is_first: bool) -> Markup:
    x, y = tile.column * _TILE_WIDTH, tile.row * _TILE_HEIGHT
    width, height = _TILE_WIDTH - _GAP, _TILE_HEIGHT - _GAP
    # What is only partly taken is half full.
    part = height if tile.is_full else height / 2
    held = (
        Markup('<rect class="tile-{}" x="{}" y="{}" width="{}" height="{}" rx="3"/>').format(
            tile.state, x, y + height - part, width, part
        )
        if tile.state != AVAILABLE
        else Markup("")
    )
    return Markup(
        '<a href="{}" class="tile" tabindex="{}" aria-label="{}"><title>{}</title>'
        '<rect class="tile-available" x="{}" y="{}" width="{}" height="{}" rx="3"/>{}'
        '<text x="{}" y="{}" class="tile-label{}" aria-hidden="true">{}</text></a>'
    ).format(
        _zoom_url(visit, scope_id, tile.cidr),
        0 if is_first else -1,
        _name(tile),
        _name(tile),
        x,
        y,
        width,
        height,
        held,
        x + width / 2,
        y + 11 if held and not tile.is_full else y + height / 2 + 4,
        f" on-{tile.state}" if held and tile.is_full else "",
        tile.label,
    )


def _level(visit: Visit, block: Cidr, held: Mapping[Cidr, Held], inner: Cidr) -> Level:
    """A larger block as a strip, with the one below it marked."""
    tiles = tiles_of(block, held)
    width = COLUMNS * _TILE_WIDTH / len(tiles)
    drawn, marked = list[Markup](), list[int]()
    for number, tile in enumerate(tiles):
        x = f"{number * width:.2f}"
        # Between levels of other lengths a block is several tiles wide.
        is_here = tile.cidr.contains(inner) or inner.contains(tile.cidr)
        drawn.append(
            Markup(
                '<rect class="tile-{}{}" x="{}" y="4" width="{:.2f}" height="{}">'
                "<title>{}</title></rect>"
            ).format(
                tile.state,
                " here" if is_here else "",
                x,
                max(width - 0.6, 0.6),
                _STRIP_HEIGHT - 8,
                _name(tile),
            )
        )
        if is_here:
            marked.append(number)
    drawn.append(
        Markup('<rect class="here-mark" x="{:.2f}" y="0" width="{:.2f}" height="{}"/>').format(
            marked[0] * width, max(len(marked) * width, 3), _STRIP_HEIGHT
        )
    )
    drawing = Markup(
        '<svg class="map-strip" role="img" aria-label="{}" viewBox="0 0 {} {}"'
        ' preserveAspectRatio="none">{}</svg>'
    ).format(
        f"{block}: {inner} marked",
        COLUMNS * _TILE_WIDTH,
        _STRIP_HEIGHT,
        Markup("").join(drawn),
    )
    return Level(str(block), visit.with_query(cidr=str(block)), drawing)


SECTION = Section(
    title="CIDR map",
    path="/cidr-map",
    group=Group.PLANNING,
    pages=(Page("/cidr-map", show),),
)
