"""Configuration from the environment (README, "Configuration")."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Context = Literal["gateway", "control_plane", "allocation", "network", "discovery", "metrics"]

GrpcContext = Literal["control_plane", "allocation", "network", "discovery", "metrics"]

PORT_OFFSETS: dict[Context, int] = {
    "gateway": 0,
    "control_plane": 1,
    "allocation": 2,
    "network": 3,
    "discovery": 4,
    "metrics": 5,
}
PROMETHEUS_PORT_OFFSET = 9


class Settings(BaseSettings):
    """What every service reads; each field is the variable ``CADASTRE_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="CADASTRE_", extra="ignore", frozen=True)

    data: Path = Path("data")
    """Folder of everything that must outlive a restart."""
    host: str = "127.0.0.1"
    """Address the listeners bind to, and where services find each other by default."""
    port: int = Field(default=4500, ge=0, le=65535 - PROMETHEUS_PORT_OFFSET)
    """The gateway's HTTP port; the services follow at fixed offsets."""
    database_url: str = "sqlite:///{data}/{context}.db"
    """SQLAlchemy URL; ``{data}`` and ``{context}`` are filled in, so each context has its own."""
    identity_secret_file: Path | None = None
    """Key that signs callers' tokens; default ``identity/secret`` in the data folder."""
    encryption_key_file: Path | None = None
    """Keys that secrets are encrypted with; default ``identity/encryption-key`` in ``data``."""
    credentials_file: Path | None = None
    """Access keys the gateway accepts, in AWS's format; default ``aws/credentials`` in ``data``."""
    organization_file: Path | None = None
    """The organization to begin with (ORG-1); default ``organization.yaml`` in ``data``, if any."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    shutdown_grace_seconds: float = Field(default=10, ge=0)
    """How long running calls may take to end after SIGTERM."""
    discovery_interval_seconds: float = Field(default=300, gt=0)
    """Time between two discovery passes (DISC-6)."""
    cool_down_seconds: float = Field(default=0, ge=0, le=172_800)
    """How long released space rests before it can be allocated again (IPAM-6)."""
    audit_retention_days: float = Field(default=90, gt=0)
    """How long it is told who changed what."""
    fail_point: str = ""
    """Where the process is to die, for tests of crashes; see ``shared/fail_points.py``."""
    fronts: dict[GrpcContext, Annotated[int, Field(ge=0, le=64)]] = {"allocation": 1}
    """How many processes speak gRPC for a service, as JSON; 0: it does so itself."""
    tls_certificate_file: Path | None = None
    """PEM: the certificate chain of the services; with it all gRPC between them is encrypted."""
    tls_key_file: Path | None = None
    """PEM: its private key."""
    tls_ca_file: Path | None = None
    """PEM: the certificates that services and their clients trust each other's by."""
    tls_client_certificates: bool = False
    """Whether clients have to prove themselves by a certificate, too (mutual TLS)."""
    addresses: dict[Context, str] = Field(default_factory=dict)
    """Where services listen for each other, as JSON, for those not at ``host`` and their offset."""

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        files = (self.tls_certificate_file, self.tls_key_file, self.tls_ca_file)
        if any(files) and not all(files):
            raise ValueError(
                "CADASTRE_TLS_CERTIFICATE_FILE, CADASTRE_TLS_KEY_FILE and CADASTRE_TLS_CA_FILE go"
                " together: set all three, or none"
            )
        if self.tls_client_certificates and not all(files):
            raise ValueError("CADASTRE_TLS_CLIENT_CERTIFICATES needs the three CADASTRE_TLS_*_FILE")
        return self

    @property
    def is_encrypted(self) -> bool:
        """gRPC is spoken through TLS."""
        return self.tls_certificate_file is not None

    def port_of(self, context: Context) -> int:
        """The TCP port ``context`` listens on; 0 lets the system choose."""
        return self.port + PORT_OFFSETS[context] if self.port else 0

    def address_of(self, context: Context) -> str:
        """``host:port`` at which other services reach ``context``."""
        return self.addresses.get(context, f"{self.host}:{self.port_of(context)}")

    @property
    def prometheus_port(self) -> int:
        """The TCP port Prometheus scrapes; 0 lets the system choose."""
        return self.port + PROMETHEUS_PORT_OFFSET if self.port else 0

    @property
    def identity_secret_path(self) -> Path:
        return self.identity_secret_file or self.data / "identity" / "secret"

    @property
    def encryption_key_path(self) -> Path:
        return self.encryption_key_file or self.data / "identity" / "encryption-key"

    @property
    def credentials_path(self) -> Path:
        return self.credentials_file or self.data / "aws" / "credentials"

    @property
    def organization_path(self) -> Path:
        return self.organization_file or self.data / "organization.yaml"

    def database_url_of(self, context: Context) -> str:
        return self.database_url.format(data=self.data.resolve(), context=context)
