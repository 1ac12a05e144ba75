"""`IdentityRows` in SQL."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from services.control_plane.identity.names import new_role_id
from services.control_plane.identity.policy import UserPolicy
from services.control_plane.identity.service_role import Deletion, ServiceLink, ServiceRole, Usage
from services.control_plane.identity.user import (
    AccessKey,
    AccountUsers,
    KeyStatus,
    User,
    UserCredentials,
)
from services.control_plane.tables import (
    iam_access_keys,
    iam_accounts,
    iam_role_deletions,
    iam_service_roles,
    iam_user_policies,
    iam_users,
    ipams,
    resource_discoveries,
)
from shared.ids import arn

_BLOCK_ROWS = 1000

_keys, _policies, _users = iam_access_keys.c, iam_user_policies.c, iam_users.c
_roles, _deletions = iam_service_roles.c, iam_role_deletions.c

_USERS = sa.select(
    _users.user_id, _users.account_id, _users.user_name, _users.created_at, _users.tags
)
_KEYS = sa.select(
    _keys.access_key_id,
    _keys.user_id,
    _keys.status,
    _keys.created_at,
    _keys.encrypted_secret,
)


class SqlUserRows:
    """The users that one connection's transaction sees and changes."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, account_id: str, user_name: str) -> User | None:
        query = _USERS.where(_users.account_id == account_id, _users.user_name == user_name)
        row = self._connection.execute(query).mappings().first()
        return User(**row) if row else None

    def is_named(self, account_id: str, user_name: str) -> bool:
        query = sa.select(_users.user_id).where(
            _users.account_id == account_id, _users.lower_name == user_name.lower()
        )
        return self._connection.execute(query).first() is not None

    def count(self, account_id: str) -> int:
        query = sa.select(sa.func.count()).where(_users.account_id == account_id)
        return self._connection.execute(query).scalar_one()

    def all(self, account_id: str, after: str | None) -> Iterator[tuple[str, User]]:
        query = _USERS.where(_users.account_id == account_id, _users.user_name > (after or ""))
        for row in self._connection.execute(query.order_by(_users.user_name)).mappings():
            yield row["user_name"], User(**row)

    def add(self, user: User) -> None:
        values = {column.name: getattr(user, column.name) for column in _USERS.selected_columns}
        lower_name = user.user_name.lower()
        self._connection.execute(iam_users.insert().values(values | {"lower_name": lower_name}))

    def remove(self, user_id: str) -> None:
        self._connection.execute(iam_users.delete().where(_users.user_id == user_id))

    def keys(self, user_id: str) -> Sequence[AccessKey]:
        query = _KEYS.where(_keys.user_id == user_id).order_by(_keys.sequence)
        return [AccessKey(**row) for row in self._connection.execute(query).mappings()]

    def add_key(self, key: AccessKey) -> None:
        values = {column.name: getattr(key, column.name) for column in _KEYS.selected_columns}
        self._connection.execute(iam_access_keys.insert().values(values))

    def set_status(self, access_key_id: str, status: KeyStatus) -> None:
        is_it = _keys.access_key_id == access_key_id
        self._connection.execute(iam_access_keys.update().where(is_it).values(status=status))

    def set_secret(self, access_key_id: str, encrypted_secret: bytes) -> None:
        is_it = _keys.access_key_id == access_key_id
        change = iam_access_keys.update().where(is_it).values(encrypted_secret=encrypted_secret)
        self._connection.execute(change)

    def remove_key(self, access_key_id: str) -> None:
        is_it = _keys.access_key_id == access_key_id
        self._connection.execute(iam_access_keys.delete().where(is_it))

    def all_keys(self) -> Iterator[AccessKey]:
        last = 0
        while True:
            query = _KEYS.add_columns(_keys.sequence).where(_keys.sequence > last)
            block = self._connection.execute(query.order_by(_keys.sequence).limit(_BLOCK_ROWS))
            rows = block.mappings().all()
            for row in rows:
                values = dict(row)
                last = values.pop("sequence")
                yield AccessKey(**values)
            if len(rows) < _BLOCK_ROWS:
                return

    def policies(self, user_id: str) -> Sequence[UserPolicy]:
        query = sa.select(_policies.policy_name, _policies.document)
        query = query.where(_policies.user_id == user_id).order_by(_policies.policy_name)
        return [UserPolicy(*row) for row in self._connection.execute(query)]

    def put_policy(self, user_id: str, policy: UserPolicy) -> None:
        self.remove_policy(user_id, policy.policy_name)
        added = iam_user_policies.insert().values(
            user_id=user_id, policy_name=policy.policy_name, document=policy.document
        )
        self._connection.execute(added)

    def remove_policy(self, user_id: str, policy_name: str) -> None:
        is_it = sa.and_(_policies.user_id == user_id, _policies.policy_name == policy_name)
        self._connection.execute(iam_user_policies.delete().where(is_it))

    def told(self, account_id: str) -> None:
        is_it = iam_accounts.c.account_id == account_id
        later = iam_accounts.update().where(is_it).values(version=iam_accounts.c.version + 1)
        self._connection.execute(later)

    def versions(self) -> Mapping[str, int]:
        account = iam_accounts.c
        query = sa.select(account.account_id, account.version).where(account.version > 0)
        return {row.account_id: row.version for row in self._connection.execute(query)}

    def of_account(self, account_id: str) -> AccountUsers:
        version = sa.select(iam_accounts.c.version).where(iam_accounts.c.account_id == account_id)
        keys, policies = self._keys_in(account_id), self._policies_in(account_id)
        return AccountUsers(
            account_id,
            self._connection.execute(version).scalar_one(),
            [
                UserCredentials(user, keys.get(user.user_id, ()), policies.get(user.user_id, ()))
                for _, user in self.all(account_id, None)
            ],
        )

    def _keys_in(self, account_id: str) -> Mapping[str, Sequence[AccessKey]]:
        """By the user's id."""
        found: dict[str, list[AccessKey]] = {}
        query = _KEYS.join(iam_users).where(_users.account_id == account_id)
        for row in self._connection.execute(query.order_by(_keys.sequence)).mappings():
            found.setdefault(row["user_id"], []).append(AccessKey(**row))
        return found

    def _policies_in(self, account_id: str) -> Mapping[str, Sequence[UserPolicy]]:
        """By the user's id."""
        found: dict[str, list[UserPolicy]] = {}
        query = sa.select(_policies.user_id, _policies.policy_name, _policies.document)
        query = query.join(iam_users).where(_users.account_id == account_id)
        for row in self._connection.execute(query.order_by(_policies.policy_name)):
            found.setdefault(row.user_id, []).append(UserPolicy(row.policy_name, row.document))
        return found


class SqlRoleRows:
    """The service-linked roles that one connection's transaction sees and changes."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, account_id: str, link: ServiceLink) -> ServiceRole | None:
        query = sa.select(_roles.role_id, _roles.description, _roles.created_at)
        row = self._connection.execute(query.where(_is_role(account_id, link))).mappings().first()
        return ServiceRole(account_id=account_id, link=link, **row) if row else None

    def give(self, account_ids: Iterable[str], link: ServiceLink, description: str) -> None:
        now = datetime.now(UTC)
        rows = [
            {
                "account_id": account_id,
                "service_name": link.service_name,
                "role_id": new_role_id(),
                "description": description,
                "created_at": now,
            }
            for account_id in account_ids
        ]
        added = _insert(self._connection, iam_service_roles).on_conflict_do_nothing()
        self._connection.execute(added, rows)

    def remove(self, account_id: str, link: ServiceLink) -> None:
        self._connection.execute(iam_service_roles.delete().where(_is_role(account_id, link)))

    def ipam_usages(self, account_id: str) -> Sequence[Usage]:
        arns: dict[str, list[str]] = {}
        for kind, table, id_column in (
            ("ipam", ipams, ipams.c.ipam_id),
            (
                "ipam-resource-discovery",
                resource_discoveries,
                resource_discoveries.c.ipam_resource_discovery_id,
            ),
        ):
            query = sa.select(table.c.region, id_column).where(table.c.owner_id == account_id)
            for region, resource_id in self._connection.execute(query.order_by(table.c.sequence)):
                arns.setdefault(region, []).append(arn(account_id, kind, resource_id))
        return [Usage(region, tuple(arns[region])) for region in sorted(arns)]

    def add_deletion(self, deletion: Deletion) -> None:
        usages = {usage.region: list(usage.resource_arns) for usage in deletion.usages}
        values = {name: getattr(deletion, name) for name in _DELETION_MEMBERS}
        self._connection.execute(iam_role_deletions.insert().values(values | {"usages": usages}))

    def deletion(self, account_id: str, deletion_task_id: str) -> Deletion | None:
        query = sa.select(iam_role_deletions).where(
            _deletions.account_id == account_id, _deletions.deletion_task_id == deletion_task_id
        )
        row = self._connection.execute(query).mappings().first()
        if row is None:
            return None
        usages = tuple(Usage(region, tuple(arns)) for region, arns in row["usages"].items())
        return Deletion(**{name: row[name] for name in _DELETION_MEMBERS}, usages=usages)

    def forget_deletions(self, account_id: str, before: datetime) -> None:
        are_old = sa.and_(_deletions.account_id == account_id, _deletions.ended_at < before)
        self._connection.execute(iam_role_deletions.delete().where(are_old))


class SqlIdentityRows:
    """The users and roles that one connection's transaction sees and changes."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self.users = SqlUserRows(connection)
        self.roles = SqlRoleRows(connection)

    def hold(self, account_id: str) -> None:
        row = {"account_id": account_id, "version": 0}
        added = _insert(self._connection, iam_accounts).values(row).on_conflict_do_nothing()
        self._connection.execute(added)
        is_it = iam_accounts.c.account_id == account_id
        self._connection.execute(sa.select(iam_accounts).where(is_it).with_for_update())


_DELETION_MEMBERS = ("deletion_task_id", "account_id", "ended_at", "refusal")


def _is_role(account_id: str, link: ServiceLink) -> sa.ColumnElement[bool]:
    return sa.and_(_roles.account_id == account_id, _roles.service_name == link.service_name)


def _insert(connection: sa.Connection, table: sa.Table) -> Any:
    """Both dialects' own, which knows conflicts."""
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)
