"""What the chassis does for methods that take a stream of requests."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc
import pytest

from cadastre.discovery.v1 import snapshot_service_pb2 as pb
from cadastre.discovery.v1 import snapshot_service_pb2_grpc
from shared.errors import CadastreError, IncorrectState
from shared.identity import TokenSigner
from shared.rpc.client import Remote
from shared.rpc.fronts.serving import fronted
from shared.rpc.interceptor import Context
from shared.rpc.server import Binding, Build, RunningServer, Runtime, caller_of, running
from shared.settings import Settings
from tests.shared.rpc.conftest import USER

END = pb.PushSnapshotRequest(end=pb.SnapshotEnd(resource_count=1))


def header(source: str) -> pb.PushSnapshotRequest:
    return pb.PushSnapshotRequest(header=pb.SnapshotHeader(source=source))


class Snapshots(snapshot_service_pb2_grpc.SnapshotServiceServicer):
    """Counts what it is sent, and does what the header's source says."""

    def __init__(self) -> None:
        self.begun, self.ended = asyncio.Event(), asyncio.Event()

    async def PushSnapshot(
        self, requests: AsyncIterator[pb.PushSnapshotRequest], context: Context
    ) -> pb.PushSnapshotResponse:
        assert caller_of(context) == USER
        count = 0
        try:
            async for request in requests:
                self.begun.set()
                if request.header.source == "refused":
                    raise IncorrectState("not now")
                if request.header.source == "broken":
                    raise RuntimeError("the password is swordfish")
                count += 1
        finally:
            self.ended.set()
        return pb.PushSnapshotResponse(added_total=count)


@pytest.fixture
async def snapshots() -> Snapshots:
    return Snapshots()


@pytest.fixture
def build(snapshots: Snapshots) -> Build:
    @asynccontextmanager
    async def build(_runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        yield [
            Binding(
                snapshot_service_pb2_grpc.add_SnapshotServiceServicer_to_server,
                snapshots,
                "cadastre.discovery.v1.SnapshotService",
            )
        ]

    return build


@pytest.fixture
async def server(settings: Settings, build: Build) -> AsyncIterator[RunningServer]:
    async with running("discovery", build, settings) as server:
        yield server


@pytest.fixture
async def remote(server: RunningServer, signer: TokenSigner) -> AsyncIterator[Remote]:
    async with Remote(server.address, signer=signer) as remote:
        yield remote


async def push(
    remote: Remote,
    messages: Iterable[pb.PushSnapshotRequest] | AsyncIterator[pb.PushSnapshotRequest],
) -> Any:
    stub = snapshot_service_pb2_grpc.SnapshotServiceStub(remote.channel)
    return await remote.call(stub.PushSnapshot, messages, caller=USER)


async def hanging() -> AsyncIterator[pb.PushSnapshotRequest]:
    yield header("dc")
    await asyncio.Event().wait()


async def test_the_handler_is_given_every_message_and_its_caller(remote: Remote) -> None:
    assert (await push(remote, [])).added_total == 0
    assert (await push(remote, [header("dc"), END, END])).added_total == 3


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([header("dc"), header("")], "MissingParameter"),
        ([header("d" * 65)], "InvalidParameterValue"),
        ([header("refused")], "IncorrectState"),
    ],
    ids=["a later message", "a long value", "by the handler"],
)
async def test_each_message_is_checked_and_refusals_arrive(
    remote: Remote, messages: list[pb.PushSnapshotRequest], reason: str
) -> None:
    with pytest.raises(CadastreError) as raised:
        await push(remote, messages)
    assert raised.value.reason == reason


async def test_a_refusal_does_not_wait_for_the_end(remote: Remote) -> None:
    async def endless() -> AsyncIterator[pb.PushSnapshotRequest]:
        while True:
            yield header("refused")

    with pytest.raises(CadastreError, match="not now"):
        await push(remote, endless())


async def test_an_unforeseen_error_hides_its_details(remote: Remote) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await push(remote, [header("broken")])
    assert raised.value.code() is grpc.StatusCode.INTERNAL
    assert "swordfish" not in (raised.value.details() or "")


async def test_a_stream_without_a_token_is_unauthenticated(server: RunningServer) -> None:
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub = snapshot_service_pb2_grpc.SnapshotServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stub.PushSnapshot(iter([header("dc")]))
    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_handler_whose_client_has_gone_ends(remote: Remote, snapshots: Snapshots) -> None:
    pushing = asyncio.create_task(push(remote, hanging()))
    await snapshots.begun.wait()
    pushing.cancel()
    await snapshots.ended.wait()


async def test_a_shutdown_does_not_wait_for_what_clients_have_yet_to_send(
    settings: Settings, build: Build, signer: TokenSigner, snapshots: Snapshots
) -> None:
    patient = settings.model_copy(update={"shutdown_grace_seconds": 60})
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running("discovery", build, patient))
        remote = Remote(server.address, signer=signer)
        pushing = asyncio.create_task(push(remote, hanging()))
        await snapshots.begun.wait()
    with pytest.raises(CadastreError, match="stopping"):
        await pushing
    await remote.close()


async def test_a_front_has_no_client_streams_yet(
    settings: Settings, build: Build, signer: TokenSigner
) -> None:
    async with (
        fronted("discovery", build, settings, 1) as server,
        Remote(server.address, signer=signer) as remote,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await push(remote, [header("dc")])
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED
