"""Which AWS accounts are read, and how."""

from typing import Annotated

from pydantic import Field, HttpUrl, SecretStr, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

_AccountId = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
_RoleName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_+=,.@/-]{1,512}$")]


class AwsSettings(BaseSettings):
    """Each field is the variable ``CADASTRE_AWS_<FIELD>``.

    The credentials that roles are assumed with come from where boto3 always looks for them.
    """

    model_config = SettingsConfigDict(env_prefix="CADASTRE_AWS_", frozen=True)

    accounts: frozenset[_AccountId] = frozenset()
    """Accounts that are read, as a JSON list; none: no AWS account is."""
    role_name: _RoleName = "CadastreDiscovery"
    """Role to assume in each of them, with its path if it has one."""
    external_id: SecretStr | None = None
    """What the roles' trust policies ask for, if they do."""
    endpoint_url: HttpUrl | None = None
    """Where all AWS services are asked; without it where boto3 knows them."""
    attempts_at_once: int = Field(default=8, ge=1, le=256)
    """Accounts and regions read at the same time."""
    requests_per_second: float = Field(default=10, gt=0)
    """Requests that an account sees in a region; as many may come in a burst."""
    request_timeout_seconds: float = Field(default=30, gt=0)
    """How long AWS may take to accept a connection, and to send what comes next of an answer."""
    request_attempts: int = Field(default=3, ge=1)
    """How often a request is sent before throttling or a fault fails the snapshot."""
    snapshot_seconds: float = Field(default=120, gt=0)
    """How long reading an account and region may take; others wait for it at the end of a pass.

    A page has a thousand network interfaces, and takes about a second.
    """
    skipped_actions: frozenset[str] = frozenset()
    """Actions that are not asked, as a JSON list: what they tell of counts as not being there.

    For what answers like AWS without knowing all of it.
    """
