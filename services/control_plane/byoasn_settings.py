"""What may be brought along that is nobody's."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class ByoasnSettings(BaseSettings):
    """Each field is the variable ``CADASTRE_BYOASN_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="CADASTRE_BYOASN_", frozen=True)

    reserved_allowed: bool = False
    """Whether ASNs for private use and for documentation may be brought along (RFC 5398, 6996)."""
