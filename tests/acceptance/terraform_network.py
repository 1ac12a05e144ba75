"""aws_vpc and what is in it, aws_eip, aws_ec2_managed_prefix_list: the provider's calls."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tests.acceptance.terraform_provider import (
    Attributes,
    NotFound,
    Provider,
    filters,
    not_found,
    single,
    specified,
    tags_of,
    wait_for_state,
    wait_until_not_found,
)
from tests.waiting import wait_until

BLOCK_PENDING = ("associating", "disassociated", "failing")
BLOCK_ENDING = ("associated", "disassociating", "failing")


def camel(name: str) -> str:
    return "".join(word.upper() if word == "aaaa" else word.title() for word in name.split("_"))


def requested(config: Attributes, *arguments: str) -> dict[str, Any]:
    """Members by the names of arguments; zero values are not sent."""
    return {camel(one): config[one] for one in arguments if config.get(one)}


@dataclass(frozen=True)
class Vpc:
    provider: Provider
    defaults: ClassVar[Mapping[str, Any]] = {
        "assign_generated_ipv6_cidr_block": False,
        "enable_dns_support": True,
        "instance_tenancy": "default",
        "tags": {},
    }
    unread: ClassVar[Collection[str]] = ("ipv4_ipam_pool_id", "ipv4_netmask_length")
    _ATTRIBUTES: ClassVar[Mapping[str, tuple[str, bool]]] = {
        "enable_dns_hostnames": ("enableDnsHostnames", False),
        "enable_dns_support": ("enableDnsSupport", True),
        "enable_network_address_usage_metrics": ("enableNetworkAddressUsageMetrics", False),
    }

    def create(self, config: Attributes) -> str:
        vpc = self.provider.ec2.create_vpc(
            AmazonProvidedIpv6CidrBlock=config["assign_generated_ipv6_cidr_block"],
            InstanceTenancy=config["instance_tenancy"],
            TagSpecifications=specified("vpc", config["tags"]),
            **requested(
                config,
                "cidr_block",
                "ipv4_ipam_pool_id",
                "ipv4_netmask_length",
                "ipv6_ipam_pool_id",
                "ipv6_netmask_length",
            ),
        )["Vpc"]
        vpc_id: str = vpc["VpcId"]
        wait_for_state(lambda: self._find(vpc_id), pending=("pending",), target=("available",))
        for block in vpc["Ipv6CidrBlockAssociationSet"]:
            wait_block(self.provider, block["AssociationId"], ipv6=True)
        made = {argument: value for argument, (_, value) in self._ATTRIBUTES.items()}
        self._modify(vpc_id, made, {**made, **config})
        return vpc_id

    def read(self, resource_id: str, state: Attributes) -> Attributes:
        vpc = self._find(resource_id)
        return {
            "cidr_block": vpc["CidrBlock"],
            "dhcp_options_id": vpc["DhcpOptionsId"],
            "instance_tenancy": vpc["InstanceTenancy"],
            "owner_id": vpc["OwnerId"],
            **{argument: self._attribute(resource_id, argument) for argument in self._ATTRIBUTES},
            **self._defaults_of(resource_id),
            **self._ipv6(vpc, state),
            "tags": tags_of(vpc),
        }

    def update(self, resource_id: str, state: Attributes, config: Attributes) -> None:
        self._modify(resource_id, state, config)
        self.provider.update_tags(resource_id, state, config)

    def delete(self, resource_id: str, state: Attributes) -> None:
        try:
            with not_found("InvalidVpcID.NotFound"):
                self.provider.ec2.delete_vpc(VpcId=resource_id)
        except NotFound:
            return
        wait_until_not_found(lambda: self._find(resource_id))
        if pool_id := state.get("ipv4_ipam_pool_id") or state.get("ipv6_ipam_pool_id"):
            wait_until_not_found(
                lambda: allocations_for(self.provider, pool_id, "vpc", resource_id)
            )

    def _find(self, vpc_id: str) -> Any:
        with not_found("InvalidVpcID.NotFound"):
            return single(self.provider.pages("describe_vpcs", "Vpcs", VpcIds=[vpc_id]))

    def _attribute(self, vpc_id: str, argument: str) -> bool:
        name, _ = self._ATTRIBUTES[argument]
        answer = self.provider.ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=name)
        value: bool = answer[name[0].upper() + name[1:]]["Value"]
        return value

    def _modify(self, vpc_id: str, state: Attributes, config: Attributes) -> None:
        for argument, (name, _) in self._ATTRIBUTES.items():
            wanted = config.get(argument, state[argument])
            if wanted != state[argument]:
                member = name[0].upper() + name[1:]
                self.provider.ec2.modify_vpc_attribute(VpcId=vpc_id, **{member: {"Value": wanted}})
                wait_until(lambda: self._attribute(vpc_id, argument) == wanted)  # noqa: B023

    def _defaults_of(self, vpc_id: str) -> Attributes:
        """The provider only warns when it can't find them; the attributes are empty then."""
        acl = single(
            self.provider.pages(
                "describe_network_acls",
                "NetworkAcls",
                Filters=[*filters(default="true"), *filters(vpc_id=vpc_id)],
            )
        )
        main = {"Name": "association.main", "Values": ["true"]}
        table = single(
            self.provider.pages(
                "describe_route_tables", "RouteTables", Filters=[main, *filters(vpc_id=vpc_id)]
            )
        )
        group = single(
            self.provider.pages(
                "describe_security_groups",
                "SecurityGroups",
                Filters=filters(group_name="default", vpc_id=vpc_id),
            )
        )
        return {
            "default_network_acl_id": acl["NetworkAclId"],
            "default_route_table_id": table["RouteTableId"],
            "main_route_table_id": table["RouteTableId"],
            "default_security_group_id": group["GroupId"],
        }

    def _ipv6(self, vpc: Any, state: Attributes) -> Attributes:
        """Of the block that the state knows; else of the last that is associated."""
        blocks = [
            block
            for block in vpc["Ipv6CidrBlockAssociationSet"]
            if block["Ipv6CidrBlockState"]["State"] == "associated"
        ]
        known = [one for one in blocks if one["AssociationId"] == state.get("ipv6_association_id")]
        if not blocks:
            return {"assign_generated_ipv6_cidr_block": False}
        block = [*blocks, *known][-1]
        is_amazons = block["Ipv6Pool"] == "Amazon"
        return {
            "assign_generated_ipv6_cidr_block": is_amazons,
            "ipv6_association_id": block["AssociationId"],
            "ipv6_cidr_block": block["Ipv6CidrBlock"],
            "ipv6_cidr_block_network_border_group": block["NetworkBorderGroup"],
            "ipv6_ipam_pool_id": None if is_amazons else block["Ipv6Pool"],
            "ipv6_netmask_length": (
                None if is_amazons else int(block["Ipv6CidrBlock"].split("/")[1])
            ),
        }


def find_block(provider: Provider, association_id: str, *, ipv6: bool) -> tuple[Any, Any]:
    """The association and its VPC."""
    name = f"{'ipv6-' if ipv6 else ''}cidr-block-association.association-id"
    member = f"{'Ipv6' if ipv6 else ''}CidrBlockAssociationSet"
    vpc = single(
        provider.pages(
            "describe_vpcs", "Vpcs", Filters=[{"Name": name, "Values": [association_id]}]
        )
    )
    block = single([one for one in vpc[member] if one["AssociationId"] == association_id])
    state = block[f"{'Ipv6' if ipv6 else ''}CidrBlockState"]["State"]
    if state == "disassociated":
        raise NotFound
    return {**block, "State": state}, vpc


def wait_block(provider: Provider, association_id: str, *, ipv6: bool, gone: bool = False) -> None:
    wait_for_state(
        lambda: find_block(provider, association_id, ipv6=ipv6)[0],
        pending=BLOCK_ENDING if gone else BLOCK_PENDING,
        target=() if gone else ("associated",),
    )


@dataclass(frozen=True)
class VpcBlock:
    """aws_vpc_ipv4_cidr_block_association and aws_vpc_ipv6_cidr_block_association."""

    provider: Provider
    ipv6: bool
    defaults: ClassVar[Mapping[str, Any]] = {}
    unread: ClassVar[Collection[str]] = (
        "ipv4_ipam_pool_id",
        "ipv4_netmask_length",
        "ipv6_ipam_pool_id",
        "ipv6_netmask_length",
    )

    def create(self, config: Attributes) -> str:
        answer = self.provider.ec2.associate_vpc_cidr_block(
            VpcId=config["vpc_id"], **requested(config, "cidr_block", *self.unread)
        )
        member = f"{'Ipv6' if self.ipv6 else ''}CidrBlockAssociation"
        association_id: str = answer[member]["AssociationId"]
        wait_block(self.provider, association_id, ipv6=self.ipv6)
        return association_id

    def read(self, resource_id: str, _state: Attributes) -> Attributes:
        block, vpc = find_block(self.provider, resource_id, ipv6=self.ipv6)
        if self.ipv6:
            return {"ipv6_cidr_block": block["Ipv6CidrBlock"], "vpc_id": vpc["VpcId"]}
        return {"cidr_block": block["CidrBlock"], "vpc_id": vpc["VpcId"]}

    def update(self, resource_id: str, state: Attributes, config: Attributes) -> None:
        raise AssertionError("all arguments force a replacement")

    def delete(self, resource_id: str, _state: Attributes) -> None:
        try:
            with not_found("InvalidVpcCidrBlockAssociationID.NotFound"):
                self.provider.ec2.disassociate_vpc_cidr_block(AssociationId=resource_id)
        except NotFound:
            return
        wait_block(self.provider, resource_id, ipv6=self.ipv6, gone=True)


@dataclass(frozen=True)
class Subnet:
    provider: Provider
    defaults: ClassVar[Mapping[str, Any]] = {
        "assign_ipv6_address_on_creation": False,
        "enable_dns64": False,
        "enable_resource_name_dns_aaaa_record_on_launch": False,
        "enable_resource_name_dns_a_record_on_launch": False,
        "ipv6_native": False,
        "map_public_ip_on_launch": False,
        "tags": {},
    }
    unread: ClassVar[Collection[str]] = ("ipv4_ipam_pool_id", "ipv4_netmask_length")
    _FLAGS = (
        "enable_dns64",
        "enable_resource_name_dns_aaaa_record_on_launch",
        "enable_resource_name_dns_a_record_on_launch",
        "map_public_ip_on_launch",
    )

    def create(self, config: Attributes) -> str:
        made = self.provider.ec2.create_subnet(
            TagSpecifications=specified("subnet", config["tags"]),
            VpcId=config["vpc_id"],
            **requested(
                config,
                "availability_zone",
                "cidr_block",
                "ipv4_ipam_pool_id",
                "ipv4_netmask_length",
                "ipv6_cidr_block",
            ),
        )
        subnet_id: str = made["Subnet"]["SubnetId"]
        wait_for_state(lambda: self._find(subnet_id), pending=("pending",), target=("available",))
        self._modify(subnet_id, self.read(subnet_id, {}), config)
        return subnet_id

    def read(self, resource_id: str, _state: Attributes) -> Attributes:
        subnet = self._find(resource_id)
        blocks = [
            block
            for block in subnet["Ipv6CidrBlockAssociationSet"]
            if block["Ipv6CidrBlockState"]["State"] == "associated"
        ]
        names = subnet["PrivateDnsNameOptionsOnLaunch"]
        return {
            "arn": subnet["SubnetArn"],
            "assign_ipv6_address_on_creation": subnet["AssignIpv6AddressOnCreation"],
            "availability_zone": subnet["AvailabilityZone"],
            "availability_zone_id": subnet["AvailabilityZoneId"],
            "cidr_block": subnet["CidrBlock"],
            "enable_dns64": subnet["EnableDns64"],
            "enable_resource_name_dns_aaaa_record_on_launch": names[
                "EnableResourceNameDnsAAAARecord"
            ],
            "enable_resource_name_dns_a_record_on_launch": names["EnableResourceNameDnsARecord"],
            "ipv6_cidr_block": blocks[0]["Ipv6CidrBlock"] if blocks else "",
            "ipv6_cidr_block_association_id": blocks[0]["AssociationId"] if blocks else "",
            "ipv6_native": subnet["Ipv6Native"],
            "map_public_ip_on_launch": subnet["MapPublicIpOnLaunch"],
            "owner_id": subnet["OwnerId"],
            "private_dns_hostname_type_on_launch": names["HostnameType"],
            "vpc_id": subnet["VpcId"],
            "tags": tags_of(subnet),
        }

    def update(self, resource_id: str, state: Attributes, config: Attributes) -> None:
        self._modify(resource_id, state, config)
        self.provider.update_tags(resource_id, state, config)

    def delete(self, resource_id: str, _state: Attributes) -> None:
        # What Lambda and others may have left behind.
        lingering = filters(subnet_id=resource_id)
        found = self.provider.pages(
            "describe_network_interfaces", "NetworkInterfaces", Filters=lingering
        )
        assert found == []
        try:
            with not_found("InvalidSubnetID.NotFound"):
                self.provider.ec2.delete_subnet(SubnetId=resource_id)
        except NotFound:
            return

    def _find(self, subnet_id: str) -> Any:
        with not_found("InvalidSubnetID.NotFound", "InvalidSubnetId.NotFound"):
            return single(self.provider.pages("describe_subnets", "Subnets", SubnetIds=[subnet_id]))

    def _modify(self, subnet_id: str, state: Attributes, config: Attributes) -> None:
        """One attribute at a time; IPv6 addresses are assigned while there is a block only."""
        assigns = "assign_ipv6_address_on_creation"
        if not config[assigns]:
            self._modify_flag(subnet_id, assigns, state, config)
        if config.get("ipv6_cidr_block", "") != state["ipv6_cidr_block"]:
            self._replace_block(subnet_id, state, config.get("ipv6_cidr_block"))
        for flag in self._FLAGS:
            self._modify_flag(subnet_id, flag, state, config)
        hostname_type = "private_dns_hostname_type_on_launch"
        wanted = config.get(hostname_type, state[hostname_type])
        if wanted != state[hostname_type]:
            self.provider.ec2.modify_subnet_attribute(
                SubnetId=subnet_id, PrivateDnsHostnameTypeOnLaunch=wanted
            )
            wait_until(lambda: self.read(subnet_id, {})[hostname_type] == wanted)
        if config[assigns]:
            self._modify_flag(subnet_id, assigns, state, config)

    def _modify_flag(
        self, subnet_id: str, flag: str, state: Attributes, config: Attributes
    ) -> None:
        if config[flag] != state[flag]:
            self.provider.ec2.modify_subnet_attribute(
                SubnetId=subnet_id, **{camel(flag): {"Value": config[flag]}}
            )
            wait_until(lambda: self.read(subnet_id, {})[flag] == config[flag])

    def _replace_block(self, subnet_id: str, state: Attributes, cidr: str | None) -> None:
        if association_id := state["ipv6_cidr_block_association_id"]:
            self.provider.ec2.disassociate_subnet_cidr_block(AssociationId=association_id)
            wait_for_state(
                lambda: self._find_block(association_id), pending=BLOCK_ENDING, target=()
            )
        if cidr:
            answer = self.provider.ec2.associate_subnet_cidr_block(
                SubnetId=subnet_id, Ipv6CidrBlock=cidr
            )
            added = answer["Ipv6CidrBlockAssociation"]["AssociationId"]
            wait_for_state(
                lambda: self._find_block(added), pending=BLOCK_PENDING, target=("associated",)
            )

    def _find_block(self, association_id: str) -> Any:
        name = "ipv6-cidr-block-association.association-id"
        subnet = single(
            self.provider.pages(
                "describe_subnets", "Subnets", Filters=[{"Name": name, "Values": [association_id]}]
            )
        )
        blocks = subnet["Ipv6CidrBlockAssociationSet"]
        return single(
            [one["Ipv6CidrBlockState"] for one in blocks if one["AssociationId"] == association_id]
        )


@dataclass(frozen=True)
class Eip:
    provider: Provider
    defaults: ClassVar[Mapping[str, Any]] = {"domain": "vpc", "tags": {}}
    unread: ClassVar[Collection[str]] = ("address",)
    _GONE = ("InvalidAddress.NotFound", "InvalidAllocationID.NotFound")

    def create(self, config: Attributes) -> str:
        made = self.provider.ec2.allocate_address(
            Domain=config["domain"],
            TagSpecifications=specified("elastic-ip", config["tags"]),
            **requested(config, "address", "ipam_pool_id", "network_border_group"),
        )
        allocation_id: str = made["AllocationId"]
        self._find(allocation_id)
        return allocation_id

    def read(self, resource_id: str, _state: Attributes) -> Attributes:
        address = self._find(resource_id)
        pool = address["PublicIpv4Pool"]
        with not_found(*self._GONE):
            # The provider asks for the PTR record each time.
            attributes = self.provider.ec2.describe_addresses_attribute(
                AllocationIds=[resource_id], Attribute="domain-name"
            )["Addresses"]
        return {
            "association_id": address.get("AssociationId"),
            "domain": address["Domain"],
            "instance": address.get("InstanceId"),
            "network_border_group": address["NetworkBorderGroup"],
            "network_interface": address.get("NetworkInterfaceId"),
            "ptr_record": attributes[0].get("PtrRecord") if attributes else None,
            "public_ip": address["PublicIp"],
            "public_ipv4_pool": pool,
            **({"ipam_pool_id": pool} if pool.startswith("ipam-pool-") else {}),
            "tags": tags_of(address),
        }

    def update(self, resource_id: str, state: Attributes, config: Attributes) -> None:
        self.provider.update_tags(resource_id, state, config)

    def delete(self, resource_id: str, state: Attributes) -> None:
        try:
            with not_found("InvalidAllocationID.NotFound"):
                self.provider.ec2.release_address(
                    AllocationId=resource_id, NetworkBorderGroup=state["network_border_group"]
                )
        except NotFound:
            return
        if pool_id := state.get("ipam_pool_id"):
            wait_until_not_found(
                lambda: allocations_for(self.provider, pool_id, "eip", resource_id)
            )

    def _find(self, allocation_id: str) -> Any:
        with not_found(*self._GONE):
            answer = self.provider.ec2.describe_addresses(AllocationIds=[allocation_id])
        return single(answer["Addresses"])


def allocations_for(
    provider: Provider, pool_id: str, resource_type: str, resource_id: str
) -> list[Any]:
    with not_found("InvalidIpamPoolAllocationId.NotFound", "InvalidIpamPoolId.NotFound"):
        every = provider.pages(
            "get_ipam_pool_allocations", "IpamPoolAllocations", IpamPoolId=pool_id
        )
    wanted = (resource_type, resource_id)
    found = [one for one in every if (one["ResourceType"], one.get("ResourceId")) == wanted]
    if not found:
        raise NotFound
    return found


@dataclass(frozen=True)
class PrefixList:
    """aws_ec2_managed_prefix_list; ``entry`` are descriptions by CIDR."""

    provider: Provider
    defaults: ClassVar[Mapping[str, Any]] = {"entry": {}, "tags": {}}
    unread: ClassVar[Collection[str]] = ()

    def create(self, config: Attributes) -> str:
        made = self.provider.ec2.create_managed_prefix_list(
            AddressFamily=config["address_family"],
            Entries=_entries(config["entry"]),
            MaxEntries=config["max_entries"],
            PrefixListName=config["name"],
            TagSpecifications=specified("prefix-list", config["tags"]),
        )
        prefix_list_id: str = made["PrefixList"]["PrefixListId"]
        wait_for_state(
            lambda: self._find(prefix_list_id),
            pending=("create-in-progress",),
            target=("create-complete",),
        )
        return prefix_list_id

    def read(self, resource_id: str, _state: Attributes) -> Attributes:
        found = self._find(resource_id)
        entries = self.provider.pages(
            "get_managed_prefix_list_entries", "Entries", PrefixListId=resource_id
        )
        return {
            "address_family": found["AddressFamily"],
            "arn": found["PrefixListArn"],
            "entry": {entry["Cidr"]: entry.get("Description", "") for entry in entries},
            "max_entries": found["MaxEntries"],
            "name": found["PrefixListName"],
            "owner_id": found["OwnerId"],
            "version": found["Version"],
            "tags": tags_of(found),
        }

    def update(self, resource_id: str, state: Attributes, config: Attributes) -> None:
        """The size grows before entries are added, and shrinks after they are removed."""
        grows = config["max_entries"] > state["max_entries"]
        if grows:
            self._modify(resource_id, MaxEntries=config["max_entries"])
        self._update_entries(resource_id, state, config)
        if config["max_entries"] < state["max_entries"]:
            self._modify(resource_id, MaxEntries=config["max_entries"])
        self.provider.update_tags(resource_id, state, config)

    def delete(self, resource_id: str, _state: Attributes) -> None:
        try:
            with not_found("InvalidPrefixListID.NotFound"):
                self.provider.ec2.delete_managed_prefix_list(PrefixListId=resource_id)
        except NotFound:
            return
        wait_for_state(lambda: self._find(resource_id), pending=("delete-in-progress",), target=())

    def _find(self, prefix_list_id: str) -> Any:
        with not_found("InvalidPrefixListID.NotFound"):
            return single(
                self.provider.pages(
                    "describe_managed_prefix_lists", "PrefixLists", PrefixListIds=[prefix_list_id]
                )
            )

    def _update_entries(self, resource_id: str, state: Attributes, config: Attributes) -> None:
        old, new = state["entry"], config["entry"]
        added = {cidr: new[cidr] for cidr in new if new[cidr] != old.get(cidr)}
        removed = {cidr for cidr in old if old[cidr] != new.get(cidr)}
        version = state["version"]
        if described := removed & added.keys():
            # A description changes by removing the entry in a request of its own.
            version = self._modify(
                resource_id, CurrentVersion=version, RemoveEntries=_cidrs(described)
            )
        if added or removed or config["name"] != state["name"]:
            members = {
                "AddEntries": _entries(added),
                "RemoveEntries": _cidrs(removed - described),
                "CurrentVersion": version if added or removed else None,
            }
            self._modify(
                resource_id,
                PrefixListName=config["name"],
                **{member: value for member, value in members.items() if value},
            )

    def _modify(self, prefix_list_id: str, **members: Any) -> int:
        self.provider.ec2.modify_managed_prefix_list(PrefixListId=prefix_list_id, **members)
        found = wait_for_state(
            lambda: self._find(prefix_list_id),
            pending=("modify-in-progress",),
            target=("modify-complete",),
        )
        version: int = found["Version"]
        return version


def _entries(described: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {"Cidr": cidr, **({"Description": text} if text else {})}
        for cidr, text in described.items()
    ]


def _cidrs(cidrs: set[str]) -> list[dict[str, str]]:
    return [{"Cidr": cidr} for cidr in sorted(cidrs)]
