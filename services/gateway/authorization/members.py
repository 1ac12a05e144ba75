"""Members of request messages, read alike whether they hold one value or several."""

from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message


def values(request: Message, name: str) -> Sequence[Any]:
    """What a member holds; nothing when it is empty, or the request has no such member."""
    value = getattr(request, name, None)
    if not value:
        return []
    return [value] if isinstance(value, str) else list(value)
