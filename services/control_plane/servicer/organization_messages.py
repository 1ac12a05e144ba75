"""AWS Organizations' messages from and to what they mean here."""

from typing import Any

from cadastre.control.organizations.v1 import organizations_service_pb2 as pb
from services.control_plane.messages import proto_number, timestamp_to_proto
from services.control_plane.organizations import ids
from services.control_plane.organizations.account import Account, AccountCreation
from services.control_plane.organizations.organization import (
    ROOT_NAME,
    FeatureSet,
    Organization,
)
from services.control_plane.organizations.policy import (
    SERVICE_CONTROL_POLICY,
    Policy,
    PolicyChange,
)
from services.control_plane.organizations.policy_document import check_document, check_document_of
from services.control_plane.organizations.service_access import Administrator, ServiceAccess
from services.control_plane.organizations.unit import Unit
from shared.rpc.enums import aws_enum_name


def organization_to_proto(
    organization: Organization, management_account: Account
) -> pb.Organization:
    available = [SERVICE_CONTROL_POLICY] if organization.feature_set is FeatureSet.ALL else []
    return pb.Organization(
        id=organization.organization_id,
        arn=_arn(organization, "organization", organization.organization_id),
        feature_set=proto_number(pb.OrganizationFeatureSet, organization.feature_set),
        master_account_arn=_account_arn(organization, management_account.account_id),
        master_account_id=management_account.account_id,
        master_account_email=management_account.email,
        available_policy_types=map(_enabled_type, available),
    )


def root_to_proto(organization: Organization) -> pb.Root:
    enabled = [SERVICE_CONTROL_POLICY] if organization.has_service_control_policies else []
    return pb.Root(
        id=organization.root_id,
        arn=_arn(organization, "root", organization.organization_id, organization.root_id),
        name=ROOT_NAME,
        policy_types=map(_enabled_type, enabled),
    )


def unit_to_proto(organization: Organization, unit: Unit) -> pb.OrganizationalUnit:
    return pb.OrganizationalUnit(
        id=unit.unit_id,
        arn=_arn(organization, "ou", organization.organization_id, unit.unit_id),
        name=unit.name,
        path=unit.path,
    )


def account_to_proto(organization: Organization, account: Account, parent_path: str) -> pb.Account:
    """An account that the root or OU of an entity path holds."""
    return pb.Account(
        **_members_of_account(organization, account),
        paths=[f"{parent_path}{account.account_id}/"],
    )


def creation_to_proto(creation: AccountCreation) -> pb.CreateAccountStatus:
    state = "FAILED" if creation.failure else "SUCCEEDED"
    return pb.CreateAccountStatus(
        id=creation.request_id,
        account_name=creation.account_name,
        state=proto_number(pb.CreateAccountState, state),
        requested_timestamp=timestamp_to_proto(creation.requested_at),
        completed_timestamp=timestamp_to_proto(creation.requested_at),
        account_id=creation.account_id,
        failure_reason=proto_number(pb.CreateAccountFailureReason, creation.failure),
    )


def service_to_proto(access: ServiceAccess) -> pb.EnabledServicePrincipal:
    return pb.EnabledServicePrincipal(
        service_principal=access.service_principal, date_enabled=timestamp_to_proto(access.since)
    )


def administrator_to_proto(
    organization: Organization, administrator: Administrator
) -> pb.DelegatedAdministrator:
    return pb.DelegatedAdministrator(
        **_members_of_account(organization, administrator.account),
        delegation_enabled_date=timestamp_to_proto(administrator.since),
    )


def administered_to_proto(access: ServiceAccess) -> pb.DelegatedService:
    return pb.DelegatedService(
        service_principal=access.service_principal,
        delegation_enabled_date=timestamp_to_proto(access.since),
    )


def policy_to_proto(organization: Organization, policy: Policy) -> pb.Policy:
    return pb.Policy(
        policy_summary=policy_summary_to_proto(organization, policy), content=policy.content
    )


def policy_summary_to_proto(organization: Organization, policy: Policy) -> pb.PolicySummary:
    return pb.PolicySummary(
        id=policy.policy_id,
        arn=_policy_arn(organization, policy),
        name=policy.name,
        description=policy.description,
        type=pb.POLICY_TYPE_SERVICE_CONTROL_POLICY,
        aws_managed=policy.is_aws_managed,
    )


def target_to_proto(
    organization: Organization, target: Organization | Unit | Account
) -> pb.PolicyTargetSummary:
    """What a policy is attached to; ``target`` is the organization itself for its root."""
    match target:
        case Organization():
            return pb.PolicyTargetSummary(
                target_id=target.root_id,
                arn=_arn(organization, "root", organization.organization_id, target.root_id),
                name=ROOT_NAME,
                type=pb.TARGET_TYPE_ROOT,
            )
        case Unit():
            return pb.PolicyTargetSummary(
                target_id=target.unit_id,
                arn=_arn(organization, "ou", organization.organization_id, target.unit_id),
                name=target.name,
                type=pb.TARGET_TYPE_ORGANIZATIONAL_UNIT,
            )
        case Account():
            return pb.PolicyTargetSummary(
                target_id=target.account_id,
                arn=_account_arn(organization, target.account_id),
                name=target.name,
                type=pb.TARGET_TYPE_ACCOUNT,
            )


def feature_set_from_proto(request: pb.CreateOrganizationRequest) -> FeatureSet:
    """All features, when the request doesn't say."""
    if not request.HasField("feature_set"):
        return FeatureSet.ALL
    enum = pb.OrganizationFeatureSet.DESCRIPTOR
    return FeatureSet(aws_enum_name(enum, request.feature_set))


def policy_from_proto(request: pb.CreatePolicyRequest) -> Policy:
    """A new policy as it is asked for; its document is checked here, before anything is locked."""
    return Policy(
        policy_id=ids.new_policy_id(),
        name=request.name,
        description=request.description,
        content=check_document_of(policy_type_from_proto(request.type), request.content),
    )


def policy_change_from_proto(request: pb.UpdatePolicyRequest) -> PolicyChange:
    """What is asked to be changed; likewise."""
    return PolicyChange(
        name=request.name if request.HasField("name") else None,
        description=request.description if request.HasField("description") else None,
        content=check_document(request.content) if request.HasField("content") else None,
    )


def policy_type_from_proto(number: pb.PolicyType.ValueType) -> str:
    """AWS's word for a type of policies."""
    return aws_enum_name(pb.PolicyType.DESCRIPTOR, number)


def parent_to_proto(parent_id: str) -> pb.Parent:
    is_root = ids.ROOT.fullmatch(parent_id)
    parent_type = pb.PARENT_TYPE_ROOT if is_root else pb.PARENT_TYPE_ORGANIZATIONAL_UNIT
    return pb.Parent(id=parent_id, type=parent_type)


def _members_of_account(organization: Organization, account: Account) -> dict[str, Any]:
    return {
        "id": account.account_id,
        "arn": _account_arn(organization, account.account_id),
        "email": account.email,
        "name": account.name,
        "status": pb.ACCOUNT_STATUS_ACTIVE,
        "state": pb.ACCOUNT_STATE_ACTIVE,
        "joined_method": proto_number(pb.AccountJoinedMethod, account.joined_method),
        "joined_timestamp": timestamp_to_proto(account.joined_at),
    }


def _enabled_type(policy_type: str) -> pb.PolicyTypeSummary:
    return pb.PolicyTypeSummary(
        type=proto_number(pb.PolicyType, policy_type), status=pb.POLICY_TYPE_STATUS_ENABLED
    )


def _policy_arn(organization: Organization, policy: Policy) -> str:
    kind = SERVICE_CONTROL_POLICY.lower()
    if policy.is_aws_managed:
        return ids.arn("aws", "policy", kind, policy.policy_id)
    return _arn(organization, "policy", organization.organization_id, kind, policy.policy_id)


def _account_arn(organization: Organization, account_id: str) -> str:
    return _arn(organization, "account", organization.organization_id, account_id)


def _arn(organization: Organization, kind: str, *path: str) -> str:
    return ids.arn(organization.management_account_id, kind, *path)
