"""An RDAP server that tests tell what to answer."""

import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class RdapServer:
    """Answers HTTP with what was put at each path, and with 404 elsewhere, while it is entered."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        """Each request in its order: the path, without a slash before it, and what it accepts."""
        self._answers: dict[str, _Answer] = {}
        self._ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        host, port = self._server.server_address[:2]
        self.url = f"http://{host!s}:{port}"

    def put(self, path: str, record: Mapping[str, Any]) -> None:
        """A path, such as ``ip/198.18.0.0/16`` or ``autnum/64496``, is a record's from now on."""
        self.put_body(path, json.dumps(record).encode())

    def put_body(self, path: str, body: bytes, *, status: int = 200) -> None:
        """A path is answered with these bytes from now on."""
        self._answers[path] = _Answer(status, body, {"content-type": "application/rdap+json"})

    def redirect(self, path: str, target: str) -> None:
        """A path redirects to a URL, or to another path written ``/…``, from now on."""
        self._answers[path] = _Answer(302, headers={"location": target})

    def be_silent_about(self, path: str) -> None:
        """Requests of a path are not answered from now on."""
        self._answers[path] = _Answer(0)

    def answer(self, path: str, accepted: str) -> "_Answer":
        """What to say; after the end, when it is nothing."""
        self.asked.append((path, accepted))
        answer = self._answers.get(path, _Answer(404, b"{}"))
        if not answer.status:
            self._ended.wait()
        return answer

    def remove(self, path: str) -> None:
        """There is no such record from now on."""
        self._answers.pop(path, None)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(server: RdapServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(self.path).removeprefix("/")
            answer = server.answer(path, self.headers.get("accept", ""))
            if not answer.status:
                return
            # Who asked may have hung up, having read enough.
            with suppress(ConnectionError):
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's
            """Say nothing."""

    return Handler
