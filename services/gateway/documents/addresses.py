"""Which operation a request asks for: JSON says it in a header, others by method and path."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from botocore.model import ServiceModel

from services.gateway.answers import Call
from services.gateway.errors import UnknownOperation

RPC_V2_CBOR = "smithy-rpc-v2-cbor"
"""What models call it."""

# The name of an operation; raises UnknownOperation when AWS has none at this address.
FindOperation: TypeAlias = Callable[[Call], str]


def operation_finder(model: ServiceModel) -> FindOperation:
    """Finds the operations of ``model`` where its protocol has them."""
    if model.protocol == "json":
        prefix = model.metadata["targetPrefix"]
        return partial(_by_target, {f"{prefix}.{name}": name for name in model.operation_names})
    addresses = {}
    for name in model.operation_names:
        if model.protocol == RPC_V2_CBOR:
            service = model.metadata["targetPrefix"]
            addresses["POST", f"/service/{service}/operation/{name}"] = name
        else:
            http = model.operation_model(name).http
            addresses[http["method"], http["requestUri"]] = name
    return partial(_by_path, addresses)


def _by_target(operations: dict[str, str], call: Call) -> str:
    target = call.request.headers.get("x-amz-target", "")
    if target not in operations:
        raise UnknownOperation(
            f"The X-Amz-Target '{target}' is no operation; it must be one like"
            f" {next(iter(operations))}"
        )
    return operations[target]


def _by_path(operations: dict[tuple[str, str], str], call: Call) -> str:
    address = (call.request.method, call.request.path)
    if address not in operations:
        raise UnknownOperation(f"There is no operation at {' '.join(address)}")
    return operations[address]
