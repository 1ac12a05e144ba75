"""How this context works, from the environment (README, "Configuration")."""

from decimal import Decimal
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class DiscoverySettings(BaseSettings):
    """Each field is the variable ``CADASTRE_DISCOVERY_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="CADASTRE_DISCOVERY_", frozen=True, extra="ignore")

    coverage_interval_seconds: float = Field(default=5, gt=0)
    """How soon it is noticed that IPAMs, accounts or regions came or went."""
    unknown_policy: Literal["report", "import"] = "report"
    """What becomes of resources that use a pool's space without an allocation (BEY-10)."""
    reclaimable_policy: Literal["report", "release"] = "release"
    """What becomes of imported allocations whose resource is gone (ALLOC-5, BEY-10)."""


class PriceSettings(BaseSettings):
    """Each field is the variable ``CADASTRE_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="CADASTRE_", frozen=True, extra="ignore")

    active_ip_hour_price_usd: Decimal = Field(
        default=Decimal("0.00027"), ge=0, le=1000, allow_inf_nan=False
    )
    """What an active IP address costs an hour, in US dollars (ACC-3); AWS's list price."""
