"""ARNs of shares, and of what can be shared (aws-contract.md section 2)."""

import enum
import re
from dataclasses import dataclass

from services.control_plane.sharing.errors import InvalidParameter, MalformedArn

_RESOURCE = re.compile(
    r"arn:aws:ec2::(?P<owner>\d{12}):(?P<kind>ipam-pool|ipam-resource-discovery)"
    r"/(?P<id>ipam-(pool|res-disco)-[0-9a-f]{8,40})",
    re.ASCII,
)
_RESOURCE_FORM = (
    "arn:aws:ec2::123456789012:ipam-pool/ipam-pool-… or"
    " arn:aws:ec2::123456789012:ipam-resource-discovery/ipam-res-disco-…"
)
_SHARE = re.compile(r"arn:aws:ram:[a-z0-9-]+:\d{12}:resource-share/[0-9a-fA-F-]{36}", re.ASCII)
_INVITATION = re.compile(
    r"arn:aws:ram:[a-z0-9-]+:\d{12}:resource-share-invitation/[0-9a-fA-F-]{36}", re.ASCII
)


class ResourceType(enum.StrEnum):
    """What can be shared, in RAM's words."""

    IPAM_POOL = "ec2:IpamPool"
    IPAM_RESOURCE_DISCOVERY = "ec2:IpamResourceDiscovery"


_TYPE_BY_KIND = {
    "ipam-pool": ResourceType.IPAM_POOL,
    "ipam-resource-discovery": ResourceType.IPAM_RESOURCE_DISCOVERY,
}


@dataclass(frozen=True, slots=True)
class ResourceArn:
    """The ARN of something that can be shared, and what it says."""

    arn: str
    resource_type: ResourceType
    owner_id: str
    resource_id: str


def resource_arn(arn: str) -> ResourceArn:
    """What the ARN of a pool or a resource discovery says.

    Raises:
        MalformedArn: it is the ARN of neither.
    """
    found = _RESOURCE.fullmatch(arn)
    if not found:
        raise MalformedArn(arn, _RESOURCE_FORM)
    return ResourceArn(arn, _TYPE_BY_KIND[found["kind"]], found["owner"], found["id"])


def share_arn(region: str, owner_id: str, share_id: str) -> str:
    """The ARN of a share whose id is a UUID."""
    return f"arn:aws:ram:{region}:{owner_id}:resource-share/{share_id}"


def invitation_arn(region: str, sender_id: str, invitation_id: str) -> str:
    """The ARN of an invitation whose id is a UUID."""
    return f"arn:aws:ram:{region}:{sender_id}:resource-share-invitation/{invitation_id}"


def check_share_arn(arn: str) -> str:
    """``arn`` itself, when a share can have it.

    Raises:
        MalformedArn: none can.
    """
    if not _SHARE.fullmatch(arn):
        raise MalformedArn(arn, share_arn("us-east-1", "123456789012", "…"))
    return arn


def check_invitation_arn(arn: str) -> str:
    """``arn`` itself, when an invitation can have it.

    Raises:
        MalformedArn: none can.
    """
    if not _INVITATION.fullmatch(arn):
        raise MalformedArn(arn, invitation_arn("us-east-1", "123456789012", "…"))
    return arn


def resource_type(name: str) -> ResourceType:
    """The type of that name, in whatever case.

    Raises:
        InvalidParameter: nothing of that type can be shared.
    """
    for known in ResourceType:
        if known.lower() == name.lower():
            return known
    raise InvalidParameter(
        f"The resource type '{name}' is none that can be shared; use {' or '.join(ResourceType)}",
        resource_type=name,
    )
