"""Whether a resource keeps the rules of the pool that it has space of (MON-2, POOL-4)."""

from services.discovery.evaluation.model import Candidate, Pool, Rule
from shared.regions import region_of


def broken_rules(candidate: Candidate, pool: Pool) -> tuple[Rule, ...]:
    """Every rule of ``pool`` that the resource breaks; none: it is compliant."""
    length, locale = candidate.cidr.prefix_length, pool.locale
    broken: list[Rule] = []
    if pool.min_netmask_length is not None and length < pool.min_netmask_length:
        broken.append(Rule.MIN_NETMASK_LENGTH)
    if pool.max_netmask_length is not None and length > pool.max_netmask_length:
        broken.append(Rule.MAX_NETMASK_LENGTH)
    if not pool.resource_tags.items() <= candidate.tags.items():
        broken.append(Rule.RESOURCE_TAGS)
    if locale != candidate.region and region_of(locale) != candidate.region:
        broken.append(Rule.LOCALE)
    return tuple(broken)
