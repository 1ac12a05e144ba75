"""Elastic IP addresses, and the public IPv4 pools they may come of (EIP-1, EIP-2)."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from starlette.responses import Response

from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import address_service_pb2 as pb
from services.gateway.console.actions import Action, Command
from services.gateway.console.bars import bar
from services.gateway.console.choices import pool_choices, pools
from services.gateway.console.fields import locked, tag_specifications, tags_field
from services.gateway.console.forms import Choice, Field, Form, Kind, Values
from services.gateway.console.reading import all_of, reading
from services.gateway.console.section import Group, Page, Section
from services.gateway.console.tables import Cell, Column, Filter, Read, Table, table_page, text
from services.gateway.console.tag_actions import edit_tags
from services.gateway.console.visit import Link, Visit
from services.gateway.console.words import NOTHING, count_of, name_of, percent_of, share_of, tags_of
from shared.errors import InvalidNextToken, UnknownId

_MOST_POOLS = 10
"""Of a page of DescribePublicIpv4Pools."""
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
        tabs=_tabs(visit, "addresses"),
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
            ("Tags", _tags(row.tags)),
        ),
        actions=_links(visit, row),
    )


async def list_pools(visit: Visit) -> Response:
    """The account's public IPv4 pools in the region."""
    table = Table(
        name="public-ipv4-pools",
        columns=(
            Column(
                "name",
                "Name (pool ID)",
                lambda row: Cell(
                    name_of(row.tags) or row.pool_id,
                    url=visit.url(f"/addresses/pools/{row.pool_id}"),
                    note=row.pool_id if name_of(row.tags) else "",
                ),
                sort=lambda row: (name_of(row.tags), row.pool_id),
            ),
            Column("description", "Description", lambda row: text(row.description)),
            Column("ranges", "Ranges", lambda row: text(_ranges(row), is_code=True)),
            Column(
                "total",
                "Addresses",
                lambda row: Cell(count_of(row.total_address_count)),
                is_number=True,
                sort=lambda row: row.total_address_count,
            ),
            Column(
                "available",
                "Available",
                lambda row: Cell(count_of(row.total_available_address_count)),
                is_number=True,
                sort=lambda row: row.total_available_address_count,
            ),
            Column(
                "usage",
                "Used",
                lambda row: _used(row.total_available_address_count, row.total_address_count),
            ),
            Column("border", "Network border group", lambda row: text(row.network_border_group)),
        ),
        read=_reading_pools(visit),
        filters=(Filter("tag:Name", "Name"),),
        row_links=lambda row: _pool_links(visit, row),
        empty=f"This account has no public IPv4 pool in {visit.region}.",
    )
    return await table_page(
        visit,
        table,
        "table.html",
        title="Public IPv4 pools",
        tabs=_tabs(visit, "pools"),
        intro="Elastic IP addresses of BYOIP space: an IPAM pool gives a public IPv4 pool its"
        " ranges.",
        actions=[
            Link("Create public IPv4 pool", visit.url("/addresses/pools/create"), is_main=True)
        ],
    )


async def show_pool(visit: Visit) -> Response:
    """One public IPv4 pool, and its ranges."""
    pool = await _public_pool(visit)

    async def ranges(
        _: Mapping[str, str], _rows: int, _token: str
    ) -> tuple[Sequence[pb.PublicIpv4PoolRange], str]:
        return pool.pool_address_ranges, ""

    table = Table(
        name="ranges",
        columns=(
            Column("first", "First address", lambda row: Cell(row.first_address, is_code=True)),
            Column("last", "Last address", lambda row: Cell(row.last_address, is_code=True)),
            Column(
                "count", "Addresses", lambda row: Cell(count_of(row.address_count)), is_number=True
            ),
            Column(
                "available",
                "Available",
                lambda row: Cell(count_of(row.available_address_count)),
                is_number=True,
            ),
            Column(
                "usage", "Used", lambda row: _used(row.available_address_count, row.address_count)
            ),
        ),
        read=ranges,
        empty="This pool has no addresses. Provision a CIDR from an IPAM pool.",
    )
    return await table_page(
        visit,
        table,
        "details.html",
        title=name_of(pool.tags) or pool.pool_id,
        trail=[Link("Public IPv4 pools", visit.url("/addresses/pools"))],
        facts=(
            ("Pool ID", Cell(pool.pool_id, is_code=True)),
            ("Description", pool.description),
            ("Addresses", count_of(pool.total_address_count)),
            ("Available", count_of(pool.total_available_address_count)),
            ("Network border group", pool.network_border_group),
            ("Tags", _tags(pool.tags)),
        ),
        caption="Ranges",
        actions=_pool_links(visit, pool, is_main=True),
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


def _pool_links(visit: Visit, pool: pb.PublicIpv4Pool, *, is_main: bool = False) -> Sequence[Link]:
    here = f"/addresses/pools/{pool.pool_id}"
    return (
        Link("Provision CIDR", visit.url(f"{here}/provision"), is_main=is_main),
        Link("Deprovision address", visit.url(f"{here}/deprovision"), is_destructive=True),
        Link("Edit tags", visit.url(f"{here}/edit-tags")),
        Link("Delete", visit.url(f"{here}/delete"), is_destructive=True),
    )


def _tabs(visit: Visit, shown: str) -> Sequence[Link]:
    return (
        Link("Elastic IP addresses", visit.url("/addresses"), is_main=shown == "addresses"),
        Link("Public IPv4 pools", visit.url("/addresses/pools"), is_main=shown == "pools"),
    )


def _used(available: int, total: int) -> Cell:
    share = share_of(total - available, total)
    return Cell(percent_of(share), drawing=bar(share, "Used"))


def _ranges(pool: pb.PublicIpv4Pool) -> str:
    return ", ".join(
        f"{one.first_address}\N{EN DASH}{one.last_address}" for one in pool.pool_address_ranges
    )


def _tags(tags: Sequence[types_pb2.Tag]) -> str:
    return ", ".join(f"{key}={value}" for key, value in tags_of(tags).items())


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


def _reading_pools(visit: Visit) -> Read[pb.PublicIpv4Pool]:
    return reading(
        visit,
        pb.DescribePublicIpv4PoolsRequest(),
        pb.DescribePublicIpv4PoolsResponse,
        lambda answer: answer.public_ipv4_pools,
        least=1,
        most=_MOST_POOLS,
    )


async def _address(visit: Visit) -> pb.Address:
    """The address that the page's names. Raises InvalidAllocationID.NotFound."""
    allocation_id = visit.params["allocation_id"]
    answer = await visit.api.call(
        pb.DescribeAddressesRequest(allocation_ids=[allocation_id]), pb.DescribeAddressesResponse
    )
    if not answer.addresses:
        raise UnknownId("InvalidAllocationID", allocation_id)
    return answer.addresses[0]


async def _public_pool(visit: Visit) -> pb.PublicIpv4Pool:
    """The pool that the page's address names. Raises InvalidPublicIpv4PoolID.NotFound."""
    pool_id = visit.params["pool_id"]
    answer = await visit.api.call(
        pb.DescribePublicIpv4PoolsRequest(pool_ids=[pool_id]), pb.DescribePublicIpv4PoolsResponse
    )
    if not answer.public_ipv4_pools:
        raise UnknownId("InvalidPublicIpv4PoolID", pool_id)
    return answer.public_ipv4_pools[0]


async def _ipam_pools(visit: Visit) -> Sequence[Choice]:
    """Pools that give public IPv4 addresses in the region, shared ones too."""
    found = await pools(
        visit,
        ("locale", [visit.region]),
        ("address-family", ["ipv4"]),
        ("ipam-scope-type", ["public"]),
    )
    return pool_choices(found)


async def _allocate_form(visit: Visit) -> Form:
    public = [
        Choice(
            one.pool_id,
            f"{name_of(one.tags) or one.description or 'Unnamed'} ({one.pool_id})",
            f"{count_of(one.total_available_address_count)} available",
        )
        for one in await all_of(_reading_pools(visit))
    ]
    return Form(
        (
            Field(
                "ipam_pool_id",
                "IPv4 IPAM pool",
                Kind.CHOICE,
                choices=[_NO_POOL, *await _ipam_pools(visit)],
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


async def _create_pool_form(visit: Visit) -> Form:
    return Form(
        (
            Field("network_border_group", "Network border group", placeholder=visit.region),
            tags_field(),
        ),
        intro="The pool has no addresses at first. Provision CIDRs to it from an IPAM pool.",
    )


def _create_pool(_: Visit, values: Values) -> Sequence[Command]:
    request = pb.CreatePublicIpv4PoolRequest(
        network_border_group=values.optional("network_border_group"),
        tag_specifications=tag_specifications("ipv4pool-ec2", values.tags("tags")),
    )
    return [Command(request, pb.CreatePublicIpv4PoolResponse)]


async def _provision_form(visit: Visit) -> Form:
    pool = await _public_pool(visit)
    return Form(
        (
            locked("pool_id", "Public IPv4 pool", pool.pool_id),
            Field(
                "ipam_pool_id",
                "IPv4 IPAM pool",
                Kind.CHOICE,
                choices=await _ipam_pools(visit),
                help=f"Public pools whose locale is {visit.region}, shared ones too.",
                is_required=True,
            ),
            Field(
                "netmask_length",
                "Netmask length",
                Kind.NUMBER,
                help="From 24 to 32.",
                is_required=True,
            ),
        )
    )


def _provision(visit: Visit, values: Values) -> Sequence[Command]:
    request = pb.ProvisionPublicIpv4PoolCidrRequest(
        pool_id=visit.params["pool_id"],
        ipam_pool_id=values.text("ipam_pool_id"),
        netmask_length=values.number("netmask_length"),
    )
    return [Command(request, pb.ProvisionPublicIpv4PoolCidrResponse)]


async def _deprovision_form(visit: Visit) -> Form:
    pool = await _public_pool(visit)
    found = [
        Choice(
            f"{one.last_address}/32",
            f"{one.last_address}/32",
            f"of {one.first_address} to {one.last_address}",
        )
        for one in pool.pool_address_ranges
    ]
    return Form(
        (
            locked("pool_id", "Public IPv4 pool", pool.pool_id),
            Field(
                "cidr",
                "Address",
                Kind.CHOICE,
                choices=found,
                value=found[-1].value if found else "",
                help="The highest address of a range goes first. With a range's last address, its"
                " allocation goes back to the IPAM pool.",
                is_required=True,
            ),
        )
    )


def _deprovision(visit: Visit, values: Values) -> Sequence[Command]:
    request = pb.DeprovisionPublicIpv4PoolCidrRequest(
        pool_id=visit.params["pool_id"], cidr=values.text("cidr")
    )
    return [Command(request, pb.DeprovisionPublicIpv4PoolCidrResponse)]


async def _this_pool(visit: Visit) -> Form:
    pool = await _public_pool(visit)
    return Form(
        (
            locked("pool_id", "Public IPv4 pool", pool.pool_id),
            locked("total_address_count", "Addresses", count_of(pool.total_address_count)),
        )
    )


def _delete_pool(visit: Visit, _: Values) -> Sequence[Command]:
    request = pb.DeletePublicIpv4PoolRequest(pool_id=visit.params["pool_id"])
    return [Command(request, pb.DeletePublicIpv4PoolResponse)]


_POOL = "/addresses/pools/{pool_id}"
_ADDRESS = "/addresses/{allocation_id}"
_of_pool: Callable[..., Action] = partial(Action, goes_to=_POOL, comes_from=_POOL)
_of_address: Callable[..., Action] = partial(Action, goes_to=_ADDRESS, comes_from=_ADDRESS)

SECTION = Section(
    title="Elastic IPs",
    path="/addresses",
    group=Group.NETWORK,
    pages=(
        Page("/addresses", list_addresses),
        Page("/addresses/pools", list_pools),
        Page(_POOL, show_pool),
        Page(_ADDRESS, show_address),
    ),
    actions=(
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
        Action(
            name="create-public-pool",
            path="/addresses/pools/create",
            title="Create public IPv4 pool",
            submit="Create public IPv4 pool",
            done="The public IPv4 pool is created.",
            form=_create_pool_form,
            commands=_create_pool,
            goes_to=lambda answers: f"/addresses/pools/{answers[0].pool_id}",
            comes_from="/addresses/pools",
        ),
        _of_pool(
            name="provision-public-pool",
            path=f"{_POOL}/provision",
            title="Provision CIDR to public IPv4 pool",
            submit="Provision",
            done="The CIDR is provisioned.",
            form=_provision_form,
            commands=_provision,
        ),
        _of_pool(
            name="deprovision-public-pool",
            path=f"{_POOL}/deprovision",
            title="Deprovision address from public IPv4 pool",
            submit="Deprovision",
            done="The address is gone from the pool.",
            form=_deprovision_form,
            commands=_deprovision,
            warning="No Elastic IP address can be of it any more.",
        ),
        _of_pool(
            name="delete-public-pool",
            path=f"{_POOL}/delete",
            title="Delete public IPv4 pool",
            submit="Delete",
            done="The public IPv4 pool is deleted.",
            form=_this_pool,
            commands=_delete_pool,
            goes_to="/addresses/pools",
            warning="A pool can't be brought back. It must have no addresses.",
        ),
        edit_tags("public-pool", _POOL, "pool_id"),
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
