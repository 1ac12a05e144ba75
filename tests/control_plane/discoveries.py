"""Resource discoveries in the words of their tests."""

from typing import Any

from shared.ids import arn
from shared.rpc.enums import aws_enum_name
from tests.control_plane.world import Client

RESOURCE_DISCOVERY = "cadastre.control.v1.ResourceDiscoveryService"
SHARING = "cadastre.control.sharing.v1.SharingService"


class Discoveries:
    """An account's view of resource discoveries and shares in a region."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def __call__(self, rpc: str, **members: Any) -> Any:
        return await self.client.of(RESOURCE_DISCOVERY, rpc, **members)

    async def create(self, **members: Any) -> Any:
        return (await self("CreateIpamResourceDiscovery", **members)).ipam_resource_discovery

    async def modify(self, discovery_id: str, **members: Any) -> Any:
        answer = await self(
            "ModifyIpamResourceDiscovery", ipam_resource_discovery_id=discovery_id, **members
        )
        return answer.ipam_resource_discovery

    async def delete(self, discovery_id: str) -> Any:
        answer = await self("DeleteIpamResourceDiscovery", ipam_resource_discovery_id=discovery_id)
        return answer.ipam_resource_discovery

    async def seen(self, **members: Any) -> list[Any]:
        answer = await self("DescribeIpamResourceDiscoveries", **members)
        return list(answer.ipam_resource_discoveries)

    async def one(self, discovery_id: str) -> Any:
        [found] = await self.seen(ipam_resource_discovery_ids=[discovery_id])
        return found

    async def associate(self, ipam_id: str, discovery_id: str, **members: Any) -> Any:
        answer = await self(
            "AssociateIpamResourceDiscovery",
            ipam_id=ipam_id,
            ipam_resource_discovery_id=discovery_id,
            **members,
        )
        return answer.ipam_resource_discovery_association

    async def disassociate(self, association_id: str) -> Any:
        answer = await self(
            "DisassociateIpamResourceDiscovery",
            ipam_resource_discovery_association_id=association_id,
        )
        return answer.ipam_resource_discovery_association

    async def associations(self, **members: Any) -> list[Any]:
        answer = await self("DescribeIpamResourceDiscoveryAssociations", **members)
        return list(answer.ipam_resource_discovery_associations)

    async def share(self, discovery: Any, *account_ids: str) -> str:
        """The ARN of a share of it with accounts outside, each of which accepts."""
        answer = await self.client.of(
            SHARING,
            "CreateResourceShare",
            name="discovery",
            resource_arns=[discovery.ipam_resource_discovery_arn],
            principals=list(account_ids),
        )
        for account_id in account_ids:
            receiver = self.client.acting_as(account_id)
            pending = await receiver.of(SHARING, "GetResourceShareInvitations")
            [invitation] = [
                i
                for i in pending.resource_share_invitations
                if i.resource_share_arn == answer.resource_share.resource_share_arn
            ]
            await receiver.of(
                SHARING,
                "AcceptResourceShareInvitation",
                resource_share_invitation_arn=invitation.resource_share_invitation_arn,
            )
        shared: str = answer.resource_share.resource_share_arn
        return shared

    async def unshare(self, resource_share_arn: str) -> None:
        await self.client.of(SHARING, "DeleteResourceShare", resource_share_arn=resource_share_arn)


def association_arn(account_id: str, association_id: str) -> str:
    return arn(account_id, "ipam-resource-discovery-association", association_id)


def ids_of(records: list[Any]) -> list[str]:
    """Of resource discoveries or associations, whichever they are."""
    is_association = "ipam_id" in records[0].DESCRIPTOR.fields_by_name if records else False
    name = f"ipam_resource_discovery{'_association' * is_association}_id"
    return [getattr(record, name) for record in records]


def status(association: Any) -> str:
    """Its resource discovery's status in AWS's word."""
    field = association.DESCRIPTOR.fields_by_name["resource_discovery_status"]
    return aws_enum_name(field.enum_type, association.resource_discovery_status)
