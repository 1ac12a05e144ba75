"""``python -m services.local``: all services on this machine, until SIGTERM or Ctrl-C."""

import asyncio
import http.client
import os
import signal
import socket
import sys
from collections.abc import Mapping
from typing import get_args

from pydantic import ValidationError

from services.local.setup import endpoint_url, prepare
from services.local.supervisor import Supervisor
from shared.errors import StartFailed
from shared.settings import Context, Settings

_HEALTH_POLL_SECONDS = 0.05


def main() -> int:
    """Run until told to stop; the exit code is 0 only after a clean stop."""
    try:
        settings = Settings()
    except ValidationError as error:
        sys.stderr.write(f"The configuration is wrong: {error}\n")
        return 2
    exit_code = 0
    try:
        asyncio.run(_run(settings))
    except* StartFailed as group:
        # A task group wraps what ended in it once more.
        cause: BaseException = group
        while isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        sys.stderr.write(f"Cadastre could not start: {cause}\n")
        exit_code = 1
    return exit_code


async def _run(settings: Settings) -> None:
    _check_ports(settings)
    prepare(settings)
    supervisor = Supervisor(
        get_args(Context), environment=_environment(settings), run=settings.data / "run"
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await supervisor.start()
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(supervisor.failed()),
                group.create_task(_announce(settings, supervisor)),
            ]
            await stop.wait()
            for task in tasks:
                task.cancel()
    finally:
        await supervisor.stop()


def _check_ports(settings: Settings) -> None:
    """Whoever listens on a port already would be taken for a service of ours."""
    ports = [settings.port_of(context) for context in get_args(Context)]
    for port in [*ports, settings.prometheus_port]:
        try:
            socket.create_server((settings.host, port)).close()
        except OSError as error:
            raise StartFailed(
                f"{settings.host}:{port} can't be listened on ({error.strerror}); CADASTRE_PORT"
                " moves all ports"
            ) from error


def _environment(settings: Settings) -> Mapping[str, str]:
    """The services read the same settings; the folder is made absolute for good measure.

    What is published to the RPKI is written, too, for whoever wants to look at it.
    """
    data = settings.data.resolve()
    return {
        "CADASTRE_RPKI_REPOSITORY_DIRECTORY": str(data / "rpki"),
        **os.environ,
        "CADASTRE_DATA": str(data),
    }


async def _announce(settings: Settings, supervisor: Supervisor) -> None:
    while True:
        if await asyncio.to_thread(_is_healthy, settings):
            break
        await asyncio.sleep(_HEALTH_POLL_SECONDS)
    supervisor.mark_up()
    aws = settings.data.resolve() / "aws"
    sys.stdout.write(
        f"\nCadastre is up: {endpoint_url(settings)}"
        f" (Prometheus: http://{settings.host}:{settings.prometheus_port}/metrics)\n"
        f"Look at it in a browser: {endpoint_url(settings)}/console/\n"
        f"  (sign in with an access key of {aws / 'credentials'})\n"
        "Try it from another terminal with any AWS client:\n\n"
        f"  export AWS_CONFIG_FILE={aws / 'config'}\n"
        f"  export AWS_SHARED_CREDENTIALS_FILE={aws / 'credentials'}\n"
        "  aws ec2 create-ipam --region us-east-1 --description my-ipam"
        " --operating-regions RegionName=us-west-2\n"
        "  aws ec2 describe-ipam-scopes --region us-east-1\n\n"
    )
    sys.stdout.flush()


def _is_healthy(settings: Settings) -> bool:
    connection = http.client.HTTPConnection(settings.host, settings.port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
