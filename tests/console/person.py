"""Somebody who uses the console: what they do to get from one page to the next."""

import configparser
import re
from dataclasses import dataclass
from typing import Protocol

from playwright.sync_api import Locator, Page, expect

from tests.acceptance.installation import Installation

HOME_REGION = "us-east-1"


@dataclass(frozen=True)
class Profile:
    """Who signs in: a profile of the installation's credentials file."""

    account_id: str
    access_key_id: str
    secret: str


def profile_of(cadastre: Installation, name: str) -> Profile:
    """The profile called ``name``."""
    parser = configparser.RawConfigParser()
    parser.read(cadastre.data / "aws" / "credentials")
    one = parser[name]
    return Profile(one["aws_account_id"], one["aws_access_key_id"], one["aws_secret_access_key"])


@dataclass(frozen=True)
class Person:
    """Somebody in front of a page, with the keys of an account."""

    page: Page
    profile: Profile
    region: str = HOME_REGION

    def url(self, path: str) -> str:
        """Where the account's page is, from the root of the server."""
        return f"/console/{self.profile.account_id}/{self.region}{path}"

    def open(self, path: str) -> None:
        """Go to a page by its address."""
        self.page.goto(self.url(path))

    def sign_in(self) -> None:
        """Sign in at the console's door; the dashboard is there afterwards."""
        self.page.goto("/console/sign-in")
        self.fill_in_keys()
        self.page.wait_for_url(f"**{self.url('/dashboard')}")

    def fill_in_keys(self) -> None:
        """Fill in and send the form of signing in, which is there."""
        self.page.get_by_label("Access key ID").fill(self.profile.access_key_id)
        self.page.get_by_label("Secret access key").fill(self.profile.secret)
        self.page.get_by_label("Region").select_option(self.region)
        self.page.get_by_role("button", name="Sign in").click()

    def follow(self, name: str) -> None:
        """Follow the navigation's entry ``name``."""
        navigation = self.page.get_by_role("navigation", name="Main")
        navigation.get_by_role("link", name=name, exact=True).click()

    def at(self, title: str) -> None:
        """See that this is the page called ``title``, now or in a moment."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(title)

    def act(self, name: str) -> None:
        """Follow what the page offers to do, shown as a button or in its menu."""
        link = self.main.get_by_role("link", name=name, exact=True)
        menu = self.main.get_by_text("Actions", exact=True)
        expect(link.or_(menu).first).to_be_visible()
        if not link.first.is_visible():
            menu.first.click()
        link.first.click()

    def field(self, label: str) -> Locator:
        """The field called ``label``."""
        return self.main.get_by_label(re.compile(f"^{re.escape(label)}( optional)?$"))

    def fill(self, label: str, value: str) -> None:
        """Fill in a field."""
        self.field(label).fill(value)

    def check(self, label: str) -> None:
        """Check a box, by a part of its label."""
        self.main.get_by_label(label).check()

    def select(self, label: str, choice: str) -> None:
        """Choose by what a choice says, or by a part of that."""
        option = self.field(label).get_by_role("option").filter(has_text=choice)
        self.field(label).select_option(label=option.first.inner_text())

    def press(self, button: str) -> None:
        """Press a button of the page's content."""
        self.main.get_by_role("button", name=button, exact=True).click()

    def send(self, button: str) -> None:
        """Review what was filled in, then press ``button`` to have it done."""
        self.press("Review")
        self.press(button)

    def sees(self, text: str) -> None:
        """``text`` stands on the page, now or in a moment."""
        expect(self.main).to_contain_text(text)

    def row(self, text: str) -> Locator:
        """The row of a table in which ``text`` stands."""
        return self.main.get_by_role("row").filter(has_text=text)

    @property
    def main(self) -> Locator:
        """The page's content."""
        return self.page.get_by_role("main")

    @property
    def refusal(self) -> Locator:
        """What the page says is wrong."""
        return self.page.get_by_role("alert")


class SignIn(Protocol):
    """Makes somebody who has signed in."""

    def __call__(self, profile: str, region: str = HOME_REGION) -> Person: ...
