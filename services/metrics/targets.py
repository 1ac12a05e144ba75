"""What is scraped: this service itself, and every replica of the others."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry, generate_latest

from services.metrics.exposition import Answer

RESOLVING_SECONDS = 2.0
"""Well under Prometheus's usual scrape timeout of 10 seconds, together with asking."""


class Replica(Protocol):
    """A connection to one process of a service."""

    async def metrics(self) -> bytes | None:
        """In Prometheus's text format; None when it does not answer soon, or is closed."""

    async def close(self) -> None:
        """Cancel what is under way."""


Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class OwnTarget:
    """This service itself."""

    def __init__(self, service: str, registry: CollectorRegistry) -> None:
        self._service, self._registry = service, registry

    async def answers(self) -> Sequence[Answer]:
        return [Answer(self._service, generate_latest(self._registry))]


async def resolved(host: str, port: int) -> Sequence[str]:
    """Every ``address:port`` that a name stands for, in order; none where it can't be found out.

    A process that listens in both families is one replica, so IPv6 counts where there is no IPv4.
    """
    looking_up = asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    try:
        found = await asyncio.wait_for(looking_up, RESOLVING_SECONDS)
    except (OSError, TimeoutError):
        return []
    by_family = {
        family: sorted({where[0] for of, *_, where in found if of == family})
        for family in (socket.AF_INET, socket.AF_INET6)
    }
    if four := by_family[socket.AF_INET]:
        return [f"{address}:{port}" for address in four]
    return [f"[{address}]:{port}" for address in by_family[socket.AF_INET6]]


class RemoteTarget:
    """Another service, all its replicas."""

    def __init__(
        self,
        service: str,
        address: str,
        connect: Callable[[str, str], Replica],
        *,
        resolve: Resolve = resolved,
    ) -> None:
        """``address`` is ``host:port``; a name is looked up anew at each scrape.

        Behind a name there may be several replicas, now or later, so their series say which one
        told them. An address is one process, and its series are the service's. ``connect`` gets
        an address, and the host that certificates are for.
        """
        host, _, port = address.rpartition(":")
        self._service, self._address = service, address
        self._host, self._port = host.strip("[]"), int(port)
        self._connect, self._resolve = connect, resolve
        self._replicas: dict[str, Replica] = {}

    async def answers(self) -> Sequence[Answer]:
        """One of each replica; all are asked at the same time."""
        if _is_number(self._host):
            return [Answer(self._service, await self._ask(self._address))]
        addresses = await self._resolve(self._host, self._port)
        await self._forget_all_but(addresses)
        if not addresses:
            return [Answer(self._service, None)]
        told = await asyncio.gather(*map(self._ask, addresses))
        return [
            Answer(self._service, exposition, address)
            for address, exposition in zip(addresses, told, strict=True)
        ]

    async def close(self) -> None:
        """Cancel what is under way."""
        await self._forget_all_but([])

    async def _ask(self, address: str) -> bytes | None:
        if address not in self._replicas:
            self._replicas[address] = self._connect(address, self._host)
        return await self._replicas[address].metrics()

    async def _forget_all_but(self, addresses: Sequence[str]) -> None:
        gone = [address for address in self._replicas if address not in addresses]
        for replica in [self._replicas.pop(address) for address in gone]:
            await replica.close()


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
