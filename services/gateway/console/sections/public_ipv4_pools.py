"""Public IPv4 pools, which Elastic IP addresses may come of (EIP-2)."""

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
from services.gateway.console.reading import reading
from services.gateway.console.section import Page
from services.gateway.console.tables import Cell, Column, Filter, Read, Table, table_page, text
from services.gateway.console.tag_actions import edit_tags
from services.gateway.console.visit import Link, Visit
from services.gateway.console.words import count_of, name_of, percent_of, share_of, tags_of
from shared.errors import UnknownId

_MOST_POOLS = 10
"""Of a page of DescribePublicIpv4Pools."""


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
        read=reading_public_pools(visit),
        filters=(Filter("tag:Name", "Name"),),
        row_links=lambda row: _pool_links(visit, row),
        empty=f"This account has no public IPv4 pool in {visit.region}.",
    )
    return await table_page(
        visit,
        table,
        "table.html",
        title="Public IPv4 pools",
        tabs=tabs_of_addresses(visit, "pools"),
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
            ("Tags", text_of_tags(pool.tags)),
        ),
        caption="Ranges",
        actions=_pool_links(visit, pool, is_main=True),
    )


def _pool_links(visit: Visit, pool: pb.PublicIpv4Pool, *, is_main: bool = False) -> Sequence[Link]:
    here = f"/addresses/pools/{pool.pool_id}"
    return (
        Link("Provision CIDR", visit.url(f"{here}/provision"), is_main=is_main),
        Link("Deprovision address", visit.url(f"{here}/deprovision"), is_destructive=True),
        Link("Edit tags", visit.url(f"{here}/edit-tags")),
        Link("Delete", visit.url(f"{here}/delete"), is_destructive=True),
    )


def tabs_of_addresses(visit: Visit, shown: str) -> Sequence[Link]:
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


def text_of_tags(tags: Sequence[types_pb2.Tag]) -> str:
    return ", ".join(f"{key}={value}" for key, value in tags_of(tags).items())


def reading_public_pools(visit: Visit) -> Read[pb.PublicIpv4Pool]:
    return reading(
        visit,
        pb.DescribePublicIpv4PoolsRequest(),
        pb.DescribePublicIpv4PoolsResponse,
        lambda answer: answer.public_ipv4_pools,
        least=1,
        most=_MOST_POOLS,
    )


async def _public_pool(visit: Visit) -> pb.PublicIpv4Pool:
    """The pool that the page's address names. Raises InvalidPublicIpv4PoolID.NotFound."""
    pool_id = visit.params["pool_id"]
    answer = await visit.api.call(
        pb.DescribePublicIpv4PoolsRequest(pool_ids=[pool_id]), pb.DescribePublicIpv4PoolsResponse
    )
    if not answer.public_ipv4_pools:
        raise UnknownId("InvalidPublicIpv4PoolID", pool_id)
    return answer.public_ipv4_pools[0]


async def ipam_pool_choices(visit: Visit) -> Sequence[Choice]:
    """Pools that give public IPv4 addresses in the region, shared ones too."""
    found = await pools(
        visit,
        ("locale", [visit.region]),
        ("address-family", ["ipv4"]),
        ("ipam-scope-type", ["public"]),
    )
    return pool_choices(found)


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
                choices=await ipam_pool_choices(visit),
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
_of_pool: Callable[..., Action] = partial(Action, goes_to=_POOL, comes_from=_POOL)

PAGES: Sequence[Page] = (Page("/addresses/pools", list_pools), Page(_POOL, show_pool))
ACTIONS: Sequence[Action] = (
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
)
