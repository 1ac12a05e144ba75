"""Inventories as messages: what `network` answers and what is pushed are the same (DISC-3, PUB-1).

A pass takes a million interfaces through here, so what many of them share is checked once.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from socket import AF_INET, AF_INET6, inet_pton
from typing import TypeVar

from cadastre.common.v1 import inventory_pb2 as pb
from cadastre.common.v1 import types_pb2
from services.discovery.snapshot import (
    Address,
    Attachment,
    IpSource,
    NetworkInterface,
    PublicIp,
    PublicIpv4Pool,
    SecurityGroup,
    ServiceAddress,
    Snapshot,
    SourcedCidr,
    Subnet,
    Vpc,
)
from shared.cidr import AddressFamily, Cidr
from shared.errors import InvalidParameterValue
from shared.tags import TAGS_PER_RESOURCE, Tags

ID_LENGTH = 255
WORD_LENGTH = 64
TEXT_LENGTH = 1024
TAG_KEY_LENGTH, TAG_VALUE_LENGTH = 128, 256

_QUOTED_LENGTH = 80
# Looking a member up in its enumeration takes as long as reading an address.
_IPV4, _IPV6 = AddressFamily.IPV4, AddressFamily.IPV6
_NO_TAGS: Tags = {}
_IP_SOURCES = {
    pb.INVENTORY_IP_SOURCE_UNSPECIFIED: IpSource.NONE,
    pb.INVENTORY_IP_SOURCE_AMAZON: IpSource.AMAZON,
    pb.INVENTORY_IP_SOURCE_BYOIP: IpSource.BYOIP,
}

Told = TypeVar("Told")
Record = TypeVar("Record")


class SnapshotCollector:
    """Adds up the parts of an inventory; after a refusal it is of no more use."""

    def __init__(self, account_id: str, region: str, sampled_at: datetime) -> None:
        self._snapshot = Snapshot(account_id, region, sampled_at)
        self._vpc_ids = _Member("vpc_id", is_required=True)
        self._subnet_ids = _Member("subnet_id", is_required=True)
        self._zone_ids = _Member("availability_zone_id", WORD_LENGTH)
        self._border_groups = _Member("network_border_group", WORD_LENGTH)
        self._pool_ids = _Member("public_ipv4_pool")
        self._interface_types = _Member("interface_type", WORD_LENGTH)
        self._services = _Member("service", WORD_LENGTH, is_required=True)
        self._requester_ids = _Member("requester_id")
        self._owner_ids = _Member("owner_id")
        self._security_groups: dict[tuple[str, str], SecurityGroup] = {}

    @property
    def resource_count(self) -> int:
        """Resources in all parts so far."""
        return resource_count(self._snapshot)

    def add(self, part: pb.InventoryPart) -> None:
        """Take in one more part.

        Raises:
            InvalidParameterValue: a value can't be; the message names its resource.
        """
        told = self._snapshot
        told.vpcs += _each(part.vpcs, self._vpc, lambda vpc: vpc.vpc_id)
        told.subnets += _each(part.subnets, self._subnet, lambda subnet: subnet.subnet_id)
        told.network_interfaces += _each(
            part.network_interfaces, self._interface, lambda eni: eni.network_interface_id
        )
        told.addresses += _each(part.addresses, self._address, lambda eip: eip.allocation_id)
        told.public_ipv4_pools += _each(
            part.public_ipv4_pools, self._public_ipv4_pool, lambda pool: pool.pool_id
        )
        told.service_addresses += _each(
            part.service_addresses, self._service_address, lambda told: told.address
        )

    def snapshot(self) -> Snapshot:
        """Everything that was added."""
        return self._snapshot

    def _vpc(self, vpc: pb.InventoryVpc) -> Vpc:
        return Vpc(
            vpc_id=self._vpc_ids[vpc.vpc_id],
            cidrs=_sourced_cidrs(vpc.cidrs),
            tags=_tags(vpc.tags),
        )

    def _subnet(self, subnet: pb.InventorySubnet) -> Subnet:
        return Subnet(
            subnet_id=self._subnet_ids[subnet.subnet_id],
            vpc_id=self._vpc_ids[subnet.vpc_id],
            cidrs=_sourced_cidrs(subnet.cidrs),
            tags=_tags(subnet.tags),
            availability_zone_id=self._zone_ids[subnet.availability_zone_id],
        )

    def _interface(self, interface: pb.InventoryNetworkInterface) -> NetworkInterface:
        blocks = [_address(text) for text in interface.addresses]
        if prefixes := interface.delegated_prefixes:
            blocks += map(_cidr, prefixes)
        return NetworkInterface(
            _required("network_interface_id", interface.network_interface_id),
            self._vpc_ids[interface.vpc_id],
            self._subnet_ids[interface.subnet_id],
            tuple(blocks),
            _tags(interface.tags),
            self._zone_ids[interface.availability_zone_id],
            _short("description", interface.description, TEXT_LENGTH),
            self._interface_types[interface.interface_type] or "interface",
            self._requester_ids[interface.requester_id] if interface.is_requester_managed else None,
            self._attachment(interface) if interface.is_attached else None,
            self._groups(interface.security_groups),
            self._public_ips(interface.public_ips),
        )

    def _attachment(self, interface: pb.InventoryNetworkInterface) -> Attachment:
        return Attachment(
            instance_id=_short("instance_id", interface.instance_id),
            owner_id=self._owner_ids[interface.instance_owner_id],
        )

    def _groups(self, groups: Iterable[pb.InventorySecurityGroup]) -> tuple[SecurityGroup, ...]:
        return tuple([self._group(group.group_id, group.group_name) for group in groups])

    def _group(self, group_id: str, group_name: str) -> SecurityGroup:
        group = self._security_groups.get((group_id, group_name))
        if group is None:
            _required("group_id", group_id)
            _short("group_name", group_name)
            group = SecurityGroup(group_id, group_name)
            self._security_groups[group_id, group_name] = group
        return group

    def _public_ips(self, public_ips: Sequence[pb.InventoryPublicIp]) -> tuple[PublicIp, ...]:
        if not public_ips:
            return ()
        return tuple(
            PublicIp(
                address=_ipv4_address(public_ip.address),
                owner_id=self._owner_ids[public_ip.owner_id],
                allocation_id=_short("allocation_id", public_ip.allocation_id),
            )
            for public_ip in public_ips
        )

    def _address(self, address: pb.InventoryAddress) -> Address:
        return Address(
            allocation_id=_required("allocation_id", address.allocation_id),
            public_ip=_ipv4_address(address.public_ip),
            public_ipv4_pool=self._pool_ids[address.public_ipv4_pool],
            network_border_group=self._border_groups[address.network_border_group],
            tags=_tags(address.tags),
            association_id=_short("association_id", address.association_id) or None,
            network_interface_id=_short("network_interface_id", address.network_interface_id)
            or None,
            instance_id=_short("instance_id", address.instance_id) or None,
            service_managed=_short("service_managed", address.service_managed, WORD_LENGTH) or None,
            ip_source=_ip_source(address.ip_source) if address.ip_source else None,
        )

    def _public_ipv4_pool(self, pool: pb.InventoryPublicIpv4Pool) -> PublicIpv4Pool:
        total, available = pool.total_address_count, pool.total_available_address_count
        if not 0 <= available <= total:
            raise _Wrong(
                f"{available} of {total} addresses can't be available; the counts are 0 or more,"
                " and no more are available than there are",
                value=str(available),
            )
        return PublicIpv4Pool(
            pool_id=_required("pool_id", pool.pool_id),
            cidrs=tuple(map(_ipv4_cidr, pool.cidrs)),
            tags=_tags(pool.tags),
            network_border_group=self._border_groups[pool.network_border_group],
            total_address_count=total,
            total_available_address_count=available,
            is_byoip=pool.is_byoip,
        )

    def _service_address(self, told: pb.InventoryServiceAddress) -> ServiceAddress:
        return ServiceAddress(
            address=_ipv4_address(told.address),
            service=self._services[told.service],
            service_resource=_short("service_resource", told.service_resource, TEXT_LENGTH),
            is_byoip=told.is_byoip,
            tags=_tags(told.tags),
        )


def resource_count(told: Snapshot | pb.InventoryPart) -> int:
    """Resources of all kinds."""
    return (
        len(told.vpcs)
        + len(told.subnets)
        + len(told.network_interfaces)
        + len(told.addresses)
        + len(told.public_ipv4_pools)
        + len(told.service_addresses)
    )


class _Wrong(ValueError):
    """A value can't be; whose it is, is added outside."""

    def __init__(self, message: str, *, value: str) -> None:
        super().__init__(message)
        self.message, self.value = message, value


class _Member(dict[str, str]):
    """The values of a member that many resources share: each is checked, and kept, once."""

    def __init__(self, name: str, longest: int = ID_LENGTH, *, is_required: bool = False) -> None:
        super().__init__()
        self._name, self._longest, self._is_required = name, longest, is_required

    def __missing__(self, value: str) -> str:
        if self._is_required:
            _required(self._name, value)
        self[value] = _short(self._name, value, self._longest)
        return value


def _each(
    told: Iterable[Told], convert: Callable[[Told], Record], name_of: Callable[[Told], str]
) -> list[Record]:
    converted: list[Record] = []
    for one in told:
        try:
            converted.append(convert(one))
        except _Wrong as wrong:
            name = _quotable(name_of(one)) or f"a resource without a name, {type(one).__name__}"
            raise InvalidParameterValue(
                f"{name}: {wrong.message}", resource=name, value=wrong.value
            ) from wrong
    return converted


def _short(name: str, value: str, longest: int = ID_LENGTH) -> str:
    if len(value) > longest:
        raise _Wrong(
            f"{name} '{_quotable(value)}' has {len(value)} characters; at most {longest} are"
            " allowed",
            value=_quotable(value),
        )
    return value


def _required(name: str, value: str) -> str:
    if not value:
        raise _Wrong(f"{name} is missing", value="")
    return _short(name, value)


def _tags(tags: Sequence[types_pb2.Tag]) -> Tags:
    """Keys that begin with "aws:" are among them: AWS itself sets such tags."""
    if not tags:
        return _NO_TAGS
    by_key = {tag.key: tag.value for tag in tags}
    if len(by_key) < len(tags):
        keys = [tag.key for tag in tags]
        twice = next(key for index, key in enumerate(keys) if key in keys[:index])
        raise _Wrong(
            f"tag key '{_quotable(twice)}' is given twice; keys are unique within a resource",
            value=_quotable(twice),
        )
    if len(by_key) > TAGS_PER_RESOURCE:
        raise _Wrong(
            f"it has {len(by_key)} tags; at most {TAGS_PER_RESOURCE} are allowed",
            value=str(len(by_key)),
        )
    for key, value in by_key.items():
        if not 0 < len(key) <= TAG_KEY_LENGTH or len(value) > TAG_VALUE_LENGTH:
            raise _Wrong(
                f"tag '{_quotable(key)}' has a key of {len(key)} and a value of {len(value)}"
                f" characters; keys have 1-{TAG_KEY_LENGTH}, values 0-{TAG_VALUE_LENGTH}",
                value=_quotable(key),
            )
    return by_key


def _sourced_cidrs(cidrs: Iterable[pb.InventoryCidr]) -> tuple[SourcedCidr, ...]:
    return tuple(SourcedCidr(_cidr(told.cidr), _ip_source(told.ip_source)) for told in cidrs)


def _ip_source(number: "pb.InventoryIpSource.ValueType") -> IpSource:
    if (ip_source := _IP_SOURCES.get(number)) is None:
        known = ", ".join(pb.InventoryIpSource.Name(one) for one in _IP_SOURCES)
        raise _Wrong(f"ip_source {number} is unknown; use one of {known}", value=str(number))
    return ip_source


def _cidr(text: str) -> Cidr:
    try:
        return Cidr.parse(text)
    except InvalidParameterValue as error:
        shown = _quotable(text)
        if canonical := error.metadata.get("canonical"):
            message = f"'{shown}' has host bits set; use '{canonical}'"
        else:
            message = (
                f"'{shown}' is not a CIDR; use an address and a prefix length, such as"
                " '10.0.0.0/16' or '2001:db8::/56'"
            )
        raise _Wrong(message, value=shown) from error


def _ipv4_cidr(text: str) -> Cidr:
    cidr = _cidr(text)
    if cidr.family is not _IPV4:
        raise _Wrong(f"'{cidr}' is not an IPv4 CIDR; use one such as '203.0.113.0/24'", value=text)
    return cidr


def _address(text: str) -> Cidr:
    # `ipaddress` takes ten times as long as the system.
    try:
        if ":" in text:
            return _ipv6_address(int.from_bytes(inet_pton(AF_INET6, text)))
        return Cidr(_IPV4, int.from_bytes(inet_pton(AF_INET, text)), 32)
    except (OSError, ValueError) as error:
        shown = _quotable(text)
        raise _Wrong(
            f"'{shown}' is not an address; use one such as '10.0.0.5' or '2001:db8::5', without a"
            " prefix length",
            value=shown,
        ) from error


def _ipv6_address(address: int) -> Cidr:
    # As `Cidr.parse` has it: no network uses IPv4-mapped addresses.
    if address >> 32 == 0xFFFF:
        raise ValueError("an IPv4-mapped address")
    return Cidr(_IPV6, address, 128)


def _ipv4_address(text: str) -> Cidr:
    address = _address(text)
    if address.family is not _IPV4:
        raise _Wrong(
            f"'{_quotable(text)}' is not an IPv4 address; use one such as '203.0.113.5'",
            value=_quotable(text),
        )
    return address


def _quotable(text: str) -> str:
    return text if len(text) <= _QUOTED_LENGTH else f"{text[:_QUOTED_LENGTH]}..."
