"""Routing policy registrations over the context's own API, below a local internet registry."""

import json
from dataclasses import dataclass
from typing import Any

from services.control_plane.delegated_rpki.resources import Resources
from tests.control_plane.world import Client, state
from tests.registries.internet_registry import InternetRegistry, ParentResponse
from tests.waiting import eventually

POLICIES = "cadastre.control.v1.RoutingPolicyService"
REGISTRIES = "cadastre.control.v1.InternetRegistryService"

HELD = Resources.parse(asns="64496-64511", ipv4="10.0.0.0/8,192.0.2.0/24", ipv6="2001:db8::/32")

Roa = tuple[str, str, int]
"""CIDR, ASN and maximum length."""


@dataclass
class Policies:
    """Calls about one association's registrations."""

    client: Client
    association_id: str

    async def __call__(self, rpc: str, *, service: str = POLICIES, **members: Any) -> Any:
        members.setdefault("ipam_internet_registry_association_id", self.association_id)
        return await self.client.of(service, rpc, **members)

    async def create(self, cidr: str, *asns: str, **members: Any) -> Any:
        """The delta."""
        answer = await self("CreateIpamRoutingPolicyRegistration", cidr=cidr, asns=asns, **members)
        return answer.ipam_routing_policy_registration_delta

    async def modify(self, cidr: str, *asns: str, **members: Any) -> Any:
        """The delta."""
        answer = await self("ModifyIpamRoutingPolicyRegistration", cidr=cidr, asns=asns, **members)
        return answer.ipam_routing_policy_registration_delta

    async def delete(self, cidr: str, **members: Any) -> Any:
        """The delta."""
        answer = await self("DeleteIpamRoutingPolicyRegistration", cidr=cidr, **members)
        return answer.ipam_routing_policy_registration_delta

    async def batch(self, delta: dict[str, Any], **members: Any) -> Any:
        """The delta."""
        answer = await self(
            "BatchModifyIpamRoutingPolicyRegistrations", delta_json=json.dumps(delta), **members
        )
        return answer.ipam_routing_policy_registration_delta

    async def registrations(self, **members: Any) -> list[Any]:
        answer = await self("GetIpamRoutingPolicyRegistrations", **members)
        return list(answer.ipam_routing_policy_registrations)

    async def states(self) -> dict[str, str]:
        """By CIDR."""
        return {one.cidr: state(one) for one in await self.registrations()}

    async def are(self, **states: str) -> None:
        """Once the registrations are in these states: ``are(**{"10.0.0.0/16": "…"})``."""

        async def are_they() -> bool:
            return await self.states() == states

        await eventually(are_they)

    async def deltas(self, **members: Any) -> list[Any]:
        answer = await self("GetIpamRoutingPolicyRegistrationDeltas", **members)
        return list(answer.ipam_routing_policy_registration_deltas)

    async def settled(self) -> list[tuple[str, str]]:
        """States and messages of all deltas, once none is pending any more."""

        found: list[tuple[str, str]] = []

        async def have_ended() -> bool:
            found[:] = [(state(one), one.state_message) for one in await self.deltas()]
            return "pending" not in {name for name, _ in found}

        await eventually(have_ended)
        return found

    async def roas(self, **members: Any) -> list[Roa]:
        """What is published."""
        rpc = "GetIpamRouteOriginAuthorizations"
        answer = await self(rpc, service=REGISTRIES, **members)
        return [
            (one.cidr, one.asn, one.max_length) for one in answer.ipam_route_origin_authorizations
        ]

    async def association(self) -> Any:
        answer = await self.client.of(
            REGISTRIES,
            "DescribeIpamInternetRegistryAssociations",
            ipam_internet_registry_association_ids=[self.association_id],
        )
        [association] = answer.ipam_internet_registry_associations
        return association

    async def is_in(self, wanted: str) -> Any:
        """The association, once it is in this state."""

        async def as_wanted() -> Any:
            found = await self.association()
            return found if state(found) == wanted else None

        return await eventually(as_wanted)

    async def admitted(
        self, registry: InternetRegistry, resources: Resources = HELD
    ) -> ParentResponse:
        """What the registry answers to the child request."""
        association = await self.is_in("pending-enable")
        return registry.admit(association.child_request_xml, resources)

    async def enable(self, registry: InternetRegistry, resources: Resources = HELD) -> str:
        """Have the registry certify these: what it calls the association."""
        response = await self.admitted(registry, resources)
        await self("EnableIpamInternetRegistryAssociation", service=REGISTRIES, **vars(response))
        await self.is_in("enable-complete")
        return response.child_handle


async def an_association(client: Client, ipam: Any = None) -> Policies:
    """An association that waits to be enabled, of a new IPAM unless one is given."""
    ipam = ipam or await client.create_ipam()
    answer = await client.of(
        REGISTRIES,
        "CreateIpamInternetRegistryAssociation",
        ipam_id=ipam.ipam_id,
        rir="ripe",
        organization_handle="ORG-EX1-RIPE",
    )
    found = answer.ipam_internet_registry_association
    policies = Policies(client, found.ipam_internet_registry_association_id)
    await policies.is_in("pending-enable")
    return policies
