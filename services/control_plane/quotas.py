"""The adjustable quotas of this context (requirements.md section 14)."""

from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.quotas import Quota, QuotaOfAny, QuotaOfTwoOrMore, quota

IPAMS_PER_REGION = 1
"""Not adjustable, and what the database's own constraint says (IPAM-2)."""


class Quotas(BaseSettings):
    """Each field is the variable ``CADASTRE_QUOTA_<FIELD>``: a number, or JSON by account."""

    model_config = SettingsConfigDict(env_prefix="CADASTRE_QUOTA_", frozen=True)

    scopes_per_ipam: QuotaOfTwoOrMore = quota(5)
    """Default scopes included, so at least those two."""
    pools_per_scope: Quota = quota(50)
    pool_depth: Quota = quota(10)
    discovery_associations_per_ipam: Quota = quota(5)
    """The default one included, as in an IPAM's ResourceDiscoveryAssociationCount."""
    ou_exclusions_per_discovery: QuotaOfAny = quota(10)
    cidrs_per_pool: Quota = quota(50)
    """Enforced by the ledger, which is told with each pool's definition."""
