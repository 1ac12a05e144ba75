"""The way through the embedded cloud: what takes addresses out of pools."""

from typing import Any

from tests.acceptance.command_lines import LOCALE, MEMBER, MEMBER_ID
from tests.acceptance.walk.space import empty_and_delete, make_pool, provision
from tests.acceptance.walk.walker import Walker, settled, tags
from tests.waiting import wait_until

_IMAGE = "ami-0abcdef1234567890"
TEAM = {"Key": "team", "Value": "network"}


def make_networks(walk: Walker) -> None:
    ec2 = walk.away
    planned = {"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "walked"}, TEAM]}
    vpc = ec2.create_vpc(
        Ipv4IpamPoolId=walk.made["regional"],
        Ipv4NetmaskLength=24,
        AmazonProvidedIpv6CidrBlock=True,
        TagSpecifications=[planned],
    )["Vpc"]
    vpc_id = walk.made["vpc"] = vpc["VpcId"]
    second = ec2.associate_vpc_cidr_block(VpcId=vpc_id, CidrBlock="10.200.0.0/24")
    ec2.disassociate_vpc_cidr_block(AssociationId=second["CidrBlockAssociation"]["AssociationId"])
    other = ec2.associate_vpc_cidr_block(VpcId=vpc_id, AmazonProvidedIpv6CidrBlock=True)
    ec2.disassociate_vpc_cidr_block(
        AssociationId=other["Ipv6CidrBlockAssociation"]["AssociationId"]
    )
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableNetworkAddressUsageMetrics={"Value": True})
    for attribute in (
        "enableDnsHostnames",
        "enableDnsSupport",
        "enableNetworkAddressUsageMetrics",
    ):
        ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=attribute)
    [described] = ec2.describe_vpcs(VpcIds=[vpc_id])["Vpcs"]
    six = described["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].replace("/56", "/64")
    subnet = ec2.create_subnet(
        VpcId=vpc_id,
        CidrBlock=described["CidrBlock"].replace("/24", "/26"),
        Ipv6CidrBlock=six,
        TagSpecifications=tags("subnet", "walked"),
    )["Subnet"]
    subnet_id = walk.made["subnet"] = subnet["SubnetId"]
    ec2.modify_subnet_attribute(SubnetId=subnet_id, MapPublicIpOnLaunch={"Value": False})
    [block] = subnet["Ipv6CidrBlockAssociationSet"]
    ec2.disassociate_subnet_cidr_block(AssociationId=block["AssociationId"])
    ec2.associate_subnet_cidr_block(SubnetId=subnet_id, Ipv6CidrBlock=six)
    [held] = walk.home.get_ipam_pool_allocations(IpamPoolId=walk.made["regional"])[
        "IpamPoolAllocations"
    ]
    allocation_id = held["IpamPoolAllocationId"]
    walk.home.modify_ipam_pool_allocation(
        IpamPoolAllocationId=allocation_id, Description="of a VPC"
    )
    walk.home.describe_ipam_pool_allocations(IpamPoolAllocationIds=[allocation_id])


def use_addresses(walk: Walker) -> None:
    ec2, subnet_id = walk.away, walk.made["subnet"]
    machine = ec2.run_instances(
        ImageId=_IMAGE,
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet_id,
        TagSpecifications=tags("instance", "walked"),
    )["Instances"][0]
    interface = ec2.create_network_interface(
        SubnetId=subnet_id,
        Description="second",
        SecondaryPrivateIpAddressCount=1,
        Ipv6AddressCount=1,
        TagSpecifications=tags("network-interface", "walked"),
    )["NetworkInterface"]
    walk.made.update(instance=machine["InstanceId"], interface=interface["NetworkInterfaceId"])
    attachment = ec2.attach_network_interface(
        InstanceId=machine["InstanceId"],
        NetworkInterfaceId=interface["NetworkInterfaceId"],
        DeviceIndex=1,
    )
    walk.made["attachment"] = attachment["AttachmentId"]
    contiguous = make_pool(
        walk,
        "contiguous",
        IpamScopeId=walk.made["ipam"]["PublicDefaultScopeId"],
        AddressFamily="ipv4",
        Locale=LOCALE,
        AwsService="ec2",
        PublicIpSource="amazon",
    )
    provision(walk, contiguous, NetmaskLength=29)
    address = ec2.allocate_address(
        IpamPoolId=contiguous, TagSpecifications=tags("elastic-ip", "walked")
    )
    walk.made["address"] = address["AllocationId"]
    walk.made["association"] = ec2.associate_address(
        AllocationId=address["AllocationId"], InstanceId=machine["InstanceId"]
    )["AssociationId"]
    for listing in ("instances", "network_interfaces", "addresses", "subnets", "vpcs"):
        getattr(ec2, f"describe_{listing}")()
    ec2.describe_addresses_attribute(
        AllocationIds=[address["AllocationId"]], Attribute="domain-name"
    )


def transfer_address(walk: Walker) -> None:
    ec2, taker = walk.away, walk.client(MEMBER, LOCALE)
    address = ec2.allocate_address()
    offer = {"AllocationId": address["AllocationId"], "TransferAccountId": MEMBER_ID}
    ec2.enable_address_transfer(**offer)
    ec2.disable_address_transfer(AllocationId=address["AllocationId"])
    ec2.enable_address_transfer(**offer)
    ec2.describe_address_transfers()
    taken = taker.accept_address_transfer(
        Address=address["PublicIp"], TagSpecifications=tags("elastic-ip", "taken")
    )["AddressTransfer"]
    ec2.describe_address_transfers()
    assert taken["PublicIp"] == address["PublicIp"]
    [mine] = taker.describe_addresses(PublicIps=[address["PublicIp"]])["Addresses"]
    taker.release_address(AllocationId=mine["AllocationId"])


def keep_prefix_list(walk: Walker) -> None:
    ec2 = walk.away
    made = ec2.create_managed_prefix_list(
        PrefixListName="walked",
        MaxEntries=10,
        AddressFamily="IPv4",
        Entries=[{"Cidr": "10.9.0.0/16", "Description": "first"}],
        TagSpecifications=tags("prefix-list", "walked"),
    )["PrefixList"]
    list_id = walk.made["prefix list"] = made["PrefixListId"]
    ec2.modify_managed_prefix_list(
        PrefixListId=list_id,
        CurrentVersion=made["Version"],
        AddEntries=[{"Cidr": "10.8.0.0/16", "Description": "second"}],
    )
    settled(lambda: ec2.describe_managed_prefix_lists(PrefixListIds=[list_id]), "modify-complete")
    ec2.get_managed_prefix_list_entries(PrefixListId=list_id)
    ec2.get_managed_prefix_list_associations(PrefixListId=list_id)
    ec2.restore_managed_prefix_list_version(
        PrefixListId=list_id, CurrentVersion=2, PreviousVersion=1
    )
    settled(lambda: ec2.describe_managed_prefix_lists(PrefixListIds=[list_id]), "restore-complete")


def describe_the_rest(walk: Walker) -> None:
    walk.home.describe_regions(AllRegions=True)
    walk.home.describe_account_attributes()
    walk.away.describe_availability_zones(AllAvailabilityZones=True)
    of_vpc = {"Filters": [{"Name": "vpc-id", "Values": [walk.made["vpc"]]}]}
    [acl] = walk.away.describe_network_acls(**of_vpc)["NetworkAcls"]
    [table] = walk.away.describe_route_tables(**of_vpc)["RouteTables"]
    [group] = walk.away.describe_security_groups(**of_vpc)["SecurityGroups"]
    walk.away.create_tags(
        Resources=[acl["NetworkAclId"], table["RouteTableId"], group["GroupId"]],
        Tags=[{"Key": "Name", "Value": "walked"}],
    )
    for what in ("network_acls", "route_tables", "security_groups"):
        getattr(walk.away, f"describe_{what}")(**of_vpc)
    walk.away.describe_security_group_rules(
        Filters=[{"Name": "group-id", "Values": [group["GroupId"]]}]
    )


def tag_and_untag(walk: Walker) -> None:
    resources = [walk.made["vpc"], walk.made["top"], walk.made["ipam"]["IpamId"]]
    for client, ids in ((walk.away, resources[:1]), (walk.home, resources[1:])):
        client.create_tags(Resources=ids, Tags=[{"Key": "walked", "Value": "twice"}])
        client.delete_tags(Resources=ids, Tags=[{"Key": "walked"}])


def describe_tags(walk: Walker) -> None:
    """Of all contexts: each resource that was made with a tag has it."""
    for client in (walk.home, walk.away):
        client.describe_tags(Filters=[{"Name": "key", "Values": ["Name"]}])


def clear_away(walk: Walker) -> None:
    ec2, made = walk.away, walk.made
    ec2.disassociate_address(AssociationId=made["association"])
    ec2.release_address(AllocationId=made["address"])
    ec2.detach_network_interface(AttachmentId=made["attachment"])
    _once_possible(ec2, "delete_network_interface", NetworkInterfaceId=made["interface"])
    ec2.terminate_instances(InstanceIds=[made["instance"]])
    _once_possible(ec2, "delete_subnet", SubnetId=made["subnet"])
    ec2.delete_vpc(VpcId=made["vpc"])
    ec2.delete_managed_prefix_list(PrefixListId=made["prefix list"])
    empty_and_delete(walk, made["contiguous"])


def _once_possible(ec2: Any, method: str, **parameters: Any) -> None:
    """Do what is refused while something else still goes."""

    def attempt() -> bool:
        try:
            getattr(ec2, method)(**parameters)
        except ec2.exceptions.ClientError:
            return False
        return True

    wait_until(attempt)
