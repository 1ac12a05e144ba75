"""Where delegated RPKI is published, and whom it may speak to."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.control_plane.delegated_rpki.authority import Place
from services.control_plane.delegated_rpki.parent_hosts import HostPattern

_Host = Annotated[HostPattern, BeforeValidator(lambda text: HostPattern.parse(str(text)))]


def _repository_uri(text: str) -> str:
    return Place(text).repository_uri


def _notification_uri(text: str) -> str:
    if not text.startswith("https://"):
        raise ValueError("validators fetch it by HTTPS alone, so it has to begin with 'https://'")
    return text


class RpkiSettings(BaseSettings):
    """Each field is the variable ``CADASTRE_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="CADASTRE_", frozen=True)

    rpki_parent_hosts: tuple[_Host, ...] | None = None
    """Where parents may be, as a JSON list of ``host``, ``host:port`` or ``*.domain``; without it,
    at the hosts of the internet registry that an association is with."""
    rpki_repository_uri: Annotated[str, AfterValidator(_repository_uri)] = (
        "rsync://localhost/cadastre/"
    )
    """Where rsync offers the content of the repository's directory."""
    rpki_notification_uri: Annotated[str, AfterValidator(_notification_uri)] | None = None
    """Where HTTPS offers its ``notification.xml`` (RFC 8182); none: by rsync alone."""
    rpki_repository_directory: Path | None = None
    """Where publications are written to; none: nowhere."""
    rpki_refresh_seconds: float = Field(default=3600, gt=0)
    """Time between two questions to a parent about what it certifies."""
    rpki_timeout_seconds: float = Field(default=30, gt=0)
    """How long a parent has for one answer."""
