"""Where spans go, and what becomes of a process's work when they can't."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
import structlog
from opentelemetry.trace import INVALID_SPAN
from structlog.testing import LogCapture

from shared import trace_export, tracing
from shared.telemetry import request_id, with_ids
from shared.trace_export import TracesNotConfigured
from tests.spans import TRACE_ID, TRACEPARENT, Collector, collecting, recorded
from tests.waiting import eventually, wait_until

REPOSITORY = Path(__file__).parents[2]
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """One that says nothing of traces."""
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """What the log is told."""
    with structlog.testing.capture_logs() as lines:
        yield lines


def serve_something() -> None:
    """In a context of its own, as tasks have one."""
    copy_context().run(lambda: tracing.serve("something", {}, dict).end())


def run(program: str) -> "subprocess.CompletedProcess[str]":
    """In a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": ".gen"},
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": NOWHERE, "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": NOWHERE, "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_unless_a_collector_is_named_nothing_is_traced(
    variables: dict[str, str], environment: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        environment.setenv(name, value)
    before = threading.enumerate()
    with tracing.exported("network", flush_seconds=1) as begin:
        begin()
        assert not tracing.is_on()
        assert tracing.serve("something", {"traceparent": TRACEPARENT}, dict) is INVALID_SPAN
        assert tracing.carried() == tracing.ids_for_log() == {}
        assert threading.enumerate() == before


def test_a_process_that_is_not_traced_does_not_load_what_exports() -> None:
    done = run("import sys, shared.rpc.server; print(sys.modules.keys())")
    assert "opentelemetry.trace" in done.stdout
    assert "opentelemetry.sdk" not in done.stdout
    assert "opentelemetry.exporter" not in done.stdout


@pytest.mark.parametrize(
    "variable", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
)
async def test_spans_go_to_the_collector_that_is_named(
    variable: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
    async with collecting() as collector:
        environment.setenv(variable, collector.address)
        with tracing.exported("network", flush_seconds=10) as begin:
            begin()
            serve_something()
            await eventually(lambda: has_spans(collector))
    assert [(service, span.name) for service, span in collector.spans] == [
        ("cadastre-network", "something")
    ]


async def has_spans(collector: Collector) -> bool:
    return bool(collector.spans)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_SERVICE_NAME", "ours"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=ours,deployment.environment.name=x"),
    ],
)
def test_a_service_can_be_given_another_name(
    variable: str, value: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv(variable, value)
    with trace_export.exporting("network", flush_seconds=0) as (provider, _):
        assert provider.resource.attributes["service.name"] == "ours"


def test_when_nobody_takes_spans_it_is_told_once_and_they_are_given_up(
    environment: pytest.MonkeyPatch, told: list[Any]
) -> None:
    environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", NOWHERE)
    # One at a time: each fails.
    environment.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")
    with tracing.exported("network", flush_seconds=30) as begin:
        begin()
        for _ in range(5):
            serve_something()
        wait_until(lambda: told)
    [line] = told
    assert (line["log_level"], line["event"]) == ("warning", "traces are not exported")
    assert "127.0.0.1:1" in line["why"]
    assert not [one for one in threading.enumerate() if one.name.startswith("Otel")]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "much"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
    ],
)
def test_a_wrong_variable_keeps_a_process_from_starting(
    variable: str, value: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", NOWHERE)
    environment.setenv(variable, value)
    with pytest.raises(TracesNotConfigured):
        start()
    assert not tracing.is_on()


def start() -> None:
    with tracing.exported("network", flush_seconds=0) as begin:
        begin()


async def test_background_work_is_a_trace_of_its_own_and_tells_what_failed() -> None:
    with recorded() as spans:
        tracing.serve("a request", {}, dict)
        with pytest.raises(RuntimeError), tracing.work("a step"):
            raise RuntimeError("no")
    [step] = spans.all()
    assert (step.name, step.parent_id, step.error) == ("a step", "", "RuntimeError: no")


async def test_a_log_line_has_the_ids_of_the_request_and_of_its_span() -> None:
    captured = LogCapture()
    log = structlog.wrap_logger(None, processors=[with_ids, captured])
    log.info("before")
    request_id.set("request-1")
    with recorded():
        span = tracing.serve("a request", {"traceparent": TRACEPARENT}, dict)
        log.info("meanwhile")
        log.info("of another", request_id="request-2")
    before, meanwhile, other = captured.entries
    assert before == {"event": "before", "log_level": "info"}
    assert (meanwhile["request_id"], meanwhile["trace_id"]) == ("request-1", TRACE_ID)
    assert int(meanwhile["span_id"], 16) == span.get_span_context().span_id
    assert other["request_id"] == "request-2"


LOGGING = """
import logging
from shared.telemetry import configure_logging, logger, request_id

configure_logging("info")
request_id.set("request-1")
logger("network").info("ours")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("a.library").exception("it's %s", "theirs")
"""


def test_libraries_lines_are_as_ours() -> None:
    ours, theirs = map(json.loads, run(LOGGING).stderr.splitlines())
    assert (ours["event"], ours["request_id"]) == ("ours", "request-1")
    assert (theirs["event"], theirs["request_id"]) == ("it's theirs", "request-1")
    assert (theirs["level"], theirs["logger"]) == ("error", "a.library")
    assert "ZeroDivisionError" in theirs["exception"]
