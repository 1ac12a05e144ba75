"""Prefix list resolvers through gRPC."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.discovery.v1 import monitoring_service_pb2
from cadastre.discovery.v1 import prefix_list_resolver_service_pb2 as pb
from services.discovery.service.resolver_rows import Rows, Store
from services.discovery.service.resolving import Resolving as Follower
from shared.errors import CadastreError
from tests.discovery.monitored import (
    FOREIGN,
    HOME,
    IPAM,
    NOW,
    OTHER_IPAM,
    OTHERS,
    OWNER,
    POOL,
    PRIVATE,
    SECOND,
    STRANGER,
    WEST,
)
from tests.discovery.prefix_lists import (
    DYING_IPAM,
    FREE_IPAM,
    NOT_EQUALS,
    OTHER_POOL,
    SUBNET_OF,
    UNKNOWN_RESOLVER,
    Resolving,
    about_vpcs,
    condition,
    pool,
    resolving,
    rule,
    static,
    word,
)
from tests.network.support import tagged

T = TypeVar("T")
TAG = "ipam-prefix-list-resolver"
IPV4, IPV6 = types_pb2.ADDRESS_FAMILY_IPV4, types_pb2.ADDRESS_FAMILY_IPV6


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Resolving]:
    async with resolving(f"sqlite:///{tmp_path}/discovery.db", tmp_path) as found:
        yield found


@pytest.fixture
async def anywhere(database_url: str, tmp_path: Path) -> AsyncIterator[Resolving]:
    """On both databases, where they may differ."""
    async with resolving(database_url, tmp_path) as found:
        yield found


def of(resolver_id: str, request: Any, **members: Any) -> Any:
    return request(ipam_prefix_list_resolver_id=resolver_id, **members)


async def test_a_resolver_is_told_as_it_was_made(it: Resolving) -> None:
    request = pb.CreateIpamPrefixListResolverRequest(
        ipam_id=IPAM,
        address_family=IPV4,
        description="for peers",
        tag_specifications=tagged(TAG, env="prod"),
    )
    made = (await it.ask(request)).ipam_prefix_list_resolver
    resolver_id = made.ipam_prefix_list_resolver_id
    assert resolver_id.startswith("ipam-plr-")
    assert made.ipam_prefix_list_resolver_arn == (
        f"arn:aws:ec2::{OWNER}:ipam-prefix-list-resolver/{resolver_id}"
    )
    assert made.ipam_arn == f"arn:aws:ec2::{OWNER}:ipam/{IPAM}"
    assert (word(made, "state"), made.ipam_region) == ("create-in-progress", HOME)
    assert word(made, "last_version_creation_status") == "pending"
    assert it.to_evaluate == [IPAM]

    await it.evaluated()
    found = await it.resolver(resolver_id)
    assert (word(found, "state"), found.description) == ("create-complete", "for peers")
    assert word(found, "last_version_creation_status") == "success"
    assert [(tag.key, tag.value) for tag in found.tags] == [("env", "prod")]
    assert await it.versions(resolver_id) == [1]
    assert await it.entries(resolver_id, 1) == []


async def test_a_version_has_what_the_rules_select(anywhere: Resolving) -> None:
    anywhere.resource("vpc", "vpc-00000001", "10.1.0.0/16", tags={"env": "prod"})
    anywhere.resource("vpc", "vpc-00000002", "10.2.0.0/16", tags={"env": "test"})
    anywhere.resource("vpc", "vpc-00000003", "10.3.0.0/16", tags={"env": "prod"}, region=WEST)
    anywhere.resource(
        "vpc", "vpc-00000004", "10.4.0.0/16", ipam_scope_id=SECOND, tags={"env": "prod"}
    )
    anywhere.resource("vpc", "vpc-00000005", "2001:db8::/56", tags={"env": "prod"})
    anywhere.resource("subnet", "subnet-00000001", "10.1.1.0/24", tags={"env": "prod"})
    anywhere.resource("eni", "eni-00000001", "10.1.1.7/32", owner_id=STRANGER)
    prod = condition(
        resource_tag=monitoring_service_pb2.RequestIpamResourceTag(key="env", value="prod")
    )
    here = condition(NOT_EQUALS, resource_region=WEST)
    resolver_id = await anywhere.create(
        about_vpcs(prod, here),
        rule("pool", ipam_scope_id=PRIVATE, conditions=[condition(ipam_pool_id=POOL)]),
        rule(
            "resource",
            ipam_scope_id=PRIVATE,
            resource_type=6,
            conditions=[
                condition(resource_owner=STRANGER),
                condition(SUBNET_OF, cidr="10.1.0.0/16"),
            ],
        ),
        static("192.0.2.0/24"),
    )
    await anywhere.evaluated(
        pool("10.0.0.0/8"),
        pool("11.0.0.0/8", pool_id=OTHER_POOL),
        pool("12.0.0.0/8", scope_id=SECOND),
    )
    assert await anywhere.entries(resolver_id, 1) == [
        "10.0.0.0/8",
        "10.1.0.0/16",
        "10.1.1.7/32",
        "192.0.2.0/24",
    ]


async def test_a_version_is_new_only_when_something_else_is_selected(anywhere: Resolving) -> None:
    resolver_id = await anywhere.create(about_vpcs())
    anywhere.resource("vpc", "vpc-00000001", "10.1.0.0/16")
    await anywhere.evaluated()
    await anywhere.evaluated()
    assert await anywhere.versions(resolver_id) == [1]
    anywhere.resource("vpc", "vpc-00000002", "10.2.0.0/16")
    await anywhere.evaluated()
    assert await anywhere.versions(resolver_id) == [1, 2]
    assert await anywhere.entries(resolver_id, 1) == ["10.1.0.0/16"]
    assert await anywhere.entries(resolver_id, 2) == ["10.1.0.0/16", "10.2.0.0/16"]


async def test_rules_are_told_as_given_and_replaced_all_together(it: Resolving) -> None:
    any_value = monitoring_service_pb2.RequestIpamResourceTag(key="env")
    resolver_id = await it.create(
        static("10.0.0.0/8"), about_vpcs(condition(NOT_EQUALS, resource_tag=any_value))
    )
    asked = of(resolver_id, pb.GetIpamPrefixListResolverRulesRequest)
    first, second = (await it.ask(asked)).rules
    assert (word(first, "rule_type"), first.static_cidr) == ("static-cidr", "10.0.0.0/8")
    assert (word(second, "resource_type"), second.ipam_scope_id) == ("vpc", PRIVATE)
    [told] = second.conditions
    assert (word(told, "operation"), told.resource_tag.key) == ("not-equals", "env")
    assert not told.resource_tag.HasField("value")

    await it.evaluated()
    change = of(resolver_id, pb.ModifyIpamPrefixListResolverRequest, rules=[static("10.9.0.0/16")])
    modified = (await it.ask(change)).ipam_prefix_list_resolver
    assert word(modified, "state") == "modify-in-progress"
    assert word(modified, "last_version_creation_status") == "pending"
    assert it.to_evaluate == [IPAM, IPAM]
    assert [one.static_cidr for one in (await it.ask(asked)).rules] == ["10.9.0.0/16"]
    await it.evaluated()
    assert await it.entries(resolver_id, 2) == ["10.9.0.0/16"]
    assert word(await it.resolver(resolver_id), "state") == "modify-complete"


class Interrupted:
    """A store whose reads are each followed by something else, once."""

    def __init__(self, store: Store, then: Callable[[], Awaitable[object]]) -> None:
        self._store, self._then = store, [then]

    async def read(self, use_case: Callable[[Rows], T]) -> T:
        result = await self._store.read(use_case)
        while self._then:
            await self._then.pop()()
        return result

    async def write(self, use_case: Callable[[Rows], T], *, dry_run: bool = False) -> T:
        return await self._store.write(use_case, dry_run=dry_run)


async def test_what_old_rules_selected_is_not_saved_for_new_ones(anywhere: Resolving) -> None:
    resolver_id = await anywhere.create(static("10.0.0.0/8"))
    change = of(resolver_id, pb.ModifyIpamPrefixListResolverRequest, rules=[static("11.0.0.0/8")])
    store = Interrupted(anywhere.work.store, lambda: anywhere.ask(change))
    await anywhere.evaluated(by=Follower(store, anywhere.work.quotas, lambda: NOW))
    assert await anywhere.versions(resolver_id) == [1]
    assert await anywhere.entries(resolver_id, 1) == ["11.0.0.0/8"]


async def test_a_description_alone_brings_no_evaluation(it: Resolving) -> None:
    resolver_id = await it.create(static("10.0.0.0/8"))
    await it.ask(of(resolver_id, pb.ModifyIpamPrefixListResolverRequest, description="other"))
    found = await it.resolver(resolver_id)
    assert (found.description, it.to_evaluate) == ("other", [IPAM])


async def test_too_many_cidrs_make_no_version_and_say_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CADASTRE_QUOTA_CIDRS_PER_PREFIX_LIST_RESOLVER_VERSION", "2")
    async with resolving(f"sqlite:///{tmp_path}/discovery.db", tmp_path) as it:
        resolver_id = await it.create(about_vpcs())
        for n in range(2):
            it.resource("vpc", f"vpc-0000000{n}", f"10.{n}.0.0/16")
        await it.evaluated()
        it.resource("vpc", "vpc-00000003", "10.3.0.0/16")
        await it.evaluated()
        found = await it.resolver(resolver_id)
        assert word(found, "last_version_creation_status") == "failure"
        assert "more than 2 CIDRs" in found.last_version_creation_status_message
        assert await it.versions(resolver_id) == [1]


async def test_on_the_free_tier_nothing_is_selected_any_more(it: Resolving) -> None:
    resolver_id = await it.create(static("10.0.0.0/8"))
    await it.evaluated()
    await it.evaluated(is_free_tier=True)
    found = await it.resolver(resolver_id)
    assert word(found, "last_version_creation_status") == "failure"
    assert await it.versions(resolver_id) == [1]


async def test_old_versions_go(anywhere: Resolving) -> None:
    resolver_id = await anywhere.create(about_vpcs())
    for n in range(15):
        anywhere.resource("vpc", f"vpc-000000{n:02}", f"10.{n}.0.0/16")
        await anywhere.evaluated()
    assert await anywhere.versions(resolver_id) == [*range(1, 16)]
    anywhere.now.append(anywhere.now[-1] + timedelta(days=8))
    anywhere.resource("vpc", "vpc-00000099", "10.99.0.0/16")
    await anywhere.evaluated()
    assert await anywhere.versions(resolver_id) == [*range(6, 17)]


async def test_a_deleted_resolver_is_gone(it: Resolving) -> None:
    resolver_id = await it.create(static("10.0.0.0/8"))
    await it.evaluated()
    gone = await it.ask(of(resolver_id, pb.DeleteIpamPrefixListResolverRequest))
    assert word(gone.ipam_prefix_list_resolver, "state") == "delete-in-progress"
    with pytest.raises(CadastreError) as refused:
        await it.resolver(resolver_id)
    assert refused.value.reason == "InvalidIpamPrefixListResolverId.NotFound"


async def test_a_repeated_request_gets_the_first_answer(anywhere: Resolving) -> None:  # ALLOC-7
    first = await anywhere.create(static("10.0.0.0/8"), client_token="once")
    assert await anywhere.create(static("10.0.0.0/8"), client_token="once") == first
    with pytest.raises(CadastreError) as refused:
        await anywhere.create(static("10.0.0.0/9"), client_token="once")
    assert refused.value.reason == "IdempotentParameterMismatch"
    assert (
        len(
            (
                await anywhere.ask(pb.DescribeIpamPrefixListResolversRequest())
            ).ipam_prefix_list_resolvers
        )
        == 1
    )


async def test_a_dry_run_changes_nothing(it: Resolving) -> None:
    resolver_id = await it.create(static("10.0.0.0/8"))
    for request in (
        pb.CreateIpamPrefixListResolverRequest(ipam_id=IPAM, address_family=IPV4, dry_run=True),
        of(resolver_id, pb.ModifyIpamPrefixListResolverRequest, description="x", dry_run=True),
        of(resolver_id, pb.DeleteIpamPrefixListResolverRequest, dry_run=True),
    ):
        with pytest.raises(CadastreError) as refused:
            await it.ask(request)
        assert refused.value.reason == "DryRunOperation"
    [found] = (await it.ask(pb.DescribeIpamPrefixListResolversRequest())).ipam_prefix_list_resolvers
    assert not found.description


async def test_lists_have_pages_and_filters(anywhere: Resolving) -> None:
    ids = [
        await anywhere.create(static(f"10.{n}.0.0/16"), tag_specifications=tagged(TAG, n=str(n)))
        for n in range(6)
    ]
    page = await anywhere.ask(pb.DescribeIpamPrefixListResolversRequest(max_results=5))
    rest = await anywhere.ask(
        pb.DescribeIpamPrefixListResolversRequest(max_results=5, next_token=page.next_token)
    )
    found = [*page.ipam_prefix_list_resolvers, *rest.ipam_prefix_list_resolvers]
    assert [one.ipam_prefix_list_resolver_id for one in found] == ids
    wanted = types_pb2.Filter(name="tag:n", values=["3", "4"])
    some = await anywhere.ask(pb.DescribeIpamPrefixListResolversRequest(filters=[wanted]))
    assert [one.ipam_prefix_list_resolver_id for one in some.ipam_prefix_list_resolvers] == ids[3:5]


async def test_entries_rules_and_versions_have_pages(it: Resolving) -> None:
    cidrs = [f"10.{n}.0.0/16" for n in range(7)]
    resolver_id = await it.create(*map(static, cidrs))
    await it.evaluated()
    entries = of(
        resolver_id,
        pb.GetIpamPrefixListResolverVersionEntriesRequest,
        ipam_prefix_list_resolver_version=1,
        max_results=5,
    )
    rules = of(resolver_id, pb.GetIpamPrefixListResolverRulesRequest, max_results=5)
    for request, member, name in ((entries, "entries", "cidr"), (rules, "rules", "static_cidr")):
        page = await it.ask(request)
        request.next_token = page.next_token
        rest = await it.ask(request)
        told = [getattr(one, name) for one in (*getattr(page, member), *getattr(rest, member))]
        assert (told, len(getattr(page, member)), rest.next_token) == (cidrs, 5, "")
    named = of(
        resolver_id,
        pb.GetIpamPrefixListResolverVersionsRequest,
        ipam_prefix_list_resolver_versions=[1],
    )
    assert [one.version for one in (await it.ask(named)).ipam_prefix_list_resolver_versions] == [1]


async def test_versions_that_are_not_there_are_refused(it: Resolving) -> None:
    resolver_id = await it.create()
    entries = pb.GetIpamPrefixListResolverVersionEntriesRequest
    versions = pb.GetIpamPrefixListResolverVersionsRequest
    for request in (
        of(resolver_id, entries, ipam_prefix_list_resolver_version=1),
        of(resolver_id, versions, ipam_prefix_list_resolver_versions=[1]),
    ):
        with pytest.raises(CadastreError) as refused:
            await it.ask(request)
        assert refused.value.reason == "InvalidIpamPrefixListResolverVersion.NotFound"


async def test_rules_about_what_is_not_the_ipams_are_refused(it: Resolving) -> None:
    of_pool = condition(ipam_pool_id=OTHER_POOL)
    of_none = condition(ipam_pool_id="ipam-pool-00000000000000009")
    for given, reason in (
        (about_vpcs(scope_id=FOREIGN), "InvalidParameterValue"),
        (about_vpcs(scope_id=OTHERS), "InvalidIpamScopeId.NotFound"),
        (rule("pool", ipam_scope_id=PRIVATE, conditions=[of_pool]), "InvalidParameterValue"),
        (rule("pool", ipam_scope_id=PRIVATE, conditions=[of_none]), "InvalidIpamPoolId.NotFound"),
        (static("2001:db8::/32"), "InvalidParameterValue"),
        (about_vpcs(condition(cidr="2001:db8::/32")), "InvalidParameterValue"),
    ):
        with pytest.raises(CadastreError) as refused:
            await it.create(given)
        assert refused.value.reason == reason
    assert it.to_evaluate == []


async def test_a_resolver_that_can_not_be_is_refused(it: Resolving) -> None:
    for members, account_id, region, reason in (
        ({"ipam_id": FREE_IPAM}, OWNER, HOME, "UnsupportedOperation"),
        ({"ipam_id": DYING_IPAM}, OWNER, HOME, "IncorrectState"),
        ({"ipam_id": IPAM}, STRANGER, HOME, "InvalidIpamId.NotFound"),
        ({"ipam_id": IPAM}, OWNER, WEST, "InvalidIpamId.NotFound"),
        ({"ipam_id": "ipam-00000000000000009"}, OWNER, HOME, "InvalidIpamId.NotFound"),
        ({"ipam_id": OTHER_IPAM, "rules": [about_vpcs()]}, OWNER, HOME, "InvalidParameterValue"),
        (
            {"ipam_id": IPAM, "rules": [static("10.0.0.0/8")] * 101},
            OWNER,
            HOME,
            "IpamPrefixListResolverRuleLimitExceeded",
        ),
        (
            {"ipam_id": IPAM, "tag_specifications": tagged("ipam", a="b")},
            OWNER,
            HOME,
            "InvalidParameterValue",
        ),
    ):
        request = pb.CreateIpamPrefixListResolverRequest(address_family=IPV4, **members)
        with pytest.raises(CadastreError) as refused:
            await it.ask(request, account_id, region)
        assert refused.value.reason == reason


async def test_an_ipam_has_ten_resolvers_at_most(it: Resolving) -> None:
    for _ in range(10):
        await it.create()
    with pytest.raises(CadastreError) as refused:
        await it.create()
    assert refused.value.reason == "IpamPrefixListResolverLimitExceeded"
    await it.create(ipam_id=OTHER_IPAM)


async def test_others_resolvers_are_not_there(it: Resolving) -> None:  # BEY-12
    resolver_id = await it.create(static("10.0.0.0/8"))
    await it.evaluated()
    entries = pb.GetIpamPrefixListResolverVersionEntriesRequest
    named = [resolver_id]
    requests = [
        pb.DescribeIpamPrefixListResolversRequest(ipam_prefix_list_resolver_ids=named),
        of(resolver_id, pb.ModifyIpamPrefixListResolverRequest, description="mine"),
        of(resolver_id, pb.DeleteIpamPrefixListResolverRequest),
        of(resolver_id, pb.GetIpamPrefixListResolverRulesRequest),
        of(resolver_id, pb.GetIpamPrefixListResolverVersionsRequest),
        of(resolver_id, entries, ipam_prefix_list_resolver_version=1),
        pb.CreateTagsRequest(resources=named, tags=[types_pb2.Tag(key="a", value="b")]),
        pb.DeleteTagsRequest(resources=named),
    ]
    for account_id, region in ((STRANGER, HOME), (OWNER, WEST)):
        for request in requests:
            with pytest.raises(CadastreError) as refused:
                await it.ask(request, account_id, region)
            assert refused.value.reason == "InvalidIpamPrefixListResolverId.NotFound"
        listed = await it.ask(pb.DescribeIpamPrefixListResolversRequest(), account_id, region)
        assert not listed.ipam_prefix_list_resolvers


async def test_tags_are_set_and_removed(it: Resolving) -> None:
    resolver_id = await it.create(tag_specifications=tagged(TAG, a="1", b="2"))
    more = types_pb2.Tag(key="c", value="3")
    await it.ask(pb.CreateTagsRequest(resources=[resolver_id], tags=[more]))
    await it.ask(pb.DeleteTagsRequest(resources=[resolver_id], tags=[types_pb2.Tag(key="a")]))
    found = await it.resolver(resolver_id)
    assert [(tag.key, tag.value) for tag in found.tags] == [("b", "2"), ("c", "3")]
    with pytest.raises(CadastreError) as refused:
        await it.ask(pb.CreateTagsRequest(resources=[resolver_id, UNKNOWN_RESOLVER], tags=[more]))
    assert refused.value.reason == "InvalidIpamPrefixListResolverId.NotFound"


async def test_a_resolver_of_the_other_family_selects_that(it: Resolving) -> None:
    it.resource("vpc", "vpc-00000001", "10.1.0.0/16")
    it.resource("vpc", "vpc-00000001", "2001:db8::/56")
    resolver_id = await it.create(about_vpcs(), address_family=IPV6)
    await it.evaluated()
    assert await it.entries(resolver_id, 1) == ["2001:db8::/56"]
