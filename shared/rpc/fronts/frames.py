"""What a front and its core send each other: frames over a stream socket."""

import asyncio
import json
import struct
from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple, cast

from shared.caller import Caller

_HEAD = struct.Struct(">IBQ")
"""Length of the payload, kind, number of the call, which none ever shares with another."""
_CALL_HEAD = struct.Struct(">HHHH")
"""The method, and the lengths of what comes before the request."""
_CALLERS_REMEMBERED = 4096


class Kind(IntEnum):
    """What a frame says, about the call of its number."""

    HELLO = 1
    """Core to front: what to serve; see `shared.rpc.fronts.hello`."""
    READY = 2
    """Front to core: it serves."""
    CALL = 3
    """Front to core: a request, as in `call_to_payload`."""
    CANCEL = 4
    """Front to core: nobody waits for the answer any more."""
    TAKEN = 5
    """Front to core: a streamed message is on its way to the client."""
    ANSWER = 6
    """Core to front: a unary call's response."""
    MESSAGE = 7
    """Core to front: one of a stream's responses."""
    END = 8
    """Core to front: a stream ended well."""
    REFUSAL = 9
    """Core to front: ``google.rpc.Status`` of a refusal."""
    FAULT = 10
    """Core to front: an error nobody foresaw; the core's log has it."""
    COLLECT = 11
    """Core to front: asks for the front's own metrics."""
    FIGURES = 12
    """Front to core: these, in Prometheus' text format."""


class CalledBy(NamedTuple):
    """A call as it crosses: the method by its place in the hello."""

    method: int
    caller: Caller
    request_id: str
    trace: Mapping[str, str]
    """Headers that tell of the front's span; none when nothing is traced."""
    request: bytes


def call_to_payload(call: CalledBy) -> bytes:
    """The payload of a CALL."""
    by, id_ = _caller_to_bytes(call.caller), call.request_id.encode()
    trace = json.dumps(call.trace).encode() if call.trace else b""
    head = _CALL_HEAD.pack(call.method, len(by), len(id_), len(trace))
    return head + by + id_ + trace + call.request


def call_from_payload(payload: bytes) -> CalledBy:
    """Of `call_to_payload`."""
    method, by_length, id_length, trace_length = _CALL_HEAD.unpack_from(payload)
    by_end = _CALL_HEAD.size + by_length
    id_end = by_end + id_length
    trace_end = id_end + trace_length
    return CalledBy(
        method,
        _caller_from_bytes(payload[_CALL_HEAD.size : by_end]),
        payload[by_end:id_end].decode(),
        json.loads(payload[id_end:trace_end]) if trace_length else {},
        payload[trace_end:],
    )


class Frames(asyncio.Protocol):
    """One end of the socket. What is sent in one turn of the event loop goes in one write."""

    def __init__(
        self, receive: Callable[[int, int, bytes], None], lost: Callable[[], None]
    ) -> None:
        """``receive`` gets kind, number and payload of each frame; ``lost``: the peer has gone."""
        self._receive, self._lost = receive, lost
        self._transport: asyncio.WriteTransport | None = None
        self._unread = b""
        self._unsent: list[bytes] = []
        self._loop = asyncio.get_running_loop()

    def send(self, kind: Kind, number: int = 0, payload: bytes = b"") -> None:
        """Send a frame, soon; once the peer has gone, nowhere."""
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent += (_HEAD.pack(len(payload), kind, number), payload)

    def close(self) -> None:
        """Let the peer know that nothing will come any more."""
        self._flush()
        if self._transport:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        unread, position = self._unread + data if self._unread else data, 0
        while len(unread) - position >= _HEAD.size:
            length, kind, number = _HEAD.unpack_from(unread, position)
            begin = position + _HEAD.size
            if begin + length > len(unread):
                break
            position = begin + length
            self._receive(kind, number, unread[begin:position])
        self._unread = unread[position:]

    def connection_lost(self, _exc: Exception | None) -> None:
        self._transport = None
        self._lost()

    def _flush(self) -> None:
        if self._transport and self._unsent:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()


@lru_cache(maxsize=_CALLERS_REMEMBERED)
def _caller_to_bytes(caller: Caller) -> bytes:
    members = (caller.account_id, caller.region, caller.principal, caller.service)
    return json.dumps(members).encode()


@lru_cache(maxsize=_CALLERS_REMEMBERED)
def _caller_from_bytes(content: bytes) -> Caller:
    return Caller(*json.loads(content))
