"""The adjustable quotas of this context."""

from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.quotas import Quota, quota


class Quotas(BaseSettings):
    """Each field is the variable ``CADASTRE_QUOTA_<FIELD>``: a number, or JSON by account."""

    model_config = SettingsConfigDict(env_prefix="CADASTRE_QUOTA_", frozen=True)

    prefix_list_resolvers_per_ipam: Quota = quota(10)
    rules_per_prefix_list_resolver: Quota = quota(100)
    targets_per_prefix_list_resolver: Quota = quota(50)
    cidrs_per_prefix_list_resolver_version: Quota = quota(1000)
