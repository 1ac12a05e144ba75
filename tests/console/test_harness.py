"""The browser's watch sees what it is there to see (against a server of our own)."""

import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.console.browser import SCREENSHOTS, check_accessible, screenshot, watched

_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'"
_GOOD = '<main><h1>Fine</h1><label for="a">Name</label><input id="a"></main>'
_PAGES = {
    "/good": _GOOD,
    "/elsewhere": f'{_GOOD}<img src="http://elsewhere.example/x.png" alt="">',
    "/link": f'{_GOOD}<p><a href="http://elsewhere.example/">Elsewhere</a></p>',
    "/inline": f"{_GOOD}<script>document.title = 'changed';</script>",
    "/raises": f'{_GOOD}<script src="/raises.js"></script>',
    "/says": f'{_GOOD}<script src="/says.js"></script>',
    "/unlabelled": "<main><h1>Name it</h1><input></main>",
    "/faint": f'<link rel="stylesheet" href="/faint.css">{_GOOD}<p>Faint</p>',
    "/heading": "<main><h1>First</h1><h4>Not the second</h4></main>",
}
_FILES = {
    "/raises.js": ("text/javascript", "throw new Error('a script failed');"),
    "/says.js": ("text/javascript", "console.error('a script says so');"),
    "/faint.css": ("text/css", "@media (prefers-color-scheme: dark) { p { color: #eee; } }"),
}


class _Site(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        kind, content = _FILES.get(self.path, ("text/html", ""))
        if kind == "text/html":
            head = '<!doctype html><html lang="en"><title>A page</title>'
            head += '<link rel="icon" href="data:,">'
            content = head + _PAGES.get(self.path, _GOOD)
        is_known = self.path in _PAGES or self.path in _FILES
        body = content.encode()
        self.send_response(200 if is_known else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", f"{_POLICY}; img-src * data:")
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Not on the terminal."""


@pytest.fixture(scope="module")
def home() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    serving = threading.Thread(target=server.serve_forever)
    with closing(server.socket):
        serving.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()
        server.server_close()


@pytest.mark.parametrize("path", ["/good", "/missing"])
def test_a_good_page_passes(chromium: Browser, home: str, path: str) -> None:
    with watched(chromium, home) as page:
        page.goto(path)
        assert page.get_by_role("heading", name="Fine").is_visible()
        assert not check_accessible(page)


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        pytest.param("/elsewhere", "asked another host: GET http://elsewhere", id="another host"),
        pytest.param("/inline", "console: .*Content Security Policy", id="inline script"),
        pytest.param("/raises", "script: .*a script failed", id="raised error"),
        pytest.param("/says", "console: a script says so", id="console error"),
    ],
)
def test_what_goes_wrong_unseen_fails(
    chromium: Browser, home: str, path: str, complaint: str
) -> None:
    with pytest.raises(AssertionError, match=complaint), watched(chromium, home) as page:
        page.goto(path)


def test_a_link_elsewhere_is_no_request_until_it_is_followed(chromium: Browser, home: str) -> None:
    with watched(chromium, home) as page:
        page.goto("/link")
    followed = pytest.raises(AssertionError, match="asked another host")
    with followed, watched(chromium, home) as page:
        page.goto("/link")
        with page.expect_event("requestfailed"):
            page.get_by_role("link", name="Elsewhere").click()


@pytest.mark.parametrize(
    ("path", "rule"), [("/unlabelled", "(label)"), ("/faint", "(color-contrast)")]
)
def test_what_bars_people_fails(chromium: Browser, home: str, path: str, rule: str) -> None:
    with watched(chromium, home) as page:
        page.goto(path)
        with pytest.raises(AssertionError) as raised:
            check_accessible(page)
    assert rule in str(raised.value)


def test_what_merely_could_be_better_is_told(chromium: Browser, home: str) -> None:
    with watched(chromium, home) as page:
        page.goto("/heading")
        (told,) = check_accessible(page)
    assert "(heading-order)" in told


def test_pictures_are_kept_where_they_are_asked_for(
    chromium: Browser, home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with watched(chromium, home) as page:
        page.goto("/good")
        monkeypatch.delenv(SCREENSHOTS, raising=False)
        screenshot(page, "none")
        monkeypatch.setenv(SCREENSHOTS, str(tmp_path))
        screenshot(page, "good")
    assert {one.name for one in tmp_path.iterdir()} == {"good-dark.png", "good-light.png"}
