"""OrganizationsService: messages to use cases and back."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from cadastre.control.organizations.v1 import organizations_service_pb2 as pb
from cadastre.control.organizations.v1 import organizations_service_pb2_grpc
from services.control_plane.organizations.errors import in_the_words_of_organizations
from services.control_plane.service.organizations import (
    accounts,
    organization,
    policies,
    service_access,
    tagging,
    units,
)
from services.control_plane.service.ports import Commands, Reader
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted
from services.control_plane.servicer import organization_lists
from services.control_plane.servicer.organization_messages import (
    account_to_proto,
    creation_to_proto,
    feature_set_from_proto,
    organization_to_proto,
    policy_change_from_proto,
    policy_from_proto,
    policy_to_proto,
    policy_type_from_proto,
    root_to_proto,
    unit_to_proto,
)
from shared.caller import Caller
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of
from shared.tags import Tags, tags_from_proto, tags_to_proto, with_tags

T = TypeVar("T")


class OrganizationsServicer(organizations_service_pb2_grpc.OrganizationsServiceServicer):
    """Translates; what is decided is decided in ``service``."""

    def __init__(self, reader: Reader, commands: Commands, clock: Callable[[], datetime]) -> None:
        self._reader, self._commands, self._clock = reader, commands, clock

    async def CreateOrganization(
        self, request: pb.CreateOrganizationRequest, context: Context
    ) -> pb.CreateOrganizationResponse:
        caller, now = caller_of(context), self._clock()
        feature_set = feature_set_from_proto(request)
        made = await self._change(
            lambda rows: organization.create_organization(rows, caller, feature_set, now)
        )
        return pb.CreateOrganizationResponse(organization=organization_to_proto(*made))

    async def DescribeOrganization(
        self, _request: pb.DescribeOrganizationRequest, context: Context
    ) -> pb.DescribeOrganizationResponse:
        caller = caller_of(context)
        found = await self._reader.read(
            lambda rows: organization.describe_organization(rows, caller)
        )
        return pb.DescribeOrganizationResponse(organization=organization_to_proto(*found))

    async def DeleteOrganization(
        self, _request: pb.DeleteOrganizationRequest, context: Context
    ) -> pb.DeleteOrganizationResponse:
        caller = caller_of(context)
        await self._change(lambda rows: organization.delete_organization(rows, caller))
        return pb.DeleteOrganizationResponse()

    async def ListRoots(
        self, request: pb.ListRootsRequest, context: Context
    ) -> pb.ListRootsResponse:
        return await self._list(context, organization_lists.roots, request)

    async def CreateOrganizationalUnit(
        self, request: pb.CreateOrganizationalUnitRequest, context: Context
    ) -> pb.CreateOrganizationalUnitResponse:
        caller, tags = caller_of(context), _tags_from_proto(request)
        made = await self._change(
            lambda rows: units.create_unit(rows, caller, request.parent_id, request.name, tags)
        )
        return pb.CreateOrganizationalUnitResponse(organizational_unit=unit_to_proto(*made))

    async def UpdateOrganizationalUnit(
        self, request: pb.UpdateOrganizationalUnitRequest, context: Context
    ) -> pb.UpdateOrganizationalUnitResponse:
        caller, unit_id = caller_of(context), request.organizational_unit_id
        renamed = await self._change(
            lambda rows: units.rename_unit(rows, caller, unit_id, request.name or None)
        )
        return pb.UpdateOrganizationalUnitResponse(organizational_unit=unit_to_proto(*renamed))

    async def DeleteOrganizationalUnit(
        self, request: pb.DeleteOrganizationalUnitRequest, context: Context
    ) -> pb.DeleteOrganizationalUnitResponse:
        caller, unit_id = caller_of(context), request.organizational_unit_id
        await self._change(lambda rows: units.delete_unit(rows, caller, unit_id))
        return pb.DeleteOrganizationalUnitResponse()

    async def DescribeOrganizationalUnit(
        self, request: pb.DescribeOrganizationalUnitRequest, context: Context
    ) -> pb.DescribeOrganizationalUnitResponse:
        caller, unit_id = caller_of(context), request.organizational_unit_id
        found = await self._reader.read(lambda rows: units.describe_unit(rows, caller, unit_id))
        return pb.DescribeOrganizationalUnitResponse(organizational_unit=unit_to_proto(*found))

    async def ListOrganizationalUnitsForParent(
        self, request: pb.ListOrganizationalUnitsForParentRequest, context: Context
    ) -> pb.ListOrganizationalUnitsForParentResponse:
        return await self._list(context, organization_lists.units_for_parent, request)

    async def ListChildren(
        self, request: pb.ListChildrenRequest, context: Context
    ) -> pb.ListChildrenResponse:
        return await self._list(context, organization_lists.children, request)

    async def ListParents(
        self, request: pb.ListParentsRequest, context: Context
    ) -> pb.ListParentsResponse:
        return await self._list(context, organization_lists.parents, request)

    async def CreateAccount(
        self, request: pb.CreateAccountRequest, context: Context
    ) -> pb.CreateAccountResponse:
        caller, tags, now = caller_of(context), _tags_from_proto(request), self._clock()
        creation = await self._change(
            lambda rows: accounts.create_account(
                rows, caller, request.account_name, request.email, tags, now
            )
        )
        return pb.CreateAccountResponse(create_account_status=creation_to_proto(creation))

    async def DescribeCreateAccountStatus(
        self, request: pb.DescribeCreateAccountStatusRequest, context: Context
    ) -> pb.DescribeCreateAccountStatusResponse:
        caller, request_id = caller_of(context), request.create_account_request_id
        creation = await self._reader.read(
            lambda rows: accounts.describe_creation(rows, caller, request_id)
        )
        return pb.DescribeCreateAccountStatusResponse(
            create_account_status=creation_to_proto(creation)
        )

    async def DescribeAccount(
        self, request: pb.DescribeAccountRequest, context: Context
    ) -> pb.DescribeAccountResponse:
        caller = caller_of(context)
        found = await self._reader.read(
            lambda rows: accounts.describe_account(rows, caller, request.account_id)
        )
        return pb.DescribeAccountResponse(account=account_to_proto(*found))

    async def ListAccounts(
        self, request: pb.ListAccountsRequest, context: Context
    ) -> pb.ListAccountsResponse:
        return await self._list(context, organization_lists.accounts, request)

    async def ListAccountsForParent(
        self, request: pb.ListAccountsForParentRequest, context: Context
    ) -> pb.ListAccountsForParentResponse:
        return await self._list(context, organization_lists.accounts_for_parent, request)

    async def MoveAccount(
        self, request: pb.MoveAccountRequest, context: Context
    ) -> pb.MoveAccountResponse:
        caller = caller_of(context)
        source_id, destination_id = request.source_parent_id, request.destination_parent_id
        await self._change(
            lambda rows: accounts.move_account(
                rows, caller, request.account_id, source_id, destination_id
            )
        )
        return pb.MoveAccountResponse()

    async def RemoveAccountFromOrganization(
        self, request: pb.RemoveAccountFromOrganizationRequest, context: Context
    ) -> pb.RemoveAccountFromOrganizationResponse:
        caller = caller_of(context)
        await self._change(lambda rows: accounts.remove_account(rows, caller, request.account_id))
        return pb.RemoveAccountFromOrganizationResponse()

    async def EnableAWSServiceAccess(
        self, request: pb.EnableAWSServiceAccessRequest, context: Context
    ) -> pb.EnableAWSServiceAccessResponse:
        caller, now = caller_of(context), self._clock()
        await self._change(
            lambda rows: service_access.let_service(rows, caller, request.service_principal, now)
        )
        return pb.EnableAWSServiceAccessResponse()

    async def DisableAWSServiceAccess(
        self, request: pb.DisableAWSServiceAccessRequest, context: Context
    ) -> pb.DisableAWSServiceAccessResponse:
        caller = caller_of(context)
        await self._change(
            lambda rows: service_access.stop_service(rows, caller, request.service_principal)
        )
        return pb.DisableAWSServiceAccessResponse()

    async def ListAWSServiceAccessForOrganization(
        self, request: pb.ListAWSServiceAccessForOrganizationRequest, context: Context
    ) -> pb.ListAWSServiceAccessForOrganizationResponse:
        return await self._list(context, organization_lists.services, request)

    async def RegisterDelegatedAdministrator(
        self, request: pb.RegisterDelegatedAdministratorRequest, context: Context
    ) -> pb.RegisterDelegatedAdministratorResponse:
        caller, now = caller_of(context), self._clock()
        await self._change(
            lambda rows: service_access.register_administrator(
                rows, caller, request.account_id, request.service_principal, now
            )
        )
        return pb.RegisterDelegatedAdministratorResponse()

    async def DeregisterDelegatedAdministrator(
        self, request: pb.DeregisterDelegatedAdministratorRequest, context: Context
    ) -> pb.DeregisterDelegatedAdministratorResponse:
        caller = caller_of(context)
        await self._change(
            lambda rows: service_access.deregister_administrator(
                rows, caller, request.account_id, request.service_principal
            )
        )
        return pb.DeregisterDelegatedAdministratorResponse()

    async def ListDelegatedAdministrators(
        self, request: pb.ListDelegatedAdministratorsRequest, context: Context
    ) -> pb.ListDelegatedAdministratorsResponse:
        return await self._list(context, organization_lists.administrators, request)

    async def ListDelegatedServicesForAccount(
        self, request: pb.ListDelegatedServicesForAccountRequest, context: Context
    ) -> pb.ListDelegatedServicesForAccountResponse:
        return await self._list(context, organization_lists.administered, request)

    async def CreatePolicy(
        self, request: pb.CreatePolicyRequest, context: Context
    ) -> pb.CreatePolicyResponse:
        caller, tags = caller_of(context), _tags_from_proto(request)
        policy_type, policy = policy_type_from_proto(request.type), policy_from_proto(request)
        made = await self._change(
            lambda rows: policies.create_policy(rows, caller, policy_type, policy, tags)
        )
        return pb.CreatePolicyResponse(policy=policy_to_proto(*made))

    async def DescribePolicy(
        self, request: pb.DescribePolicyRequest, context: Context
    ) -> pb.DescribePolicyResponse:
        caller = caller_of(context)
        found = await self._reader.read(
            lambda rows: policies.describe_policy(rows, caller, request.policy_id)
        )
        return pb.DescribePolicyResponse(policy=policy_to_proto(*found))

    async def UpdatePolicy(
        self, request: pb.UpdatePolicyRequest, context: Context
    ) -> pb.UpdatePolicyResponse:
        caller, change = caller_of(context), policy_change_from_proto(request)
        changed = await self._change(
            lambda rows: policies.update_policy(rows, caller, request.policy_id, change)
        )
        return pb.UpdatePolicyResponse(policy=policy_to_proto(*changed))

    async def DeletePolicy(
        self, request: pb.DeletePolicyRequest, context: Context
    ) -> pb.DeletePolicyResponse:
        caller = caller_of(context)
        await self._change(lambda rows: policies.delete_policy(rows, caller, request.policy_id))
        return pb.DeletePolicyResponse()

    async def AttachPolicy(
        self, request: pb.AttachPolicyRequest, context: Context
    ) -> pb.AttachPolicyResponse:
        caller = caller_of(context)
        await self._change(
            lambda rows: policies.attach_policy(rows, caller, request.policy_id, request.target_id)
        )
        return pb.AttachPolicyResponse()

    async def DetachPolicy(
        self, request: pb.DetachPolicyRequest, context: Context
    ) -> pb.DetachPolicyResponse:
        caller = caller_of(context)
        await self._change(
            lambda rows: policies.detach_policy(rows, caller, request.policy_id, request.target_id)
        )
        return pb.DetachPolicyResponse()

    async def ListPolicies(
        self, request: pb.ListPoliciesRequest, context: Context
    ) -> pb.ListPoliciesResponse:
        return await self._list(context, organization_lists.all_policies, request)

    async def ListPoliciesForTarget(
        self, request: pb.ListPoliciesForTargetRequest, context: Context
    ) -> pb.ListPoliciesForTargetResponse:
        return await self._list(context, organization_lists.policies_for_target, request)

    async def ListTargetsForPolicy(
        self, request: pb.ListTargetsForPolicyRequest, context: Context
    ) -> pb.ListTargetsForPolicyResponse:
        return await self._list(context, organization_lists.targets_for_policy, request)

    async def EnablePolicyType(
        self, request: pb.EnablePolicyTypeRequest, context: Context
    ) -> pb.EnablePolicyTypeResponse:
        caller, policy_type = caller_of(context), policy_type_from_proto(request.policy_type)
        changed = await self._change(
            lambda rows: policies.enable_policy_type(rows, caller, request.root_id, policy_type)
        )
        return pb.EnablePolicyTypeResponse(root=root_to_proto(changed))

    async def DisablePolicyType(
        self, request: pb.DisablePolicyTypeRequest, context: Context
    ) -> pb.DisablePolicyTypeResponse:
        caller, policy_type = caller_of(context), policy_type_from_proto(request.policy_type)
        changed = await self._change(
            lambda rows: policies.disable_policy_type(rows, caller, request.root_id, policy_type)
        )
        return pb.DisablePolicyTypeResponse(root=root_to_proto(changed))

    async def TagResource(
        self, request: pb.TagResourceRequest, context: Context
    ) -> pb.TagResourceResponse:
        caller, added = caller_of(context), _tags_from_proto(request)
        await self._change(
            lambda rows: tagging.change_tags(
                rows, caller, request.resource_id, lambda tags: with_tags(tags, added)
            )
        )
        return pb.TagResourceResponse()

    async def UntagResource(
        self, request: pb.UntagResourceRequest, context: Context
    ) -> pb.UntagResourceResponse:
        caller, removed = caller_of(context), frozenset(request.tag_keys)
        await self._change(
            lambda rows: tagging.change_tags(
                rows,
                caller,
                request.resource_id,
                lambda tags: {key: tags[key] for key in tags.keys() - removed},
            )
        )
        return pb.UntagResourceResponse()

    async def ListTagsForResource(
        self, request: pb.ListTagsForResourceRequest, context: Context
    ) -> pb.ListTagsForResourceResponse:
        caller = caller_of(context)
        # A resource has so few that they are always one page.
        tags = await self._reader.read(
            lambda rows: tagging.list_tags(rows, caller, request.resource_id)
        )
        return pb.ListTagsForResourceResponse(tags=tags_to_proto(tags))

    async def _change(self, decide: Callable[[Rows], Accepted[T]]) -> T:
        with in_the_words_of_organizations():
            return await self._commands.change(decide, dry_run=False)

    async def _list(
        self, context: Context, page: Callable[[Rows, Caller, Any], T], request: Any
    ) -> T:
        caller = caller_of(context)
        return await self._reader.read(lambda rows: page(rows, caller, request))


def _tags_from_proto(request: Any) -> Tags:  # generated requests share no typed base
    with in_the_words_of_organizations():
        return tags_from_proto(request.tags)
