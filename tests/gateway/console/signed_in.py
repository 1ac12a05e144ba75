"""Somebody who looks at the console through the gateway under test."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html.parser import HTMLParser
from uuid import uuid4

import httpx

from tests.gateway.edge import ACCESS_KEY_ID, ACCOUNT_ID, SECRET, Edge

REGION = "us-east-1"
HERE = f"/console/{ACCOUNT_ID}/{REGION}"


class Browser:
    """Keeps cookies, and sends forms with what their pages put in them."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def sign_in(self, secret: str = SECRET, **fields: str) -> httpx.Response:
        """What comes of signing in with the gateway's only key."""
        data = {"access_key_id": ACCESS_KEY_ID, "secret": secret, "region": REGION, **fields}
        return self.client.post("/console/sign-in", data=data)

    def get(self, path: str, **query: str) -> httpx.Response:
        """A page of the account: ``/ipams``."""
        return self.client.get(f"{HERE}{path}", params=query)

    def post(self, path: str, data: Mapping[str, str | Sequence[str]]) -> httpx.Response:
        """Send a form of the page at ``path``, with the CSRF token that the page has."""
        token = hidden(self.get(path).text)["csrf_token"]
        return self.client.post(f"{HERE}{path}", data={"csrf_token": token, **data})

    def review(self, path: str, **data: str | Sequence[str]) -> httpx.Response:
        """The review of an action's form."""
        return self.post(path, {**data, "step": "review"})

    def do(
        self, path: str, *, client_token: str = "", **data: str | Sequence[str]
    ) -> httpx.Response:
        """Have an action done, all at once; the answer leads to the page after it."""
        token = client_token or str(uuid4())
        return self.post(path, {**data, "step": "do", "client_token": token})


@contextmanager
def browser_of(edge: Edge) -> Iterator[Browser]:
    """A browser that nobody signed in with yet."""
    with httpx.Client(base_url=edge.gateway.url, trust_env=False) as client:
        yield Browser(client)


@contextmanager
def signed_in(edge: Edge) -> Iterator[Browser]:
    """A browser of somebody signed in to the account."""
    with browser_of(edge) as browser:
        assert browser.sign_in().status_code == 303
        edge.fakes.forget()
        edge.log.clear()
        yield browser


def hidden(html: str) -> Mapping[str, str]:
    """The hidden fields of a page's first form for sending."""
    found: dict[str, str] = {}
    for tag, attributes in _Tags(html).tags:
        if tag == "input" and attributes.get("type") == "hidden":
            found.setdefault(attributes.get("name", ""), attributes.get("value", ""))
    return found


def text_of(html: str) -> str:
    """What a page says, its blanks made one each."""
    return re.sub(r"\s+", " ", _Tags(html).text).strip()


def links_of(html: str) -> Mapping[str, str]:
    """The address behind each link's text; of same texts the last one's."""
    return _Tags(html).links


class _Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.links: dict[str, str] = {}
        self._texts: list[str] = []
        self._link: tuple[str, list[str]] | None = None
        self._is_silent = False
        self.feed(html)

    @property
    def text(self) -> str:
        return "".join(self._texts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        self._is_silent = tag in ("script", "style")
        if tag == "a":
            self._link = (attributes.get("href", ""), [])

    def handle_endtag(self, tag: str) -> None:
        self._is_silent = False
        if tag == "a" and self._link:
            url, texts = self._link
            self.links[re.sub(r"\s+", " ", "".join(texts)).strip()] = url
            self._link = None

    def handle_data(self, data: str) -> None:
        if self._is_silent:
            return
        self._texts.append(data)
        if self._link:
            self._link[1].append(data)
