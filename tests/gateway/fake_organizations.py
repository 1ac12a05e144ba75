"""The control plane's feeds of organizations and users, which tell what a test sets."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc

from cadastre.control.v1 import authorization_service_pb2 as pb
from cadastre.control.v1 import authorization_service_pb2_grpc

MANAGEMENT_ACCOUNT_ID = "999999999999"
FULL_ACCESS = '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'


class FakeOrganizations(authorization_service_pb2_grpc.AuthorizationServiceServicer):
    """To be used from the event loop that serves it."""

    def __init__(self) -> None:
        self._organizations: dict[str, pb.OrganizationPolicies] = {}
        self._watchers: list[asyncio.Queue[pb.WatchOrganizationsResponse | None]] = []
        self._accounts: dict[str, pb.AccountUsers] = {}
        self._user_watchers: list[asyncio.Queue[pb.WatchUsersResponse | None]] = []
        self.is_away = False

    async def put(self, organization: pb.OrganizationPolicies) -> None:
        """It is new, or changed."""
        self._organizations[organization.organization_id] = organization
        self._tell(pb.WatchOrganizationsResponse(organization=organization))

    async def delete(self, organization_id: str) -> None:
        """It is no more."""
        del self._organizations[organization_id]
        self._tell(pb.WatchOrganizationsResponse(deleted_organization_id=organization_id))

    async def go_away(self) -> None:
        """End what is being told, and tell no more until `come_back`."""
        self.is_away = True
        self._tell(None)
        self._tell_of_users(None)

    async def come_back(self) -> None:
        """Tell again, to those who ask anew."""
        self.is_away = False

    async def WatchOrganizations(
        self, request: pb.WatchOrganizationsRequest, context: Any
    ) -> AsyncIterator[pb.WatchOrganizationsResponse]:
        if self.is_away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        changes: asyncio.Queue[pb.WatchOrganizationsResponse | None] = asyncio.Queue()
        self._watchers.append(changes)
        try:
            for organization in list(self._organizations.values()):
                yield pb.WatchOrganizationsResponse(organization=organization)
            yield pb.WatchOrganizationsResponse(synced=pb.Synced())
            while change := await changes.get():
                yield change
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        finally:
            self._watchers.remove(changes)

    async def WatchUsers(
        self, request: pb.WatchUsersRequest, context: Any
    ) -> AsyncIterator[pb.WatchUsersResponse]:
        if self.is_away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        changes: asyncio.Queue[pb.WatchUsersResponse | None] = asyncio.Queue()
        self._user_watchers.append(changes)
        try:
            for account in list(self._accounts.values()):
                yield pb.WatchUsersResponse(account=account)
            yield pb.WatchUsersResponse(synced=pb.Synced())
            while change := await changes.get():
                yield change
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        finally:
            self._user_watchers.remove(changes)

    async def put_users(self, account: pb.AccountUsers) -> None:
        """The account has these users now."""
        self._accounts[account.account_id] = account
        self._tell_of_users(pb.WatchUsersResponse(account=account))

    def _tell_of_users(self, change: pb.WatchUsersResponse | None) -> None:
        for changes in self._user_watchers:
            changes.put_nowait(change)

    def _tell(self, change: pb.WatchOrganizationsResponse | None) -> None:
        for changes in self._watchers:
            changes.put_nowait(change)


def organization(
    organization_id: str,
    *line: tuple[str, Iterable[str]],
    version: int = 1,
    management_account_id: str = MANAGEMENT_ACCOUNT_ID,
    is_enforced: bool = True,
) -> pb.OrganizationPolicies:
    """One without branches: from the root to an account, each with its policies' documents."""
    told = pb.OrganizationPolicies(
        organization_id=organization_id,
        management_account_id=management_account_id,
        version=version,
        is_enforced=is_enforced,
    )
    parent_id = ""
    for entity_id, documents in line:
        entity = told.entities.add(id=entity_id, parent_id=parent_id)
        for number, content in enumerate(documents):
            policy_id = f"p-{entity_id}-{number}"
            entity.policy_ids.append(policy_id)
            told.policies.add(policy_id=policy_id, content=content)
        parent_id = entity_id
    if management_account_id not in {entity.id for entity in told.entities}:
        told.entities.add(id=management_account_id, parent_id=told.entities[0].id)
    return told
