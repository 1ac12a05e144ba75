"""A real Prometheus that scrapes an installation."""

import json
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.waiting import wait_until

PROGRAM = shutil.which("prometheus")
NOT_INSTALLED = "Prometheus is not installed (Debian's package: prometheus)"


@dataclass(frozen=True)
class Prometheus:
    """Asked through its HTTP API."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **parameters: str) -> Any:
        """The data of an answer."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}{path}?{query}", timeout=10) as answer:
            return json.load(answer)["data"]

    def series(self, selector: str) -> list[tuple[Mapping[str, str], float]]:
        """Labels and value of what a selector finds now."""
        found = self.get("/api/v1/query", query=selector)["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@contextmanager
def prometheus(folder: Path, port: int, targets: Sequence[str]) -> Iterator[Prometheus]:
    """Scrapes ``targets`` every second, for the length of the block."""
    assert PROGRAM
    folder.mkdir()
    configuration = folder / "prometheus.yml"
    jobs = [
        {
            "job_name": target,
            "scrape_interval": "1s",
            "metrics_path": "/metrics",
            "static_configs": [{"targets": [target]}],
        }
        for target in targets
    ]
    # JSON is YAML.
    configuration.write_text(json.dumps({"scrape_configs": jobs}))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                PROGRAM,
                f"--config.file={configuration}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    running = Prometheus(port)
    try:
        wait_until(lambda: process.poll() is not None or running.is_ready())
        assert process.poll() is None, (folder / "log").read_text()
        yield running
    finally:
        process.terminate()
        process.wait(timeout=30)
