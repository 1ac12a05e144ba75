"""What can be done to targets of prefix list resolvers, and to tags of both."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from services.discovery.quotas import Quotas
from services.discovery.resolvers.errors import TargetLimitExceeded
from services.discovery.resolvers.resolver import Resolver
from services.discovery.resolvers.target import NamedPrefixList, Target, TargetState
from services.discovery.service.prefix_list_resolvers import cidrs_of, resolver_of
from services.discovery.service.resolver_rows import (
    Answer,
    Once,
    Rows,
    StepKind,
    Store,
    answered_before,
    write_once,
)
from services.discovery.service.syncing import PrefixLists
from shared.caller import Caller
from shared.cidr import AddressFamily
from shared.errors import IncorrectState, InvalidParameterCombination
from shared.ids import IPAM_PREFIX_LIST_RESOLVER_TARGET
from shared.tags import Tags

T = TypeVar("T")
TargetsAfter = Callable[[str | None], Iterator[tuple[str, "ShownTarget"]]]


@dataclass(frozen=True, slots=True)
class ShownTarget:
    """A target, and the version that its prefix list is to have now; None: there is none yet."""

    target: Target
    wanted_version: int | None


@dataclass(frozen=True, slots=True)
class Aim:
    """Which version a prefix list is to have; what is None was not said."""

    desired_version: int | None
    tracks_latest: bool | None

    def __post_init__(self) -> None:
        if self.tracks_latest and self.desired_version is not None:
            raise InvalidParameterCombination(
                f"desiredVersion ({self.desired_version}) can't be given with"
                " trackLatestVersion=true; leave one of them out",
                parameter="desiredVersion",
                value=self.desired_version,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTarget:
    """What a caller wants created."""

    resolver_id: str
    prefix_list_id: str
    prefix_list_region: str
    aim: Aim
    tags: Tags


class PrefixListTargets:
    """One of another account or region is answered like one that does not exist (BEY-12)."""

    def __init__(self, prefix_lists: PrefixLists, store: Store, quotas: Quotas) -> None:
        self._prefix_lists, self._store, self._quotas = prefix_lists, store, quotas

    async def create(
        self,
        caller: Caller,
        wanted: NewTarget,
        answer: Callable[[ShownTarget], Answer],
        *,
        once: Once,
        dry_run: bool,
    ) -> bytes:
        """Make one; that its prefix list becomes its, and what this is given, follows.

        Raises:
            UnknownId: the resolver or prefix list is none of the caller's, or there is no such
                version.
            InvalidParameterCombination: the prefix list is of the other family.
            IncorrectState: another target has it.
            QuotaExceeded: the resolver has as many as it may.
        """
        if earlier := await answered_before(self._store, once):
            return earlier
        await self._check_prefix_list(caller, wanted)
        quota = self._quotas.targets_per_prefix_list_resolver.of(caller.account_id)

        def use_case(rows: Rows) -> ShownTarget:
            resolver = resolver_of(rows, caller, wanted.resolver_id, lock=True)
            if len(rows.targets.of_resolver(resolver.resolver_id, lock=False)) >= quota:
                raise TargetLimitExceeded(resolver.resolver_id, quota)
            target = Target(
                target_id=IPAM_PREFIX_LIST_RESOLVER_TARGET.new(),
                resolver_id=resolver.resolver_id,
                owner_id=resolver.owner_id,
                region=resolver.region,
                prefix_list_id=wanted.prefix_list_id,
                prefix_list_region=wanted.prefix_list_region,
                desired_version=_aimed_at(rows, resolver, wanted.aim, before=None),
                tags=wanted.tags,
            )
            rows.targets.add(target)
            rows.targets.add_step(StepKind.ATTACH, target.target_id)
            return _shown(target, resolver)

        return await write_once(self._store, use_case, answer, once=once, dry_run=dry_run)

    async def _check_prefix_list(self, caller: Caller, wanted: NewTarget) -> None:
        resolver = await self._store.read(
            lambda rows: resolver_of(rows, caller, wanted.resolver_id)
        )
        prefix_list_id = wanted.prefix_list_id
        named = NamedPrefixList(caller.account_id, wanted.prefix_list_region, prefix_list_id)
        known = await self._prefix_lists.summary(named)
        _check_fits(prefix_list_id, known.family, resolver)
        if known.target_id is not None:
            raise IncorrectState(
                f"The prefix list '{prefix_list_id}' is another target's, '{known.target_id}';"
                " delete that one, or use another prefix list",
                prefix_list_id=prefix_list_id,
                ipam_prefix_list_resolver_target_id=known.target_id,
            )

    async def describe(
        self,
        caller: Caller,
        ids: Collection[str],
        resolver_id: str | None,
        select: Callable[[TargetsAfter], T],
    ) -> T:
        """What ``select`` makes of the caller's, or of those with these ids, of this resolver.

        Raises:
            UnknownId: one of ``ids``, or the resolver, is none of theirs.
        """

        def use_case(rows: Rows) -> T:
            for target_id in ids:
                _target_of(rows, caller, target_id, lock=False)
            if resolver_id is not None:
                resolver_of(rows, caller, resolver_id)
            latest: dict[str, Resolver | None] = {}

            def after(key: str | None) -> Iterator[tuple[str, ShownTarget]]:
                found = rows.targets.all(caller, ids=ids, resolver_id=resolver_id, after=key)
                for next_key, target in found:
                    if target.resolver_id not in latest:
                        latest[target.resolver_id] = rows.resolvers.known(target.resolver_id)
                    yield next_key, _shown(target, latest[target.resolver_id])

            return select(after)

        return await self._store.read(use_case)

    async def modify(
        self,
        caller: Caller,
        target_id: str,
        aim: Aim,
        answer: Callable[[ShownTarget], Answer],
        *,
        once: Once,
        dry_run: bool,
    ) -> bytes:
        """Have its prefix list given another version, or the same once more.

        Raises:
            UnknownId: it is none of the caller's, or its resolver has no such version.
            IncorrectState: it has no prefix list, or not for long.
        """

        def use_case(rows: Rows) -> ShownTarget:
            before = _target_of(rows, caller, target_id, lock=False)
            # Its version may be given up otherwise, before anything says that it is wanted.
            resolver = resolver_of(rows, caller, before.resolver_id, lock=True)
            before = _target_of(rows, caller, target_id, lock=True)
            target = before.wanting(_aimed_at(rows, resolver, aim, before))
            rows.targets.save(target)
            rows.targets.add_step(StepKind.SYNC, target_id)
            return _shown(target, resolver)

        return await write_once(self._store, use_case, answer, once=once, dry_run=dry_run)

    async def delete(self, caller: Caller, target_id: str, *, dry_run: bool) -> ShownTarget:
        """Let go of its prefix list, and remove it after that."""

        def use_case(rows: Rows) -> ShownTarget:
            target = _target_of(rows, caller, target_id, lock=True)
            let_go(rows, target)
            return _shown(target, rows.resolvers.known(target.resolver_id))

        return await self._store.write(use_case, dry_run=dry_run)

    async def change_tags(
        self, caller: Caller, ids: Collection[str], change: Callable[[Tags], Tags], *, dry_run: bool
    ) -> None:
        """Of all the resolvers and targets with these ids, or of none.

        Raises:
            UnknownId: one of them is none of the caller's in its region.
        """

        def use_case(rows: Rows) -> None:
            # Resolvers come before targets, as in the order of locks: "ipam-plr-", "ipam-plrt-".
            for resource_id in sorted(set(ids)):
                if resource_id.startswith(IPAM_PREFIX_LIST_RESOLVER_TARGET.prefix):
                    target = _target_of(rows, caller, resource_id, lock=True)
                    rows.targets.save(replace(target, tags=change(target.tags)))
                else:
                    resolver = resolver_of(rows, caller, resource_id, lock=True)
                    rows.resolvers.save(replace(resolver, tags=change(resolver.tags)))

        await self._store.write(use_case, dry_run=dry_run)


def _check_fits(prefix_list_id: str, family: AddressFamily, resolver: Resolver) -> None:
    if family is not resolver.family:
        raise InvalidParameterCombination(
            f"The prefix list '{prefix_list_id}' has {family.value} entries, but the resolver"
            f" '{resolver.resolver_id}' selects {resolver.family.value} CIDRs; use two of one"
            " family",
            prefix_list_id=prefix_list_id,
            ipam_prefix_list_resolver_id=resolver.resolver_id,
            address_family=resolver.family.value,
        )


def let_go(rows: Rows, target: Target) -> None:
    """Have a locked target removed as soon as its prefix list is nobody's."""
    if target.state is TargetState.DELETE_IN_PROGRESS:
        return
    rows.targets.save(target.in_state(TargetState.DELETE_IN_PROGRESS))
    rows.targets.add_step(StepKind.DETACH, target.target_id)


def _aimed_at(rows: Rows, resolver: Resolver, aim: Aim, before: Target | None) -> int | None:
    """The version that is desired; None: the latest."""
    if aim.desired_version is not None:
        cidrs_of(rows, resolver.resolver_id, aim.desired_version)
        return aim.desired_version
    if aim.tracks_latest:
        return None
    if before and aim.tracks_latest is None:
        return before.desired_version
    # Before there is any, the first one that will be.
    last = resolver.last_version or 1
    return (before.wanted_version(last) if before else last) or last


def _shown(target: Target, resolver: Resolver | None) -> ShownTarget:
    return ShownTarget(target, target.wanted_version(resolver.last_version if resolver else 0))


def _target_of(rows: Rows, caller: Caller, target_id: str, *, lock: bool) -> Target:
    target = rows.targets.get(caller, target_id, lock=lock)
    if target is None:
        raise IPAM_PREFIX_LIST_RESOLVER_TARGET.unknown(target_id)
    return target
