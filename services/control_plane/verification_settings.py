"""How control of public space is verified (BYOIP-3)."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, HttpUrl
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.control_plane.registries.dns_records import NameServer

_ServerAddress = Annotated[NameServer, BeforeValidator(lambda text: NameServer.parse(str(text)))]


class VerificationSettings(BaseSettings):
    """Each field is the variable ``CADASTRE_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="CADASTRE_", frozen=True)

    rdap_url: HttpUrl = HttpUrl("https://rdap.org")
    """Where RDAP records of ranges and ASNs are asked for; it may redirect to the registries."""
    dns_servers: tuple[_ServerAddress, ...] = ()
    """Resolvers to ask for TXT records, as a JSON list; none: those of the system."""
    lookup_timeout_seconds: float = Field(default=10, gt=0)
    """How long an RDAP or DNS server has for one answer."""
    verification_retry_seconds: float = Field(default=60, gt=0)
    """Time between two attempts to verify what may still become true; and between two looks at
    which ranges pools have, of which there are to be ROAs."""
    verification_timeout_seconds: float = Field(default=604_800, gt=0)
    """How long attempts go on before it has failed; AWS takes up to a week."""
    rpki_export_file: Path | None = None
    """JSON that an RPKI validator exports; without it nothing is asked of the RPKI."""
    route_feed_file: Path | None = None
    """Dump of RIPE RIS or of a routing table in MRT; without it only own routes are known."""
    rpki_policy: Literal["refuse", "warn"] = "refuse"
    """What becomes of a route that is invalid by it."""
