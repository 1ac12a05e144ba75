"""The feed of organizations, for those who let callers in (ORG-6)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.control_plane.organizations.organization import FeatureSet, Organization
from services.control_plane.organizations.snapshot import Snapshot
from services.control_plane.service.organizations.feed import (
    Deleted,
    News,
    OrganizationFeed,
    Synced,
)
from shared.errors import CadastreError
from shared.feed import Bell
from tests.control_plane.organizations import (
    DENY_ALL,
    FULL_ACCESS,
    MANAGEMENT,
    OUTSIDER,
    SCP,
    an_organization,
)
from tests.control_plane.world import ACCOUNT, AUTHORIZATION, Client, World
from tests.postgres import DIALECTS
from tests.waiting import PATIENCE_SECONDS


class Watching:
    """What a follower was told so far."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self._came = asyncio.Condition()

    @property
    def kinds(self) -> list[str]:
        return [response.WhichOneof("change") for response in self.told]

    @property
    def latest(self) -> Any:
        """Of the organizations, the one told last."""
        found = [one.organization for one in self.told if one.HasField("organization")]
        return found[-1] if found else None

    async def hear(self, responses: AsyncIterator[Any]) -> None:
        async for response in responses:
            async with self._came:
                self.told.append(response)
                self._came.notify_all()

    async def until(self, is_enough: Callable[["Watching"], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS), self._came:
            await self._came.wait_for(lambda: is_enough(self))


@asynccontextmanager
async def watching(client: Client) -> AsyncIterator[Watching]:
    watch = Watching()
    stream = client.stream_of(AUTHORIZATION, "WatchOrganizations")
    following = asyncio.create_task(watch.hear(stream))
    try:
        yield watch
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_all_organizations_are_told_and_then_that_these_are_all(control: Client) -> None:
    async with watching(control) as watch:
        await watch.until(lambda seen: seen.kinds == ["synced"])
    made = {(await an_organization(control, one)).id for one in (MANAGEMENT, OUTSIDER)}
    async with watching(control) as watch:
        await watch.until(lambda seen: "synced" in seen.kinds)
    assert watch.kinds == ["organization", "organization", "synced"]
    assert {one.organization.organization_id for one in watch.told[:2]} == made


async def test_a_snapshot_has_what_decides_what_accounts_may_do(control: Client) -> None:  # ORG-6
    it = await an_organization(control)
    outer = await it.unit("outer")
    inner = await it.unit("inner", outer)
    member = await it.account("member", inner)
    await it.enable_policies()
    policy_id = await it.policy("policy")
    await it.policy("attached nowhere")
    await it("AttachPolicy", policy_id=policy_id, target_id=outer)
    async with watching(control) as watch:
        await watch.until(lambda seen: "synced" in seen.kinds)
    told = watch.latest
    assert told.organization_id == it.id
    assert told.management_account_id == MANAGEMENT
    assert told.is_enforced
    assert [(one.id, one.parent_id, list(one.policy_ids)) for one in told.entities] == [
        (it.root_id, "", [FULL_ACCESS]),
        (outer, it.root_id, [FULL_ACCESS, policy_id]),
        (inner, outer, [FULL_ACCESS]),
        (MANAGEMENT, it.root_id, [FULL_ACCESS]),
        (member, inner, [FULL_ACCESS]),
    ]
    documents = {one.policy_id: one.content for one in told.policies}
    assert documents[policy_id] == DENY_ALL
    assert set(documents) == {FULL_ACCESS, policy_id}


async def test_every_change_is_told_with_a_later_version(control: Client) -> None:
    it = await an_organization(control)
    async with watching(control) as watch:
        await watch.until(lambda seen: "synced" in seen.kinds)

        async def told_after(change: Any) -> Any:
            version = watch.latest.version
            await change
            await watch.until(lambda seen: seen.latest.version > version)
            return watch.latest

        unit = (await told_after(it.unit("unit"))).entities[1].id
        told = await told_after(it.account("member"))
        member = it.ids["member"]
        assert [one.id for one in told.entities] == [it.root_id, unit, MANAGEMENT, member]
        told = await told_after(
            it(
                "MoveAccount",
                account_id=member,
                source_parent_id=it.root_id,
                destination_parent_id=unit,
            )
        )
        assert told.entities[3].parent_id == unit
        assert not told.is_enforced
        assert (await told_after(it.enable_policies())).is_enforced
        policy_id = await it.policy("policy")
        await watch.until(lambda seen: seen.latest.version == told.version + 2)
        attach = it("AttachPolicy", policy_id=policy_id, target_id=unit)
        assert policy_id in (await told_after(attach)).entities[1].policy_ids
        allow_all = DENY_ALL.replace("Deny", "Allow")
        told = await told_after(it("UpdatePolicy", policy_id=policy_id, content=allow_all))
        assert {one.policy_id: one.content for one in told.policies}[policy_id] == allow_all
        disable = it("DisablePolicyType", root_id=it.root_id, policy_type=SCP)
        assert not (await told_after(disable)).is_enforced
        told = await told_after(it("RemoveAccountFromOrganization", account_id=member))
        assert [one.id for one in told.entities] == [it.root_id, unit, MANAGEMENT]
    versions = [one.organization.version for one in watch.told if one.HasField("organization")]
    assert versions == sorted(set(versions))


async def test_an_end_is_told(control: Client) -> None:
    async with watching(control) as watch:
        it = await an_organization(control)
        await watch.until(lambda seen: seen.latest is not None)
        await it("DeleteOrganization")
        await watch.until(lambda seen: "deleted_organization_id" in seen.kinds)
    assert watch.told[-1].deleted_organization_id == it.id


@pytest.mark.parametrize("database_url", DIALECTS[1:], indirect=True)
async def test_what_another_replica_commits_is_told_too(world: World) -> None:
    async with world.serving() as here, world.serving() as there, watching(here) as watch:
        await watch.until(lambda seen: "synced" in seen.kinds)
        it = await an_organization(there)
        await watch.until(lambda seen: seen.latest is not None)
        assert watch.latest.organization_id == it.id
        await it("DeleteOrganization")
        await watch.until(lambda seen: seen.kinds[-1] == "deleted_organization_id")


async def test_accounts_do_not_read_the_feed(control: Client) -> None:
    with pytest.raises(CadastreError) as refusal:
        async for _ in control.acting_as(ACCOUNT).stream_of(
            AUTHORIZATION, "WatchOrganizations", as_service=""
        ):
            pass
    assert refusal.value.reason == "UnauthorizedOperation"


class Remembered:
    """Rows and reader in one: a test says which organizations there are, at which versions."""

    def __init__(self) -> None:
        self.now: dict[str, int] = {}
        self.organizations = self

    def versions(self) -> dict[str, int]:
        return dict(self.now)

    def snapshot(self, organization_id: str) -> Snapshot:
        organization = Organization(
            organization_id=organization_id,
            management_account_id=MANAGEMENT,
            feature_set=FeatureSet.ALL,
            root_id="r-abcd",
            version=self.now[organization_id],
        )
        return Snapshot(organization, [], {})

    async def read(self, question: Callable[[Any], Any]) -> Any:
        return question(self)


def shown(news: News) -> tuple[str, int] | str:
    match news:
        case Snapshot():
            return news.organization.organization_id, news.organization.version
        case Deleted():
            return f"{news.organization_id} is gone"
        case Synced():
            return "synced"


async def test_an_organization_made_anew_under_its_id_is_first_told_to_be_gone() -> None:
    remembered, bell = Remembered(), Bell()
    remembered.now = {"o-a": 7, "o-b": 1}
    feed = OrganizationFeed(remembered, bell, poll_seconds=60).follow()
    assert [shown(await anext(feed)) for _ in range(3)] == [("o-a", 7), ("o-b", 1), "synced"]
    following = asyncio.ensure_future(anext(feed))
    await asyncio.sleep(0)
    remembered.now = {"o-a": 2, "o-c": 1}
    bell.ring()
    told = [shown(await following), *[shown(await anext(feed)) for _ in range(3)]]
    assert told == ["o-a is gone", "o-b is gone", ("o-a", 2), ("o-c", 1)]
