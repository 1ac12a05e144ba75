"""The accounts' users, as the control plane told them last (ORG-10)."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from services.gateway.identity import Identity


@dataclass(frozen=True, slots=True)
class UserKey:
    """An access key of a user, and whom it lets in."""

    secret: str = field(repr=False)
    identity: Identity


@dataclass(frozen=True, slots=True)
class AccountKeys:
    """The keys of all users of an account."""

    account_id: str
    active: dict[str, UserKey]
    inactive: frozenset[str]


class Users:
    """All accounts' users."""

    def __init__(self) -> None:
        self._accounts: dict[str, AccountKeys] = {}
        self._active: dict[str, UserKey] = {}
        self._inactive: set[str] = set()
        self._are_known = asyncio.Event()

    @property
    def are_known(self) -> bool:
        """All of them have been told, once at least."""
        return self._are_known.is_set()

    async def until_known(self) -> None:
        """Wait for that."""
        await self._are_known.wait()

    def key(self, access_key_id: str) -> UserKey | None:
        """The key with this id, if it holds."""
        return self._active.get(access_key_id)

    def is_inactive(self, access_key_id: str) -> bool:
        """Somebody has the key, but it doesn't hold for now."""
        return access_key_id in self._inactive

    def replace(self, accounts: Iterable[AccountKeys]) -> None:
        """There are these and no others."""
        self._accounts, self._active, self._inactive = {}, {}, set()
        for account in accounts:
            self.put(account)
        self._are_known.set()

    def put(self, account: AccountKeys) -> None:
        """The account's users are these now."""
        if before := self._accounts.get(account.account_id):
            for access_key_id in before.active:
                del self._active[access_key_id]
            self._inactive -= before.inactive
        self._accounts[account.account_id] = account
        self._active.update(account.active)
        self._inactive |= account.inactive
