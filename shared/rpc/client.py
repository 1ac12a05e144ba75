"""Calling another service."""

import asyncio
import time
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import grpc

from shared.caller import Caller
from shared.errors import CadastreError, Unavailable, kind_of
from shared.identity import TokenSigner
from shared.rpc.encryption import channel_credentials
from shared.rpc.status import refusal_from
from shared.rpc.tracing import Metadata, calling, server_attributes
from shared.settings import Context, Settings
from shared.telemetry import request_id

MAX_MESSAGE_BYTES = 4 * 1024 * 1024

_RETRY_DELAY_SECONDS = 0.05
_OPTIONS = [
    # A name may stand for several replicas: calls go to all that are connected, in turn.
    ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
    # When one of them goes, who is there is asked anew; gRPC itself would wait half a minute.
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    # A peer that was restarted is found again within half a second.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 30_000),
]


class Remote:
    """Calls to one other service, each in a caller's name."""

    def __init__(
        self,
        address: str,
        *,
        signer: TokenSigner,
        credentials: grpc.ChannelCredentials | None = None,
        certified_name: str | None = None,
    ) -> None:
        """``address`` is ``host:port``; the connection is made by the first call.

        Without ``credentials`` it is not encrypted. ``certified_name`` is what the peer's
        certificate is for, where that is not the address's host.
        """
        named = [("grpc.ssl_target_name_override", certified_name)] if certified_name else []
        self.channel = (
            grpc.aio.secure_channel(address, credentials, options=[*_OPTIONS, *named])
            if credentials
            else grpc.aio.insecure_channel(address, options=_OPTIONS)
        )
        self._signer, self._server = signer, server_attributes(address)

    @classmethod
    def to(cls, context: Context, settings: Settings, signer: TokenSigner) -> Self:
        """Of the service ``context``, where and how the settings say.

        Raises:
            StartFailed: a certificate can't be read.
        """
        credentials = channel_credentials(settings)
        return cls(settings.address_of(context), signer=signer, credentials=credentials)

    async def call(
        self,
        method: Any,
        request: Any,
        *,
        caller: Caller,
        timeout_seconds: float = 10,
        retry_seconds: float = 0,
    ) -> Any:
        """Call a unary ``method`` of a stub on `channel`.

        ``retry_seconds``, which is for idempotent calls, is how long a peer that can't be reached
        is asked again; never longer than ``timeout_seconds`` in all.

        Raises:
            CadastreError: the peer's refusal, or ServiceUnavailable.
        """
        started = time.monotonic()
        while True:
            left = started + timeout_seconds - time.monotonic()
            try:
                with calling(method, self._server, self._metadata(caller)) as metadata:
                    return await method(request, metadata=metadata, timeout=left)
            except grpc.aio.AioRpcError as error:
                refusal = refusal_from(error)
                is_late = time.monotonic() - started >= min(retry_seconds, timeout_seconds)
                if is_late or not _may_pass(refusal):
                    raise refusal from error
            await asyncio.sleep(_RETRY_DELAY_SECONDS)

    async def pages(
        self, method: Any, request: Any, *, caller: Caller, timeout_seconds: float = 10
    ) -> AsyncGenerator[Any, None]:
        """Every page of a list from where ``request`` begins; its token is moved on.

        Each may take ``timeout_seconds``.

        Raises:
            CadastreError: the peer's refusal, or ServiceUnavailable.
        """
        while True:
            page = await self.call(method, request, caller=caller, timeout_seconds=timeout_seconds)
            yield page
            if not page.next_token:
                return
            request.next_token = page.next_token

    async def stream(
        self, method: Any, request: Any, *, caller: Caller
    ) -> AsyncGenerator[Any, None]:
        """Call a server-streaming ``method`` of a stub on `channel`; there is no deadline.

        Raises:
            CadastreError: the peer's refusal, or ServiceUnavailable.
        """
        try:
            with calling(method, self._server, self._metadata(caller)) as metadata:
                call = method(request, metadata=metadata)
                try:
                    async for response in call:
                        yield response
                finally:
                    # The peer would not notice that nobody reads on.
                    call.cancel()
        except grpc.aio.AioRpcError as error:
            raise refusal_from(error) from error

    async def close(self) -> None:
        """Cancel what is under way."""
        await self.channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def _metadata(self, caller: Caller) -> Metadata:
        return (
            ("authorization", f"Bearer {self._signer.token_for(caller)}"),
            ("x-request-id", request_id.get() or str(uuid4())),
        )


def _may_pass(refusal: CadastreError | grpc.aio.AioRpcError) -> bool:
    return not isinstance(refusal, grpc.aio.AioRpcError) and kind_of(refusal) is Unavailable
