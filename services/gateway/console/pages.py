"""Templates -> pages. All text is escaped unless it is markup of ours."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from services.gateway.console import words
from services.gateway.console.advice import Refusal
from services.gateway.console.assets import Assets
from services.gateway.console.bars import bar
from services.gateway.console.forms import Kind
from services.gateway.console.section import Group, Section
from services.gateway.console.sessions import ConsoleSession
from services.gateway.console.visit import Link, Visit, url_of

_TEMPLATES = Path(__file__).parent / "templates"
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
        " connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the navigation."""

    text: str
    url: str
    is_current: bool


class Pages:
    """Makes all pages of the console."""

    def __init__(self, assets: Assets, sections: Sequence[Section]) -> None:
        self._assets, self._sections = assets, sections
        self._done = {action.name: action.done for one in sections for action in one.actions}
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            style_sheets=[f"/console/{assets.path(name)}" for name in assets.style_sheets()],
            scripts=[f"/console/{assets.path(name)}" for name in assets.scripts()],
            bar=bar,
            Kind=Kind,
            nothing=words.NOTHING,
        )
        self._environment.filters.update(
            count=words.count_of,
            groupby_neighbours=_neighbours,
            percent=words.percent_of,
            sentence=words.sentence_of,
            tone=words.tone_of,
        )

    def page(self, template: str, visit: Visit, **content: Any) -> Response:
        """A page for somebody signed in; see `Visit.page`."""
        status = content.pop("status", HTTPStatus.OK)
        defaults: dict[str, Any] = {"trail": (), "actions": (), "is_changing": False}
        html = self._environment.get_template(template).render(
            **{
                **defaults,
                **content,
                "visit": visit,
                "csrf_token": visit.session.csrf_token,
                "navigation": self._navigation(visit),
                "done": self._done.get(visit.query.get("done", ""), ""),
                "region_links": self._region_links(visit),
                "accounts": [one.account_id for one in visit.session.sign_ins],
            }
        )
        return HTMLResponse(html, status, _HEADERS)

    def sign_in(
        self,
        session: ConsoleSession,
        *,
        next_url: str,
        regions: Sequence[str],
        region: str,
        access_key_id: str = "",
        account_id: str = "",
        is_unsent: bool = False,
        refusal: Refusal | None = None,
    ) -> Response:
        """The page to sign in; ``account_id`` is the one that a page was asked for of.

        ``is_unsent``: a form was sent by somebody who isn't signed in any more.
        """
        html = self._environment.get_template("sign_in.html").render(
            title="Sign in",
            csrf_token=session.csrf_token,
            next_url=next_url,
            regions=regions,
            region=region,
            access_key_id=access_key_id,
            account_id=account_id,
            is_unsent=is_unsent,
            refusal=refusal,
        )
        return HTMLResponse(html, refusal.status if refusal else HTTPStatus.OK, _HEADERS)

    def refusal(self, refusal: Refusal, visit: Visit | None, *, request_id: str) -> Response:
        """A page that says why there is none."""
        if visit is None:
            html = self._environment.get_template("alone.html").render(
                title="This didn't work", refusal=refusal, request_id=request_id
            )
            return HTMLResponse(html, refusal.status, _HEADERS)
        return self.page(
            "refusal.html",
            visit,
            title="This didn't work",
            refusal=refusal,
            request_id=request_id,
            status=refusal.status,
        )

    def _navigation(self, visit: Visit) -> Mapping[str, Sequence[Entry]]:
        here = visit.path.removeprefix(visit.url(""))
        entries: dict[str, list[Entry]] = {group.value: [] for group in Group}
        for section in self._sections:
            is_current = f"{here}/".startswith(f"{section.path}/")
            entry = Entry(section.title, visit.url(section.path), is_current)
            entries[section.group.value].append(entry)
        return {heading: some for heading, some in entries.items() if some}

    def _region_links(self, visit: Visit) -> Sequence[Link]:
        """To the same kind of page elsewhere: a thing's own page is there in one region only."""
        here = visit.path.removeprefix(visit.url("/"))
        section = f"/{here.split('/')[0]}"
        return [Link(region, url_of(visit.account_id, region, section)) for region in visit.regions]


def _neighbours(things: Iterable[Any], attribute: str) -> Sequence[tuple[Any, Sequence[Any]]]:
    """Runs of things with the same value, in the order they have."""
    return [(value, list(run)) for value, run in groupby(things, attrgetter(attribute))]
