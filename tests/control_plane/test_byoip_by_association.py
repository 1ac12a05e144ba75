"""Ranges that an internet registry has certified to the IPAM: proof, and ROAs by themselves."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cadastre.allocation.v1 import pool_cidr_pb2
from services.control_plane.delegated_rpki.keys import KeyMaker
from services.control_plane.delegated_rpki.resources import Resources
from shared.errors import CadastreError
from tests.control_plane.byoip_world import ASN, NOON, Byoip, RoaExport
from tests.control_plane.routing_policies import Policies, an_association
from tests.control_plane.world import ACCOUNT, WEST, on_sqlite_alone
from tests.registries.internet_registry import InternetRegistry
from tests.waiting import eventually

WHOLE, PART, OTHER = "130.137.244.0/23", "130.137.245.0/24", "131.0.0.0/24"
HELD = Resources.parse(asns="", ipv4=f"{WHOLE},192.0.2.0/24", ipv6="2605:9cc0::/32")
COVERED = pool_cidr_pb2.IpamCidrAuthorizationContext(
    message="CoveredByInternetRegistryAssociation", signature=""
)
AMAZON = ("14618", "16509")

Roa = tuple[str, str, int]


def strict(cidr: str, *asns: str) -> list[Roa]:
    return [(cidr, asn, int(cidr.partition("/")[2])) for asn in asns]


class Ranges:
    """An IPAM with an enabled association, and a pool that ranges come to."""

    def __init__(self, byoip: Byoip, ipam: Any, pool: Any, policies: Policies) -> None:
        self.byoip, self.ipam, self.pool, self.policies = byoip, ipam, pool, policies

    @classmethod
    async def of(cls, byoip: Byoip, rir: InternetRegistry) -> "Ranges":
        ipam = await byoip.client.create_ipam()
        policies = await an_association(byoip.client, ipam)
        await policies.enable(rir, HELD)
        return cls(byoip, ipam, await byoip.a_regional_pool(ipam), policies)

    async def proven(self, cidr: str) -> str:
        """Why a range that comes to a pool by this has failed; empty: it is proven."""
        return await proven(self.byoip, self.ipam, cidr)

    async def has(self, *roas: Roa) -> None:
        """Once these ROAs are published, and no others."""

        async def are_they() -> bool:
            return await self.policies.roas() == sorted(roas)

        await eventually(are_they)


async def proven(byoip: Byoip, ipam: Any, cidr: str, ipam_pool_id: str = "") -> str:
    pending = byoip.pending(ipam.ipam_id, cidr, ipam_pool_id=ipam_pool_id)
    byoip.space.waiting[pending].cidr_authorization_context.CopyFrom(COVERED)
    return await byoip.concluded(pending)


async def refusal_of(call: Any) -> CadastreError:
    with pytest.raises(CadastreError) as refused:
        await call
    return refused.value


@pytest.fixture
def rir(
    tmp_path: Path, make_key: KeyMaker, monkeypatch: pytest.MonkeyPatch
) -> Iterator[InternetRegistry]:
    """A registry in the time of what is brought along; a context made after this speaks to it."""
    at_noon = InternetRegistry(tmp_path / "registry", clock=lambda: NOON, make_key=make_key)
    with at_noon as registry:
        monkeypatch.setenv("CADASTRE_RPKI_PARENT_HOSTS", json.dumps([registry.host]))
        yield registry


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The context that is made after this looks often at what pools have."""
    monkeypatch.setenv("CADASTRE_VERIFICATION_RETRY_SECONDS", "0.05")


async def test_what_is_certified_is_proven_and_has_strict_roas_for_amazon(
    rir: InternetRegistry, byoip: Byoip
) -> None:
    ranges = await Ranges.of(byoip, rir)
    assert await ranges.proven(WHOLE) == ""
    await ranges.has(*strict(WHOLE, *AMAZON))
    assert byoip.verifier.asked == []
    at_home = await byoip.a_regional_pool(
        ranges.ipam, address_family="ipv6", publicly_advertisable=False
    )
    # What is not to be announced has no ROAs.
    for cidr, pool_id in [("2605:9cc0:1::/48", at_home.ipam_pool_id), ("2605:9cc0:2::/49", "")]:
        assert await proven(byoip, ranges.ipam, cidr, pool_id) == ""
    assert await ranges.proven("2605:9cc0:409::/48") == ""
    await ranges.has(*strict(WHOLE, *AMAZON), *strict("2605:9cc0:409::/48", *AMAZON))


@on_sqlite_alone
async def test_what_no_association_certifies_fails_at_once_with_what_would_help(
    rir: InternetRegistry, byoip: Byoip
) -> None:
    ipam = await byoip.client.create_ipam()
    why = await proven(byoip, ipam, WHOLE)
    assert f"'{ipam.ipam_id}' has no association" in why
    assert "CreateIpamInternetRegistryAssociation" in why
    policies = await an_association(byoip.client, ipam)
    why = await proven(byoip, ipam, WHOLE)
    assert f"'{policies.association_id}' is in state 'pending-enable'" in why
    await policies.enable(rir, HELD)
    for outside in (OTHER, "130.137.244.0/22"):
        why = await proven(byoip, ipam, outside)
        assert f"no registry certifies all of {outside}" in why
        assert policies.association_id in why
    other = await byoip.client.acting_as("210987654321").create_ipam()
    assert "has no association" in await proven(byoip, other, WHOLE)
    assert await policies.roas() == []


@on_sqlite_alone
async def test_own_asns_have_roas_while_they_are_associated(
    rir: InternetRegistry, roas: RoaExport, byoip: Byoip
) -> None:  # ASN-2, ASN-3
    # A validator tells of somebody else's ROA alone: nothing waits for it to hear of ours.
    roas.say((64496, 24))
    ranges = await Ranges.of(byoip, rir)
    await byoip.an_asn(ranges.ipam.ipam_id)
    byoip.space.provision(PART, ranges.pool)
    await byoip("AssociateIpamByoasn", asn=ASN, cidr=PART)
    await ranges.has(*strict(PART, ASN))
    await byoip("AdvertiseByoipCidr", ACCOUNT, WEST, cidr=PART, asn="AWS")
    await ranges.has(*strict(PART, ASN, *AMAZON))
    await byoip("AdvertiseByoipCidr", ACCOUNT, WEST, cidr=PART, asn=ASN)
    await ranges.has(*strict(PART, ASN))
    await byoip("WithdrawByoipCidr", ACCOUNT, WEST, cidr=PART)
    await byoip("DisassociateIpamByoasn", asn=ASN, cidr=PART)
    await ranges.has(*strict(PART, *AMAZON))


@on_sqlite_alone
async def test_roas_to_come_count_for_what_is_certified_alone(
    rir: InternetRegistry, roas: RoaExport, byoip: Byoip
) -> None:  # BYOIP-5
    roas.say((64496, 24), prefix="131.0.0.0/16")
    ranges = await Ranges.of(byoip, rir)
    byoip.space.provision(OTHER, ranges.pool)
    refusal = await refusal_of(byoip("AdvertiseByoipCidr", ACCOUNT, WEST, cidr=OTHER))
    assert refusal.reason == "OperationNotPermitted"
    assert "none allows AS16509 and AS14618" in refusal.message
    roas.say((64496, 24))
    pending = byoip.pending(ranges.ipam.ipam_id, WHOLE)
    assert await byoip.concluded(pending) == ""


@on_sqlite_alone
async def test_roas_follow_the_ranges_of_all_pools_of_the_ipam(
    rir: InternetRegistry, looks: None, byoip: Byoip
) -> None:
    ranges = await Ranges.of(byoip, rir)
    child = await byoip.client.create_pool(
        ranges.pool.ipam_scope_arn.rpartition("/")[2],
        source_ipam_pool_id=ranges.pool.ipam_pool_id,
        locale=WEST,
    )
    await byoip.is_told(child.ipam_pool_id)
    whole, part = byoip.space.provision(WHOLE, ranges.pool), byoip.space.provision(PART, child)
    byoip.space.provision("130.137.245.128/25", child)
    at_home = await byoip.a_regional_pool(
        ranges.ipam, address_family="ipv6", publicly_advertisable=False
    )
    byoip.space.provision("2605:9cc0:409::/48", at_home)
    byoip.space.provision(OTHER, ranges.pool)
    await ranges.has(*strict(WHOLE, *AMAZON), *strict(PART, *AMAZON))
    byoip.space.deprovision(whole)
    await ranges.has(*strict(PART, *AMAZON))
    byoip.space.deprovision(part)
    await ranges.has()


@on_sqlite_alone
async def test_findings_tell_of_roas_that_no_validator_knows_yet(
    rir: InternetRegistry, roas: RoaExport, byoip: Byoip
) -> None:
    ranges = await Ranges.of(byoip, rir)
    assert await ranges.proven(WHOLE) == ""
    byoip.space.provision(WHOLE, ranges.pool)
    await ranges.has(*strict(WHOLE, *AMAZON))
    answer = await byoip.client.of(
        "cadastre.control.v1.RouteProtectionService",
        "GetIpamRouteProtectionFindings",
        ipam_id=ranges.ipam.ipam_id,
    )
    [finding] = answer.route_protection_findings
    assert [(one.asn, one.match) for one in finding.roas] == [("14618", False), ("16509", True)]
    assert all(one.HasField("expiration") for one in finding.roas)
    assert (finding.rpki_status, finding.rpki_strength) == (1, 1)
