"""Settings of the organization: who administers IPAM, what is shared within it (ORG-1 to ORG-4)."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from cadastre.control.organizations.v1 import organizations_service_pb2 as pb
from cadastre.control.sharing.v1 import sharing_service_pb2 as sharing
from cadastre.control.v1 import control_service_pb2 as control
from services.gateway.console.actions import Action, Command
from services.gateway.console.fields import locked
from services.gateway.console.forms import Field, Form, Values
from services.gateway.console.reading import all_of, reading
from services.gateway.console.section import Group, Page, Section
from services.gateway.console.tables import Cell, badge, text
from services.gateway.console.visit import Link, Visit
from services.gateway.console.words import time_of, word_of
from shared.errors import CadastreError, Denied, NotFound, kind_of

IPAM, RAM = "ipam.amazonaws.com", "ram.amazonaws.com"

_MOST_AT_ONCE = 20
"""AWS's most MaxResults for lists of organizations."""
_MOST_NODES = 200


@dataclass(frozen=True, slots=True)
class Node:
    """A root, OU or account in the organization's tree."""

    node_id: str
    name: str
    kind: str
    path: str
    """As exclusions name it: ``o-…/r-…/ou-…/``."""
    depth: int
    state: str = ""
    parent_id: str = ""


async def organization_of(visit: Visit) -> pb.Organization | None:
    """The account's organization; None: it is in none, or may not see it."""
    try:
        answer = await visit.api.call(
            pb.DescribeOrganizationRequest(), pb.DescribeOrganizationResponse
        )
    except CadastreError as refusal:
        if kind_of(refusal) in (NotFound, Denied):
            return None
        if refusal.reason == "AWSOrganizationsNotInUseException":
            return None
        raise
    return answer.organization


async def tree_of(
    visit: Visit, organization: pb.Organization, *, has_accounts: bool = True
) -> Sequence[Node]:
    """The organization from its roots down, up to about 200 of it, perhaps OUs alone.

    Empty: the account may not see it.
    """
    try:
        roots = await visit.api.call(pb.ListRootsRequest(), pb.ListRootsResponse)
    except CadastreError as refusal:
        if kind_of(refusal) is Denied:
            return []
        raise
    found: list[Node] = []
    for root in roots.roots:
        path = f"{organization.id}/{root.id}/"
        found.append(Node(root.id, root.name, "Root", path, 0))
        await _add_below(visit, found, root.id, path, 1, has_accounts=has_accounts)
    return found


async def _add_below(
    visit: Visit, found: list[Node], parent_id: str, path: str, depth: int, *, has_accounts: bool
) -> None:
    if has_accounts:
        accounts = await all_of(
            reading(
                visit,
                pb.ListAccountsForParentRequest(parent_id=parent_id),
                pb.ListAccountsForParentResponse,
                lambda answer: answer.accounts,
                least=1,
                most=_MOST_AT_ONCE,
            ),
            most=max(_MOST_NODES - len(found), 1),
        )
        found.extend(
            Node(one.id, one.name, "Account", path, depth, word_of(one, "status"), parent_id)
            for one in accounts
        )
    units = await all_of(
        reading(
            visit,
            pb.ListOrganizationalUnitsForParentRequest(parent_id=parent_id),
            pb.ListOrganizationalUnitsForParentResponse,
            lambda answer: answer.organizational_units,
            least=1,
            most=_MOST_AT_ONCE,
        )
    )
    for unit in units:
        if len(found) >= _MOST_NODES:
            return
        below = f"{path}{unit.id}/"
        found.append(Node(unit.id, unit.name, "OU", below, depth))
        await _add_below(visit, found, unit.id, below, depth + 1, has_accounts=has_accounts)


async def show(visit: Visit) -> Response:
    """The settings, and the organization's tree."""
    organization = await organization_of(visit)
    if organization is None:
        return visit.page(
            "organization.html",
            title="Organization settings",
            facts=(),
            administrators=(),
            is_shared=None,
            is_management=False,
            tree=(),
        )
    is_management = organization.master_account_id == visit.account_id
    administrators = await _administrators(visit)
    is_shared = await _is_shared(visit)
    tree = await tree_of(visit, organization)
    return visit.page(
        "organization.html",
        title="Organization settings",
        facts=_facts(organization),
        administrators=[
            (one.id, one.name, time_of(one, "delegation_enabled_date")) for one in administrators
        ],
        is_shared=is_shared,
        is_management=is_management,
        tree=tree,
        actions=_links(visit, is_shared=bool(is_shared)) if is_management else (),
    )


async def _administrators(visit: Visit) -> Sequence[pb.DelegatedAdministrator]:
    """Who administers IPAM; nobody is told to whom the list is closed."""
    request = pb.ListDelegatedAdministratorsRequest(service_principal=IPAM)
    try:
        answer = await visit.api.call(request, pb.ListDelegatedAdministratorsResponse)
    except CadastreError as refusal:
        if kind_of(refusal) is Denied:
            return []
        raise
    return answer.delegated_administrators


async def _is_shared(visit: Visit) -> bool | None:
    """Whether what is shared within the organization needs no invitation; None: it isn't told."""
    request = pb.ListAWSServiceAccessForOrganizationRequest()
    try:
        answer = await visit.api.call(request, pb.ListAWSServiceAccessForOrganizationResponse)
    except CadastreError as refusal:
        if kind_of(refusal) is Denied:
            return None
        raise
    return any(one.service_principal == RAM for one in answer.enabled_service_principals)


def _facts(organization: pb.Organization) -> Sequence[tuple[str, Cell | str]]:
    return (
        ("Organization ID", Cell(organization.id, is_code=True)),
        ("Management account", Cell(organization.master_account_id, is_code=True)),
        ("Management account's e-mail", organization.master_account_email),
        ("Features", badge(word_of(organization, "feature_set"))),
        ("ARN", text(organization.arn, is_code=True)),
    )


def _links(visit: Visit, *, is_shared: bool) -> Sequence[Link]:
    share = "disable-sharing" if is_shared else "enable-sharing"
    title = "Disable sharing with AWS Organizations" if is_shared else None
    return (
        Link("Delegate", visit.url("/organization/delegate"), is_main=True),
        Link(
            title or "Enable sharing with AWS Organizations",
            visit.url(f"/organization/{share}"),
            is_destructive=is_shared,
        ),
        Link("Create OU", visit.url("/organization/create-ou")),
        Link("Move account", visit.url("/organization/move-account")),
    )


async def _delegate_form(_: Visit) -> Form:
    return Form(
        (
            Field(
                "delegated_admin_account_id",
                "Account ID",
                help="A member account of the organization; not the management account.",
                is_required=True,
            ),
        ),
        intro="The account creates the IPAM, and monitors the organization's accounts with it.",
    )


def _delegate(_: Visit, values: Values) -> Sequence[Command]:
    request = control.EnableIpamOrganizationAdminAccountRequest(
        delegated_admin_account_id=values.text("delegated_admin_account_id")
    )
    return [Command(request, control.EnableIpamOrganizationAdminAccountResponse)]


async def _remove_form(visit: Visit) -> Form:
    return Form((locked("delegated_admin_account_id", "Account ID", visit.params["account"]),))


def _remove(visit: Visit, _: Values) -> Sequence[Command]:
    request = control.DisableIpamOrganizationAdminAccountRequest(
        delegated_admin_account_id=visit.params["account"]
    )
    return [Command(request, control.DisableIpamOrganizationAdminAccountResponse)]


def _enable_sharing(_: Visit, __: Values) -> Sequence[Command]:
    request = sharing.EnableSharingWithAwsOrganizationRequest()
    return [Command(request, sharing.EnableSharingWithAwsOrganizationResponse)]


def _disable_sharing(_: Visit, __: Values) -> Sequence[Command]:
    request = pb.DisableAWSServiceAccessRequest(service_principal=RAM)
    return [Command(request, pb.DisableAWSServiceAccessResponse)]


async def _create_ou_form(_: Visit) -> Form:
    return Form(
        (
            Field("parent_id", "Parent", help="A root (r-…) or an OU (ou-…).", is_required=True),
            Field("name", "Name", is_required=True),
        )
    )


def _create_ou(_: Visit, values: Values) -> Sequence[Command]:
    request = pb.CreateOrganizationalUnitRequest(
        parent_id=values.text("parent_id"), name=values.text("name")
    )
    return [Command(request, pb.CreateOrganizationalUnitResponse)]


async def _move_form(_: Visit) -> Form:
    return Form(
        (
            Field("account_id", "Account ID", is_required=True),
            Field("source_parent_id", "From", help="A root or an OU.", is_required=True),
            Field("destination_parent_id", "To", help="A root or an OU.", is_required=True),
        )
    )


def _move(_: Visit, values: Values) -> Sequence[Command]:
    request = pb.MoveAccountRequest(
        account_id=values.text("account_id"),
        source_parent_id=values.text("source_parent_id"),
        destination_parent_id=values.text("destination_parent_id"),
    )
    return [Command(request, pb.MoveAccountResponse)]


_HERE = "/organization"

SECTION = Section(
    title="Organization settings",
    path=_HERE,
    group=Group.ADMINISTRATION,
    pages=(Page(_HERE, show),),
    actions=(
        Action(
            name="delegate",
            path=f"{_HERE}/delegate",
            title="Delegate an IPAM administrator",
            submit="Save changes",
            done="The account administers IPAM for the organization.",
            form=_delegate_form,
            commands=_delegate,
            goes_to=_HERE,
            comes_from=_HERE,
        ),
        Action(
            name="remove-administrator",
            path=f"{_HERE}/administrators/{{account}}/remove",
            title="Remove the IPAM administrator",
            submit="Remove",
            done="The account doesn't administer IPAM any more.",
            form=_remove_form,
            commands=_remove,
            goes_to=_HERE,
            comes_from=_HERE,
            warning="Its IPAMs don't monitor the organization's accounts any more.",
        ),
        Action(
            name="enable-sharing",
            path=f"{_HERE}/enable-sharing",
            title="Enable sharing with AWS Organizations",
            submit="Enable sharing",
            done="What is shared within the organization needs no invitation.",
            commands=_enable_sharing,
            goes_to=_HERE,
            comes_from=_HERE,
        ),
        Action(
            name="disable-sharing",
            path=f"{_HERE}/disable-sharing",
            title="Disable sharing with AWS Organizations",
            submit="Disable sharing",
            done="Sharing within the organization is disabled.",
            commands=_disable_sharing,
            goes_to=_HERE,
            comes_from=_HERE,
            warning="What is shared with OUs and the organization is not shared any more.",
        ),
        Action(
            name="create-ou",
            path=f"{_HERE}/create-ou",
            title="Create OU",
            submit="Create OU",
            done="The OU is created.",
            form=_create_ou_form,
            commands=_create_ou,
            goes_to=_HERE,
            comes_from=_HERE,
        ),
        Action(
            name="move-account",
            path=f"{_HERE}/move-account",
            title="Move account",
            submit="Move account",
            done="The account is moved.",
            form=_move_form,
            commands=_move,
            goes_to=_HERE,
            comes_from=_HERE,
        ),
    ),
)
