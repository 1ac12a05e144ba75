"""JSON as text: what is taken away is white space alone."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.policies.json_text import compacted, depth_of

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(' \t\r\n"\\[{]}é/', max_size=8),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.text(' "\\[', max_size=4), children, max_size=3)
    ),
    max_leaves=10,
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(VALUES, st.sampled_from([None, 1, "\t", "\r\n "]), st.booleans())
def test_compacted_json_is_what_json_without_white_space_is(
    value: Any, indent: Any, is_ascii: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=is_ascii)
    assert compacted(f" {text}\n") == json.dumps(
        value, separators=(",", ":"), ensure_ascii=is_ascii
    )


@pytest.mark.parametrize(
    "token", ["1.10", "1e999", "-0", "123456789012345678901234567890", '"\\u0041 \\ud800"']
)
def test_numbers_and_strings_stay_as_they_are_written(token: str) -> None:
    assert compacted(f"[ {token} ]") == f"[{token}]"


@given(VALUES)
def test_depth_is_that_of_the_value(value: Any) -> None:
    assert depth_of(json.dumps(value)) == depth(value)


@pytest.mark.parametrize("text", ["", "]", "[[", '["[[[', '["\\', '"\\"' * 100_000, "[" * 100_000])
def test_any_text_is_taken(text: str) -> None:
    assert len(compacted(text)) <= len(text)
    assert depth_of(text) <= text.count("[")
