"""Pages of a list with opaque tokens, by key, never by offset (design.md section 3)."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeVar

from google.protobuf.message import Message

from shared.errors import InvalidNextToken

DEFAULT_MAX_RESULTS = 1000
# A page of the largest records still fits into one gRPC message.
LARGEST_PAGE = 5000
_NOT_PART_OF_QUERY = ("next_token", "max_results", "marker", "max_items", "dry_run")

Record = TypeVar("Record")


def paginate(
    request: Any,  # generated listing requests share no typed base
    records_after: Callable[[str | None], Iterable[tuple[str, Record]]],
) -> tuple[list[Record], str | None]:
    """One page of the list ``request`` asks for, and the next page's token, None at the end.

    ``records_after`` yields the records that pass the request's filters, each with its key, in
    order of key, beginning after the given key. It is read lazily: at most one record too many.

    Raises:
        InvalidNextToken: the request's token was not issued for this query.
    """
    max_results = min(request.max_results or DEFAULT_MAX_RESULTS, LARGEST_PAGE)
    return page_of(request, records_after, token=request.next_token, max_results=max_results)


def page_of(
    request: Message,
    records_after: Callable[[str | None], Iterable[tuple[str, Record]]],
    *,
    token: str,
    max_results: int,
) -> tuple[list[Record], str | None]:
    """Like `paginate`, for requests whose ``token`` and page size go by other names."""
    query = _fingerprint(request)
    after = _decode(token, query) if token else None
    found = list(islice(records_after(after), max_results + 1))
    page = [record for _, record in found[:max_results]]
    if len(found) <= max_results:
        return page, None
    return page, _encode(found[max_results - 1][0], query)


def token_after(
    request: Any,  # generated listing requests share no typed base
    key: str,
) -> str:
    """The token of the page of ``request`` that begins after the record with ``key``."""
    return _encode(key, _fingerprint(request))


def key_of_token(request: Message, token: str) -> str | None:
    """The key that `token_after` made ``token`` of, None for no token.

    Raises:
        InvalidNextToken: it was not issued for this query.
    """
    return _decode(token, _fingerprint(request)) if token else None


def _fingerprint(request: Message) -> str:
    query = type(request)()
    query.CopyFrom(request)
    for name in _NOT_PART_OF_QUERY:
        if name in query.DESCRIPTOR.fields_by_name:
            query.ClearField(name)
    content = query.DESCRIPTOR.full_name.encode() + query.SerializeToString(deterministic=True)
    return hashlib.sha256(content).hexdigest()[:16]


def _encode(key: str, query: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([query, key]).encode()).decode()


def _decode(token: str, query: str) -> str:
    try:
        issued_for, key = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error, TypeError):
        raise InvalidNextToken from None
    if issued_for != query or not isinstance(key, str) or not key.isprintable():
        raise InvalidNextToken
    return key
