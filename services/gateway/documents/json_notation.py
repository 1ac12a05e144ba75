"""Documents in JSON."""

import json
from math import isfinite
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from services.gateway.documents.notation import Notation, Scalar
from services.gateway.errors import Unserializable
from services.gateway.values import name_of_infinite, seconds_to_timestamp, to_float


def parse_document(body: bytes) -> dict[str, Any]:
    """The members of the object in ``body``; nothing at all is an object without members.

    Raises:
        Unserializable: no JSON in UTF-8, nested beyond all measure, no object, or a member that
            is given twice.
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
    return document


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
