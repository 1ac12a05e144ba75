"""The organization that an installation begins with (ORG-1)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.control_plane.organizations import ids
from services.control_plane.organizations.account import (
    Account,
    JoinedMethod,
    check_email,
    check_room_for_account,
)
from services.control_plane.organizations.organization import FeatureSet, Organization
from services.control_plane.organizations.policy import (
    FULL_AWS_ACCESS,
    Policy,
    check_attachable,
    check_room_for_policy,
    check_total_size,
)
from services.control_plane.organizations.policy_document import check_document
from services.control_plane.organizations.service_access import check_service_principal
from services.control_plane.organizations.unit import (
    Unit,
    check_room_for_unit,
    holders_of,
    unit_below,
)
from shared.errors import CadastreError

_BY_DEFAULT = (FULL_AWS_ACCESS.name,)


class BadSeed(ValueError):
    """There can't be such an organization; the message says why and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedPolicy:
    """A service control policy as it is to be."""

    name: str
    content: str
    id: str | None = None
    """None: a new one."""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedAccount:
    """An account as it is to be."""

    id: str
    name: str
    email: str
    service_control_policies: tuple[str, ...] = _BY_DEFAULT
    """The names of those attached to it, where there are any in the organization."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedUnit:
    """An OU as it is to be, with all that it holds."""

    name: str
    id: str | None = None
    """None: a new one."""
    service_control_policies: tuple[str, ...] = _BY_DEFAULT
    accounts: tuple[SeedAccount, ...] = ()
    organizational_units: tuple["SeedUnit", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """An organization as it is to be, with all that its root holds."""

    management_account: SeedAccount
    management_account_parent_id: str | None = None
    """The OU that holds it; None: the root."""
    id: str | None = None
    """None: a new one."""
    root_id: str | None = None
    """None: a new one."""
    service_access: tuple[str, ...] = ()
    policies: tuple[SeedPolicy, ...] | None = None
    """The service control policies there are; None: their type is not enabled."""
    service_control_policies: tuple[str, ...] = _BY_DEFAULT
    accounts: tuple[SeedAccount, ...] = ()
    organizational_units: tuple[SeedUnit, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What there is to be made, the OUs above before those below."""

    organization: Organization
    units: Sequence[Unit]
    accounts: Sequence[Account]
    services: Sequence[str]
    policies: Sequence[Policy]
    attached: Mapping[str, Sequence[str]]
    """By target, the ids of the policies attached to it."""


def planned(seed: Seed, now: datetime) -> Plan:
    """What makes ``seed`` come true.

    Raises:
        BadSeed: something that can't be said of an organization through its API, or is said twice.
    """
    try:
        return _planned(seed, now)
    except CadastreError as error:
        raise BadSeed(error.message) from error


def _planned(seed: Seed, now: datetime) -> Plan:
    organization = Organization(
        organization_id=ids.check_form(seed.id or ids.new_organization_id(), ids.ORGANIZATION),
        management_account_id=seed.management_account.id,
        feature_set=FeatureSet.ALL,
        root_id=ids.check_form(seed.root_id or ids.new_root_id(), ids.ROOT),
        has_service_control_policies=seed.policies is not None,
    )
    below = list(_below(organization.root_path, organization.root_id, seed, now))
    units = [one for _, _, one in below if isinstance(one, Unit)]
    management = _management_account(seed, organization, units, now)
    names_by_target = {
        organization.root_id: seed.service_control_policies,
        management.account_id: seed.management_account.service_control_policies,
        **{target_id: names for target_id, names, _ in below},
    }
    policies = None if seed.policies is None else [_policy(wanted) for wanted in seed.policies]
    plan = Plan(
        organization,
        units=units,
        accounts=[management, *(one for _, _, one in below if isinstance(one, Account))],
        services=[check_service_principal(name) for name in seed.service_access],
        policies=policies or (),
        attached=_attached(policies, names_by_target),
    )
    _check_all_differ(plan)
    _check_fits(plan)
    return plan


_Found = tuple[str, tuple[str, ...], Unit | Account]
"""The id of a target of policies, the names of those attached to it, and what it is."""


def _below(path: str, root_id: str, holder: Seed | SeedUnit, now: datetime) -> Iterator[_Found]:
    for account in holder.accounts:
        yield account.id, account.service_control_policies, _account(path, account, now)
    for wanted in holder.organizational_units:
        unit_id = ids.check_form(wanted.id or ids.new_unit_id(root_id), ids.unit_of(root_id))
        unit = unit_below(path, unit_id=unit_id, name=wanted.name)
        yield unit_id, wanted.service_control_policies, unit
        yield from _below(unit.path, root_id, wanted, now)


def _management_account(
    seed: Seed, organization: Organization, units: Sequence[Unit], now: datetime
) -> Account:
    paths = {unit.unit_id: unit.path for unit in units}
    parent_id = seed.management_account_parent_id
    if parent_id is not None and parent_id not in paths:
        raise BadSeed(
            f"no organizational unit has the id {parent_id}, to hold the management account; use"
            " one that is in the file, or leave it out"
        )
    path = paths[parent_id] if parent_id else organization.root_path
    return _account(path, seed.management_account, now)


def _account(parent_path: str, account: SeedAccount, now: datetime) -> Account:
    organization_id, *holders = holders_of(parent_path)
    return Account(
        account_id=ids.check_form(account.id, ids.ACCOUNT),
        organization_id=organization_id,
        parent_id=holders[-1],
        name=account.name,
        email=check_email(account.email),
        joined_method=JoinedMethod.INVITED,
        joined_at=now,
    )


def _policy(wanted: SeedPolicy) -> Policy:
    return Policy(
        policy_id=ids.check_form(wanted.id or ids.new_policy_id(), ids.POLICY),
        name=wanted.name,
        description=wanted.description,
        content=check_document(wanted.content),
    )


def _attached(
    policies: Sequence[Policy] | None, names_by_target: Mapping[str, tuple[str, ...]]
) -> Mapping[str, Sequence[str]]:
    if policies is None:
        for target_id, names in names_by_target.items():
            if names != _BY_DEFAULT:
                raise BadSeed(
                    f"{target_id} has service control policies, but there is no list of policies;"
                    " add it, if need be an empty one, to enable their type"
                )
        return {}
    id_of = {policy.name: policy.policy_id for policy in (FULL_AWS_ACCESS, *policies)}
    attached: dict[str, list[str]] = {target_id: [] for target_id in names_by_target}
    for target_id, names in names_by_target.items():
        if not names:
            raise BadSeed(f"{target_id} has no service control policy; attach one at least")
        for name in names:
            if name not in id_of:
                raise BadSeed(f"{target_id} has the policy '{name}', which is not under policies")
            check_attachable(id_of[name], target_id, attached[target_id])
            attached[target_id].append(id_of[name])
    return attached


def _check_all_differ(plan: Plan) -> None:
    _check_once("account", (account.account_id for account in plan.accounts))
    _check_once("email address", (account.email for account in plan.accounts))
    _check_once("organizational unit", (unit.unit_id for unit in plan.units))
    names = (f"'{unit.name}' in {unit.parent_id}" for unit in plan.units)
    _check_once("organizational unit of the name", names)
    _check_once("service", plan.services)
    policies = (FULL_AWS_ACCESS, *plan.policies)
    _check_once("policy", (policy.policy_id for policy in policies))
    _check_once("policy of the name", (policy.name for policy in policies))


def _check_once(what: str, names: Iterable[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise BadSeed(f"{what} {name} is there {count} times; name it once")


def _check_fits(plan: Plan) -> None:
    """Not more than could be made one by one."""
    organization_id = plan.organization.organization_id
    check_room_for_account(organization_id, len(plan.accounts) - 1)
    check_room_for_unit(organization_id, len(plan.units) - 1)
    check_room_for_policy(organization_id, len(plan.policies) - 1)
    check_total_size(organization_id, 0, "".join(policy.content for policy in plan.policies))
