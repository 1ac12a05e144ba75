"""Public IPv4 addresses in use: what public IP insights tell (PUB-1, PUB-2)."""

import enum
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from services.discovery.resource_cidr import (
    AMAZON_POOL,
    ContradictorySnapshot,
    check_is_ipv4_address,
    ip_source_of,
    told_once,
)
from services.discovery.snapshot import (
    Address,
    IpSource,
    NetworkInterface,
    PublicIp,
    SecurityGroup,
    ServiceAddress,
    Snapshot,
)
from shared.cidr import Cidr


class AddressType(enum.Enum):
    """The value is AWS's word in IpamPublicAddressType."""

    SERVICE_MANAGED_IP = "service-managed-ip"
    SERVICE_MANAGED_BYOIP = "service-managed-byoip"
    AMAZON_OWNED_EIP = "amazon-owned-eip"
    AMAZON_OWNED_CONTIG = "amazon-owned-contig"
    BYOIP = "byoip"
    EC2_PUBLIC_IP = "ec2-public-ip"
    ANYCAST_IP_LIST_IP = "anycast-ip-list-ip"


class AwsService(enum.Enum):
    """The value is AWS's word in IpamPublicAddressAwsService."""

    NAT_GATEWAY = "nat-gateway"
    DATABASE_MIGRATION_SERVICE = "database-migration-service"
    REDSHIFT = "redshift"
    ELASTIC_CONTAINER_SERVICE = "elastic-container-service"
    RELATIONAL_DATABASE_SERVICE = "relational-database-service"
    SITE_TO_SITE_VPN = "site-to-site-vpn"
    LOAD_BALANCER = "load-balancer"
    GLOBAL_ACCELERATOR = "global-accelerator"
    CLOUDFRONT = "cloudfront"
    OTHER = "other"


class AssociationStatus(enum.Enum):
    """The value is AWS's word in IpamPublicAddressAssociationStatus."""

    ASSOCIATED = "associated"
    DISASSOCIATED = "disassociated"


class Recommendation(enum.Enum):
    """What its owner had better do with an address (PUB-2)."""

    RELEASE = "release"
    """It is an elastic IP address that nothing uses, and costs."""


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """A public IPv4 address (PUB-1); what does not apply is None."""

    address: Cidr
    owner_id: str
    """The account whose resource it is."""
    address_type: AddressType
    association_status: AssociationStatus
    service: AwsService | None = None
    """None: an instance or an interface of the account's own, or nothing, uses it."""
    service_resource: str | None = None
    """Id or ARN of the resource in the service."""
    allocation_id: str | None = None
    vpc_id: str | None = None
    subnet_id: str | None = None
    public_ipv4_pool_id: str | None = None
    """None for Amazon's own."""
    network_interface_id: str | None = None
    network_interface_description: str | None = None
    instance_id: str | None = None
    security_groups: tuple[SecurityGroup, ...] = ()
    network_border_group: str | None = None
    tags: Mapping[str, str] | None = None
    """Of the elastic IP address, or of the service's resource."""

    @property
    def name(self) -> str | None:
        """The tag ``Name``."""
        return (self.tags or {}).get("Name")

    @property
    def recommendation(self) -> Recommendation | None:
        """What its owner had better do with it (PUB-2)."""
        is_idle = self.association_status is AssociationStatus.DISASSOCIATED
        return Recommendation.RELEASE if is_idle and self.allocation_id else None


def public_addresses(
    snapshot: Snapshot,
) -> Iterator[PublicAddress]:
    """Every public IPv4 address in use, each once; elastic ones first.

    What elastic IP addresses, interfaces and services tell of one address is put together.

    Raises:
        ContradictorySnapshot: at once or while iterated, at the first contradiction.
    """
    interfaces = told_once(snapshot.network_interfaces, lambda eni: eni.network_interface_id)
    told_by_services = told_once(snapshot.service_addresses, lambda told: str(told.address))
    return _Compilation(snapshot, interfaces, told_by_services).all()


class _Compilation:
    """What a snapshot tells of public addresses, each looked up by the others."""

    def __init__(
        self,
        snapshot: Snapshot,
        interfaces: Sequence[NetworkInterface],
        told_by_services: Sequence[ServiceAddress],
    ) -> None:
        self._account_id, self._region = snapshot.account_id, snapshot.region
        self._addresses = told_once(snapshot.addresses, lambda eip: eip.allocation_id)
        self._pools = {pool.pool_id: pool for pool in snapshot.public_ipv4_pools}
        self._interfaces = {eni.network_interface_id: eni for eni in interfaces}
        self._by_public_ip: dict[Cidr, tuple[NetworkInterface, PublicIp]] = {}
        for interface in interfaces:
            for public_ip in interface.public_ips:
                address = check_is_ipv4_address(public_ip.address, interface.network_interface_id)
                # While an address moves, a source may tell of it at both ends.
                self._by_public_ip.setdefault(address, (interface, public_ip))
        self._by_service = {
            check_is_ipv4_address(told.address, told.service_resource): told
            for told in told_by_services
        }

    def all(self) -> Iterator[PublicAddress]:
        done: dict[Cidr, str] = {}
        for eip in self._addresses:
            address = check_is_ipv4_address(eip.public_ip, eip.allocation_id)
            if holder := done.get(address):
                raise ContradictorySnapshot(
                    f"'{address}' is the address of both '{holder}' and '{eip.allocation_id}'"
                )
            done[address] = eip.allocation_id
            yield self._completed(self._elastic(eip))
        for address, (interface, public_ip) in self._by_public_ip.items():
            if address not in done:
                done[address] = interface.network_interface_id
                yield self._completed(self._of_interface(interface, public_ip))
        for address, told in self._by_service.items():
            if address not in done:
                yield self._of_service(told)

    def _elastic(self, eip: Address) -> PublicAddress:
        found = self._interfaces.get(eip.network_interface_id or "")
        if found is None and eip.public_ip in self._by_public_ip:
            found, _ = self._by_public_ip[eip.public_ip]
        is_in_use = bool(found or eip.association_id or eip.network_interface_id or eip.instance_id)
        address_type = self._type_of(eip)
        status = AssociationStatus.ASSOCIATED if is_in_use else AssociationStatus.DISASSOCIATED
        record = (
            self._at(found, eip.public_ip, address_type)
            if found
            else PublicAddress(eip.public_ip, self._account_id, address_type, status)
        )
        return replace(
            record,
            service=_MANAGERS.get(eip.service_managed or "", record.service),
            allocation_id=eip.allocation_id,
            public_ipv4_pool_id=None if _is_amazons(eip) else eip.public_ipv4_pool,
            network_interface_id=record.network_interface_id or eip.network_interface_id,
            instance_id=eip.instance_id or record.instance_id,
            network_border_group=eip.network_border_group,
            tags=eip.tags,
        )

    def _type_of(self, eip: Address) -> AddressType:
        is_byoip = ip_source_of(eip, self._pools) is IpSource.BYOIP
        if eip.service_managed:
            managed = AddressType.SERVICE_MANAGED_IP
            return AddressType.SERVICE_MANAGED_BYOIP if is_byoip else managed
        if is_byoip:
            return AddressType.BYOIP
        is_single = _is_amazons(eip)
        return AddressType.AMAZON_OWNED_EIP if is_single else AddressType.AMAZON_OWNED_CONTIG

    def _of_interface(self, interface: NetworkInterface, public_ip: PublicIp) -> PublicAddress:
        if not public_ip.allocation_id:
            return self._at(interface, public_ip.address)
        # Another account's elastic IP address, whose pool only that account's snapshot tells.
        record = self._at(interface, public_ip.address, AddressType.AMAZON_OWNED_EIP)
        return replace(record, allocation_id=public_ip.allocation_id)

    def _at(
        self, interface: NetworkInterface, address: Cidr, address_type: AddressType | None = None
    ) -> PublicAddress:
        """What the interface tells of an address; the type too, unless it is known."""
        service, service_resource = service_of(interface, self._account_id)
        managed = AddressType.EC2_PUBLIC_IP if service is None else AddressType.SERVICE_MANAGED_IP
        attachment = interface.attachment
        is_own = attachment is not None and attachment.owner_id == self._account_id
        return PublicAddress(
            address,
            self._account_id,
            address_type or managed,
            AssociationStatus.ASSOCIATED,
            service=service,
            service_resource=service_resource,
            vpc_id=interface.vpc_id,
            subnet_id=interface.subnet_id,
            network_interface_id=interface.network_interface_id,
            network_interface_description=interface.description or None,
            instance_id=attachment.instance_id or None if attachment and is_own else None,
            security_groups=interface.security_groups,
            network_border_group=self._region,
        )

    def _completed(self, record: PublicAddress) -> PublicAddress:
        """With what a service says of it, where nothing else told which one uses it."""
        told = self._by_service.get(record.address)
        if told is None or record.service not in {None, AwsService.OTHER}:
            return record
        return replace(
            record,
            association_status=AssociationStatus.ASSOCIATED,
            service=_service_named(told.service),
            service_resource=told.service_resource or None,
        )

    def _of_service(self, told: ServiceAddress) -> PublicAddress:
        service = _service_named(told.service)
        if service is AwsService.CLOUDFRONT:
            address_type = AddressType.ANYCAST_IP_LIST_IP
        elif told.is_byoip:
            address_type = AddressType.SERVICE_MANAGED_BYOIP
        else:
            address_type = AddressType.SERVICE_MANAGED_IP
        return PublicAddress(
            told.address,
            self._account_id,
            address_type,
            AssociationStatus.ASSOCIATED,
            service=service,
            service_resource=told.service_resource or None,
            tags=told.tags,
        )


def service_of(
    interface: NetworkInterface, account_id: str
) -> tuple[AwsService | None, str | None]:
    """The service that runs an interface, and its resource as far as the interface tells it.

    None for the account's own: what its owner writes in a description says nothing.
    """
    by_type = _INTERFACE_TYPES.get(interface.interface_type)
    attachment = interface.attachment
    is_foreign = attachment is not None and attachment.owner_id != account_id
    if by_type is None and interface.requester_id is None and not is_foreign:
        return None, None
    for pattern, described in _DESCRIPTIONS:
        if found := pattern.match(interface.description):
            return described, found.groupdict().get("resource")
    requested = _REQUESTERS.get(interface.requester_id or "")
    return by_type or requested or AwsService.OTHER, None


def _service_named(word: str) -> AwsService:
    try:
        return AwsService(word)
    except ValueError:
        return AwsService.OTHER


def _is_amazons(eip: Address) -> bool:
    return eip.public_ipv4_pool in {"", AMAZON_POOL}


# AWS documents none of these texts; they are what DescribeNetworkInterfaces answers.
_DESCRIPTIONS = [
    (re.compile(pattern), service)
    for pattern, service in [
        (r"ELB (?P<resource>\S+)", AwsService.LOAD_BALANCER),
        (r"Interface for NAT Gateway (?P<resource>nat-\w+)", AwsService.NAT_GATEWAY),
        (r"RDSNetworkInterface", AwsService.RELATIONAL_DATABASE_SERVICE),
        (
            r"Network interface for DBProxy (?P<resource>\S+)",
            AwsService.RELATIONAL_DATABASE_SERVICE,
        ),
        (r"RedshiftNetworkInterface", AwsService.REDSHIFT),
        (r"DMSNetworkInterface", AwsService.DATABASE_MIGRATION_SERVICE),
        (
            r"(?P<resource>arn:aws[\w-]*:ecs:[\w-]+:\d+:attachment/\S+)",
            AwsService.ELASTIC_CONTAINER_SERVICE,
        ),
    ]
]
_INTERFACE_TYPES = {
    "natGateway": AwsService.NAT_GATEWAY,
    "nat_gateway": AwsService.NAT_GATEWAY,
    "load_balancer": AwsService.LOAD_BALANCER,
    "network_load_balancer": AwsService.LOAD_BALANCER,
    "gateway_load_balancer": AwsService.LOAD_BALANCER,
    "global_accelerator_managed": AwsService.GLOBAL_ACCELERATOR,
}
_REQUESTERS = {
    "amazon-elb": AwsService.LOAD_BALANCER,
    "amazon-rds": AwsService.RELATIONAL_DATABASE_SERVICE,
    "amazon-redshift": AwsService.REDSHIFT,
}
_MANAGERS = {
    "alb": AwsService.LOAD_BALANCER,
    "nlb": AwsService.LOAD_BALANCER,
    "rnat": AwsService.NAT_GATEWAY,
    "rds": AwsService.RELATIONAL_DATABASE_SERVICE,
}
