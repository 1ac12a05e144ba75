"""A list that several contexts have parts of, such as DescribeTags, in pages over all of them."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from cadastre.common.v1 import options_pb2
from services.gateway.routes import Rpc
from shared.errors import InvalidNextToken
from shared.paging import DEFAULT_MAX_RESULTS, key_of_token, token_after

Request = tuple[Rpc, Any]
Ask = Callable[[Rpc, Any], Awaitable[Any]]


async def page_over_all(requests: Sequence[Request], ask: Ask) -> Any:
    """One page of what the contexts have, one after another; their answers are of one type.

    A token tells whose turn it is, and that one's own token. A page ends early where a context's
    own does, and where too little room is left to ask the next one. Only the last one can be empty.

    Raises:
        InvalidNextToken: the request's token was not issued for this list.
    """
    asked = requests[0][1]
    turn, token = _position(asked, len(requests))
    wanted = asked.max_results or DEFAULT_MAX_RESULTS
    page: Any = requests[0][0].response_type()
    for number, (rpc, request) in enumerate(requests[turn:], turn):
        room = wanted - _length(page)
        if _length(page) and room < _least(rpc):
            page.next_token = token_after(asked, f"{number} ")
            return page
        request.max_results = room
        _set_token(request, token)
        answer = await ask(rpc, request)
        token = answer.next_token
        answer.ClearField("next_token")
        page.MergeFrom(answer)
        if token:
            page.next_token = token_after(asked, f"{number} {token}")
            return page
    return page


def is_one_list(requests: Sequence[Request]) -> bool:
    """Whether the action lists what all contexts have, and none of them has ids of its own."""
    return all(
        {"max_results", "next_token"} <= set(rpc.descriptor.input_type.fields_by_name)
        for rpc, _ in requests
    )


def _position(request: Any, contexts: int) -> tuple[int, str]:
    """Whose turn it is, and that one's own token."""
    key = key_of_token(request, request.next_token)
    if key is None:
        return 0, ""
    turn, _, inner = key.partition(" ")
    if turn not in map(str, range(contexts)):
        raise InvalidNextToken
    return int(turn), inner


def _set_token(request: Any, token: str) -> None:
    if token:
        request.next_token = token
    else:
        request.ClearField("next_token")


def _length(page: Any) -> int:
    [records] = (getattr(page, field.name) for field in page.DESCRIPTOR.fields if field.is_repeated)
    return len(records)


def _least(rpc: Rpc) -> int:
    """The smallest page that a context may be asked for."""
    field = rpc.descriptor.input_type.fields_by_name["max_results"]
    return int(field.GetOptions().Extensions[options_pb2.rules].minimum)
