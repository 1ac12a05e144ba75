"""Sessions of the accounts: each with the credentials of its role."""

from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.loaders import create_loader

from services.discovery.aws.failures import ASKING_FAILED, ASSUME_ROLE, failure_of
from services.discovery.aws.settings import AwsSettings
from services.discovery.sources import AccountRegion, FailureCode, SnapshotFailed

# Where each partition has its security token service without anybody opting in.
_STS_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_SESSION_NAME = "cadastre-discovery"
# It keeps AWS's service models, which are large, and the same for every session.
_LOADER = create_loader()


class Accounts:
    """Gives clients of AWS's services that act as an account's role.

    Credentials are kept per account, whatever the region, and renewed well before they expire.
    May be used by several threads; a client it gives is the caller's alone.
    """

    def __init__(self, settings: AwsSettings) -> None:
        self._settings = settings
        self._config = Config(
            connect_timeout=settings.request_timeout_seconds,
            read_timeout=settings.request_timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": settings.request_attempts},
            max_pool_connections=1,
            user_agent_extra="cadastre",
        )
        self._partitions = self._core_session()
        self._sessions: dict[tuple[str, str], boto3.Session] = {}
        # Sessions are no good in two threads at once, not even for making clients.
        self._lock = Lock()

    def assume(self, place: AccountRegion) -> Callable[[str], Any]:
        """What makes boto3's client of a service in that region, as the account's role.

        Raises:
            SnapshotFailed: the role can't be assumed.
        """
        try:
            with self._lock:
                session = self._session_of(place)
                credentials = session.get_credentials()
            credentials.get_frozen_credentials()
        except ASKING_FAILED as error:
            raise failure_of(error, ASSUME_ROLE) from error
        return lambda service: self._client(session, service, place.region)

    def forget(self, account_id: str) -> None:
        """Assume its role anew next time: its credentials may have been revoked."""
        with self._lock:
            for key in [key for key in self._sessions if key[0] == account_id]:
                del self._sessions[key]

    def _session_of(self, place: AccountRegion) -> Any:
        partition = self._partitions.get_partition_for_region(place.region)
        key = (place.account_id, partition)
        if key not in self._sessions:
            core = self._core_session()
            role = _Role(
                account_id=place.account_id,
                arn=f"arn:{partition}:iam::{place.account_id}:role/{self._settings.role_name}",
                external_id=self._external_id,
                client=lambda: self._sts_client(partition, place.region),
            )
            core.register_component("credential_provider", CredentialResolver([role]))
            self._sessions[key] = boto3.Session(botocore_session=core)
        return self._sessions[key]

    def _core_session(self) -> botocore.session.Session:
        core = botocore.session.get_session()
        core.register_component("data_loader", _LOADER)
        return core

    def _sts_client(self, partition: str, region: str) -> Any:
        """With our own credentials, in our own region if it is of the partition."""
        core = self._core_session()
        own_region = core.get_config_variable("region")
        with self._lock:
            is_near = own_region and partition == self._partitions.get_partition_for_region(
                own_region
            )
        chosen = own_region if is_near else _STS_REGIONS.get(partition, region)
        return self._client(boto3.Session(botocore_session=core), "sts", chosen)

    def _client(self, session: Any, service: str, region: str) -> Any:
        endpoint_url = self._settings.endpoint_url
        with self._lock:
            return session.client(
                service,
                region_name=region,
                endpoint_url=None if endpoint_url is None else str(endpoint_url),
                config=self._config,
            )

    @property
    def _external_id(self) -> str | None:
        secret = self._settings.external_id
        return None if secret is None else secret.get_secret_value()


class _Role(CredentialProvider):
    """A role of an account, assumed when its credentials are first needed."""

    METHOD = "cadastre-assume-role"
    CANONICAL_NAME = METHOD

    def __init__(
        self, account_id: str, arn: str, external_id: str | None, client: Callable[[], Any]
    ) -> None:
        super().__init__()
        self._account_id, self._client = account_id, client
        self._parameters = {"RoleArn": arn, "RoleSessionName": _SESSION_NAME}
        if external_id is not None:
            self._parameters["ExternalId"] = external_id

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(refresh_using=self._assume, method=self.METHOD)

    def _assume(self) -> dict[str, str]:
        client = self._client()
        try:
            answer = client.assume_role(**self._parameters)
        finally:
            client.close()
        # Another account's inventory would make all of this one's look deleted.
        account_id = answer["AssumedRoleUser"]["Arn"].split(":")[4]
        if account_id != self._account_id:
            raise SnapshotFailed(
                FailureCode.ASSUME_ROLE, f"{ASSUME_ROLE} gave a role of another account"
            )
        credentials = answer["Credentials"]
        expiration: datetime = credentials["Expiration"]
        return {
            "access_key": credentials["AccessKeyId"],
            "secret_key": credentials["SecretAccessKey"],
            "token": credentials["SessionToken"],
            "expiry_time": expiration.isoformat(),
        }
