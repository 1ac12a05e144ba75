"""The contract's messages about IPAM policies, from and to what they mean here."""

from cadastre.control.v1 import policy_service_pb2 as pb
from services.control_plane.ipam_policies.policy import IpamPolicy, PolicyDocument, ResourceType
from services.control_plane.ipam_policies.targets import InForce, Target
from services.control_plane.messages import proto_number
from shared.ids import arn
from shared.rpc.enums import aws_enum_name
from shared.tags import tags_to_proto


def policy_to_proto(policy: IpamPolicy) -> pb.IpamPolicy:
    return pb.IpamPolicy(
        owner_id=policy.owner_id,
        ipam_policy_id=policy.ipam_policy_id,
        ipam_policy_arn=arn(policy.owner_id, "ipam-policy", policy.ipam_policy_id),
        ipam_policy_region=policy.ipam_region,
        state=proto_number(pb.IpamPolicyState, policy.state),
        state_message=policy.state_message,
        tags=tags_to_proto(policy.tags),
        ipam_id=policy.ipam_id,
    )


def document_to_proto(ipam_policy_id: str, document: PolicyDocument) -> pb.IpamPolicyDocument:
    return pb.IpamPolicyDocument(
        ipam_policy_id=ipam_policy_id,
        locale=document.locale,
        resource_type=proto_number(pb.IpamPolicyResourceType, document.resource_type),
        allocation_rules=[
            pb.IpamPolicyAllocationRule(source_ipam_pool_id=pool_id)
            for pool_id in document.ipam_pool_ids
        ],
    )


def document_from_proto(request: pb.ModifyIpamPolicyAllocationRulesRequest) -> PolicyDocument:
    return PolicyDocument(
        locale=request.locale,
        resource_type=resource_type_from_proto(request.resource_type),
        ipam_pool_ids=tuple(rule.source_ipam_pool_id for rule in request.allocation_rules),
    )


def resource_type_from_proto(number: pb.IpamPolicyResourceType.ValueType) -> ResourceType:
    return ResourceType(aws_enum_name(pb.IpamPolicyResourceType.DESCRIPTOR, number))


def target_to_proto(target: Target) -> pb.IpamPolicyOrganizationTarget:
    return pb.IpamPolicyOrganizationTarget(organization_target_id=target.target_id)


def in_force_to_proto(found: InForce | None) -> pb.GetEnabledIpamPolicyResponse:
    if found is None:
        return pb.GetEnabledIpamPolicyResponse(ipam_policy_enabled=False)
    return pb.GetEnabledIpamPolicyResponse(
        ipam_policy_enabled=True,
        ipam_policy_id=found.ipam_policy_id,
        managed_by=proto_number(pb.IpamPolicyManagedBy, found.managed_by),
    )
