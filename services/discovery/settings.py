"""How this context works, from the environment (README, "Configuration")."""

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
