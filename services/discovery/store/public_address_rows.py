"""Public IPv4 addresses as rows of `public_addresses`, and back (PUB-1)."""

import hashlib
import json
from typing import Any

import sqlalchemy as sa

from services.discovery.inventory import FINGERPRINT_BYTES
from services.discovery.public_address import (
    AddressType,
    AssociationStatus,
    AwsService,
    PublicAddress,
)
from services.discovery.snapshot import SecurityGroup
from shared.cidr import AddressFamily, Cidr

_PLAIN = (
    "owner_id",
    "service_resource",
    "allocation_id",
    "vpc_id",
    "subnet_id",
    "network_interface_id",
    "network_interface_description",
    "instance_id",
    "network_border_group",
)
"""Members that are kept as they are among the details."""


def to_row(inventory_id: int, address: PublicAddress) -> dict[str, Any]:
    """The row's columns, `fingerprint` included."""
    return {
        "inventory_id": inventory_id,
        "address": address.address.first,
        "fingerprint": fingerprint(address),
        **_columns(address),
        "details": _details(address),
    }


def from_row(row: sa.Row[Any]) -> PublicAddress:
    """What `to_row` made the row of."""
    details = row.details
    service = details.get("service")
    return PublicAddress(
        address=Cidr(AddressFamily.IPV4, row.address, AddressFamily.IPV4.bits),
        address_type=AddressType(row.address_type),
        association_status=AssociationStatus(row.association_status),
        public_ipv4_pool_id=row.public_ipv4_pool_id,
        service=AwsService(service) if service else None,
        security_groups=tuple(
            SecurityGroup(group_id=group_id, group_name=name)
            for group_id, name in details.get("security_groups", ())
        ),
        tags=details.get("tags"),
        **{name: details.get(name) for name in _PLAIN},
    )


def fingerprint(address: PublicAddress) -> bytes:
    """The same for two addresses only if all their members are."""
    content = [address.address.first, _columns(address), _details(address)]
    text = json.dumps(content, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=FINGERPRINT_BYTES).digest()


def _columns(address: PublicAddress) -> dict[str, Any]:
    return {
        "address_type": address.address_type.value,
        "association_status": address.association_status.value,
        "public_ipv4_pool_id": address.public_ipv4_pool_id,
    }


def _details(address: PublicAddress) -> dict[str, Any]:
    """What is None stands for itself by its absence."""
    details: dict[str, Any] = {name: getattr(address, name) for name in _PLAIN}
    details["service"] = address.service.value if address.service else None
    details["tags"] = dict(address.tags) if address.tags is not None else None
    if address.security_groups:
        groups = address.security_groups
        details["security_groups"] = [[group.group_id, group.group_name] for group in groups]
    return {name: value for name, value in details.items() if value is not None}
