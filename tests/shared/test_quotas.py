"""Quotas by configuration, for all accounts and for some (requirements.md section 14)."""

from typing import Annotated, Any

import pytest
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.quotas import Quota, QuotaOfTwoOrMore, quota, within

ACCOUNT, ANOTHER = "123456789012", "210987654321"


class Quotas(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CADASTRE_QUOTA_", frozen=True)

    pools: Quota = quota(50)
    scopes: QuotaOfTwoOrMore = quota(5)
    length: Annotated[Quota, within(16, 32)] = quota(29)


@pytest.mark.parametrize(
    ("given", "own", "others"),
    [
        (None, 50, 50),
        ("7", 7, 7),
        (f'{{"default": 7, "{ACCOUNT}": 200}}', 200, 7),
        (f'{{"{ACCOUNT}": 1, "default": 7}}', 1, 7),
    ],
)
def test_a_quota_is_a_number_or_one_by_account(
    monkeypatch: pytest.MonkeyPatch, given: str | None, own: int, others: int
) -> None:
    if given is not None:
        monkeypatch.setenv("CADASTRE_QUOTA_POOLS", given)
    pools = Quotas().pools
    assert (pools.of(ACCOUNT), pools.of(ANOTHER)) == (own, others)


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("POOLS", "0", "use 1 or more"),
        ("SCOPES", "1", "use 2 or more"),
        ("LENGTH", "15", "15 is none for 'default'; use 16 to 32"),
        ("LENGTH", f'{{"default": 30, "{ACCOUNT}": 33}}', f"33 is none for '{ACCOUNT}'"),
        ("POOLS", f'{{"default": 1, "{ACCOUNT}": 0}}', f"0 is too few for '{ACCOUNT}'"),
        ("POOLS", f'{{"{ACCOUNT}": 9}}', "give a number for all accounts, too"),
        ("POOLS", '{"default": 1, "alice": 9}', "'alice' is no account id"),
        ("POOLS", '{"default": "many"}', "valid integer"),
    ],
)
def test_a_quota_that_means_nothing_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, given: str, says: str
) -> None:
    monkeypatch.setenv(f"CADASTRE_QUOTA_{name}", given)
    with pytest.raises(ValidationError, match=says):
        Quotas()


def test_a_quota_does_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    quotas: Any = Quotas()
    with pytest.raises(ValidationError):
        quotas.pools = 3
