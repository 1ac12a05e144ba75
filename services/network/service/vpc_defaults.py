"""What VPCs have from their beginning to their end, as it is told."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from services.network.service.rows import Rows, Store
from services.network.vpc import Vpc
from services.network.vpc_defaults import DefaultKind, GroupRule, VpcDefault, group_rules
from shared.caller import Caller
from shared.ids import SECURITY_GROUP_RULE

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DefaultInVpc:
    """One of a VPC's defaults with what its content follows from."""

    default: VpcDefault
    vpc: Vpc
    subnet_ids: Sequence[str]
    """In order."""


@dataclass(frozen=True, slots=True)
class RuleInGroup:
    """A rule and the security group that it is of."""

    rule: GroupRule
    group: VpcDefault


DefaultsAfter = Callable[[str | None], Iterator[tuple[str, DefaultInVpc]]]
RulesAfter = Callable[[str | None], Iterator[tuple[str, RuleInGroup]]]


class VpcDefaults:
    """Those of another account or region are answered like what does not exist (BEY-12)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def describe(
        self,
        caller: Caller,
        kind: DefaultKind,
        select: Callable[[DefaultsAfter], T],
        *,
        ids: Collection[str],
        vpc_ids: Collection[str],
    ) -> T:
        """What ``select`` makes of the caller's of one kind.

        Of those with these ids and of these VPCs alone; with neither, of all.

        Raises:
            UnknownId: one of ``ids`` is none of theirs.
        """

        def use_case(rows: Rows) -> T:
            for resource_id in ids:
                default = rows.vpc_defaults.get(caller, resource_id, lock=False)
                if default is None or default.kind is not kind:
                    raise kind.ids.unknown(resource_id)
            return select(
                lambda after: _in_vpcs(rows, caller, kind, ids=ids, vpc_ids=vpc_ids, after=after)
            )

        return await self._store.read(use_case)

    async def rules(
        self, caller: Caller, select: Callable[[RulesAfter], T], *, rule_ids: Collection[str]
    ) -> T:
        """What ``select`` makes of the rules of the caller's groups, or of those with these ids.

        Raises:
            UnknownId: one of ``rule_ids`` is none of theirs.
        """

        def use_case(rows: Rows) -> T:
            if rule_ids:
                known = {found.rule.rule_id for _, found in _rules(rows, caller, None)}
                for rule_id in rule_ids:
                    if rule_id not in known:
                        raise SECURITY_GROUP_RULE.unknown(rule_id)
            return select(
                lambda after: (
                    (key, found)
                    for key, found in _rules(rows, caller, after)
                    if not rule_ids or found.rule.rule_id in rule_ids
                )
            )

        return await self._store.read(use_case)


def vpc_default_of(rows: Rows, caller: Caller, kind: DefaultKind, resource_id: str) -> VpcDefault:
    """The caller's, locked.

    Raises:
        UnknownId: it is none of theirs.
    """
    default = rows.vpc_defaults.get(caller, resource_id, lock=True)
    if default is None:
        raise kind.ids.unknown(resource_id)
    return default


def _in_vpcs(
    rows: Rows,
    caller: Caller,
    kind: DefaultKind,
    *,
    ids: Collection[str],
    vpc_ids: Collection[str],
    after: str | None,
) -> Iterator[tuple[str, DefaultInVpc]]:
    for some in rows.vpc_defaults.all(caller, kind, ids=ids, vpc_ids=vpc_ids, after=after):
        theirs = [default.vpc_id for _, default in some]
        vpcs = {vpc.vpc_id: vpc for _, vpc in rows.vpcs.all(caller, ids=theirs, after=None)}
        subnets: Mapping[str, Sequence[str]] = {}
        if kind is DefaultKind.NETWORK_ACL:
            subnets = rows.subnets.ids_in(theirs)
        for key, default in some:
            vpc_id = default.vpc_id
            yield key, DefaultInVpc(default, vpcs[vpc_id], subnets.get(vpc_id, ()))


def _rules(rows: Rows, caller: Caller, after: str | None) -> Iterator[tuple[str, RuleInGroup]]:
    """Each with its paging key: its group's and its place in it."""
    group_key, place = after.split("/") if after else ("0", "-1")
    # From the group on that the last page ended in.
    before = str(int(group_key) - 1)
    kind = DefaultKind.SECURITY_GROUP
    for key, found in _in_vpcs(rows, caller, kind, ids=(), vpc_ids=(), after=before):
        first = int(place) + 1 if key == group_key else 0
        rules = group_rules(found.default, found.vpc)
        for index, rule in enumerate(rules[first:], first):
            yield f"{key}/{index}", RuleInGroup(rule, found.default)
