"""Targets of prefix list resolvers through gRPC."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.discovery.v1 import prefix_list_resolver_service_pb2 as pb
from shared.errors import CadastreError, QuotaExceeded
from tests.discovery.monitored import HOME, IPAM, OTHER_IPAM, OWNER, STRANGER, WEST
from tests.discovery.prefix_lists import (
    LIST,
    SECOND_LIST,
    SIX_LIST,
    UNKNOWN_LIST,
    UNKNOWN_RESOLVER,
    Resolving,
    about_vpcs,
    resolving,
    static,
    word,
)
from tests.network.support import tagged
from tests.waiting import eventually

TAG = "ipam-prefix-list-resolver-target"
A, B = "10.1.0.0/16", "10.2.0.0/16"


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Resolving]:
    async with resolving(f"sqlite:///{tmp_path}/discovery.db", tmp_path) as found:
        yield found


@pytest.fixture
async def anywhere(database_url: str, tmp_path: Path) -> AsyncIterator[Resolving]:
    """On both databases, where they may differ."""
    async with resolving(database_url, tmp_path) as found:
        yield found


def of(target_id: str, request: Any, **members: Any) -> Any:
    return request(ipam_prefix_list_resolver_target_id=target_id, **members)


async def two_versions(it: Resolving) -> str:
    """A resolver with version 1, `A`, and version 2, `A` and `B`."""
    resolver_id = await it.create(about_vpcs())
    it.resource("vpc", "vpc-00000001", A)
    await it.evaluated()
    it.resource("vpc", "vpc-00000002", B)
    await it.evaluated()
    return resolver_id


async def test_a_prefix_list_gets_what_the_latest_version_has(anywhere: Resolving) -> None:
    resolver_id = await anywhere.create(about_vpcs())
    anywhere.resource("vpc", "vpc-00000001", A)
    await anywhere.evaluated()
    request = pb.CreateIpamPrefixListResolverTargetRequest(
        ipam_prefix_list_resolver_id=resolver_id,
        prefix_list_id=LIST,
        prefix_list_region=WEST,
        track_latest_version=True,
        tag_specifications=tagged(TAG, env="prod"),
    )
    made = (await anywhere.ask(request)).ipam_prefix_list_resolver_target
    target_id = made.ipam_prefix_list_resolver_target_id
    assert target_id.startswith("ipam-plrt-")
    assert made.ipam_prefix_list_resolver_target_arn == (
        f"arn:aws:ec2::{OWNER}:ipam-prefix-list-resolver-target/{target_id}"
    )
    assert (word(made, "state"), made.desired_version) == ("create-in-progress", 1)
    found = await anywhere.target_in(target_id, "sync-complete", last_synced_version=1)
    assert found.track_latest_version
    assert (found.prefix_list_id, found.prefix_list_region) == (LIST, WEST)
    assert [(tag.key, tag.value) for tag in found.tags] == [("env", "prod")]
    assert anywhere.network.lists[LIST].entries == [A]

    anywhere.resource("vpc", "vpc-00000002", B)
    await anywhere.evaluated()
    await anywhere.target_in(target_id, "sync-complete", last_synced_version=2, desired_version=2)
    assert anywhere.network.lists[LIST].entries == [A, B]


async def test_a_target_made_before_the_first_version_waits_for_it(it: Resolving) -> None:
    resolver_id = await it.create(static(A))
    target_id = await it.create_target(resolver_id)
    found = await it.target_in(target_id, "create-complete")
    assert not found.HasField("desired_version")
    await it.evaluated()
    await it.target_in(target_id, "sync-complete", last_synced_version=1)


async def test_a_pinned_version_stays(it: Resolving) -> None:
    target_id = await it.create_target(await two_versions(it), desired_version=1)
    found = await it.target_in(target_id, "sync-complete", last_synced_version=1)
    assert not found.track_latest_version
    assert it.network.lists[LIST].entries == [A]
    it.resource("vpc", "vpc-00000003", "10.3.0.0/16")
    await it.evaluated()
    await eventually(lambda: _has_no_steps(it))
    assert (await it.target(target_id)).last_synced_version == 1
    assert it.network.lists[LIST].entries == [A]


async def test_without_a_version_the_latest_of_now_is_pinned(it: Resolving) -> None:
    resolver_id = await two_versions(it)
    target_id = await it.create_target(resolver_id, track_latest_version=False)
    found = await it.target_in(target_id, "sync-complete")
    assert (found.desired_version, found.track_latest_version) == (2, False)


async def test_another_version_is_given_when_it_is_wanted(anywhere: Resolving) -> None:
    target_id = await anywhere.create_target(await two_versions(anywhere))
    await anywhere.target_in(target_id, "sync-complete", last_synced_version=2)
    back = of(target_id, pb.ModifyIpamPrefixListResolverTargetRequest, desired_version=1)
    modified = (await anywhere.ask(back)).ipam_prefix_list_resolver_target
    assert (word(modified, "state"), modified.desired_version) == ("modify-in-progress", 1)
    found = await anywhere.target_in(target_id, "sync-complete", last_synced_version=1)
    assert not found.track_latest_version
    again = of(target_id, pb.ModifyIpamPrefixListResolverTargetRequest, track_latest_version=True)
    await anywhere.ask(again)
    await anywhere.target_in(target_id, "sync-complete", last_synced_version=2)
    stay = of(target_id, pb.ModifyIpamPrefixListResolverTargetRequest, track_latest_version=False)
    stayed = (await anywhere.ask(stay)).ipam_prefix_list_resolver_target
    assert (stayed.desired_version, stayed.track_latest_version) == (2, False)


async def test_a_refusal_is_told_and_tried_again(it: Resolving) -> None:
    it.network.refusal = QuotaExceeded("PrefixListMaxEntriesExceeded", "1 is the most", quota=1)
    resolver_id = await two_versions(it)
    target_id = await it.create_target(resolver_id)
    failed = await it.target_in(target_id, "sync-failed")
    assert failed.state_message == "1 is the most"
    assert not failed.HasField("last_synced_version")
    it.network.refusal = None
    await eventually(lambda: _has_no_steps(it))
    await it.work.syncing.look_again()
    done = await it.target_in(target_id, "sync-complete", last_synced_version=2)
    assert not done.HasField("state_message")


async def test_what_others_did_to_a_list_is_undone_at_the_next_look(it: Resolving) -> None:
    target_id = await it.create_target(await two_versions(it))
    await it.target_in(target_id, "sync-complete")
    await eventually(lambda: _has_no_steps(it))
    it.network.lists[LIST].entries = []
    await it.work.syncing.look_again()
    await eventually(lambda: _has_no_steps(it))
    assert it.network.lists[LIST].entries == [A, B]
    assert word(await it.target(target_id), "state") == "sync-complete"


async def test_a_look_adds_nothing_to_what_is_to_be_done_already(anywhere: Resolving) -> None:
    target_id = await anywhere.create_target(await two_versions(anywhere))
    await anywhere.target_in(target_id, "sync-complete")
    await eventually(lambda: _has_no_steps(anywhere))
    anywhere.network.is_away = True
    for _ in range(3):
        await anywhere.work.syncing.look_again()
    assert anywhere.steps() == 1


async def test_what_is_to_be_done_outlives_a_restart(database_url: str, tmp_path: Path) -> None:
    async with resolving(database_url, tmp_path) as it:
        target_id = await it.create_target(await two_versions(it))
        await it.target_in(target_id, "sync-complete")
        it.network.is_away = True
        asked = it.network.calls
        await it.ask(of(target_id, pb.DeleteIpamPrefixListResolverTargetRequest))
        await eventually(lambda: _has_asked(it, asked))
        assert word(await it.target(target_id), "state") == "delete-in-progress"
    async with resolving(database_url, tmp_path, is_new=False) as it:
        it.network.lists[LIST].target_id = target_id
        await it.is_removed(target_id)
        assert it.network.lists[LIST].target_id == ""


async def test_a_list_that_goes_to_another_meanwhile_is_a_failed_creation(it: Resolving) -> None:
    resolver_id = await two_versions(it)
    it.network.is_taken_at_attaching = True
    target_id = await it.create_target(resolver_id)
    failed = await it.target_in(target_id, "create-failed")
    assert failed.state_message == "another target has it"
    change = of(target_id, pb.ModifyIpamPrefixListResolverTargetRequest, desired_version=1)
    with pytest.raises(CadastreError) as refused:
        await it.ask(change)
    assert refused.value.reason == "IncorrectState"
    await it.ask(of(target_id, pb.DeleteIpamPrefixListResolverTargetRequest))
    await it.is_removed(target_id)


async def test_a_deleted_target_lets_go_of_its_list(it: Resolving) -> None:
    resolver_id = await two_versions(it)
    target_id = await it.create_target(resolver_id)
    await it.target_in(target_id, "sync-complete")
    with pytest.raises(CadastreError) as refused:
        await it.ask(
            pb.DeleteIpamPrefixListResolverRequest(ipam_prefix_list_resolver_id=resolver_id)
        )
    assert refused.value.reason == "DependencyViolation"
    gone = await it.ask(of(target_id, pb.DeleteIpamPrefixListResolverTargetRequest))
    assert word(gone.ipam_prefix_list_resolver_target, "state") == "delete-in-progress"
    await it.is_removed(target_id)
    known = it.network.lists[LIST]
    assert (known.target_id, known.entries) == ("", [A, B])
    await it.ask(pb.DeleteIpamPrefixListResolverRequest(ipam_prefix_list_resolver_id=resolver_id))


async def test_a_target_of_a_list_that_is_gone_can_be_deleted(it: Resolving) -> None:
    target_id = await it.create_target(await two_versions(it))
    await it.target_in(target_id, "sync-complete")
    del it.network.lists[LIST]
    await it.work.syncing.look_again()
    failed = await it.target_in(target_id, "sync-failed")
    assert LIST in failed.state_message
    await it.ask(of(target_id, pb.DeleteIpamPrefixListResolverTargetRequest))
    await it.is_removed(target_id)


async def test_resolvers_go_with_their_ipam_and_let_go_of_their_lists(
    anywhere: Resolving,
) -> None:  # IPAM-9
    resolver_id = await two_versions(anywhere)
    target_id = await anywhere.create_target(resolver_id)
    other_id = await anywhere.create(ipam_id=OTHER_IPAM)
    await anywhere.target_in(target_id, "sync-complete")
    await anywhere.work.resolving.keep_only({IPAM, OTHER_IPAM})
    assert (await anywhere.target(target_id)).last_synced_version == 2
    await anywhere.work.resolving.keep_only({OTHER_IPAM})
    await anywhere.is_removed(target_id)
    known = anywhere.network.lists[LIST]
    assert (known.target_id, known.entries) == ("", [A, B])
    listed = await anywhere.ask(pb.DescribeIpamPrefixListResolversRequest())
    left = [one.ipam_prefix_list_resolver_id for one in listed.ipam_prefix_list_resolvers]
    assert left == [other_id]


async def test_a_target_that_can_not_be_is_refused(it: Resolving) -> None:
    resolver_id = await two_versions(it)
    await it.create_target(resolver_id, prefix_list_id=SECOND_LIST)
    await eventually(lambda: _has_no_steps(it))
    for members, reason in (
        ({"prefix_list_id": UNKNOWN_LIST}, "InvalidPrefixListID.NotFound"),
        ({"prefix_list_region": HOME}, "InvalidPrefixListID.NotFound"),
        ({"prefix_list_id": SIX_LIST}, "InvalidParameterCombination"),
        ({"prefix_list_id": SECOND_LIST}, "IncorrectState"),
        (
            {"desired_version": 1, "track_latest_version": True},
            "InvalidParameterCombination",
        ),
        ({"desired_version": 3}, "InvalidIpamPrefixListResolverVersion.NotFound"),
        ({"tag_specifications": tagged("ipam", a="b")}, "InvalidParameterValue"),
    ):
        with pytest.raises(CadastreError) as refused:
            await it.create_target(resolver_id, **members)
        assert refused.value.reason == reason
    with pytest.raises(CadastreError) as refused:
        await it.create_target(UNKNOWN_RESOLVER)
    assert refused.value.reason == "InvalidIpamPrefixListResolverId.NotFound"


async def test_a_resolver_has_as_many_targets_as_it_may(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CADASTRE_QUOTA_TARGETS_PER_PREFIX_LIST_RESOLVER", "1")
    async with resolving(f"sqlite:///{tmp_path}/discovery.db", tmp_path) as it:
        resolver_id = await it.create()
        await it.create_target(resolver_id)
        with pytest.raises(CadastreError) as refused:
            await it.create_target(resolver_id, prefix_list_id=SECOND_LIST)
        assert refused.value.reason == "IpamPrefixListResolverTargetLimitExceeded"


async def test_a_repeated_request_gets_the_first_answer(it: Resolving) -> None:  # ALLOC-7
    resolver_id = await two_versions(it)
    target_id = await it.create_target(resolver_id, client_token="once")
    # Its list is a target's now: its own.
    await it.target_in(target_id, "sync-complete")
    assert await it.create_target(resolver_id, client_token="once") == target_id
    change = of(
        target_id,
        pb.ModifyIpamPrefixListResolverTargetRequest,
        desired_version=1,
        client_token="once",
    )
    assert await it.ask(change) == await it.ask(change)


async def test_a_dry_run_changes_nothing(it: Resolving) -> None:
    resolver_id = await two_versions(it)
    target_id = await it.create_target(resolver_id)
    await it.target_in(target_id, "sync-complete")
    for request in (
        of(target_id, pb.ModifyIpamPrefixListResolverTargetRequest, desired_version=1),
        of(target_id, pb.DeleteIpamPrefixListResolverTargetRequest),
    ):
        request.dry_run = True
        with pytest.raises(CadastreError) as refused:
            await it.ask(request)
        assert refused.value.reason == "DryRunOperation"
    with pytest.raises(CadastreError) as refused:
        await it.create_target(resolver_id, prefix_list_id=SECOND_LIST, dry_run=True)
    assert refused.value.reason == "DryRunOperation"
    listed = await it.ask(pb.DescribeIpamPrefixListResolverTargetsRequest())
    [found] = listed.ipam_prefix_list_resolver_targets
    assert (found.desired_version, word(found, "state")) == (2, "sync-complete")


async def test_targets_are_listed_by_resolver_and_filter(it: Resolving) -> None:
    first, second = await it.create(static(A)), await it.create(static(B))
    one = await it.create_target(first)
    two = await it.create_target(second, prefix_list_id=SECOND_LIST)
    by_list = types_pb2.Filter(name="prefix-list-id", values=[SECOND_LIST])
    for members, expected in (
        ({}, [one, two]),
        ({"ipam_prefix_list_resolver_id": second}, [two]),
        ({"filters": [by_list]}, [two]),
    ):
        request = pb.DescribeIpamPrefixListResolverTargetsRequest(**members)
        found = (await it.ask(request)).ipam_prefix_list_resolver_targets
        assert [target.ipam_prefix_list_resolver_target_id for target in found] == expected


async def test_others_targets_are_not_there(it: Resolving) -> None:  # BEY-12
    target_id = await it.create_target(await two_versions(it))
    named = [target_id]
    requests = [
        pb.DescribeIpamPrefixListResolverTargetsRequest(ipam_prefix_list_resolver_target_ids=named),
        of(target_id, pb.ModifyIpamPrefixListResolverTargetRequest, desired_version=1),
        of(target_id, pb.DeleteIpamPrefixListResolverTargetRequest),
        pb.CreateTagsRequest(resources=named, tags=[types_pb2.Tag(key="a", value="b")]),
    ]
    for account_id, region in ((STRANGER, HOME), (OWNER, WEST)):
        for request in requests:
            with pytest.raises(CadastreError) as refused:
                await it.ask(request, account_id, region)
            assert refused.value.reason == "InvalidIpamPrefixListResolverTargetId.NotFound"


async def test_tags_are_of_resolvers_and_targets_together(it: Resolving) -> None:
    resolver_id = await it.create()
    target_id = await it.create_target(resolver_id, tag_specifications=tagged(TAG, a="1"))
    both = [target_id, resolver_id]
    added = [types_pb2.Tag(key="b", value="2")]
    await it.ask(pb.CreateTagsRequest(resources=both, tags=added))
    await it.ask(pb.DeleteTagsRequest(resources=both, tags=[types_pb2.Tag(key="a")]))
    for found in (await it.resolver(resolver_id), await it.target(target_id)):
        assert [(tag.key, tag.value) for tag in found.tags] == [("b", "2")]


async def _has_no_steps(it: Resolving) -> bool:
    return it.steps() == 0


async def _has_asked(it: Resolving, before: int) -> bool:
    return it.network.calls > before
