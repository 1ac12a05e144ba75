"""Who comes in, and how they get about once they are in (ACC-2)."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.installation import Installation
from tests.console.browser import check_accessible, screenshot, watched
from tests.console.person import Person, SignIn, profile_of

pytestmark = pytest.mark.acceptance

PROFILES = ("management-account", "ipam-account", "member-account")


@pytest.mark.parametrize("profile", PROFILES)
def test_access_keys_let_in(page: Page, cadastre: Installation, profile: str) -> None:
    keys = profile_of(cadastre, profile)
    page.goto("/")
    Person(page, keys).fill_in_keys()
    page.wait_for_url(f"**/console/{keys.account_id}/us-east-1/dashboard")
    expect(page.get_by_text(f"Account: {keys.account_id}")).to_be_visible()


def test_the_door_is_accessible(page: Page) -> None:
    page.goto("/console/")
    expect(page.get_by_role("heading", name="Sign in to Cadastre")).to_be_visible()
    check_accessible(page)
    screenshot(page, "sign-in")


def test_a_wrong_secret_does_not(page: Page, cadastre: Installation) -> None:
    keys = profile_of(cadastre, "ipam-account")
    page.goto("/console/")
    page.get_by_label("Access key ID").fill(keys.access_key_id)
    page.get_by_label("Secret access key").fill("not it")
    page.get_by_role("button", name="Sign in").click()
    refusal = page.get_by_role("alert")
    expect(refusal).to_contain_text("don't go together")
    expect(refusal).to_be_focused()
    expect(page.get_by_label("Access key ID")).to_have_value(keys.access_key_id)
    expect(page.get_by_label("Secret access key")).to_have_value("")
    check_accessible(page)
    page.goto(f"/console/{keys.account_id}/us-east-1/ipams")
    expect(page.get_by_role("heading", name="Sign in to Cadastre")).to_be_visible()


def test_who_signed_out_is_out(signed_in: SignIn) -> None:
    person = signed_in("ipam-account")
    person.open("/ipams")
    account_menu(person).click()
    person.page.get_by_role("button", name="Sign out of this account").click()
    expect(person.page.get_by_role("heading", name="Sign in to Cadastre")).to_be_visible()
    person.open("/ipams")
    expect(person.page.get_by_role("heading", name="Sign in to Cadastre")).to_be_visible()


def test_one_browser_holds_several_accounts(signed_in: SignIn, cadastre: Installation) -> None:
    first = signed_in("ipam-account")
    first.open("/ipams")
    account_menu(first).click()
    first.page.get_by_role("link", name="Sign in to another account").click()
    second = Person(first.page, profile_of(cadastre, "member-account"))
    second.fill_in_keys()
    second.page.wait_for_url(f"**{second.url('/dashboard')}")
    second.open("/ipams")
    account_menu(second).click()
    second.page.get_by_role("link", name=first.profile.account_id).click()
    expect(account_menu(first)).to_be_visible()
    # Side by side, in a tab of its own.
    tab = Person(first.page.context.new_page(), second.profile)
    tab.open("/ipams")
    expect(account_menu(tab)).to_be_visible()
    account_menu(tab).click()
    tab.page.get_by_role("button", name="Sign out of all").click()
    first.open("/ipams")
    expect(first.page.get_by_role("heading", name="Sign in to Cadastre")).to_be_visible()


def test_another_region_is_the_same_page_there(signed_in: SignIn) -> None:
    person = signed_in("ipam-account")
    person.open("/ipams")
    person.page.get_by_text("Region: us-east-1").click()
    person.page.get_by_role("link", name="us-west-2").click()
    person.page.wait_for_url(f"**/console/{person.profile.account_id}/us-west-2/ipams")
    expect(person.page.get_by_text("Region: us-west-2")).to_be_visible()


def test_an_address_is_kept_over_signing_in(page: Page, cadastre: Installation) -> None:
    person = Person(page, profile_of(cadastre, "ipam-account"))
    path = "/ipams?f.description=a+%26+b&sort=name"
    person.open(path)
    told = page.get_by_role("status")
    expect(told).to_contain_text(person.profile.account_id)
    person.fill_in_keys()
    page.wait_for_url(f"**{person.url(path)}")
    expect(page.get_by_label("Description")).to_have_value("a & b")


def test_the_keyboard_is_enough_to_sign_in(page: Page, cadastre: Installation) -> None:
    keys = profile_of(cadastre, "ipam-account")
    page.goto("/console/")
    keyboard = page.keyboard
    # The first field has the focus from the start.
    keyboard.type(keys.access_key_id)
    keyboard.press("Tab")
    keyboard.type(keys.secret)
    keyboard.press("Enter")
    page.wait_for_url("**/dashboard")
    page.goto(f"/console/{keys.account_id}/us-east-1/ipams")
    keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    keyboard.press("Tab")
    expect(page.get_by_role("main").get_by_role("link").first).to_be_focused()


def test_escape_closes_a_menu_and_keeps_the_place(signed_in: SignIn) -> None:
    person = signed_in("ipam-account")
    person.open("/ipams")
    account_menu(person).focus()
    person.page.keyboard.press("Enter")
    sign_out = person.page.get_by_role("button", name="Sign out of this account")
    expect(sign_out).to_be_visible()
    person.page.keyboard.press("Escape")
    expect(sign_out).to_be_hidden()
    expect(account_menu(person)).to_be_focused()


def test_light_and_dark_are_chosen_and_kept(signed_in: SignIn) -> None:
    page = signed_in("ipam-account").page
    page.goto(page.url.replace("/dashboard", "/ipams"))
    light = ground(page)
    page.get_by_role("button", name="Dark", exact=True).click()
    dark = ground(page)
    assert dark != light
    page.reload()
    assert ground(page) == dark
    page.get_by_role("button", name="Light", exact=True).click()
    assert ground(page) == light
    page.emulate_media(color_scheme="dark")
    assert ground(page) == light, "chosen is chosen, whatever the system has"


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}],
    ids=lambda headers: next(iter(headers)),
)
def test_another_site_signs_nobody_out(signed_in: SignIn, headers: dict[str, str]) -> None:
    person = signed_in("ipam-account")
    person.open("/ipams")
    token = person.page.locator("input[name=csrf_token]").first.input_value()
    answer = person.page.request.post(
        "/console/sign-out", form={"csrf_token": token}, headers=headers
    )
    assert answer.status == 403
    person.open("/ipams")
    expect(account_menu(person)).to_be_visible()


def test_pages_work_without_scripts(chromium: Browser, cadastre: Installation) -> None:
    with watched(chromium, f"127.0.0.1:{cadastre.port}", has_scripts=False) as page:
        person = Person(page, profile_of(cadastre, "ipam-account"))
        person.sign_in()
        person.open("/ipams/create")
        person.page.get_by_label("Allow Cadastre to copy data").check()
        person.fill("Description", "without scripts")
        person.send("Create IPAM")
        expect(page.get_by_text("The IPAM is being created.")).to_be_visible()
    [ipam] = cadastre.client().describe_ipams()["Ipams"]
    assert ipam["Description"] == "without scripts"


def account_menu(person: Person) -> Any:
    return person.page.get_by_text(f"Account: {person.profile.account_id}")


def ground(page: Page) -> str:
    """The colour behind everything."""
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour
