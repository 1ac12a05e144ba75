"""What an RPKI validator makes of publication points: Debian's rpki-client, without a network."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.registries.internet_registry import REPOSITORY_URI, InternetRegistry

_PROGRAM = shutil.which("rpki-client", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
_USER = "_rpki-client"
"""Who root's validator runs as."""

needs_rpki_client = pytest.mark.skipif(
    _PROGRAM is None, reason="rpki-client is not installed (Debian's package of that name)"
)

Vrp: TypeAlias = tuple[str, int, int]
"""Prefix, ASN and maximum length that a validator found to be authorized."""
Points: TypeAlias = Mapping[str, Mapping[str, bytes]]
"""Publication points' files by name, by the points' rsync URIs."""


@dataclass(frozen=True)
class Validated:
    """What a validator found below a registry's trust anchor."""

    vrps: frozenset[Vrp]
    roas: int
    """All files of that kind, valid or not."""
    faults: int
    """Of whatever kind: what can't be read, does not count now, or is not signed rightly."""
    said: str
    """For whom a test fails."""


def validate(registry: InternetRegistry, points: Points) -> Validated:
    """Look at the registry's publication point and others, whose manifests and CRLs are valid.

    Debian's version 8.2 crashes when there is no valid one; `judgement` tells about these.
    """
    with _laid(registry, points) as directory:
        output = directory / "output"
        said = _run(directory, "-n", "-v", "-j", str(output))
        return _found(json.loads((output / "json").read_text()), said)


def judgement(registry: InternetRegistry, points: Points, uri: str) -> str:
    """What it says of one object without looking at manifests: "OK", or why not, if it knows."""
    with _laid(registry, points) as directory:
        told = json.loads(_run(directory, "-j", "-f", uri))
        assert isinstance(told["validation"], str)
        return told["validation"]


@contextmanager
def _laid(registry: InternetRegistry, points: Points) -> Iterator[Path]:
    # Not in pytest's folder, which others than who runs it can't enter.
    with tempfile.TemporaryDirectory(prefix="rpki-") as name:
        directory = Path(name)
        cache, output = directory / "cache", directory / "output"
        output.mkdir()
        shutil.copy(registry.tal, directory / "local.tal")
        ours = {path.name: path.read_bytes() for path in registry.repository.iterdir()}
        _lay(cache, "rsync://ta/local/", {"ta.cer": ours["ta.cer"]})
        for uri, files in {REPOSITORY_URI: ours, **points}.items():
            _lay(cache, uri, files)
        if os.geteuid() == 0:
            directory.chmod(0o755)
            for path in (output, cache, *cache.rglob("*")):
                shutil.chown(path, _USER)
        yield directory


def _lay(cache: Path, uri: str, files: Mapping[str, bytes]) -> None:
    place = cache / uri.removeprefix("rsync://")
    place.mkdir(parents=True)
    for name, content in files.items():
        (place / name).write_bytes(content)


def _run(directory: Path, *arguments: str) -> str:
    assert _PROGRAM is not None
    command = [_PROGRAM, "-t", "local.tal", "-d", str(directory / "cache"), *arguments]
    run = subprocess.run(
        command, cwd=directory, check=False, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout if "-f" in arguments else run.stdout + run.stderr


def _found(told: dict[str, object], said: str) -> Validated:
    metadata, roas = told["metadata"], told["roas"]
    assert isinstance(metadata, dict)
    assert isinstance(roas, list)
    kinds = ("roas", "certificates", "tals", "manifests")
    faults = {f"{how}{kind}" for how in ("failed", "invalid", "stale") for kind in kinds}
    return Validated(
        vrps=frozenset((roa["prefix"], roa["asn"], roa["maxLength"]) for roa in roas),
        roas=metadata["roas"],
        faults=sum(metadata.get(fault, 0) for fault in faults),
        said=said,
    )
