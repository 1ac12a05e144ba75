"""For whom policies are enabled, and whom they apply to then, on the context's own API."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from tests.control_plane.ipam_policies import Policies
from tests.control_plane.share_world import MANAGER, Company, a_company, move
from tests.control_plane.test_ipam_policies import refusal_of
from tests.control_plane.world import (
    HOME,
    ORGANIZATIONS,
    STRANGER,
    WEST,
    Client,
    World,
    on_sqlite_alone,
)

OWN, ADMINISTRATOR = "account", "delegated_administrator_for_ipam"


@dataclass(frozen=True)
class Governed:
    """A company whose IPAM administrator has three policies, and a ledger that is told."""

    company: Company
    world: World
    policies: Policies
    first: str
    second: str
    third: str

    def of(self, account_id: str, region: str = HOME) -> Policies:
        return Policies(self.company.client.acting_as(account_id, region))

    @property
    def manager(self) -> Client:
        return self.company.client.acting_as(MANAGER)

    def told(self) -> dict[str, str]:
        """By account, which policy the ledger knows to apply to it: one at most."""
        found: dict[str, str] = {}
        for policy_id, told in self.world.ledger.policies.items():
            for account_id in told.account_ids:
                assert account_id not in found
                found[account_id] = policy_id
        return found

    async def check(self, **policy_ids: str | None) -> None:
        """By name of an account of the company, which policy applies; the ledger knows that."""
        told = self.told()
        for name, policy_id in policy_ids.items():
            account_id = getattr(self.company, name, MANAGER)
            found = await self.of(account_id).in_force()
            assert (found and found[0], told.get(account_id)) == (policy_id, policy_id), name


@pytest.fixture
async def governed(world: World, control: Client) -> Governed:
    company = await a_company(control)
    policies = Policies(control.acting_as(company.owner))
    made = [(await policies.create(company.ipam)).ipam_policy_id for _ in range(3)]
    return Governed(company, world, policies, *made)


async def test_an_account_enables_one_policy_for_itself(control: Client, world: World) -> None:
    policies, elsewhere = Policies(control), Policies(control.acting_as(region=WEST))
    assert await policies.in_force() is None
    first = (await policies.create(await control.create_ipam())).ipam_policy_id
    other = (await elsewhere.create(await elsewhere.client.create_ipam())).ipam_policy_id
    await policies.enable(first)
    assert await elsewhere.in_force() == (first, OWN)
    told = world.ledger.policies
    assert list(told[first].account_ids) == ["123456789012"]
    # At most one is enabled for a target: another takes its place.
    await elsewhere.enable(other)
    assert await policies.in_force() == (other, OWN)
    assert (list(told[first].account_ids), list(told[other].account_ids)) == ([], ["123456789012"])
    assert await elsewhere.targets(other) == []
    # What is not enabled stays so; it is deleted only then.
    await policies.disable(first)
    refusal = await refusal_of(elsewhere("DeleteIpamPolicy", ipam_policy_id=other))
    assert (refusal.reason, "disable it first" in refusal.message) == ("DependencyViolation", True)
    await elsewhere.disable(other)
    assert (await policies.in_force(), list(told[other].account_ids)) == (None, [])
    await elsewhere("DeleteIpamPolicy", ipam_policy_id=other)


async def test_the_nearest_target_counts_and_an_accounts_own_choice_last(
    governed: Governed,
) -> None:
    it, company = governed, governed.company
    developer = it.of(company.developer)
    own = (await developer.create(await developer.client.create_ipam())).ipam_policy_id
    await developer.enable(own)
    await it.check(owner=None, developer=own, member=None, manager=None)
    await it.policies.enable(it.first, company.root_id)
    await it.check(owner=it.first, developer=it.first, member=it.first, manager=it.first)
    assert await developer.in_force() == (it.first, ADMINISTRATOR)
    await it.policies.enable(it.second, company.unit_id)
    await it.policies.enable(it.third, company.member)
    await it.check(owner=it.first, developer=it.second, member=it.third, manager=it.first)
    assert await it.policies.targets(it.first) == [company.root_id]
    # In the place of what is enabled for the same target.
    await it.policies.enable(it.third, company.unit_id)
    assert await it.policies.targets(it.second) == []
    assert await it.policies.targets(it.third) == sorted([company.member, company.unit_id])
    await it.check(developer=it.third, member=it.third)
    for target in (company.unit_id, company.member):
        await it.policies.disable(it.third, target)
    await it.check(developer=it.first, member=it.first)
    await it.policies.disable(it.first, company.root_id)
    await it.check(owner=None, developer=own, member=None, manager=None)


async def test_who_moves_or_leaves_gets_what_applies_there(governed: Governed) -> None:
    it, company = governed, governed.company
    await it.policies.enable(it.first, company.unit_id)
    await it.policies.enable(it.second, company.member)
    await move(it.manager, company.developer, company.unit_id, company.root_id)
    await it.check(developer=None, member=it.second)
    await move(it.manager, company.developer, company.root_id, company.unit_id)
    await it.check(developer=it.first, member=it.second)
    for account_id in (company.developer, company.member):
        await it.manager.of(ORGANIZATIONS, "RemoveAccountFromOrganization", account_id=account_id)
    await it.check(developer=None, member=None)
    # Who left is no target any more; nor is an OU that is gone.
    assert await it.policies.targets(it.second) == []
    await it.manager.of(
        ORGANIZATIONS, "DeleteOrganizationalUnit", organizational_unit_id=company.unit_id
    )
    assert await it.policies.targets(it.first) == []
    await it.policies("DeleteIpamPolicy", ipam_policy_id=it.first)


async def test_new_accounts_get_the_organizations_policy(governed: Governed) -> None:
    it = governed
    await it.policies.enable(it.first, it.company.root_id)
    before = len(it.told())
    made = await it.manager.of(
        ORGANIZATIONS, "CreateAccount", email="new@example.com", account_name="new"
    )
    account_id = made.create_account_status.account_id
    assert (len(it.told()), it.told()[account_id]) == (before + 1, it.first)
    assert await it.of(account_id).in_force() == (it.first, ADMINISTRATOR)


async def test_targets_count_while_their_policys_owner_administers_ipam(
    governed: Governed,
) -> None:
    it, company = governed, governed.company
    await it.policies.enable(it.first, company.root_id)
    named = {"delegated_admin_account_id": company.owner}
    await it.manager("DisableIpamOrganizationAdminAccount", **named)
    await it.check(owner=None, developer=None)
    assert await it.policies.targets(it.first) == [company.root_id]
    await it.manager("EnableIpamOrganizationAdminAccount", **named)
    await it.check(owner=it.first, developer=it.first)
    await it.manager("DisableIpamOrganizationAdminAccount", **named)
    # Without it an account has itself as its only target, and may still end what it began.
    await it.policies.enable(it.second)
    await it.policies.disable(it.first, company.root_id)
    await it.check(owner=it.second, developer=None)
    await it.policies("DeleteIpamPolicy", ipam_policy_id=it.first)


async def test_a_new_administrator_takes_the_former_ones_targets(governed: Governed) -> None:
    it, company = governed, governed.company
    await it.policies.enable(it.first, company.root_id)
    for rpc, account_id in (("Disable", company.owner), ("Enable", company.member)):
        await it.manager(
            f"{rpc}IpamOrganizationAdminAccount", delegated_admin_account_id=account_id
        )
    heir = it.of(company.member)
    policy_id = (await heir.create(await heir.client.create_ipam())).ipam_policy_id
    await it.check(owner=None, developer=None)
    await heir.enable(policy_id, company.root_id)
    await it.check(owner=policy_id, developer=policy_id)
    assert await it.policies.targets(it.first) == []


@on_sqlite_alone
async def test_targets_are_the_administrators_to_name(governed: Governed) -> None:
    it, company = governed, governed.company
    refusal = await refusal_of(it.policies.enable(it.first))
    assert (refusal.reason, "organizationTargetId" in refusal.message) == ("MissingParameter", True)
    for target in (STRANGER, "ou-ab12-a1b2c3d4", "r-zzzz", company.organization_id, "x"):
        refusal = await refusal_of(it.policies.enable(it.first, target))
        assert (refusal.reason, target in refusal.message) == ("InvalidParameterValue", True)
    member = it.of(company.member)
    own = (await member.create(await member.client.create_ipam())).ipam_policy_id
    refusal = await refusal_of(member.enable(own, company.member))
    assert (refusal.reason, "leave" in refusal.message) == ("OperationNotPermitted", True)
    refusal = await refusal_of(member.enable(it.first))
    assert refusal.reason == "InvalidIpamPolicyId.NotFound"


@on_sqlite_alone
async def test_the_quota_of_targets_holds_and_their_list_is_paged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:  # BEY-6
    monkeypatch.setenv("CADASTRE_QUOTA_TARGETS_PER_POLICY", "6")
    async with world.serving() as control:
        company = await a_company(control)
        policies = Policies(control.acting_as(company.owner))
        policy_id = (await policies.create(company.ipam)).ipam_policy_id
        names = [company.root_id, company.unit_id, company.owner, company.member, MANAGER]
        for target in (*names, company.developer):
            await policies.enable(policy_id, target)
            await policies.enable(policy_id, target)
        made = await control.acting_as(MANAGER).of(
            ORGANIZATIONS, "CreateOrganizationalUnit", parent_id=company.root_id, name="more"
        )
        refusal = await refusal_of(policies.enable(policy_id, made.organizational_unit.id))
        assert refusal.reason == "IpamPolicyTargetLimitExceeded"
        rpc: Any = "GetIpamPolicyOrganizationTargets"
        page = await policies(rpc, ipam_policy_id=policy_id, max_results=5)
        rest = await policies(
            rpc, ipam_policy_id=policy_id, max_results=5, next_token=page.next_token
        )
        found = [*page.organization_targets, *rest.organization_targets]
        assert [one.organization_target_id for one in found] == sorted([*names, company.developer])
        filters = [{"name": "organization-target-id", "values": [company.root_id]}]
        assert await policies.targets(policy_id, filters=filters) == [company.root_id]


async def test_of_many_that_are_enabled_at_once_one_applies(governed: Governed) -> None:
    it, unit_id = governed, governed.company.unit_id
    member = it.of(it.company.member)
    own = (await member.create(await member.client.create_ipam())).ipam_policy_id
    await asyncio.gather(
        *(it.policies.enable(policy, unit_id) for policy in (it.first, it.second, it.third)),
        it.policies.enable(it.first, it.company.root_id),
        member.enable(own),
    )
    enabled = [
        policy
        for policy in (it.first, it.second, it.third)
        if unit_id in await it.policies.targets(policy)
    ]
    assert len(enabled) == 1
    await it.check(developer=enabled[0], member=it.first, owner=it.first)
