"""IpamPolicyService: messages to use cases and back."""

from collections.abc import Iterator

from cadastre.control.v1 import policy_service_pb2 as pb
from cadastre.control.v1 import policy_service_pb2_grpc
from services.control_plane.ipam_policies.policy import IpamPolicy, PolicyDocument
from services.control_plane.quotas import Quotas
from services.control_plane.service import ipam_policies, ipam_policy_targets
from services.control_plane.service.ipam_policies_in_force import policy_in_force
from services.control_plane.service.ports import Commands, Reader
from services.control_plane.servicer.ipam_policy_messages import (
    document_from_proto,
    document_to_proto,
    in_force_to_proto,
    policy_to_proto,
    resource_type_from_proto,
    target_to_proto,
)
from services.control_plane.servicer.listings import Listing
from services.control_plane.servicer.once import once_of
from shared.filters import FilterSet
from shared.ids import IPAM_POLICY
from shared.paging import paginate
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of
from shared.tags import tags_from_specifications

_POLICIES: Listing[IpamPolicy, pb.IpamPolicy] = Listing(
    IPAM_POLICY,
    lambda policy: policy.ipam_policy_id,
    lambda rows: rows.ipam_policies.visible,
    pb.IpamPolicy.DESCRIPTOR,
    policy_to_proto,
)


class IpamPolicyServicer(policy_service_pb2_grpc.IpamPolicyServiceServicer):
    """Translates; what is decided is decided in ``service``."""

    def __init__(self, reader: Reader, commands: Commands, quotas: Quotas) -> None:
        self._reader, self._commands, self._quotas = reader, commands, quotas

    async def CreateIpamPolicy(
        self, request: pb.CreateIpamPolicyRequest, context: Context
    ) -> pb.CreateIpamPolicyResponse:
        caller = caller_of(context)
        tags = tags_from_specifications(request.tag_specifications, "ipam-policy")
        answer = await self._commands.create(
            lambda rows: ipam_policies.create_policy(
                rows, caller, request.ipam_id, tags, self._quotas
            ),
            lambda policy: pb.CreateIpamPolicyResponse(ipam_policy=policy_to_proto(policy)),
            once=once_of(request, caller),
            dry_run=request.dry_run,
        )
        return pb.CreateIpamPolicyResponse.FromString(answer)

    async def DescribeIpamPolicies(
        self, request: pb.DescribeIpamPoliciesRequest, context: Context
    ) -> pb.DescribeIpamPoliciesResponse:
        caller, ids = caller_of(context), request.ipam_policy_ids
        records, token = await self._reader.read(
            lambda rows: _POLICIES.page(rows, caller, request, ids)
        )
        return pb.DescribeIpamPoliciesResponse(ipam_policies=records, next_token=token)

    async def DeleteIpamPolicy(
        self, request: pb.DeleteIpamPolicyRequest, context: Context
    ) -> pb.DeleteIpamPolicyResponse:
        caller = caller_of(context)
        policy = await self._commands.change(
            lambda rows: ipam_policies.delete_policy(rows, caller, request.ipam_policy_id),
            dry_run=request.dry_run,
        )
        return pb.DeleteIpamPolicyResponse(ipam_policy=policy_to_proto(policy))

    async def EnableIpamPolicy(
        self, request: pb.EnableIpamPolicyRequest, context: Context
    ) -> pb.EnableIpamPolicyResponse:
        caller, target_id = caller_of(context), request.organization_target_id or None
        policy = await self._commands.change(
            lambda rows: ipam_policy_targets.enable_policy(
                rows, caller, request.ipam_policy_id, target_id, self._quotas
            ),
            dry_run=request.dry_run,
        )
        return pb.EnableIpamPolicyResponse(ipam_policy_id=policy.ipam_policy_id)

    async def DisableIpamPolicy(
        self, request: pb.DisableIpamPolicyRequest, context: Context
    ) -> pb.DisableIpamPolicyResponse:
        caller, target_id = caller_of(context), request.organization_target_id or None
        await self._commands.change(
            lambda rows: ipam_policy_targets.disable_policy(
                rows, caller, request.ipam_policy_id, target_id
            ),
            dry_run=request.dry_run,
        )
        answer = pb.DisableIpamPolicyResponse()
        # A keyword of Python's, so no member that could be written.
        setattr(answer, "return", True)
        return answer

    async def GetEnabledIpamPolicy(
        self, _request: pb.GetEnabledIpamPolicyRequest, context: Context
    ) -> pb.GetEnabledIpamPolicyResponse:
        account_id = caller_of(context).account_id
        found = await self._reader.read(lambda rows: policy_in_force(rows, account_id))
        return in_force_to_proto(found)

    async def GetIpamPolicyAllocationRules(
        self, request: pb.GetIpamPolicyAllocationRulesRequest, context: Context
    ) -> pb.GetIpamPolicyAllocationRulesResponse:
        caller, policy_id = caller_of(context), request.ipam_policy_id
        policy = await self._reader.read(
            lambda rows: ipam_policies.known_policy(rows, caller, policy_id)
        )
        filters = FilterSet(request.filters, pb.IpamPolicyDocument.DESCRIPTOR)

        def documents_after(after: str | None) -> Iterator[tuple[str, pb.IpamPolicyDocument]]:
            for document in policy.documents:
                record, key = document_to_proto(policy_id, document), "/".join(document.key)
                is_wanted = _is_wanted(request, document) and filters.matches(record)
                if is_wanted and (after is None or key > after):
                    yield key, record

        documents, token = paginate(request, documents_after)
        return pb.GetIpamPolicyAllocationRulesResponse(
            ipam_policy_documents=documents, next_token=token
        )

    async def ModifyIpamPolicyAllocationRules(
        self, request: pb.ModifyIpamPolicyAllocationRulesRequest, context: Context
    ) -> pb.ModifyIpamPolicyAllocationRulesResponse:
        caller, document = caller_of(context), document_from_proto(request)
        policy = await self._commands.change(
            lambda rows: ipam_policies.modify_rules(
                rows, caller, request.ipam_policy_id, document, self._quotas
            ),
            dry_run=request.dry_run,
        )
        return pb.ModifyIpamPolicyAllocationRulesResponse(
            ipam_policy_document=document_to_proto(policy.ipam_policy_id, document)
        )

    async def GetIpamPolicyOrganizationTargets(
        self, request: pb.GetIpamPolicyOrganizationTargetsRequest, context: Context
    ) -> pb.GetIpamPolicyOrganizationTargetsResponse:
        caller, policy_id = caller_of(context), request.ipam_policy_id
        targets = await self._reader.read(
            lambda rows: ipam_policy_targets.organization_targets(rows, caller, policy_id)
        )
        filters = FilterSet(request.filters, pb.IpamPolicyOrganizationTarget.DESCRIPTOR)

        def targets_after(
            after: str | None,
        ) -> Iterator[tuple[str, pb.IpamPolicyOrganizationTarget]]:
            for target in targets:
                record = target_to_proto(target)
                if filters.matches(record) and (after is None or target.target_id > after):
                    yield target.target_id, record

        records, token = paginate(request, targets_after)
        return pb.GetIpamPolicyOrganizationTargetsResponse(
            organization_targets=records, next_token=token
        )


def _is_wanted(request: pb.GetIpamPolicyAllocationRulesRequest, document: PolicyDocument) -> bool:
    wanted_type = resource_type_from_proto(request.resource_type) if request.resource_type else None
    return request.locale in ("", document.locale) and wanted_type in (
        None,
        document.resource_type,
    )
