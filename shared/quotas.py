"""Quotas that an installation can adjust, for all or some accounts (requirements.md section 14)."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator, ConfigDict, RootModel
from pydantic_settings import BaseSettings, SettingsConfigDict

_DEFAULT = "default"
_ACCOUNT_ID = re.compile(r"\d{12}", re.ASCII)


class _Quota(RootModel[dict[str, int]]):
    """By account id, and ``default`` for all others."""

    model_config = ConfigDict(frozen=True)

    def of(self, account_id: str) -> int:
        """How many the account may have."""
        return self.root.get(account_id, self.root[_DEFAULT])


def _given(value: Any) -> Any:
    """A number is the default alone."""
    return {_DEFAULT: value} if isinstance(value, int | str) else value


def _at_least(least: int) -> AfterValidator:
    def check(quota: _Quota) -> _Quota:
        if _DEFAULT not in quota.root:
            raise ValueError(f'give a number for all accounts, too: {{"{_DEFAULT}": ...}}')
        for account_id, value in quota.root.items():
            if account_id != _DEFAULT and not _ACCOUNT_ID.fullmatch(account_id):
                raise ValueError(f"'{account_id}' is no account id; use twelve digits")
            if value < least:
                raise ValueError(f"{value} is too few for '{account_id}'; use {least} or more")
        return quota

    return AfterValidator(check)


def within(least: int, most: int) -> AfterValidator:
    """Of a quota's type: its numbers are within these bounds, inclusive."""

    def check(quota: _Quota) -> _Quota:
        for account_id, value in quota.root.items():
            if not least <= value <= most:
                raise ValueError(f"{value} is none for '{account_id}'; use {least} to {most}")
        return quota

    return AfterValidator(check)


Quota: TypeAlias = Annotated[_Quota, BeforeValidator(_given), _at_least(1)]
"""A number, or one by account: ``{"default": 50, "123456789012": 200}``."""
QuotaOfTwoOrMore: TypeAlias = Annotated[_Quota, BeforeValidator(_given), _at_least(2)]


QuotaOfAny: TypeAlias = Annotated[_Quota, BeforeValidator(_given), _at_least(0)]


def quota(default: int) -> Any:
    """``default`` for every account, as a field's default."""
    return _Quota({_DEFAULT: default})


class AccountQuotas(BaseSettings):
    """Quotas of one context.

    Each field is the variable ``CADASTRE_QUOTA_<FIELD>``: a number, or JSON by account.
    """

    model_config = SettingsConfigDict(env_prefix="CADASTRE_QUOTA_", frozen=True)

    def of_account(self, account_id: str) -> Mapping[str, int]:
        """What the account may have, by the names of the fields."""
        return {name: getattr(self, name).of(account_id) for name in type(self).model_fields}
