"""Logs and metrics, set up once per process."""

import logging
import sys
from collections.abc import Sequence
from contextvars import ContextVar

import structlog
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from shared import tracing

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request being served; it goes along into threads and to other services."""


def configure_logging(level: str) -> None:
    """Write one JSON object per line to standard error, from ``level`` up.

    What is logged while a request is served has the request's id, and its span's.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    processors: list[structlog.typing.Processor] = [
        with_ids,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*processors, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries have their say when something is wrong.
    logging.basicConfig(level=logging.WARNING, handlers=[_like_ours(processors)])
    # It warns of each transaction that lost a race, which is told to whoever asked for it.
    logging.getLogger("psycopg").setLevel(logging.ERROR)


def logger(context: str) -> structlog.typing.FilteringBoundLogger:
    """A logger whose lines name the context."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger(context=context)
    return bound


def with_ids(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """A log line with the ids that lead from it to all else that its request left behind."""
    if current := request_id.get():
        event.setdefault("request_id", current)
    event.update(tracing.ids_for_log())
    return event


def _like_ours(processors: Sequence[structlog.typing.Processor]) -> logging.Handler:
    """Where libraries' lines are written as ours are."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *processors],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    return handler


def new_registry() -> CollectorRegistry:
    """A registry that already tells about the process: memory, CPU, file descriptors."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry
