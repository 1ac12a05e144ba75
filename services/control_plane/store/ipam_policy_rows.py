"""`IpamPolicyRows` in SQL."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from services.control_plane.ipam_policies.policy import IpamPolicy, PolicyDocument, ResourceType
from services.control_plane.ipam_policies.targets import Target
from services.control_plane.store.in_order import in_order
from services.control_plane.tables import ipam_policies as policies
from services.control_plane.tables import ipam_policy_targets as targets
from services.control_plane.tables import organization_accounts
from shared.caller import Caller

_BY_ITSELF = ""
"""Stands for the organization of an account that enabled a policy for itself."""
_MEMBERS = [column.name for column in policies.c if column.name != "sequence"]
_POLICIES = sa.select(*(policies.c[name] for name in _MEMBERS))


class SqlIpamPolicyRows:
    """The policies and targets that one connection's transaction sees and changes."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, ipam_policy_id: str) -> IpamPolicy | None:
        return next(self._all(policies.c.ipam_policy_id == ipam_policy_id), None)

    def hold(self, ipam_policy_ids: Collection[str]) -> Sequence[IpamPolicy]:
        is_one = policies.c.ipam_policy_id.in_(ipam_policy_ids)
        # A statement of its own: what is read next is as it was when the locks were got.
        query = sa.select(policies.c.sequence).where(is_one).order_by(policies.c.sequence)
        self._connection.execute(query.with_for_update())
        return list(self._all(is_one))

    def ids(self) -> Sequence[str]:
        query = sa.select(policies.c.ipam_policy_id).order_by(policies.c.sequence)
        return self._connection.execute(query).scalars().all()

    def of_ipam(self, ipam_id: str) -> Sequence[IpamPolicy]:
        return list(self._all(policies.c.ipam_id == ipam_id))

    def visible(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, IpamPolicy]]:
        query = _POLICIES.where(
            policies.c.owner_id == caller.account_id,
            policies.c.ipam_region == caller.region,
            policies.c.ipam_policy_id.in_(ids) if ids else sa.true(),
        )
        for key, row in in_order(self._connection, query, policies.c.sequence, after):
            yield key, _policy_of(row)

    def add(self, policy: IpamPolicy) -> None:
        self._connection.execute(policies.insert().values(_columns_of(policy)))

    def save(self, policy: IpamPolicy) -> None:
        is_it = policies.c.ipam_policy_id == policy.ipam_policy_id
        self._connection.execute(policies.update().where(is_it).values(_columns_of(policy)))

    def remove(self, ipam_policy_id: str) -> None:
        is_it = policies.c.ipam_policy_id == ipam_policy_id
        self._connection.execute(policies.delete().where(is_it))

    def remove_of_ipam(self, ipam_id: str) -> None:
        self._connection.execute(policies.delete().where(policies.c.ipam_id == ipam_id))

    def hold_target(self, target: Target) -> str | None:
        dialect: Any = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        row = {"organization_id": _organization_of(target), "target_id": target.target_id}
        self._connection.execute(dialect.insert(targets).values(row).on_conflict_do_nothing())
        query = sa.select(targets.c.ipam_policy_id).where(*_is_target(target))
        policy_id: str | None = self._connection.execute(query.with_for_update()).scalar()
        return policy_id

    def enable(self, target: Target, ipam_policy_id: str | None) -> None:
        change = targets.update().where(*_is_target(target))
        self._connection.execute(change.values(ipam_policy_id=ipam_policy_id))

    def targets_of(self, ipam_policy_id: str) -> Sequence[Target]:
        query = (
            sa.select(targets.c.organization_id, targets.c.target_id)
            .where(targets.c.ipam_policy_id == ipam_policy_id)
            .order_by(targets.c.organization_id, targets.c.target_id)
        )
        rows = self._connection.execute(query)
        return [Target(row.organization_id or None, row.target_id) for row in rows]

    def enabled_in(self, organization_id: str, owner_id: str) -> Mapping[str, str]:
        query = (
            sa.select(targets.c.target_id, targets.c.ipam_policy_id)
            .join(policies, policies.c.ipam_policy_id == targets.c.ipam_policy_id)
            .where(targets.c.organization_id == organization_id, policies.c.owner_id == owner_id)
        )
        return {row.target_id: row.ipam_policy_id for row in self._connection.execute(query)}

    def own_of(self, account_id: str) -> str | None:
        is_it = _is_target(Target(None, account_id))
        return self._connection.scalar(sa.select(targets.c.ipam_policy_id).where(*is_it))

    def concerned(self, organization_id: str) -> frozenset[str]:
        accounts = organization_accounts.c
        members = sa.select(accounts.account_id).where(accounts.organization_id == organization_id)
        query = sa.select(targets.c.ipam_policy_id).where(
            targets.c.ipam_policy_id.is_not(None),
            sa.or_(
                targets.c.organization_id == organization_id,
                sa.and_(targets.c.organization_id == _BY_ITSELF, targets.c.target_id.in_(members)),
            ),
        )
        return frozenset(self._connection.execute(query).scalars())

    def forget_target(self, organization_id: str, target_id: str) -> None:
        is_it = _is_target(Target(organization_id, target_id))
        self._connection.execute(targets.delete().where(*is_it))

    def forget_organization(self, organization_id: str) -> None:
        is_in_it = targets.c.organization_id == organization_id
        self._connection.execute(targets.delete().where(is_in_it))

    def _all(self, condition: sa.ColumnElement[bool]) -> Iterator[IpamPolicy]:
        query = _POLICIES.where(condition).order_by(policies.c.sequence)
        return map(_policy_of, self._connection.execute(query).mappings())


def _organization_of(target: Target) -> str:
    return target.organization_id or _BY_ITSELF


def _is_target(target: Target) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        targets.c.organization_id == _organization_of(target),
        targets.c.target_id == target.target_id,
    )


def _policy_of(row: Mapping[Any, Any]) -> IpamPolicy:
    documents = [
        PolicyDocument(
            locale=document["locale"],
            resource_type=ResourceType(document["resource_type"]),
            ipam_pool_ids=tuple(document["ipam_pool_ids"]),
        )
        for document in row["documents"]
    ]
    return IpamPolicy(**{**row, "documents": tuple(documents)})


def _columns_of(policy: IpamPolicy) -> dict[str, Any]:
    documents = [
        {
            "locale": document.locale,
            "resource_type": document.resource_type.value,
            "ipam_pool_ids": list(document.ipam_pool_ids),
        }
        for document in policy.documents
    ]
    return {**{name: getattr(policy, name) for name in _MEMBERS}, "documents": documents}
