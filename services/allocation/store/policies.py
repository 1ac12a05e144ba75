"""Which policies there are, and which one applies to an account."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from services.allocation.allocation import ResourceType
from services.allocation.policy import PolicyDefinition, PolicyRules
from services.allocation.tables import policies, policy_accounts
from shared.persistence.database import Database


class SqlPolicies:
    """`Policies` in SQL: no decision is needed, and no pool is locked for it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, definition: PolicyDefinition) -> None:
        await self._database.run(self._put, definition)

    def _put(self, definition: PolicyDefinition) -> None:
        with self._database.write() as connection:
            if _is_newer(connection, definition):
                _let_apply_to(connection, definition.ipam_policy_id, definition.account_ids)


def policy_rules_of(connection: sa.Connection, account_id: str) -> Sequence[PolicyRules]:
    """Those of the policy that applies to an account; none when none does.

    While it is being told that an account's policy changed, both may claim it: one counts then.
    """
    query = (
        sa.select(policies.c.rules)
        .join(policy_accounts, policy_accounts.c.ipam_policy_id == policies.c.ipam_policy_id)
        .where(policy_accounts.c.account_id == account_id)
        .order_by(policies.c.ipam_policy_id)
        .limit(1)
    )
    return [_rules_of(rules) for rules in connection.scalar(query) or ()]


def _is_newer(connection: sa.Connection, definition: PolicyDefinition) -> bool:
    """It was not known, or as an older version, and is known now; its row is locked."""
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    told = {
        "version": definition.version,
        "rules": [_columns_of(rules) for rules in definition.rules],
    }
    row = dialect.insert(policies).values(ipam_policy_id=definition.ipam_policy_id, **told)
    upserted = row.on_conflict_do_update(
        index_elements=[policies.c.ipam_policy_id],
        set_=told,
        where=policies.c.version < definition.version,
    ).returning(policies.c.version)
    return connection.execute(upserted).first() is not None


def _let_apply_to(connection: sa.Connection, policy_id: str, account_ids: Collection[str]) -> None:
    of_policy = policy_accounts.c.ipam_policy_id == policy_id
    known = set(connection.scalars(sa.select(policy_accounts.c.account_id).where(of_policy)))
    gone, new = known.difference(account_ids), set(account_ids) - known
    is_one = policy_accounts.c.account_id == sa.bindparam("gone")
    if gone:
        removal = policy_accounts.delete().where(of_policy, is_one)
        connection.execute(removal, [{"gone": account_id} for account_id in gone])
    if new:
        connection.execute(policy_accounts.insert(), _claims(policy_id, new))


def _claims(policy_id: str, account_ids: Iterable[str]) -> list[dict[str, str]]:
    return [{"ipam_policy_id": policy_id, "account_id": account_id} for account_id in account_ids]


def _columns_of(rules: PolicyRules) -> dict[str, Any]:
    return {
        "locale": rules.locale,
        "resource_type": rules.resource_type.value,
        "ipam_pool_ids": list(rules.ipam_pool_ids),
    }


def _rules_of(row: Mapping[str, Any]) -> PolicyRules:
    return PolicyRules(row["locale"], ResourceType(row["resource_type"]), row["ipam_pool_ids"])
