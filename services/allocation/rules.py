"""A pool's allocation rules (POOL-4, POOL-6)."""

from collections.abc import Mapping

from services.allocation.definition import NO_LOCALE, PoolDefinition
from services.allocation.errors import LocaleRuleBroken, NetmaskRuleBroken, TagRuleBroken
from shared.regions import region_of


def check_netmask_rule(pool: PoolDefinition, netmask_length: int) -> None:
    """Holds for all allocations, those made by hand included.

    Raises:
        NetmaskRuleBroken: wider or narrower than the pool allows.
    """
    shortest = pool.min_netmask_length if pool.min_netmask_length is not None else 0
    longest = pool.max_netmask_length
    longest = longest if longest is not None else pool.address_family.bits
    if not shortest <= netmask_length <= longest:
        raise NetmaskRuleBroken(pool.ipam_pool_id, netmask_length, shortest, longest)


def check_resource_rules(
    pool: PoolDefinition, place: str, tags: Mapping[str, str], *, with_local_zones: bool = False
) -> None:
    """Hold for resources only. ``place`` is a region or the border group of a Local Zone.

    ``with_local_zones``: a pool of one of the region's Local Zones will do as well.

    Raises:
        LocaleRuleBroken: the resource is elsewhere, or the pool is for no resource at all (POOL-3).
        TagRuleBroken: a required tag is absent or has another value.
    """
    is_there = pool.locale == place or (with_local_zones and region_of(pool.locale) == place)
    if pool.locale == NO_LOCALE or not is_there:
        raise LocaleRuleBroken(pool.ipam_pool_id, pool.locale, place)
    missing = {k: v for k, v in pool.resource_tags.items() if tags.get(k) != v}
    if missing:
        raise TagRuleBroken(pool.ipam_pool_id, missing)
