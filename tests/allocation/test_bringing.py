"""Ranges that accounts bring to their IPAMs, and what waits for proof (PROV-6, PROV-7)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from shared.errors import CadastreError
from shared.identity import TokenSigner, create_secret
from shared.rpc.client import Remote
from shared.settings import Settings
from tests.acceptance.installation import free_base_port
from tests.allocation.test_check_ledger import check
from tests.allocation.world import PUBLIC, SIGNED, STRANGER, World, serving, word
from tests.postgres import DIALECTS
from tests.service_process import ServiceProcess
from tests.waiting import PATIENCE_SECONDS

RANGE, INSIDE, OTHER = "130.137.245.0/24", "130.137.245.0/25", "130.137.246.0/24"
TOKEN = {
    "verification_method": "VERIFICATION_METHOD_DNS_TOKEN",
    "ipam_external_resource_verification_token_id": "ipam-ext-res-ver-token-1",
}
COVERED = {
    "cidr_authorization_context": {
        "message": "CoveredByInternetRegistryAssociation",
        "signature": "",
    }
}
VALUE = "InvalidParameterValue"
IPV6 = {"address_family": "ipv6"}


class Waiting:
    """What a follower is told that waits."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self._came = asyncio.Condition()

    async def hear(self, responses: AsyncIterator[Any]) -> None:
        async for response in responses:
            async with self._came:
                self.told.append(response.pending_cidr)
                self._came.notify_all()

    async def until(self, count: int) -> list[Any]:
        async with asyncio.timeout(PATIENCE_SECONDS), self._came:
            await self._came.wait_for(lambda: len(self.told) >= count)
        return self.told


@asynccontextmanager
async def following(world: World) -> AsyncIterator[Waiting]:
    waiting = Waiting()
    stream = world.control_plane.stream("WatchPendingCidrs")
    task = asyncio.create_task(waiting.hear(stream))
    try:
        yield waiting
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def listed(world: World, pool: str, **members: Any) -> list[tuple[str, str, str]]:
    answer = await world.owner("GetIpamPoolCidrs", ipam_pool_id=pool, **members)
    return [(c.cidr, word(c, "state"), c.failure_reason.message) for c in answer.ipam_pool_cidrs]


async def refusal_of(call: Any) -> CadastreError:
    with pytest.raises(CadastreError) as refusal:
        await call
    return refusal.value


async def stranger_pool(world: World) -> str:
    return await world.public_pool(owner_id=STRANGER, ipam_scope_id="ipam-scope-0000000000000000b")


async def test_a_range_is_the_pools_once_control_is_proven(world: World) -> None:  # PROV-6, PROV-7
    pool = await world.public_pool()
    asked = await world.bring(pool, RANGE)
    assert (asked.cidr, word(asked, "state")) == (RANGE, "pending-provision")
    assert asked.netmask_length == 24
    assert await listed(world, pool) == [(RANGE, "pending-provision", "")]
    assert (await world.usage(pool)).cidr_count == 0
    refusal = await refusal_of(world.allocate(pool, netmask_length=28))
    assert refusal.reason == "InsufficientCidrSpace"
    for _ in range(2):
        await world.conclude(asked)
    answer = await world.owner("GetIpamPoolCidrs", ipam_pool_id=pool)
    [found] = answer.ipam_pool_cidrs
    assert (found.ipam_pool_cidr_id, word(found, "state")) == (
        asked.ipam_pool_cidr_id,
        "provisioned",
    )
    assert (await world.allocate(pool, netmask_length=28)).cidr == "130.137.245.0/28"
    assert (await check(world)).findings == []


async def test_what_is_not_proven_tells_why_until_it_is_taken_away(world: World) -> None:  # PROV-7
    pool = await world.public_pool()
    asked = await world.bring(pool, RANGE)
    await world.conclude(asked, "no TXT record at 245.137.130.in-addr.arpa")
    # What failed does not wait, so this comes too late.
    await world.conclude(asked)
    failed = [(RANGE, "failed-provision", "no TXT record at 245.137.130.in-addr.arpa")]
    assert await listed(world, pool) == failed
    again = await world.bring(pool, RANGE)
    assert again.ipam_pool_cidr_id != asked.ipam_pool_cidr_id
    assert await listed(world, pool) == [(RANGE, "pending-provision", "")]
    await world.conclude(again, "expired")
    gone = await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool, cidr=RANGE)
    assert word(gone.ipam_pool_cidr, "state") == "pending-deprovision"
    assert await listed(world, pool) == []


async def test_what_waits_can_be_taken_away(world: World) -> None:
    pool = await world.public_pool()
    asked = await world.bring(pool, RANGE)
    await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool)
    await world.conclude(asked)
    assert await listed(world, pool) == []
    await world.bring(pool, RANGE)
    await world.proven(pool, OTHER)
    refusal = await refusal_of(world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool))
    assert refusal.reason == "MissingParameter"
    assert f"{RANGE}, {OTHER}" in refusal.message
    await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool, cidr=RANGE)
    assert await listed(world, pool) == [(OTHER, "provisioned", "")]


async def test_asked_again_a_range_waits_under_its_new_proof(world: World) -> None:  # PROV-6
    pool = await world.public_pool()
    async with following(world) as waiting:
        first = await world.bring(pool, RANGE)
        again = await world.provision(pool, cidr=RANGE, **TOKEN)
        assert again.ipam_pool_cidr_id == first.ipam_pool_cidr_id
        await waiting.until(2)
        await world.provision(pool, cidr=RANGE, **COVERED)
        told = await waiting.until(3)
    signed, by_token, covered = told
    assert (signed.cidr, signed.ipam_pool_id) == (RANGE, pool)
    assert (signed.owner_id, signed.ipam_id) == ("123456789012", "ipam-00000000000000001")
    assert word(signed, "verification_method") == "remarks-x509"
    assert signed.cidr_authorization_context.signature == "signed"
    assert signed.requested_at.ToDatetime().year >= 2026
    assert word(by_token, "verification_method") == "dns-token"
    assert by_token.ipam_external_resource_verification_token_id == "ipam-ext-res-ver-token-1"
    assert not by_token.HasField("cidr_authorization_context")
    assert covered.cidr_authorization_context.message == "CoveredByInternetRegistryAssociation"
    assert covered.cidr_authorization_context.signature == ""
    assert await listed(world, pool) == [(RANGE, "pending-provision", "")]


async def test_a_client_token_is_answered_as_it_was(world: World) -> None:  # ALLOC-7
    pool = await world.public_pool()
    first = await world.bring(pool, RANGE, client_token="t")
    await world.conclude(first)
    assert await world.bring(pool, RANGE, client_token="t") == first
    refusal = await refusal_of(world.bring(pool, OTHER, client_token="t"))
    assert refusal.reason == "IdempotentParameterMismatch"


@pytest.mark.parametrize(
    ("definition", "members", "reason", "says"),
    [
        pytest.param(
            {}, {"netmask_length": 24, **SIGNED}, "MissingParameter", "named", id="length"
        ),
        pytest.param({}, {"cidr": RANGE}, "MissingParameter", "Authorization", id="no proof"),
        pytest.param(
            {},
            {"cidr": RANGE, **SIGNED, **TOKEN},
            "InvalidParameterCombination",
            "remarks-x509",
            id="both proofs",
        ),
        pytest.param({}, {"cidr": INSIDE, **SIGNED}, VALUE, "/24 or wider", id="too specific"),
        pytest.param({}, {"cidr": "10.0.0.0/24", **SIGNED}, VALUE, "private use", id="private"),
        pytest.param({}, {"cidr": "198.18.0.0/24", **SIGNED}, VALUE, "benchmark", id="benchmark"),
        pytest.param({}, {"cidr": "2605:9cc0::/48", **SIGNED}, VALUE, "ipv4", id="other family"),
        pytest.param(
            IPV6, {"cidr": "2605:9cc0::/61", **SIGNED}, VALUE, "/60 or wider", id="IPv6 at home"
        ),
        pytest.param(
            {**IPV6, "publicly_advertisable": True},
            {"cidr": "2605:9cc0::/49", **SIGNED},
            VALUE,
            "/48 or wider",
            id="IPv6 advertised",
        ),
        pytest.param({}, {"cidr": "131.0.1.0/24", **SIGNED}, VALUE, "131.0.0.0/16", id="taken"),
        pytest.param({}, {"cidr": "131.0.0.0/15", **SIGNED}, VALUE, "131.0.0.0/16", id="around"),
        pytest.param(
            {"cidr_quota": 0},
            {"cidr": RANGE, **SIGNED},
            "IpamPoolCidrLimitExceeded",
            "0",
            id="quota",
        ),
    ],
)
async def test_a_range_is_refused_precisely(
    world: World, definition: dict[str, Any], members: dict[str, Any], reason: str, says: str
) -> None:  # PROV-6
    await world.proven(await world.public_pool(), "131.0.0.0/16")
    pool = await world.public_pool(**definition)
    refusal = await refusal_of(world.provision(pool, **members))
    assert (refusal.reason, says in refusal.message) == (reason, True), refusal.message
    assert await listed(world, pool) == []


async def test_amazons_ranges_are_nobodys_to_bring(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:  # PROV-6
    monkeypatch.setenv("CADASTRE_BYOIP_RESERVED_RANGES_ALLOWED", "true")
    async with serving(settings) as world:
        pool = await world.public_pool()
        refusal = await refusal_of(world.bring(pool, "198.18.5.0/24"))
        assert (refusal.reason, "a range that Amazon has" in refusal.message) == (VALUE, True)
        [found] = await world.proven(pool, "203.0.113.0/24")
        assert found.cidr == "203.0.113.0/24"


async def test_a_proof_that_failed_says_nothing_about_one_offered_since(world: World) -> None:
    pool = await world.public_pool()
    async with following(world) as waiting:
        asked = await world.bring(pool, RANGE)
        await waiting.until(1)
        await world.bring(pool, RANGE)
        first, second = await waiting.until(2)
    await world.conclude(asked, "not proven", requested_at=first.requested_at)
    assert await listed(world, pool) == [(RANGE, "pending-provision", "")]
    await world.conclude(asked, "not proven", requested_at=second.requested_at)
    assert await listed(world, pool) == [(RANGE, "failed-provision", "not proven")]


async def test_what_waits_counts_for_the_quota(world: World) -> None:  # POOL-2
    pool = await world.public_pool(cidr_quota=2)
    first = await world.bring(pool, RANGE)
    await world.proven(pool, OTHER)
    refusal = await refusal_of(world.bring(pool, "131.0.0.0/24"))
    assert refusal.reason == "IpamPoolCidrLimitExceeded"
    await world.bring(pool, RANGE)
    await world.conclude(first, "not proven")
    await world.bring(pool, "131.0.0.0/24")


async def test_of_two_accounts_that_prove_control_the_first_gets_the_range(
    world: World,
) -> None:  # PROV-6, BEY-12
    mine, theirs = await world.public_pool(), await stranger_pool(world)
    asked = await world.bring(mine, RANGE)
    other = await world.stranger("ProvisionIpamPoolCidr", ipam_pool_id=theirs, cidr=RANGE, **SIGNED)
    await world.conclude(other.ipam_pool_cidr)
    await world.conclude(asked)
    answer = await world.owner("GetIpamPoolCidrs", ipam_pool_id=mine)
    [failed] = answer.ipam_pool_cidrs
    assert word(failed, "state") == "failed-provision"
    assert word(failed.failure_reason, "code") == "cidr-not-available"
    assert "another account" in failed.failure_reason.message
    assert theirs not in failed.failure_reason.message
    refusal = await refusal_of(world.bring(mine, RANGE))
    assert "another account" in refusal.message
    # Nor is it told which part of a wider range others have (BEY-12).
    for dry_run in (False, True):
        refusal = await refusal_of(world.bring(mine, "130.137.0.0/16", dry_run=dry_run))
        assert "another account" in refusal.message
        assert RANGE not in f"{refusal.message} {refusal.metadata}"
    assert (await check(world)).findings == []


async def test_a_quota_that_shrank_meanwhile_fails_a_range(world: World) -> None:  # POOL-2
    pool = await world.public_pool(cidr_quota=2)
    asked = await world.bring(pool, RANGE)
    await world.proven(pool, OTHER)
    await world.public_pool(pool_id=pool, version=2, cidr_quota=1)
    await world.conclude(asked)
    answer = await world.owner("GetIpamPoolCidrs", ipam_pool_id=pool)
    failed = answer.ipam_pool_cidrs[0]
    assert word(failed.failure_reason, "code") == "limit-exceeded"


@pytest.mark.parametrize("database_url", DIALECTS[1:], indirect=True)
async def test_raced_from_two_replicas_one_account_gets_a_range(settings: Settings) -> None:
    """PROV-6, SCP-1"""
    async with serving(settings) as one, serving(settings) as other:
        mine, theirs = await one.public_pool(), await stranger_pool(one)
        for number in range(5):
            cidr = f"130.{number}.0.0/16"
            inside = f"130.{number}.1.0/24"
            asked = await one.bring(mine, cidr)
            answer = await other.stranger(
                "ProvisionIpamPoolCidr", ipam_pool_id=theirs, cidr=inside, **SIGNED
            )
            await asyncio.gather(one.conclude(asked), other.conclude(answer.ipam_pool_cidr))
            seen = [*await listed(one, mine)]
            there = await other.stranger("GetIpamPoolCidrs", ipam_pool_id=theirs)
            states = [state for found, state, _ in seen if found == cidr]
            states += [word(c, "state") for c in there.ipam_pool_cidrs if c.cidr == inside]
            assert sorted(states) == ["failed-provision", "provisioned"]
        assert (await check(one)).findings == []


async def test_what_waits_is_told_from_the_beginning_and_as_it_comes(world: World) -> None:
    """PROV-6"""
    pool = await world.public_pool()
    before = await world.bring(pool, RANGE)
    failed = await world.bring(pool, "131.0.0.0/24")
    await world.conclude(failed, "expired")
    await world.proven(pool, "131.0.1.0/24")
    async with following(world) as waiting:
        await waiting.until(1)
        after = await world.bring(pool, OTHER)
        told = await waiting.until(2)
    assert [one.ipam_pool_cidr_id for one in told] == [
        before.ipam_pool_cidr_id,
        after.ipam_pool_cidr_id,
    ]


@pytest.mark.parametrize("database_url", DIALECTS[1:], indirect=True)
async def test_what_another_replica_accepted_is_told_as_well(settings: Settings) -> None:
    """PROV-6"""
    async with serving(settings) as one, serving(settings) as other:
        pool = await one.public_pool()
        async with following(other) as waiting:
            wanted = [f"130.137.{number}.0/24" for number in range(20)]
            await asyncio.gather(*(one.bring(pool, cidr) for cidr in wanted))
            told = await waiting.until(20)
        assert sorted(found.cidr for found in told) == sorted(wanted)


async def test_pages_and_filters_know_what_waits(world: World) -> None:  # BEY-6
    pool = await world.public_pool()
    cidrs = [f"130.137.{number}.0/24" for number in range(10, 22)]
    found = [await world.bring(pool, cidr) for cidr in cidrs]
    for asked in found[::3]:
        await world.conclude(asked)
    for asked in found[1::3]:
        await world.conclude(asked, "expired")
    await world.owner("DeprovisionIpamPoolCidr", ipam_pool_id=pool, cidr=cidrs[0])
    # It had this one, and wants it again: one record, so that no page ends between two.
    await world.bring(pool, cidrs[0])
    seen, token = [], ""
    while True:
        page = await world.owner(
            "GetIpamPoolCidrs", ipam_pool_id=pool, max_results=5, next_token=token or None
        )
        assert len(page.ipam_pool_cidrs) <= 5
        seen += page.ipam_pool_cidrs
        token = page.next_token
        if not token:
            break
    assert [one.cidr for one in seen] == cidrs
    wants = {"name": "state", "values": ["failed-provision"]}
    failed = await listed(world, pool, filters=[wants])
    assert [cidr for cidr, _, _ in failed] == cidrs[1::3]


async def test_a_retired_pool_wants_nothing_any_more(world: World) -> None:
    pool = await world.public_pool()
    asked = await world.bring(pool, RANGE)
    refusal = await refusal_of(world.control_plane("RetireIpamPool", ipam_pool_id=pool))
    assert (refusal.reason, RANGE in refusal.message) == ("DependencyViolation", True)  # POOL-7
    await world.control_plane("RetireIpamPool", ipam_pool_id=pool, cascade=True)
    await world.conclude(asked)
    async with following(world) as waiting:
        other = await world.bring(await world.public_pool(), RANGE)
        [told] = await waiting.until(1)
    assert told.ipam_pool_cidr_id == other.ipam_pool_cidr_id
    assert (await check(world)).findings == []


async def test_a_dry_run_has_nothing_wait(world: World) -> None:
    pool = await world.public_pool()
    refusal = await refusal_of(world.bring(pool, RANGE, dry_run=True))
    assert refusal.reason == "DryRunOperation"
    assert await listed(world, pool) == []


async def test_what_is_right_below_a_range_is_not_too_specific(world: World) -> None:  # PROV-6
    top = await world.public_pool(locale="None")
    await world.proven(top, "130.137.0.0/16")
    below = await world.define(**{**PUBLIC, "source_ipam_pool_id": top})
    for members in ({"cidr": "130.137.1.0/25"}, {"netmask_length": 25}):
        refusal = await refusal_of(world.provision(below, **members))
        assert "/24 or wider" in refusal.message
    assert (await world.provision(below, netmask_length=24)).cidr == "130.137.0.0/24"
    deeper = await world.define(**{**PUBLIC, "source_ipam_pool_id": below})
    assert (await world.provision(deeper, netmask_length=26)).cidr == "130.137.0.0/26"
    with_proof = await refusal_of(world.bring(deeper, "130.137.0.64/26"))
    assert with_proof.reason == "InvalidParameterCombination"


@pytest.mark.parametrize(("is_advertisable", "longest"), [(True, 48), (False, 60)])
async def test_what_is_right_below_an_ipv6_range_is_not_too_specific(
    world: World, longest: int, *, is_advertisable: bool
) -> None:  # PROV-6
    members: dict[str, Any] = {**IPV6, "publicly_advertisable": is_advertisable}
    top = await world.public_pool(**members)
    await world.proven(top, "2605:9cc0::/44")
    below = await world.define(**{**PUBLIC, **members, "source_ipam_pool_id": top})
    refusal = await refusal_of(world.provision(below, netmask_length=longest + 1))
    assert f"/{longest} or wider" in refusal.message
    await world.provision(below, netmask_length=longest)


async def test_what_was_accepted_is_there_after_a_crash(settings: Settings) -> None:  # BEY-5
    create_secret(settings.identity_secret_path)
    own = settings.model_copy(update={"port": free_base_port()})
    signer = TokenSigner(settings.identity_secret_path.read_bytes())
    with ServiceProcess("allocation", own).running() as process:
        async with Remote(process.address, signer=signer) as remote:
            await asyncio.wait_for(remote.channel.channel_ready(), PATIENCE_SECONDS)
            world = World(remote)
            pool = await world.public_pool()
            async with following(world) as waiting:
                asked = await world.bring(pool, RANGE, client_token="t")
                [told] = await waiting.until(1)
        process.kill()
    assert told.ipam_pool_cidr_id == asked.ipam_pool_cidr_id
    async with serving(settings) as world:
        assert await listed(world, pool) == [(RANGE, "pending-provision", "")]
        assert await world.bring(pool, RANGE, client_token="t") == asked
        await world.conclude(asked)
        assert await listed(world, pool) == [(RANGE, "provisioned", "")]


async def test_only_services_conclude_anything(world: World) -> None:
    asked = await world.bring(await world.public_pool(), RANGE)
    refusal = await refusal_of(
        world.owner("ConcludeProvision", ipam_pool_cidr_id=asked.ipam_pool_cidr_id)
    )
    assert refusal.reason == "UnauthorizedOperation"
