import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from shared.rpc.fronts import ports
from shared.rpc.fronts.ports import HostUnusable, PortTaken, claimed_port


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_PATIENCE_SECONDS", 0.1)


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def port_of(bound: socket.socket) -> int:
    return int(bound.getsockname()[1])


def bound(port: int, *, shares: bool) -> socket.socket:
    """As gRPC binds with ``so_reuseport``, or without."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(shares))
    try:
        made.bind(("127.0.0.1", port))
    except OSError:
        made.close()
        raise
    made.listen()
    return made


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "::1", "0.0.0.0"])
async def test_a_port_is_found_on_every_kind_of_host(host: str) -> None:
    async with claimed_port(host, 0) as port:
        assert port > 0


async def test_who_shares_can_listen_on_a_claimed_port_and_nobody_else() -> None:
    async with claimed_port("127.0.0.1", 0) as port:
        with closing(bound(port, shares=True)), closing(bound(port, shares=True)):
            pass
        with pytest.raises(OSError, match="in use"):
            bound(port, shares=False)
        with pytest.raises(PortTaken, match=str(port)):
            async with claimed_port("127.0.0.1", port):
                pass
    with closing(bound(port, shares=False)):
        pass


async def test_a_port_that_somebody_listens_on_is_taken(listening: socket.socket) -> None:
    with pytest.raises(PortTaken):
        async with claimed_port("127.0.0.1", port_of(listening)):
            pass


@pytest.mark.parametrize("shared", [False, True], ids=["alone", "shared"])
async def test_connections_that_a_predecessor_left_behind_are_no_hindrance(shared: bool) -> None:
    server = bound(0, shares=shared)
    port = port_of(server)
    with closing(socket.create_connection(("127.0.0.1", port))) as client:
        connection, _ = server.accept()
        # Whoever closes first keeps the address in TIME_WAIT.
        connection.close()
        server.close()
        assert client.recv(1) == b""
    async with claimed_port("127.0.0.1", port):
        with closing(bound(port, shares=True)):
            pass


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
async def test_a_host_of_another_machine_is_named(host: str) -> None:
    with pytest.raises(HostUnusable, match=host):
        async with claimed_port(host, 0):
            pass
