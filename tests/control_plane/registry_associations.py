"""Associations with internet registries in the words of their tests, at a time that tests set."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from services.control_plane.delegated_rpki.resources import Resources
from services.control_plane.server import control_plane
from shared.errors import CadastreError
from tests.control_plane.world import Client, World, state
from tests.registries.internet_registry import InternetRegistry, ParentResponse
from tests.waiting import eventually

REGISTRIES = "cadastre.control.v1.InternetRegistryService"
ROUTING_POLICIES = "cadastre.control.v1.RoutingPolicyService"
UNKNOWN = "ipam-internet-registry-assoc-00000000000000000"
HANDLE = "ORG-EX1-RIPE"
HELD = Resources.parse(asns="64496-64511,65551", ipv4="192.0.2.0/24", ipv6="2001:db8::/32")


@dataclass
class Clock:
    """The time of registry and context, which passes when a test has it pass."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **time: float) -> None:
        self.now += timedelta(**time)


@asynccontextmanager
async def serving(world: World, clock: Callable[[], datetime]) -> AsyncIterator[Client]:
    """A client of a server that ends with the block."""
    async with world.serving(partial(control_plane, clock=clock)) as client:
        yield client


async def refusal_of(call: Any) -> CadastreError:
    with pytest.raises(CadastreError) as refusal:
        await call
    return refusal.value


class Associations:
    """An account's view of associations in a region."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def __call__(self, rpc: str, **members: Any) -> Any:
        return await self.client.of(REGISTRIES, rpc, **members)

    async def create(self, ipam: Any, **members: Any) -> Any:
        wanted = {"rir": "ripe", "organization_handle": HANDLE, **members}
        answer = await self("CreateIpamInternetRegistryAssociation", ipam_id=ipam.ipam_id, **wanted)
        return answer.ipam_internet_registry_association

    async def pending(self, ipam: Any, **members: Any) -> Any:
        """A new one that waits for the registry's response."""
        made = await self.create(ipam, **members)
        return await self.settled(id_of(made), "pending-enable")

    async def enable(self, association_id: str, response: ParentResponse, **members: Any) -> Any:
        answer = await self(
            "EnableIpamInternetRegistryAssociation",
            ipam_internet_registry_association_id=association_id,
            **{**vars(response), **members},
        )
        return answer.ipam_internet_registry_association

    async def enabled(
        self, ipam: Any, rir: InternetRegistry, resources: Resources = HELD, **members: Any
    ) -> tuple[str, ParentResponse]:
        """A new one that the registry has certified: its id, and what the registry responded."""
        pending = await self.pending(ipam, **members)
        response = rir.admit(pending.child_request_xml, resources)
        await self.enable(id_of(pending), response)
        await self.settled(id_of(pending), "enable-complete")
        return id_of(pending), response

    async def delete(self, association_id: str, **members: Any) -> Any:
        answer = await self(
            "DeleteIpamInternetRegistryAssociation",
            ipam_internet_registry_association_id=association_id,
            **members,
        )
        return answer.ipam_internet_registry_association

    async def one(self, association_id: str) -> Any:
        [found] = await self.seen(ipam_internet_registry_association_ids=[association_id])
        return found

    async def seen(self, **members: Any) -> list[Any]:
        answer = await self("DescribeIpamInternetRegistryAssociations", **members)
        return list(answer.ipam_internet_registry_associations)

    async def settled(self, association_id: str, wanted: str) -> Any:
        """The association, once it is in the state ``wanted``."""

        async def as_wanted() -> Any:
            found = await self.one(association_id)
            return found if state(found) == wanted else None

        return await eventually(as_wanted)

    async def says(self, association_id: str, what: str) -> str:
        """Its message, once it has these words; empty words: once there is none."""

        async def as_wanted() -> Any:
            found = await self.one(association_id)
            message = found.state_message if found.HasField("state_message") else ""
            return (message,) if (what in message if what else not message) else None

        [message] = await eventually(as_wanted)
        return str(message)

    async def gone(self, association_id: str) -> None:
        """Once there is no such association any more."""

        async def is_gone() -> bool:
            return association_id not in map(id_of, await self.seen())

        await eventually(is_gone)

    async def asns(self, association_id: str, **members: Any) -> list[int]:
        answer = await self._certified("Asns", association_id, **members)
        return [int(one.asn) for one in answer.ipam_internet_registry_association_asns]

    async def cidrs(self, association_id: str, **members: Any) -> list[str]:
        answer = await self._certified("Cidrs", association_id, **members)
        return [one.cidr for one in answer.ipam_internet_registry_association_cidrs]

    async def holds(self, association_id: str, cidrs: list[str]) -> None:
        """Once these are the CIDRs that the registry certified last."""

        async def are_they() -> bool:
            return await self.cidrs(association_id) == cidrs

        await eventually(are_they)

    async def roas(self, association_id: str) -> list[tuple[str, str]]:
        """What is published: CIDR and ASN."""
        answer = await self(
            "GetIpamRouteOriginAuthorizations", ipam_internet_registry_association_id=association_id
        )
        return [(one.cidr, one.asn) for one in answer.ipam_route_origin_authorizations]

    async def register(self, association_id: str, cidr: str, asn: str) -> None:
        await self.client.of(
            ROUTING_POLICIES,
            "CreateIpamRoutingPolicyRegistration",
            ipam_internet_registry_association_id=association_id,
            cidr=cidr,
            asns=[asn],
        )

    async def registrations(self, association_id: str) -> dict[str, str]:
        """CIDRs with the states of their registrations."""
        answer = await self.client.of(
            ROUTING_POLICIES,
            "GetIpamRoutingPolicyRegistrations",
            ipam_internet_registry_association_id=association_id,
        )
        return {one.cidr: state(one) for one in answer.ipam_routing_policy_registrations}

    async def _certified(self, what: str, association_id: str, **members: Any) -> Any:
        return await self(
            f"GetIpamInternetRegistryAssociation{what}",
            ipam_internet_registry_association_id=association_id,
            **members,
        )


def id_of(association: Any) -> str:
    return str(association.ipam_internet_registry_association_id)
