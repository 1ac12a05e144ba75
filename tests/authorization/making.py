"""Everything that the table's requests are about, made through the API by those who may."""

from typing import Any

from tests.authorization.callers import (
    ABROAD,
    ADMINISTRATOR,
    DISCOVERER,
    HOME,
    MANAGER,
    OUTSIDER,
    OWNER,
    USER,
)
from tests.authorization.founding import a_user, an_organization
from tests.authorization.installation import Installation
from tests.authorization.network_things import network_things
from tests.authorization.pools import a_pool
from tests.authorization.registry_things import a_registry_association
from tests.authorization.resolver_things import resolver_things
from tests.authorization.services import (
    ALLOCATION,
    BYOIP,
    CONTROL,
    DISCOVERIES,
    IPV4,
    NETWORK,
    PLACEMENT,
    POLICIES,
    SUBNETS,
)
from tests.authorization.shares import shares, users_things
from tests.authorization.things import Own, Things
from tests.authorization.world import SECRETS, World

TOP_CIDR, POOL_CIDR, SPARE_CIDR = "10.0.0.0/8", "10.1.0.0/16", "10.2.0.0/24"
ALLOCATED_CIDR, HELD_CIDR = "10.1.1.0/24", "10.1.2.0/24"


async def a_world(it: Installation) -> World:
    """What each caller has of its own is made last, so that feeds tell it last."""
    accounts = {
        OUTSIDER: "210987654321",
        OWNER: "345678901234",
        DISCOVERER: "456789012345",
        MANAGER: "567890123456",
    }
    organization = await an_organization(it, accounts)
    entity_path = "{organization_id}/{root_id}/{unit_id}/".format(**organization)
    owners = await _things(it, accounts[OWNER], SECRETS[OWNER])
    its = await _things(it, accounts[ADMINISTRATOR], SECRETS[ADMINISTRATOR])
    await it.do(
        its.account_id,
        f"{DISCOVERIES}/ModifyIpamResourceDiscovery",
        ipam_resource_discovery_id=its.resource_discovery_id,
        add_organizational_unit_exclusions=[{"organizations_entity_path": entity_path}],
    )
    its = its.with_ids(
        {
            **organization,
            **await shares(it, its, accounts),
            **await users_things(it, its, accounts[USER]),
            **await a_user(it, its.account_id),
        }
    )
    things = {OWNER: owners, ADMINISTRATOR: its}
    own = {
        caller: await _own(it, account_id, things.get(caller))
        for caller, account_id in accounts.items()
    }
    own[ABROAD], accounts[ABROAD] = own[ADMINISTRATOR], accounts[ADMINISTRATOR]
    return World(accounts, things, own)


async def _things(it: Installation, account_id: str, secret: str) -> Things:
    """An IPAM with all that it may have, and a VPC; ``secret`` is in all that can hold it."""

    def tagged(kind: str) -> dict[str, Any]:
        tags = [{"key": "note", "value": secret}]
        return {"tag_specifications": [{"resource_type": kind, "tags": tags}]}

    async def do(path: str, **members: Any) -> Any:
        return await it.do(account_id, path, **members)

    async def pool(cidr: str, **members: Any) -> str:
        members |= {"ipam_scope_id": ipam.private_default_scope_id, "address_family": IPV4}
        made = await do(f"{CONTROL}/CreateIpamPool", **members, **tagged("ipam-pool"))
        pool_id: str = made.ipam_pool.ipam_pool_id
        await do(f"{ALLOCATION}/ProvisionIpamPoolCidr", ipam_pool_id=pool_id, cidr=cidr)
        return pool_id

    ipam = (await do(f"{CONTROL}/CreateIpam", description=secret, **tagged("ipam"))).ipam
    scope = await do(
        f"{CONTROL}/CreateIpamScope",
        ipam_id=ipam.ipam_id,
        description=secret,
        **tagged("ipam-scope"),
    )
    top = await pool(TOP_CIDR, description=secret)
    child = await pool(POOL_CIDR, source_ipam_pool_id=top, locale=HOME)
    spare = await pool(SPARE_CIDR, source_ipam_pool_id=top, description=secret)
    allocated = await do(
        f"{ALLOCATION}/AllocateIpamPoolCidr",
        ipam_pool_id=child,
        cidr=ALLOCATED_CIDR,
        description=secret,
    )
    held = await do(f"{PLACEMENT}/HoldIpamPoolCidr", ipam_pool_id=child, cidr=HELD_CIDR)
    made = await do(
        f"{DISCOVERIES}/CreateIpamResourceDiscovery", **tagged("ipam-resource-discovery")
    )
    discovery_id = made.ipam_resource_discovery.ipam_resource_discovery_id
    associated = await do(
        f"{DISCOVERIES}/AssociateIpamResourceDiscovery",
        ipam_id=ipam.ipam_id,
        ipam_resource_discovery_id=discovery_id,
        **tagged("ipam-resource-discovery-association"),
    )
    association = associated.ipam_resource_discovery_association
    vpc = (await do(f"{NETWORK}/CreateVpc", cidr_block="172.16.0.0/16", **tagged("vpc"))).vpc
    second = await do(
        f"{NETWORK}/AssociateVpcCidrBlock", vpc_id=vpc.vpc_id, cidr_block="172.17.0.0/16"
    )
    policy = await do(f"{POLICIES}/CreateIpamPolicy", ipam_id=ipam.ipam_id, **tagged("ipam-policy"))
    token = await do(
        f"{BYOIP}/CreateIpamExternalResourceVerificationToken",
        ipam_id=ipam.ipam_id,
        **tagged("ipam-external-resource-verification-token"),
    )
    registry_association_id = await a_registry_association(
        it, account_id, ipam.ipam_id, tagged("ipam-internet-registry-association")
    )
    its = Things(
        registry_association_id=registry_association_id,
        verification_token_id=token.ipam_external_resource_verification_token.ipam_external_resource_verification_token_id,
        account_id=account_id,
        ipam_id=ipam.ipam_id,
        ipam_scope_id=ipam.private_default_scope_id,
        default_resource_discovery_id=ipam.default_resource_discovery_id,
        spare_scope_id=scope.ipam_scope.ipam_scope_id,
        top_pool_id=top,
        ipam_pool_id=child,
        spare_pool_id=spare,
        allocation_id=allocated.ipam_pool_allocation.ipam_pool_allocation_id,
        ipam_policy_id=policy.ipam_policy.ipam_policy_id,
        hold_id=held.ipam_pool_hold.ipam_pool_hold_id,
        resource_discovery_id=discovery_id,
        association_id=association.ipam_resource_discovery_association_id,
        vpc_id=vpc.vpc_id,
        vpc_association_id=second.cidr_block_association.association_id,
    )
    return its.with_ids(
        {
            **await network_things(it, account_id, secret),
            **await resolver_things(it, account_id, secret, ipam.ipam_id),
        }
    )


async def _own(it: Installation, account_id: str, its: Things | None) -> Own:
    """An IPAM, unless it has ``its`` already, with one more pool; and a VPC."""
    if its:
        ids = (its.ipam_id, its.ipam_scope_id, its.default_resource_discovery_id)
    else:
        ipam = (await it.do(account_id, f"{CONTROL}/CreateIpam")).ipam
        ids = (ipam.ipam_id, ipam.private_default_scope_id, ipam.default_resource_discovery_id)
    vpc = (await it.do(account_id, f"{NETWORK}/CreateVpc", cidr_block="192.168.0.0/16")).vpc
    made = await it.do(
        account_id, f"{SUBNETS}/CreateSubnet", vpc_id=vpc.vpc_id, cidr_block="192.168.0.0/24"
    )
    ipam_id, scope_id, discovery_id = ids
    return Own(
        ipam_id=ipam_id,
        ipam_scope_id=scope_id,
        default_resource_discovery_id=discovery_id,
        ipam_pool_id=await a_pool(it, account_id, scope_id, "192.168.0.0/16"),
        vpc_id=vpc.vpc_id,
        subnet_id=made.subnet.subnet_id,
    )
