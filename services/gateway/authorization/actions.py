"""A call as policies speak of it: its action, its resources, the keys of its context."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeAlias

from botocore import xform_name
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from cadastre.common.v1 import options_pb2
from services.gateway.authorization.evaluation import ANY_RESOURCE
from services.gateway.authorization.members import values
from services.gateway.authorization.organization_requests import entity_arns, organization_keys
from services.gateway.authorization.organizations import Organization
from services.gateway.authorization.share_requests import share_arns, share_keys
from services.gateway.routes import Rpc
from shared.caller import Caller
from shared.ids import arn

_EC2, _IAM, _ORGANIZATIONS, _RAM = "ec2", "iam", "organizations", "ram"
SERVICE_PREFIXES: Mapping[str, str] = {
    "cadastre.allocation.v1": _EC2,
    "cadastre.common.quotas.v1": "servicequotas",
    "cadastre.common.tags.v1": _EC2,
    "cadastre.common.v1": "cloudtrail",
    "cadastre.control.iam.v1": _IAM,
    "cadastre.control.organizations.v1": _ORGANIZATIONS,
    "cadastre.control.sharing.v1": _RAM,
    "cadastre.control.v1": _EC2,
    "cadastre.discovery.billing.v1": "ce",
    "cadastre.discovery.v1": _EC2,
    "cadastre.metrics.v1": "cloudwatch",
    "cadastre.network.v1": _EC2,
}
"""What AWS calls the service whose operations a contract's package has."""

_RESOURCE_TYPES: Mapping[str, str] = {
    "acl-": "network-acl",
    "eipalloc-": "elastic-ip",
    "eni-": "network-interface",
    "i-": "instance",
    "ipam-": "ipam",
    "ipam-ext-res-ver-token-": "ipam-external-resource-verification-token",
    "ipam-internet-registry-assoc-": "ipam-internet-registry-association",
    "ipam-plr-": "ipam-prefix-list-resolver",
    "ipam-plrt-": "ipam-prefix-list-resolver-target",
    "ipam-policy-": "ipam-policy",
    "ipam-pool-": "ipam-pool",
    "ipam-pool-alloc-": "ipam-pool-allocation",
    "ipam-res-disco-": "ipam-resource-discovery",
    "ipam-res-disco-assoc-": "ipam-resource-discovery-association",
    "ipam-scope-": "ipam-scope",
    "ipv4pool-ec2-": "ipv4pool-ec2",
    "pl-": "prefix-list",
    "rtb-": "route-table",
    "sg-": "security-group",
    "subnet-": "subnet",
    "vpc-": "vpc",
}
"""By an id's prefix, what is a resource to policies."""
_REGIONAL_TYPES = frozenset(
    {
        "elastic-ip",
        "instance",
        "ipv4pool-ec2",
        "network-acl",
        "network-interface",
        "prefix-list",
        "route-table",
        "security-group",
        "subnet",
        "vpc",
    }
)
_PART_OF_POOL = "ipam-pool-allocation"

_CREATING = "Create"
_UNNAMED_TYPES: Mapping[str, str] = {
    "AllocateAddress": "elastic-ip",
    "AssociateIpamResourceDiscovery": "ipam-resource-discovery-association",
    "CreateManagedPrefixList": "prefix-list",
    "CreatePublicIpv4Pool": "ipv4pool-ec2",
    "DisassociateAddress": "elastic-ip",
    "DisassociateSubnetCidrBlock": "subnet",
    "DisassociateVpcCidrBlock": "vpc",
    "RunInstances": "instance",
}
"""What an action is about though its request can't name it, where its own name doesn't say so."""

_FURTHER_ACTIONS: Mapping[str, Sequence[str]] = {
    "MoveByoipCidrToIpam": ("ImportByoipCidrToIpam",),
}
"""Permissions that an operation needs besides the one that has its name (BYOIP-6)."""

_KEYS_BY_MEMBER: Mapping[str, str] = {
    "aws_service_name": "iam:AWSServiceName",
    "ipv4_ipam_pool_id": "ec2:Ipv4IpamPoolId",
    "ipv6_ipam_pool_id": "ec2:Ipv6IpamPoolId",
    "namespace": "cloudwatch:namespace",
}

_IPAM_ROLE = "aws-service-role/ipam.amazonaws.com/AWSServiceRoleForIPAM"
_ROLES_BY_MEMBER: Mapping[str, Mapping[str, str]] = {
    "aws_service_name": {"ipam.amazonaws.com": _IPAM_ROLE},
    "role_name": {"AWSServiceRoleForIPAM": _IPAM_ROLE},
}
"""The path and name of the service-linked role that a member of IAM's requests means."""

_SESSION = re.compile(r"arn:aws:sts::(\d{12}):assumed-role/([^/]+)/.+")

_Ids: TypeAlias = Callable[[str], str | None]
"""From an id to its type of resource; None: it isn't one to policies."""


@cache
def actions_of(rpc: Rpc) -> Sequence[str]:
    """What a caller has to be allowed, by its name in policies: ``ec2:CreateVpc``."""
    names = (rpc.descriptor.name, *_FURTHER_ACTIONS.get(rpc.descriptor.name, ()))
    return [f"{_prefix_of(rpc)}:{name}" for name in names]


def resources_of(
    rpc: Rpc, request: Message, caller: Caller, organization: Organization | None = None
) -> Sequence[str]:
    """The ARN of everything that ``request`` is about.

    ``organization`` is the caller's, which tells the ARN of what is in it. What a request to EC2
    names by id is taken for the caller's own, as nobody here knows whose it is.
    """
    prefix, action = _prefix_of(rpc), rpc.descriptor.name
    found: Sequence[str] = []
    if prefix == _EC2:
        found = [_arn(caller, *named) for named in _ec2_resources(rpc, request)]
    elif prefix == _IAM:
        found = list(_iam_arns(request, caller))
    elif prefix == _ORGANIZATIONS:
        found = entity_arns(action, request, organization)
    elif prefix == _RAM:
        found = share_arns(action, request, caller)
    return found or [ANY_RESOURCE]


def context_keys(
    rpc: Rpc, request: Message, caller: Caller, now: datetime
) -> Mapping[str, Sequence[str]]:
    """What conditions can ask about ``request``, but for its caller's organization."""
    tags = list(_tags_in(request))
    keys: dict[str, Sequence[str]] = {
        **principal_keys(caller, now),
        **_own_keys(rpc, request),
        "aws:TagKeys": [*(tag.key for tag in tags), *values(request, "tag_keys")],
    }
    keys.update((f"aws:RequestTag/{tag.key}", [tag.value]) for tag in tags)
    return keys


def _own_keys(rpc: Rpc, request: Message) -> Mapping[str, Sequence[str]]:
    """Those of the service alone."""
    prefix = _prefix_of(rpc)
    if prefix == _ORGANIZATIONS:
        return organization_keys(request)
    if prefix == _RAM:
        return share_keys(rpc.descriptor.name, request)
    return {key: values(request, name) for name, key in _KEYS_BY_MEMBER.items()}


def principal_keys(caller: Caller, now: datetime) -> Mapping[str, Sequence[str]]:
    """What conditions can ask about whatever ``caller`` does, but for its organization."""
    user = user_arn(caller.account_id, "")
    is_user = caller.principal.startswith(user)
    return {
        "aws:CurrentTime": [now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")],
        "aws:PrincipalAccount": [caller.account_id],
        "aws:PrincipalArn": [_role_of_session(caller.principal)],
        "aws:RequestedRegion": [caller.region],
        # TLS ends in front of the gateway, if anywhere.
        "aws:SecureTransport": ["false"],
        "aws:username": [caller.principal.removeprefix(user)] if is_user else [],
    }


def _role_of_session(principal: str) -> str:
    """Policies mean the role, whatever the session is called; others are whom they say."""
    return _SESSION.sub(r"arn:aws:iam::\1:role/\2", principal)


def user_arn(account_id: str, user_name: str) -> str:
    """``arn:aws:iam::123456789012:user/alice``."""
    return f"arn:aws:iam::{account_id}:user/{user_name}"


def _prefix_of(rpc: Rpc) -> str:
    return SERVICE_PREFIXES[rpc.descriptor.containing_service.file.package]


def _ec2_resources(rpc: Rpc, request: Message) -> Sequence[tuple[str, str]]:
    """Types and ids."""
    unnamed = _unnamed_type(rpc.descriptor.name)
    found = [(unnamed, "*")] if unnamed else []
    for name, type_of in _id_members(rpc.descriptor.input_type):
        for value in values(request, name):
            resource_type = type_of(value)
            if resource_type:
                found.append((resource_type, value))
    types = {resource_type for resource_type, _ in found}
    if types == {"ipam-pool", _PART_OF_POOL}:
        # With its pool named, an allocation is to AWS a part of that and nothing by itself.
        found = [named for named in found if named[0] != _PART_OF_POOL]
    return found


@cache
def _unnamed_type(action: str) -> str | None:
    """``CreateVpc`` is about a ``vpc`` that has no id yet."""
    created = xform_name(action.removeprefix(_CREATING), "-")
    if action.startswith(_CREATING) and created in _RESOURCE_TYPES.values():
        return created
    return _UNNAMED_TYPES.get(action)


@cache
def _id_members(request_type: Descriptor) -> Sequence[tuple[str, _Ids]]:
    """The members that name resources, by the rules of their contract."""
    # AWS knows no permission to see single entries of a list.
    is_list = request_type.name.startswith("Describe")
    found: list[tuple[str, _Ids]] = []
    for field in request_type.fields:
        rules = field.GetOptions().Extensions[options_pb2.rules]
        prefixes = [rules.id_prefix] if rules.id_prefix else list(rules.id_prefixes)
        if prefixes and not (is_list and field.is_repeated):
            found.append((field.name, _type_by_prefix(prefixes)))
    return found


def _type_by_prefix(prefixes: Iterable[str]) -> _Ids:
    # One may begin another: "ipam-", "ipam-pool-".
    longest_first = sorted(prefixes, key=len, reverse=True)

    def type_of(value: str) -> str | None:
        prefix = next((prefix for prefix in longest_first if value.startswith(prefix)), "")
        return _RESOURCE_TYPES.get(prefix)

    return type_of


def _arn(caller: Caller, resource_type: str, resource_id: str) -> str:
    if resource_type in _REGIONAL_TYPES:
        return f"arn:aws:ec2:{caller.region}:{caller.account_id}:{resource_type}/{resource_id}"
    return arn(caller.account_id, resource_type, resource_id)


def _iam_arns(request: Message, caller: Caller) -> Iterator[str]:
    """IAM's requests name by name. Who gives no user's means itself."""
    fields = request.DESCRIPTOR.fields_by_name
    if "user_name" in fields:
        [name] = values(request, "user_name") or [""]
        yield user_arn(caller.account_id, name) if name else caller.principal
    for member, resource in _ROLES_BY_MEMBER.items():
        for value in values(request, member):
            yield f"arn:aws:iam::{caller.account_id}:role/{resource.get(value, value)}"


def _tags_in(request: Message) -> Iterator[Any]:
    """Tags that the request sets or removes, on what there is and on what it creates."""
    yield from values(request, "tags")
    for specification in values(request, "tag_specifications"):
        yield from specification.tags
