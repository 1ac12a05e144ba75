"""AWS accounts that a moto server plays, for tests of all of discovery."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import httpx
import pytest

from tests.discovery.aws.moto_front import MotoFront, serving

_KEYS = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
_SIGNED = {"Authorization": "Credential=AKIAEXAMPLE/20261126/us-east-1/moto_api/aws4_request"}


@contextmanager
def playing() -> Iterator[MotoFront]:
    """Accounts with nothing but their default VPCs."""
    with pytest.MonkeyPatch.context() as environment:
        # There are thousands, in each account and region.
        environment.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        with serving() as front:
            # What moto plays is kept by the process, not by the server.
            reset = httpx.post(f"{front.url}/moto-api/reset", headers=_SIGNED, timeout=60)
            reset.raise_for_status()
            yield front


def environment_for(front: MotoFront, account_ids: list[str]) -> dict[str, str]:
    """What has discovery read these accounts, once per attempt and as fast as it can."""
    return {
        "CADASTRE_AWS_ACCOUNTS": str(account_ids).replace("'", '"'),
        "CADASTRE_AWS_ENDPOINT_URL": front.url,
        "CADASTRE_AWS_REQUEST_ATTEMPTS": "1",
        "CADASTRE_AWS_REQUESTS_PER_SECOND": "1000",
        # moto knows of none.
        "CADASTRE_AWS_SKIPPED_ACTIONS": '["ListAccelerators", "ListByoipCidrs"]',
        "AWS_ACCESS_KEY_ID": _KEYS["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": _KEYS["aws_secret_access_key"],
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }


def owner_of(front: MotoFront, account_id: str, region: str) -> Any:
    """A boto3 EC2 client of who makes resources in an account."""
    sts = boto3.client("sts", endpoint_url=front.url, region_name="us-east-1", **_KEYS)
    arn = f"arn:aws:iam::{account_id}:role/Owner"
    role = sts.assume_role(RoleArn=arn, RoleSessionName="owner")["Credentials"]
    return boto3.client(
        "ec2",
        endpoint_url=front.url,
        region_name=region,
        aws_access_key_id=role["AccessKeyId"],
        aws_secret_access_key=role["SecretAccessKey"],
        aws_session_token=role["SessionToken"],
    )
