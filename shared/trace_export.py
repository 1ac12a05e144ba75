"""Spans on their way to a collector, in a thread of their own.

Whatever becomes of them, who is served does not notice: when the collector takes none, they wait,
and when too many wait, they are dropped. The SDK's own variables say how many, how often and where.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import structlog
from opentelemetry.exporter.otlp.proto.grpc.exporter import InvalidCompressionValueException
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from shared.errors import StartFailed
from shared.settings import Context

_EXPORTERS_LOG = "opentelemetry.exporter.otlp.proto.grpc.exporter"


class TracesNotConfigured(StartFailed):
    """A variable of OpenTelemetry's has a value that it can't have."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"traces can't be exported as the OTEL_... variables say: {error}")


@contextmanager
def exporting(
    context: Context, *, flush_seconds: float
) -> Iterator[tuple[TracerProvider, Callable[[], None]]]:
    """Who takes spans, and what begins to send them; see `shared.tracing.exported`.

    Raises:
        TracesNotConfigured: at the start, or when it is to begin.
    """
    outages = _Outages(context)
    with outages.listening():
        with _refused():
            exporter = _Exporter(outages)
            provider = TracerProvider(resource=_resource(context), shutdown_on_exit=False)
        try:
            yield provider, partial(_begin, provider, exporter)
        finally:
            # Nobody is to wait for what could not be sent before, either.
            _end(provider, exporter, 0 if outages.is_out else flush_seconds)


def _begin(provider: TracerProvider, exporter: SpanExporter) -> None:
    with _refused():
        provider.add_span_processor(BatchSpanProcessor(exporter))


def _end(provider: TracerProvider, exporter: SpanExporter, flush_seconds: float) -> None:
    # Without it, the SDK would try for half a minute.
    giving_up = threading.Timer(flush_seconds, exporter.shutdown)
    giving_up.start()
    provider.shutdown()
    giving_up.cancel()
    giving_up.join()


def _resource(context: Context) -> Resource:
    is_named = SERVICE_NAME in OTELResourceDetector().detect().attributes
    return Resource.create({} if is_named else {SERVICE_NAME: f"cadastre-{context}"})


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except (InvalidCompressionValueException, ValueError) as error:
        raise TracesNotConfigured(error) from error


class _Outages(logging.Handler):
    """Hears why spans were not taken, and tells it once for as long as that lasts."""

    def __init__(self, context: Context) -> None:
        super().__init__(logging.WARNING)
        self._log = structlog.get_logger(context=context)
        self.is_out = False

    def emit(self, record: logging.LogRecord) -> None:
        if not self.is_out:
            self._log.warning("traces are not exported", why=record.getMessage())
        self.is_out = True

    def end(self) -> None:
        if self.is_out:
            self._log.info("traces are exported again")
        self.is_out = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Instead of the log at large, where it would say the same again and again, as an ERROR."""
        heard = logging.getLogger(_EXPORTERS_LOG)
        heard.addHandler(self)
        heard.propagate = False
        try:
            yield
        finally:
            heard.propagate = True
            heard.removeHandler(self)


class _Exporter(OTLPSpanExporter):
    def __init__(self, outages: _Outages) -> None:
        super().__init__()
        self._outages = outages

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = super().export(spans)
        if result is SpanExportResult.SUCCESS:
            self._outages.end()
        return result
