"""Style sheets and scripts, all from here: no page asks anybody else for anything."""

import gzip
import hashlib
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from shared.errors import StartFailed

_OWN = Path(__file__).parent / "static"
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# Bootstrap comes in a package for Flask, of which nothing is imported.
_CARRIER, _BOOTSTRAP = "flask_bootstrap", "static/bootstrap5/css/bootstrap.min.css"


class AssetsMissing(StartFailed):
    """A package that has files for the console isn't installed as it should be."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    content: bytes
    compressed: bytes
    media_type: str
    digest: str
    """Of the content: what has another digest has another address, so browsers keep it."""


class Assets:
    """All files, in memory."""

    def __init__(self) -> None:
        """Read them.

        Raises:
            AssetsMissing: Bootstrap isn't installed.
        """
        files = [_bootstrap(), *sorted(_OWN.iterdir())]
        self._assets: Mapping[str, Asset] = {file.name: _read(file) for file in files}

    def path(self, name: str) -> str:
        """Where a page finds ``name``, below the console."""
        return f"static/{self._assets[name].digest}/{name}"

    async def serve(self, request: Request) -> Response:
        """The file, for good: under this address there never is another one."""
        asset = self._assets.get(request.path_params["name"])
        if asset is None or asset.digest != request.path_params["digest"]:
            return Response("Not found", HTTPStatus.NOT_FOUND, media_type="text/plain")
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "X-Content-Type-Options": "nosniff",
            "Vary": "Accept-Encoding",
        }
        content = asset.content
        if "gzip" in request.headers.get("accept-encoding", ""):
            content, headers["Content-Encoding"] = asset.compressed, "gzip"
        return Response(content, headers=headers, media_type=asset.media_type)

    def style_sheets(self) -> Sequence[str]:
        """All style sheets in the order in which they build on each other."""
        own = sorted(name for name in self._assets if name.endswith(".css"))
        return sorted(own, key=lambda name: (name != "bootstrap.min.css", name != "console.css"))

    def scripts(self) -> Sequence[str]:
        """All scripts."""
        return sorted(name for name in self._assets if name.endswith(".js"))


def _bootstrap() -> Path:
    found = importlib.util.find_spec(_CARRIER)
    folders = found.submodule_search_locations if found else None
    if not folders:
        raise AssetsMissing(f"The package {_CARRIER} is not installed; run make")
    file = Path(folders[0]) / _BOOTSTRAP
    if not file.is_file():
        raise AssetsMissing(f"{file} is missing; is another version of bootstrap-flask installed?")
    return file


def _read(file: Path) -> Asset:
    content = file.read_bytes()
    return Asset(
        content,
        gzip.compress(content, mtime=0),
        _MEDIA_TYPES[file.suffix],
        hashlib.sha256(content).hexdigest()[:16],
    )
