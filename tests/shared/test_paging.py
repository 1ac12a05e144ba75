import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadastre.control.v1 import control_service_pb2 as pb
from shared.errors import InvalidNextToken
from shared.paging import paginate


def after(keys: list[str], key: str | None) -> list[tuple[str, str]]:
    return [(k, k.upper()) for k in keys if key is None or k > key]


@given(st.sets(st.text("abc", min_size=1, max_size=4)), st.integers(5, 9))
def test_following_the_tokens_gives_every_record_once_in_order(keys: set[str], size: int) -> None:
    ordered, seen, token = sorted(keys), list[str](), ""
    while True:
        request = pb.DescribeIpamsRequest(max_results=size, next_token=token)
        page, next_token = paginate(request, lambda key: after(ordered, key))
        assert len(page) <= size
        seen += page
        if next_token is None:
            break
        assert len(page) == size
        token = next_token
    assert seen == [key.upper() for key in ordered]


def test_no_more_than_one_record_past_the_page_is_read() -> None:
    read = itertools.count()
    endless = ((f"{n:09}", n) for n in read)
    page, token = paginate(pb.DescribeIpamsRequest(max_results=5), lambda _: endless)
    assert (page, next(read)) == ([0, 1, 2, 3, 4], 6)
    assert token


@pytest.mark.parametrize("token", ["nonsense", "bm9uc2Vuc2U=", "WzEsIDJd", "é"])
def test_tokens_that_were_not_issued_are_refused(token: str) -> None:
    with pytest.raises(InvalidNextToken):
        paginate(pb.DescribeIpamsRequest(next_token=token), lambda _: [])


def test_a_token_of_another_query_is_refused() -> None:
    keys = [f"{n:02}" for n in range(20)]
    _, token = paginate(pb.DescribeIpamsRequest(max_results=5), lambda key: after(keys, key))
    other = pb.DescribeIpamsRequest(max_results=5, ipam_ids=["ipam-1"], next_token=token)
    with pytest.raises(InvalidNextToken):
        paginate(other, lambda key: after(keys, key))


def test_the_page_size_may_change_between_pages() -> None:
    keys = [f"{n:02}" for n in range(20)]
    _, token = paginate(pb.DescribeIpamsRequest(max_results=5), lambda key: after(keys, key))
    page, _ = paginate(
        pb.DescribeIpamsRequest(max_results=7, next_token=token), lambda key: after(keys, key)
    )
    assert page == keys[5:12]
