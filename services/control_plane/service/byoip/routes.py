"""Which routes there are to what was brought along."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime

from services.control_plane.byoip.new_range import is_told
from services.control_plane.byoip.public_cidr import PublicCidr, nearest_top
from services.control_plane.byoip.routes import (
    ByoipRoute,
    announced_origin,
    can_be_routed,
    in_order,
    is_brought,
    routes_of_pool_cidr,
    routes_of_range,
)
from services.control_plane.ipam import Ipam
from services.control_plane.regions import NO_LOCALE
from services.control_plane.routes.route import AnnouncedRoute
from services.control_plane.service.byoip.ports import PublicSpace
from services.control_plane.service.coverage import accounts_seen
from services.control_plane.service.ports import Reader
from services.control_plane.service.rows import Rows


class ByoipRoutes:
    """Answers what the ledger and the database know together."""

    def __init__(self, reader: Reader, space: PublicSpace, clock: Callable[[], datetime]) -> None:
        self._reader, self._space, self._clock = reader, space, clock

    async def of_owners(self, owner_ids: Collection[str], region: str) -> list[ByoipRoute]:
        """Routes to what these accounts have in a region, in order; with IPAMs and without.

        Raises:
            CadastreError: the ledger does not answer.
        """
        ipams = await self._reader.read(lambda rows: rows.ipams_with_public_pools(owner_ids))
        # What has no locale is where its IPAM is.
        found = await asyncio.gather(
            *(
                brought_cidrs(
                    self._space, ipam, [region, *([NO_LOCALE] if ipam.region == region else ())]
                )
                for ipam in ipams
                if region in ipam.operating_regions
            )
        )
        public, now = [one for some in found for one in some], self._clock()
        homes = {ipam.ipam_id: ipam.region for ipam in ipams}
        return await self._reader.read(
            lambda rows: in_order(
                [
                    *_routes_of_pools(rows, public, homes),
                    *_routes_of_ranges(rows, {region: owner_ids}, now),
                ]
            )
        )

    async def of_ipam(self, ipam: Ipam) -> list[ByoipRoute]:
        """Routes to what its pools have, and to what accounts that it sees have without an IPAM.

        In order.

        Raises:
            CadastreError: the ledger does not answer.
        """
        public = await brought_cidrs(self._space, ipam, [*ipam.operating_regions, NO_LOCALE])
        now, homes = self._clock(), {ipam.ipam_id: ipam.region}
        return await self._reader.read(
            lambda rows: in_order(
                [
                    *_routes_of_pools(rows, public, homes),
                    *_routes_of_ranges(rows, accounts_seen(rows, ipam.ipam_id), now),
                ]
            )
        )


async def brought_cidrs(
    space: PublicSpace, ipam: Ipam, regions: Collection[str]
) -> list[PublicCidr]:
    """The CIDRs of an IPAM's pools in these regions that were brought along and can be routed.

    Raises:
        CadastreError: the ledger does not answer.
    """
    pages: Sequence[Sequence[PublicCidr]] = await asyncio.gather(
        *(space.public_cidrs(ipam.owner_id, region) for region in sorted(regions))
    )
    return [
        public
        for page in pages
        for public in page
        # The owner's other IPAMs have pools, too, and others' are shared with it.
        if public.ipam_id == ipam.ipam_id and is_brought(public)
    ]


def announced(rows: Rows, now: datetime) -> list[AnnouncedRoute]:
    """Routes to everybody's CIDRs that are advertised from here, as of now."""
    return [
        AnnouncedRoute(cidr.cidr, asn, now)
        for cidr in rows.byoip.advertised_cidrs()
        if (asn := announced_origin(cidr)) is not None
    ]


def _routes_of_pools(
    rows: Rows, found: Collection[PublicCidr], home_regions: Mapping[str, str]
) -> Iterator[ByoipRoute]:
    """Each CIDR's once, whichever pools have it one below the other."""
    by_ipam: defaultdict[str, list[PublicCidr]] = defaultdict(list)
    for public in found:
        by_ipam[public.ipam_id].append(public)
    told = rows.byoip.cidrs_of_pools([public.ipam_pool_cidr_id for public in found])
    for ipam_id, of_ipam in by_ipam.items():
        depths = {pool.ipam_pool_id: pool.depth for pool in rows.pools(ipam_id)}
        for public in nearest_top(of_ipam, depths):
            yield from routes_of_pool_cidr(
                public, told.get(public.ipam_pool_cidr_id), home_regions[ipam_id]
            )


def _routes_of_ranges(
    rows: Rows, owners: Mapping[str, Collection[str]], now: datetime
) -> Iterator[ByoipRoute]:
    """Of accounts by region; what failed is told for a week."""
    for region, owner_ids in owners.items():
        for cidr in rows.byoip.ranges_of(owner_ids, region):
            if is_told(cidr, now) and can_be_routed(cidr.cidr):
                yield from routes_of_range(cidr)
