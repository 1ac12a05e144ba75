"""Resource discoveries: what is looked at, and what is left out (DISC-1 to DISC-7)."""

from collections.abc import Sequence
from functools import partial
from typing import TypeVar

from starlette.responses import Response

from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import control_service_pb2 as control
from cadastre.control.v1 import ipam_pb2
from cadastre.control.v1 import resource_discovery_service_pb2 as pb
from cadastre.discovery.v1 import monitoring_service_pb2 as monitoring
from services.gateway.console.actions import Action, Command
from services.gateway.console.fields import (
    description_field,
    locked,
    region_choices,
    tag_specifications,
    tags_field,
)
from services.gateway.console.forms import Choice, Field, Form, Kind, Values
from services.gateway.console.reading import reading
from services.gateway.console.section import Group, Page, Section
from services.gateway.console.sections.organization import organization_of, tree_of
from services.gateway.console.tables import Cell, Column, Table, badge, table_page, text
from services.gateway.console.visit import Link, Visit
from services.gateway.console.words import name_of, tags_of, time_of, word_of
from shared.errors import UnknownId

R = TypeVar("R")

_EXCLUSIONS = "Accounts and OUs that aren't looked at"


async def list_discoveries(visit: Visit) -> Response:
    """The account's resource discoveries, and those shared with it."""
    table = Table(
        name="resource-discoveries",
        columns=(
            Column(
                "name",
                "Name (discovery ID)",
                lambda row: Cell(
                    name_of(row.tags) or row.ipam_resource_discovery_id,
                    url=visit.url(f"/discoveries/{row.ipam_resource_discovery_id}"),
                    note=row.ipam_resource_discovery_id if name_of(row.tags) else "",
                ),
            ),
            Column("state", "State", lambda row: badge(word_of(row, "state"))),
            Column("default", "Default", lambda row: text("Yes" if row.is_default else "No")),
            Column("owner", "Owner", lambda row: Cell(row.owner_id, is_code=True)),
            Column("regions", "Operating regions", lambda row: text(", ".join(_regions(row)))),
            Column("description", "Description", lambda row: text(row.description)),
        ),
        read=reading(
            visit,
            pb.DescribeIpamResourceDiscoveriesRequest(),
            pb.DescribeIpamResourceDiscoveriesResponse,
            lambda answer: answer.ipam_resource_discoveries,
        ),
        empty="There is no resource discovery in this region. An IPAM brings its own.",
    )
    return await table_page(
        visit,
        table,
        "table.html",
        title="Resource discoveries",
        tabs=(
            Link("Resource discoveries", visit.url("/discoveries"), is_main=True),
            Link("Associations", visit.url("/discoveries/associations")),
        ),
        actions=[Link("Create resource discovery", visit.url("/discoveries/create"), is_main=True)],
    )


async def list_associations(visit: Visit) -> Response:
    """Which IPAMs use which resource discoveries."""

    def links(row: pb.IpamResourceDiscoveryAssociation) -> Sequence[Link]:
        if row.is_default:
            return ()
        association_id = row.ipam_resource_discovery_association_id
        url = visit.url(f"/discoveries/associations/{association_id}/disassociate")
        return (Link("Disassociate", url, is_destructive=True),)

    table = Table(
        name="discovery-associations",
        columns=(
            Column(
                "discovery",
                "Resource discovery",
                lambda row: Cell(
                    row.ipam_resource_discovery_id,
                    url=visit.url(f"/discoveries/{row.ipam_resource_discovery_id}"),
                    is_code=True,
                ),
            ),
            Column("ipam", "IPAM", lambda row: Cell(row.ipam_id, is_code=True)),
            Column("state", "State", lambda row: badge(word_of(row, "state"))),
            Column(
                "status",
                "Resource discovery",
                lambda row: badge(word_of(row, "resource_discovery_status")),
            ),
            Column("default", "Default", lambda row: text("Yes" if row.is_default else "No")),
            Column("owner", "Owner", lambda row: Cell(row.owner_id, is_code=True)),
        ),
        read=reading(
            visit,
            pb.DescribeIpamResourceDiscoveryAssociationsRequest(),
            pb.DescribeIpamResourceDiscoveryAssociationsResponse,
            lambda answer: answer.ipam_resource_discovery_associations,
        ),
        row_links=links,
    )
    return await table_page(
        visit,
        table,
        "table.html",
        title="Resource discovery associations",
        tabs=(
            Link("Resource discoveries", visit.url("/discoveries")),
            Link("Associations", visit.url("/discoveries/associations"), is_main=True),
        ),
    )


async def show_accounts(visit: Visit) -> Response:
    """One discovery: the accounts that are looked at, and how that went."""
    one = await _discovery(visit)
    region = visit.query.get("discovery_region") or visit.region
    table = Table(
        name="discovered-accounts",
        columns=(
            Column("account", "Account", lambda row: Cell(row.account_id, is_code=True)),
            Column("region", "Region", lambda row: text(row.discovery_region)),
            Column("ou", "OU", lambda row: text(row.organizational_unit_id, is_code=True)),
            Column(
                "attempted",
                "Last attempted (UTC)",
                lambda row: text(time_of(row, "last_attempted_discovery_time")),
            ),
            Column(
                "succeeded",
                "Last successful (UTC)",
                lambda row: text(time_of(row, "last_successful_discovery_time")),
            ),
            Column(
                "failure",
                "Why it failed",
                lambda row: text(
                    row.failure_reason.message if row.HasField("failure_reason") else "",
                    note=word_of(row.failure_reason, "code"),
                ),
            ),
        ),
        read=reading(
            visit,
            monitoring.GetIpamDiscoveredAccountsRequest(
                ipam_resource_discovery_id=one.ipam_resource_discovery_id, discovery_region=region
            ),
            monitoring.GetIpamDiscoveredAccountsResponse,
            lambda answer: answer.ipam_discovered_accounts,
        ),
        empty=f"No account was looked at in {region} yet.",
    )
    return await _discovery_page(visit, one, table, "Discovered accounts")


async def show_resources(visit: Visit) -> Response:
    """One discovery: the resource CIDRs it found."""
    one = await _discovery(visit)
    region = visit.query.get("resource_region") or visit.region
    table = Table(
        name="discovered-resources",
        columns=(
            Column("resource", "Resource", lambda row: Cell(row.resource_id, is_code=True)),
            Column("cidr", "CIDR", lambda row: Cell(row.resource_cidr, is_code=True)),
            Column("type", "Type", lambda row: text(word_of(row, "resource_type"))),
            Column("vpc", "VPC", lambda row: text(row.vpc_id)),
            Column("region", "Region", lambda row: text(row.resource_region)),
            Column("owner", "Owner", lambda row: Cell(row.resource_owner_id, is_code=True)),
            Column("sampled", "Sampled (UTC)", lambda row: text(time_of(row, "sample_time"))),
        ),
        read=reading(
            visit,
            monitoring.GetIpamDiscoveredResourceCidrsRequest(
                ipam_resource_discovery_id=one.ipam_resource_discovery_id, resource_region=region
            ),
            monitoring.GetIpamDiscoveredResourceCidrsResponse,
            lambda answer: answer.ipam_discovered_resource_cidrs,
        ),
        empty=f"No resource was found in {region}.",
    )
    return await _discovery_page(visit, one, table, "Discovered resources")


async def _discovery_page(
    visit: Visit,
    one: pb.IpamResourceDiscovery,
    table: Table[R],
    tab: str,
) -> Response:
    here = f"/discoveries/{one.ipam_resource_discovery_id}"
    is_own = one.owner_id == visit.account_id
    actions = [
        Link("Associate with an IPAM", visit.url(f"{here}/associate"), is_main=not one.is_default)
    ]
    if is_own:
        actions += [
            Link("Edit", visit.url(f"{here}/edit")),
            Link("Edit OU exclusions", visit.url(f"{here}/exclusions")),
            Link(
                "Share",
                visit.url("/shares/create", resource_arns=one.ipam_resource_discovery_arn),
            ),
            Link("Delete", visit.url(f"{here}/delete"), is_destructive=True),
        ]
    return await table_page(
        visit,
        table,
        "details.html",
        title=name_of(one.tags) or one.ipam_resource_discovery_id,
        trail=[Link("Resource discoveries", visit.url("/discoveries"))],
        facts=_facts(one),
        tabs=[
            Link("Discovered accounts", visit.url(here), is_main=tab == "Discovered accounts"),
            Link(
                "Discovered resources",
                visit.url(f"{here}/resources"),
                is_main=tab == "Discovered resources",
            ),
            Link(
                "Discovered public addresses",
                visit.url("/public-ips", discovery=one.ipam_resource_discovery_id),
            ),
        ],
        caption=tab,
        actions=actions,
        is_changing=badge(word_of(one, "state")).tone == "busy",
    )


def _facts(one: pb.IpamResourceDiscovery) -> Sequence[tuple[str, Cell | str]]:
    excluded = ", ".join(_excluded(one))
    return (
        ("Resource discovery ID", Cell(one.ipam_resource_discovery_id, is_code=True)),
        ("State", badge(word_of(one, "state"))),
        ("Default", "Yes" if one.is_default else "No"),
        ("Description", one.description),
        ("Region", one.ipam_resource_discovery_region),
        ("Operating regions", ", ".join(_regions(one))),
        ("OU exclusions", text(excluded, is_code=True)),
        ("Owner", Cell(one.owner_id, is_code=True)),
        ("Tags", ", ".join(f"{key}={value}" for key, value in tags_of(one.tags).items())),
        ("ARN", Cell(one.ipam_resource_discovery_arn, is_code=True)),
    )


async def _discovery(visit: Visit) -> pb.IpamResourceDiscovery:
    """The one that the address names. Raises InvalidIpamResourceDiscoveryId.NotFound."""
    wanted = visit.params["ipam_resource_discovery_id"]
    request = pb.DescribeIpamResourceDiscoveriesRequest(ipam_resource_discovery_ids=[wanted])
    answer = await visit.api.call(request, pb.DescribeIpamResourceDiscoveriesResponse)
    if not answer.ipam_resource_discoveries:
        raise UnknownId("InvalidIpamResourceDiscoveryId", wanted)
    return answer.ipam_resource_discoveries[0]


def _regions(one: pb.IpamResourceDiscovery) -> Sequence[str]:
    return sorted(region.region_name for region in one.operating_regions)


def _excluded(one: pb.IpamResourceDiscovery) -> Sequence[str]:
    return [each.organizations_entity_path for each in one.organizational_unit_exclusions]


async def _create_form(visit: Visit) -> Form:
    return Form(
        (
            description_field(),
            Field(
                "operating_regions",
                "Operating regions",
                Kind.CHOICES,
                choices=region_choices(visit),
                value=visit.region,
            ),
            tags_field(),
        )
    )


def _create(visit: Visit, values: Values) -> Sequence[Command]:
    regions = [one for one in values.lines("operating_regions") if one != visit.region]
    request = pb.CreateIpamResourceDiscoveryRequest(
        description=values.optional("description"),
        operating_regions=[ipam_pb2.AddIpamOperatingRegion(region_name=one) for one in regions],
        tag_specifications=tag_specifications("ipam-resource-discovery", values.tags("tags")),
    )
    return [Command(request, pb.CreateIpamResourceDiscoveryResponse)]


async def _edit_form(visit: Visit) -> Form:
    one = await _discovery(visit)
    return Form(
        (
            locked("id", "Resource discovery", one.ipam_resource_discovery_id),
            description_field(one.description),
            Field(
                "operating_regions",
                "Operating regions",
                Kind.CHOICES,
                choices=region_choices(visit),
                value="\n".join(_regions(one)),
            ),
        )
    )


async def _edit(visit: Visit, values: Values) -> Sequence[Command]:
    one = await _discovery(visit)
    before, after = set(_regions(one)), set(values.lines("operating_regions"))
    request = pb.ModifyIpamResourceDiscoveryRequest(
        ipam_resource_discovery_id=one.ipam_resource_discovery_id,
        description=values.text("description"),
        add_operating_regions=[
            ipam_pb2.AddIpamOperatingRegion(region_name=region) for region in sorted(after - before)
        ],
        remove_operating_regions=[
            ipam_pb2.RemoveIpamOperatingRegion(region_name=region)
            for region in sorted(before - after)
        ],
    )
    return [Command(request, pb.ModifyIpamResourceDiscoveryResponse)]


async def _exclusions_form(visit: Visit) -> Form:
    """The organization's tree to pick from, where the account sees it, and paths by hand."""
    one = await _discovery(visit)
    excluded = _excluded(one)
    choices: list[Choice] = []
    if organization := await organization_of(visit):
        for node in await tree_of(visit, organization, has_accounts=False):
            if node.kind != "OU":
                continue
            indent = "\N{EM SPACE}" * node.depth
            choices.append(Choice(node.path, f"{indent}{node.name}", node.path))
            choices.append(
                Choice(f"{node.path}*", f"{indent}{node.name} and all OUs in it", f"{node.path}*")
            )
    known = {choice.value for choice in choices}
    return Form(
        (
            locked("id", "Resource discovery", one.ipam_resource_discovery_id),
            *(
                (
                    Field(
                        "picked",
                        "Exclude",
                        Kind.CHOICES,
                        choices=choices,
                        value="\n".join(path for path in excluded if path in known),
                        legend=_EXCLUSIONS,
                    ),
                )
                if choices
                else ()
            ),
            Field(
                "paths",
                "Exclude by path",
                Kind.LINES,
                help="As o-…/r-…/ou-…/, with * at the end for all OUs in it; a line each.",
                value="\n".join(path for path in excluded if path not in known),
                legend=_EXCLUSIONS,
            ),
        )
    )


async def _exclude(visit: Visit, values: Values) -> Sequence[Command]:
    one = await _discovery(visit)
    before = set(_excluded(one))
    after = {*values.lines("picked"), *values.lines("paths")}
    request = pb.ModifyIpamResourceDiscoveryRequest(
        ipam_resource_discovery_id=one.ipam_resource_discovery_id,
        add_organizational_unit_exclusions=[
            pb.AddIpamOrganizationalUnitExclusion(organizations_entity_path=path)
            for path in sorted(after - before)
        ],
        remove_organizational_unit_exclusions=[
            pb.RemoveIpamOrganizationalUnitExclusion(organizations_entity_path=path)
            for path in sorted(before - after)
        ],
    )
    return [Command(request, pb.ModifyIpamResourceDiscoveryResponse)]


async def _this(visit: Visit) -> Form:
    one = await _discovery(visit)
    return Form((locked("id", "Resource discovery", one.ipam_resource_discovery_id),))


def _delete(visit: Visit, _: Values) -> Sequence[Command]:
    request = pb.DeleteIpamResourceDiscoveryRequest(
        ipam_resource_discovery_id=visit.params["ipam_resource_discovery_id"]
    )
    return [Command(request, pb.DeleteIpamResourceDiscoveryResponse)]


async def _associate_form(visit: Visit) -> Form:
    one = await _discovery(visit)
    answer = await visit.api.call(control.DescribeIpamsRequest(), control.DescribeIpamsResponse)
    return Form(
        (
            locked("id", "Resource discovery", one.ipam_resource_discovery_id),
            Field(
                "ipam_id",
                "IPAM",
                Kind.CHOICE,
                choices=[
                    Choice(ipam.ipam_id, name_of(ipam.tags) or ipam.ipam_id)
                    for ipam in answer.ipams
                ],
                is_required=True,
                value=answer.ipams[0].ipam_id if answer.ipams else "",
            ),
        )
    )


def _associate(visit: Visit, values: Values) -> Sequence[Command]:
    request = pb.AssociateIpamResourceDiscoveryRequest(
        ipam_id=values.optional("ipam_id"),
        ipam_resource_discovery_id=visit.params["ipam_resource_discovery_id"],
    )
    return [Command(request, pb.AssociateIpamResourceDiscoveryResponse)]


async def _disassociate_form(visit: Visit) -> Form:
    association_id = visit.params["association_id"]
    request = pb.DescribeIpamResourceDiscoveryAssociationsRequest(
        filters=[
            types_pb2.Filter(name="ipam-resource-discovery-association-id", values=[association_id])
        ]
    )
    answer = await visit.api.call(request, pb.DescribeIpamResourceDiscoveryAssociationsResponse)
    if not answer.ipam_resource_discovery_associations:
        raise UnknownId("InvalidIpamResourceDiscoveryAssociationId", association_id)
    one = answer.ipam_resource_discovery_associations[0]
    return Form(
        (
            locked("association_id", "Association", association_id),
            locked("discovery", "Resource discovery", one.ipam_resource_discovery_id),
            locked("ipam", "IPAM", one.ipam_id),
        )
    )


def _disassociate(visit: Visit, _: Values) -> Sequence[Command]:
    request = pb.DisassociateIpamResourceDiscoveryRequest(
        ipam_resource_discovery_association_id=visit.params["association_id"]
    )
    return [Command(request, pb.DisassociateIpamResourceDiscoveryResponse)]


_ALL = "/discoveries"
_HERE = f"{_ALL}/{{ipam_resource_discovery_id}}"
_ASSOCIATIONS = f"{_ALL}/associations"
_of_discovery = partial(Action, goes_to=_HERE, comes_from=_HERE)

SECTION = Section(
    title="Resource discoveries",
    path=_ALL,
    group=Group.SHARING,
    pages=(
        Page(_ALL, list_discoveries),
        Page(_ASSOCIATIONS, list_associations),
        Page(_HERE, show_accounts),
        Page(f"{_HERE}/resources", show_resources),
    ),
    actions=(
        Action(
            name="create-discovery",
            path=f"{_ALL}/create",
            title="Create resource discovery",
            submit="Create resource discovery",
            done="The resource discovery is being created.",
            form=_create_form,
            commands=_create,
            goes_to=_ALL,
            comes_from=_ALL,
        ),
        Action(
            name="disassociate-discovery",
            path=f"{_ASSOCIATIONS}/{{association_id}}/disassociate",
            title="Disassociate resource discovery",
            submit="Disassociate",
            done="The resource discovery is being disassociated.",
            form=_disassociate_form,
            commands=_disassociate,
            goes_to=_ASSOCIATIONS,
            comes_from=_ASSOCIATIONS,
            warning="The IPAM doesn't monitor what it found any more.",
        ),
        _of_discovery(
            name="edit-discovery",
            is_edit=True,
            path=f"{_HERE}/edit",
            title="Edit resource discovery",
            submit="Save changes",
            done="The resource discovery is being changed.",
            form=_edit_form,
            commands=_edit,
        ),
        _of_discovery(
            name="edit-exclusions",
            is_edit=True,
            path=f"{_HERE}/exclusions",
            title="Edit OU exclusions",
            submit="Save changes",
            done="The exclusions are saved.",
            form=_exclusions_form,
            commands=_exclude,
        ),
        _of_discovery(
            name="associate-discovery",
            path=f"{_HERE}/associate",
            title="Associate resource discovery",
            submit="Associate",
            done="The resource discovery is being associated.",
            form=_associate_form,
            commands=_associate,
            goes_to=_ASSOCIATIONS,
        ),
        _of_discovery(
            name="delete-discovery",
            path=f"{_HERE}/delete",
            title="Delete resource discovery",
            submit="Delete",
            done="The resource discovery is being deleted.",
            form=_this,
            commands=_delete,
            goes_to=_ALL,
            warning="IPAMs that use it don't monitor what it found any more.",
        ),
    ),
)
