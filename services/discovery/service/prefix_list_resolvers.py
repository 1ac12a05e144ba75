"""What can be done to prefix list resolvers."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from services.discovery.quotas import Quotas
from services.discovery.resolvers.errors import ResolverLimitExceeded, RuleLimitExceeded
from services.discovery.resolvers.resolver import Resolver, ResolverState, Version
from services.discovery.resolvers.rule import Rule, check_family, pool_ids, scope_ids
from services.discovery.service.access import Scope
from services.discovery.service.resolver_rows import (
    Answer,
    Once,
    Rows,
    Store,
    answered_before,
    write_once,
)
from shared.caller import Caller
from shared.cidr import AddressFamily, Cidr
from shared.errors import (
    DependencyViolation,
    IncorrectState,
    InvalidParameterValue,
    UnknownId,
    UnsupportedOperation,
)
from shared.ids import IPAM_PREFIX_LIST_RESOLVER
from shared.tags import Tags

T = TypeVar("T")
ResolversAfter = Callable[[str | None], Iterator[tuple[str, Resolver]]]


@dataclass(frozen=True, slots=True)
class KnownIpam:
    """An IPAM of the caller's own, in the region that it asks in."""

    ipam_id: str
    region: str
    is_free_tier: bool
    is_being_deleted: bool


class ControlPlane(Protocol):
    """Asked in the caller's name; what is not for the caller to see does not exist (BEY-12)."""

    async def ipam(self, caller: Caller, ipam_id: str) -> KnownIpam:
        """Raises CadastreError: there is none, or the control plane does not answer."""

    async def scope(self, caller: Caller, ipam_scope_id: str) -> Scope:
        """Raises CadastreError: there is none, or the control plane does not answer."""

    async def scopes_of_pools(
        self, caller: Caller, ipam_pool_ids: Collection[str]
    ) -> Mapping[str, str]:
        """By pool the scope that it is in.

        Raises:
            CadastreError: there is none of one of these ids, or the control plane does not answer.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class NewResolver:
    """What a caller wants created."""

    ipam_id: str
    family: AddressFamily
    description: str | None
    rules: Sequence[Rule]
    tags: Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolverChange:
    """What a caller wants changed; None stays as it is."""

    description: str | None
    rules: Sequence[Rule] | None


class PrefixListResolvers:
    """One of another account or region is answered like one that does not exist (BEY-12)."""

    def __init__(
        self,
        control_plane: ControlPlane,
        store: Store,
        quotas: Quotas,
        on_new_rules: Callable[[str], object],
    ) -> None:
        """``on_new_rules`` is told of IPAMs that are to be evaluated at once; it doesn't wait."""
        self._control_plane, self._store, self._quotas = control_plane, store, quotas
        self._on_new_rules = on_new_rules

    async def create(
        self,
        caller: Caller,
        wanted: NewResolver,
        answer: Callable[[Resolver], Answer],
        *,
        once: Once,
        dry_run: bool,
    ) -> bytes:
        """Make one; its first version follows when the IPAM was evaluated.

        Raises:
            UnsupportedOperation: the IPAM is on the free tier.
            IncorrectState: it is being deleted.
            InvalidParameterValue: a rule is about something that is not the IPAM's.
            QuotaExceeded: the IPAM has as many as it may, or there are too many rules.
        """
        if earlier := await answered_before(self._store, once):
            return earlier
        ipam = await self._control_plane.ipam(caller, wanted.ipam_id)
        _check_ipam(ipam)
        await self._check_rules(caller, wanted.ipam_id, wanted.family, wanted.rules)
        new = Resolver(
            resolver_id=IPAM_PREFIX_LIST_RESOLVER.new(),
            owner_id=caller.account_id,
            region=ipam.region,
            ipam_id=ipam.ipam_id,
            family=wanted.family,
            description=wanted.description,
            rules=wanted.rules,
            tags=wanted.tags,
        )
        quota = self._quotas.prefix_list_resolvers_per_ipam.of(caller.account_id)

        def use_case(rows: Rows) -> Resolver:
            # Those that there are, locked, so that the next one who counts waits.
            rows.resolvers.of_ipam(ipam.ipam_id, lock=True)
            if len(rows.resolvers.of_ipam(ipam.ipam_id, lock=False)) >= quota:
                raise ResolverLimitExceeded(ipam.ipam_id, quota)
            rows.resolvers.add(new)
            return new

        made = await write_once(self._store, use_case, answer, once=once, dry_run=dry_run)
        self._on_new_rules(ipam.ipam_id)
        return made

    async def describe(
        self, caller: Caller, ids: Collection[str], select: Callable[[ResolversAfter], T]
    ) -> T:
        """What ``select`` makes of the caller's, or of those with these ids.

        Raises:
            UnknownId: one of ``ids`` is none of theirs.
        """

        def use_case(rows: Rows) -> T:
            for resolver_id in ids:
                resolver_of(rows, caller, resolver_id)
            return select(lambda after: rows.resolvers.all(caller, ids=ids, after=after))

        return await self._store.read(use_case)

    async def modify(
        self, caller: Caller, resolver_id: str, change: ResolverChange, *, dry_run: bool
    ) -> Resolver:
        """Change it; other rules are followed when the IPAM was evaluated.

        Raises:
            InvalidParameterValue: a rule is about something that is not the IPAM's.
            QuotaExceeded: there are too many rules.
        """
        known = await self._store.read(lambda rows: resolver_of(rows, caller, resolver_id))
        if change.rules is not None:
            await self._check_rules(caller, known.ipam_id, known.family, change.rules)

        def use_case(rows: Rows) -> Resolver:
            changed = replace(
                resolver_of(rows, caller, resolver_id, lock=True),
                state=ResolverState.MODIFY_COMPLETE,
            )
            if change.description is not None:
                changed = replace(changed, description=change.description)
            if change.rules is not None and change.rules != changed.rules:
                changed = changed.with_rules(change.rules)
            rows.resolvers.save(changed)
            return changed

        modified = await self._store.write(use_case, dry_run=dry_run)
        if change.rules is not None:
            self._on_new_rules(known.ipam_id)
        return modified

    async def delete(self, caller: Caller, resolver_id: str, *, dry_run: bool) -> Resolver:
        """Remove it with its versions.

        Raises:
            DependencyViolation: it has targets.
        """

        def use_case(rows: Rows) -> Resolver:
            resolver = resolver_of(rows, caller, resolver_id, lock=True)
            targets = rows.targets.of_resolver(resolver_id, lock=False)
            if targets:
                first = targets[0].target_id
                raise DependencyViolation(
                    f"The resolver '{resolver_id}' has {len(targets)} targets, '{first}' among"
                    " them; delete them first",
                    ipam_prefix_list_resolver_id=resolver_id,
                    targets=len(targets),
                    ipam_prefix_list_resolver_target_id=first,
                )
            rows.resolvers.remove(resolver_id)
            return resolver

        return await self._store.write(use_case, dry_run=dry_run)

    async def resolver(self, caller: Caller, resolver_id: str) -> Resolver:
        """Raises UnknownId: it is none of the caller's."""
        return await self._store.read(lambda rows: resolver_of(rows, caller, resolver_id))

    async def versions(
        self, caller: Caller, resolver_id: str, numbers: Collection[int]
    ) -> Sequence[Version]:
        """Its versions, or those with these numbers; oldest first.

        Raises:
            UnknownId: it is none of the caller's, or has no such version.
        """

        def use_case(rows: Rows) -> Sequence[Version]:
            resolver_of(rows, caller, resolver_id)
            versions = rows.versions.all(resolver_id)
            for missing in set(numbers) - {version.number for version in versions}:
                raise no_version(missing)
            return [one for one in versions if not numbers or one.number in numbers]

        return await self._store.read(use_case)

    async def cidrs(self, caller: Caller, resolver_id: str, number: int) -> Sequence[Cidr]:
        """What a version has, in order.

        Raises:
            UnknownId: it is none of the caller's, or has no such version.
        """

        def use_case(rows: Rows) -> Sequence[Cidr]:
            resolver_of(rows, caller, resolver_id)
            return cidrs_of(rows, resolver_id, number)

        return await self._store.read(use_case)

    async def _check_rules(
        self, caller: Caller, ipam_id: str, family: AddressFamily, rules: Sequence[Rule]
    ) -> None:
        quota = self._quotas.rules_per_prefix_list_resolver.of(caller.account_id)
        if len(rules) > quota:
            raise RuleLimitExceeded(len(rules), quota)
        check_family(rules, family)
        for scope_id in scope_ids(rules):
            scope = await self._control_plane.scope(caller, scope_id)
            if scope.ipam_id != ipam_id:
                raise _none_of_the(f"scope of '{ipam_id}'", "ipamScopeId", scope_id)
        named = pool_ids(rules)
        if not any(named.values()):
            return
        scopes = await self._control_plane.scopes_of_pools(caller, set().union(*named.values()))
        for scope_id, of_scope in named.items():
            for pool_id in sorted(of_scope):
                if scopes[pool_id] != scope_id:
                    raise _none_of_the(f"pool of '{scope_id}'", "ipamPoolId", pool_id)


def resolver_of(rows: Rows, caller: Caller, resolver_id: str, *, lock: bool = False) -> Resolver:
    """Raises UnknownId: it is none of the caller's in its region."""
    resolver = rows.resolvers.get(caller, resolver_id, lock=lock)
    if resolver is None:
        raise IPAM_PREFIX_LIST_RESOLVER.unknown(resolver_id)
    return resolver


def cidrs_of(rows: Rows, resolver_id: str, number: int) -> Sequence[Cidr]:
    """Raises UnknownId: there is no such version."""
    cidrs = rows.versions.cidrs(resolver_id, number)
    if cidrs is None:
        raise no_version(number)
    return cidrs


def no_version(number: int) -> UnknownId:
    return UnknownId("InvalidIpamPrefixListResolverVersion", str(number))


def _check_ipam(ipam: KnownIpam) -> None:
    if ipam.is_being_deleted:
        raise IncorrectState(
            f"The IPAM '{ipam.ipam_id}' is being deleted; use another one", ipam_id=ipam.ipam_id
        )
    if ipam.is_free_tier:
        raise UnsupportedOperation(
            f"The IPAM '{ipam.ipam_id}' is on the Free tier, which has no prefix list resolvers;"
            " move it to the Advanced tier",
            ipam_id=ipam.ipam_id,
        )


def _none_of_the(what: str, parameter: str, value: str) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"Value ({value}) for parameter {parameter} is invalid. It is no {what}; use one that is",
        parameter=parameter,
        value=value,
        expected=what,
    )
