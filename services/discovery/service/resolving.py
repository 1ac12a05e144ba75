"""Following the rules of prefix list resolvers: what they select now becomes their versions."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.discovery.coverage import Ipam
from services.discovery.evaluation.model import Pool
from services.discovery.quotas import Quotas
from services.discovery.resolvers.resolver import Resolver, outdated
from services.discovery.resolvers.rule import Candidate
from services.discovery.resolvers.selection import Selection, Source
from services.discovery.service.prefix_list_targets import let_go
from services.discovery.service.resolver_rows import Rows, StepKind, Store
from shared.cidr import Cidr

_ROUNDS = 3
"""How often others may come first; what they did brings about another evaluation."""
_FREE_TIER = "The IPAM is on the Free tier, where nothing is selected; move it to the Advanced tier"


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a resolver's rules select."""

    resolver: Resolver
    """As it was then."""
    selected: Sequence[Cidr] | None
    """None: nothing, for a reason."""
    last: Sequence[Cidr]
    """What its last version has."""
    why_not: str = ""

    @property
    def is_news(self) -> bool:
        return self.applied_to(self.resolver) != self.resolver

    def applied_to(self, resolver: Resolver) -> Resolver:
        if self.selected is None:
            return resolver.without_version(self.why_not)
        return resolver.having_selected(self.selected, self.last)


class Resolving:
    """All it does may be done twice, also by several replicas; without news nothing is written."""

    def __init__(self, store: Store, quotas: Quotas, clock: Callable[[], datetime]) -> None:
        self._store, self._quotas, self._clock = store, quotas, clock

    async def follow(self, ipam: Ipam, pools: Collection[Pool]) -> None:
        """Make new versions of the IPAM's resolvers, where they select something else now.

        It costs a look at all resources of each type and scope that some rule is about, whatever
        the number of rules, and for each of these what all rules about it cost.
        """
        for _ in range(_ROUNDS):
            outcomes = await self._store.read(lambda rows: self._outcomes(rows, ipam, pools))
            news = [outcome for outcome in outcomes if outcome.is_news]
            if not news:
                return
            now = self._clock()
            are_saved = await self._store.write(
                lambda rows: [_save(rows, outcome, now) for outcome in news]  # noqa: B023 - at once
            )
            if all(are_saved):
                return

    async def keep_only(self, ipam_ids: Collection[str]) -> None:
        """Remove the resolvers of other IPAMs, and let go of their prefix lists (IPAM-9)."""
        known = await self._store.read(lambda rows: rows.resolvers.ipam_ids())
        gone = sorted(set(known) - set(ipam_ids))
        if gone:
            await self._store.write(lambda rows: _remove_all(rows, gone))

    def _outcomes(self, rows: Rows, ipam: Ipam, pools: Collection[Pool]) -> list[_Outcome]:
        resolvers = rows.resolvers.of_ipam(ipam.ipam_id, lock=False)
        if ipam.is_free_tier:
            return [_Outcome(resolver, None, (), _FREE_TIER) for resolver in resolvers]
        quota = self._quotas.cidrs_per_prefix_list_resolver_version
        selections = [Selection(one.rules, one.family, quota.of(one.owner_id)) for one in resolvers]
        _offer_pools(selections, pools)
        _offer_resources(rows, ipam.ipam_id, selections)
        return [
            _Outcome(
                resolver,
                selection.cidrs,
                rows.versions.cidrs(resolver.resolver_id, resolver.last_version) or (),
                _too_many(quota.of(resolver.owner_id)),
            )
            for resolver, selection in zip(resolvers, selections, strict=True)
        ]


def _offer_pools(selections: Sequence[Selection], pools: Iterable[Pool]) -> None:
    for pool in pools:
        source = Source(pool.scope_id, None)
        for cidr in pool.cidrs:
            for selection in selections:
                selection.offer(source, Candidate(cidr, pool_id=pool.pool_id))


def _offer_resources(rows: Rows, ipam_id: str, selections: Sequence[Selection]) -> None:
    wanted = {source for selection in selections for source in selection.sources}
    for source in sorted(one for one in wanted if one.resource_type is not None):
        wanting = [selection for selection in selections if source in selection.sources]
        with_tags = any(selection.asks_about_tags(source) for selection in wanting)
        for candidate in rows.resource_cidrs(ipam_id, source, with_tags=with_tags):
            for selection in wanting:
                selection.offer(source, candidate)


def _too_many(quota: int) -> str:
    return (
        f"The rules select more than {quota} CIDRs, which is the most that a version may have;"
        " have them select fewer"
    )


def _save(rows: Rows, outcome: _Outcome, now: datetime) -> bool:
    """False, and nothing: the resolver has changed since its rules were followed."""
    before = outcome.resolver
    resolver = rows.resolvers.locked(before.resolver_id)
    if resolver is None or resolver.revision != before.revision:
        return resolver is None
    changed = outcome.applied_to(resolver)
    rows.resolvers.save(changed)
    if outcome.selected is not None and changed.last_version != resolver.last_version:
        _add_version(rows, changed, outcome.selected, now)
    return True


def _add_version(rows: Rows, resolver: Resolver, cidrs: Sequence[Cidr], now: datetime) -> None:
    resolver_id, last = resolver.resolver_id, resolver.last_version
    rows.versions.add(resolver_id, last, cidrs, now)
    targets = rows.targets.of_resolver(resolver_id, lock=False)
    in_use = {target.desired_version or last for target in targets}
    in_use |= {target.last_synced_version or last for target in targets}
    rows.versions.remove(resolver_id, outdated(rows.versions.all(resolver_id), in_use, last, now))
    for target in targets:
        if target.state.is_attached:
            rows.targets.add_step(StepKind.SYNC, target.target_id)


def _remove_all(rows: Rows, ipam_ids: Iterable[str]) -> None:
    for ipam_id in ipam_ids:
        for resolver in rows.resolvers.of_ipam(ipam_id, lock=True):
            for target in rows.targets.of_resolver(resolver.resolver_id, lock=True):
                let_go(rows, target)
            rows.resolvers.remove(resolver.resolver_id)
