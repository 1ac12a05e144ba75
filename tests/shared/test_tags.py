from collections.abc import Mapping

import pytest

from cadastre.common.v1.types_pb2 import Tag, TagSpecification
from shared.errors import CadastreError
from shared.tags import (
    tags_from_proto,
    tags_from_specifications,
    tags_to_proto,
    with_tags,
    without_tags,
)


def test_tags_of_the_created_resource_are_read_from_their_specification() -> None:
    specification = TagSpecification(
        resource_type="ipam", tags=[Tag(key="team", value="net"), Tag(key="x")]
    )
    assert tags_from_specifications([specification], "ipam") == {"team": "net", "x": ""}


def test_a_specification_for_another_resource_type_is_refused() -> None:
    with pytest.raises(CadastreError, match="use 'ipam-pool'") as refusal:
        tags_from_specifications([TagSpecification(resource_type="vpc")], "ipam-pool")
    assert refusal.value.reason == "InvalidParameterValue"


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ([Tag(key="")], "InvalidParameterValue"),
        ([Tag(key="aws:x")], "InvalidParameterValue"),
        ([Tag(key="AWS:x")], "InvalidParameterValue"),
        ([Tag(key="a"), Tag(key="a")], "InvalidParameterValue"),
        ([Tag(key=str(n)) for n in range(51)], "TagLimitExceeded"),
    ],
    ids=["empty", "reserved", "reserved in capitals", "repeated", "too many"],
)
def test_bad_tags_are_refused(tags: list[Tag], reason: str) -> None:
    with pytest.raises(CadastreError) as refusal:
        tags_from_proto(tags)
    assert refusal.value.reason == reason


def test_new_tags_replace_those_of_the_same_key_and_count_with_the_old_ones() -> None:
    assert with_tags({"a": "1", "b": "2"}, {"b": "3"}) == {"a": "1", "b": "3"}
    with pytest.raises(CadastreError) as refusal:
        with_tags({str(n): "" for n in range(50)}, {"one more": ""})
    assert refusal.value.reason == "TagLimitExceeded"


@pytest.mark.parametrize(
    ("removed", "left"),
    [
        ([], {}),
        ([Tag(key="a")], {"b": "2"}),
        ([Tag(key="a", value="1")], {"b": "2"}),
        ([Tag(key="a", value="other")], {"a": "1", "b": "2"}),
        ([Tag(key="a", value="")], {"a": "1", "b": "2"}),
        ([Tag(key="missing")], {"a": "1", "b": "2"}),
    ],
    ids=["no key: all", "by key", "by key and value", "other value", "empty value", "not there"],
)
def test_tags_are_removed_by_key_or_by_key_and_value(
    removed: list[Tag], left: Mapping[str, str]
) -> None:
    assert without_tags({"a": "1", "b": "2"}, removed) == left


def test_answers_list_tags_in_order_of_key() -> None:
    assert [tag.key for tag in tags_to_proto({"b": "", "a": ""})] == ["a", "b"]
