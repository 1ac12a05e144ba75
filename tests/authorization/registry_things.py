"""An association with an internet registry, and what is registered in it."""

from collections.abc import Mapping
from typing import Any

from tests.authorization.installation import Installation
from tests.authorization.services import REGISTRIES, ROUTING_POLICIES
from tests.waiting import eventually

REGISTERED_CIDR = "198.18.0.0/16"


async def a_registry_association(
    it: Installation, account_id: str, ipam_id: str, tags: Mapping[str, Any]
) -> str:
    """Its id, once it waits for the registry's answer."""
    made = await it.do(
        account_id,
        f"{REGISTRIES}/CreateIpamInternetRegistryAssociation",
        ipam_id=ipam_id,
        rir="RIR_RIPE",
        organization_handle="ORG-EX1-RIPE",
        **tags,
    )
    association = made.ipam_internet_registry_association
    association_id: str = association.ipam_internet_registry_association_id

    async def waits() -> bool:
        answer = await it.do(account_id, f"{REGISTRIES}/DescribeIpamInternetRegistryAssociations")
        [found] = answer.ipam_internet_registry_associations
        return bool(found.child_request_xml)

    await eventually(waits)
    await it.do(
        account_id,
        f"{ROUTING_POLICIES}/CreateIpamRoutingPolicyRegistration",
        ipam_internet_registry_association_id=association_id,
        cidr=REGISTERED_CIDR,
        asns=["64496"],
    )
    return association_id
