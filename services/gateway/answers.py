"""A request on its way through the edge, and what is sent back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from services.gateway.identity import NO_IDENTITY, Identity
from services.gateway.sigv4 import SignedRequest
from shared.caller import Caller
from shared.errors import CadastreError

NOBODY = Caller(account_id="", region="", principal="")
NOTHING_READ = SignedRequest(method="", path="", query="", headers={}, body=b"")
UNKNOWN_ACTION = "unknown"


@dataclass(slots=True)
class Call:
    """One request. It is filled in as more of it is known, so that its log line has all of that."""

    request_id: str
    caller: Caller = NOBODY
    identity: Identity = NO_IDENTITY
    """The caller's, with what only the edge needs to know of it."""
    request: SignedRequest = NOTHING_READ
    action: str = UNKNOWN_ACTION
    """Set when it is one of the finitely many there are: metrics are labelled with it."""
    logged: dict[str, str] = field(default_factory=dict)
    """For the log alone: who it is, by which access key and in which role, or why it is nobody."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response; the request id is added to every one."""

    body: bytes
    media_type: str
    status: int = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


class WireProtocol(Protocol):
    """How one AWS service talks to its clients."""

    async def answer(self, call: Call) -> Answer:
        """Do what ``call``, whose caller is verified, asks.

        Raises:
            CadastreError: the refusal, which `refuse` puts in the protocol's own shape.
        """

    def refuse(self, error: CadastreError, request_id: str) -> Answer:
        """``error`` as this protocol's clients understand it."""

    def fault(self, request_id: str) -> Answer:
        """A fault of ours, told without details."""
