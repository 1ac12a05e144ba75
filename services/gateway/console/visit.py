"""One request of somebody signed in: what a page is made of."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from starlette.responses import RedirectResponse, Response

from services.gateway.answers import Call
from services.gateway.console.api import Api
from services.gateway.console.repeats import Repeats
from services.gateway.console.sessions import ConsoleSession

_SEE_OTHER = 303


class Renderer(Protocol):
    """Makes pages; see `pages.Pages`."""

    def page(self, template: str, visit: "Visit", **content: Any) -> Response: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Who looks at what. Every page has one address: account, region, path and query."""

    call: Call
    session: ConsoleSession
    api: Api
    renderer: Renderer
    repeats: Repeats
    path: str
    """Of the page, from the root of the server."""
    params: Mapping[str, str]
    """The parts of the path that have names."""
    query: Mapping[str, str]
    regions: Sequence[str]
    """All that the installation knows."""

    @property
    def account_id(self) -> str:
        return self.call.caller.account_id

    @property
    def region(self) -> str:
        return self.call.caller.region

    def url(self, path: str, /, **query: str | None) -> str:
        """The address of a page of this account and region; ``path`` begins with a slash."""
        return url_of(self.account_id, self.region, path, **query)

    def with_query(self, **changes: str | None) -> str:
        """The address of this page with parts of the query changed, or left out (None)."""
        return _with_query(self.path, {**self.query, **changes})

    def page(self, template: str, **content: Any) -> Response:
        """The page that ``template`` makes of ``content``.

        What every page has may be in it: ``title`` (needed), ``trail`` (of `Crumb`s), ``actions``
        (of `Link`s), ``is_changing`` (look again by itself, for a state will change).
        """
        return self.renderer.page(template, self, **content)

    def redirect(self, path: str, **query: str | None) -> Response:
        """Go on to another page of this account and region, by GET."""
        return RedirectResponse(self.url(path, **query), _SEE_OTHER)


@dataclass(frozen=True, slots=True)
class Link:
    """Something to follow."""

    text: str
    url: str
    is_main: bool = False
    """What most people come for: shown as a button in the page's colour."""
    is_destructive: bool = False


def url_of(account_id: str, region: str, path: str, /, **query: str | None) -> str:
    """The address of a page of any account and region."""
    parts = re.sub(r"[^/]+", lambda found: quote(found[0], safe=":@,"), path)
    return _with_query(f"/console/{account_id}/{region}{parts}", query)


def _with_query(path: str, query: Mapping[str, str | None]) -> str:
    given = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path
