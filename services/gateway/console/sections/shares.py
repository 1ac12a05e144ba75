"""Resource shares: pools and resource discoveries for other accounts (ORG-4, ORG-5)."""

import re
from collections.abc import Sequence

from starlette.responses import Response

from cadastre.control.sharing.v1 import sharing_service_pb2 as pb
from cadastre.control.v1 import resource_discovery_service_pb2 as discoveries
from services.gateway.console.actions import Action, Command
from services.gateway.console.choices import pools, text_of_pool
from services.gateway.console.fields import locked, tags_field
from services.gateway.console.forms import Choice, Field, Form, Kind, Values
from services.gateway.console.reading import all_of, reading
from services.gateway.console.section import Group, Page, Section
from services.gateway.console.sections.organization import organization_of, tree_of
from services.gateway.console.sections.share_invitations import (
    INVITATION_ACTIONS,
    list_invitations,
)
from services.gateway.console.sections.share_lists import MOST, id_of, tabs_of_shares
from services.gateway.console.sections.share_permissions import (
    Permissions,
    chosen_permissions,
    defaults_of,
    permission_fields,
    permissions_of,
    permissions_to_choose,
    permissions_to_offer,
)
from services.gateway.console.tables import Cell, Column, Read, Table, badge, table_page, text
from services.gateway.console.visit import Link, Visit
from services.gateway.console.words import tags_of, time_of, word_of
from shared.errors import IncorrectState, InvalidParameterValue, UnknownId

_UNIT = re.compile(r"(ou|o|r)-[a-z0-9-]+", re.ASCII)
_OWNERS = {"self": pb.RESOURCE_OWNER_SELF, "others": pb.RESOURCE_OWNER_OTHER_ACCOUNTS}


async def list_shares(visit: Visit) -> Response:
    """Shares by this account, or with it."""
    owner = visit.query.get("owner", "self")
    owner = owner if owner in _OWNERS else "self"
    table = Table(
        name="shares",
        columns=(
            Column(
                "name",
                "Name",
                lambda row: Cell(
                    row.name, url=visit.url(f"/shares/{id_of(row.resource_share_arn)}")
                ),
                sort=lambda row: row.name,
            ),
            Column("status", "Status", lambda row: badge(word_of(row, "status"))),
            Column("owner", "Owner", lambda row: Cell(row.owning_account_id, is_code=True)),
            Column(
                "external",
                "Outside the organization",
                lambda row: text("Allowed" if row.allow_external_principals else "Not allowed"),
            ),
            Column("created", "Created (UTC)", lambda row: text(time_of(row, "creation_time"))),
        ),
        read=_shares(visit, _OWNERS[owner]),
        empty="This account shares nothing."
        if owner == "self"
        else "Nothing is shared with this account.",
    )
    return await table_page(
        visit,
        table,
        "table.html",
        title="Resource shares",
        tabs=tabs_of_shares(visit, owner),
        actions=[Link("Create resource share", visit.url("/shares/create"), is_main=True)],
    )


async def show_share(visit: Visit) -> Response:
    """One share: what is in it, and who has it."""
    share = await _share(visit)
    is_own = share.owning_account_id == visit.account_id
    kind = visit.query.get("list", "resources")
    is_resources = kind != "principals"
    request = pb.GetResourceShareAssociationsRequest(
        association_type=pb.RESOURCE_SHARE_ASSOCIATION_TYPE_RESOURCE
        if is_resources
        else pb.RESOURCE_SHARE_ASSOCIATION_TYPE_PRINCIPAL,
        resource_share_arns=[share.resource_share_arn],
    )
    here = f"/shares/{id_of(share.resource_share_arn)}"
    permissions = await permissions_of(visit, share.resource_share_arn)

    def links(row: pb.ResourceShareAssociation) -> Sequence[Link]:
        if not is_own or word_of(row, "status") != "ASSOCIATED":
            return ()
        member = "resource_arns" if is_resources else "principals"
        url = visit.url(f"{here}/remove", **{member: row.associated_entity})
        return (Link("Remove", url, is_destructive=True),)

    table = Table(
        name="share-resources" if is_resources else "share-principals",
        columns=(
            Column(
                "entity",
                "Resource" if is_resources else "Principal",
                lambda row: Cell(row.associated_entity, is_code=True),
            ),
            Column("status", "Status", lambda row: badge(word_of(row, "status"))),
            Column("message", "Message", lambda row: text(row.status_message)),
            Column("external", "External", lambda row: text("Yes" if row.external else "No")),
            Column("created", "Added (UTC)", lambda row: text(time_of(row, "creation_time"))),
        ),
        read=reading(
            visit,
            request,
            pb.GetResourceShareAssociationsResponse,
            lambda answer: answer.resource_share_associations,
            least=1,
            most=MOST,
        ),
        row_links=links,
    )
    return await table_page(
        visit,
        table,
        "details.html",
        title=share.name,
        trail=[Link("Resource shares", visit.url("/shares"))],
        facts=_facts(share, permissions),
        tabs=[
            Link("Resources", visit.url(here), is_main=is_resources),
            Link("Principals", visit.url(here, list="principals"), is_main=not is_resources),
        ],
        caption="Resources" if is_resources else "Principals",
        actions=await _links(visit, here, permissions) if is_own else (),
    )


async def _links(visit: Visit, here: str, permissions: Permissions) -> Sequence[Link]:
    to_choose = await permissions_to_offer(visit)
    can_choose = any(one.resource_type in to_choose for one in permissions)
    return (
        Link("Add", visit.url(f"{here}/add"), is_main=True),
        Link("Edit", visit.url(f"{here}/edit")),
        *([Link("Change permissions", visit.url(f"{here}/permissions"))] if can_choose else []),
        Link("Delete", visit.url(f"{here}/delete"), is_destructive=True),
    )


def _facts(share: pb.ResourceShare, permissions: Permissions) -> Sequence[tuple[str, Cell | str]]:
    return (
        ("Status", badge(word_of(share, "status"))),
        ("Owner", Cell(share.owning_account_id, is_code=True)),
        ("Permissions", ", ".join(one.name for one in permissions)),
        (
            "Outside the organization",
            "Allowed" if share.allow_external_principals else "Not allowed",
        ),
        ("Created (UTC)", time_of(share, "creation_time")),
        ("Tags", ", ".join(f"{key}={value}" for key, value in tags_of(share.tags).items())),
        ("ARN", Cell(share.resource_share_arn, is_code=True)),
    )


def _shares(visit: Visit, owner: "pb.ResourceOwner.ValueType") -> Read[pb.ResourceShare]:
    return reading(
        visit,
        pb.GetResourceSharesRequest(resource_owner=owner),
        pb.GetResourceSharesResponse,
        lambda answer: answer.resource_shares,
        least=1,
        most=MOST,
    )


async def _share(visit: Visit) -> pb.ResourceShare:
    """The share that the address names, of the account or shared with it.

    Raises:
        UnknownId: there is none that the account may see.
    """
    wanted = visit.params["share_id"]
    for owner in _OWNERS.values():
        for share in await all_of(_shares(visit, owner)):
            if id_of(share.resource_share_arn) == wanted:
                return share
    raise UnknownId("UnknownResource", wanted)


async def _resource_choices(visit: Visit) -> Sequence[Choice]:
    """The account's own pools and resource discoveries, by ARN."""
    own = [
        Choice(one.ipam_pool_arn, text_of_pool(one), "IPAM pool")
        for one in await pools(visit)
        if visit.api.own(one)
    ]
    answer = await visit.api.call(
        discoveries.DescribeIpamResourceDiscoveriesRequest(),
        discoveries.DescribeIpamResourceDiscoveriesResponse,
    )
    found = [
        Choice(
            one.ipam_resource_discovery_arn,
            one.description or one.ipam_resource_discovery_id,
            "resource discovery",
        )
        for one in answer.ipam_resource_discoveries
        if one.owner_id == visit.account_id
    ]
    return [*own, *found]


async def _create_form(visit: Visit) -> Form:
    return Form(
        (
            Field("name", "Name", is_required=True),
            Field(
                "resource_arns",
                "Resources",
                Kind.CHOICES,
                choices=await _resource_choices(visit),
            ),
            _principals_field(),
            *await permission_fields(visit, await permissions_to_offer(visit)),
            Field(
                "allow_external_principals",
                "Allow sharing outside the organization",
                Kind.CHECKBOX,
            ),
            tags_field(),
        )
    )


def _principals_field() -> Field:
    return Field(
        "principals",
        "Principals",
        Kind.LINES,
        help="Account IDs, IDs or ARNs of OUs (ou-…) or of the organization (o-…), a line each.",
    )


async def _principals(visit: Visit, values: Values) -> Sequence[str]:
    """As RAM names them: OUs and the organization by ARN.

    Raises:
        InvalidParameterValue: an id that the organization, as far as the account sees it, hasn't.
    """
    given = values.lines("principals")
    if not any(_UNIT.fullmatch(one) for one in given):
        return given
    organization = await organization_of(visit)
    known: dict[str, str] = {}
    if organization:
        known[organization.id] = organization.arn
        base = organization.arn.partition(":organization/")[0]
        known.update(
            (node.node_id, f"{base}:ou/{organization.id}/{node.node_id}")
            for node in await tree_of(visit, organization, has_accounts=False)
            if node.kind == "OU"
        )
        if len(known) == 1:
            # A member account isn't told the tree; RAM refuses what isn't there.
            known.update(
                (one, f"{base}:ou/{organization.id}/{one}")
                for one in given
                if one.startswith("ou-")
            )
    unknown = [one for one in given if _UNIT.fullmatch(one) and one not in known]
    if unknown:
        raise InvalidParameterValue(
            f"Value ({unknown[0]}) for parameter principals is invalid. The organization has no"
            " such OU",
            parameter="principals",
        )
    return [known.get(one, one) for one in given]


async def _create(visit: Visit, values: Values) -> Sequence[Command]:
    # Defaults come with the first resource of their type, whether now or later.
    defaults = defaults_of(await permissions_to_offer(visit))
    request = pb.CreateResourceShareRequest(
        name=values.text("name"),
        resource_arns=values.lines("resource_arns"),
        principals=await _principals(visit, values),
        allow_external_principals=values.flag("allow_external_principals"),
        permission_arns=[arn for arn in chosen_permissions(values) if arn not in defaults],
    )
    for key, value in values.tags("tags").items():
        request.tags.add(key=key, value=value)
    return [Command(request, pb.CreateResourceShareResponse)]


async def _add_form(visit: Visit) -> Form:
    share = await _share(visit)
    return Form(
        (
            locked("share", "Resource share", share.name),
            Field(
                "resource_arns",
                "Resources",
                Kind.CHOICES,
                choices=await _resource_choices(visit),
            ),
            _principals_field(),
        )
    )


async def _add(visit: Visit, values: Values) -> Sequence[Command]:
    share = await _share(visit)
    request = pb.AssociateResourceShareRequest(
        resource_share_arn=share.resource_share_arn,
        resource_arns=values.lines("resource_arns"),
        principals=await _principals(visit, values),
    )
    return [Command(request, pb.AssociateResourceShareResponse)]


async def _remove_form(visit: Visit) -> Form:
    share = await _share(visit)
    return Form(
        (
            locked("share", "Resource share", share.name),
            Field("resource_arns", "Resource ARNs", Kind.LINES),
            Field("principals", "Principals", Kind.LINES),
        )
    )


async def _remove(visit: Visit, values: Values) -> Sequence[Command]:
    share = await _share(visit)
    request = pb.DisassociateResourceShareRequest(
        resource_share_arn=share.resource_share_arn,
        resource_arns=values.lines("resource_arns"),
        principals=values.lines("principals"),
    )
    return [Command(request, pb.DisassociateResourceShareResponse)]


async def _edit_form(visit: Visit) -> Form:
    share = await _share(visit)
    return Form(
        (
            Field("name", "Name", value=share.name, is_required=True),
            Field(
                "allow_external_principals",
                "Allow sharing outside the organization",
                Kind.CHECKBOX,
                value="true" if share.allow_external_principals else "",
            ),
        )
    )


async def _edit(visit: Visit, values: Values) -> Sequence[Command]:
    share = await _share(visit)
    request = pb.UpdateResourceShareRequest(
        resource_share_arn=share.resource_share_arn,
        name=values.text("name"),
        allow_external_principals=values.flag("allow_external_principals"),
    )
    return [Command(request, pb.UpdateResourceShareResponse)]


async def _permissions_form(visit: Visit) -> Form:
    share = await _share(visit)
    permissions = await permissions_of(visit, share.resource_share_arn)
    kinds = {one.resource_type for one in permissions}
    to_choose = {
        kind: some for kind, some in (await permissions_to_choose(visit)).items() if kind in kinds
    }
    if not to_choose:
        raise IncorrectState(
            f"'{share.name}' shares nothing of which there is more than one permission"
        )
    taken = {one.arn for one in permissions}
    return Form(
        (
            locked("share", "Resource share", share.name),
            *await permission_fields(visit, to_choose, taken),
        )
    )


async def _change_permissions(visit: Visit, values: Values) -> Sequence[Command]:
    share = await _share(visit)
    permissions = await permissions_of(visit, share.resource_share_arn)
    taken = {one.arn for one in permissions}
    changes = [arn for arn in chosen_permissions(values) if arn not in taken]
    if not changes:
        raise IncorrectState("The share has this permission already; choose another one")
    return [
        Command(
            pb.AssociateResourceSharePermissionRequest(
                resource_share_arn=share.resource_share_arn, permission_arn=arn, replace=True
            ),
            pb.AssociateResourceSharePermissionResponse,
        )
        for arn in changes
    ]


async def _delete_form(visit: Visit) -> Form:
    share = await _share(visit)
    return Form((locked("share", "Resource share", share.name),))


async def _delete(visit: Visit, _: Values) -> Sequence[Command]:
    share = await _share(visit)
    request = pb.DeleteResourceShareRequest(resource_share_arn=share.resource_share_arn)
    return [Command(request, pb.DeleteResourceShareResponse)]


_HERE = "/shares/{share_id}"

SECTION = Section(
    title="Resource shares",
    path="/shares",
    group=Group.SHARING,
    pages=(
        Page("/shares", list_shares),
        Page("/shares/invitations", list_invitations),
        Page(_HERE, show_share),
    ),
    actions=(
        Action(
            name="create-share",
            path="/shares/create",
            title="Create resource share",
            submit="Create resource share",
            done="The resource share is created.",
            form=_create_form,
            commands=_create,
            goes_to=lambda answers: (
                f"/shares/{id_of(answers[0].resource_share.resource_share_arn)}"
            ),
            comes_from="/shares",
        ),
        Action(
            name="add-to-share",
            path=f"{_HERE}/add",
            title="Add to the resource share",
            submit="Add",
            done="It is being added.",
            form=_add_form,
            commands=_add,
            goes_to=_HERE,
            comes_from=_HERE,
        ),
        Action(
            name="remove-from-share",
            path=f"{_HERE}/remove",
            title="Remove from the resource share",
            submit="Remove",
            done="It is being removed.",
            form=_remove_form,
            commands=_remove,
            goes_to=_HERE,
            comes_from=_HERE,
            warning="Whoever had it by this share can't use it any more.",
        ),
        Action(
            name="edit-share",
            is_edit=True,
            path=f"{_HERE}/edit",
            title="Edit resource share",
            submit="Save changes",
            done="The resource share is changed.",
            form=_edit_form,
            commands=_edit,
            goes_to=_HERE,
            comes_from=_HERE,
        ),
        Action(
            name="change-share-permissions",
            is_edit=True,
            path=f"{_HERE}/permissions",
            title="Change the resource share's permissions",
            submit="Change permissions",
            done="The permissions are changed.",
            form=_permissions_form,
            commands=_change_permissions,
            goes_to=_HERE,
            comes_from=_HERE,
            warning="Whoever has its resources by this share can do from now on what these allow.",
        ),
        Action(
            name="delete-share",
            path=f"{_HERE}/delete",
            title="Delete resource share",
            submit="Delete",
            done="The resource share is being deleted.",
            form=_delete_form,
            commands=_delete,
            goes_to="/shares",
            comes_from=_HERE,
            warning="Whoever had its resources by this share can't use them any more.",
        ),
        *INVITATION_ACTIONS,
    ),
)
