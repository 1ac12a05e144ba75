"""IPAMs and their scopes (IPAM-1 to IPAM-10, SCP-1 to SCP-3)."""

from collections.abc import Sequence

from starlette.responses import Response

from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import control_service_pb2 as pb
from cadastre.control.v1 import ipam_pb2, ipam_scope_pb2
from services.gateway.console.actions import Action, Command
from services.gateway.console.fields import (
    choose,
    description_field,
    locked,
    region_choices,
    tag_specifications,
    tags_field,
)
from services.gateway.console.forms import Choice, Field, Form, Kind, Values
from services.gateway.console.reading import reading
from services.gateway.console.section import Group, Page, Section
from services.gateway.console.tables import Cell, Column, Filter, Table, badge, table_page, text
from services.gateway.console.visit import Link, Visit
from services.gateway.console.words import name_of, tags_of, word_of

_TIERS = (
    Choice("advanced", "Advanced", "all of IPAM"),
    Choice("free", "Free", "public IP insights and little more"),
)
_METERED = (
    Choice("ipam-owner", "The IPAM's owner pays for all"),
    Choice("resource-owner", "Each account pays for its own addresses"),
)


async def list_ipams(visit: Visit) -> Response:
    """All IPAMs of the account in the region."""

    columns: Sequence[Column[ipam_pb2.Ipam]] = (
        Column(
            "name",
            "Name (IPAM ID)",
            lambda row: Cell(
                name_of(row.tags) or row.ipam_id,
                url=visit.url(f"/ipams/{row.ipam_id}"),
                note=row.ipam_id if name_of(row.tags) else "",
            ),
            sort=lambda row: (name_of(row.tags), row.ipam_id),
        ),
        Column("state", "State", lambda row: badge(word_of(row, "state"))),
        Column("tier", "Tier", lambda row: text(word_of(row, "tier"))),
        Column("description", "Description", lambda row: text(row.description)),
        Column("scopes", "Scopes", lambda row: Cell(str(row.scope_count)), is_number=True),
        Column(
            "regions",
            "Operating regions",
            lambda row: text(", ".join(_regions_of(row))),
        ),
    )
    return await table_page(
        visit,
        Table(
            name="ipams",
            columns=columns,
            read=reading(
                visit,
                pb.DescribeIpamsRequest(),
                pb.DescribeIpamsResponse,
                lambda answer: answer.ipams,
            ),
            filters=(Filter("description", "Description"),),
            row_links=lambda row: _links(visit, row),
            empty="There is no IPAM in this region. Create one to plan and watch address space.",
        ),
        "table.html",
        title="IPAMs",
        actions=[Link("Create IPAM", visit.url("/ipams/create"), is_main=True)],
    )


async def show_ipam(visit: Visit) -> Response:
    """One IPAM, and its scopes."""
    ipam = await visit.api.ipam(visit.params["ipam_id"])

    scopes = reading(
        visit,
        pb.DescribeIpamScopesRequest(
            filters=[types_pb2.Filter(name="ipam-arn", values=[ipam.ipam_arn])]
        ),
        pb.DescribeIpamScopesResponse,
        lambda answer: answer.ipam_scopes,
    )
    return await table_page(
        visit,
        Table(name="scopes", columns=_scope_columns(visit), read=scopes),
        "details.html",
        title=name_of(ipam.tags) or ipam.ipam_id,
        trail=[Link("IPAMs", visit.url("/ipams"))],
        actions=[
            Link("Create scope", visit.url(f"/ipams/{ipam.ipam_id}/create-scope"), is_main=True),
            *_links(visit, ipam),
        ],
        facts=_facts(ipam),
        caption="Scopes",
        is_changing=badge(word_of(ipam, "state")).tone == "busy",
    )


def _scope_columns(visit: Visit) -> Sequence[Column[ipam_scope_pb2.IpamScope]]:
    return (
        Column(
            "name",
            "Name (scope ID)",
            lambda row: Cell(
                name_of(row.tags) or row.ipam_scope_id,
                url=visit.url("/pools", scope=row.ipam_scope_id),
                note=row.ipam_scope_id if name_of(row.tags) else "",
            ),
        ),
        Column("type", "Type", lambda row: badge(word_of(row, "ipam_scope_type"))),
        Column("default", "Default", lambda row: text("Yes" if row.is_default else "No")),
        Column("state", "State", lambda row: badge(word_of(row, "state"))),
        Column("pools", "Pools", lambda row: Cell(str(row.pool_count)), is_number=True),
        Column("description", "Description", lambda row: text(row.description)),
    )


def _facts(ipam: ipam_pb2.Ipam) -> Sequence[tuple[str, Cell | str]]:
    return (
        ("IPAM ID", Cell(ipam.ipam_id, is_code=True)),
        ("State", badge(word_of(ipam, "state"))),
        ("Tier", word_of(ipam, "tier")),
        ("Description", ipam.description),
        ("Home region", ipam.ipam_region),
        ("Operating regions", ", ".join(_regions_of(ipam))),
        ("Owner", Cell(ipam.owner_id, is_code=True)),
        ("Metered account", word_of(ipam, "metered_account")),
        ("Private IPv6 GUA", "Enabled" if ipam.enable_private_gua else "Disabled"),
        ("Default resource discovery", Cell(ipam.default_resource_discovery_id, is_code=True)),
        ("Tags", ", ".join(f"{key}={value}" for key, value in tags_of(ipam.tags).items())),
        ("ARN", Cell(ipam.ipam_arn, is_code=True)),
    )


def _links(visit: Visit, ipam: ipam_pb2.Ipam) -> Sequence[Link]:
    here = f"/ipams/{ipam.ipam_id}"
    return (
        Link("Edit", visit.url(f"{here}/edit")),
        Link("Delete", visit.url(f"{here}/delete"), is_destructive=True),
    )


def _regions_of(ipam: ipam_pb2.Ipam) -> Sequence[str]:
    return sorted(one.region_name for one in ipam.operating_regions)


async def _create_form(visit: Visit) -> Form:
    return Form(
        (
            Field(
                "replicate",
                "Allow Cadastre to copy data from the organization's accounts into this one",
                Kind.CHECKBOX,
                help="Without it an IPAM can't watch anything, so it isn't created.",
                is_required=True,
            ),
            description_field(),
            Field("tier", "Tier", Kind.CHOICE, choices=_TIERS, value="advanced", is_required=True),
            Field(
                "operating_regions",
                "Operating regions",
                Kind.CHOICES,
                choices=region_choices(visit),
                help=f"Where it watches and allocates; {visit.region} is always one of them.",
                value=visit.region,
            ),
            Field("enable_private_gua", "Allow private IPv6 GUA CIDRs", Kind.CHECKBOX),
            Field(
                "metered_account",
                "Who pays",
                Kind.CHOICE,
                choices=_METERED,
                value="ipam-owner",
                is_required=True,
            ),
            tags_field(),
        )
    )


def _create(visit: Visit, values: Values) -> Sequence[Command]:
    others = [region for region in values.lines("operating_regions") if region != visit.region]
    request = pb.CreateIpamRequest(
        description=values.optional("description"),
        operating_regions=map(_added, others),
        tag_specifications=tag_specifications("ipam", values.tags("tags")),
        enable_private_gua=values.flag("enable_private_gua") or None,
    )
    choose(request, "tier", values)
    choose(request, "metered_account", values)
    return [Command(request, pb.CreateIpamResponse)]


async def _edit_form(visit: Visit) -> Form:
    ipam = await visit.api.ipam(visit.params["ipam_id"])
    return Form(
        (
            locked("ipam_id", "IPAM", ipam.ipam_id),
            description_field(ipam.description),
            Field(
                "tier",
                "Tier",
                Kind.CHOICE,
                choices=_TIERS,
                value=word_of(ipam, "tier"),
                is_required=True,
            ),
            Field(
                "add_operating_regions",
                "Add operating regions",
                Kind.CHOICES,
                choices=[
                    one for one in region_choices(visit) if one.value not in _regions_of(ipam)
                ],
            ),
            Field(
                "remove_operating_regions",
                "Remove operating regions",
                Kind.CHOICES,
                choices=[
                    Choice(region, region)
                    for region in _regions_of(ipam)
                    if region != ipam.ipam_region
                ],
            ),
            Field(
                "enable_private_gua",
                "Allow private IPv6 GUA CIDRs",
                Kind.CHECKBOX,
                value="true" if ipam.enable_private_gua else "",
            ),
            Field(
                "metered_account",
                "Who pays",
                Kind.CHOICE,
                choices=_METERED,
                value=word_of(ipam, "metered_account"),
                is_required=True,
            ),
        )
    )


def _edit(visit: Visit, values: Values) -> Sequence[Command]:
    request = pb.ModifyIpamRequest(
        ipam_id=visit.params["ipam_id"],
        description=values.text("description"),
        add_operating_regions=map(_added, values.lines("add_operating_regions")),
        remove_operating_regions=[
            ipam_pb2.RemoveIpamOperatingRegion(region_name=region)
            for region in values.lines("remove_operating_regions")
        ],
        enable_private_gua=values.flag("enable_private_gua"),
    )
    choose(request, "tier", values)
    choose(request, "metered_account", values)
    return [Command(request, pb.ModifyIpamResponse)]


async def _delete_form(visit: Visit) -> Form:
    ipam = await visit.api.ipam(visit.params["ipam_id"])
    return Form(
        (
            locked("ipam_id", "IPAM", ipam.ipam_id),
            Field(
                "cascade",
                "Cascade delete",
                Kind.CHECKBOX,
                help="Also deletes its private scopes, the pools in them, what is allocated from"
                " these, and what is provisioned to them. Without, an IPAM must be empty.",
            ),
        )
    )


def _delete(visit: Visit, values: Values) -> Sequence[Command]:
    request = pb.DeleteIpamRequest(
        ipam_id=visit.params["ipam_id"], cascade=values.flag("cascade") or None
    )
    return [Command(request, pb.DeleteIpamResponse)]


async def _create_scope_form(visit: Visit) -> Form:
    ipam = await visit.api.ipam(visit.params["ipam_id"])
    return Form(
        (locked("ipam_id", "IPAM", ipam.ipam_id), description_field(), tags_field()),
        intro="A private scope: a network of its own, whose addresses may be others' too.",
    )


def _create_scope(visit: Visit, values: Values) -> Sequence[Command]:
    request = pb.CreateIpamScopeRequest(
        ipam_id=visit.params["ipam_id"],
        description=values.optional("description"),
        tag_specifications=tag_specifications("ipam-scope", values.tags("tags")),
    )
    return [Command(request, pb.CreateIpamScopeResponse)]


def _added(region: str) -> ipam_pb2.AddIpamOperatingRegion:
    return ipam_pb2.AddIpamOperatingRegion(region_name=region)


SECTION = Section(
    title="IPAMs",
    path="/ipams",
    group=Group.ADMINISTRATION,
    pages=(Page("/ipams", list_ipams), Page("/ipams/{ipam_id}", show_ipam)),
    actions=(
        Action(
            name="create-ipam",
            path="/ipams/create",
            title="Create IPAM",
            submit="Create IPAM",
            done="The IPAM is being created.",
            form=_create_form,
            commands=_create,
            goes_to=lambda answers: f"/ipams/{answers[0].ipam.ipam_id}",
            comes_from="/ipams",
        ),
        Action(
            name="edit-ipam",
            is_edit=True,
            path="/ipams/{ipam_id}/edit",
            title="Edit IPAM",
            submit="Save changes",
            done="The IPAM is being changed.",
            form=_edit_form,
            commands=_edit,
            goes_to="/ipams/{ipam_id}",
            comes_from="/ipams/{ipam_id}",
        ),
        Action(
            name="delete-ipam",
            path="/ipams/{ipam_id}/delete",
            title="Delete IPAM",
            submit="Delete",
            done="The IPAM is being deleted.",
            form=_delete_form,
            commands=_delete,
            goes_to="/ipams",
            comes_from="/ipams/{ipam_id}",
            warning="What it knows of history and monitored resources is deleted with it.",
            confirm_word="delete",
        ),
        Action(
            name="create-scope",
            path="/ipams/{ipam_id}/create-scope",
            title="Create scope",
            submit="Create scope",
            done="The scope is being created.",
            form=_create_scope_form,
            commands=_create_scope,
            goes_to="/ipams/{ipam_id}",
            comes_from="/ipams/{ipam_id}",
        ),
    ),
)
