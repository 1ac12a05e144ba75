"""VPCs and subnets of the embedded cloud, as far as they take part in IPAM (VPC-1 to VPC-4)."""

from collections.abc import Sequence
from functools import partial

from starlette.responses import Response

from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import network_service_pb2 as pb
from cadastre.network.v1 import subnet_service_pb2 as subnets
from cadastre.network.v1 import vpc_pb2
from services.gateway.console.actions import Action, Command
from services.gateway.console.choices import pool_choices, pools
from services.gateway.console.fields import locked, tag_specifications, tags_field
from services.gateway.console.forms import Choice, Field, Form, Kind, Values
from services.gateway.console.reading import reading
from services.gateway.console.section import Group, Page, Section
from services.gateway.console.tables import Cell, Column, Filter, Table, badge, table_page, text
from services.gateway.console.tag_actions import edit_tags
from services.gateway.console.visit import Link, Visit
from services.gateway.console.words import name_of, tags_of, word_of
from shared.errors import UnknownId

_IPV4, _IPV6 = "IPv4 CIDR block", "IPv6 CIDR block"


async def list_vpcs(visit: Visit) -> Response:
    """The account's VPCs in the region."""
    table = Table(
        name="vpcs",
        columns=(
            Column(
                "name",
                "Name (VPC ID)",
                lambda row: Cell(
                    name_of(row.tags) or row.vpc_id,
                    url=visit.url(f"/vpcs/{row.vpc_id}"),
                    note=row.vpc_id if name_of(row.tags) else "",
                ),
                sort=lambda row: (name_of(row.tags), row.vpc_id),
            ),
            Column("state", "State", lambda row: badge(word_of(row, "state"))),
            Column("ipv4", "IPv4 CIDRs", lambda row: text(", ".join(_ipv4_of(row)), is_code=True)),
            Column("ipv6", "IPv6 CIDRs", lambda row: text(", ".join(_ipv6_of(row)), is_code=True)),
            Column("tags", "Tags", lambda row: text(_tags(row.tags))),
        ),
        read=reading(
            visit, pb.DescribeVpcsRequest(), pb.DescribeVpcsResponse, lambda answer: answer.vpcs
        ),
        filters=(
            Filter("tag:Name", "Name"),
            Filter("vpc-id", "VPC ID"),
            Filter("cidr-block-association.cidr-block", "IPv4 CIDR"),
        ),
        row_links=lambda row: [
            Link("Delete", visit.url(f"/vpcs/{row.vpc_id}/delete"), is_destructive=True)
        ],
        empty=f"This account has no VPC in {visit.region}.",
    )
    return await table_page(
        visit,
        table,
        "table.html",
        title="VPCs",
        actions=[Link("Create VPC", visit.url("/vpcs/create"), is_main=True)],
    )


async def show_vpc(visit: Visit) -> Response:
    """One VPC, and its subnets."""
    vpc = await _vpc(visit)
    here = f"/vpcs/{vpc.vpc_id}"
    of_vpc = types_pb2.Filter(name="vpc-id", values=[vpc.vpc_id])
    table = Table(
        name="subnets",
        columns=(
            Column(
                "name",
                "Name (subnet ID)",
                lambda row: Cell(
                    name_of(row.tags) or row.subnet_id,
                    note=row.subnet_id if name_of(row.tags) else "",
                ),
            ),
            Column("state", "State", lambda row: badge(word_of(row, "state"))),
            Column("ipv4", "IPv4 CIDR", lambda row: text(row.cidr_block, is_code=True)),
            Column("zone", "Availability Zone", lambda row: text(row.availability_zone)),
            Column(
                "free",
                "Available IPv4 addresses",
                lambda row: Cell(f"{row.available_ip_address_count:,}"),
                is_number=True,
            ),
        ),
        read=reading(
            visit,
            subnets.DescribeSubnetsRequest(filters=[of_vpc]),
            subnets.DescribeSubnetsResponse,
            lambda answer: answer.subnets,
        ),
        row_links=lambda row: [
            Link(
                "Delete subnet",
                visit.url(f"{here}/subnets/{row.subnet_id}/delete"),
                is_destructive=True,
            )
        ],
        empty="This VPC has no subnet.",
    )
    return await table_page(
        visit,
        table,
        "details.html",
        title=name_of(vpc.tags) or vpc.vpc_id,
        trail=[Link("VPCs", visit.url("/vpcs"))],
        facts=(
            ("VPC ID", Cell(vpc.vpc_id, is_code=True)),
            ("State", badge(word_of(vpc, "state"))),
            ("IPv4 CIDRs", text(", ".join(_ipv4_of(vpc)), is_code=True)),
            ("IPv6 CIDRs", text(", ".join(_ipv6_of(vpc)), is_code=True)),
            ("Owner", Cell(vpc.owner_id, is_code=True)),
            ("Tags", _tags(vpc.tags)),
        ),
        caption="Subnets",
        actions=(
            Link("Create subnet", visit.url(f"{here}/create-subnet"), is_main=True),
            Link("Add CIDR", visit.url(f"{here}/add-cidr")),
            Link("Remove CIDR", visit.url(f"{here}/remove-cidr"), is_destructive=True),
            Link("Edit tags", visit.url(f"{here}/edit-tags")),
            Link("Delete VPC", visit.url(f"{here}/delete"), is_destructive=True),
        ),
    )


async def _vpc(visit: Visit) -> vpc_pb2.Vpc:
    """The VPC that the address names. Raises InvalidVpcID.NotFound."""
    vpc_id = visit.params["vpc_id"]
    answer = await visit.api.call(pb.DescribeVpcsRequest(vpc_ids=[vpc_id]), pb.DescribeVpcsResponse)
    if not answer.vpcs:
        raise UnknownId("InvalidVpcID", vpc_id)
    return answer.vpcs[0]


def _ipv4_of(vpc: vpc_pb2.Vpc) -> Sequence[str]:
    return [one.cidr_block for one in vpc.cidr_block_association_set]


def _ipv6_of(vpc: vpc_pb2.Vpc) -> Sequence[str]:
    return [one.ipv6_cidr_block for one in vpc.ipv6_cidr_block_association_set]


def _tags(tags: Sequence[types_pb2.Tag]) -> str:
    others = {key: value for key, value in tags_of(tags).items() if key != "Name"}
    return ", ".join(f"{key}={value}" for key, value in others.items())


async def _cidr_fields(visit: Visit) -> Sequence[Field]:
    """An IPv4 and perhaps an IPv6 block, by hand or of a pool."""
    here = await pools(visit, ("locale", [visit.region]))
    by_family = {
        family: [one for one in here if word_of(one, "address_family") == family]
        for family in ("ipv4", "ipv6")
    }
    no_pool = Choice("", "None: the CIDR is given by hand")
    return (
        Field("cidr_block", "IPv4 CIDR", placeholder="10.0.0.0/16", legend=_IPV4),
        Field(
            "ipv4_ipam_pool_id",
            "IPv4 IPAM pool",
            Kind.CHOICE,
            choices=[no_pool, *pool_choices(by_family["ipv4"])],
            help=f"Pools whose locale is {visit.region}, shared ones too.",
            legend=_IPV4,
        ),
        Field(
            "ipv4_netmask_length",
            "Netmask length",
            Kind.NUMBER,
            help="Left out, the pool's default.",
            legend=_IPV4,
        ),
        Field(
            "ipv6_ipam_pool_id",
            "IPv6 IPAM pool",
            Kind.CHOICE,
            choices=[Choice("", "None"), *pool_choices(by_family["ipv6"])],
            legend=_IPV6,
        ),
        Field("ipv6_cidr_block", "IPv6 CIDR", legend=_IPV6),
        Field("ipv6_netmask_length", "IPv6 netmask length", Kind.NUMBER, legend=_IPV6),
        Field(
            "amazon_provided_ipv6_cidr_block",
            "Amazon-provided IPv6 CIDR block",
            Kind.CHECKBOX,
            legend=_IPV6,
        ),
    )


async def _create_form(visit: Visit) -> Form:
    return Form(
        (Field("name", "Name", help="The tag Name."), *await _cidr_fields(visit), tags_field())
    )


def _create(_: Visit, values: Values) -> Sequence[Command]:
    name = {"Name": values.text("name")} if values.text("name") else {}
    request = pb.CreateVpcRequest(
        cidr_block=values.optional("cidr_block"),
        ipv4_ipam_pool_id=values.optional("ipv4_ipam_pool_id"),
        ipv4_netmask_length=values.number("ipv4_netmask_length"),
        ipv6_cidr_block=values.optional("ipv6_cidr_block"),
        ipv6_ipam_pool_id=values.optional("ipv6_ipam_pool_id"),
        ipv6_netmask_length=values.number("ipv6_netmask_length"),
        amazon_provided_ipv6_cidr_block=values.flag("amazon_provided_ipv6_cidr_block") or None,
        tag_specifications=tag_specifications("vpc", {**name, **values.tags("tags")}),
    )
    return [Command(request, pb.CreateVpcResponse)]


async def _this_vpc(visit: Visit) -> Form:
    vpc = await _vpc(visit)
    return Form(
        (
            locked("vpc_id", "VPC", vpc.vpc_id),
            locked("cidrs", "CIDRs", ", ".join([*_ipv4_of(vpc), *_ipv6_of(vpc)])),
        )
    )


def _delete(visit: Visit, _: Values) -> Sequence[Command]:
    request = pb.DeleteVpcRequest(vpc_id=visit.params["vpc_id"])
    return [Command(request, pb.DeleteVpcResponse)]


async def _add_cidr_form(visit: Visit) -> Form:
    await _vpc(visit)
    return Form((locked("vpc_id", "VPC", visit.params["vpc_id"]), *await _cidr_fields(visit)))


def _add_cidr(visit: Visit, values: Values) -> Sequence[Command]:
    request = pb.AssociateVpcCidrBlockRequest(
        vpc_id=visit.params["vpc_id"],
        cidr_block=values.optional("cidr_block"),
        ipv4_ipam_pool_id=values.optional("ipv4_ipam_pool_id"),
        ipv4_netmask_length=values.number("ipv4_netmask_length"),
        ipv6_cidr_block=values.optional("ipv6_cidr_block"),
        ipv6_ipam_pool_id=values.optional("ipv6_ipam_pool_id"),
        ipv6_netmask_length=values.number("ipv6_netmask_length"),
        amazon_provided_ipv6_cidr_block=values.flag("amazon_provided_ipv6_cidr_block") or None,
    )
    return [Command(request, pb.AssociateVpcCidrBlockResponse)]


async def _remove_cidr_form(visit: Visit) -> Form:
    vpc = await _vpc(visit)
    found = [
        *((one.association_id, one.cidr_block) for one in vpc.cidr_block_association_set),
        *((one.association_id, one.ipv6_cidr_block) for one in vpc.ipv6_cidr_block_association_set),
    ]
    return Form(
        (
            locked("vpc_id", "VPC", vpc.vpc_id),
            Field(
                "association_id",
                "CIDR",
                Kind.CHOICE,
                choices=[Choice(association_id, cidr) for association_id, cidr in found],
                value=found[-1][0] if found else "",
                is_required=True,
            ),
        )
    )


def _remove_cidr(_: Visit, values: Values) -> Sequence[Command]:
    request = pb.DisassociateVpcCidrBlockRequest(association_id=values.text("association_id"))
    return [Command(request, pb.DisassociateVpcCidrBlockResponse)]


async def _create_subnet_form(visit: Visit) -> Form:
    vpc = await _vpc(visit)
    planning = [
        one
        for one in await pools(visit, ("locale", [visit.region]))
        if one.source_resource.resource_id == vpc.vpc_id
    ]
    return Form(
        (
            locked("vpc_id", "VPC", vpc.vpc_id),
            Field("name", "Name", help="The tag Name."),
            Field("availability_zone", "Availability Zone", placeholder=f"{visit.region}a"),
            Field("cidr_block", "IPv4 CIDR"),
            Field(
                "ipv4_ipam_pool_id",
                "IPv4 IPAM pool",
                Kind.CHOICE,
                choices=[Choice("", "None: the CIDR is given by hand"), *pool_choices(planning)],
                help="Pools that plan this VPC's space.",
            ),
            Field("ipv4_netmask_length", "Netmask length", Kind.NUMBER),
            Field("ipv6_cidr_block", "IPv6 CIDR"),
            tags_field(),
        )
    )


def _create_subnet(visit: Visit, values: Values) -> Sequence[Command]:
    name = {"Name": values.text("name")} if values.text("name") else {}
    request = subnets.CreateSubnetRequest(
        vpc_id=visit.params["vpc_id"],
        availability_zone=values.optional("availability_zone"),
        cidr_block=values.optional("cidr_block"),
        ipv4_ipam_pool_id=values.optional("ipv4_ipam_pool_id"),
        ipv4_netmask_length=values.number("ipv4_netmask_length"),
        ipv6_cidr_block=values.optional("ipv6_cidr_block"),
        tag_specifications=tag_specifications("subnet", {**name, **values.tags("tags")}),
    )
    return [Command(request, subnets.CreateSubnetResponse)]


async def _this_subnet(visit: Visit) -> Form:
    subnet_id = visit.params["subnet_id"]
    request = subnets.DescribeSubnetsRequest(subnet_ids=[subnet_id])
    answer = await visit.api.call(request, subnets.DescribeSubnetsResponse)
    if not answer.subnets:
        raise UnknownId("InvalidSubnetID", subnet_id)
    return Form(
        (
            locked("subnet_id", "Subnet", subnet_id),
            locked("cidr_block", "CIDR", answer.subnets[0].cidr_block),
        )
    )


def _delete_subnet(visit: Visit, _: Values) -> Sequence[Command]:
    request = subnets.DeleteSubnetRequest(subnet_id=visit.params["subnet_id"])
    return [Command(request, subnets.DeleteSubnetResponse)]


_HERE = "/vpcs/{vpc_id}"
_of_vpc = partial(Action, goes_to=_HERE, comes_from=_HERE)

SECTION = Section(
    title="VPCs",
    path="/vpcs",
    group=Group.NETWORK,
    pages=(Page("/vpcs", list_vpcs), Page(_HERE, show_vpc)),
    actions=(
        Action(
            name="create-vpc",
            path="/vpcs/create",
            title="Create VPC",
            submit="Create VPC",
            done="The VPC is created.",
            form=_create_form,
            commands=_create,
            goes_to=lambda answers: f"/vpcs/{answers[0].vpc.vpc_id}",
            comes_from="/vpcs",
        ),
        _of_vpc(
            name="delete-vpc",
            path=f"{_HERE}/delete",
            title="Delete VPC",
            submit="Delete",
            done="The VPC is deleted.",
            form=_this_vpc,
            commands=_delete,
            goes_to="/vpcs",
            warning="What it had allocated from pools goes back to them.",
        ),
        _of_vpc(
            name="add-cidr",
            path=f"{_HERE}/add-cidr",
            title="Add CIDR",
            submit="Add CIDR",
            done="The CIDR is added.",
            form=_add_cidr_form,
            commands=_add_cidr,
        ),
        _of_vpc(
            name="remove-cidr",
            path=f"{_HERE}/remove-cidr",
            title="Remove CIDR",
            submit="Remove CIDR",
            done="The CIDR is removed.",
            form=_remove_cidr_form,
            commands=_remove_cidr,
            warning="Its addresses go back to the pool they are from.",
        ),
        _of_vpc(
            name="create-subnet",
            path=f"{_HERE}/create-subnet",
            title="Create subnet",
            submit="Create subnet",
            done="The subnet is created.",
            form=_create_subnet_form,
            commands=_create_subnet,
        ),
        _of_vpc(
            name="delete-subnet",
            path=f"{_HERE}/subnets/{{subnet_id}}/delete",
            title="Delete subnet",
            submit="Delete",
            done="The subnet is deleted.",
            form=_this_subnet,
            commands=_delete_subnet,
            warning="Its addresses are free again.",
        ),
        edit_tags("vpc", _HERE, "vpc_id"),
    ),
)
