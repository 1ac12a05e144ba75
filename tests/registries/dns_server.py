"""An authoritative DNS server that tests tell what to answer."""

import asyncio
import struct
import threading
from collections.abc import Sequence
from typing import Self, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.TXT import TXT

_TXT_STRING_BYTES = 255


class DnsServer:
    """Tells the TXT records it was given, by UDP and TCP on one port, while it is entered.

    Names with any record below them exist, all others don't. Answers that don't fit into a UDP
    message are truncated, so that resolvers repeat by TCP.
    """

    def __init__(self) -> None:
        self.address = ""
        """``host:port``."""
        self.asked: list[tuple[str, str]] = []
        """Each question in its order: the name, in lower case and without a dot at the end, and
        ``udp`` or ``tcp``."""
        self._values: dict[str, list[str | bytes]] = {}
        self._failures: dict[str, dns.rcode.Rcode | None] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def put_txt(self, name: str, *values: str | bytes) -> None:
        """A name's TXT records are these from now on, each of one value; none: no such records."""
        self._failures.pop(_key(name), None)
        self._values[_key(name)] = list(values)

    def remove(self, name: str) -> None:
        """There is no such name from now on."""
        self._failures.pop(_key(name), None)
        self._values.pop(_key(name), None)

    def fail(self, name: str, code: dns.rcode.Rcode = dns.rcode.SERVFAIL) -> None:
        """Questions about a name are answered with an error from now on."""
        self._failures[_key(name)] = code

    def be_silent_about(self, name: str) -> None:
        """Questions about a name are not answered from now on."""
        self._failures[_key(name)] = None

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        self._tcp = await asyncio.start_server(self._serve_tcp, "127.0.0.1", 0)
        host, port = self._tcp.sockets[0].getsockname()
        self._udp, _ = await self._loop.create_datagram_endpoint(
            lambda: _Datagrams(self), local_addr=(host, port)
        )
        self.address = f"{host}:{port}"

    async def _close(self) -> None:
        self._tcp.close()
        self._udp.close()
        here = asyncio.current_task()
        # Connections of clients that have not hung up.
        for task in asyncio.all_tasks() - {here}:
            task.cancel()
        await asyncio.gather(*(asyncio.all_tasks() - {here}), return_exceptions=True)

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                answer = self.answer(await reader.readexactly(length), "tcp")
                if answer is not None:
                    wire = answer.to_wire(max_size=65535)
                    writer.write(struct.pack("!H", len(wire)) + wire)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def answer(self, wire: bytes, transport: str) -> dns.message.Message | None:
        """What to say, or None for nothing."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        key = _key(question.name.to_text())
        self.asked.append((key, transport))
        if key in self._failures:
            return _failure(query, self._failures[key])
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        if not any(name == key or name.endswith(f".{key}") for name in self._values):
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype == dns.rdatatype.TXT and self._values.get(key):
            records = [_txt(value) for value in self._values[key]]
            response.answer.append(dns.rrset.from_rdata_list(question.name, 0, records))
        return response


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._server.answer(data, "udp")
        if answer is not None:
            self._transport.sendto(_fitting(answer, data), addr)


def _fitting(answer: dns.message.Message, query: bytes) -> bytes:
    """The answer, without its records and marked so when it is too long for who asked."""
    asked = dns.message.from_wire(query)
    longest = max(512, asked.payload)
    try:
        return answer.to_wire(max_size=longest)
    except dns.exception.TooBig:
        answer.flags |= dns.flags.TC
        answer.answer.clear()
        return answer.to_wire(max_size=longest)


def _failure(
    query: dns.message.Message, code: dns.rcode.Rcode | None
) -> dns.message.Message | None:
    if code is None:
        return None
    response = dns.message.make_response(query)
    response.set_rcode(code)
    return response


def _txt(value: str | bytes) -> TXT:
    """A record of one value; strings have 255 bytes at most, so longer ones are in several."""
    wire = value.encode() if isinstance(value, str) else value
    strings: Sequence[bytes] = [
        wire[start : start + _TXT_STRING_BYTES]
        for start in range(0, max(1, len(wire)), _TXT_STRING_BYTES)
    ]
    return TXT(dns.rdataclass.IN, dns.rdatatype.TXT, strings)


def _key(name: str) -> str:
    return name.rstrip(".").lower()
