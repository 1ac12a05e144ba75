"""Every resource's usage (BEY-11), read only while somebody asks for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from services.metrics.collecting import ControlPlane
from services.metrics.figures import Utilization
from services.metrics.rendering import render_resources


class ResourceUsages(Protocol):
    """Knows every resource."""

    def resource_usages(self, ipam_id: str) -> AsyncIterator[Utilization]:
        """Of all of an IPAM's whose usage is known."""


async def read_resources(control_plane: ControlPlane, discovery: ResourceUsages) -> bytes:
    """The usage of every resource of every IPAM, as text."""
    usages = [
        usage
        for ipam in await control_plane.ipams()
        async for usage in discovery.resource_usages(ipam.ipam_id)
    ]
    return await asyncio.to_thread(render_resources, usages)


class OnDemand:
    """A text that is renewed only while it is asked for, and never by whoever asks."""

    def __init__(
        self,
        read: Callable[[], Awaitable[bytes]],
        *,
        stale_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        """It is forgotten when ``stale_seconds`` go by in which nobody asks, or ``read`` fails."""
        self._read, self._stale_seconds, self._clock = read, stale_seconds, clock
        self._asked_at = self._read_at = clock()
        self._text = b""
        self._is_wanted, self._is_known = asyncio.Event(), asyncio.Event()

    async def wanted(self) -> None:
        """Wait until somebody asks; nothing to wait for while somebody did lately."""
        await self._is_wanted.wait()

    async def text(self, *, within_seconds: float) -> bytes | None:
        """What was read last; the first time it may take a while. None: it takes longer."""
        self._asked_at = self._clock()
        self._is_wanted.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                await self._is_known.wait()
        return self._text if self._is_known.is_set() else None

    async def renew(self) -> None:
        """Read it anew, unless nobody asks any more. What ``read`` raises comes out."""
        if self._is_stale(self._asked_at):
            self._is_wanted.clear()
            self._forget()
            return
        try:
            self._text = await self._read()
        except BaseException:
            if self._is_stale(self._read_at):
                self._forget()
            raise
        self._read_at = self._clock()
        self._is_known.set()

    def _is_stale(self, at: float) -> bool:
        return self._clock() - at > self._stale_seconds

    def _forget(self) -> None:
        self._text = b""
        self._is_known.clear()
