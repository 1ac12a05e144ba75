"""A real browser whose user sees what a person sees, and in which nothing may go wrong unseen."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Literal, TypeAlias, TypedDict
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

CHROMIUM = Path("/usr/bin/chromium")
SCREENSHOTS = "CADASTRE_SCREENSHOTS"
WIDTH = 1280
PATIENCE_MILLISECONDS = 60_000

_Scheme: TypeAlias = Literal["light", "dark"]
_SCHEMES: Sequence[_Scheme] = ("light", "dark")
_GRAVE = ("serious", "critical")
_AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
_RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice")
_NOT_LOADED = "Failed to load resource"


class _Node(TypedDict):
    target: Sequence[str]
    html: str
    failureSummary: str


class _Violation(TypedDict):
    id: str
    impact: str
    help: str
    nodes: Sequence[_Node]


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window; the test that needs it is skipped where there is none.

    Playwright's event loop counts as running in this thread until it is closed, and no
    asynchronous test could run meanwhile: have it for a module at most, not for a session.
    """
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}: install Debian's package chromium")
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            # Chromium has no sandbox for root; and no name leads anywhere but to this machine.
            args=[
                *(["--no-sandbox"] if os.geteuid() == 0 else []),
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            ],
        )
        yield browser
        browser.close()


class Watch:
    """What went wrong in a browser while somebody used it.

    ``home`` is the only host and port that pages may ask.
    """

    def __init__(self, home: str) -> None:
        self.wrong: list[str] = []
        self._home = home
        self._documents: set[str] = set()

    def over(self, context: BrowserContext) -> None:
        """Watch all pages of ``context``."""
        context.on("request", self._asked)
        context.on("console", self._said)
        context.on("weberror", lambda raised: self.wrong.append(f"script: {raised.error}"))

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if request.is_navigation_request():
            self._documents.add(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != self._home:
            self.wrong.append(f"asked another host: {request.method} {request.url}")

    def _said(self, message: ConsoleMessage) -> None:
        url = message.location["url"]
        # A page that tells of a refusal has its status: that is for the test to judge.
        if message.text.startswith(_NOT_LOADED) and url in self._documents:
            return
        if message.type == "error":
            self.wrong.append(f"console: {message.text} ({url})")


@contextmanager
def watched(browser: Browser, home: str, *, has_scripts: bool = True) -> Iterator[Page]:
    """A person's browser, empty at first, and its first page; it is closed at the end.

    ``home`` is the only host and port that pages may ask; ``has_scripts`` says whether theirs run.
    Motion is reduced, so nothing on a page is between two states.

    Raises:
        AssertionError: at the end, when a page asked another host, raised an error, or broke the
            Content-Security-Policy (the browser's console tells of both).
    """
    context = browser.new_context(
        base_url=f"http://{home}",
        java_script_enabled=has_scripts,
        reduced_motion="reduce",
        color_scheme="light",
        viewport={"width": WIDTH, "height": 900},
    )
    watch = Watch(home)
    watch.over(context)
    try:
        page = context.new_page()
        yield page
        for one in context.pages:
            # An answer from each, so that all that it said before has arrived.
            one.evaluate("0")
    finally:
        context.close()
    assert not watch.wrong, "\n".join(["the browser complains:", *watch.wrong])


def check_accessible(page: Page) -> Sequence[str]:
    """Have axe check the page by WCAG 2.1 AA and best practices, contrast in light and in dark.

    Returns:
        What it found that is neither serious nor critical.

    Raises:
        AssertionError: with all that it found, when any is serious or critical.
    """
    # Through the debugger, which the page's Content-Security-Policy doesn't bind.
    page.evaluate(_AXE)
    found = list(_violations(page, {"type": "tag", "values": _RULES}))
    _show(page, "dark")
    found.extend(_violations(page, {"type": "rule", "values": ["color-contrast"]}))
    _show(page, "light")
    told = [_told(one) for one in found]
    grave = [one for one in found if one["impact"] in _GRAVE]
    assert not grave, "\n".join([f"{page.url} isn't accessible:", *told])
    return told


def screenshot(page: Page, name: str) -> None:
    """Keep the whole page's picture, light and dark, in the folder ``CADASTRE_SCREENSHOTS``.

    Without that variable nothing is kept.
    """
    folder = os.environ.get(SCREENSHOTS)
    if not folder:
        return
    for scheme in _SCHEMES:
        _show(page, scheme)
        page.screenshot(path=Path(folder) / f"{name}-{scheme}.png", full_page=True)
    _show(page, "light")


def _show(page: Page, scheme: _Scheme) -> None:
    """Have the system's colours be light or dark, and the page drawn in them."""
    page.emulate_media(color_scheme=scheme)
    # Scripts that follow the system hear of it with the next frame.
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def _violations(page: Page, only: object) -> Sequence[_Violation]:
    answer: dict[str, Sequence[_Violation]] = page.evaluate(
        "options => axe.run(options)", {"resultTypes": ["violations"], "runOnly": only}
    )
    return answer["violations"]


def _told(violation: _Violation) -> str:
    places = "".join(
        f"\n    {' '.join(map(str, node['target']))}: {node['html'][:160]}"
        f"\n      {' '.join(node['failureSummary'].split())}"
        for node in violation["nodes"]
    )
    return f"  {violation['impact']}: {violation['help']} ({violation['id']}){places}"
