"""What is, against what should be: resource CIDRs of a scope (MON-1 to MON-6)."""

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from cadastre.common.v1 import types_pb2
from cadastre.discovery.v1 import monitoring_service_pb2 as pb
from services.gateway.console.actions import Action, Command
from services.gateway.console.bars import bar
from services.gateway.console.choices import scope_choices, scope_of_page, scopes, text_of_scope
from services.gateway.console.fields import locked
from services.gateway.console.forms import Field, Form, Kind, Values
from services.gateway.console.reading import reading
from services.gateway.console.section import Group, Page, Section
from services.gateway.console.tables import (
    Cell,
    Column,
    Filter,
    Read,
    Table,
    badge,
    table_page,
    text,
)
from services.gateway.console.visit import Link, Visit
from services.gateway.console.words import NOTHING, percent_of, tags_of, word_of
from shared.errors import UnknownId

_TYPES = ("vpc", "subnet", "eip", "public-ipv4-pool", "ipv6-pool", "eni", "anycast-ip-list")
_TAG = "tag"
_FILTERS = (
    Filter("resource-cidr", "CIDR"),
    Filter("resource-type", "Resource type", _TYPES),
    Filter("resource-id", "Resource ID"),
    Filter("resource-owner-id", "Owner"),
    Filter("management-state", "Management", ("managed", "unmanaged", "ignored")),
    Filter("compliance-status", "Compliance", ("compliant", "noncompliant")),
    Filter("overlap-status", "Overlap", ("overlapping", "nonoverlapping")),
    Filter("ipam-pool-id", "Pool"),
    Filter("vpc-id", "VPC"),
    Filter(_TAG, "Tag (key or key=value)"),
)


async def list_resources(visit: Visit) -> Response:
    """The resource CIDRs of a scope."""
    scope, found = await scope_of_page(visit)
    if scope is None:
        return visit.page("no_ipam.html", title="Resources")
    scope_id = scope.ipam_scope_id
    table = Table(
        name="resources",
        columns=_columns(visit, scope_id),
        read=_reading(visit, scope_id),
        filters=_FILTERS,
        row_links=lambda row: _links(visit, row),
        empty="No resource was found in this scope yet. New ones are seen within minutes.",
    )
    return await table_page(
        visit,
        table,
        "scoped_table.html",
        title="Resources",
        scope=scope,
        scopes=[(one.ipam_scope_id, text_of_scope(one)) for one in found],
        actions=[Link("CIDR map", visit.url("/cidr-map", scope=scope_id), is_main=True)],
    )


def _reading(visit: Visit, scope_id: str) -> Read[pb.IpamResourceCidr]:
    """GetIpamResourceCidrs; a tag is a filter by its key's name, or by the key alone."""
    read = reading(
        visit,
        pb.GetIpamResourceCidrsRequest(ipam_scope_id=scope_id),
        pb.GetIpamResourceCidrsResponse,
        lambda answer: answer.ipam_resource_cidrs,
    )

    async def read_tagged(
        wanted: Mapping[str, str], rows: int, token: str
    ) -> tuple[Sequence[pb.IpamResourceCidr], str]:
        others = {name: value for name, value in wanted.items() if name != _TAG}
        key, is_valued, value = wanted.get(_TAG, "").partition("=")
        if key:
            others |= {f"tag:{key.strip()}": value.strip()} if is_valued else {"tag-key": key}
        return await read(others, rows, token)

    return read_tagged


def _columns(visit: Visit, scope_id: str) -> Sequence[Column[pb.IpamResourceCidr]]:
    return (
        Column(
            "name",
            "Name (resource ID)",
            lambda row: Cell(
                row.resource_name or row.resource_id,
                url=_url(visit, scope_id, row),
                note=row.resource_id if row.resource_name else "",
            ),
            sort=lambda row: (row.resource_name, row.resource_id),
        ),
        Column(
            "cidr",
            "CIDR",
            lambda row: Cell(row.resource_cidr, is_code=True),
            sort=lambda row: row.resource_cidr,
        ),
        Column(
            "management",
            "Management",
            lambda row: badge(word_of(row, "management_state")),
            sort=lambda row: row.management_state,
        ),
        Column(
            "compliance",
            "Compliance",
            lambda row: badge(word_of(row, "compliance_status")),
            sort=lambda row: row.compliance_status,
        ),
        Column(
            "overlap",
            "Overlap",
            lambda row: badge(word_of(row, "overlap_status")),
            sort=lambda row: row.overlap_status,
        ),
        Column(
            "type",
            "Type",
            lambda row: text(word_of(row, "resource_type")),
        ),
        Column("usage", "IP usage", _usage, sort=lambda row: row.ip_usage),
        Column("pool", "Pool", lambda row: _pool(visit, row), is_only_in_csv=True),
        Column("vpc", "VPC", lambda row: text(row.vpc_id), is_only_in_csv=True),
        Column("region", "Region", lambda row: text(row.resource_region)),
        Column("owner", "Owner", lambda row: text(row.resource_owner_id, is_code=True)),
    )


def _pool(visit: Visit, row: pb.IpamResourceCidr) -> Cell:
    pool = row.ipam_pool_id
    return text(pool, url=visit.url(f"/pools/{pool}") if pool else "", is_code=True)


def _usage(row: pb.IpamResourceCidr) -> Cell:
    if not row.HasField("ip_usage"):
        return Cell(NOTHING)
    share = 100 * row.ip_usage
    return Cell(percent_of(share), drawing=bar(share, "IP usage"))


def _url(visit: Visit, scope_id: str, row: pb.IpamResourceCidr) -> str:
    return visit.url(f"/resources/{row.resource_id}", scope=scope_id, cidr=row.resource_cidr)


def _links(visit: Visit, row: pb.IpamResourceCidr) -> Sequence[Link]:
    query = {"scope": row.ipam_scope_id, "cidr": row.resource_cidr}
    here = f"/resources/{row.resource_id}"
    history = Link(
        "IP history", visit.url("/history", cidr=row.resource_cidr, scope=row.ipam_scope_id)
    )
    if word_of(row, "resource_type") != "vpc":
        return (history,)
    is_ignored = word_of(row, "management_state") == "ignored"
    change = ("Monitor", "monitor") if is_ignored else ("Ignore", "ignore")
    return (
        history,
        Link(change[0], visit.url(f"{here}/{change[1]}", **query)),
        Link("Move to another scope", visit.url(f"{here}/move", **query)),
    )


async def show_resource(visit: Visit) -> Response:
    """One CIDR of a resource."""
    row = await _resource(visit)
    rules = ", ".join(row.broken_rules)
    return visit.page(
        "details.html",
        title=row.resource_name or row.resource_id,
        trail=[Link("Resources", visit.url("/resources", scope=row.ipam_scope_id))],
        facts=(
            ("Resource ID", Cell(row.resource_id, is_code=True)),
            ("Type", word_of(row, "resource_type")),
            ("CIDR", Cell(row.resource_cidr, is_code=True)),
            ("Management state", badge(word_of(row, "management_state"))),
            ("Compliance status", badge(word_of(row, "compliance_status"))),
            ("Broken rules", rules),
            ("Overlap status", badge(word_of(row, "overlap_status"))),
            ("IP usage", _usage(row)),
            ("Pool", _pool(visit, row)),
            ("Region", row.resource_region),
            ("Owner", Cell(row.resource_owner_id, is_code=True)),
            ("VPC", text(row.vpc_id, is_code=True)),
            ("Availability Zone", row.availability_zone_id),
            (
                "Tags",
                ", ".join(f"{key}={value}" for key, value in tags_of(row.resource_tags).items()),
            ),
        ),
        actions=_links(visit, row),
    )


async def _resource(visit: Visit) -> pb.IpamResourceCidr:
    """The resource's CIDR that the address names.

    Raises:
        UnknownId: nothing like that is monitored in the scope.
        CadastreError: it is another account's scope.
    """
    scope, _ = await scope_of_page(visit)
    resource_id, cidr = visit.params["resource_id"], visit.query.get("cidr", "")
    if scope is None:
        raise UnknownId("InvalidResourceId", resource_id)
    request = pb.GetIpamResourceCidrsRequest(
        ipam_scope_id=scope.ipam_scope_id,
        resource_id=resource_id,
        filters=[types_pb2.Filter(name="resource-cidr", values=[cidr])] if cidr else [],
    )
    answer = await visit.api.call(request, pb.GetIpamResourceCidrsResponse)
    if not answer.ipam_resource_cidrs:
        raise UnknownId("InvalidResourceId", resource_id)
    return answer.ipam_resource_cidrs[0]


async def _form(visit: Visit) -> Form:
    row = await _resource(visit)
    return Form(
        (
            locked("resource_id", "Resource", row.resource_id),
            locked("resource_cidr", "CIDR", row.resource_cidr),
            locked("resource_region", "Region", row.resource_region),
            locked("current_ipam_scope_id", "Scope", row.ipam_scope_id),
        )
    )


async def _move_form(visit: Visit) -> Form:
    form = await _form(visit)
    [*_, here] = form.fields
    others = [one for one in await scopes(visit) if one.ipam_scope_id != here.value]
    destination = Field(
        "destination_ipam_scope_id",
        "Destination scope",
        Kind.CHOICE,
        choices=scope_choices(others),
        value=others[0].ipam_scope_id if others else "",
        is_required=True,
    )
    return Form(
        (*form.fields, destination),
        intro="A VPC's subnets move with it. While its CIDR is allocated from a pool, it moves as"
        " soon as that allocation is gone.",
    )


def _request(values: Values) -> pb.ModifyIpamResourceCidrRequest:
    return pb.ModifyIpamResourceCidrRequest(
        resource_id=values.text("resource_id"),
        resource_cidr=values.text("resource_cidr"),
        resource_region=values.text("resource_region"),
        current_ipam_scope_id=values.text("current_ipam_scope_id"),
    )


def _ignore(_: Visit, values: Values) -> Sequence[Command]:
    request = _request(values)
    request.monitored = False
    return [Command(request, pb.ModifyIpamResourceCidrResponse)]


def _monitor(_: Visit, values: Values) -> Sequence[Command]:
    request = _request(values)
    request.monitored = True
    return [Command(request, pb.ModifyIpamResourceCidrResponse)]


def _move(_: Visit, values: Values) -> Sequence[Command]:
    request = _request(values)
    request.monitored = True
    request.destination_ipam_scope_id = values.text("destination_ipam_scope_id")
    return [Command(request, pb.ModifyIpamResourceCidrResponse)]


_HERE = "/resources/{resource_id}"

SECTION = Section(
    title="Resources",
    path="/resources",
    group=Group.MONITORING,
    pages=(Page("/resources", list_resources), Page(_HERE, show_resource)),
    actions=(
        Action(
            name="ignore-resource",
            path=f"{_HERE}/ignore",
            title="Ignore resource CIDR",
            submit="Ignore",
            done="The CIDR is ignored from now on.",
            form=_form,
            commands=_ignore,
            goes_to="/resources",
            comes_from="/resources",
            warning="What a pool had allocated for it goes back to the pool, and it isn't imported"
            " again.",
        ),
        Action(
            name="monitor-resource",
            path=f"{_HERE}/monitor",
            title="Monitor resource CIDR",
            submit="Monitor",
            done="The CIDR is monitored from now on.",
            form=_form,
            commands=_monitor,
            goes_to="/resources",
            comes_from="/resources",
        ),
        Action(
            name="move-resource",
            path=f"{_HERE}/move",
            title="Move resource CIDR to another scope",
            submit="Move",
            done="The CIDR moves to the other scope.",
            form=_move_form,
            commands=_move,
            goes_to="/resources",
            comes_from="/resources",
        ),
    ),
)
