"""What RAM's requests are about, and what conditions can ask of them.

As AWS's service authorization reference has it: a request about a share is about that alone, and
what it adds or takes out is for conditions.
"""

from collections.abc import Iterator, Mapping, Sequence

from google.protobuf.message import Message

from services.gateway.authorization.members import values
from shared.caller import Caller
from shared.rpc.method import is_reading

_CREATES = "CreateResourceShare"
_READ_ONE = frozenset(
    {"GetPermission", "ListPendingInvitationResources", "ListResourceSharePermissions"}
)
"""The reading actions that are about something; for others an ARN only narrows a list."""

_ARN_MEMBERS = (
    "permission_arn",
    "resource_arn",
    "resource_share_arn",
    "resource_share_invitation_arn",
)
_TYPES: Mapping[str, str] = {
    "ipam-pool": "ec2:IpamPool",
    "ipam-resource-discovery": "ec2:IpamResourceDiscovery",
}
"""From the type in an ARN to RAM's name of it."""


def share_arns(action: str, request: Message, caller: Caller) -> Sequence[str]:
    """The ARN of everything that a request is about: of shares, invitations and permissions."""
    if action == _CREATES:
        return [f"arn:aws:ram:{caller.region}:{caller.account_id}:resource-share/*"]
    if _is_list(action):
        return []
    return [arn for member in _ARN_MEMBERS for arn in values(request, member)]


def share_keys(action: str, request: Message) -> Mapping[str, Sequence[str]]:
    """RAM's own keys, of those that a request tells."""
    if _is_list(action):
        return {}
    arns = values(request, "resource_arns")
    invitations = values(request, "resource_share_invitation_arn")
    return {
        "ram:PermissionArn": values(request, "permission_arn"),
        "ram:Principal": values(request, "principals"),
        "ram:RequestedAllowsExternalPrincipals": list(_allows_external(action, request)),
        "ram:RequestedResourceType": sorted({name for arn in arns for name in _types_of(arn)}),
        "ram:ResourceArn": arns,
        # Who shares is whose the invitation is.
        "ram:ShareOwnerAccountId": [arn.split(":")[4] for arn in invitations if arn.count(":") > 4],
    }


def _is_list(action: str) -> bool:
    return is_reading(action) and action not in _READ_ONE


def _allows_external(action: str, request: Message) -> Iterator[str]:
    name = "allow_external_principals"
    if name in request.DESCRIPTOR.fields_by_name and request.HasField(name):
        yield str(getattr(request, name)).lower()
    elif action == _CREATES:
        # What a new share does if nothing is said: no policy is got round by silence.
        yield "true"


def _types_of(arn: str) -> Iterator[str]:
    resource_type = arn.rpartition(":")[2].partition("/")[0]
    if resource_type in _TYPES:
        yield _TYPES[resource_type]
