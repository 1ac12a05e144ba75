"""AuthorizationService: messages to use cases and back."""

from collections.abc import AsyncIterator

from cadastre.control.v1 import authorization_service_pb2 as pb
from cadastre.control.v1 import authorization_service_pb2_grpc
from services.control_plane.identity.user import AccountUsers
from services.control_plane.organizations.snapshot import Snapshot
from services.control_plane.service.identity.feed import UserFeed
from services.control_plane.service.organizations.feed import (
    Deleted,
    News,
    OrganizationFeed,
    Synced,
)
from services.control_plane.servicer.identity_messages import account_users_to_proto
from shared.encryption_keys import EncryptionKeys
from shared.rpc.interceptor import Context


class AuthorizationServicer(authorization_service_pb2_grpc.AuthorizationServiceServicer):
    """Translates."""

    def __init__(self, feed: OrganizationFeed, users: UserFeed, keys: EncryptionKeys) -> None:
        self._feed, self._users, self._keys = feed, users, keys

    async def WatchOrganizations(
        self, _request: pb.WatchOrganizationsRequest, _context: Context
    ) -> AsyncIterator[pb.WatchOrganizationsResponse]:
        async for news in self._feed.follow():
            yield _news_to_proto(news)

    async def WatchUsers(
        self, _request: pb.WatchUsersRequest, _context: Context
    ) -> AsyncIterator[pb.WatchUsersResponse]:
        async for news in self._users.follow():
            if isinstance(news, AccountUsers):
                account = account_users_to_proto(news, self._keys)
                yield pb.WatchUsersResponse(account=account)
            else:
                yield pb.WatchUsersResponse(synced=pb.Synced())


def _news_to_proto(news: News) -> pb.WatchOrganizationsResponse:
    match news:
        case Snapshot():
            return pb.WatchOrganizationsResponse(organization=_snapshot_to_proto(news))
        case Deleted():
            return pb.WatchOrganizationsResponse(deleted_organization_id=news.organization_id)
        case Synced():
            return pb.WatchOrganizationsResponse(synced=pb.Synced())


def _snapshot_to_proto(snapshot: Snapshot) -> pb.OrganizationPolicies:
    organization = snapshot.organization
    return pb.OrganizationPolicies(
        organization_id=organization.organization_id,
        management_account_id=organization.management_account_id,
        version=organization.version,
        entities=[
            pb.OrganizationEntity(
                id=entity.entity_id, parent_id=entity.parent_id, policy_ids=entity.policy_ids
            )
            for entity in snapshot.entities
        ],
        policies=[
            pb.ServiceControlPolicy(policy_id=policy_id, content=content)
            for policy_id, content in sorted(snapshot.documents.items())
        ],
        is_enforced=organization.has_service_control_policies,
    )
