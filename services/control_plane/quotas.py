"""The adjustable quotas of this context (requirements.md section 14)."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

IPAMS_PER_REGION = 1
"""Not adjustable, and what the database's own constraint says (IPAM-2)."""


class Quotas(BaseSettings):
    """Each field is the variable ``CADASTRE_QUOTA_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="CADASTRE_QUOTA_", frozen=True)

    scopes_per_ipam: int = Field(default=5, ge=2)
    """Default scopes included, so at least those two."""
    pools_per_scope: int = Field(default=50, ge=1)
    pool_depth: int = Field(default=10, ge=1)
    cidrs_per_pool: int = Field(default=50, ge=1)
    """Enforced by the ledger, which is told with each pool's definition."""
