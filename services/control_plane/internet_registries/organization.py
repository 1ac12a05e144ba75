"""What a registry tells of an organization before it certifies anything."""

from collections.abc import Collection

from services.control_plane.delegated_rpki.resources import Resources
from services.control_plane.verification import rdap_records
from services.control_plane.verification.rdap_records import Record
from services.control_plane.verification.roas import Roa, RoaTable
from shared.cidr import AddressFamily


def space_of(entity: Record) -> Resources:
    """The addresses of the networks that an RDAP record of an entity names (RFC 9083, 5.1)."""
    ipv4, ipv6 = (_ranges(entity, family) for family in AddressFamily)
    return Resources.of_ranges(ipv4=ipv4, ipv6=ipv6)


def roas_within(table: RoaTable, space: Resources) -> Collection[Roa]:
    """The ROAs for addresses of the organization alone."""
    # What lies in two adjacent blocks is in neither as a whole, and so in no ROA's prefix.
    return [roa for cidr in space.cidrs() for roa in table.inside(cidr)]


def _ranges(entity: Record, family: AddressFamily) -> list[tuple[int, int]]:
    return [
        (first, last)
        for network in rdap_records.networks(entity)
        for first, last in rdap_records.address_ranges(network, family)
        if first <= last
    ]
