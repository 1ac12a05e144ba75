import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from services.metrics.exposition import Answer
from services.metrics.targets import RemoteTarget, resolved


@dataclass
class FakeReplica:
    """Tells its address, or nothing."""

    address: str
    name: str
    is_alive: bool = True
    is_closed: bool = False

    async def metrics(self) -> bytes | None:
        return self.address.encode() if self.is_alive else None

    async def close(self) -> None:
        self.is_closed = True


@dataclass
class Replicas:
    """What a name stands for, and who was ever connected to."""

    addresses: Sequence[str] = ()
    connected: list[FakeReplica] = field(default_factory=list)

    def connect(self, address: str, name: str) -> FakeReplica:
        self.connected.append(FakeReplica(address, name))
        return self.connected[-1]

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        return [f"{address}:{port}" for address in self.addresses]

    def target(self, address: str) -> RemoteTarget:
        return RemoteTarget("allocation", address, self.connect, resolve=self.resolve)


def told(replica: str) -> Answer:
    return Answer("allocation", replica.encode(), replica)


async def test_every_replica_behind_a_name_is_asked_and_named() -> None:
    replicas = Replicas(["10.0.0.2", "10.0.0.3"])
    target = replicas.target("allocation:4502")
    assert await target.answers() == [told("10.0.0.2:4502"), told("10.0.0.3:4502")]
    replicas.connected[0].is_alive = False
    assert await target.answers() == [
        Answer("allocation", None, "10.0.0.2:4502"),
        told("10.0.0.3:4502"),
    ]


async def test_the_only_replica_behind_a_name_has_the_labels_that_it_had_among_others() -> None:
    replicas = Replicas(["10.0.0.2"])
    assert await replicas.target("allocation:4502").answers() == [told("10.0.0.2:4502")]


@pytest.mark.parametrize("address", ["127.0.0.1:4502", "[::1]:4502"])
async def test_an_address_is_one_process_and_needs_no_name(address: str) -> None:
    replicas = Replicas()
    assert await replicas.target(address).answers() == [Answer("allocation", address.encode())]


async def test_certificates_are_for_the_name_and_not_for_the_replicas_address() -> None:
    replicas = Replicas(["10.0.0.2"])
    await replicas.target("allocation:4502").answers()
    assert replicas.connected == [FakeReplica("10.0.0.2:4502", "allocation")]


async def test_connections_are_kept_while_a_replica_is_there() -> None:
    replicas = Replicas(["10.0.0.2", "10.0.0.3"])
    target = replicas.target("allocation:4502")
    await target.answers()
    replicas.addresses = ["10.0.0.3", "10.0.0.4"]
    assert await target.answers() == [told("10.0.0.3:4502"), told("10.0.0.4:4502")]
    assert [(replica.address, replica.is_closed) for replica in replicas.connected] == [
        ("10.0.0.2:4502", True),
        ("10.0.0.3:4502", False),
        ("10.0.0.4:4502", False),
    ]
    await target.close()
    assert all(replica.is_closed for replica in replicas.connected)


async def test_a_service_nobody_can_find_is_down() -> None:
    assert await Replicas().target("allocation:4502").answers() == [Answer("allocation", None)]


async def test_names_are_looked_up() -> None:
    assert await resolved("localhost", 4502) == ["127.0.0.1:4502"]
    assert await resolved("not a name", 4502) == []


async def test_a_process_that_listens_in_both_families_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = {
        "both": ["10.0.0.3", "fd00::3", "10.0.0.2", "10.0.0.2"],
        "six": ["fd00::3", "fd00::2"],
    }

    async def look_up(host: str, port: int, **_: object) -> object:
        return [(10 if ":" in address else 2, 1, 6, "", (address, port)) for address in found[host]]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    assert await resolved("both", 1) == ["10.0.0.2:1", "10.0.0.3:1"]
    assert await resolved("six", 1) == ["[fd00::2]:1", "[fd00::3]:1"]
