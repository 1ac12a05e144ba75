"""A real Prometheus with a made-up past."""

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.core import Metric

from tests.acceptance.installation import free_base_port
from tests.waiting import wait_until

_PROMETHEUS, _PROMTOOL = Path("/usr/bin/prometheus"), Path("/usr/bin/promtool")
_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def needs_prometheus() -> None:
    if not (_PROMETHEUS.exists() and _PROMTOOL.exists()):
        pytest.skip(f"needs {_PROMETHEUS} and {_PROMTOOL}, from the package prometheus")


@contextmanager
def prometheus_with(
    folder: Path, scrapes: Iterable[tuple[int, str, Iterable[Metric]]]
) -> Iterator[str]:
    """The URL of one that scraped these families: when, in seconds, of which instance."""
    past, database, settings = folder / "past.txt", folder / "tsdb", folder / "prometheus.yml"
    past.write_text("\n".join([*_lines(scrapes), "# EOF\n"]))
    settings.write_text("scrape_configs: []\n")
    to_blocks = ["tsdb", "create-blocks-from", "openmetrics", str(past), str(database)]
    subprocess.run([str(_PROMTOOL), *to_blocks], check=True, capture_output=True)
    address = f"127.0.0.1:{free_base_port()}"
    options = {
        "config.file": settings,
        "storage.tsdb.path": database,
        "storage.tsdb.retention.time": "10y",
        "web.listen-address": address,
    }
    command = [str(_PROMETHEUS), *(f"--{name}={value}" for name, value in options.items())]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            wait_until(lambda: _is_ready(f"http://{address}/-/ready"))
            yield f"http://{address}"
        finally:
            process.terminate()


def _lines(scrapes: Iterable[tuple[int, str, Iterable[Metric]]]) -> Iterator[str]:
    # All of a family stands together.
    by_family: dict[str, list[str]] = {}
    for at, instance, families in scrapes:
        for family in families:
            lines = by_family.setdefault(family.name, [f"# TYPE {family.name} gauge"])
            for sample in family.samples:
                labels = {**sample.labels, "instance": instance}
                shown = ",".join(
                    f'{key}="{value.translate(_ESCAPED)}"' for key, value in labels.items()
                )
                lines.append(f"{sample.name}{{{shown}}} {sample.value} {at}")
    for lines in by_family.values():
        yield from lines


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.TransportError:
        return False
