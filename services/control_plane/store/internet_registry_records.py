"""Rows of associations with internet registries as the records they hold, and back."""

from collections.abc import Mapping
from typing import Any

from services.control_plane.delegated_rpki.authority import Place
from services.control_plane.delegated_rpki.out_of_band import ParentContact
from services.control_plane.internet_registries.association import InternetRegistryAssociation
from services.control_plane.internet_registries.authorities import Delegation, KeptAuthority
from services.control_plane.tables import internet_registry_associations
from shared.cidr import Cidr
from shared.errors import InvalidNextToken, InvalidParameterValue

Row = Mapping[Any, Any]

MEMBERS = [
    column.name
    for column in internet_registry_associations.c
    if column.name not in {"sequence", "refresh_at"}
]
"""Columns that are an association's members."""
_PARENT_MEMBERS = ("version", "service_uri", "child_handle", "parent_handle", "bpki_ta")


def association_columns(association: InternetRegistryAssociation) -> dict[str, Any]:
    return {name: getattr(association, name) for name in MEMBERS}


def delegation_of(row: Row) -> Delegation:
    parent = {name: row[f"parent_{name}"] for name in _PARENT_MEMBERS}
    return Delegation(
        association_id=row["association_id"],
        encrypted_key=row["encrypted_key"],
        certificate=row["certificate"],
        parent=ParentContact(**parent) if parent["version"] else None,
        heard_at=row["heard_at"],
    )


def delegation_columns(delegation: Delegation) -> dict[str, Any]:
    return {
        "association_id": delegation.association_id,
        "encrypted_key": delegation.encrypted_key,
        "certificate": delegation.certificate,
        "heard_at": delegation.heard_at,
        **parent_columns(delegation.parent),
    }


def parent_columns(parent: ParentContact | None) -> dict[str, Any]:
    return {f"parent_{name}": getattr(parent, name, None) for name in _PARENT_MEMBERS}


def authority_of(row: Row) -> KeptAuthority:
    return KeptAuthority(
        encrypted_key=row["encrypted_key"],
        certificate=row["certificate"],
        certificate_uri=row["certificate_uri"],
        place=Place(row["repository_uri"], row["notification_uri"]),
    )


def certificate_columns(authority: KeptAuthority | None) -> dict[str, Any]:
    """All of an authority but its key, which comes before and stays."""
    place = authority.place if authority else None
    return {
        "certificate": authority.certificate if authority else None,
        "certificate_uri": authority.certificate_uri if authority else None,
        "repository_uri": place.repository_uri if place else None,
        "notification_uri": place.notification_uri if place else None,
    }


def cidr_columns(cidr: Cidr) -> dict[str, Any]:
    first_key, last_key = cidr.keys
    return {
        "first_key": first_key,
        "prefix_length": cidr.prefix_length,
        "last_key": last_key,
    }


def cidr_of_key(key: str) -> Cidr:
    """The CIDR that a page ended with.

    Raises:
        InvalidNextToken: there is no such key.
    """
    try:
        return Cidr.parse(key)
    except InvalidParameterValue:
        raise InvalidNextToken from None
