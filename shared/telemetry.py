"""Logs and metrics, set up once per process."""

import logging
import sys
from contextvars import ContextVar

import structlog
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request being served; it goes along into threads and to other services."""


def configure_logging(level: str) -> None:
    """Write one JSON object per line to standard error, from ``level`` up."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries have their say when something is wrong.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    # It warns of each transaction that lost a race, which is told to whoever asked for it.
    logging.getLogger("psycopg").setLevel(logging.ERROR)


def logger(context: str) -> structlog.typing.FilteringBoundLogger:
    """A logger whose lines name the context."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger(context=context)
    return bound


def new_registry() -> CollectorRegistry:
    """A registry that already tells about the process: memory, CPU, file descriptors."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry
