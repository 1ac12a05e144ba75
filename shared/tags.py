"""Tags as every taggable resource has them."""

from collections.abc import Iterable, Mapping, Sequence

from cadastre.common.v1 import types_pb2
from shared.errors import InvalidParameterValue, QuotaExceeded

TAGS_PER_RESOURCE = 50

Tags = Mapping[str, str]


def tags_from_proto(tags: Iterable[types_pb2.Tag]) -> dict[str, str]:
    """Tags of a request, by key.

    Raises:
        InvalidParameterValue: an empty, reserved or repeated key.
        QuotaExceeded: more than 50.
    """
    result: dict[str, str] = {}
    for tag in tags:
        _check_key(tag.key)
        if tag.key in result:
            raise InvalidParameterValue(
                f"Tag key '{tag.key}' is given twice; keys are unique within a resource",
                parameter="tag",
                value=tag.key,
            )
        result[tag.key] = tag.value
    return check_tag_count(result)


def tags_from_specifications(
    specifications: Sequence[types_pb2.TagSpecification], resource_type: str
) -> dict[str, str]:
    """Tags for a resource of ``resource_type`` that a request creates.

    Raises:
        InvalidParameterValue: a specification for another type of resource, or a bad key.
        QuotaExceeded: more than 50.
    """
    for specification in specifications:
        if specification.resource_type != resource_type:
            raise InvalidParameterValue(
                f"'{specification.resource_type}' is not a valid taggable resource type for this"
                f" operation; use '{resource_type}'",
                parameter="tagSpecification.resourceType",
                value=specification.resource_type,
            )
    return tags_from_proto(tag for spec in specifications for tag in spec.tags)


def tags_to_proto(tags: Tags) -> list[types_pb2.Tag]:
    """Tags for an answer, in order of key."""
    return [types_pb2.Tag(key=key, value=tags[key]) for key in sorted(tags)]


def with_tags(existing: Tags, added: Tags) -> dict[str, str]:
    """``existing`` after CreateTags.

    Raises:
        QuotaExceeded: more than 50 in all.
    """
    return check_tag_count({**existing, **added})


def without_tags(existing: Tags, removed: Iterable[types_pb2.Tag]) -> dict[str, str]:
    """``existing`` after DeleteTags: without value any value goes, without tags all go."""
    wanted = {tag.key: tag.value if tag.HasField("value") else None for tag in removed}
    if not wanted:
        return {}
    return {
        key: value
        for key, value in existing.items()
        if key not in wanted or wanted[key] not in (None, value)
    }


def check_tag_count(tags: dict[str, str]) -> dict[str, str]:
    """``tags`` itself, unless there are too many.

    Raises:
        QuotaExceeded: more than 50.
    """
    if len(tags) > TAGS_PER_RESOURCE:
        raise QuotaExceeded(
            "TagLimitExceeded",
            f"{len(tags)} tags on one resource; at most {TAGS_PER_RESOURCE} are allowed",
            quota=TAGS_PER_RESOURCE,
        )
    return tags


def _check_key(key: str) -> None:
    if not key or key.lower().startswith("aws:"):
        raise InvalidParameterValue(
            f"Tag key '{key}' is invalid; keys have 1-128 characters and do not begin with 'aws:'",
            parameter="tag",
            value=key,
        )
