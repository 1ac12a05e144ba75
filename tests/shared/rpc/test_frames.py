import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.caller import Caller
from shared.rpc.fronts.frames import CalledBy, Frames, Kind, call_from_payload, call_to_payload

FRAMES = st.tuples(
    st.sampled_from(Kind), st.integers(min_value=0, max_value=2**32 - 1), st.binary(max_size=300)
)


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data


@given(sent=st.lists(FRAMES, max_size=8), data=st.data())
def test_frames_arrive_whole_and_in_order_however_they_are_cut(
    sent: list[tuple[Kind, int, bytes]], data: st.DataObject
) -> None:
    async def transfer() -> list[tuple[int, int, bytes]]:
        arrived: list[tuple[int, int, bytes]] = []
        wire = Wire()
        ours = Frames(lambda *_: None, lambda: None)
        theirs = Frames(lambda *frame: arrived.append(frame), lambda: None)
        ours.connection_made(wire)
        for frame in sent:
            ours.send(*frame)
        await asyncio.sleep(0)
        cuts = data.draw(st.lists(st.integers(0, len(wire.written)), max_size=9))
        for begin, end in pairwise(sorted([0, *cuts, len(wire.written)])):
            theirs.data_received(wire.written[begin:end])
        return arrived

    assert asyncio.run(transfer()) == sent


@pytest.mark.parametrize(
    ("caller", "request_id"),
    [
        (Caller("123456789012", "us-east-1", "arn:aws:iam::123456789012:user/x"), "1-2-3"),
        (Caller("", "", "", service="network"), ""),
        (Caller("1", "r", 'quote " newline \n 유니코드', service="s"), "유니코드"),
    ],
)
@pytest.mark.parametrize("trace", [{}, {"traceparent": "00-1-2-01", "tracestate": 'a="b"'}])
@pytest.mark.parametrize("request_", [b"", b"\x00\xff" * 500])
def test_a_call_crosses_as_it_is(
    caller: Caller, request_id: str, trace: dict[str, str], request_: bytes
) -> None:
    call = CalledBy(7, caller, request_id, trace, request_)
    assert call_from_payload(call_to_payload(call)) == call


async def test_what_is_sent_to_a_peer_that_has_gone_goes_nowhere() -> None:
    lost: list[bool] = []
    frames = Frames(lambda *_: None, lambda: lost.append(True))
    wire = Wire()
    frames.connection_made(wire)
    frames.connection_lost(None)
    frames.send(Kind.ANSWER, 1, b"x")
    await asyncio.sleep(0)
    assert (lost, wire.written) == ([True], b"")
