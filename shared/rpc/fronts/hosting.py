"""The core's side: calls that fronts received are carried out here."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

import structlog
from google.protobuf.message import Message

from shared import tracing
from shared.errors import CadastreError
from shared.rpc.fronts.frames import CalledBy, Frames, Kind, call_from_payload
from shared.rpc.fronts.hello import methods_of, request_type_of
from shared.rpc.interceptor import serve_as
from shared.rpc.status import details_of
from shared.rpc.wiring import Binding
from shared.telemetry import request_id

STREAM_WINDOW = 64
"""So many messages of a stream are sent before the front has passed the first one on."""


class FrontGone(Exception):
    """The front can't be asked any more."""


@dataclass(frozen=True, slots=True)
class Hosted:
    """A method and who carries it out."""

    name: str
    behaviour: Callable[[Message, Any], Any]
    request_type: type[Message]
    streams: bool


def hosted_by(bindings: Sequence[Binding]) -> list[Hosted]:
    """The methods of all services, in the order in which fronts number them."""
    servicers = {binding.full_name: binding.servicer for binding in bindings}
    return [
        Hosted(
            name=method.full_name,
            behaviour=getattr(servicers[method.containing_service.full_name], method.name),
            request_type=request_type_of(method),
            streams=method.server_streaming,
        )
        for method in methods_of(list(servicers))
    ]


@dataclass(slots=True)
class _Running:
    """A call under way. ``window`` has room for messages of a stream."""

    task: asyncio.Task[None]
    window: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(STREAM_WINDOW))


class HostedFront:
    """One front, as its core sees it."""

    def __init__(
        self, methods: Sequence[Hosted], log: structlog.typing.FilteringBoundLogger
    ) -> None:
        self._methods, self._log = methods, log
        self._running: dict[int, _Running] = {}
        self._collecting: dict[int, asyncio.Future[bytes]] = {}
        self._collections = count(1)
        self._is_gone = False
        self.ready = asyncio.Event()
        self.frames = Frames(self._receive, self._lost)

    @property
    def calls_under_way(self) -> int:
        return len(self._running)

    async def figures(self) -> bytes:
        """The front's own metrics.

        Raises:
            FrontGone: there is no front any more.
        """
        if self._is_gone:
            raise FrontGone
        number = next(self._collections)
        self._collecting[number] = asyncio.get_running_loop().create_future()
        self.frames.send(Kind.COLLECT, number)
        try:
            return await self._collecting[number]
        finally:
            del self._collecting[number]

    def _receive(self, kind: int, number: int, payload: bytes) -> None:
        match kind:
            case Kind.CALL:
                task = asyncio.create_task(self._serve(number, call_from_payload(payload)))
                self._running[number] = _Running(task)
                # Not the task's own last act: cancelled soon enough, it never has a first one.
                task.add_done_callback(partial(self._ended, number))
            case Kind.CANCEL:
                for running in self._of(number):
                    running.task.cancel()
            case Kind.TAKEN:
                for running in self._of(number):
                    running.window.release()
            case Kind.READY:
                self.ready.set()
            case Kind.FIGURES:
                self._collected(number, payload)
            case _:
                raise ValueError(f"a frame of kind {kind} from a front")

    def _of(self, number: int) -> Iterator[_Running]:
        """The call of this number; none when its answer is on its way already."""
        if running := self._running.get(number):
            yield running

    def _ended(self, number: int, _task: "asyncio.Task[None]") -> None:
        del self._running[number]

    def _collected(self, number: int, figures: bytes) -> None:
        # Whoever asked may have gone.
        answer = self._collecting.get(number)
        if answer and not answer.done():
            answer.set_result(figures)

    def _lost(self) -> None:
        self._is_gone = True
        for running in self._running.values():
            running.task.cancel()
        for answer in self._collecting.values():
            if not answer.done():
                answer.set_exception(FrontGone())

    async def _serve(self, number: int, call: CalledBy) -> None:
        hosted = self._methods[call.method]
        request_id.set(call.request_id)
        tracing.carry_on(call.trace)
        serve_as(call.caller)
        try:
            request = hosted.request_type.FromString(call.request)
            if hosted.streams:
                await self._stream(number, hosted.behaviour(request, None))
            else:
                await self._answer(number, hosted.behaviour(request, None))
        except CadastreError as refusal:
            self.frames.send(Kind.REFUSAL, number, details_of(refusal))
        except asyncio.CancelledError:
            # Not always because the front said so, and then it waits.
            self.frames.send(Kind.FAULT, number)
            raise
        except Exception:  # noqa: BLE001 - the process's edge: told to the log, not the caller
            self._log.error(
                "call failed", exc_info=True, method=hosted.name, request_id=call.request_id
            )
            self.frames.send(Kind.FAULT, number)

    async def _answer(self, number: int, answer: Awaitable[Message]) -> None:
        self.frames.send(Kind.ANSWER, number, (await answer).SerializeToString())

    async def _stream(self, number: int, responses: Any) -> None:
        window = self._running[number].window
        async for response in responses:
            await window.acquire()
            self.frames.send(Kind.MESSAGE, number, response.SerializeToString())
        self.frames.send(Kind.END, number)
