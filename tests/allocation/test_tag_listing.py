"""DescribeTags of the ledger: allocations, along pools and their addresses."""

from typing import Any

import pytest

from cadastre.common.tags.v1 import tag_service_pb2 as pb
from cadastre.common.tags.v1 import tag_service_pb2_grpc
from cadastre.common.v1 import types_pb2
from shared.caller import Caller
from shared.errors import CadastreError
from shared.paging import token_after
from tests.allocation.world import ACCOUNT, HOME, STRANGER, WEST, World

KIND = "ipam-pool-allocation"


async def described(
    world: World, *, account: str = ACCOUNT, region: str = HOME, **members: Any
) -> pb.DescribeTagsResponse:
    stub = tag_service_pb2_grpc.TagServiceStub(world.remote.channel)
    answer: pb.DescribeTagsResponse = await world.remote.call(
        stub.DescribeTags,
        pb.DescribeTagsRequest(**members),
        caller=Caller(account, region, "tester"),
    )
    return answer


async def listed(world: World, **members: Any) -> list[tuple[str, str, str]]:
    """Ids, keys and values, page by page."""
    request = {"max_results": 5, **members}
    found, token = [], ""
    while True:
        answer = await described(world, **request, next_token=token)
        assert {tag.resource_type for tag in answer.tags} <= {KIND}
        found += [(tag.resource_id, tag.key, tag.value) for tag in answer.tags]
        if not (token := answer.next_token):
            return found
        assert len(answer.tags) == request["max_results"]


async def allocate(world: World, pool_id: str, cidr: str, **tags: str) -> str:
    specification = {
        "resource_type": KIND,
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    }
    allocation = await world.allocate(pool_id, cidr=cidr, tag_specifications=[specification])
    allocation_id: str = allocation.ipam_pool_allocation_id
    return allocation_id


def filtered(name: str, *values: str) -> dict[str, Any]:
    return {"filters": [types_pb2.Filter(name=name, values=values)]}


async def test_tags_are_listed_by_pool_address_and_key(world: World) -> None:
    first, second = [await world.pool(f"10.{n}.0.0/16", locale=WEST) for n in (1, 2)]
    later = await allocate(world, second, "10.2.0.0/24", Name="c")
    high = await allocate(world, first, "10.1.9.0/24", Name="b", **{f"t{n}": "" for n in range(8)})
    low = await allocate(world, first, "10.1.1.0/24", env="x", Name="a")
    await allocate(world, first, "10.1.2.0/24")
    all_of_them = [
        (low, "Name", "a"),
        (low, "env", "x"),
        (high, "Name", "b"),
        *((high, f"t{n}", "") for n in range(8)),
        (later, "Name", "c"),
    ]
    assert await listed(world) == all_of_them
    for members, wanted in (
        (filtered("resource-id", later, low), [all_of_them[0], all_of_them[1], all_of_them[-1]]),
        (filtered("key", "N*"), [all_of_them[0], all_of_them[2], all_of_them[-1]]),
        (filtered("value", "x", "c"), [all_of_them[1], all_of_them[-1]]),
        (filtered("tag:Name", "?"), [all_of_them[0], all_of_them[2], all_of_them[-1]]),
        (filtered("resource-type", KIND), all_of_them),
        (filtered("resource-type", "vpc"), []),
    ):
        assert await listed(world, **members) == wanted, members


async def test_only_the_owner_of_the_pool_sees_them_where_it_lists_allocations(  # BEY-12
    world: World,
) -> None:
    pool = await world.pool("10.0.0.0/16", locale=WEST)
    held = await allocate(world, pool, "10.0.0.0/24", Name="a")
    assert await listed(world) == [(held, "Name", "a")]
    assert await listed(world, account=STRANGER) == []
    assert await listed(world, region=WEST) == []
    allocation = (await world.allocations(pool))[0]
    await world.release(pool, allocation)
    assert await listed(world) == []


async def test_a_forged_token_is_refused(world: World) -> None:
    for key in ("0 x/00 00", "0 1/zz 00", "0 1 0", "7 1/00 00 00"):
        token = token_after(pb.DescribeTagsRequest(), key)
        with pytest.raises(CadastreError) as refusal:
            await described(world, next_token=token)
        assert refusal.value.reason == "InvalidNextToken", key
