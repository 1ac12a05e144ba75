"""Ports that several processes of one service listen on."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.errors import StartFailed

_PATIENCE_SECONDS = 5.0
"""A predecessor that was killed has fronts, which let go of the port a moment later."""
_LOOKS_AGAIN_SECONDS = 0.02


class PortTaken(StartFailed):
    """The port can't be bound."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"{host}:{port} can't be bound; is something else listening there? CADASTRE_PORT moves"
            " all ports"
        )


class HostUnusable(StartFailed):
    """The host is no address of this machine's."""

    def __init__(self, host: str, error: OSError) -> None:
        super().__init__(f"CADASTRE_HOST '{host}' can't be bound: {error.strerror}")


@asynccontextmanager
async def claimed_port(host: str, port: int) -> AsyncIterator[int]:
    """A port that fronts can share and nobody else can listen on, for the length of the block.

    Raises:
        PortTaken: somebody else has it.
        HostUnusable: it is no port of this machine.
    """
    with await _claimed(host, port) as claim:
        yield int(claim.getsockname()[1])


async def _claimed(host: str, port: int) -> socket.socket:
    deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while True:
        try:
            return _claim(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise HostUnusable(host, error) from error
            if asyncio.get_running_loop().time() > deadline:
                raise PortTaken(host, port) from error
        await asyncio.sleep(_LOOKS_AGAIN_SECONDS)


def _claim(host: str, port: int) -> socket.socket:
    """A socket that is bound and never listens; with it, only those who share can bind.

    It is bound as one that shares with nobody, so that it finds out whether anybody is there, and
    then turned into one that does.
    """
    # gRPC has IPv6 addresses in brackets.
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    family, *_, address = found[0]
    claim = socket.socket(family, socket.SOCK_STREAM)
    try:
        claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        claim.bind(address)
        claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except OSError:
        claim.close()
        raise
    return claim
