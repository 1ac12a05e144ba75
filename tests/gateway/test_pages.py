"""Lists that several contexts have parts of: pages over all of them."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadastre.common.tags.v1 import tag_service_pb2 as pb
from services.gateway.ec2.operations import operations_of
from services.gateway.ec2.pages import page_over_all
from services.gateway.ec2.parameters import nested
from services.gateway.model import load_model
from services.gateway.routes import Rpc
from shared.errors import InvalidNextToken
from shared.paging import paginate, token_after

DESCRIBE_TAGS = operations_of(load_model("ec2"))["DescribeTags"]
CONTEXTS = ["control_plane", "allocation", "network", "discovery"]


class Contexts:
    """What each of them has, in pages as they all make them."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self.tags = {
            context: [f"{context}-{number}" for number in range(size)]
            for context, size in zip(CONTEXTS, sizes, strict=True)
        }
        self.asked: list[str] = []

    async def ask(self, rpc: Rpc, request: Any) -> Any:
        assert request.max_results >= 5
        self.asked.append(rpc.context)
        tags = self.tags[rpc.context]

        def after(key: str | None) -> list[tuple[str, pb.TagDescription]]:
            first = tags.index(key) + 1 if key else 0
            return [(tag, pb.TagDescription(key=tag)) for tag in tags[first:]]

        records, token = paginate(request, after)
        return pb.DescribeTagsResponse(tags=records, next_token=token)

    def page(self, **parameters: str) -> tuple[list[str], str]:
        requests = DESCRIBE_TAGS.requests(nested(parameters))
        answer = asyncio.run(page_over_all(requests, self.ask))
        return [tag.key for tag in answer.tags], answer.next_token

    def pages(self, size: int) -> list[list[str]]:
        found, token = self.page(MaxResults=str(size))
        pages = [found]
        while token:
            found, token = self.page(MaxResults=str(size), NextToken=token)
            pages.append(found)
        return pages


@given(st.lists(st.integers(0, 23), min_size=4, max_size=4), st.integers(5, 40))
def test_pages_have_everything_once_in_the_order_of_the_contexts(
    sizes: Sequence[int], size: int
) -> None:
    contexts = Contexts(sizes)
    pages = contexts.pages(size)
    assert [tag for page in pages for tag in page] == [
        tag for context in CONTEXTS for tag in contexts.tags[context]
    ]
    assert all(0 < len(page) <= size for page in pages[:-1])


def test_a_full_page_asks_no_further_context() -> None:
    contexts = Contexts([9, 9, 9, 9])
    assert len(contexts.page(MaxResults="5")[0]) == 5
    assert contexts.asked == ["control_plane"]


def test_without_a_size_a_page_has_all_that_fits() -> None:
    found, token = Contexts([400, 400, 400, 0]).page()
    assert (len(found), token) == (1000, token)
    assert token


@pytest.mark.parametrize("token", ["x", "WzksICIiXQ==", "WyIwIiwgIiJd", "WzAsIDFd", "e30="])
def test_a_token_that_was_not_issued_is_refused(token: str) -> None:
    with pytest.raises(InvalidNextToken):
        Contexts([9, 9, 9, 9]).page(NextToken=token)


def test_a_token_of_another_query_is_refused() -> None:
    contexts = Contexts([5, 9, 9, 9])
    _, token = contexts.page(MaxResults="5")
    assert contexts.page(MaxResults="7", NextToken=token)[0] == contexts.tags["allocation"][:7]
    with pytest.raises(InvalidNextToken):
        contexts.page(NextToken=token, **{"Filter.1.Name": "key", "Filter.1.Value.1": "x"})


@pytest.mark.parametrize("key", ["4 ", "-1 ", "x ", "", "99999999999999999999 "])
def test_a_turn_that_nobody_has_is_refused(key: str) -> None:
    contexts = Contexts([9, 9, 9, 9])
    [(_, request), *_] = DESCRIBE_TAGS.requests(nested({}))
    with pytest.raises(InvalidNextToken):
        contexts.page(NextToken=token_after(request, key))


def test_what_one_context_refuses_is_refused() -> None:
    contexts = Contexts([0, 0, 0, 0])

    async def away(rpc: Rpc, request: Any) -> Any:
        if rpc.context == "discovery":
            raise TimeoutError
        return await contexts.ask(rpc, request)

    requests = DESCRIBE_TAGS.requests(nested({}))
    with pytest.raises(TimeoutError):
        asyncio.run(page_over_all(requests, away))
