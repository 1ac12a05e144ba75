"""What those may do with whom something is shared: RAM's managed permissions (ORG-4)."""

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias

from cadastre.control.sharing.v1 import sharing_service_pb2 as pb
from services.gateway.console.forms import Choice, Field, Kind, Values
from services.gateway.console.visit import Visit

_FIELDS: Mapping[str, tuple[str, str]] = {
    "ec2:IpamPool": ("permission_of_pools", "Permission for IPAM pools"),
    "ec2:IpamResourceDiscovery": (
        "permission_of_resource_discoveries",
        "Permission for resource discoveries",
    ),
}
"""By type of resource: the field's name and label."""

PermissionsOfType: TypeAlias = Sequence[pb.ResourceSharePermissionSummary]


async def permissions_to_choose(visit: Visit) -> Mapping[str, PermissionsOfType]:
    """By type of resource, of which each has more than one."""
    answer = await visit.api.call(pb.ListPermissionsRequest(), pb.ListPermissionsResponse)
    in_order = sorted(answer.permissions, key=_type_of)
    of_types = {kind: list(some) for kind, some in groupby(in_order, _type_of)}
    return {kind: some for kind, some in of_types.items() if kind in _FIELDS and len(some) > 1}


async def permissions_of(visit: Visit, share_arn: str) -> PermissionsOfType:
    """Those of one share, each of another type."""
    request = pb.ListResourceSharePermissionsRequest(resource_share_arn=share_arn)
    answer = await visit.api.call(request, pb.ListResourceSharePermissionsResponse)
    return answer.permissions


async def permission_fields(
    visit: Visit, of_types: Mapping[str, PermissionsOfType], taken: Collection[str] = ()
) -> Sequence[Field]:
    """One for each type, to choose one of its permissions.

    The one whose ARN is in ``taken`` is chosen at first, or else the type's default.
    """
    return [await _field(visit, kind, some, taken) for kind, some in of_types.items()]


async def _field(
    visit: Visit, kind: str, permissions: PermissionsOfType, taken: Collection[str]
) -> Field:
    details = await asyncio.gather(*(_detail(visit, one.arn) for one in permissions))
    default = next((one.arn for one in permissions if one.is_resource_type_default), "")
    name, label = _FIELDS[kind]
    return Field(
        name,
        label,
        Kind.CHOICE,
        choices=[
            Choice(one.arn, one.name, "default" if one.arn == default else "")
            for one in permissions
        ],
        value=next((one.arn for one in permissions if one.arn in taken), default),
        help=" ".join(f"{one.name} allows {_actions_of(one)}." for one in details),
    )


async def _detail(visit: Visit, arn: str) -> pb.ResourceSharePermissionDetail:
    request = pb.GetPermissionRequest(permission_arn=arn)
    return (await visit.api.call(request, pb.GetPermissionResponse)).permission


def _actions_of(permission: pb.ResourceSharePermissionDetail) -> str:
    return ", ".join(json.loads(permission.permission)["Action"])


def _type_of(permission: pb.ResourceSharePermissionSummary) -> str:
    return permission.resource_type


def chosen_permissions(values: Values) -> Sequence[str]:
    """The ARNs that were chosen in the fields of `permission_fields`."""
    return [arn for name, _ in _FIELDS.values() if (arn := values.text(name))]
