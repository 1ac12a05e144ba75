"""Documents in JSON."""

import json
from collections.abc import Iterable
from math import isfinite
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from services.gateway.documents.notation import Notation, Scalar
from services.gateway.errors import Unserializable
from services.gateway.values import name_of_infinite, seconds_to_timestamp, to_float

MAX_DEPTH = 32
"""Objects and lists in one another, as in CBOR. Only expressions of Cost Explorer, which may be
nested at will, could come near it."""


def parse_document(body: bytes) -> dict[str, Any]:
    """The members of the object in ``body``; nothing at all is an object without members.

    Raises:
        Unserializable: no JSON in UTF-8, nested too deeply, no object, or a member that is given
            twice.
    """
    if not body:
        return {}
    try:
        document = json.loads(
            body.decode(), object_pairs_hook=_object, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        raise Unserializable("The request body is not a JSON document in UTF-8") from None
    if not isinstance(document, dict):
        raise Unserializable("The request body must be a JSON object")
    if _is_deeper([document], MAX_DEPTH):
        raise Unserializable(
            f"The request body is nested too deeply; {MAX_DEPTH} objects and lists may be in one"
            " another"
        )
    return document


def _is_deeper(level: Iterable[Any], depth: int) -> bool:
    """Without recursion, which is what it guards against."""
    for _ in range(depth):
        level = [child for node in level for child in _children(node)]
        if not level:
            return False
    return True


def _children(node: Any) -> Iterable[Any]:
    """The objects and lists in ``node``."""
    values = node.values() if isinstance(node, dict) else node
    return [value for value in values if isinstance(value, dict | list)]


def write_document(document: Any) -> bytes:
    """The text of ``document``."""
    return json.dumps(document, allow_nan=False).encode()


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(members)
    if len(result) < len(members):
        raise Unserializable("The request body has an object with the same member twice")
    return result


def _refuse_constant(name: str) -> Any:
    """Python takes NaN and Infinity for numbers; JSON has neither."""
    raise ValueError(name)


def _render_double(value: float) -> float | str:
    """AWS's clients know by name what JSON has no numbers for."""
    return value if isfinite(value) else name_of_infinite(value)


def _render_timestamp(value: Timestamp) -> float:
    """Seconds since 1970, to the millisecond."""
    return value.ToMilliseconds() / 1000


JSON = Notation(
    parse=parse_document,
    write=write_document,
    double=Scalar("a number", (int, float), to_float),
    timestamp=Scalar("a number of seconds since 1970", (int, float), seconds_to_timestamp),
    render_double=_render_double,
    render_timestamp=_render_timestamp,
    headers={},
    has_full_error_types=False,
)
