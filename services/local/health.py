"""``python -m services.local.health SERVICE``: whether the service on this machine serves.

For the health checks of whatever runs services one by one. It exits with 0 if so, 1 if not.
"""

import argparse
import http.client
import sys
from typing import Any, get_args

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from shared.rpc.encryption import channel_credentials
from shared.settings import Context, Settings

_ANSWER_SECONDS = 3.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m services.local.health", description=__doc__)
    parser.add_argument("service", choices=get_args(Context))
    service: Context = parser.parse_args().service
    settings = Settings()
    trouble = _gateway_trouble(settings) if service == "gateway" else _trouble(service, settings)
    if trouble:
        sys.stderr.write(f"{service}: {trouble}\n")
    return 1 if trouble else 0


def _gateway_trouble(settings: Settings) -> str:
    """It serves when all services that it needs do."""
    connection = http.client.HTTPConnection(
        _reachable(settings.host), settings.port_of("gateway"), timeout=_ANSWER_SECONDS
    )
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        return "" if answer.status == http.HTTPStatus.OK else answer.read().decode()
    except OSError as error:
        return str(error)
    finally:
        connection.close()


def _trouble(service: Context, settings: Settings) -> str:
    address = f"{_reachable(settings.host)}:{settings.port_of(service)}"
    with _channel(address, service, settings) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=_ANSWER_SECONDS)
        except grpc.RpcError as error:
            return str(error)
    is_serving = answer.status == health_pb2.HealthCheckResponse.SERVING
    return "" if is_serving else "not serving"


def _channel(address: str, service: Context, settings: Settings) -> grpc.Channel:
    credentials = channel_credentials(settings)
    if credentials is None:
        return grpc.insecure_channel(address)
    # The certificate is for the name by which others reach the service.
    name = settings.address_of(service).rpartition(":")[0].strip("[]")
    return grpc.secure_channel(
        address, credentials, options=[("grpc.ssl_target_name_override", name)]
    )


def _reachable(host: str) -> str:
    """Where to find what listens on ``host``: what listens everywhere, on loopback."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "[::1]"}  # noqa: S104 - asked, not bound
    return everywhere.get(host, host)


if __name__ == "__main__":
    sys.exit(main())
