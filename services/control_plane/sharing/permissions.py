"""The managed permissions: what a share lets its principals do with its resources (ORG-4)."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from services.control_plane.sharing.arns import ResourceType
from services.control_plane.sharing.errors import InvalidParameter, MalformedArn, UnknownResource

VERSION = 1
"""Of every permission: none was ever changed."""

_PREFIX = "arn:aws:ram::aws:permission/"
_ARN = re.compile(r"arn:aws:ram::(aws|\d{12}):permission/[A-Za-z0-9_.-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """A permission that AWS manages."""

    name: str
    resource_type: ResourceType
    actions: tuple[str, ...]
    is_default: bool
    """New shares of its type of resource get it when they ask for none."""
    created_at: datetime

    @property
    def arn(self) -> str:
        return _PREFIX + self.name

    @property
    def document(self) -> str:
        """What it allows, in JSON as RAM prints it."""
        content = {"Effect": "Allow", "Action": self.actions}
        return json.dumps(content, separators=(",", ":"))

    @property
    def lets_allocate(self) -> bool:
        """Who has it for a pool may see what is in it, allocate and release."""
        return "ec2:AllocateIpamPoolCidr" in self.actions

    @property
    def lets_import(self) -> bool:
        """Who has it for a pool may move to it what it brought along without an IPAM (BYOIP-6)."""
        return "ec2:ImportByoipCidrToIpam" in self.actions


PERMISSIONS = (
    Permission(
        name="AWSRAMDefaultPermissionsIpamPool",
        resource_type=ResourceType.IPAM_POOL,
        actions=(
            "ec2:AllocateAddress",
            "ec2:AllocateIpamPoolCidr",
            "ec2:AssociateVpcCidrBlock",
            "ec2:CreateVpc",
            "ec2:GetIpamPoolAllocations",
            "ec2:GetIpamPoolCidrs",
            "ec2:ProvisionPublicIpv4PoolCidr",
            "ec2:ReleaseIpamPoolAllocation",
        ),
        is_default=True,
        created_at=datetime(2022, 6, 30, 20, 4, 29, 335000, UTC),
    ),
    Permission(
        name="AWSRAMPermissionIpamPoolByoipCidrImport",
        resource_type=ResourceType.IPAM_POOL,
        actions=("ec2:ImportByoipCidrToIpam",),
        is_default=False,
        created_at=datetime(2022, 6, 30, 20, 3, 55, 32000, UTC),
    ),
    Permission(
        name="AWSRAMPermissionIpamResourceDiscovery",
        resource_type=ResourceType.IPAM_RESOURCE_DISCOVERY,
        actions=(
            "ec2:AssociateIpamResourceDiscovery",
            "ec2:GetIpamDiscoveredAccounts",
            "ec2:GetIpamDiscoveredPublicAddresses",
            "ec2:GetIpamDiscoveredResourceCidrs",
        ),
        is_default=True,
        # The day that AWS let discoveries be shared.
        created_at=datetime(2023, 1, 25, tzinfo=UTC),
    ),
)
"""In the order of their names, as they are listed."""

Permissions = Mapping[ResourceType, Permission]

_BY_ARN = {permission.arn: permission for permission in PERMISSIONS}
_DEFAULTS = {known.resource_type: known for known in PERMISSIONS if known.is_default}


def permission(arn: str, version: int | None = None) -> Permission:
    """The permission of this ARN; ``version``, if given, is the only one there is.

    Raises:
        MalformedArn: no permission could have it.
        UnknownResource: no permission has it, or not in this version.
    """
    if not _ARN.fullmatch(arn):
        raise MalformedArn(arn, f"{_PREFIX}…")
    if arn not in _BY_ARN:
        raise UnknownResource(
            f"The permission '{arn}' does not exist; use one of {', '.join(_BY_ARN)}",
            permission_arn=arn,
        )
    if version not in (None, VERSION):
        raise UnknownResource(
            f"The permission '{arn}' has no version {version}; use {VERSION}",
            permission_arn=arn,
            permission_version=version,
        )
    return _BY_ARN[arn]


def chosen(arns: Iterable[str]) -> dict[ResourceType, Permission]:
    """The permissions of these ARNs by the type they are for.

    Raises:
        MalformedArn, UnknownResource: as `permission`.
        InvalidParameter: two are for one type of resource.
    """
    found: dict[ResourceType, Permission] = {}
    for wanted in map(permission, arns):
        other = found.setdefault(wanted.resource_type, wanted)
        if other != wanted:
            raise InvalidParameter(
                f"{other.arn} and {wanted.arn} are both for {wanted.resource_type}; a share has one"
                " permission for each type of resource, so name one of them",
                resource_type=wanted.resource_type,
            )
    return found


def completed(permissions: Permissions, types: Iterable[ResourceType]) -> Permissions:
    """``permissions``, and the default ones for those of ``types`` that have none yet."""
    return {**{kind: _DEFAULTS[kind] for kind in types}, **permissions}
