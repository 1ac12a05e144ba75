"""Every page and every form that there is can be used by everybody (ACC-2).

They are found as people find them: from the navigation on, by links.
"""

import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from services.gateway.console.section import Section
from services.gateway.console.sections import SECTIONS
from tests.acceptance.command_lines import BYOIP_OWNER, HOME, IPAM, LOCALE, MANAGEMENT
from tests.acceptance.installation import Installation, installation
from tests.console.browser import WIDTH, check_accessible, screenshot
from tests.console.estate import build_estate, settings_of
from tests.console.person import Person, SignIn
from tests.registries import Registries

pytestmark = pytest.mark.acceptance

_TABS = ("list", "owner", "tab", "view")
"""Keys of queries that have a page list something else."""

_A_FEW = 3
_IS_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"

VISITORS = ((IPAM, HOME), (IPAM, LOCALE), (MANAGEMENT, HOME), (BYOIP_OWNER, HOME))
"""Who looks until there is nothing new to see."""

of_every_section = pytest.mark.parametrize(
    "section", SECTIONS, ids=[section.path.strip("/") for section in SECTIONS]
)


@pytest.fixture(scope="module")
def registries() -> Iterator[Registries]:
    with Registries() as running:
        yield running


@pytest.fixture(scope="module")
def cadastre(
    chromium: Browser, registries: Registries, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("data"), **settings_of(registries)) as running:
        yield running


@pytest.fixture(scope="module")
def estate(cadastre: Installation, registries: Registries) -> None:
    """The account ipam-account has something of every kind."""
    build_estate(cadastre, registries)


@of_every_section
def test_it_is_good_where_nothing_is(signed_in: SignIn, section: Section) -> None:
    newcomer = signed_in(BYOIP_OWNER, "eu-west-1")
    newcomer.follow(section.title)
    newcomer.page.wait_for_url(f"**{newcomer.url(section.path)}")
    is_good(newcomer.page, f"empty-{_name(section.path)}")


@pytest.mark.usefixtures("estate")
@of_every_section
def test_it_is_good_where_much_is(
    signed_in: SignIn, section: Section, subtests: pytest.Subtests
) -> None:
    seen: set[str] = set()
    for profile, region in VISITORS:
        person = signed_in(profile, region)
        for pattern in ways_into(person, section):
            if pattern not in seen:
                seen.add(pattern)
                with subtests.test(pattern=pattern):
                    is_good(person.page, _name(pattern))
        missing = _patterns(section) - seen
        if not missing:
            break
    assert not missing, f"nothing leads to {missing}"


@pytest.mark.usefixtures("estate")
@pytest.mark.parametrize("width", [360, WIDTH])
def test_the_menu_of_a_row_is_used_by_keys(signed_in: SignIn, width: int) -> None:
    person = signed_in(IPAM, HOME)
    page = person.page
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(person.url("/resources"))
    button = person.main.get_by_role("button", name=re.compile("^Actions for ")).first
    link = person.main.get_by_role("link", name="IP history", exact=True).first
    expect(link).to_be_hidden()
    button.scroll_into_view_if_needed()
    button.press("Enter")
    expect(link).to_be_in_viewport(ratio=1)
    assert abs(right_end(page.locator(":popover-open")) - right_end(button)) < 1, (
        "it is at its button"
    )
    page.keyboard.press("Tab")
    expect(link).to_be_focused()
    check_accessible(page)
    screenshot(page, f"menu-{width}")
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    expect(button).to_be_focused()


def right_end(element: Locator) -> float:
    box = element.bounding_box()
    assert box
    return box["x"] + box["width"]


def is_good(page: Page, name: str) -> None:
    """It is there, says what it is, and bars nobody."""
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_role("heading", name="This didn't work")).to_have_count(0)
    for width in (360, WIDTH):
        page.set_viewport_size({"width": width, "height": 900})
        assert not page.evaluate(_IS_WIDE), f"at {width} pixels it is scrolled sideways as a whole"
    check_accessible(page)
    screenshot(page, name)


def ways_into(person: Person, section: Section) -> Iterator[str]:
    """Opens pages, tabs and forms of the section, one after another, and tells what they are.

    Of things of one kind a few are looked at, for not all can be done with each.
    """
    waiting, opened = deque([person.url(section.path)]), Counter[str]()
    done: set[str] = set()
    while waiting:
        path = waiting.popleft()
        pattern = _pattern(person, section, path)
        is_action = pattern in {action.path for action in section.actions}
        if not pattern or path in done or opened[pattern] == (1 if is_action else _A_FEW):
            continue
        done.add(path)
        opened[pattern] += 1
        person.page.goto(path)
        yield pattern
        waiting.extend(links_on(person.page))


def links_on(page: Page) -> Sequence[str]:
    """Where the links of the page's content lead."""
    urls: list[str] = (
        page.get_by_role("main")
        .locator("a:not([download])")
        .evaluate_all(
            "links => links.map(one => new URL(one.getAttribute('href'), location.href).href)"
        )
    )
    return [urlsplit(url)._replace(scheme="", netloc="").geturl() for url in urls]


def _pattern(person: Person, section: Section, path: str) -> str:
    """The section's page, tab or action that ``path`` is an address of; empty: of another's."""
    parts = urlsplit(path)
    plain = parts.path.removeprefix(person.url(""))
    # As the gateway has it: what can be done comes first.
    known = [one.path for one in section.actions] + [one.path for one in section.pages]
    pattern = next((one for one in known if _is_of(one, plain)), "")
    query = parse_qs(parts.query)
    tabs = [query[key][0] for key in _TABS if key in query]
    return "?".join([pattern, *tabs]) if pattern else ""


def _patterns(section: Section) -> set[str]:
    return {one.path for one in section.actions} | {one.path for one in section.pages}


def _is_of(pattern: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{.*?\}", "[^/]+", pattern), path) is not None


def _name(pattern: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", pattern.lower()).strip("-")
