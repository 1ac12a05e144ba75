"""A gateway under test and ways to talk to it: boto3, the AWS CLI, raw HTTP."""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
from anyio.from_thread import BlockingPortal
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from services.gateway.server import Running
from shared.settings import Context, Settings
from tests.gateway.fakes import FakeServices

BEHIND: tuple[Context, ...] = ("control_plane", "allocation", "network", "discovery", "metrics")

ACCOUNT_ID = "123456789012"
ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
CREDENTIALS = f"""\
[default]
aws_access_key_id = {ACCESS_KEY_ID}
aws_secret_access_key = {SECRET}
aws_account_id = {ACCOUNT_ID}

[ipam-account]
aws_access_key_id = {ACCESS_KEY_ID}
aws_secret_access_key = {SECRET}
aws_account_id = {ACCOUNT_ID}
"""

_SESSION = boto3.Session()


@dataclass(frozen=True)
class Edge:
    """The gateway, what is behind it, and what it logged."""

    gateway: Running
    fakes: FakeServices
    settings: Settings
    log: list[Any]
    portal: BlockingPortal
    """Into the gateway's event loop."""

    def client(
        self,
        service: str = "ec2",
        *,
        key: tuple[str, ...] = (ACCESS_KEY_ID, SECRET),
        session: boto3.Session = _SESSION,
        **config: Any,
    ) -> Any:
        """An unmodified client that doesn't repeat refused calls.

        A third part of ``key`` is a session token.
        """
        access_key_id, secret, *token = key
        return session.client(
            service,
            region_name="us-east-1",
            endpoint_url=self.gateway.url,
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret,
            aws_session_token=token[0] if token else None,
            config=Config(retries={"total_max_attempts": 1}, **config),
        )

    def ec2(self, operation: str, **parameters: Any) -> Any:
        """What boto3 makes of the answer to ``operation``."""
        return getattr(self.client(), operation)(**parameters)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a user exports for the AWS CLI."""
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
            "AWS_SHARED_CREDENTIALS_FILE": str(self.settings.credentials_path),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_ENDPOINT_URL": self.gateway.url,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def aws(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run ``aws ...`` as a user would."""
        program, *arguments = shlex.split(command)
        return subprocess.run(
            [str(Path(sys.executable).parent / program), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def get(self, path: str) -> httpx.Response:
        """A plain GET."""
        return httpx.get(f"{self.gateway.url}{path}", trust_env=False)

    def post(
        self,
        body: str | bytes,
        *,
        service: str = "ec2",
        headers: Mapping[str, str] | None = None,
        path: str = "/",
        method: str = "POST",
    ) -> httpx.Response:
        """A signed POST, or another method, of whatever body."""
        url = f"{self.gateway.url}{path}"
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        request = AWSRequest(method, url, headers={**form, **(headers or {})}, data=body)
        SigV4Auth(Credentials(ACCESS_KEY_ID, SECRET), service, "us-east-1").add_auth(request)
        sent = dict(request.headers.items())
        return httpx.request(method, url, content=body, headers=sent, trust_env=False)

    def operate(self, service: str, operation: str, document: str | bytes) -> httpx.Response:
        """A signed request with whatever document to a service that speaks JSON."""
        if service == "ram":
            path, headers = f"/{operation.lower()}", {"Content-Type": "application/json"}
        else:
            target = f"AWSOrganizationsV20161128.{operation}"
            headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
            path = "/"
        return self.post(document, service=service, headers=headers, path=path)
