"""What the use cases need of the database about users and roles, within one transaction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from services.control_plane.identity.policy import UserPolicy
from services.control_plane.identity.service_role import Deletion, ServiceLink, ServiceRole, Usage
from services.control_plane.identity.user import AccessKey, AccountUsers, KeyStatus, User


class UserRows(Protocol):
    """The users of all accounts, under the lock of their account."""

    def get(self, account_id: str, user_name: str) -> User | None: ...

    def is_named(self, account_id: str, user_name: str) -> bool:
        """A user of the account has that name, in whatever case."""

    def count(self, account_id: str) -> int: ...

    def all(self, account_id: str, after: str | None) -> Iterator[tuple[str, User]]:
        """In the order of their names, each with its key for paging, after a key."""

    def add(self, user: User) -> None: ...

    def remove(self, user_id: str) -> None:
        """Remove it; its keys and policies are gone already."""

    def keys(self, user_id: str) -> Sequence[AccessKey]:
        """Oldest first."""

    def add_key(self, key: AccessKey) -> None: ...

    def set_status(self, access_key_id: str, status: KeyStatus) -> None: ...

    def set_secret(self, access_key_id: str, encrypted_secret: bytes) -> None:
        """The same secret, encrypted otherwise."""

    def remove_key(self, access_key_id: str) -> None: ...

    def all_keys(self) -> Iterator[AccessKey]:
        """Every account's."""

    def policies(self, user_id: str) -> Sequence[UserPolicy]:
        """In the order of their names."""

    def put_policy(self, user_id: str, policy: UserPolicy) -> None:
        """Add it, or replace the one of its name."""

    def remove_policy(self, user_id: str, policy_name: str) -> None: ...

    def told(self, account_id: str) -> None:
        """The account's users changed: a later version of them is to be told."""

    def versions(self) -> Mapping[str, int]:
        """Of the users of every account that has, or had, some."""

    def of_account(self, account_id: str) -> AccountUsers:
        """All of an account, with their keys and their policies."""


class RoleRows(Protocol):
    """The service-linked roles of all accounts.

    They are under the lock of their account. Whoever gives or takes them by an organization's lock
    alone relies on that an account's role is deleted under both.
    """

    def get(self, account_id: str, link: ServiceLink) -> ServiceRole | None: ...

    def give(self, account_ids: Iterable[str], link: ServiceLink, description: str) -> None:
        """Make the role in all these accounts, now; those that have it keep theirs."""

    def remove(self, account_id: str, link: ServiceLink) -> None: ...

    def ipam_usages(self, account_id: str) -> Sequence[Usage]:
        """The account's IPAMs and resource discoveries."""

    def add_deletion(self, deletion: Deletion) -> None: ...

    def deletion(self, account_id: str, deletion_task_id: str) -> Deletion | None: ...

    def forget_deletions(self, account_id: str, before: datetime) -> None: ...


class IdentityRows(Protocol):
    """Users and roles. An account's users and roles change under its lock.

    It is the last to be taken: after any organization's and any IPAM's.
    """

    @property
    def users(self) -> UserRows: ...

    @property
    def roles(self) -> RoleRows: ...

    def hold(self, account_id: str) -> None:
        """Lock it: neither its users nor its roles change until the transaction ends."""
