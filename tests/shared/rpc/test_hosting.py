"""The core's side of a link, frame by frame."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.protobuf.message import Message
from structlog.testing import CapturingLogger

from cadastre.metrics.v1 import metrics_service_pb2 as pb
from shared.errors import InvalidParameterValue
from shared.rpc.fronts.frames import CalledBy, Frames, Kind, call_to_payload
from shared.rpc.fronts.hosting import FrontGone, Hosted, HostedFront
from shared.rpc.status import refusal_from_details
from tests.shared.rpc.conftest import SERVICE
from tests.shared.rpc.test_frames import Wire
from tests.waiting import PATIENCE_SECONDS

CALL = call_to_payload(
    CalledBy(0, SERVICE, "request-1", {}, pb.GatherMetricsRequest().SerializeToString())
)


class Front:
    """What a front sends and gets; what is sent together arrives together."""

    def __init__(self, behaviour: Any = None, *, streams: bool = False) -> None:
        self.log = CapturingLogger()
        self._wire, self._got = Wire(), list[tuple[int, int, bytes]]()
        method = Hosted("a.b.C.Method", behaviour, pb.GatherMetricsRequest, streams)
        self.hosted = HostedFront([method], self.log)
        self.hosted.frames.connection_made(self._wire)

    async def sends(self, *frames: tuple[Kind, int, bytes]) -> None:
        wire, ours = Wire(), Frames(lambda *_: None, lambda: None)
        ours.connection_made(wire)
        for frame in frames:
            ours.send(*frame)
        await asyncio.sleep(0)
        self.hosted.frames.data_received(wire.written)

    async def gets(self, count: int) -> list[tuple[int, int, bytes]]:
        """The next frames from the core."""
        theirs = Frames(lambda *frame: self._got.append(frame), lambda: None)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self._got) < count:
                await asyncio.sleep(0)
                content, self._wire.written = self._wire.written, b""
                theirs.data_received(content)
        got, self._got = self._got[:count], self._got[count:]
        return got


async def answered(request: Message, _context: object) -> Message:
    return pb.GatherMetricsResponse(exposition=b"x")


async def refused(request: Message, _context: object) -> Message:
    raise InvalidParameterValue("'x' is wrong", parameter="p", value="x")


async def failed(request: Message, _context: object) -> Message:
    raise RuntimeError("the password is swordfish")


async def cancelled(request: Message, _context: object) -> Message:
    # As a client library does whose channel is closed.
    raise asyncio.CancelledError


async def test_a_response_is_an_answer() -> None:
    front = Front(answered)
    await front.sends((Kind.CALL, 1 << 40, CALL))
    [(kind, number, payload)] = await front.gets(1)
    assert (kind, number) == (Kind.ANSWER, 1 << 40)
    assert pb.GatherMetricsResponse.FromString(payload).exposition == b"x"


async def test_a_refusal_crosses_with_its_kind_and_values() -> None:
    front = Front(refused)
    await front.sends((Kind.CALL, 1, CALL))
    [(kind, _, payload)] = await front.gets(1)
    refusal = refusal_from_details(payload)
    assert kind == Kind.REFUSAL
    assert (refusal.reason, refusal.message) == ("InvalidParameterValue", "'x' is wrong")
    assert refusal.metadata == {"parameter": "p", "value": "x"}


@pytest.mark.parametrize("behaviour", [failed, cancelled])
async def test_a_call_that_fails_is_answered_by_a_fault(behaviour: Any) -> None:
    front = Front(behaviour)
    await front.sends((Kind.CALL, 1, CALL))
    assert await front.gets(1) == [(Kind.FAULT, 1, b"")]


async def test_a_fault_is_logged_with_the_request_that_the_client_is_told_of() -> None:
    front = Front(failed)
    await front.sends((Kind.CALL, 1, CALL))
    await front.gets(1)
    [logged] = front.log.calls
    assert (logged.method_name, logged.kwargs["request_id"]) == ("error", "request-1")


async def test_a_call_given_up_before_it_began_leaves_nothing_behind() -> None:
    front = Front(answered)
    await front.sends((Kind.CALL, 1, CALL), (Kind.CANCEL, 1, b""))
    await front.sends((Kind.CALL, 2, CALL))
    assert [number for _, number, _ in await front.gets(1)] == [2]
    assert not front.hosted.calls_under_way


async def test_figures_that_nobody_waits_for_any_more_harm_nobody() -> None:
    front = Front(answered)
    asked = asyncio.create_task(front.hosted.figures())
    [(kind, number, _)] = await front.gets(1)
    assert kind == Kind.COLLECT
    asked.cancel()
    await front.sends((Kind.FIGURES, number, b"late"))
    asked = asyncio.create_task(front.hosted.figures())
    [(_, number, _)] = await front.gets(1)
    await front.sends((Kind.FIGURES, number, b"new"))
    assert await asked == b"new"


async def test_a_front_that_has_gone_has_no_figures() -> None:
    front = Front(answered)
    asked = asyncio.create_task(front.hosted.figures())
    await front.gets(1)
    front.hosted.frames.connection_lost(None)
    with pytest.raises(FrontGone):
        await asked
    with pytest.raises(FrontGone):
        await front.hosted.figures()


async def test_a_stream_goes_on_as_its_messages_are_taken() -> None:
    async def counts(request: Message, _context: object) -> AsyncIterator[Message]:
        for number in range(200):
            yield pb.GatherMetricsResponse(exposition=b"%d" % number)

    front = Front(counts, streams=True)
    await front.sends((Kind.CALL, 1, CALL))
    for _ in range(200):
        [(kind, number, _)] = await front.gets(1)
        assert (kind, number) == (Kind.MESSAGE, 1)
        await front.sends((Kind.TAKEN, 1, b""))
    assert await front.gets(1) == [(Kind.END, 1, b"")]
