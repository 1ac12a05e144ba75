"""A pool's allocation rules (POOL-4, POOL-6)."""

from collections.abc import Mapping

from services.allocation.definition import NO_LOCALE, PoolDefinition
from services.allocation.errors import LocaleRuleBroken, NetmaskRuleBroken, TagRuleBroken


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


def check_resource_rules(pool: PoolDefinition, region: str, tags: Mapping[str, str]) -> None:
    """Hold for resources only.

    Raises:
        LocaleRuleBroken: the resource is elsewhere, or the pool is for no resource at all (POOL-3).
        TagRuleBroken: a required tag is absent or has another value.
    """
    if pool.locale == NO_LOCALE or pool.locale != region:
        raise LocaleRuleBroken(pool.ipam_pool_id, pool.locale, region)
    missing = {k: v for k, v in pool.resource_tags.items() if tags.get(k) != v}
    if missing:
        raise TagRuleBroken(pool.ipam_pool_id, missing)
