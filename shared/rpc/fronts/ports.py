"""Ports that several processes of one service listen on."""

import asyncio
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


@asynccontextmanager
async def claimed_port(host: str, port: int) -> AsyncIterator[int]:
    """A port that fronts can share and nobody else can listen on, for the length of the block.

    Raises:
        PortTaken: somebody else has it.
    """
    with await _claimed(host, port) as claim:
        yield int(claim.getsockname()[1])


async def _claimed(host: str, port: int) -> socket.socket:
    deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while True:
        try:
            return _claim(host, port)
        except OSError as error:
            if asyncio.get_running_loop().time() > deadline:
                raise PortTaken(host, port) from error
        await asyncio.sleep(_LOOKS_AGAIN_SECONDS)


def _claim(host: str, port: int) -> socket.socket:
    """A socket that is bound and never listens; with it, only those who share can bind."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as alone:
        # Would share with nobody, so it finds out whether anybody is there.
        alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        alone.bind((host, port))
        found: int = alone.getsockname()[1]
    claim = socket.socket(family, socket.SOCK_STREAM)
    claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    claim.bind((host, found))
    return claim
