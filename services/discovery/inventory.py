"""What is there of one source, account and region, and what a snapshot changes of it (DISC-6)."""

import hashlib
import marshal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Generic, TypeVar

from services.discovery.evaluation.blocks import block_number
from services.discovery.resource_cidr import ResourceCidr
from services.discovery.snapshot import (
    Address,
    NetworkInterface,
    PublicIp,
    PublicIpv4Pool,
    ServiceAddress,
    Snapshot,
    SourcedCidr,
    Subnet,
    Vpc,
)
from shared.cidr import Cidr

FINGERPRINT_BYTES = 16
DIGEST_BYTES = 32
_READING = 1
"""Grows when other rows are made of the same snapshot, so that every inventory is compared anew."""
_MARSHAL_VERSION = 0
"""The one that tells equal values alike, whoever else holds them. It takes a fifth of `repr`."""
_RECORDS_AT_ONCE = 500

Key = TypeVar("Key")
Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class Fingerprinted(Generic[Told]):
    """Something that a snapshot tells, with what all its members make."""

    told: Told
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Difference(Generic[Told]):
    """What to do to rows so that they tell what was told."""

    added: Sequence[Fingerprinted[Told]]
    changed: Sequence[tuple[int, Fingerprinted[Told]]]
    """With their rows."""
    removed: Sequence[int]
    """Rows."""

    @property
    def is_nothing(self) -> bool:
        return not (self.added or self.changed or self.removed)


def fingerprint_of(one: ResourceCidr) -> bytes:
    """The same for two records only if all their members are."""
    resource_type, anchor_id, cidr = one.key
    content = (
        resource_type.value,
        anchor_id,
        block_number(cidr.family, cidr.first, cidr.prefix_length),
        one.resource_id,
        one.owner_id,
        _tags(one.tags),
        one.vpc_id,
        one.subnet_id,
        one.availability_zone_id,
        one.container_id,
        one.ip_source.value,
        one.ip_usage,
        one.is_attached,
    )
    told = marshal.dumps(content, _MARSHAL_VERSION)
    return hashlib.blake2b(told, digest_size=FINGERPRINT_BYTES).digest()


def digest_of(snapshot: Snapshot) -> bytes:
    """The same for two snapshots of a place only if they tell the same.

    Resources may come in whatever order. Most snapshots tell what the last one did: so this looks
    at what they hold, not at the CIDRs that are made of it, which takes several times as long.
    """
    digest = hashlib.blake2b(bytes([_READING]), digest_size=DIGEST_BYTES)
    told: Iterable[Iterable[tuple[Any, ...]]] = (
        map(_vpc, snapshot.vpcs),
        map(_subnet, snapshot.subnets),
        map(_interface, snapshot.network_interfaces),
        map(_address, snapshot.addresses),
        map(_public_ipv4_pool, snapshot.public_ipv4_pools),
        map(_service_address, snapshot.service_addresses),
    )
    for records in told:
        ordered = sorted(records, key=itemgetter(0))
        digest.update(marshal.dumps(len(ordered), _MARSHAL_VERSION))
        for begin in range(0, len(ordered), _RECORDS_AT_ONCE):
            some = ordered[begin : begin + _RECORDS_AT_ONCE]
            digest.update(marshal.dumps(some, _MARSHAL_VERSION))
    return digest.digest()


def difference(
    known: Mapping[Key, tuple[int, bytes]], told: Mapping[Key, Fingerprinted[Told]]
) -> Difference[Told]:
    """What ``told`` changes of ``known``: rows and fingerprints by key."""
    added = [one for key, one in told.items() if key not in known]
    changed = [
        (row_id, one)
        for key, one in told.items()
        if (found := known.get(key))
        for row_id, fingerprint in [found]
        if fingerprint != one.fingerprint
    ]
    removed = [row_id for key, (row_id, _) in known.items() if key not in told]
    return Difference(added, changed, removed)


def _vpc(vpc: Vpc) -> tuple[Any, ...]:
    return vpc.vpc_id, _sourced(vpc.cidrs), _tags(vpc.tags)


def _subnet(subnet: Subnet) -> tuple[Any, ...]:
    return (
        subnet.subnet_id,
        subnet.vpc_id,
        _sourced(subnet.cidrs),
        _tags(subnet.tags),
        subnet.availability_zone_id,
    )


def _interface(interface: NetworkInterface) -> tuple[Any, ...]:
    attachment = interface.attachment
    return (
        interface.network_interface_id,
        interface.vpc_id,
        interface.subnet_id,
        _blocks(interface.blocks),
        _tags(interface.tags),
        interface.availability_zone_id,
        interface.description,
        interface.interface_type,
        interface.requester_id,
        attachment and (attachment.instance_id, attachment.owner_id),
        [(group.group_id, group.group_name) for group in interface.security_groups],
        _public_ips(interface.public_ips) if interface.public_ips else (),
    )


def _public_ips(public_ips: Iterable[PublicIp]) -> tuple[tuple[int, str, str], ...]:
    return tuple((_block(one.address), one.owner_id, one.allocation_id) for one in public_ips)


def _address(address: Address) -> tuple[Any, ...]:
    return (
        address.allocation_id,
        _block(address.public_ip),
        address.public_ipv4_pool,
        address.network_border_group,
        _tags(address.tags),
        address.association_id,
        address.network_interface_id,
        address.instance_id,
        address.service_managed,
        address.ip_source and address.ip_source.value,
    )


def _public_ipv4_pool(pool: PublicIpv4Pool) -> tuple[Any, ...]:
    return (
        pool.pool_id,
        _blocks(pool.cidrs),
        _tags(pool.tags),
        pool.network_border_group,
        pool.total_address_count,
        pool.total_available_address_count,
        pool.is_byoip,
    )


def _service_address(told: ServiceAddress) -> tuple[Any, ...]:
    return (
        _block(told.address),
        told.service,
        told.service_resource,
        told.is_byoip,
        _tags(told.tags),
    )


def _block(cidr: Cidr) -> int:
    return block_number(cidr.family, cidr.first, cidr.prefix_length)


def _blocks(cidrs: Iterable[Cidr]) -> list[int]:
    return [block_number(cidr.family, cidr.first, cidr.prefix_length) for cidr in cidrs]


def _sourced(cidrs: Iterable[SourcedCidr]) -> list[tuple[int, str]]:
    return [(_block(sourced.cidr), sourced.ip_source.value) for sourced in cidrs]


def _tags(tags: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(tags.items()) if tags else []
