"""Spans as tests look at them: recorded in this process, or sent to a collector by others."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc.aio
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SentSpan
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, format_span_id, format_trace_id

from shared import tracing

# What a client that has a trace under way sends.
TRACE_ID, CLIENTS_SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE_ID}-{CLIENTS_SPAN_ID}-01"


@dataclass(frozen=True)
class Seen:
    """A span that has ended; ids are in hexadecimal, no parent is an empty one."""

    name: str
    kind: SpanKind
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    error: str | None
    """The description of its status, if that is an error."""


class Recorded:
    """The spans of this process."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    def all(self) -> list[Seen]:
        """In the order in which they ended."""
        return [_seen(span) for span in self._exporter.get_finished_spans()]

    def one(self, name: str, kind: SpanKind) -> Seen:
        """The only one of its name and kind."""
        [found] = [span for span in self.all() if (span.name, span.kind) == (name, kind)]
        return found


@contextmanager
def recorded() -> Iterator[Recorded]:
    """What is traced in this process during the block."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with tracing.recorded_by(provider):
        yield Recorded(exporter)


@dataclass
class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Takes what is exported."""

    address: str = ""
    spans: list[tuple[str, SentSpan]] = field(default_factory=list)
    """Each with the name of the service that it is from."""

    async def Export(
        self, request: pb.ExportTraceServiceRequest, context: Any
    ) -> pb.ExportTraceServiceResponse:
        for resource in request.resource_spans:
            named = {one.key: one.value.string_value for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [(named["service.name"], span) for span in scope.spans]
        return pb.ExportTraceServiceResponse()

    def named(self, name: str) -> SentSpan | None:
        """The first of that name."""
        return next((span for _, span in self.spans if span.name == name), None)


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """A collector that speaks OTLP."""
    collector, server = Collector(), grpc.aio.server()
    add: Any = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
    add(collector, server)
    collector.address = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield collector
    finally:
        await server.stop(grace=None)


def _seen(span: ReadableSpan) -> Seen:
    return Seen(
        name=span.name,
        kind=span.kind,
        trace_id=format_trace_id(span.context.trace_id),
        span_id=format_span_id(span.context.span_id),
        parent_id=format_span_id(span.parent.span_id) if span.parent else "",
        attributes=dict(span.attributes or {}),
        error=None if span.status.is_ok or span.status.is_unset else span.status.description,
    )
