"""The adjustable quotas of this context (requirements.md section 14)."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Quotas(BaseSettings):
    """Each field is the variable ``CADASTRE_QUOTA_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="CADASTRE_QUOTA_", frozen=True)

    vpcs_per_region: int = Field(default=5000, ge=1)
    """Per account. AWS begins with 5, which is in a test bench's way."""
    ipv4_cidr_blocks_per_vpc: int = Field(default=5, ge=1)
    """The primary one included."""
    ipv6_cidr_blocks_per_vpc: int = Field(default=5, ge=1)
