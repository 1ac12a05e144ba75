"""The organizations there are, as far as they limit their accounts."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.gateway.authorization.evaluation import ActionRules, Level


@dataclass(frozen=True, slots=True)
class Entity:
    """The root, an OU or an account."""

    entity_id: str
    parent_id: str
    """Empty for the root."""
    policies: Level


class Organization:
    """One organization at one version."""

    def __init__(
        self,
        organization_id: str,
        version: int,
        entities: Iterable[Entity],
        *,
        management_account_id: str,
        is_enforced: bool,
    ) -> None:
        self.organization_id, self.version = organization_id, version
        self.management_account_id = management_account_id
        self._entities: Mapping[str, Entity] = {entity.entity_id: entity for entity in entities}
        self._is_enforced = is_enforced
        # Of the accounts that called, and the few actions there are.
        self._rules: dict[tuple[str, str], ActionRules] = {}

    @property
    def account_ids(self) -> Iterable[str]:
        """Its accounts."""
        return (entity_id for entity_id in self._entities if entity_id.isdecimal())

    def path_of(self, account_id: str) -> str:
        """Where an account is, without itself: ``o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/``."""
        *above, _ = self._line(account_id)
        return "".join(f"{name}/" for name in (self.organization_id, *(e.entity_id for e in above)))

    def rules_of(self, account_id: str, action: str) -> ActionRules:
        """What the service control policies say about ``action`` by an account.

        Every level, from the root to the account, must allow it. The management account is never
        limited (ORG-6).
        """
        key = account_id, action
        if key not in self._rules:
            self._rules[key] = ActionRules.of(self._levels(account_id), action)
        return self._rules[key]

    def _levels(self, account_id: str) -> list[Level]:
        if not self._is_enforced or account_id == self.management_account_id:
            return []
        return [entity.policies for entity in self._line(account_id)]

    def _line(self, account_id: str) -> list[Entity]:
        """From the root to the account."""
        line = [self._entities[account_id]]
        while line[0].parent_id:
            line.insert(0, self._entities[line[0].parent_id])
        return line


class Organizations:
    """All organizations, as they were told last."""

    def __init__(self) -> None:
        self._by_id: dict[str, Organization] = {}
        self._by_account: dict[str, Organization] = {}
        self._are_known = asyncio.Event()

    @property
    def are_known(self) -> bool:
        """All of them have been told, once at least."""
        return self._are_known.is_set()

    async def until_known(self) -> None:
        """Wait for that."""
        await self._are_known.wait()

    def of(self, account_id: str) -> Organization | None:
        """The one an account belongs to."""
        return self._by_account.get(account_id)

    def replace(self, organizations: Iterable[Organization]) -> None:
        """There are these and no others."""
        self._by_id, self._by_account = {}, {}
        for organization in organizations:
            self.put(organization)
        self._are_known.set()

    def put(self, organization: Organization) -> None:
        """It is new, or changed."""
        self.remove(organization.organization_id)
        self._by_id[organization.organization_id] = organization
        self._by_account.update(dict.fromkeys(organization.account_ids, organization))

    def remove(self, organization_id: str) -> None:
        """It is no more."""
        known = self._by_id.pop(organization_id, None)
        for account_id in known.account_ids if known else ():
            # It may have been told of its next organization already.
            if self._by_account.get(account_id) is known:
                del self._by_account[account_id]
