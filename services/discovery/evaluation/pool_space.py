"""Where pools have their space: planning pools aside, which divide a VPC's own (VPC-3)."""

from collections import defaultdict
from collections.abc import Mapping

from services.discovery.evaluation.blocks import BlockSet, HoldingBlocks
from services.discovery.evaluation.model import Pool
from shared.cidr import AddressFamily, Cidr


class PoolSpace:
    """The provisioned CIDRs of all scopes' pools."""

    def __init__(self, pools: Mapping[str, Pool]) -> None:
        self._pools: HoldingBlocks[str, Pool] = HoldingBlocks()
        blocks: defaultdict[tuple[str, AddressFamily], list[Cidr]] = defaultdict(list)
        # A child's whole CIDR may be its parent's: the deeper one is filed last and stays.
        for pool in sorted(pools.values(), key=lambda pool: (_depth(pool, pools), pool.pool_id)):
            if pool.plans_vpc is None:
                for cidr in pool.cidrs:
                    self._pools.file(pool.scope_id, cidr, pool)
                    blocks[pool.scope_id, cidr.family].append(cidr)
        self._blocks = {place: BlockSet(cidrs) for place, cidrs in blocks.items()}

    def deepest(self, scope_id: str, cidr: Cidr) -> Pool | None:
        """The pool whose CIDR holds all of ``cidr``, and none of its child pools' does."""
        return self._pools.narrowest(scope_id, cidr)

    def first_within(self, scope_id: str, cidr: Cidr) -> Pool | None:
        """The first pool that has a CIDR inside ``cidr``, narrower than it."""
        blocks = self._blocks.get((scope_id, cidr.family))
        found = blocks and blocks.first_inside(cidr)
        return self.deepest(scope_id, Cidr(cidr.family, *found)) if found else None


def _depth(pool: Pool, pools: Mapping[str, Pool]) -> int:
    depth = 0
    above = pools.get(pool.source_pool_id or "")
    while above is not None and depth < len(pools):
        depth, above = depth + 1, pools.get(above.source_pool_id or "")
    return depth
