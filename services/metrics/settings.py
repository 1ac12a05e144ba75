"""Configuration of this context only (README, "Configuration")."""

from typing import Annotated, TypeAlias

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.metrics.figures import Limits
from services.metrics.naming import Names
from shared.quotas import AccountQuotas, QuotaOfAny, quota, within


class MetricsSettings(BaseSettings):
    """Each field is the variable ``CADASTRE_METRICS_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="CADASTRE_METRICS_", frozen=True, extra="ignore")

    interval_seconds: float = Field(default=15, gt=0, allow_inf_nan=False)
    """Time between two collections of figures."""
    stale_seconds: float = Field(default=300, gt=0, allow_inf_nan=False)
    """How long figures stay that can't be renewed, and every resource's that nobody asks for."""
    names: Names = "yace"
    """The exporter whose names the metrics of namespace AWS/IPAM have (MET-6)."""
    window_seconds: float = Field(default=10_800, gt=0, allow_inf_nan=False)
    """How long values are remembered for reads in CloudWatch's manner."""
    ledger_check_interval_seconds: float = Field(default=3600, ge=0, allow_inf_nan=False)
    """Time between two checks of the ledger's books (BEY-10); 0: they are never checked."""


class PrometheusSettings(BaseSettings):
    """Each field is the variable ``CADASTRE_PROMETHEUS_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="CADASTRE_PROMETHEUS_", frozen=True)

    url: str = ""
    """Where to ask for values of the past; empty: only what is remembered is told."""


_Chosen: TypeAlias = Annotated[QuotaOfAny, within(0, 1000)]


class Quotas(AccountQuotas):
    """Those that this context keeps."""

    utilization_metrics_highest: _Chosen = quota(50)
    """Resources with the highest usage, of each type and family in a scope (MET-2)."""
    utilization_metrics_lowest: _Chosen = quota(50)
    utilization_metrics_allocated: _Chosen = quota(50)
    """Others with space of pools."""

    def limits_of(self, account_id: str) -> Limits:
        """What applies to the IPAMs of an account."""
        return Limits(
            self.utilization_metrics_highest.of(account_id),
            self.utilization_metrics_lowest.of(account_id),
            self.utilization_metrics_allocated.of(account_id),
        )
