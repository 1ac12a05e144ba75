"""IPAM policies and their rules, on the context's own API."""

from typing import Any

import pytest

from shared.errors import CadastreError
from tests.control_plane.ipam_policies import UNKNOWN, Policies, pools_of
from tests.control_plane.world import HOME, STRANGER, WEST, Client, World, on_sqlite_alone, state
from tests.waiting import eventually

ZONE = "us-west-2-lax-1"


@pytest.fixture
def policies(control: Client) -> Policies:
    return Policies(control)


async def refusal_of(call: Any) -> CadastreError:
    with pytest.raises(CadastreError) as refusal:
        await call
    return refusal.value


async def test_a_policy_comes_and_goes_with_what_is_said_about_it(
    control: Client, policies: Policies, world: World
) -> None:
    ipam = await control.create_ipam()
    tags = [{"resource_type": "ipam-policy", "tags": [{"key": "Name", "value": "edge"}]}]
    made = await policies.create(ipam, tag_specifications=tags)
    policy_id = made.ipam_policy_id
    assert policy_id.startswith("ipam-policy-")
    assert made.ipam_policy_arn == f"arn:aws:ec2::{ipam.owner_id}:ipam-policy/{policy_id}"
    assert (made.ipam_id, made.ipam_policy_region) == (ipam.ipam_id, HOME)
    assert [(tag.key, tag.value) for tag in made.tags] == [("Name", "edge")]
    assert state(made) == "create-in-progress"
    assert state(await policies.one(policy_id)) == "create-complete"
    await control("CreateTags", resources=[policy_id], tags=[{"key": "team", "value": "a"}])
    await control("DeleteTags", resources=[policy_id], tags=[{"key": "Name"}])
    by_tag = [{"name": "tag:team", "values": ["a"]}]
    assert [p.ipam_policy_id for p in await policies.seen(filters=by_tag)] == [policy_id]
    gone = (await policies("DeleteIpamPolicy", ipam_policy_id=policy_id)).ipam_policy
    assert state(gone) == "delete-in-progress"
    assert await policies.seen() == []
    # The ledger keeps that it applies to nobody.
    told = world.ledger.policies[policy_id]
    assert (list(told.rules), list(told.account_ids)) == ([], [])


@on_sqlite_alone
async def test_a_repeated_creation_gives_the_first_answer(
    control: Client, policies: Policies
) -> None:  # ALLOC-7
    ipam = await control.create_ipam()
    first = await policies.create(ipam, client_token="t")
    assert await policies.create(ipam, client_token="t") == first
    assert len(await policies.seen()) == 1


async def test_policies_are_listed_in_pages_by_their_owner_at_home(
    control: Client, policies: Policies
) -> None:  # BEY-6, BEY-12
    ipam = await control.create_ipam()
    made = [(await policies.create(ipam)).ipam_policy_id for _ in range(6)]
    page = await policies("DescribeIpamPolicies", max_results=5)
    rest = await policies("DescribeIpamPolicies", max_results=5, next_token=page.next_token)
    assert [p.ipam_policy_id for p in (*page.ipam_policies, *rest.ipam_policies)] == made
    for other in (control.acting_as(STRANGER), control.acting_as(region=WEST)):
        assert await Policies(other).seen() == []


@on_sqlite_alone
@pytest.mark.parametrize(
    ("rpc", "members"),
    [
        ("DescribeIpamPolicies", {"ipam_policy_ids": [UNKNOWN]}),
        ("DeleteIpamPolicy", {}),
        ("EnableIpamPolicy", {}),
        ("DisableIpamPolicy", {}),
        ("GetIpamPolicyAllocationRules", {}),
        ("GetIpamPolicyOrganizationTargets", {}),
        ("ModifyIpamPolicyAllocationRules", {"locale": HOME, "resource_type": "eip"}),
    ],
)
async def test_anothers_policy_is_as_unknown_as_nobodys(
    control: Client, policies: Policies, rpc: str, members: dict[str, Any]
) -> None:  # BEY-12
    mine = (await policies.create(await control.create_ipam())).ipam_policy_id
    for client, policy_id in (
        (policies, UNKNOWN),
        (Policies(control.acting_as(STRANGER)), mine),
        (Policies(control.acting_as(region=WEST)), mine),
    ):
        named = {"ipam_policy_ids": [policy_id]} if members.get("ipam_policy_ids") else members
        if "ipam_policy_ids" not in named:
            named = {**named, "ipam_policy_id": policy_id}
        refusal = await refusal_of(client(rpc, **named))
        assert refusal.reason == "InvalidIpamPolicyId.NotFound"
        assert policy_id in refusal.message


async def test_rules_are_replaced_as_a_whole_for_one_kind_of_resource_in_one_locale(
    control: Client, policies: Policies, world: World
) -> None:
    ipam = await control.create_ipam()
    first, second = [await policies.public_pool(ipam) for _ in range(2)]
    west, zone = [await policies.public_pool(ipam, locale) for locale in (WEST, ZONE)]
    policy_id = (await policies.create(ipam)).ipam_policy_id
    document = await policies.set_rules(policy_id, second, first)
    assert (document.ipam_policy_id, document.locale) == (policy_id, HOME)
    assert pools_of(document) == [second, first]
    await policies.set_rules(policy_id, west, locale=WEST)
    await policies.set_rules(policy_id, zone, locale=ZONE)
    await policies.set_rules(policy_id, first, kind="rnat")
    await policies.set_rules(policy_id, first)
    assert [pools_of(found) for found in await policies.rules(policy_id)] == [
        [first],
        [first],
        [west],
        [zone],
    ]
    [alone] = await policies.rules(policy_id, locale=HOME, resource_type="rnat")
    assert pools_of(alone) == [first]
    filters = [{"name": "locale", "values": [WEST]}]
    assert [found.locale for found in await policies.rules(policy_id, filters=filters)] == [WEST]
    assert state(await policies.one(policy_id)) == "modify-complete"
    # What there are no resources of is kept and told, but not to the ledger.
    told = {r.locale: list(r.source_ipam_pool_ids) for r in world.ledger.policies[policy_id].rules}
    assert told == {HOME: [first], WEST: [west], ZONE: [zone]}
    assert pools_of(await policies.set_rules(policy_id, locale=ZONE)) == []
    assert len(await policies.rules(policy_id)) == 3


@on_sqlite_alone
async def test_rules_are_told_in_pages(control: Client, policies: Policies) -> None:  # BEY-6
    ipam = await control.create_ipam()
    policy_id = (await policies.create(ipam)).ipam_policy_id
    for locale in (WEST, HOME):
        pool = await policies.public_pool(ipam, locale)
        for kind in ("rds", "eip", "alb", "rnat"):
            await policies.set_rules(policy_id, pool, locale=locale, kind=kind)
    rpc, named = "GetIpamPolicyAllocationRules", {"ipam_policy_id": policy_id}
    page = await policies(rpc, **named, max_results=5)
    rest = await policies(rpc, **named, max_results=5, next_token=page.next_token)
    found = [*page.ipam_policy_documents, *rest.ipam_policy_documents]
    assert [(one.locale, one.resource_type) for one in found] == [
        (locale, number) for locale in (HOME, WEST) for number in (1, 2, 3, 4)
    ]


@on_sqlite_alone
@pytest.mark.parametrize(
    ("members", "hint"),
    [
        pytest.param({"locale": WEST}, f"its locale is '{WEST}'", id="of another locale"),
        pytest.param({"locale": "None"}, "has no locale", id="of no locale"),
        pytest.param({"aws_service": ""}, "AwsService 'ec2'", id="for no service"),
        pytest.param(
            {"address_family": "ipv6", "publicly_advertisable": True}, "an IPv4 pool", id="IPv6"
        ),
        pytest.param({"is_private": True}, "public scope", id="private"),
    ],
)
async def test_rules_are_for_pools_that_give_public_ipv4_addresses_there(
    control: Client, policies: Policies, members: dict[str, Any], hint: str
) -> None:
    ipam = await control.create_ipam()
    members = {"locale": HOME, "aws_service": "ec2", **members}
    scope_id = ipam.public_default_scope_id
    if members.pop("is_private", False):
        scope_id = ipam.private_default_scope_id
        members.pop("aws_service")
    if members.get("aws_service") == "":
        members.pop("aws_service")
    pool = await control.create_pool(scope_id, **members)
    policy_id = (await policies.create(ipam)).ipam_policy_id
    refusal = await refusal_of(policies.set_rules(policy_id, pool.ipam_pool_id))
    assert (refusal.reason, hint in refusal.message) == ("InvalidParameterValue", True)
    assert pool.ipam_pool_id in refusal.message


@on_sqlite_alone
async def test_rules_name_pools_of_the_policys_ipam_once_where_that_works(
    control: Client, policies: Policies
) -> None:
    ipam, elsewhere = await control.create_ipam(), control.acting_as(region=WEST)
    pool = await policies.public_pool(ipam)
    other = await Policies(elsewhere).public_pool(await elsewhere.create_ipam(), WEST)
    policy_id = (await policies.create(ipam)).ipam_policy_id
    refusal = await refusal_of(policies.set_rules(policy_id, pool, pool))
    assert (refusal.reason, "twice" in refusal.message) == ("InvalidParameterValue", True)
    refusal = await refusal_of(policies.set_rules(policy_id, other, locale=WEST))
    assert refusal.reason == "InvalidIpamPoolId.NotFound"
    refusal = await refusal_of(policies.set_rules(policy_id, locale="eu-central-1"))
    assert (refusal.reason, HOME in refusal.message) == ("InvalidParameterValue", True)


@on_sqlite_alone
async def test_a_pool_stays_while_rules_name_it(control: Client, policies: Policies) -> None:
    ipam = await control.create_ipam()
    pool = await policies.public_pool(ipam)
    policy_id = (await policies.create(ipam)).ipam_policy_id
    await policies.set_rules(policy_id, pool, kind="alb")
    refusal = await refusal_of(control("DeleteIpamPool", ipam_pool_id=pool))
    assert (refusal.reason, policy_id in refusal.message) == ("DependencyViolation", True)
    await policies.set_rules(policy_id, kind="alb")
    await control("DeleteIpamPool", ipam_pool_id=pool)


@on_sqlite_alone
async def test_an_ipam_keeps_its_policies_and_its_tier_while_it_has_them(
    control: Client, policies: Policies
) -> None:  # IPAM-5, IPAM-9
    ipam = await control.create_ipam()
    named = {"ipam_id": ipam.ipam_id}
    policy_id = (await policies.create(ipam)).ipam_policy_id
    await policies.enable(policy_id)
    for call in (
        control("DeleteIpam", **named),
        control("DeleteIpam", **named, cascade=True),
        control("ModifyIpam", **named, tier="free"),
    ):
        refusal = await refusal_of(call)
        assert (refusal.reason, policy_id in refusal.message) == ("DependencyViolation", True)
    await policies.disable(policy_id)
    assert (await refusal_of(control("DeleteIpam", **named))).reason == "DependencyViolation"
    assert (
        await refusal_of(control("DeleteIpam", **named, cascade=True, dry_run=True))
    ).reason == ("DryRunOperation")
    await policies("DeleteIpamPolicy", ipam_policy_id=policy_id)
    await control("ModifyIpam", **named, tier="free")
    refusal = await refusal_of(policies.create(ipam))
    assert (refusal.reason, "advanced" in refusal.message) == ("OperationNotPermitted", True)


async def test_policies_go_with_their_ipam_by_cascade(control: Client, policies: Policies) -> None:
    ipam = await control.create_ipam()
    policy_id = (await policies.create(ipam)).ipam_policy_id
    await policies.enable(policy_id)
    await policies.disable(policy_id)
    await control("DeleteIpam", ipam_id=ipam.ipam_id, cascade=True)

    async def is_gone() -> bool:
        return await control.ipams() == []

    await eventually(is_gone)
    assert await policies.seen() == []


@on_sqlite_alone
async def test_quotas_of_policies_and_rules_hold(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CADASTRE_QUOTA_POLICIES_PER_IPAM", "1")
    monkeypatch.setenv("CADASTRE_QUOTA_POLICY_RULES_PER_LOCALE", "1")
    async with world.serving() as control:
        ipam, policies = await control.create_ipam(), Policies(control)
        policy_id = (await policies.create(ipam)).ipam_policy_id
        refusal = await refusal_of(policies.create(ipam))
        assert (refusal.reason, "1 are allowed" in refusal.message) == (
            "IpamPolicyLimitExceeded",
            True,
        )
        pools = [await policies.public_pool(ipam) for _ in range(2)]
        refusal = await refusal_of(policies.set_rules(policy_id, *pools))
        assert refusal.reason == "IpamPolicyAllocationRuleLimitExceeded"


@on_sqlite_alone
async def test_a_dry_run_changes_nothing(control: Client, policies: Policies) -> None:  # BEY-5
    ipam = await control.create_ipam()
    pool = await policies.public_pool(ipam)
    policy_id = (await policies.create(ipam)).ipam_policy_id
    for call in (
        policies.create(ipam, dry_run=True),
        policies.seen(dry_run=True),
        policies.set_rules(policy_id, pool, dry_run=True),
        policies.rules(policy_id, dry_run=True),
        policies.enable(policy_id, dry_run=True),
        policies.disable(policy_id, dry_run=True),
        policies("GetEnabledIpamPolicy", dry_run=True),
        policies.targets(policy_id, dry_run=True),
        policies("DeleteIpamPolicy", ipam_policy_id=policy_id, dry_run=True),
    ):
        assert (await refusal_of(call)).reason == "DryRunOperation"
    assert [one.ipam_policy_id for one in await policies.seen()] == [policy_id]
    assert (await policies.rules(policy_id), await policies.in_force()) == ([], None)


async def test_what_the_ledger_missed_it_is_told_later(
    world: World, control: Client, policies: Policies
) -> None:  # BEY-2
    ipam = await control.create_ipam()
    pool = await policies.public_pool(ipam)
    policy_id = (await policies.create(ipam)).ipam_policy_id
    world.ledger.is_down = True
    await policies.set_rules(policy_id, pool)
    assert state(await policies.one(policy_id)) == "modify-in-progress"
    world.ledger.is_down = False

    async def is_settled() -> bool:
        return state(await policies.one(policy_id)) == "modify-complete"

    await eventually(is_settled)
    assert len(world.ledger.policies[policy_id].rules) == 1


@on_sqlite_alone
async def test_what_the_ledger_refuses_fails_with_its_words_and_can_be_changed_again(
    world: World, control: Client, policies: Policies
) -> None:  # BEY-4
    ipam = await control.create_ipam()
    policy_id = (await policies.create(ipam)).ipam_policy_id
    world.ledger.refusals[policy_id] = "not today"
    await policies.set_rules(policy_id)
    failed = await policies.one(policy_id)
    assert (state(failed), failed.state_message) == ("modify-failed", "not today")
    await policies("DeleteIpamPolicy", ipam_policy_id=policy_id)
    assert state(await policies.one(policy_id)) == "delete-failed"
    world.ledger.refusals.clear()
    await policies.set_rules(policy_id)
    settled = await policies.one(policy_id)
    assert (state(settled), settled.state_message) == ("modify-complete", "")


async def test_a_restored_ledger_is_told_of_all_policies_at_the_next_start(world: World) -> None:
    async with world.serving() as control:
        policies = Policies(control)
        policy_id = (await policies.create(await control.create_ipam())).ipam_policy_id
        await policies.enable(policy_id)
    world.ledger.policies.clear()
    async with world.serving():

        async def is_told() -> bool:
            told = world.ledger.policies.get(policy_id)
            return told is not None and list(told.account_ids) == ["123456789012"]

        await eventually(is_told)
