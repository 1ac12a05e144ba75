"""The unmodified AWS CLI, loaded once and forked for each command.

Starting it anew takes most of a second, in which it mostly reads AWS's models; `tests.gateway` runs
it as users do.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, TypedDict

from awscli.clidriver import CLIDriver, create_clidriver


class Done(TypedDict):
    """How a command ended."""

    exit_code: int
    stdout: str
    stderr: str


class AwsCli:
    """Runs commands one at a time, each as if it were started alone."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """``environment`` says where AWS is. The CLI is loaded for the first command."""
        self._environment, self._lock = dict(environment), Lock()
        self._process: subprocess.Popen[str] | None = None

    def run(self, arguments: Sequence[str]) -> Done:
        """``aws ARGUMENTS``."""
        with self._lock:
            self._process = self._process or self._started()
            requests, answers = self._process.stdin, self._process.stdout
            assert requests
            assert answers
            requests.write(f"{json.dumps(list(arguments))}\n")
            requests.flush()
            done: Done = json.loads(answers.readline())
        return done

    def close(self) -> None:
        """End what was loaded; the next command loads it anew, profiles included."""
        if self._process:
            # It ends when there is nothing more to read.
            self._process.communicate(timeout=60)
        self._process = None

    def _started(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.aws_cli"],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


def _serve() -> None:
    driver = create_clidriver()
    _read_models(driver)
    for request in sys.stdin:
        done = _forked(driver, json.loads(request))
        sys.stdout.write(f"{json.dumps(done)}\n")
        sys.stdout.flush()


def _read_models(driver: CLIDriver) -> None:
    """What a command reads of AWS, the forks know; who the user is, each finds out for itself.

    So another driver reads it, with the loader of the first: nothing else of the two is shared.
    """
    reader = create_clidriver()
    loader = driver.session.get_component("data_loader")
    reader.session.register_component("data_loader", loader)
    with redirect_stdout(StringIO()):
        reader.main(["ec2", "describe-ipams", "--generate-cli-skeleton"])
    # Keys, so that none are looked for.
    keys = {"aws_access_key_id": "-", "aws_secret_access_key": "-"}
    reader.session.create_client("ec2", region_name="us-east-1", **keys)


def _forked(driver: CLIDriver, arguments: Sequence[str]) -> Done:
    with TemporaryFile() as stdout, TemporaryFile() as stderr:
        child = os.fork()
        if not child:
            _become_command(driver, arguments, stdout, stderr)
        _, status = os.waitpid(child, 0)
        return Done(
            exit_code=os.waitstatus_to_exitcode(status),
            stdout=_content(stdout),
            stderr=_content(stderr),
        )


def _become_command(
    driver: CLIDriver, arguments: Sequence[str], stdout: IO[bytes], stderr: IO[bytes]
) -> None:
    os.dup2(stdout.fileno(), 1)
    os.dup2(stderr.fileno(), 2)
    try:
        exit_code = driver.main(list(arguments))
    except SystemExit as end:
        exit_code = end.code if isinstance(end.code, int) else 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


if __name__ == "__main__":
    _serve()
