from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page

from tests.acceptance.installation import Installation, installation
from tests.console.browser import running_chromium, watched
from tests.console.person import HOME_REGION, Person, SignIn, profile_of


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser, shared by the tests of one module; each has its own people in it."""
    with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def cadastre(
    chromium: Browser,  # Asked for first: without a browser, nothing needs to be started.
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """A running installation, shared by the tests of one module."""
    data = tmp_path_factory.mktemp("data")
    with installation(data, CADASTRE_DISCOVERY_INTERVAL_SECONDS="1") as running:
        yield running


@pytest.fixture
def person(chromium: Browser, cadastre: Installation) -> Iterator[Callable[[], Page]]:
    """Makes one more person: a browser of their own, signed in to nothing, watched to the end."""
    with ExitStack() as browsers:
        yield lambda: browsers.enter_context(watched(chromium, f"127.0.0.1:{cadastre.port}"))


@pytest.fixture
def page(person: Callable[[], Page]) -> Page:
    """The page of the test's only person."""
    return person()


@pytest.fixture
def signed_in(person: Callable[[], Page], cadastre: Installation) -> SignIn:
    """Makes one more person, who is signed in with a profile of the credentials file."""

    def sign_in(profile: str, region: str = HOME_REGION) -> Person:
        one = Person(person(), profile_of(cadastre, profile), region)
        one.sign_in()
        return one

    return sign_in
