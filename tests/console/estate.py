"""Something of everything there is, for pages to show it."""

from collections.abc import Mapping

from tests.acceptance.installation import Installation
from tests.acceptance.walk import brought, cloud, space, watching
from tests.acceptance.walk.walker import Walker
from tests.registries import Registries
from tests.registries.signing import rsa_key


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
    """Things of all kinds, in ipam-account, of us-east-1 and us-west-2; some in other accounts."""
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
