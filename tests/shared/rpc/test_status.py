import grpc
import pytest

from shared.errors import ServiceUnavailable
from shared.rpc.status import refusal_from


def failed_with(code: grpc.StatusCode) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details="from core")


@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        # What a connection answers that has more calls than it can carry, or is being closed.
        grpc.StatusCode.CANCELLED,
    ],
)
def test_what_the_connection_answers_is_an_outage(code: grpc.StatusCode) -> None:
    assert isinstance(refusal_from(failed_with(code)), ServiceUnavailable)


def test_a_fault_of_the_peer_is_no_refusal() -> None:
    fault = failed_with(grpc.StatusCode.INTERNAL)
    assert refusal_from(fault) is fault
