"""What requests to Organizations are about, and what conditions can ask of them.

They name by id; the ARN of an id is told by its form and the caller's organization.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from google.protobuf.message import Message

from services.gateway.authorization.members import values
from services.gateway.authorization.organizations import Organization
from shared.rpc.enums import aws_enum_name

_CREATES_POLICY = "CreatePolicy"

_ID_MEMBERS = (
    "account_id",
    "child_id",
    "destination_parent_id",
    "organizational_unit_id",
    "parent_id",
    "policy_id",
    "resource_id",
    "root_id",
    "source_parent_id",
    "target_id",
)
_POLICY_TYPE_MEMBERS = ("filter", "policy_type", "type")

_POLICY = "p-"
_KINDS: Mapping[str, str] = {"ou-": "ou", "r-": "root"}
"""By an id's prefix, the kind of what is neither a policy nor an account."""
_POLICY_TYPE = "SERVICE_CONTROL_POLICY"
"""Of all policies there are."""
_AWS_MANAGED = "p-FullAWSAccess"


def entity_arns(action: str, request: Message, organization: Organization | None) -> Sequence[str]:
    """The ARN of everything that a request is about: of accounts, OUs, roots and policies.

    Nothing when the caller is in no organization, which then has nothing to name.
    """
    if organization is None:
        return []
    ids = list(_ids(request))
    if action == _CREATES_POLICY:
        ids.append(f"{_POLICY}*")
    return [arn for entity_id in ids for arn in _arns_of(entity_id, organization)]


def organization_keys(request: Message) -> Mapping[str, Sequence[str]]:
    """Organizations' own keys, of those that a request tells."""
    return {
        "organizations:PolicyType": sorted(set(_policy_types(request))),
        "organizations:ServicePrincipal": values(request, "service_principal"),
    }


def _ids(request: Message) -> Iterator[str]:
    for member in _ID_MEMBERS:
        yield from values(request, member)


def _arns_of(entity_id: str, organization: Organization) -> Iterator[str]:
    """One; none for what is no id."""
    owner, path = organization.management_account_id, organization.organization_id
    if entity_id == _AWS_MANAGED:
        yield f"arn:aws:organizations::aws:policy/{_POLICY_TYPE.lower()}/{entity_id}"
    elif entity_id.startswith(_POLICY):
        path = f"{path}/{_POLICY_TYPE.lower()}"
        yield f"arn:aws:organizations::{owner}:policy/{path}/{entity_id}"
    elif entity_id.isdecimal():
        yield f"arn:aws:organizations::{owner}:account/{path}/{entity_id}"
    else:
        for prefix, kind in _KINDS.items():
            if entity_id.startswith(prefix):
                yield f"arn:aws:organizations::{owner}:{kind}/{path}/{entity_id}"


def _policy_types(request: Message) -> Iterator[str]:
    for member in _POLICY_TYPE_MEMBERS:
        if number := getattr(request, member, 0):
            field: Any = request.DESCRIPTOR.fields_by_name[member]
            yield aws_enum_name(field.enum_type, number)
    if any(entity_id.startswith(_POLICY) for entity_id in _ids(request)):
        yield _POLICY_TYPE
