"""Resource discoveries and their associations through the API."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from shared.errors import CadastreError
from tests.control_plane.discoveries import Discoveries, association_arn, ids_of, status
from tests.control_plane.test_tagging import tags_of
from tests.control_plane.world import (
    ACCOUNT,
    HOME,
    STRANGER,
    WEST,
    Client,
    World,
    on_sqlite_alone,
    state,
)

UNKNOWN = "InvalidIpamResourceDiscoveryId.NotFound"
UNKNOWN_ASSOCIATION = "InvalidIpamResourceDiscoveryAssociationId.NotFound"


@pytest.fixture
def own(control: Client) -> Discoveries:
    return Discoveries(control)


@pytest.fixture
def other(control: Client) -> Discoveries:
    return Discoveries(control.acting_as(STRANGER))


def regions(record: Any) -> list[str]:
    return [region.region_name for region in record.operating_regions]


def tags(resource_type: str) -> list[dict[str, Any]]:
    return [{"resource_type": resource_type, "tags": [{"key": "cost", "value": "cc123"}]}]


async def test_an_ipam_has_a_default_discovery(own: Discoveries) -> None:  # DISC-1, IPAM-1
    ipam = await own.client.create_ipam()
    [discovery], [association] = await own.seen(), await own.associations()
    discovery_id = ipam.default_resource_discovery_id
    association_id = ipam.default_resource_discovery_association_id
    assert MessageToDict(discovery, preserving_proto_field_name=True) == {
        "owner_id": ACCOUNT,
        "ipam_resource_discovery_id": discovery_id,
        "ipam_resource_discovery_arn": (
            f"arn:aws:ec2::{ACCOUNT}:ipam-resource-discovery/{discovery_id}"
        ),
        "ipam_resource_discovery_region": HOME,
        "operating_regions": [{"region_name": WEST}, {"region_name": HOME}],
        "is_default": True,
        "state": "IPAM_RESOURCE_DISCOVERY_STATE_CREATE_COMPLETE",
    }
    assert MessageToDict(association, preserving_proto_field_name=True) == {
        "owner_id": ACCOUNT,
        "ipam_resource_discovery_association_id": association_id,
        "ipam_resource_discovery_association_arn": association_arn(ACCOUNT, association_id),
        "ipam_resource_discovery_id": discovery_id,
        "ipam_id": ipam.ipam_id,
        "ipam_arn": ipam.ipam_arn,
        "ipam_region": HOME,
        "is_default": True,
        "resource_discovery_status": "IPAM_ASSOCIATED_RESOURCE_DISCOVERY_STATUS_ACTIVE",
        "state": "IPAM_RESOURCE_DISCOVERY_ASSOCIATION_STATE_ASSOCIATE_COMPLETE",
    }


async def test_the_default_discovery_stays_and_follows_its_ipam(  # DISC-1
    own: Discoveries,
) -> None:
    ipam = await own.client.create_ipam()
    discovery_id = ipam.default_resource_discovery_id
    for forbidden in (
        own.delete(discovery_id),
        own.disassociate(ipam.default_resource_discovery_association_id),
        own.modify(discovery_id, add_operating_regions=[{"region_name": "eu-west-1"}]),
        own.modify(discovery_id, remove_operating_regions=[{"region_name": WEST}]),
    ):
        with pytest.raises(CadastreError) as refusal:
            await forbidden
        assert refusal.value.reason == "OperationNotPermitted"
    await own.client(
        "ModifyIpam",
        ipam_id=ipam.ipam_id,
        add_operating_regions=[{"region_name": "eu-west-1"}],
        remove_operating_regions=[{"region_name": WEST}],
    )
    found = await own.one(discovery_id)
    assert (state(found), regions(found)) == ("modify-complete", [HOME, "eu-west-1"])
    changed = await own.modify(discovery_id, description="all of it")
    assert (state(changed), changed.description) == ("modify-in-progress", "all of it")
    assert state(await own.one(discovery_id)) == "modify-complete"
    await own.client("DeleteIpam", ipam_id=ipam.ipam_id)
    assert await own.seen() == await own.associations() == []


async def test_a_discovery_is_created_changed_and_deleted(own: Discoveries) -> None:  # DISC-1
    answer = await own.create(
        description="of ours",
        operating_regions=[{"region_name": WEST}],
        tag_specifications=tags("ipam-resource-discovery"),
    )
    assert (state(answer), answer.is_default, answer.description) == (
        "create-in-progress",
        False,
        "of ours",
    )
    assert (regions(answer), tags_of(answer)) == ([WEST, HOME], {"cost": "cc123"})
    discovery_id = answer.ipam_resource_discovery_id
    found = await own.one(discovery_id)
    assert state(found) == "create-complete"
    found.state = answer.state
    assert found == answer

    changed = await own.modify(
        discovery_id,
        description="",
        add_operating_regions=[{"region_name": "eu-west-1"}],
        remove_operating_regions=[{"region_name": WEST}],
    )
    assert state(changed) == "modify-in-progress"
    found = await own.one(discovery_id)
    assert (state(found), regions(found), found.description) == (
        "modify-complete",
        [HOME, "eu-west-1"],
        "",
    )
    await own.client("CreateTags", resources=[discovery_id], tags=[{"key": "b"}])
    await own.client("DeleteTags", resources=[discovery_id], tags=[{"key": "cost"}])
    assert tags_of(await own.one(discovery_id)) == {"b": ""}

    assert state(await own.delete(discovery_id)) == "delete-in-progress"
    with pytest.raises(CadastreError) as refusal:
        await own.one(discovery_id)
    assert refusal.value.reason == UNKNOWN


async def test_an_account_has_one_of_its_own_per_region_even_when_creations_race(  # DISC-1
    own: Discoveries,
) -> None:
    await own.client.create_ipam()
    outcomes = await asyncio.gather(*(own.create() for _ in range(4)), return_exceptions=True)
    refusals = [outcome for outcome in outcomes if isinstance(outcome, CadastreError)]
    assert [refusal.reason for refusal in refusals] == ["IpamResourceDiscoveryLimitExceeded"] * 3
    assert (refusals[0].metadata["quota"], refusals[0].metadata["count"]) == ("1", "1")
    assert [found.is_default for found in await own.seen()] == [True, False]
    await Discoveries(own.client.acting_as(region=WEST)).create()
    await own.delete((await own.seen())[1].ipam_resource_discovery_id)
    await own.create()


@on_sqlite_alone
async def test_a_repeated_creation_gets_the_first_answer(own: Discoveries) -> None:  # ALLOC-7
    ipam = await own.client.create_ipam()
    first = await own.create(client_token="d")
    assert await own.create(client_token="d") == first
    discovery_id = first.ipam_resource_discovery_id
    association = await own.associate(ipam.ipam_id, discovery_id, client_token="a")
    assert await own.associate(ipam.ipam_id, discovery_id, client_token="a") == association
    with pytest.raises(CadastreError) as refusal:
        await own.create(client_token="d", description="other")
    assert refusal.value.reason == "IdempotentParameterMismatch"


@on_sqlite_alone
@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"operating_regions": [{"region_name": "mars-1"}]}, "InvalidParameterValue"),
        ({"tag_specifications": tags("ipam")}, "InvalidParameterValue"),
        ({"dry_run": True}, "DryRunOperation"),
    ],
)
async def test_a_refused_creation_creates_nothing(
    own: Discoveries, members: dict[str, Any], reason: str
) -> None:
    with pytest.raises(CadastreError) as refusal:
        await own.create(**members)
    assert refusal.value.reason == reason
    assert await own.seen() == []


async def test_an_own_discovery_is_associated_and_disassociated(  # DISC-1
    own: Discoveries,
) -> None:
    ipam = await own.client.create_ipam()
    discovery_id = (await own.create()).ipam_resource_discovery_id
    answer = await own.associate(
        ipam.ipam_id,
        discovery_id,
        tag_specifications=tags("ipam-resource-discovery-association"),
    )
    association_id = answer.ipam_resource_discovery_association_id
    assert MessageToDict(answer, preserving_proto_field_name=True) == {
        "owner_id": ACCOUNT,
        "ipam_resource_discovery_association_id": association_id,
        "ipam_resource_discovery_association_arn": association_arn(ACCOUNT, association_id),
        "ipam_resource_discovery_id": discovery_id,
        "ipam_id": ipam.ipam_id,
        "ipam_arn": ipam.ipam_arn,
        "ipam_region": HOME,
        "is_default": False,
        "resource_discovery_status": "IPAM_ASSOCIATED_RESOURCE_DISCOVERY_STATUS_ACTIVE",
        "state": "IPAM_RESOURCE_DISCOVERY_ASSOCIATION_STATE_ASSOCIATE_IN_PROGRESS",
        "tags": [{"key": "cost", "value": "cc123"}],
    }
    [found] = await own.associations(ipam_resource_discovery_association_ids=[association_id])
    assert (state(found), status(found)) == ("associate-complete", "active")
    assert (await own.client.ipams())[0].resource_discovery_association_count == 2
    await own.client("CreateTags", resources=[association_id], tags=[{"key": "b"}])
    assert tags_of((await own.associations())[1]) == {"cost": "cc123", "b": ""}

    with pytest.raises(CadastreError, match=association_id) as twice:
        await own.associate(ipam.ipam_id, discovery_id)
    assert twice.value.reason == "Resource.AlreadyAssociated"

    ended = await own.disassociate(association_id)
    assert state(ended) == "disassociate-in-progress"
    assert len(await own.associations()) == 1
    with pytest.raises(CadastreError) as gone:
        await own.disassociate(association_id)
    assert gone.value.reason == UNKNOWN_ASSOCIATION
    await own.associate(ipam.ipam_id, discovery_id)


async def test_another_accounts_discovery_is_seen_through_once_it_is_shared(  # DISC-2, DISC-7
    own: Discoveries, other: Discoveries
) -> None:
    ipam = await own.client.create_ipam()
    discovery = await other.create(
        description="theirs", tag_specifications=tags("ipam-resource-discovery")
    )
    discovery_id = discovery.ipam_resource_discovery_id
    with pytest.raises(CadastreError) as unseen:
        await own.associate(ipam.ipam_id, discovery_id)
    assert unseen.value.reason == UNKNOWN

    await other.share(discovery, ACCOUNT)
    found = await own.one(discovery_id)
    assert (found.owner_id, found.description, tags_of(found)) == (STRANGER, "theirs", {})
    for forbidden in (own.delete(discovery_id), own.modify(discovery_id, description="ours")):
        with pytest.raises(CadastreError) as not_own:
            await forbidden
        assert not_own.value.reason == UNKNOWN

    answer = await own.associate(
        ipam.ipam_id,
        discovery_id,
        tag_specifications=tags("ipam-resource-discovery-association"),
    )
    association_id = answer.ipam_resource_discovery_association_id
    assert (answer.owner_id, answer.ipam_arn) == (ACCOUNT, ipam.ipam_arn)
    [_, found] = await own.associations()
    assert (state(found), status(found)) == ("associate-complete", "active")

    # Its owner sees who uses it, and can't end that but by not sharing it.
    [theirs] = await other.associations()
    assert (theirs.owner_id, status(theirs), tags_of(theirs)) == (ACCOUNT, "active", {})
    with pytest.raises(CadastreError) as not_theirs:
        await other.disassociate(association_id)
    assert not_theirs.value.reason == UNKNOWN_ASSOCIATION

    await own.disassociate(association_id)
    assert await other.associations() == []


async def unshare(other: Discoveries, share_arn: str, discovery_id: str) -> None:
    await other.unshare(share_arn)


async def delete(other: Discoveries, share_arn: str, discovery_id: str) -> None:
    await other.delete(discovery_id)


@pytest.mark.parametrize("end", [unshare, delete])
async def test_an_association_outlives_what_it_saw_through(  # DISC-2
    own: Discoveries,
    other: Discoveries,
    end: Callable[[Discoveries, str, str], Awaitable[None]],
) -> None:
    ipam = await own.client.create_ipam()
    discovery = await other.create()
    share_arn = await other.share(discovery, ACCOUNT)
    discovery_id = discovery.ipam_resource_discovery_id
    association = await own.associate(ipam.ipam_id, discovery_id)
    await end(other, share_arn, discovery_id)
    assert ids_of(await own.seen()) == [ipam.default_resource_discovery_id]
    [default, found] = await own.associations()
    assert (state(found), status(found)) == ("associate-complete", "not-found")
    assert status(default) == "active"
    ended = await own.disassociate(association.ipam_resource_discovery_association_id)
    assert (state(ended), status(ended)) == ("disassociate-in-progress", "not-found")
    assert len(await own.associations()) == 1


async def test_a_shared_default_discovery_goes_with_its_ipam(  # DISC-1, DISC-2
    own: Discoveries, other: Discoveries
) -> None:
    ipam, theirs = await own.client.create_ipam(), await other.client.create_ipam()
    default = await other.one(theirs.default_resource_discovery_id)
    await other.share(default, ACCOUNT)
    await own.associate(ipam.ipam_id, default.ipam_resource_discovery_id)
    assert len(await other.associations()) == 2
    await other.client("DeleteIpam", ipam_id=theirs.ipam_id)
    assert status((await own.associations())[1]) == "not-found"
    assert await other.associations() == []


@on_sqlite_alone
async def test_an_ipam_goes_with_all_its_associations(  # IPAM-9
    own: Discoveries, other: Discoveries
) -> None:
    ipam = await own.client.create_ipam()
    discovery = await other.create()
    await other.share(discovery, ACCOUNT)
    await own.associate(ipam.ipam_id, discovery.ipam_resource_discovery_id)
    await own.client("DeleteIpam", ipam_id=ipam.ipam_id)
    assert await own.associations() == []
    assert ids_of(await other.seen()) == [discovery.ipam_resource_discovery_id]


async def test_all_of_it_is_known_in_its_home_region_only(  # DISC-2
    own: Discoveries, other: Discoveries
) -> None:
    await own.client.create_ipam()
    discovery = await other.create()
    await other.share(discovery, ACCOUNT)
    for account_id in (ACCOUNT, STRANGER):
        west = Discoveries(own.client.acting_as(account_id, region=WEST))
        assert await west.seen() == await west.associations() == []
    west = Discoveries(own.client.acting_as(region=WEST))
    western_ipam = await west.client.create_ipam()
    with pytest.raises(CadastreError) as refusal:
        await west.associate(western_ipam.ipam_id, discovery.ipam_resource_discovery_id)
    assert refusal.value.reason == UNKNOWN


@on_sqlite_alone
async def test_another_account_sees_and_changes_nothing(  # ORG-10, BEY-12
    own: Discoveries, other: Discoveries
) -> None:
    ipam, their_ipam = await own.client.create_ipam(), await other.client.create_ipam()
    discovery_id = (await own.create()).ipam_resource_discovery_id
    association = await own.associate(ipam.ipam_id, discovery_id)
    association_id = association.ipam_resource_discovery_association_id
    for call, reason in [
        (other.one(discovery_id), UNKNOWN),
        (other.modify(discovery_id), UNKNOWN),
        (other.delete(discovery_id), UNKNOWN),
        (other.associate(their_ipam.ipam_id, discovery_id), UNKNOWN),
        (
            other.associate(ipam.ipam_id, their_ipam.default_resource_discovery_id),
            "InvalidIpamId.NotFound",
        ),
        (other.disassociate(association_id), UNKNOWN_ASSOCIATION),
        (
            other.associations(ipam_resource_discovery_association_ids=[association_id]),
            UNKNOWN_ASSOCIATION,
        ),
        (other.client("DeleteTags", resources=[discovery_id]), UNKNOWN),
        (other.client("DeleteTags", resources=[association_id]), UNKNOWN_ASSOCIATION),
    ]:
        with pytest.raises(CadastreError) as refusal:
            await call
        assert refusal.value.reason == reason


@on_sqlite_alone
async def test_the_free_tier_has_its_default_discovery_alone(  # IPAM-4, IPAM-5
    own: Discoveries,
) -> None:
    ipam = await own.client.create_ipam()
    discovery_id = (await own.create()).ipam_resource_discovery_id
    association = await own.associate(ipam.ipam_id, discovery_id)
    association_id = association.ipam_resource_discovery_association_id
    with pytest.raises(CadastreError, match=association_id) as in_the_way:
        await own.client("ModifyIpam", ipam_id=ipam.ipam_id, tier="free")
    assert in_the_way.value.reason == "DependencyViolation"
    await own.disassociate(association_id)
    await own.client("ModifyIpam", ipam_id=ipam.ipam_id, tier="free")
    with pytest.raises(CadastreError, match="tier 'free'") as refusal:
        await own.associate(ipam.ipam_id, discovery_id)
    assert refusal.value.reason == "OperationNotPermitted"


async def test_an_ipam_has_five_associations_with_its_default_one(  # requirements section 14
    own: Discoveries,
) -> None:
    ipam = await own.client.create_ipam()
    found = []
    for number in range(5):
        owner = Discoveries(own.client.acting_as(f"{number}" * 12))
        discovery = await owner.create()
        await owner.share(discovery, ACCOUNT)
        found.append(discovery.ipam_resource_discovery_id)
    outcomes = await asyncio.gather(
        *(own.associate(ipam.ipam_id, discovery_id) for discovery_id in found),
        return_exceptions=True,
    )
    [refusal] = [outcome for outcome in outcomes if isinstance(outcome, CadastreError)]
    assert refusal.reason == "IpamResourceDiscoveryAssociationLimitExceeded"
    assert refusal.metadata == {"quota": "5", "count": "5", "ipam_id": ipam.ipam_id}
    assert len(await own.associations()) == 5


@on_sqlite_alone
async def test_the_quota_of_associations_is_adjustable(  # requirements section 14
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CADASTRE_QUOTA_DISCOVERY_ASSOCIATIONS_PER_IPAM", "1")
    async with world.serving() as client:
        own = Discoveries(client)
        ipam, discovery = await client.create_ipam(), await own.create()
        with pytest.raises(CadastreError, match="at most 1"):
            await own.associate(ipam.ipam_id, discovery.ipam_resource_discovery_id)


@on_sqlite_alone
async def test_nothing_is_changed_under_an_ipam_on_its_way_out(  # IPAM-9
    own: Discoveries, world: World
) -> None:
    ipam = await own.client.create_ipam()
    discovery_id = (await own.create()).ipam_resource_discovery_id
    await own.client.create_pool(ipam.private_default_scope_id)
    world.ledger.is_down = True
    await own.client("DeleteIpam", ipam_id=ipam.ipam_id, cascade=True)
    for call in (
        own.modify(ipam.default_resource_discovery_id, description="still here"),
        own.associate(ipam.ipam_id, discovery_id),
    ):
        with pytest.raises(CadastreError) as refusal:
            await call
        assert refusal.value.reason == "IncorrectState"
    await own.modify(discovery_id, description="not under it")


@on_sqlite_alone
@pytest.mark.parametrize(
    ("name", "values", "wanted"),
    [
        ("is-default", ["true"], [True]),
        ("description", ["ours*"], [False]),
        ("tag:cost", ["cc123"], [False]),
        ("state", ["create-complete"], [True, False]),
        ("ipam-resource-discovery-region", [WEST], []),
    ],
)
async def test_filters_narrow_the_list(  # BEY-6
    own: Discoveries, name: str, values: list[str], wanted: list[bool]
) -> None:
    await own.client.create_ipam()
    await own.create(description="ours alone", tag_specifications=tags("ipam-resource-discovery"))
    found = await own.seen(filters=[{"name": name, "values": values}])
    assert [discovery.is_default for discovery in found] == wanted


@on_sqlite_alone
@pytest.mark.parametrize(
    ("name", "values", "wanted"),
    [
        ("is-default", ["false"], [False]),
        ("resource-discovery-status", ["active"], [True, False]),
        ("resource-discovery-status", ["not-found"], []),
        ("state", ["associate-complete"], [True, False]),
    ],
)
async def test_filters_narrow_the_list_of_associations(  # BEY-6
    own: Discoveries, name: str, values: list[str], wanted: list[bool]
) -> None:
    ipam = await own.client.create_ipam()
    await own.associate(ipam.ipam_id, (await own.create()).ipam_resource_discovery_id)
    found = await own.associations(filters=[{"name": name, "values": values}])
    assert [association.is_default for association in found] == wanted
