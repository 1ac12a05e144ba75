"""The way through what is discovered, and what follows it."""

from datetime import UTC, datetime
from typing import Any

from tests.acceptance.command_lines import HOME, IPAM_ID, LOCALE, MEMBER
from tests.acceptance.walk.walker import Walker, gone, settled, tags
from tests.waiting import wait_until

_LEFT_OUT = {"OrganizationsEntityPath": "o-exampleorgid/r-fssg/ou-fssg-q5brfv9c/"}


def discover(walk: Walker) -> None:
    ec2, ipam = walk.home, walk.made["ipam"]
    discovery_id, scope_id = ipam["DefaultResourceDiscoveryId"], ipam["PrivateDefaultScopeId"]
    ec2.modify_ipam_resource_discovery(
        IpamResourceDiscoveryId=discovery_id,
        Description="of all accounts",
        AddOrganizationalUnitExclusions=[_LEFT_OUT],
    )
    settled(ec2.describe_ipam_resource_discoveries, "modify-complete")
    ec2.modify_ipam_resource_discovery(
        IpamResourceDiscoveryId=discovery_id,
        RemoveOrganizationalUnitExclusions=[_LEFT_OUT],
    )
    vpc_id = walk.made["vpc"]

    def of_vpc() -> Any:
        return ec2.get_ipam_resource_cidrs(
            IpamScopeId=scope_id, ResourceType="vpc", ResourceId=vpc_id
        )["IpamResourceCidrs"]

    [record] = [one for one in wait_until(of_vpc) if one["ManagementState"] == "managed"]
    change = {
        "ResourceId": vpc_id,
        "ResourceCidr": record["ResourceCidr"],
        "ResourceRegion": LOCALE,
        "CurrentIpamScopeId": scope_id,
    }
    ec2.modify_ipam_resource_cidr(**change, Monitored=False)
    ec2.modify_ipam_resource_cidr(**change, Monitored=True)
    of_subnets = {"IpamScopeId": scope_id, "ResourceType": "subnet"}
    wait_until(lambda: ec2.get_ipam_resource_cidrs(**of_subnets)["IpamResourceCidrs"])
    ec2.get_ipam_resource_cidrs(IpamScopeId=scope_id)
    since = datetime(2021, 12, 27, tzinfo=UTC)
    ec2.get_ipam_address_history(Cidr=record["ResourceCidr"], IpamScopeId=scope_id, StartTime=since)
    of_accounts = {"IpamResourceDiscoveryId": discovery_id, "DiscoveryRegion": LOCALE}

    def in_units() -> bool:
        accounts = ec2.get_ipam_discovered_accounts(**of_accounts)["IpamDiscoveredAccounts"]
        return any("OrganizationalUnitId" in account for account in accounts)

    wait_until(in_units)
    ec2.get_ipam_discovered_resource_cidrs(
        IpamResourceDiscoveryId=discovery_id, ResourceRegion=LOCALE
    )
    ec2.get_ipam_discovered_public_addresses(
        IpamResourceDiscoveryId=discovery_id, AddressRegion=LOCALE
    )


def see_through_another(walk: Walker) -> None:
    ec2 = walk.home
    made = ec2.create_ipam_resource_discovery(
        Description="of Oregon",
        OperatingRegions=[{"RegionName": LOCALE}],
        TagSpecifications=tags("ipam-resource-discovery", "walked"),
    )["IpamResourceDiscovery"]
    discovery_id = made["IpamResourceDiscoveryId"]

    def ask() -> Any:
        return ec2.describe_ipam_resource_discoveries(IpamResourceDiscoveryIds=[discovery_id])

    settled(ask, "create-complete")
    ec2.modify_ipam_resource_discovery(
        IpamResourceDiscoveryId=discovery_id, Description="of Oregon's data centre"
    )
    association = ec2.associate_ipam_resource_discovery(
        IpamId=walk.made["ipam"]["IpamId"],
        IpamResourceDiscoveryId=discovery_id,
        TagSpecifications=tags("ipam-resource-discovery-association", "walked"),
    )["IpamResourceDiscoveryAssociation"]
    association_id = association["IpamResourceDiscoveryAssociationId"]

    def ask_association() -> Any:
        return ec2.describe_ipam_resource_discovery_associations(
            Filters=[{"Name": "ipam-resource-discovery-association-id", "Values": [association_id]}]
        )

    settled(ask_association, "associate-complete")
    walk.made.update(discovery=discovery_id, discovery_association=association_id)


def look_away(walk: Walker) -> None:
    ec2 = walk.home
    ec2.disassociate_ipam_resource_discovery(
        IpamResourceDiscoveryAssociationId=walk.made["discovery_association"]
    )
    wait_until(
        lambda: (
            len(
                ec2.describe_ipam_resource_discovery_associations()[
                    "IpamResourceDiscoveryAssociations"
                ]
            )
            == 1
        )
    )
    ec2.delete_ipam_resource_discovery(IpamResourceDiscoveryId=walk.made["discovery"])


def follow_by_prefix_list(walk: Walker) -> None:
    ec2, ipam = walk.home, walk.made["ipam"]
    rules = [
        {"RuleType": "static-cidr", "StaticCidr": "192.0.2.0/24"},
        {
            "RuleType": "ipam-pool-cidr",
            "IpamScopeId": ipam["PrivateDefaultScopeId"],
            "Conditions": [{"Operation": "equals", "IpamPoolId": walk.made["top"]}],
        },
        {
            "RuleType": "ipam-resource-cidr",
            "IpamScopeId": ipam["PrivateDefaultScopeId"],
            "ResourceType": "vpc",
            "Conditions": [
                {"Operation": "equals", "ResourceOwner": IPAM_ID},
                {"Operation": "equals", "ResourceRegion": LOCALE},
                {"Operation": "equals", "ResourceId": walk.made["vpc"]},
                {"Operation": "equals", "ResourceTag": {"Key": "Name", "Value": "walked"}},
                {"Operation": "subnet-of", "Cidr": "10.0.0.0/8"},
            ],
        },
    ]
    resolver = ec2.create_ipam_prefix_list_resolver(
        IpamId=ipam["IpamId"],
        Description="what there is",
        AddressFamily="ipv4",
        Rules=rules,
        TagSpecifications=tags("ipam-prefix-list-resolver", "walked"),
    )["IpamPrefixListResolver"]
    resolver_id = resolver["IpamPrefixListResolverId"]

    def ask() -> Any:
        return ec2.describe_ipam_prefix_list_resolvers(IpamPrefixListResolverIds=[resolver_id])

    settled(ask, "create-complete", having=lambda one: one.get("LastVersionCreationStatus"))
    ec2.modify_ipam_prefix_list_resolver(
        IpamPrefixListResolverId=resolver_id, Description="what there was"
    )
    ec2.get_ipam_prefix_list_resolver_rules(IpamPrefixListResolverId=resolver_id)
    versions = wait_until(
        lambda: ec2.get_ipam_prefix_list_resolver_versions(IpamPrefixListResolverId=resolver_id)[
            "IpamPrefixListResolverVersions"
        ]
    )
    version = versions[0]["Version"]
    ec2.get_ipam_prefix_list_resolver_version_entries(
        IpamPrefixListResolverId=resolver_id, IpamPrefixListResolverVersion=version
    )
    target = ec2.create_ipam_prefix_list_resolver_target(
        IpamPrefixListResolverId=resolver_id,
        PrefixListId=walk.made["prefix list"],
        PrefixListRegion=LOCALE,
        TrackLatestVersion=False,
        DesiredVersion=version,
        TagSpecifications=tags("ipam-prefix-list-resolver-target", "walked"),
    )["IpamPrefixListResolverTarget"]
    target_id = target["IpamPrefixListResolverTargetId"]

    def ask_target() -> Any:
        return ec2.describe_ipam_prefix_list_resolver_targets(
            IpamPrefixListResolverTargetIds=[target_id]
        )

    settled(ask_target, "sync-complete")
    ec2.modify_ipam_prefix_list_resolver_target(
        IpamPrefixListResolverTargetId=target_id, TrackLatestVersion=True
    )
    settled(ask_target, "sync-complete")
    walk.away.describe_managed_prefix_lists(PrefixListIds=[walk.made["prefix list"]])
    walk.made.update(resolver=resolver_id, target=target_id)


def follow_no_more(walk: Walker) -> None:
    ec2 = walk.home
    ec2.delete_ipam_prefix_list_resolver_target(IpamPrefixListResolverTargetId=walk.made["target"])
    gone(ec2.describe_ipam_prefix_list_resolver_targets)
    ec2.delete_ipam_prefix_list_resolver(IpamPrefixListResolverId=walk.made["resolver"])


def have_a_policy(walk: Walker) -> None:
    ec2 = walk.home
    policy = ec2.create_ipam_policy(
        IpamId=walk.made["ipam"]["IpamId"], TagSpecifications=tags("ipam-policy", "walked")
    )["IpamPolicy"]
    policy_id = walk.made["policy"] = policy["IpamPolicyId"]

    def ask() -> Any:
        return ec2.describe_ipam_policies(IpamPolicyIds=[policy_id])

    settled(ask, "create-complete")
    ec2.modify_ipam_policy_allocation_rules(
        IpamPolicyId=policy_id,
        Locale=LOCALE,
        ResourceType="eip",
        AllocationRules=[{"SourceIpamPoolId": walk.made["contiguous"]}],
    )
    settled(ask, "modify-complete")
    ec2.get_ipam_policy_allocation_rules(IpamPolicyId=policy_id)
    ec2.enable_ipam_policy(IpamPolicyId=policy_id, OrganizationTargetId="r-fssg")
    ec2.get_ipam_policy_organization_targets(IpamPolicyId=policy_id)
    walk.client(MEMBER, HOME).get_enabled_ipam_policy()


def have_no_policy(walk: Walker) -> None:
    ec2, policy_id = walk.home, walk.made["policy"]
    ec2.disable_ipam_policy(IpamPolicyId=policy_id, OrganizationTargetId="r-fssg")
    ec2.modify_ipam_policy_allocation_rules(
        IpamPolicyId=policy_id, Locale=LOCALE, ResourceType="eip", AllocationRules=[]
    )
    ec2.delete_ipam_policy(IpamPolicyId=policy_id)
    gone(ec2.describe_ipam_policies)
