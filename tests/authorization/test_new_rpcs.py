"""What a new service may be asked before its contract says by whom: nothing (ORG-10)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.empty_pb2 import Empty

from shared.identity import TokenSigner, create_secret
from shared.rpc.server import Binding, Runtime, running
from shared.settings import Settings
from tests.authorization.api import api_at
from tests.authorization.callers import bearer

SERVICE, RPC = "test.authorization.v1.NewService", "Do"


@pytest.fixture(scope="module", autouse=True)
def a_contract_that_says_nothing() -> None:
    file = descriptor_pb2.FileDescriptorProto(
        name="test/authorization/v1/new_service.proto",
        package="test.authorization.v1",
        dependency=["google/protobuf/empty.proto"],
    )
    empty = f".{Empty.DESCRIPTOR.full_name}"
    service = file.service.add(name="NewService")
    service.method.add(name=RPC, input_type=empty, output_type=empty)
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())


@asynccontextmanager
async def a_new_service(_runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
    async def do(request: Any, context: Any) -> Empty:
        return Empty()

    def add(_servicer: Any, server: Any) -> None:
        handler = grpc.unary_unary_rpc_method_handler(
            do,
            request_deserializer=Empty.FromString,
            response_serializer=Empty.SerializeToString,
        )
        generic = grpc.method_handlers_generic_handler(SERVICE, {RPC: handler})
        server.add_generic_rpc_handlers((generic,))

    yield [Binding(add, None, SERVICE)]


@pytest.mark.parametrize("service", ["", "network"], ids=["an account", "a service"])
async def test_a_new_rpc_is_refused_until_its_contract_says_who_may_call_it(
    tmp_path: Path, service: str
) -> None:
    settings = Settings(data=tmp_path, port=0, shutdown_grace_seconds=1)
    signer = TokenSigner(create_secret(settings.identity_secret_path))
    proof = bearer(signer, "123456789012", service=service)
    async with (
        running("network", a_new_service, settings) as server,
        api_at(server.address) as api,
    ):
        answer = await api.ask(SERVICE, RPC, {}, proof)
    assert (answer.code, answer.reason) == ("PERMISSION_DENIED", "UnauthorizedOperation")
