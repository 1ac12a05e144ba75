"""Pages of AWS Organizations' lists, each from one snapshot (BEY-6)."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, TypeVar

from cadastre.control.organizations.v1 import organizations_service_pb2 as pb
from services.control_plane.organizations.account import Account
from services.control_plane.organizations.errors import in_the_words_of_organizations
from services.control_plane.organizations.organization import Organization
from services.control_plane.service.organizations import policies, service_access, units
from services.control_plane.service.organizations.holding import (
    path_of_parent,
    readable,
)
from services.control_plane.service.rows import Rows
from services.control_plane.servicer.organization_messages import (
    account_to_proto,
    administered_to_proto,
    administrator_to_proto,
    parent_to_proto,
    policy_summary_to_proto,
    policy_type_from_proto,
    root_to_proto,
    service_to_proto,
    target_to_proto,
    unit_to_proto,
)
from shared.caller import Caller
from shared.paging import paginate

PAGE = 20
"""Records per page where a request doesn't say, and at most."""

Record = TypeVar("Record")
Keyed = Iterable[tuple[str, Record]]


def roots(rows: Rows, caller: Caller, request: pb.ListRootsRequest) -> pb.ListRootsResponse:
    root = root_to_proto(readable(rows, caller))
    found, token = _page(request, lambda after: () if after else ((root.id, root),))
    return pb.ListRootsResponse(roots=found, next_token=token)


def units_for_parent(
    rows: Rows, caller: Caller, request: pb.ListOrganizationalUnitsForParentRequest
) -> pb.ListOrganizationalUnitsForParentResponse:
    organization = readable(rows, caller)
    path_of_parent(rows, organization, request.parent_id)

    def records_after(after: str | None) -> Iterator[tuple[str, pb.OrganizationalUnit]]:
        for key, unit in rows.organizations.units.below(request.parent_id, after):
            yield key, unit_to_proto(organization, unit)

    found, token = _page(request, records_after)
    return pb.ListOrganizationalUnitsForParentResponse(organizational_units=found, next_token=token)


def children(
    rows: Rows, caller: Caller, request: pb.ListChildrenRequest
) -> pb.ListChildrenResponse:
    organization = readable(rows, caller)
    path_of_parent(rows, organization, request.parent_id)

    def records_after(after: str | None) -> Iterator[tuple[str, pb.Child]]:
        if request.child_type == pb.CHILD_TYPE_ACCOUNT:
            for key, account in rows.organizations.accounts.below(request.parent_id, after):
                yield key, pb.Child(id=account.account_id, type=request.child_type)
        else:
            for key, unit in rows.organizations.units.below(request.parent_id, after):
                yield key, pb.Child(id=unit.unit_id, type=request.child_type)

    found, token = _page(request, records_after)
    return pb.ListChildrenResponse(children=found, next_token=token)


def parents(rows: Rows, caller: Caller, request: pb.ListParentsRequest) -> pb.ListParentsResponse:
    parent = parent_to_proto(units.parent_of(rows, caller, request.child_id))
    found, token = _page(request, lambda after: () if after else ((parent.id, parent),))
    return pb.ListParentsResponse(parents=found, next_token=token)


def accounts(
    rows: Rows, caller: Caller, request: pb.ListAccountsRequest
) -> pb.ListAccountsResponse:
    organization = readable(rows, caller)
    found, token = _page(
        request,
        lambda after: _accounts(
            rows,
            organization,
            rows.organizations.accounts.all(organization.organization_id, after),
        ),
    )
    return pb.ListAccountsResponse(accounts=found, next_token=token)


def accounts_for_parent(
    rows: Rows, caller: Caller, request: pb.ListAccountsForParentRequest
) -> pb.ListAccountsForParentResponse:
    organization = readable(rows, caller)
    path_of_parent(rows, organization, request.parent_id)
    found, token = _page(
        request,
        lambda after: _accounts(
            rows, organization, rows.organizations.accounts.below(request.parent_id, after)
        ),
    )
    return pb.ListAccountsForParentResponse(accounts=found, next_token=token)


def services(
    rows: Rows, caller: Caller, request: pb.ListAWSServiceAccessForOrganizationRequest
) -> pb.ListAWSServiceAccessForOrganizationResponse:
    organization_id = readable(rows, caller).organization_id

    def records_after(after: str | None) -> Iterator[tuple[str, pb.EnabledServicePrincipal]]:
        for key, access in rows.organizations.services.all(organization_id, after):
            yield key, service_to_proto(access)

    found, token = _page(request, records_after)
    return pb.ListAWSServiceAccessForOrganizationResponse(
        enabled_service_principals=found, next_token=token
    )


def administrators(
    rows: Rows, caller: Caller, request: pb.ListDelegatedAdministratorsRequest
) -> pb.ListDelegatedAdministratorsResponse:
    organization = readable(rows, caller)
    service_principal = request.service_principal or None

    def records_after(after: str | None) -> Iterator[tuple[str, pb.DelegatedAdministrator]]:
        for key, administrator in rows.organizations.services.administrators(
            organization.organization_id, service_principal, after
        ):
            yield key, administrator_to_proto(organization, administrator)

    found, token = _page(request, records_after)
    return pb.ListDelegatedAdministratorsResponse(delegated_administrators=found, next_token=token)


def administered(
    rows: Rows, caller: Caller, request: pb.ListDelegatedServicesForAccountRequest
) -> pb.ListDelegatedServicesForAccountResponse:
    def records_after(after: str | None) -> Iterator[tuple[str, pb.DelegatedService]]:
        for key, access in service_access.services_of(rows, caller, request.account_id, after):
            yield key, administered_to_proto(access)

    found, token = _page(request, records_after)
    return pb.ListDelegatedServicesForAccountResponse(delegated_services=found, next_token=token)


def all_policies(
    rows: Rows, caller: Caller, request: pb.ListPoliciesRequest
) -> pb.ListPoliciesResponse:
    organization, policy_type = readable(rows, caller), policy_type_from_proto(request.filter)

    def records_after(after: str | None) -> Iterator[tuple[str, pb.PolicySummary]]:
        for key, policy in policies.policies_of(rows, organization, policy_type, after):
            yield key, policy_summary_to_proto(organization, policy)

    found, token = _page(request, records_after)
    return pb.ListPoliciesResponse(policies=found, next_token=token)


def policies_for_target(
    rows: Rows, caller: Caller, request: pb.ListPoliciesForTargetRequest
) -> pb.ListPoliciesForTargetResponse:
    organization, policy_type = readable(rows, caller), policy_type_from_proto(request.filter)
    policies.check_target(rows, organization, request.target_id)

    def records_after(after: str | None) -> Iterator[tuple[str, pb.PolicySummary]]:
        for key, policy in policies.policies_for(
            rows, organization, request.target_id, policy_type, after
        ):
            yield key, policy_summary_to_proto(organization, policy)

    found, token = _page(request, records_after)
    return pb.ListPoliciesForTargetResponse(policies=found, next_token=token)


def targets_for_policy(
    rows: Rows, caller: Caller, request: pb.ListTargetsForPolicyRequest
) -> pb.ListTargetsForPolicyResponse:
    organization = readable(rows, caller)
    policies.policy_in(rows, organization, request.policy_id)

    def records_after(after: str | None) -> Iterator[tuple[str, pb.PolicyTargetSummary]]:
        for key, target in policies.targets_of(rows, organization, request.policy_id, after):
            yield key, target_to_proto(organization, target)

    found, token = _page(request, records_after)
    return pb.ListTargetsForPolicyResponse(targets=found, next_token=token)


def _accounts(
    rows: Rows, organization: Organization, found: Keyed[Account]
) -> Iterator[tuple[str, pb.Account]]:
    @cache
    def path_of(parent_id: str) -> str:
        return path_of_parent(rows, organization, parent_id)

    for key, account in found:
        yield key, account_to_proto(organization, account, path_of(account.parent_id))


def _page(
    request: Any,  # generated listing requests share no typed base
    records_after: Callable[[str | None], Keyed[Record]],
) -> tuple[list[Record], str | None]:
    request.max_results = request.max_results or PAGE
    with in_the_words_of_organizations():
        return paginate(request, records_after)
