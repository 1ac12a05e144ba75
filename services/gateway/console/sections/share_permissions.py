"""What those may do with whom something is shared: RAM's managed permissions (ORG-4)."""

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias

from cadastre.control.sharing.v1 import sharing_service_pb2 as pb
from services.gateway.console.forms import Choice, Field, Kind, Values
from services.gateway.console.visit import Visit
from shared.errors import CadastreError, Denied, kind_of

_FIELDS: Mapping[str, tuple[str, str]] = {
    "ec2:IpamPool": ("permission_of_pools", "Permission for IPAM pools"),
    "ec2:IpamResourceDiscovery": (
        "permission_of_resource_discoveries",
        "Permission for resource discoveries",
    ),
}
"""By type of resource: the field's name and label."""

Permissions: TypeAlias = Sequence[pb.ResourceSharePermissionSummary]


async def permissions_to_choose(visit: Visit) -> Mapping[str, Permissions]:
    """By type of resource, of which each has more than one."""
    answer = await visit.api.call(pb.ListPermissionsRequest(), pb.ListPermissionsResponse)
    in_order = sorted(answer.permissions, key=_type_of)
    of_types = {kind: list(some) for kind, some in groupby(in_order, _type_of)}
    return {kind: some for kind, some in of_types.items() if kind in _FIELDS and len(some) > 1}


async def permissions_to_offer(visit: Visit) -> Mapping[str, Permissions]:
    """The same; none if the caller may not see them: then shares have the defaults."""
    try:
        return await permissions_to_choose(visit)
    except CadastreError as refusal:
        if kind_of(refusal) is Denied:
            return {}
        raise


async def permissions_of(visit: Visit, share_arn: str) -> Permissions:
    """Those of one share, at most one for each type of resource."""
    request = pb.ListResourceSharePermissionsRequest(resource_share_arn=share_arn)
    answer = await visit.api.call(request, pb.ListResourceSharePermissionsResponse)
    return answer.permissions


def defaults_of(of_types: Mapping[str, Permissions]) -> Collection[str]:
    """The ARNs of those that a share has unless others are asked for."""
    return {one.arn for some in of_types.values() for one in some if one.is_resource_type_default}


async def permission_fields(
    visit: Visit, of_types: Mapping[str, Permissions], taken: Collection[str] = ()
) -> Sequence[Field]:
    """One for each type, to choose one of its permissions.

    The one whose ARN is in ``taken`` is chosen at first, or else the type's default.
    """
    return await asyncio.gather(
        *(_field(visit, kind, some, taken) for kind, some in of_types.items())
    )


async def _field(
    visit: Visit, kind: str, permissions: Permissions, taken: Collection[str]
) -> Field:
    default = next((one.arn for one in permissions if one.is_resource_type_default), "")
    name, label = _FIELDS[kind]
    return Field(
        name,
        label,
        Kind.CHOICE,
        is_required=True,
        choices=[
            Choice(one.arn, one.name, "default" if one.arn == default else "")
            for one in permissions
        ],
        value=next((one.arn for one in permissions if one.arn in taken), default),
        help=await _explanation(visit, permissions),
    )


async def _explanation(visit: Visit, permissions: Permissions) -> str:
    """What each allows, if the caller may know."""
    requests = [pb.GetPermissionRequest(permission_arn=one.arn) for one in permissions]
    try:
        answers = await visit.api.gather(*((one, pb.GetPermissionResponse) for one in requests))
    except CadastreError as refusal:
        if kind_of(refusal) is Denied:
            return ""
        raise
    details = [answer.permission for answer in answers]
    return " ".join(f"{one.name} allows {_actions_of(one)}." for one in details)


def _actions_of(permission: pb.ResourceSharePermissionDetail) -> str:
    return ", ".join(json.loads(permission.permission)["Action"])


def _type_of(permission: pb.ResourceSharePermissionSummary) -> str:
    return permission.resource_type


def chosen_permissions(values: Values) -> Sequence[str]:
    """The ARNs that were chosen in the fields of `permission_fields`."""
    return [arn for name, _ in _FIELDS.values() if (arn := values.text(name))]
