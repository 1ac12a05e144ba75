"""Following a feed of another service for as long as the process runs."""

import asyncio
from collections.abc import Awaitable, Callable

import grpc
import grpc.aio
from structlog.typing import FilteringBoundLogger

from shared.caller import Caller
from shared.errors import CadastreError
from shared.rpc.client import Remote

SELF = Caller(account_id="", region="", principal="service/gateway", service="gateway")

_AWAY = (CadastreError, grpc.aio.AioRpcError)
"""What following ends with when the service refuses, stops or breaks; all of it may pass."""
_FIRST_DELAY_SECONDS = 0.05
_LAST_DELAY_SECONDS = 2.0


class Feed:
    """One feed, which is asked for again whenever it breaks off."""

    def __init__(self, remote: Remote, what: str, log: FilteringBoundLogger) -> None:
        """``what`` it tells of, for the log."""
        self._remote, self._log = remote, log
        self._interrupted = f"following the {what} was interrupted"
        self._delay = _FIRST_DELAY_SECONDS

    async def follow(self, take: Callable[[], Awaitable[None]]) -> None:
        """``take`` what it tells, for ever: while the service is away, what was told last holds."""
        while True:
            try:
                await take()
            except _AWAY as error:
                self._log.warning(self._interrupted, error=str(error))
            await asyncio.sleep(self._delay)
            self._delay = min(2 * self._delay, _LAST_DELAY_SECONDS)
            await self._until_reachable()

    def has_told(self) -> None:
        """It works: when it breaks off, it is asked for again soon."""
        self._delay = _FIRST_DELAY_SECONDS

    async def _until_reachable(self) -> None:
        """The channel itself tries to connect again, every half a second at least."""
        channel = self._remote.channel
        state = channel.get_state(try_to_connect=True)
        while state is not grpc.ChannelConnectivity.READY:
            await channel.wait_for_state_change(state)
            state = channel.get_state(try_to_connect=True)
