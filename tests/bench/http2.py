"""A gRPC client that costs next to nothing, so that a benchmark measures the server.

It speaks just as much HTTP/2 (RFC 9113) as that takes: one connection, header blocks put together
once and without Huffman coding or dynamic table (RFC 7541), so nothing has to be remembered.
"""

import asyncio
import struct
from collections.abc import Callable, Iterator, Mapping
from time import perf_counter
from typing import cast

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _ACK, _END_HEADERS = 0x1, 0x1, 0x4
_FRAME_HEAD = 9
_LARGEST_FRAME = 1 << 14
_WIDE_WINDOW = 1 << 30
_SETTING_INITIAL_WINDOW_SIZE = 4
# Static table (RFC 7541 appendix A): ":method: POST", ":scheme: http".
_POST_OVER_HTTP = b"\x83\x86"
_MESSAGE_HEAD = struct.Struct(">?I")

Message = tuple[str, bytes]
"""A method's path and a serialized request."""


class Client:
    """What one caller asks next, given the last answer; None ends it."""

    def __init__(self, ask: Callable[[bytes | None], Message | None]) -> None:
        self.ask = ask


class Connection(asyncio.Protocol):
    """Carries each client's calls, one at a time, until all clients have ended."""

    def __init__(self, paths: list[str], headers: Mapping[str, str]) -> None:
        common = b"".join(_header(name, value) for name, value in headers.items())
        self._heads = {path: _POST_OVER_HTTP + _header(":path", path) + common for path in paths}
        self._streams: dict[int, tuple[Client, float]] = {}
        self._answers: dict[int, bytes] = {}
        self._next_stream = 1
        self._unread = b""
        self._consumed = 0
        self._transport: asyncio.WriteTransport | None = None
        self.latencies: list[float] = []
        """In seconds, of the calls that were answered with a message."""
        self.refused = 0
        """Calls that were answered without one."""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        window = struct.pack(">HI", _SETTING_INITIAL_WINDOW_SIZE, _WIDE_WINDOW)
        self._transport.write(_PREFACE + _frame(_SETTINGS, 0, 0, window) + _widened(_WIDE_WINDOW))

    def start(self, clients: list[Client]) -> None:
        """Send every client's first call."""
        self._write([self._call(client, None) for client in clients])

    def data_received(self, data: bytes) -> None:
        unread, position, replies = self._unread + data, 0, list[bytes]()
        while len(unread) - position >= _FRAME_HEAD:
            length = int.from_bytes(unread[position : position + 3])
            end = position + _FRAME_HEAD + length
            if end > len(unread):
                break
            kind, flags = unread[position + 3], unread[position + 4]
            stream = int.from_bytes(unread[position + 5 : position + _FRAME_HEAD])
            replies.append(self._reply(kind, flags, stream, unread[position + _FRAME_HEAD : end]))
            position = end
        self._unread = unread[position:]
        self._write(replies)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(exc or ConnectionError("the server closed the connection"))

    def _reply(self, kind: int, flags: int, stream: int, payload: bytes) -> bytes:
        if kind == _DATA:
            self._answers[stream] = self._answers.get(stream, b"") + payload
            self._consumed += len(payload)
        elif kind == _HEADERS and flags & _END_STREAM:
            return self._ended(stream)
        elif kind in {_SETTINGS, _PING} and not flags & _ACK:
            return _frame(kind, _ACK, 0, payload if kind == _PING else b"")
        elif kind in {_RST_STREAM, _GOAWAY}:
            raise ConnectionError(f"the server gave up stream {stream}: {payload!r}")
        return b""

    def _ended(self, stream: int) -> bytes:
        client, sent = self._streams.pop(stream)
        answer = self._answers.pop(stream, b"")
        if answer:
            self.latencies.append(perf_counter() - sent)
        else:
            self.refused += 1
        widened = b""
        if self._consumed > _WIDE_WINDOW // 2:
            widened, self._consumed = _widened(self._consumed), 0
        return widened + self._call(client, answer[_MESSAGE_HEAD.size :])

    def _call(self, client: Client, answer: bytes | None) -> bytes:
        message = client.ask(answer)
        if message is None:
            if not self._streams and not self.ended.done():
                self.ended.set_result(None)
            return b""
        path, body = message
        stream, self._next_stream = self._next_stream, self._next_stream + 2
        self._streams[stream] = (client, perf_counter())
        head = _frame(_HEADERS, _END_HEADERS, stream, self._heads[path])
        body = _MESSAGE_HEAD.pack(False, len(body)) + body
        return head + b"".join(_data_frames(stream, body))

    def _write(self, parts: list[bytes]) -> None:
        if self._transport and (joined := b"".join(parts)):
            self._transport.write(joined)


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


def _data_frames(stream: int, body: bytes) -> Iterator[bytes]:
    for begin in range(0, len(body), _LARGEST_FRAME):
        part = body[begin : begin + _LARGEST_FRAME]
        is_last = begin + _LARGEST_FRAME >= len(body)
        yield _frame(_DATA, _END_STREAM if is_last else 0, stream, part)


def _widened(by: int) -> bytes:
    """The connection's window, wider by so many bytes."""
    return _frame(_WINDOW_UPDATE, 0, 0, by.to_bytes(4))


def _header(name: str, value: str) -> bytes:
    """A literal header field that is not to be remembered (RFC 7541 section 6.2.2)."""
    return b"\x00" + _string(name) + _string(value)


def _string(text: str) -> bytes:
    content, length = text.encode(), bytearray()
    rest = len(content)
    if rest < 127:
        return bytes((rest,)) + content
    # An integer that does not fit in the 7 bits beside the flag (RFC 7541 section 5.1).
    rest -= 127
    length.append(127)
    while rest >= 128:
        length.append(rest % 128 + 128)
        rest //= 128
    length.append(rest)
    return bytes(length) + content
