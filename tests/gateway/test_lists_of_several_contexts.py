"""DescribeTags by unmodified clients: every context is asked for its part, and all is one list."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cadastre.common.tags.v1 import tag_service_pb2 as pb
from tests.gateway.edge import Edge
from tests.gateway.fakes import Refusal, Reply

KINDS = ("ipam-pool", "ipam-pool-allocation", "vpc", "ipam-prefix-list-resolver")


def answer(kind: str, *numbers: int, token: str | None = None) -> pb.DescribeTagsResponse:
    tags = [
        pb.TagDescription(key=f"k{n}", value="", resource_id=f"{kind}-1", resource_type=kind)
        for n in numbers
    ]
    return pb.DescribeTagsResponse(tags=tags, next_token=token)


def replying(edge: Edge, *replies: Reply) -> None:
    """To one request after the other, whichever context it is for."""
    one_by_one: Iterator[Reply] = iter(replies)
    edge.fakes.answers["DescribeTags"] = lambda _: next(one_by_one)


def asked(edge: Edge) -> list[tuple[int, str]]:
    """Sizes and tokens."""
    return [(request.max_results, request.next_token) for _, request in edge.fakes.requests]


def test_a_paginator_runs_through_all_contexts_to_the_end(edge: Edge) -> None:
    pool, allocation, vpc, resolver = KINDS
    replying(
        edge,
        answer(pool, *range(5), token="a+b/c="),
        answer(pool, 5),
        answer(allocation),
        answer(vpc, *range(5), token="more"),
        answer(vpc, 5, 6),
        answer(resolver, 0),
    )
    pages = edge.client().get_paginator("describe_tags").paginate(PaginationConfig={"PageSize": 6})
    # Where fewer are left than a context may be asked for, the page is a short one.
    assert [[(tag["ResourceType"], tag["Key"]) for tag in page["Tags"]] for page in pages] == [
        [(pool, f"k{n}") for n in range(5)],
        [(pool, "k5"), *((vpc, f"k{n}") for n in range(5))],
        [(vpc, "k5"), (vpc, "k6")],
        [(resolver, "k0")],
    ]
    assert asked(edge) == [(6, ""), (6, "a+b/c="), (5, ""), (5, ""), (6, "more"), (6, "")]


def test_without_a_size_all_that_fits_is_one_answer(edge: Edge) -> None:
    replying(edge, *(answer(kind, 0) for kind in KINDS))
    filters: list[Any] = [{"Name": "key", "Values": ["k?", ""]}]
    found = edge.ec2("describe_tags", Filters=filters)
    assert [tag["ResourceType"] for tag in found["Tags"]] == list(KINDS)
    assert "NextToken" not in found
    assert found["Tags"][0] == {
        "Key": "k0",
        "ResourceId": "ipam-pool-1",
        "ResourceType": "ipam-pool",
        "Value": "",
    }
    for _, request in edge.fakes.requests:
        assert [(one.name, list(one.values)) for one in request.filters] == [("key", ["k?", ""])]


def test_what_one_context_refuses_is_the_answer_and_no_part_of_the_truth(edge: Edge) -> None:
    replying(edge, answer("ipam", 0), Refusal("RequestLimitExceeded"))
    with pytest.raises(ClientError) as refusal:
        edge.ec2("describe_tags")
    assert refusal.value.response["Error"]["Code"] == "RequestLimitExceeded"


def test_a_token_that_was_not_issued_reaches_no_context(edge: Edge) -> None:
    with pytest.raises(ClientError) as refusal:
        edge.ec2("describe_tags", NextToken="a+b/c=")
    assert refusal.value.response["Error"]["Code"] == "InvalidNextToken"
    assert edge.fakes.requests == []
