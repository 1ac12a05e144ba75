"""Something of everything there is, for pages to show it."""

from collections.abc import Mapping
from typing import Any

from tests.acceptance.command_lines import BYOIP_OWNER, BYOIP_OWNER_ID, HOME, IPAM_ID, MANAGEMENT
from tests.acceptance.installation import Installation
from tests.acceptance.walk import brought, cloud, space, watching
from tests.acceptance.walk.walker import Walker, settled
from tests.registries import Registries
from tests.registries.signing import rsa_key
from tests.waiting import wait_until

_IGNORED = "192.168.77.0/24"


def settings_of(registries: Registries) -> Mapping[str, str]:
    """Settings of an installation in which `build_estate` can bring public space along."""
    return {
        "CADASTRE_RDAP_URL": registries.rdap_url,
        "CADASTRE_DNS_SERVERS": f'["{registries.dns_server}"]',
        "CADASTRE_VERIFICATION_RETRY_SECONDS": "0.2",
        "CADASTRE_DISCOVERY_INTERVAL_SECONDS": "1",
        "CADASTRE_DISCOVERY_COVERAGE_INTERVAL_SECONDS": "0.5",
    }


def build_estate(cadastre: Installation, registries: Registries) -> None:
    """Things of all kinds, in ipam-account, of us-east-1 and us-west-2; some in other accounts.

    In the end byoip-owner-account has an organization of its own.
    """
    walk, owner = Walker(cadastre), brought.Owner(registries, rsa_key())
    owner.record()
    space.delegate(walk)
    space.make_ipam(walk)
    space.make_scope(walk)
    space.make_pools(walk)
    space.allocate(walk)
    cloud.make_networks(walk)
    cloud.use_addresses(walk)
    cloud.keep_prefix_list(walk)
    watching.discover(walk)
    space.plan_the_vpc(walk)
    space.make_ipv6_pool(walk)
    watching.see_through_another(walk)
    watching.follow_by_prefix_list(walk)
    watching.have_a_policy(walk)
    brought.have_tokens(walk)
    brought.bring_a_range(walk, owner)
    brought.give_it_out(walk)
    brought.move_a_range(walk, owner)
    brought.bring_alone(walk, owner)
    _leave_to_be_answered(walk)
    _leave_unused(walk)


def _leave_to_be_answered(walk: Walker) -> None:
    """An invitation to ipam-account: only who is outside of its organization has to invite."""
    organizations = walk.cadastre.client(MANAGEMENT, HOME, service="organizations")
    organizations.remove_account_from_organization(AccountId=BYOIP_OWNER_ID)
    walk.cadastre.client(BYOIP_OWNER, HOME, service="organizations").create_organization()
    outsider = walk.client(BYOIP_OWNER, HOME)
    made = outsider.create_ipam_resource_discovery()["IpamResourceDiscovery"]
    settled(outsider.describe_ipam_resource_discoveries, "create-complete")
    walk.cadastre.client(BYOIP_OWNER, HOME, service="ram").create_resource_share(
        name="from outside",
        resourceArns=[made["IpamResourceDiscoveryArn"]],
        principals=[IPAM_ID],
        allowExternalPrincipals=True,
    )


def _leave_unused(walk: Walker) -> None:
    """An elastic IP that nothing has, and a VPC that isn't monitored."""
    walk.home.allocate_address()
    vpc = walk.home.create_vpc(CidrBlock=_IGNORED)["Vpc"]
    scope_id = walk.made["ipam"]["PrivateDefaultScopeId"]

    def found() -> Any:
        return walk.home.get_ipam_resource_cidrs(IpamScopeId=scope_id, ResourceId=vpc["VpcId"])[
            "IpamResourceCidrs"
        ]

    wait_until(found)
    walk.home.modify_ipam_resource_cidr(
        ResourceId=vpc["VpcId"],
        ResourceCidr=_IGNORED,
        ResourceRegion=HOME,
        CurrentIpamScopeId=scope_id,
        Monitored=False,
    )
