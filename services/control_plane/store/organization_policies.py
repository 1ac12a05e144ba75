"""`PolicyRows` in SQL."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from services.control_plane.organizations.policy import Policy
from services.control_plane.store.in_order import in_order
from services.control_plane.tables import (
    organization_accounts,
    organization_policies,
    organizational_units,
    organizations,
    policy_attachments,
)
from shared.tags import Tags

_policies, _attachments = organization_policies.c, policy_attachments.c
_POLICIES = sa.select(_policies.policy_id, _policies.name, _policies.description, _policies.content)


class SqlPolicyRows:
    """The policies that one connection's transaction sees and changes."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, organization_id: str, policy_id: str) -> Policy | None:
        return self._one(organization_id, _policies.policy_id == policy_id)

    def count(self, organization_id: str) -> int:
        is_in_it = _policies.organization_id == organization_id
        query = sa.select(sa.func.count()).select_from(organization_policies).where(is_in_it)
        count: int = self._connection.execute(query).scalar_one()
        return count

    def has_id(self, policy_id: str) -> bool:
        query = sa.select(_policies.sequence).where(_policies.policy_id == policy_id)
        return self._connection.execute(query).first() is not None

    def total_bytes(self, organization_id: str, *, without: str | None) -> int:
        query = sa.select(sa.func.coalesce(sa.func.sum(_policies.content_bytes), 0)).where(
            _policies.organization_id == organization_id, _policies.policy_id != (without or "")
        )
        return int(self._connection.execute(query).scalar_one())

    def named(self, organization_id: str, name: str) -> Policy | None:
        return self._one(organization_id, _policies.name == name)

    def all(self, organization_id: str, after: str | None) -> Iterator[tuple[str, Policy]]:
        query = _POLICIES.where(_policies.organization_id == organization_id)
        for key, row in in_order(self._connection, query, _policies.sequence, after):
            yield key, Policy(**row)

    def add(self, organization_id: str, policy: Policy, tags: Tags) -> None:
        row = _values(policy) | {
            "policy_id": policy.policy_id,
            "organization_id": organization_id,
            "tags": tags,
        }
        self._connection.execute(organization_policies.insert().values(row))

    def save(self, policy: Policy) -> None:
        is_it = _policies.policy_id == policy.policy_id
        change = organization_policies.update().where(is_it).values(_values(policy))
        self._connection.execute(change)

    def remove(self, policy_id: str) -> None:
        removal = organization_policies.delete().where(_policies.policy_id == policy_id)
        self._connection.execute(removal)

    def attach(self, organization_id: str, policy_id: str, target_id: str) -> None:
        row = {
            "organization_id": organization_id,
            "policy_id": policy_id,
            "target_id": target_id,
        }
        self._connection.execute(policy_attachments.insert().values(row))

    def attach_everywhere(self, organization_id: str, policy_id: str) -> None:
        # The root's first, then the OUs', the older ones before those below them.
        for table, target_id in (
            (organizations, organizations.c.root_id),
            (organizational_units, organizational_units.c.unit_id),
            (organization_accounts, organization_accounts.c.account_id),
        ):
            targets = (
                sa.select(table.c.organization_id, sa.literal(policy_id), target_id)
                .where(table.c.organization_id == organization_id)
                .order_by(table.c.sequence)
            )
            names = ["organization_id", "policy_id", "target_id"]
            self._connection.execute(policy_attachments.insert().from_select(names, targets))

    def detach(self, policy_id: str, target_id: str) -> None:
        removal = policy_attachments.delete().where(
            _attachments.policy_id == policy_id, _attachments.target_id == target_id
        )
        self._connection.execute(removal)

    def detach_all(self, organization_id: str) -> None:
        is_in_it = _attachments.organization_id == organization_id
        self._connection.execute(policy_attachments.delete().where(is_in_it))

    def attached_to(self, target_id: str) -> Sequence[str]:
        return [policy_id for _, policy_id in self.attachments_to(target_id, None)]

    def attachments_to(self, target_id: str, after: str | None) -> Iterator[tuple[str, str]]:
        query = sa.select(_attachments.policy_id).where(_attachments.target_id == target_id)
        for key, row in in_order(self._connection, query, _attachments.sequence, after):
            yield key, row["policy_id"]

    def targets_of(
        self, organization_id: str, policy_id: str, after: str | None
    ) -> Iterator[tuple[str, str]]:
        query = sa.select(_attachments.target_id).where(
            _attachments.organization_id == organization_id, _attachments.policy_id == policy_id
        )
        for key, row in in_order(self._connection, query, _attachments.sequence, after):
            yield key, row["target_id"]

    def attached_in(self, organization_id: str) -> Mapping[str, Sequence[str]]:
        """By target, the ids of the policies attached to it."""
        query = sa.select(_attachments.target_id, _attachments.policy_id).where(
            _attachments.organization_id == organization_id
        )
        attached: defaultdict[str, list[str]] = defaultdict(list)
        for row in self._connection.execute(query.order_by(_attachments.sequence)):
            attached[row.target_id].append(row.policy_id)
        return attached

    def documents_in(self, organization_id: str) -> dict[str, str]:
        """By id, of those of the organization's own policies that are attached."""
        attached = sa.select(_attachments.policy_id).where(
            _attachments.organization_id == organization_id
        )
        query = sa.select(_policies.policy_id, _policies.content).where(
            _policies.organization_id == organization_id, _policies.policy_id.in_(attached)
        )
        return {row.policy_id: row.content for row in self._connection.execute(query)}

    def _one(self, organization_id: str, condition: sa.ColumnElement[bool]) -> Policy | None:
        query = _POLICIES.where(_policies.organization_id == organization_id, condition)
        row = self._connection.execute(query).mappings().first()
        return Policy(**row) if row else None


def _values(policy: Policy) -> dict[str, Any]:
    return {
        "name": policy.name,
        "description": policy.description,
        "content": policy.content,
        "content_bytes": len(policy.content.encode()),
    }
