"""Who is let in to the console, for how long, and whose forms are taken."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from services.gateway.console.attempts import Attempts, TooManyAttempts
from services.gateway.console.sessions import MOST_SIGN_INS, ConsoleSession, SessionCookies
from services.gateway.identities import SignIn
from services.gateway.sessions import AssumedRole
from shared.encryption_keys import load_encryption_keys
from tests.gateway.console.signed_in import (
    HERE,
    Browser,
    browser_of,
    hidden,
    signed_in,
    text_of,
)
from tests.gateway.edge import ACCESS_KEY_ID, ACCOUNT_ID, CREDENTIALS, SECRET, Edge

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PASSWORD = "correct horse battery"


@pytest.fixture
def browser(edge: Edge) -> Iterator[Browser]:
    with browser_of(edge) as browser:
        yield browser


@pytest.fixture
def somebody(edge: Edge) -> Iterator[Browser]:
    with signed_in(edge) as browser:
        yield browser


def a_sign_in(account_id: str = ACCOUNT_ID) -> SignIn:
    return SignIn(
        account_id=account_id,
        holder_key_id=ACCESS_KEY_ID,
        fingerprint="0" * 32,
        expires_at=NOW,
        role=AssumedRole(account_id, "OrganizationAccountAccessRole", "console"),
    )


def test_the_secret_of_a_key_lets_in(edge: Edge, browser: Browser) -> None:
    answer = browser.sign_in()
    assert answer.headers["location"] == f"{HERE}/dashboard"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/console" in cookie
    assert SECRET not in str(edge.log)
    assert "Create IPAM" in browser.get("/ipams").text


def test_behind_tls_the_cookie_is_for_tls_alone(edge: Edge) -> None:
    headers = {"x-forwarded-proto": "https"}
    form = {"access_key_id": ACCESS_KEY_ID, "secret": SECRET}
    url = f"{edge.gateway.url}/console/sign-in"
    answer = httpx.post(url, data=form, headers=headers, trust_env=False)
    assert "secure" in answer.headers["set-cookie"].lower()


def test_a_console_password_lets_in_besides(edge: Edge, browser: Browser) -> None:
    path = edge.settings.credentials_path
    path.write_text(
        CREDENTIALS.replace("aws_account", f"cadastre_console_password = {PASSWORD}\naws_account")
    )
    try:
        assert browser.sign_in(PASSWORD).status_code == 303
        assert browser.get("/ipams").status_code == 200
    finally:
        path.write_text(CREDENTIALS)


@pytest.mark.parametrize("secret", ["", "wrong", SECRET[:-1], f"{SECRET}x"])
def test_anything_else_does_not(browser: Browser, secret: str) -> None:
    answer = browser.sign_in(secret)
    assert answer.status_code == 403
    assert "don't go together" in text_of(answer.text)
    assert "set-cookie" not in answer.headers
    if secret:
        assert secret not in answer.text


def test_who_was_let_in_before_the_secret_changed_is_not_any_more(
    edge: Edge, somebody: Browser
) -> None:
    path = edge.settings.credentials_path
    path.write_text(CREDENTIALS.replace(SECRET, SECRET[::-1]))
    try:
        assert somebody.get("/ipams").headers["location"].startswith("/console/sign-in?next=")
    finally:
        path.write_text(CREDENTIALS)
    assert somebody.get("/ipams").status_code == 200


def test_a_page_asked_for_before_signing_in_comes_after(browser: Browser) -> None:
    to_sign_in = browser.get("/ipams", sort="name").headers["location"]
    form = browser.client.get(to_sign_in).text
    next_url = hidden(form)["next"]
    assert next_url == f"{HERE}/ipams?sort=name"
    assert browser.sign_in(next=next_url).headers["location"] == next_url


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/", "/console/999999999999/us-east-1/ipams", "x"],
)
def test_nobody_is_led_elsewhere(browser: Browser, elsewhere: str) -> None:
    assert browser.sign_in(next=elsewhere).headers["location"] == f"{HERE}/dashboard"


def test_another_accounts_pages_need_another_sign_in(somebody: Browser) -> None:
    answer = somebody.client.get("/console/444455556666/us-east-1/ipams")
    assert answer.headers["location"].startswith("/console/sign-in?next=")
    assert "of account 444455556666" in text_of(
        somebody.client.get(answer.headers["location"]).text
    )


def test_signing_out_ends_it(somebody: Browser) -> None:
    token = hidden(somebody.get("/ipams").text)["csrf_token"]
    form = {"csrf_token": token, "account_id": ACCOUNT_ID}
    assert somebody.client.post("/console/sign-out", data=form).status_code == 303
    assert somebody.get("/ipams").status_code == 303


@pytest.mark.parametrize(
    ("token", "headers"),
    [
        ("", {}),
        ("forged", {}),
        (None, {"origin": "https://evil.example"}),
        (None, {"origin": "null"}),
        (None, {"sec-fetch-site": "cross-site"}),
        (None, {"sec-fetch-site": "same-site"}),
    ],
)
def test_forged_forms_do_nothing(
    edge: Edge, somebody: Browser, token: str | None, headers: dict[str, str]
) -> None:
    real = hidden(somebody.get("/ipams/create").text)["csrf_token"]
    edge.fakes.requests.clear()
    form = {
        "csrf_token": real if token is None else token,
        "replicate": "true",
        "tier": "free",
        "metered_account": "ipam-owner",
        "step": "do",
    }
    answer = somebody.client.post(f"{HERE}/ipams/create", data=form, headers=headers)
    assert answer.status_code == 403
    assert "Nothing was done" in text_of(answer.text)
    assert edge.fakes.requests == []


def test_another_site_signs_nobody_in(browser: Browser) -> None:
    form = {"access_key_id": ACCESS_KEY_ID, "secret": SECRET}
    headers = {"origin": "https://evil.example"}
    answer = browser.client.post("/console/sign-in", data=form, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_forms_that_are_open_elsewhere_stay_good(somebody: Browser) -> None:
    before = hidden(somebody.get("/ipams/create").text)["csrf_token"]
    somebody.sign_in()
    form = {"csrf_token": before, "step": "edit"}
    assert somebody.client.post(f"{HERE}/ipams/create", data=form).status_code == 200


def test_who_sends_a_form_signed_out_is_told_that_nothing_was_done(
    edge: Edge, browser: Browser
) -> None:
    answer = browser.client.post(f"{HERE}/ipams/create", data={"step": "do"})
    page = browser.client.get(answer.headers["location"]).text
    assert "What you sent was not done" in text_of(page)
    assert edge.fakes.requests == []


@pytest.mark.parametrize(
    "access_key_id", ["", "short", "x" * 129, "AKIA IOSFODNN7EXAMPLE", "é" * 20]
)
def test_what_is_no_access_key_id_is_not_remembered(browser: Browser, access_key_id: str) -> None:
    form = {"access_key_id": access_key_id, "secret": "x"}
    for _ in range(11):
        assert browser.client.post("/console/sign-in", data=form).status_code == 403


def test_made_up_names_win_nobody_another_try() -> None:
    attempts = Attempts(lambda: NOW)
    for _ in range(10):
        attempts.failed("victim")
    for number in range(10_010):
        attempts.failed(f"{number}")
    with pytest.raises(TooManyAttempts):
        attempts.check("victim")


@pytest.mark.parametrize("cookie", ["", "x", "x" * 5000, "AAAA-AAAA", "é"])
def test_cookies_that_are_not_ours_are_nobodys(edge: Edge, browser: Browser, cookie: str) -> None:
    headers = {b"cookie": f"cadastre-console={cookie}".encode()}
    url = f"{edge.gateway.url}{HERE}/ipams"
    answer = httpx.get(url, headers=headers, trust_env=False)
    assert answer.headers["location"].startswith("/console/sign-in")


def test_cookies_carry_sessions(edge: Edge) -> None:
    cookies = SessionCookies(load_encryption_keys(edge.settings.encryption_key_path))
    session = ConsoleSession.new()
    for number in range(MOST_SIGN_INS + 2):
        session = session.with_sign_in(a_sign_in(f"{number:012}"))
    assert len(session.sign_ins) == MOST_SIGN_INS
    assert session.sign_ins[0].account_id == f"{MOST_SIGN_INS + 1:012}"
    text = cookies.text_of(session)
    assert len(text) < 3500, "browsers keep 4 KiB"
    assert cookies.session_of(text) == session
    assert cookies.session_of(text[:-4] + "AAAA") is None


def test_a_region_that_does_not_exist_is_told_of(somebody: Browser) -> None:
    answer = somebody.client.get(f"/console/{ACCOUNT_ID}/mars-east-1/ipams")
    assert answer.status_code == 400
    assert "There is no region 'mars-east-1'" in text_of(answer.text)


def test_a_path_that_does_not_exist_is_told_of(somebody: Browser) -> None:
    assert somebody.get("/no/such/page").status_code == 404


def test_pages_ask_nobody_else(somebody: Browser) -> None:
    answer = somebody.get("/ipams")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert "http://" not in answer.text
    assert "https://" not in answer.text


def test_files_are_kept_by_browsers_for_good(somebody: Browser) -> None:
    page = somebody.get("/ipams").text
    urls = [line.split('"')[-2] for line in page.splitlines() if "/console/static/" in line]
    assert any("bootstrap.min.css" in url for url in urls)
    for url in urls:
        answer = somebody.client.get(url)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert somebody.client.get("/console/static/0000/console.css").status_code == 404
    assert somebody.client.get("/console/static/0000/..%2fassets.py").status_code == 404


def test_guessing_ends_after_ten_times() -> None:
    now = NOW
    attempts = Attempts(lambda: now)
    for _ in range(10):
        attempts.check("key")
        attempts.failed("key")
    with pytest.raises(TooManyAttempts):
        attempts.check("key")
    attempts.check("another")
    now += timedelta(minutes=5)
    attempts.check("key")
    attempts.failed("key")
    attempts.check("key")


def test_who_is_let_in_begins_to_count_anew() -> None:
    attempts = Attempts(lambda: NOW)
    for _ in range(9):
        attempts.failed("key")
    attempts.succeeded("key")
    attempts.failed("key")
    attempts.check("key")


def test_temporary_credentials_let_in_until_they_expire(edge: Edge, browser: Browser) -> None:
    given = edge.client("sts").get_session_token(DurationSeconds=900)["Credentials"]
    sign_in = {
        "access_key_id": given["AccessKeyId"],
        "secret": given["SecretAccessKey"],
        "session_token": given["SessionToken"],
    }
    assert browser.client.post("/console/sign-in", data=sign_in).status_code == 303
    assert browser.get("/ipams").status_code == 200
    cookies = SessionCookies(load_encryption_keys(edge.settings.encryption_key_path))
    session = cookies.session_of(browser.client.cookies["cadastre-console"])
    assert session is not None
    assert session.sign_ins[0].expires_at == given["Expiration"]
    wrong = {**sign_in, "secret": SECRET}
    assert browser.client.post("/console/sign-in", data=wrong).status_code == 403
    forged = {**sign_in, "session_token": "A" * 100}
    assert browser.client.post("/console/sign-in", data=forged).status_code == 403
