from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import httpx
import pytest

from services.discovery.aws.settings import AwsSettings
from services.discovery.aws.source import AwsSource
from tests.discovery.aws.moto_front import MotoFront, serving

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
ALICE, BOB = "111122223333", "444455556666"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoFront]:
    """An AWS with nothing but default VPCs, and credentials of our own that it takes."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
        # There are thousands, in each account and region.
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
    }.items():
        monkeypatch.setenv(name, value)
    with serving() as front:
        # What moto plays is kept by the process, not by the server.
        httpx.post(f"{front.url}/moto-api/reset", headers=SIGNED, timeout=60).raise_for_status()
        front.asked.clear()
        yield front


SIGNED = {"Authorization": "Credential=AKIAEXAMPLE/20261126/us-east-1/moto_api/aws4_request"}


@dataclass
class Tenant:
    """Somebody who makes resources in their own account."""

    front: MotoFront
    account_id: str

    def ec2(self, region: str) -> Any:
        sts = boto3.client("sts", endpoint_url=self.front.url, region_name="us-east-1")
        role = sts.assume_role(
            RoleArn=f"arn:aws:iam::{self.account_id}:role/Owner", RoleSessionName="owner"
        )["Credentials"]
        return boto3.client(
            "ec2",
            endpoint_url=self.front.url,
            region_name=region,
            aws_access_key_id=role["AccessKeyId"],
            aws_secret_access_key=role["SecretAccessKey"],
            aws_session_token=role["SessionToken"],
        )


@pytest.fixture
def alice(aws: MotoFront) -> Tenant:
    return Tenant(aws, ALICE)


@pytest.fixture
def bob(aws: MotoFront) -> Tenant:
    return Tenant(aws, BOB)


@pytest.fixture
def source_with(aws: MotoFront) -> Iterator[Callable[..., AwsSource]]:
    """Makes sources of Alice's and Bob's accounts, set as told, that don't try again."""
    with ExitStack() as opened:

        def make(**settings: Any) -> AwsSource:
            default = {"accounts": {ALICE, BOB}, "endpoint_url": aws.url, "request_attempts": 1}
            source = AwsSource(AwsSettings.model_validate(default | settings), lambda: NOW)
            return opened.enter_context(closing(source))

        yield make


@pytest.fixture
def source(source_with: Callable[..., AwsSource]) -> AwsSource:
    return source_with(requests_per_second=1000)
