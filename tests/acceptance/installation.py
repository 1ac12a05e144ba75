"""A running Cadastre, started as a user starts it, and the AWS clients pointed at it."""

import configparser
import http.client
import json
import os
import random
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.acceptance.aws_cli import AwsCli
from tests.waiting import wait_until

PORTS = 10
START_SECONDS = 60
REPOSITORY = Path(__file__).parents[2]


class AwsError(Exception):
    """What the AWS CLI printed for a refused command."""

    def __init__(self, stderr: str) -> None:
        super().__init__(stderr)
        match = re.search(r"An error occurred \((?P<code>\S+)\)", stderr)
        self.code = match["code"] if match else ""


@dataclass(frozen=True)
class Installation:
    """One installation: its processes, its data folder, its port, and how it is reached."""

    process: subprocess.Popen[bytes]
    data: Path
    port: int
    environment: Mapping[str, str]
    """What a user exports to reach it."""
    aws: AwsCli

    def run(self, command: str) -> Any:
        """Run an AWS CLI command line as printed in the guide; its JSON answer, None if empty.

        Raises:
            AwsError: the command was refused.
        """
        program, *arguments = shlex.split(command)
        assert program == "aws"
        done = self.aws.run(arguments)
        if done["exit_code"]:
            raise AwsError(done["stderr"])
        return json.loads(done["stdout"]) if done["stdout"].strip() else None

    def client(
        self,
        profile: str = "ipam-account",
        region: str = "us-east-1",
        *,
        service: str = "ec2",
        **config: Any,
    ) -> Any:
        """A boto3 client of one of the profiles."""
        credentials = self._credentials(profile)
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id=credentials["aws_access_key_id"],
            aws_secret_access_key=credentials["aws_secret_access_key"],
            config=Config(**config),
        )

    def pid_of(self, service: str) -> int:
        """The process that runs ``service`` now."""
        return int((self.data / "run" / f"{service}.pid").read_text() or 0)

    def kill(self, service: str) -> None:
        """kill -9 one service, and wait until it is back and everything is healthy."""
        victim = self.pid_of(service)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: self.pid_of(service) != victim, timeout_seconds=START_SECONDS)
        wait_until(self.is_healthy, timeout_seconds=START_SECONDS)

    def is_healthy(self) -> bool:
        """Every service serves."""
        return self.get("/healthz")[0] == 200

    def get(self, path: str, *, port: int | None = None) -> tuple[int, str]:
        """Status and body of a GET; status 0 when nobody listens."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=10)
        with closing(connection):
            try:
                connection.request("GET", path)
                response = connection.getresponse()
                return response.status, response.read().decode()
            except OSError:
                return 0, ""

    def _credentials(self, profile: str) -> Mapping[str, str]:
        parser = configparser.RawConfigParser()
        parser.read(self.data / "aws" / "credentials")
        return parser[profile]


@contextmanager
def installation(data: Path, **settings: str) -> Iterator[Installation]:
    """Start Cadastre on ``data``; stop it as SIGTERM does, and insist on a clean stop."""
    port = free_base_port()
    process = start(data, port, settings)
    environment = _environment(data)
    running = Installation(process, data, port, environment, AwsCli(environment))
    try:
        wait_until(
            lambda: process.poll() is not None or running.is_healthy(),
            timeout_seconds=START_SECONDS,
        )
        assert process.poll() is None, "it ended while starting"
        yield running
    finally:
        running.aws.close()
        process.terminate()
        exit_code = process.wait(timeout=60)
    assert exit_code == 0


def _environment(data: Path) -> Mapping[str, str]:
    outside = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    return {
        **outside,
        "AWS_CONFIG_FILE": str(data / "aws" / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(data / "aws" / "credentials"),
    }


def start(
    data: Path, port: int, settings: Mapping[str, str] | None = None, *, stderr: int | None = None
) -> subprocess.Popen[bytes]:
    """What `make run` starts."""
    return subprocess.Popen(
        [sys.executable, "-m", "services.local"],
        cwd=REPOSITORY,
        env={
            **os.environ,
            **(settings or {}),
            "CADASTRE_DATA": str(data),
            "CADASTRE_PORT": str(port),
        },
        stderr=stderr,
    )


def free_base_port() -> int:
    """A port that is free together with the nine after it."""
    while True:
        base = random.randrange(20_000, 32_000, PORTS)
        if all(_is_free(port) for port in range(base, base + PORTS)):
            return base


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
