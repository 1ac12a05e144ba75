"""Elastic IP addresses (EIP-1, EIP-2)."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from starlette.responses import Response

from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import address_service_pb2 as pb
from services.gateway.console.actions import Action, Command
from services.gateway.console.fields import locked, tag_specifications, tags_field
from services.gateway.console.forms import Choice, Field, Form, Kind, Values
from services.gateway.console.reading import all_of
from services.gateway.console.section import Group, Page, Section
from services.gateway.console.sections import public_ipv4_pools
from services.gateway.console.sections.public_ipv4_pools import (
    ipam_pool_choices,
    reading_public_pools,
    tabs_of_addresses,
    text_of_tags,
)
from services.gateway.console.tables import Cell, Column, Filter, Read, Table, table_page, text
from services.gateway.console.tag_actions import edit_tags
from services.gateway.console.visit import Link, Visit
from services.gateway.console.words import NOTHING, count_of, name_of
from shared.errors import InvalidNextToken, UnknownId

_NO_POOL = Choice("", "None")


async def list_addresses(visit: Visit) -> Response:
    """The account's elastic IP addresses in the region."""
    table = Table(
        name="elastic-ips",
        columns=_columns(visit),
        read=_reading(visit),
        filters=(
            Filter("tag:Name", "Name"),
            Filter("public-ip", "Address"),
            Filter("allocation-id", "Allocation ID"),
            Filter("instance-id", "Instance ID"),
        ),
        row_links=lambda row: _links(visit, row),
        empty=f"This account has no Elastic IP address in {visit.region}.",
    )
    return await table_page(
        visit,
        table,
        "table.html",
        title="Elastic IPs",
        tabs=tabs_of_addresses(visit, "addresses"),
        actions=[
            Link("Allocate Elastic IP address", visit.url("/addresses/allocate"), is_main=True)
        ],
    )


async def show_address(visit: Visit) -> Response:
    """One elastic IP address."""
    row = await _address(visit)
    code = (
        ("Address", row.public_ip),
        ("Allocation ID", row.allocation_id),
        ("Association ID", row.association_id),
        ("Instance ID", row.instance_id),
        ("Network interface ID", row.network_interface_id),
        ("Private address", row.private_ip_address),
        ("Subnet", row.subnet_id),
        ("Network border group", row.network_border_group),
    )
    return visit.page(
        "details.html",
        title=name_of(row.tags) or row.public_ip,
        trail=[Link("Elastic IPs", visit.url("/addresses"))],
        facts=(
            *((term, text(value, is_code=True)) for term, value in code),
            ("Pool", _pool(visit, row)),
            ("Tags", text_of_tags(row.tags)),
        ),
        actions=_links(visit, row),
    )


def _columns(visit: Visit) -> Sequence[Column[pb.Address]]:
    return (
        Column(
            "name",
            "Name (allocation ID)",
            lambda row: Cell(
                name_of(row.tags) or row.allocation_id,
                url=visit.url(f"/addresses/{row.allocation_id}"),
                note=row.allocation_id if name_of(row.tags) else "",
            ),
            sort=lambda row: (name_of(row.tags), row.allocation_id),
        ),
        Column(
            "address",
            "Address",
            lambda row: Cell(row.public_ip, is_code=True),
            sort=lambda row: [int(part) for part in row.public_ip.split(".")],
        ),
        Column(
            "association",
            "Association",
            lambda row: (
                Cell("Associated", tone="good")
                if row.association_id
                else Cell("Unassociated", tone="quiet")
            ),
            sort=lambda row: row.association_id == "",
        ),
        Column(
            "instance",
            "Instance",
            lambda row: text(row.instance_id, is_code=True, note=row.network_interface_id),
        ),
        Column("pool", "Pool", lambda row: _pool(visit, row)),
        Column("border", "Network border group", lambda row: text(row.network_border_group)),
    )


def _pool(visit: Visit, row: pb.Address) -> Cell:
    """The pool that an address is of, with a way to it."""
    pool = row.public_ipv4_pool
    if pool.startswith("ipam-pool-"):
        return Cell(pool, url=visit.url(f"/pools/{pool}"), is_code=True)
    if pool.startswith("ipv4pool-"):
        return Cell(pool, url=visit.url(f"/addresses/pools/{pool}"), is_code=True)
    return text("Amazon" if pool == "amazon" else pool)


def _links(visit: Visit, row: pb.Address) -> Sequence[Link]:
    here = f"/addresses/{row.allocation_id}"
    use = (
        Link("Disassociate", visit.url(f"{here}/disassociate"))
        if row.association_id
        else Link("Associate", visit.url(f"{here}/associate"))
    )
    return (
        use,
        Link("Edit tags", visit.url(f"{here}/edit-tags")),
        Link("Release", visit.url(f"{here}/release"), is_destructive=True),
    )


def _reading(visit: Visit) -> Read[pb.Address]:
    """DescribeAddresses, which answers with all at once: the pages are made here."""

    async def read(
        wanted: Mapping[str, str], rows: int, token: str
    ) -> tuple[Sequence[pb.Address], str]:
        if token and not (token.isascii() and token.isdecimal() and len(token) < 9):
            raise InvalidNextToken
        filters = [types_pb2.Filter(name=name, values=[value]) for name, value in wanted.items()]
        answer = await visit.api.call(
            pb.DescribeAddressesRequest(filters=filters), pb.DescribeAddressesResponse
        )
        start = int(token or 0)
        end = start + rows
        return answer.addresses[start:end], str(end) if end < len(answer.addresses) else ""

    return read


async def _address(visit: Visit) -> pb.Address:
    """The address that the page's names. Raises InvalidAllocationID.NotFound."""
    allocation_id = visit.params["allocation_id"]
    answer = await visit.api.call(
        pb.DescribeAddressesRequest(allocation_ids=[allocation_id]), pb.DescribeAddressesResponse
    )
    if not answer.addresses:
        raise UnknownId("InvalidAllocationID", allocation_id)
    return answer.addresses[0]


async def _allocate_form(visit: Visit) -> Form:
    public = [
        Choice(
            one.pool_id,
            f"{name_of(one.tags) or one.description or 'Unnamed'} ({one.pool_id})",
            f"{count_of(one.total_available_address_count)} available",
        )
        for one in await all_of(reading_public_pools(visit))
    ]
    return Form(
        (
            Field(
                "ipam_pool_id",
                "IPv4 IPAM pool",
                Kind.CHOICE,
                choices=[_NO_POOL, *await ipam_pool_choices(visit)],
                help=f"Public pools whose locale is {visit.region}, shared ones too. The lowest"
                " free address is taken unless one is given.",
            ),
            Field(
                "public_ipv4_pool",
                "Public IPv4 pool",
                Kind.CHOICE,
                choices=[_NO_POOL, *public],
            ),
            Field("address", "Address", help="One of the pool's.", placeholder="198.51.100.7"),
            Field("network_border_group", "Network border group", placeholder=visit.region),
            tags_field(),
        ),
        intro="Choose one pool. Without any the address is one of Amazon's.",
    )


def _allocate(_: Visit, values: Values) -> Sequence[Command]:
    request = pb.AllocateAddressRequest(
        domain=pb.DOMAIN_TYPE_VPC,
        ipam_pool_id=values.optional("ipam_pool_id"),
        public_ipv4_pool=values.optional("public_ipv4_pool"),
        address=values.optional("address"),
        network_border_group=values.optional("network_border_group"),
        tag_specifications=tag_specifications("elastic-ip", values.tags("tags")),
    )
    return [Command(request, pb.AllocateAddressResponse)]


async def _this_address(visit: Visit) -> Form:
    row = await _address(visit)
    return Form(
        (
            locked("allocation_id", "Allocation ID", row.allocation_id),
            locked("address", "Address", row.public_ip),
        )
    )


async def _this_association(visit: Visit) -> Form:
    row = await _address(visit)
    return Form(
        (
            locked("address", "Address", row.public_ip),
            locked("association_id", "Association ID", row.association_id),
            locked("instance_id", "Instance ID", row.instance_id or NOTHING),
            locked("network_interface_id", "Network interface ID", row.network_interface_id),
        )
    )


def _release(visit: Visit, _: Values) -> Sequence[Command]:
    request = pb.ReleaseAddressRequest(allocation_id=visit.params["allocation_id"])
    return [Command(request, pb.ReleaseAddressResponse)]


async def _associate_form(visit: Visit) -> Form:
    row = await _address(visit)
    return Form(
        (
            locked("allocation_id", "Allocation ID", row.allocation_id),
            Field("instance_id", "Instance ID", placeholder="i-\N{HORIZONTAL ELLIPSIS}"),
            Field(
                "network_interface_id",
                "Network interface ID",
                placeholder="eni-\N{HORIZONTAL ELLIPSIS}",
            ),
            Field("private_ip_address", "Private address", help="Of the interface's."),
        ),
        intro="With an instance, or with a network interface.",
    )


def _associate(visit: Visit, values: Values) -> Sequence[Command]:
    request = pb.AssociateAddressRequest(
        allocation_id=visit.params["allocation_id"],
        instance_id=values.optional("instance_id"),
        network_interface_id=values.optional("network_interface_id"),
        private_ip_address=values.optional("private_ip_address"),
    )
    return [Command(request, pb.AssociateAddressResponse)]


def _disassociate(_: Visit, values: Values) -> Sequence[Command]:
    request = pb.DisassociateAddressRequest(association_id=values.text("association_id"))
    return [Command(request, pb.DisassociateAddressResponse)]


_ADDRESS = "/addresses/{allocation_id}"
_of_address: Callable[..., Action] = partial(Action, goes_to=_ADDRESS, comes_from=_ADDRESS)

SECTION = Section(
    title="Elastic IPs",
    path="/addresses",
    group=Group.NETWORK,
    pages=(
        Page("/addresses", list_addresses),
        *public_ipv4_pools.PAGES,
        Page(_ADDRESS, show_address),
    ),
    actions=(
        *public_ipv4_pools.ACTIONS,
        Action(
            name="allocate-address",
            path="/addresses/allocate",
            title="Allocate Elastic IP address",
            submit="Allocate",
            done="The address is allocated.",
            form=_allocate_form,
            commands=_allocate,
            goes_to=lambda answers: f"/addresses/{answers[0].allocation_id}",
            comes_from="/addresses",
        ),
        _of_address(
            name="release-address",
            path=f"{_ADDRESS}/release",
            title="Release Elastic IP address",
            submit="Release",
            done="The address is released.",
            form=_this_address,
            commands=_release,
            goes_to="/addresses",
            warning="Somebody else may get the address next.",
        ),
        _of_address(
            name="associate-address",
            path=f"{_ADDRESS}/associate",
            title="Associate Elastic IP address",
            submit="Associate",
            done="The address is associated.",
            form=_associate_form,
            commands=_associate,
        ),
        _of_address(
            name="disassociate-address",
            path=f"{_ADDRESS}/disassociate",
            title="Disassociate Elastic IP address",
            submit="Disassociate",
            done="The address is free to be associated again.",
            form=_this_association,
            commands=_disassociate,
            warning="What is reached by it isn't any more.",
        ),
        edit_tags("address", _ADDRESS, "allocation_id"),
    ),
)
