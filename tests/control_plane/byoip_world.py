"""What is brought along, over the context's own API: beside fakes, and at a time that tests set."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from cadastre.allocation.v1 import pool_cidr_pb2
from services.control_plane.server import control_plane
from services.control_plane.verification.claim import Claim, Proof
from services.control_plane.verification.verdict import Proven, Verdict
from shared.rpc.enums import aws_enum_name
from tests.control_plane.fake_public_space import FakeNetwork, FakePublicSpace
from tests.control_plane.world import ACCOUNT, HOME, WEST, Client, World, state
from tests.waiting import eventually

BYOIP = "cadastre.control.v1.ByoipService"
NOON = datetime(2030, 6, 15, 12, tzinfo=UTC)

SIGNATURE = "c2lnbmF0dXJl"
RANGE, IPV6_RANGE, ASN = "130.137.249.0/24", "2605:9cc0:409::/48", "12345"


def signed(subject: str, account_id: str = ACCOUNT, until: str = "20301231") -> dict[str, str]:
    """An authorization context of the form that the guide has; nobody looks at its signature."""
    message = f"1|aws|{account_id}|{subject}|{until}|SHA256|RSAPSS"
    return {"message": message, "signature": SIGNATURE}


class RoaExport:
    """What an RPKI validator has written, and writes again when it is told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.say()

    def say(self, *allowed: tuple[int, int], prefix: str = "130.137.244.0/23") -> None:
        """There are ROAs of the prefix for these ASNs, each with its maximum length."""
        roas = [
            {"asn": f"AS{asn}", "prefix": prefix, "maxLength": longest, "ta": "arin"}
            for asn, longest in allowed
        ]
        self.path.write_text(json.dumps({"roas": roas}))


class ScriptedVerifier:
    """Finds proven what no test says otherwise about."""

    def __init__(self) -> None:
        self.verdicts: dict[str, Verdict] = {}
        """By what is claimed."""
        self.asked: list[tuple[Claim, Proof]] = []
        self.most_at_once = 0
        self.meanwhile: Callable[[str], Awaitable[None]] = lambda _: asyncio.sleep(0)
        """What goes on while it verifies something: others have their turn, as they would."""
        self._at_once = 0

    async def verify(self, claim: Claim, proof: Proof) -> Verdict:
        self.asked.append((claim, proof))
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await self.meanwhile(claim.subject)
        self._at_once -= 1
        return self.verdicts.get(claim.subject, Proven())

    def count(self, subject: str) -> int:
        """How often it was asked about something."""
        return sum(claim.subject == subject for claim, _ in self.asked)


@dataclass
class Byoip:
    """A running context, and calls of its ByoipService."""

    world: World
    network: FakeNetwork
    verifier: ScriptedVerifier = field(default_factory=ScriptedVerifier)
    now: datetime = NOON
    client: Client = field(init=False)
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """The context, until the end of the block."""
        build = partial(control_plane, verifier=self.verifier, clock=lambda: self.now)
        async with self._running:
            self.client = await self._running.enter_async_context(self.world.serving(build))
            yield

    async def stop(self) -> None:
        """End the context, as a crash would."""
        await self._running.aclose()

    @property
    def space(self) -> FakePublicSpace:
        return self.world.ledger.public_space

    def pass_time(self, **time: float) -> None:
        self.now += timedelta(**time)

    async def __call__(
        self, rpc: str, account_id: str = ACCOUNT, region: str = HOME, **members: Any
    ) -> Any:
        return await self.client.acting_as(account_id, region).of(BYOIP, rpc, **members)

    async def a_regional_pool(self, ipam: Any = None, **members: Any) -> Any:
        """A public pool that EC2 has in the west, of an own new IPAM unless one is given."""
        ipam = ipam or await self.client.create_ipam()
        owner = self.client.acting_as(ipam.owner_id)
        wanted = {"locale": WEST, "aws_service": "ec2", **members}
        pool = await owner.create_pool(ipam.public_default_scope_id, **wanted)
        await self.is_told(pool.ipam_pool_id)
        return pool

    async def is_told(self, ipam_pool_id: str) -> None:
        """Once the ledger knows a pool."""

        async def is_known() -> bool:
            return ipam_pool_id in self.world.ledger.definitions

        await eventually(is_known)

    async def an_asn(self, ipam_id: str, asn: str = ASN, account_id: str = ACCOUNT) -> None:
        """An ASN that is provisioned to an IPAM."""
        await self(
            "ProvisionIpamByoasn",
            account_id,
            ipam_id=ipam_id,
            asn=asn,
            asn_authorization_context=signed(asn, account_id),
        )
        await eventually(partial(self._has_asn, asn, "provisioned", account_id))

    async def a_range(
        self, cidr: str = RANGE, account_id: str = ACCOUNT, region: str = WEST, **members: Any
    ) -> Any:
        """A range without an IPAM, once it is provisioned."""
        await self.bring(cidr, account_id, region, **members)
        wanted = "provisioned"
        if members.get("publicly_advertisable") is False:
            wanted = "provisioned-not-publicly-advertisable"
        return await self.cidr_in(cidr, wanted, account_id, region)

    async def bring(
        self, cidr: str = RANGE, account_id: str = ACCOUNT, region: str = WEST, **members: Any
    ) -> Any:
        members.setdefault("cidr_authorization_context", signed(cidr, account_id))
        answer = await self("ProvisionByoipCidr", account_id, region, cidr=cidr, **members)
        return answer.byoip_cidr

    async def cidrs(self, account_id: str = ACCOUNT, region: str = WEST) -> Mapping[str, Any]:
        answer = await self("DescribeByoipCidrs", account_id, region, max_results=100)
        return {found.cidr: found for found in answer.byoip_cidrs}

    async def cidr_in(
        self, cidr: str, wanted: str, account_id: str = ACCOUNT, region: str = WEST
    ) -> Any:
        """A CIDR, once it is in the state ``wanted``."""

        async def as_wanted() -> Any:
            found = (await self.cidrs(account_id, region)).get(cidr)
            return found if found is not None and state(found) == wanted else None

        return await eventually(as_wanted)

    async def asns(self, account_id: str = ACCOUNT) -> list[tuple[str, str, str]]:
        """ASN, state and status message of each."""
        found = (await self("DescribeIpamByoasn", account_id)).byoasns
        return [(one.asn, state(one), one.status_message) for one in found]

    async def move(
        self, pool: Any, account_id: str = ACCOUNT, cidr: str = RANGE, **members: Any
    ) -> Any:
        members = {"ipam_pool_owner": pool.owner_id, **members}
        answer = await self(
            "MoveByoipCidrToIpam",
            account_id,
            WEST,
            cidr=cidr,
            ipam_pool_id=pool.ipam_pool_id,
            **members,
        )
        return answer.byoip_cidr

    def pending(self, ipam_id: str, cidr: str = RANGE, token_id: str = "", **members: Any) -> str:
        """The id of a CIDR that waits in the ledger for proof of control, by a message or token."""
        requested_at = Timestamp()
        requested_at.FromDatetime(self.now)
        method = (
            pool_cidr_pb2.VERIFICATION_METHOD_DNS_TOKEN
            if token_id
            else pool_cidr_pb2.VERIFICATION_METHOD_REMARKS_X509
        )
        return self.space.wait_for(
            cidr=cidr,
            ipam_id=ipam_id,
            owner_id=ACCOUNT,
            verification_method=method,
            cidr_authorization_context=pool_cidr_pb2.IpamCidrAuthorizationContext(**signed(cidr)),
            ipam_external_resource_verification_token_id=token_id,
            requested_at=requested_at,
            **members,
        )

    async def concluded(self, pending_id: str) -> str:
        """Why a CIDR failed once it did; empty: it is provisioned."""

        async def is_concluded() -> bool:
            return pending_id in self.space.concluded

        await eventually(is_concluded)
        return self.space.concluded[pending_id]

    async def asked_about(self, subject: str, times: int) -> None:
        """Once the verifier was asked so often."""

        async def is_asked() -> bool:
            return self.verifier.count(subject) >= times

        await eventually(is_asked)

    async def _has_asn(self, asn: str, wanted: str, account_id: str) -> bool:
        return any(found[:2] == (asn, wanted) for found in await self.asns(account_id))


def associations(cidr: Any) -> dict[str, str]:
    """The ASNs of a CIDR with their states."""
    return {one.asn: state(one) for one in cidr.asn_associations}


def status(record: Any) -> str:
    """A token's status in AWS's word."""
    enum_type = record.DESCRIPTOR.fields_by_name["status"].enum_type
    return aws_enum_name(enum_type, record.status)
