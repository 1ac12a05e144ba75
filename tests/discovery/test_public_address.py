"""What a snapshot tells of public addresses (PUB-1, PUB-2)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.discovery.public_address import (
    AddressType,
    AssociationStatus,
    AwsService,
    PublicAddress,
    Recommendation,
    public_addresses,
    service_of,
)
from services.discovery.resource_cidr import ContradictorySnapshot
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
)
from shared.cidr import Cidr

ACCOUNT = "123456789012"
IP, OTHER_IP = Cidr.parse("3.0.0.1/32"), Cidr.parse("3.0.0.2/32")
EIP = Address("eipalloc-1", IP, "amazon", "us-east-1", {"Name": "front"})
ENI = NetworkInterface(
    "eni-1",
    "vpc-1",
    "subnet-1",
    (Cidr.parse("10.0.0.4/32"),),
    {},
    "use1-az1",
    description="mine",
    attachment=Attachment("i-1", ACCOUNT),
    security_groups=(SecurityGroup("sg-1", "web"),),
    public_ips=(PublicIp(IP, "amazon", ""),),
)
SERVICES = Attachment("", "amazon-aws")
VPN = ServiceAddress(IP, "site-to-site-vpn", "vpn-1", is_byoip=False, tags={"Name": "tunnel"})


def snapshot(**parts: Any) -> Snapshot:
    return replace(Snapshot(ACCOUNT, "us-east-1", datetime(2026, 1, 1, tzinfo=UTC)), **parts)


def only(taken: Snapshot) -> PublicAddress:
    [found] = public_addresses(taken)
    return found


def test_an_instances_address_tells_all_of_its_interface() -> None:  # PUB-1
    assert only(snapshot(network_interfaces=[ENI])) == PublicAddress(
        IP,
        ACCOUNT,
        AddressType.EC2_PUBLIC_IP,
        AssociationStatus.ASSOCIATED,
        vpc_id="vpc-1",
        subnet_id="subnet-1",
        network_interface_id="eni-1",
        network_interface_description="mine",
        instance_id="i-1",
        security_groups=(SecurityGroup("sg-1", "web"),),
        network_border_group="us-east-1",
    )


def test_an_elastic_address_and_its_interface_are_one_record() -> None:  # PUB-1
    eip = replace(EIP, association_id="eipassoc-1", network_interface_id="eni-1")
    eni = replace(ENI, public_ips=(PublicIp(IP, ACCOUNT, "eipalloc-1"),))
    found = only(snapshot(addresses=[eip], network_interfaces=[eni]))
    assert found.address_type is AddressType.AMAZON_OWNED_EIP
    assert found.association_status is AssociationStatus.ASSOCIATED
    assert (found.name, found.tags) == ("front", {"Name": "front"})
    assert (found.allocation_id, found.network_interface_id, found.instance_id) == (
        "eipalloc-1",
        "eni-1",
        "i-1",
    )
    assert found.public_ipv4_pool_id is None


def test_an_elastic_address_that_nothing_uses_had_better_be_released() -> None:  # PUB-2
    idle = only(snapshot(addresses=[EIP]))
    assert idle.association_status is AssociationStatus.DISASSOCIATED
    assert idle.recommendation is Recommendation.RELEASE


@pytest.mark.parametrize(
    "taken",
    [
        snapshot(addresses=[replace(EIP, network_interface_id="eni-of-another-account")]),
        snapshot(addresses=[EIP], network_interfaces=[ENI]),
        snapshot(addresses=[EIP], service_addresses=[VPN]),
        snapshot(network_interfaces=[ENI]),
        snapshot(service_addresses=[VPN]),
    ],
)
def test_nothing_is_recommended_for_an_address_in_use(taken: Snapshot) -> None:  # PUB-2
    found = only(taken)
    assert found.association_status is AssociationStatus.ASSOCIATED
    assert found.recommendation is None


CONTIGUOUS = PublicIpv4Pool("ipv4pool-ec2-1", (), {}, "us-east-1", 8, 7, is_byoip=False)


@pytest.mark.parametrize(
    ("pool_id", "manager", "address_type"),
    [
        ("amazon", None, AddressType.AMAZON_OWNED_EIP),
        ("ipv4pool-ec2-1", None, AddressType.AMAZON_OWNED_CONTIG),
        ("ipv4pool-ec2-2", None, AddressType.BYOIP),
        ("ipam-pool-1", None, AddressType.AMAZON_OWNED_CONTIG),
        ("ipam-pool-2", None, AddressType.BYOIP),
        ("ipam-pool-2", "alb", AddressType.SERVICE_MANAGED_BYOIP),
        ("amazon", "rds", AddressType.SERVICE_MANAGED_IP),
    ],
)
def test_the_type_of_an_elastic_address_follows_its_pool(
    pool_id: str, manager: str | None, address_type: AddressType
) -> None:  # PUB-1
    ip_source = IpSource.AMAZON if pool_id == "ipam-pool-1" else None
    eip = replace(EIP, public_ipv4_pool=pool_id, service_managed=manager, ip_source=ip_source)
    taken = snapshot(addresses=[eip], public_ipv4_pools=[CONTIGUOUS])
    [found] = public_addresses(taken)
    assert found.address_type is address_type
    assert found.public_ipv4_pool_id == (None if pool_id == "amazon" else pool_id)


@pytest.mark.parametrize(
    ("manager", "service"),
    [
        ("alb", AwsService.LOAD_BALANCER),
        ("nlb", AwsService.LOAD_BALANCER),
        ("rnat", AwsService.NAT_GATEWAY),
        ("rds", AwsService.RELATIONAL_DATABASE_SERVICE),
    ],
)
def test_a_managed_elastic_address_tells_its_service(manager: str, service: AwsService) -> None:
    assert only(snapshot(addresses=[replace(EIP, service_managed=manager)])).service is service


ECS_ATTACHMENT = "arn:aws:ecs:us-east-1:123456789012:attachment/2a1b"


@pytest.mark.parametrize(
    ("description", "interface_type", "requester_id", "service", "resource"),
    [
        (
            "ELB app/web/50dc6c495c0c9188",
            "interface",
            "amazon-elb",
            AwsService.LOAD_BALANCER,
            "app/web/50dc6c495c0c9188",
        ),
        ("ELB classic", "interface", "amazon-elb", AwsService.LOAD_BALANCER, "classic"),
        ("", "network_load_balancer", None, AwsService.LOAD_BALANCER, None),
        (
            "Interface for NAT Gateway nat-0a8b0e0d28266841f",
            "natGateway",
            "123456789012",
            AwsService.NAT_GATEWAY,
            "nat-0a8b0e0d28266841f",
        ),
        ("", "nat_gateway", None, AwsService.NAT_GATEWAY, None),
        (
            "RDSNetworkInterface",
            "interface",
            "amazon-rds",
            AwsService.RELATIONAL_DATABASE_SERVICE,
            None,
        ),
        ("renamed", "interface", "amazon-redshift", AwsService.REDSHIFT, None),
        ("RedshiftNetworkInterface", "interface", "1", AwsService.REDSHIFT, None),
        ("DMSNetworkInterface", "interface", "1", AwsService.DATABASE_MIGRATION_SERVICE, None),
        (
            ECS_ATTACHMENT,
            "interface",
            "578734482556",
            AwsService.ELASTIC_CONTAINER_SERVICE,
            ECS_ATTACHMENT,
        ),
        ("", "global_accelerator_managed", None, AwsService.GLOBAL_ACCELERATOR, None),
        ("Amazon Workspaces", "interface", "1", AwsService.OTHER, None),
    ],
)
def test_a_services_interface_tells_which_one_it_is(
    description: str,
    interface_type: str,
    requester_id: str | None,
    service: AwsService,
    resource: str | None,
) -> None:  # PUB-1
    eni = replace(
        ENI,
        description=description,
        interface_type=interface_type,
        requester_id=requester_id,
        attachment=SERVICES,
    )
    found = only(snapshot(network_interfaces=[eni]))
    assert found.address_type is AddressType.SERVICE_MANAGED_IP
    assert (found.service, found.service_resource) == (service, resource)
    assert found.instance_id is None


def test_a_description_of_ones_own_says_nothing() -> None:
    assert service_of(replace(ENI, description="ELB app/mine/1"), ACCOUNT) == (None, None)


def test_a_service_tells_of_addresses_that_no_interface_has() -> None:  # PUB-1
    byoip = replace(VPN, address=OTHER_IP, service="global-accelerator", is_byoip=True)
    strange = replace(VPN, address=Cidr.parse("3.0.0.3/32"), service="quantum-link")
    anycast = replace(VPN, address=Cidr.parse("3.0.0.4/32"), service="cloudfront")
    found = public_addresses(snapshot(service_addresses=[strange, byoip, VPN, anycast]))
    assert [(told.service, told.address_type, told.name) for told in found] == [
        (AwsService.SITE_TO_SITE_VPN, AddressType.SERVICE_MANAGED_IP, "tunnel"),
        (AwsService.GLOBAL_ACCELERATOR, AddressType.SERVICE_MANAGED_BYOIP, "tunnel"),
        (AwsService.OTHER, AddressType.SERVICE_MANAGED_IP, "tunnel"),
        (AwsService.CLOUDFRONT, AddressType.ANYCAST_IP_LIST_IP, "tunnel"),
    ]


def test_an_address_is_told_of_once_however_many_tell_of_it() -> None:  # PUB-1
    moving = replace(ENI, network_interface_id="eni-2")
    taken = snapshot(
        addresses=[replace(EIP, network_interface_id="eni-2")],
        network_interfaces=[ENI, moving],
        service_addresses=[VPN, replace(VPN)],
    )
    found = only(taken)
    assert found.network_interface_id == "eni-2"
    assert (found.service, found.service_resource) == (AwsService.SITE_TO_SITE_VPN, "vpn-1")


@pytest.mark.parametrize(
    ("taken", "named"),
    [
        (snapshot(addresses=[EIP, replace(EIP, allocation_id="eipalloc-2")]), "3.0.0.1/32"),
        (snapshot(service_addresses=[VPN, replace(VPN, is_byoip=True)]), "3.0.0.1/32"),
        (snapshot(service_addresses=[replace(VPN, address=Cidr.parse("::/128"))]), "::/128"),
        (
            snapshot(
                network_interfaces=[
                    replace(ENI, public_ips=(PublicIp(Cidr.parse("3.0.0.0/30"), "amazon", ""),))
                ]
            ),
            "3.0.0.0/30",
        ),
    ],
)
def test_contradictions_are_refused_by_name(taken: Snapshot, named: str) -> None:
    with pytest.raises(ContradictorySnapshot, match=named):
        list(public_addresses(taken))
