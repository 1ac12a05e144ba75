"""Which public IPv4 addresses are in use, and which lie idle (PUB-1, PUB-2)."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from starlette.responses import Response

from cadastre.control.v1 import resource_discovery_service_pb2 as discoveries
from cadastre.discovery.v1 import monitoring_service_pb2 as pb
from services.gateway.console.drawings import Part, stacked_bar
from services.gateway.console.reading import all_of, reading
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
from services.gateway.console.words import name_of, sentence_of, time_of, word_of
from shared.errors import UnknownId

_TITLE = "Public IP insights"
# The guide's names for them, and the tones of their parts.
_TYPES: Mapping[str, tuple[str, str]] = {
    "amazon-owned-eip": ("Amazon-owned EIP", "plain"),
    "ec2-public-ip": ("EC2 public IP", "good"),
    "byoip": ("BYOIP", "busy"),
    "amazon-owned-contig": ("Amazon-owned contiguous EIP", "quiet"),
    "service-managed-ip": ("Service managed IP", "plain"),
    "service-managed-byoip": ("Service managed BYOIP", "busy"),
    "anycast-ip-list-ip": ("Anycast IP list IP", "quiet"),
}
_ELASTIC = ("amazon-owned-eip", "byoip", "amazon-owned-contig")
_STATUSES = {"associated": ("Associated", "good"), "disassociated": ("Unassociated", "bad")}
_OF_A_PAGE = ("token", "page", "done")
_FILTERS = (
    Filter("address", "Address"),
    Filter("address-type", "Type", tuple(_TYPES)),
    Filter("association-status", "Association", tuple(_STATUSES)),
    Filter("address-owner-id", "Owner"),
    Filter("vpc-id", "VPC"),
    Filter("instance-id", "Instance ID"),
    Filter("public-ipv4-pool-id", "Pool"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """What is looked at: a resource discovery, and one of its regions."""

    discovery: discoveries.IpamResourceDiscovery
    region: str

    @property
    def regions(self) -> Sequence[str]:
        return _regions_of(self.discovery)


@dataclass(frozen=True, slots=True)
class Card:
    """Counts of what makes up a whole."""

    title: str
    parts: Sequence[Part]
    drawing: Markup


async def list_addresses(visit: Visit) -> Response:
    """The public addresses of a region, counted and one by one."""
    found = await _discoveries(visit)
    if not found:
        return visit.page("public_addresses.html", title=_TITLE, place=None)
    place = _place(visit, found)
    read = _reading(visit, place)
    table = Table(
        name="public-ips",
        columns=_columns(visit, place),
        read=read,
        filters=_FILTERS,
        empty=f"No public IPv4 address was found in {place.region} yet.",
    )
    # CSV has no cards, so nothing is counted for it.
    rows = [] if visit.query.get("format") else await all_of(read)
    return await table_page(
        visit,
        table,
        "public_addresses.html",
        title=_TITLE,
        place=place,
        discoveries=[(one.ipam_resource_discovery_id, _told(one)) for one in found],
        cards=cards_of(visit, rows),
        idle=sum(map(_is_idle, rows)),
        idle_url=_narrowed(visit, {"f.association-status": "disassociated"}),
    )


async def show_address(visit: Visit) -> Response:
    """One public address, with all that is known of it."""
    address = visit.params["address"]
    found = await _discoveries(visit)
    if not found:
        raise UnknownId("InvalidAddress", address)
    place = _place(visit, found)
    request = _request(place)
    request.filters.add(name="address", values=[address])
    answer = await visit.api.call(request, pb.GetIpamDiscoveredPublicAddressesResponse)
    if not answer.ipam_discovered_public_addresses:
        raise UnknownId("InvalidAddress", address)
    row = answer.ipam_discovered_public_addresses[0]
    release = visit.url(f"/addresses/{row.address_allocation_id}/release")
    is_own = row.address_owner_id == visit.account_id and place.region == visit.region
    return visit.page(
        "details.html",
        title=row.address,
        trail=[Link(_TITLE, visit.url("/public-ips", **_query(place)))],
        facts=_facts(row),
        actions=[Link("Release", release, is_destructive=True)] if _is_idle(row) and is_own else [],
    )


async def _discoveries(visit: Visit) -> Sequence[discoveries.IpamResourceDiscovery]:
    """The account's resource discoveries and those shared with it: own and default ones first."""
    found = await all_of(
        reading(
            visit,
            discoveries.DescribeIpamResourceDiscoveriesRequest(),
            discoveries.DescribeIpamResourceDiscoveriesResponse,
            lambda answer: answer.ipam_resource_discoveries,
        )
    )
    return sorted(
        found,
        key=lambda one: (
            one.owner_id != visit.account_id,
            not one.is_default,
            one.ipam_resource_discovery_id,
        ),
    )


def _place(visit: Visit, found: Sequence[discoveries.IpamResourceDiscovery]) -> Place:
    """What the page's query names (``discovery``, ``in``), or the first there is.

    Raises:
        UnknownId: it names a resource discovery that isn't the account's to see.
    """
    wanted = visit.query.get("discovery", "")
    known = {one.ipam_resource_discovery_id: one for one in found}
    if wanted and wanted not in known:
        raise UnknownId("InvalidIpamResourceDiscoveryId", wanted)
    discovery = known[wanted] if wanted else found[0]
    regions = _regions_of(discovery)
    by_default = visit.region if visit.region in regions else regions[0]
    return Place(discovery, visit.query.get("in", "") or by_default)


def _regions_of(discovery: discoveries.IpamResourceDiscovery) -> Sequence[str]:
    others = sorted(one.region_name for one in discovery.operating_regions)
    return others or [discovery.ipam_resource_discovery_region]


def _query(place: Place) -> Mapping[str, str]:
    return {"discovery": place.discovery.ipam_resource_discovery_id, "in": place.region}


def _request(place: Place) -> pb.GetIpamDiscoveredPublicAddressesRequest:
    return pb.GetIpamDiscoveredPublicAddressesRequest(
        ipam_resource_discovery_id=place.discovery.ipam_resource_discovery_id,
        address_region=place.region,
    )


def _reading(visit: Visit, place: Place) -> Read[pb.IpamDiscoveredPublicAddress]:
    return reading(
        visit,
        _request(place),
        pb.GetIpamDiscoveredPublicAddressesResponse,
        lambda answer: answer.ipam_discovered_public_addresses,
    )


def _told(discovery: discoveries.IpamResourceDiscovery) -> str:
    name = name_of(discovery.tags) or discovery.description
    kind = "default, " if discovery.is_default else ""
    plain = f"{kind}{discovery.ipam_resource_discovery_id}"
    return f"{name} ({plain})" if name else plain


def _columns(visit: Visit, place: Place) -> Sequence[Column[pb.IpamDiscoveredPublicAddress]]:
    return (
        Column(
            "address",
            "IP address",
            lambda row: Cell(
                row.address,
                url=visit.url(f"/public-ips/{row.address}", **_query(place)),
                is_code=True,
                note=_name(row),
            ),
            sort=lambda row: [int(part) for part in row.address.split(".")],
        ),
        Column(
            "association",
            "Association",
            _association,
            sort=lambda row: row.association_status,
        ),
        Column(
            "type",
            "Address type",
            lambda row: text(_type(row)),
            sort=lambda row: row.address_type,
        ),
        Column(
            "service",
            "Service",
            lambda row: text(sentence_of(word_of(row, "service")), note=row.service_resource),
            sort=lambda row: row.service,
        ),
        Column(
            "instance",
            "Instance",
            lambda row: text(row.instance_id, is_code=True, note=row.network_interface_id),
        ),
        Column("vpc", "VPC", lambda row: text(row.vpc_id, is_code=True, note=row.subnet_id)),
        Column("pool", "Pool", lambda row: text(row.public_ipv4_pool_id, is_code=True)),
        Column(
            "border",
            "Network border group",
            lambda row: text(row.network_border_group),
            is_only_in_csv=True,
        ),
        Column(
            "owner",
            "Owner",
            lambda row: text(row.address_owner_id, is_code=True),
            sort=lambda row: row.address_owner_id,
        ),
        *(Column(key, key, value, is_only_in_csv=True) for key, value in _MORE),
    )


_MORE: Sequence[tuple[str, Callable[[pb.IpamDiscoveredPublicAddress], Cell]]] = (
    ("Allocation ID", lambda row: text(row.address_allocation_id)),
    ("Service resource", lambda row: text(row.service_resource)),
    ("Network interface ID", lambda row: text(row.network_interface_id)),
    ("Subnet", lambda row: text(row.subnet_id)),
    ("Security groups", lambda row: text(_groups(row))),
    ("Tags", lambda row: text(_tags(row))),
    ("Sample time (UTC)", lambda row: text(time_of(row, "sample_time"))),
)


def _facts(row: pb.IpamDiscoveredPublicAddress) -> Sequence[tuple[str, Cell | str]]:
    code = (
        ("Service resource", row.service_resource),
        ("Allocation ID", row.address_allocation_id),
        ("Instance ID", row.instance_id),
        ("Network interface ID", row.network_interface_id),
        ("Subnet", row.subnet_id),
        ("VPC", row.vpc_id),
        ("Owner", row.address_owner_id),
        ("Public IPv4 pool", row.public_ipv4_pool_id),
        ("Resource discovery", row.ipam_resource_discovery_id),
    )
    return (
        ("Association", _association(row)),
        ("Address type", _type(row)),
        ("Service", sentence_of(word_of(row, "service"))),
        *((term, text(value, is_code=True)) for term, value in code),
        ("Interface description", row.network_interface_description),
        ("Security groups", _groups(row)),
        ("Region", row.address_region),
        ("Network border group", row.network_border_group),
        ("Tags", _tags(row)),
        ("Sample time (UTC)", time_of(row, "sample_time")),
        ("Recommendation", sentence_of(row.recommendation)),
    )


def _groups(row: pb.IpamDiscoveredPublicAddress) -> str:
    return ", ".join(f"{one.group_name} ({one.group_id})" for one in row.security_groups)


def _tags(row: pb.IpamDiscoveredPublicAddress) -> str:
    return ", ".join(f"{one.key}={one.value}" for one in row.tags.eip_tags)


def _association(row: pb.IpamDiscoveredPublicAddress) -> Cell:
    word = word_of(row, "association_status")
    return Cell("Idle", tone="bad") if _is_idle(row) else badge(word)


def _type(row: pb.IpamDiscoveredPublicAddress) -> str:
    word = word_of(row, "address_type")
    return _TYPES[word][0] if word in _TYPES else word


def _name(row: pb.IpamDiscoveredPublicAddress) -> str:
    return name_of(row.tags.eip_tags) or row.address_allocation_id


def _is_idle(row: pb.IpamDiscoveredPublicAddress) -> bool:
    """An elastic IP address that nothing uses (PUB-2)."""
    return (
        word_of(row, "association_status") == "disassociated"
        and word_of(row, "address_type") in _ELASTIC
    )


def cards_of(visit: Visit, rows: Sequence[pb.IpamDiscoveredPublicAddress]) -> Sequence[Card]:
    """Addresses by type, and elastic ones by their use, each leading to those it counts."""
    counts = Counter(
        (word_of(row, "address_type"), word_of(row, "association_status")) for row in rows
    )
    by_type = [
        Part(
            name,
            sum(counts[kind, status] for status in _STATUSES),
            tone,
            _narrowed(visit, {"f.address-type": kind}),
        )
        for kind, (name, tone) in _TYPES.items()
    ]
    by_use = [
        Part(
            f"{said} {_TYPES[kind][0]}",
            counts[kind, status],
            tone,
            _narrowed(visit, {"f.address-type": kind, "f.association-status": status}),
        )
        for status, (said, tone) in _STATUSES.items()
        for kind in _ELASTIC
    ]
    return [
        Card(title, parts, stacked_bar(title, parts))
        for title, parts in (("Public IP types", by_type), ("EIP usage", by_use))
    ]


def _narrowed(visit: Visit, filters: Mapping[str, str]) -> str:
    """The page's address with ``filters`` in place of those it has."""
    gone = [name for name in visit.query if name.startswith("f.") or name in _OF_A_PAGE]
    return visit.with_query(**{**dict.fromkeys(gone), **filters})


SECTION = Section(
    title=_TITLE,
    path="/public-ips",
    group=Group.MONITORING,
    pages=(Page("/public-ips", list_addresses), Page("/public-ips/{address}", show_address)),
)
