"""Following what the control plane tells of the organizations."""

from contextlib import aclosing

from structlog.typing import FilteringBoundLogger

from cadastre.control.v1 import authorization_service_pb2 as pb
from cadastre.control.v1 import authorization_service_pb2_grpc
from services.gateway.authorization.organizations import Entity, Organization, Organizations
from services.gateway.authorization.policies import PolicyReader
from services.gateway.following import SELF, Feed
from services.gateway.snapshots import Snapshot
from shared.rpc.client import Remote


class Follower:
    """Keeps `Organizations` as the control plane tells them."""

    def __init__(
        self,
        remote: Remote,
        organizations: Organizations,
        snapshot: Snapshot[pb.OrganizationPolicies],
        log: FilteringBoundLogger,
    ) -> None:
        self._remote, self._organizations, self._log = remote, organizations, log
        self._snapshot = snapshot
        self._stub = authorization_service_pb2_grpc.AuthorizationServiceStub(remote.channel)
        self._feed, self._policies = Feed(remote, "organizations", log), PolicyReader(log)

    async def run(self) -> None:
        """Follow, for ever: while the control plane is away, what was told last holds.

        So it does from the start, if it was kept.
        """
        if (kept := self._snapshot.load()) is not None:
            self._organizations.replace(map(self._organization, kept))
        await self._feed.follow(self._follow)

    async def _follow(self) -> None:
        told: dict[str, Organization] = {}
        messages: dict[str, pb.OrganizationPolicies] = {}
        request, is_synced = pb.WatchOrganizationsRequest(), False
        watch = self._remote.stream(self._stub.WatchOrganizations, request, caller=SELF)
        async with aclosing(watch) as responses:
            async for response in responses:
                if response.HasField("synced"):
                    # At once: until here, what is known from before holds as it was.
                    self._organizations.replace(told.values())
                    self._snapshot.keep(messages)
                    self._log.info("organizations known", count=len(told))
                    self._feed.has_told()
                    is_synced = True
                    continue
                if response.HasField("organization"):
                    messages[response.organization.organization_id] = response.organization
                else:
                    messages.pop(response.deleted_organization_id, None)
                if is_synced:
                    self._take(response)
                    self._snapshot.keep(messages)
                elif response.HasField("organization"):
                    organization = self._organization(response.organization)
                    told[organization.organization_id] = organization
                else:
                    told.pop(response.deleted_organization_id, None)

    def _take(self, response: pb.WatchOrganizationsResponse) -> None:
        if response.HasField("organization"):
            organization = self._organization(response.organization)
            self._organizations.put(organization)
            self._log.info(
                "organization changed",
                organization_id=organization.organization_id,
                version=organization.version,
            )
        else:
            self._organizations.remove(response.deleted_organization_id)
            self._log.info("organization deleted", organization_id=response.deleted_organization_id)

    def _organization(self, told: pb.OrganizationPolicies) -> Organization:
        policies = {
            policy.policy_id: self._policies.read(policy.policy_id, policy.content)
            for policy in told.policies
        }
        return Organization(
            told.organization_id,
            told.version,
            [
                Entity(e.id, e.parent_id, [policies[policy_id] for policy_id in e.policy_ids])
                for e in told.entities
            ],
            management_account_id=told.management_account_id,
            is_enforced=told.is_enforced,
        )
