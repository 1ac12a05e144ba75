"""Traces: spans of what is served and of what is asked of others.

Nothing is recorded until `recorded_by` says where to; until then, next to nothing is spent on it.
A span that is current is known to this task and to what it starts; other processes are told of it
in the headers of the W3C's Trace Context.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.context import Context, attach
from opentelemetry.trace import (
    INVALID_SPAN,
    Span,
    SpanKind,
    Tracer,
    TracerProvider,
    format_span_id,
    format_trace_id,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from shared.settings import Context as ContextName

REQUEST_ID = "cadastre.request_id"
ACCOUNT_ID = "cadastre.account_id"
REASON = "cadastre.reason"
"""AWS's code of a refusal."""

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_W3C = TraceContextTextMapPropagator()

_tracer: Tracer | None = None


@contextmanager
def exported(context: ContextName, *, flush_seconds: float) -> Iterator[Callable[[], None]]:
    """Record spans for the length of the block, if the environment names a collector.

    What the block is given is to be called once the process forks no more: only then a thread
    begins to send them. What is left is sent at the end, for ``flush_seconds`` at most.

    Raises:
        StartFailed: a variable of OpenTelemetry's can't be used.
    """
    if not _is_wanted(os.environ):
        yield _nothing
        return
    # Only who wants traces is to pay for it: it takes longer than all else of a start.
    from shared.trace_export import exporting  # noqa: PLC0415

    with (
        exporting(context, flush_seconds=flush_seconds) as (provider, begin),
        recorded_by(provider),
    ):
        yield begin


@contextmanager
def recorded_by(provider: TracerProvider) -> Iterator[None]:
    """For the length of the block, this process's spans go there."""
    global _tracer  # noqa: PLW0603 - of a process, like its log
    before, _tracer = _tracer, provider.get_tracer("cadastre")
    try:
        yield
    finally:
        _tracer = before


def is_on() -> bool:
    """Spans are recorded."""
    return _tracer is not None


def serve(
    name: str, headers: Mapping[str, str], attributes: Callable[[], dict[str, AttributeValue]]
) -> Span:
    """The span of a request, which from here on is this task's current one; to be ended.

    It is part of the trace that the request's ``headers`` tell of, if any, and never of what the
    task was started by.
    """
    if _tracer is None:
        return INVALID_SPAN
    parent = _W3C.extract(headers, Context())
    span = _tracer.start_span(name, parent, SpanKind.SERVER, attributes())
    attach(set_span_in_context(span, Context()))
    return span


def ask(name: str, attributes: dict[str, AttributeValue]) -> tuple[Span, dict[str, str]]:
    """The span of a request to another service, to be ended, and the headers that tell of it.

    It does not become current: a stream's reader does more than read.
    """
    if _tracer is None:
        return INVALID_SPAN, {}
    span = _tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)
    headers: dict[str, str] = {}
    _W3C.inject(headers, set_span_in_context(span))
    return span, headers


@contextmanager
def work(name: str) -> Iterator[None]:
    """A piece of work that nobody waits for, as a trace of its own; what it raises is its fault."""
    if _tracer is None:
        yield
        return
    with _tracer.start_as_current_span(name, Context()):
        yield


def carried() -> dict[str, str]:
    """Headers that tell of the current span; none when there is none."""
    headers: dict[str, str] = {}
    if _tracer is not None:
        _W3C.inject(headers)
    return headers


def carry_on(headers: Mapping[str, str]) -> None:
    """From here on this task works on what another process has a span of, if any."""
    if headers:
        attach(_W3C.extract(headers, Context()))


def ids_for_log() -> dict[str, str]:
    """Of the current span, if it is recorded."""
    if _tracer is None:
        return {}
    context = get_current_span().get_span_context()
    if not context.trace_flags.sampled:
        return {}
    return {
        "trace_id": format_trace_id(context.trace_id),
        "span_id": format_span_id(context.span_id),
    }


def _is_wanted(environment: Mapping[str, str]) -> bool:
    is_forbidden = (
        environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
        or environment.get("OTEL_TRACES_EXPORTER") == "none"
    )
    return any(map(environment.get, _ENDPOINTS)) and not is_forbidden


def _nothing() -> None:
    pass
