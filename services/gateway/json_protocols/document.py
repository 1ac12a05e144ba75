"""The JSON document that is a request's body."""

import json
from typing import Any

from services.gateway.errors import Unserializable


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


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(members)
    if len(result) < len(members):
        raise Unserializable("The request body has an object with the same member twice")
    return result


def _refuse_constant(name: str) -> Any:
    """Python takes NaN and Infinity for numbers; JSON has neither."""
    raise ValueError(name)
