"""An organization whose IPAM administrator has pools to share, over the contexts' own API."""

from dataclasses import dataclass
from typing import Any

from shared.rpc.enums import aws_enum_name
from tests.control_plane.world import HOME, ORGANIZATIONS, STRANGER, Client

SHARING = "cadastre.control.sharing.v1.SharingService"
DISCOVERIES = "cadastre.control.v1.ResourceDiscoveryService"

MANAGER, OUTSIDER = "111111111111", STRANGER
DEFAULT_PERMISSION = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionsIpamPool"
IMPORT_PERMISSION = "arn:aws:ram::aws:permission/AWSRAMPermissionIpamPoolByoipCidrImport"
DISCOVERY_PERMISSION = "arn:aws:ram::aws:permission/AWSRAMPermissionIpamResourceDiscovery"


@dataclass(frozen=True)
class Company:
    """An organization: ``owner`` administers IPAM, ``developer`` is in an OU, ``member`` is not."""

    client: Client
    organization_id: str
    root_id: str
    unit_id: str
    owner: str
    developer: str
    member: str
    ipam: Any

    @property
    def organization_arn(self) -> str:
        return f"arn:aws:organizations::{MANAGER}:organization/{self.organization_id}"

    @property
    def unit_arn(self) -> str:
        return f"arn:aws:organizations::{MANAGER}:ou/{self.organization_id}/{self.unit_id}"

    async def ram(self, account_id: str, rpc: str, region: str = HOME, **members: Any) -> Any:
        """What RAM answers an account."""
        return await self.client.acting_as(account_id, region).of(SHARING, rpc, **members)

    async def a_pool(self) -> Any:
        owner = self.client.acting_as(self.owner)
        return await owner.create_pool(self.ipam.private_default_scope_id)

    async def share(self, *resource_arns: str, principals: Any = (), **members: Any) -> str:
        """The ARN of a new share of the owner's."""
        members = {"name": "share", **members}
        answer = await self.ram(
            self.owner,
            "CreateResourceShare",
            resource_arns=resource_arns,
            principals=principals,
            **members,
        )
        return str(answer.resource_share.resource_share_arn)

    async def invitation(self, receiver: str, share_arn: str) -> Any:
        """The last invitation that an account was sent."""
        answer = await self.ram(
            receiver, "GetResourceShareInvitations", resource_share_arns=[share_arn]
        )
        return answer.resource_share_invitations[-1]

    async def accept(self, receiver: str, share_arn: str) -> None:
        invitation = await self.invitation(receiver, share_arn)
        arn = invitation.resource_share_invitation_arn
        await self.ram(receiver, "AcceptResourceShareInvitation", resource_share_invitation_arn=arn)

    async def shares_of_others(self, account_id: str) -> list[str]:
        """What an account sees that others share with it."""
        answer = await self.ram(account_id, "GetResourceShares", resource_owner="OTHER-ACCOUNTS")
        return [share.resource_share_arn for share in answer.resource_shares]

    async def associations(self, kind: str, share_arn: str, **members: Any) -> dict[str, str]:
        """What a share has and had, with its status."""
        answer = await self.ram(
            self.owner,
            "GetResourceShareAssociations",
            association_type=kind,
            resource_share_arns=[share_arn],
            **members,
        )
        found = answer.resource_share_associations
        return {one.associated_entity: word(one, "status") for one in found}


async def a_company(control: Client, *, is_sharing: bool = True) -> Company:
    """The organization of the guide's tutorial, which shares within itself unless told not to."""
    manager = control.acting_as(MANAGER)
    made = await manager.of(ORGANIZATIONS, "CreateOrganization")
    [root] = (await manager.of(ORGANIZATIONS, "ListRoots")).roots
    unit = await manager.of(
        ORGANIZATIONS, "CreateOrganizationalUnit", parent_id=root.id, name="developers"
    )
    owner, developer, member = [await an_account(manager, name) for name in ("o", "d", "m")]
    unit_id = unit.organizational_unit.id
    await move(manager, developer, root.id, unit_id)
    await manager("EnableIpamOrganizationAdminAccount", delegated_admin_account_id=owner)
    if is_sharing:
        await manager.of(SHARING, "EnableSharingWithAwsOrganization")
    return Company(
        client=control,
        organization_id=made.organization.id,
        root_id=root.id,
        unit_id=unit_id,
        owner=owner,
        developer=developer,
        member=member,
        ipam=await control.acting_as(owner).create_ipam(),
    )


async def an_account(manager: Client, name: str) -> str:
    """The id of a new account of an organization."""
    made = await manager.of(
        ORGANIZATIONS, "CreateAccount", email=f"{name}@example.com", account_name=name
    )
    return str(made.create_account_status.account_id)


async def move(manager: Client, account_id: str, source: str, destination: str) -> None:
    await manager.of(
        ORGANIZATIONS,
        "MoveAccount",
        account_id=account_id,
        source_parent_id=source,
        destination_parent_id=destination,
    )


def word(record: Any, member: str) -> str:
    """An enum member in AWS's word."""
    enum_type = record.DESCRIPTOR.fields_by_name[member].enum_type
    return aws_enum_name(enum_type, getattr(record, member))
