"""Questions to internet registries as parents (RFC 6492, section 3.1)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import httpx

from services.control_plane.delegated_rpki import up_down
from services.control_plane.delegated_rpki.bpki import BpkiIdentity
from services.control_plane.delegated_rpki.cms import (
    VerifiedMessage,
    signed_message,
    verified_message,
)
from services.control_plane.delegated_rpki.errors import MessageNotTrusted, ParentResponseRefused
from services.control_plane.delegated_rpki.out_of_band import ParentContact
from services.control_plane.delegated_rpki.parent_hosts import REGISTRIES, HostPattern
from services.control_plane.delegated_rpki.up_down import ResourceClass
from shared.errors import ServiceUnavailable

MOST_BYTES = 16 << 20
"""Of an answer: base64 makes a registry's certificate a third longer, and there may be several."""

_MEDIA_TYPE = "application/rpki-updown"
_HEADERS = {"accept": _MEDIA_TYPE, "accept-encoding": "identity", "content-type": _MEDIA_TYPE}
_PORTS = {"http": 80, "https": 443}


class ParentUnreachable(ServiceUnavailable):
    """The parent does not answer as such now; this may pass."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"The parent at {host} {why}; repeat later", host=host)


@dataclass(frozen=True, slots=True)
class Listed:
    """What the parent told, and when."""

    classes: tuple[ResourceClass, ...]
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class Issued:
    """What the parent issued, and when."""

    resource_class: ResourceClass
    """With the one certificate that was issued."""
    signed_at: datetime


class UpDownClient:
    """Speaks to parents, at the hosts that it may speak to.

    ``not_before`` of each method is when the parent's last answer was signed. ``rir`` is AWS's word
    for the internet registry. Each raises:

        ParentUnreachable: no answer now; this may pass.
        RefusedByParent: the answer is an error.
        MessageNotTrusted: the answer is not the parent's, or no answer to this.
        ParentResponseRefused: the host is none that it may speak to; nothing was sent.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        hosts: Collection[HostPattern] | None,
        timeout_seconds: float,
        clock: Callable[[], datetime],
    ) -> None:
        """An answer has ``timeout_seconds``; ``hosts`` None: those of the internet registries."""
        self._http, self._hosts = http, hosts
        self._timeout_seconds, self._clock = timeout_seconds, clock

    def check_host(self, service_uri: str, rir: str) -> None:
        """The host is one that the registry's parents may be at.

        Raises:
            ParentResponseRefused: it is not.
        """
        self._url(service_uri, rir)

    async def list_classes(
        self,
        rir: str,
        parent: ParentContact,
        identity: BpkiIdentity,
        not_before: datetime | None = None,
    ) -> Listed:
        """What the child may have, and has."""
        request = up_down.list_request(parent)
        answer = await self._ask(rir, parent, identity, request, not_before)
        return Listed(up_down.listed(answer.xml, parent), answer.signed_at)

    async def issue(
        self,
        rir: str,
        parent: ParentContact,
        identity: BpkiIdentity,
        class_name: str,
        certificate_request: bytes,
        not_before: datetime | None = None,
    ) -> Issued:
        """A certificate for all that the child may have of a class."""
        request = up_down.issue_request(parent, class_name, certificate_request)
        answer = await self._ask(rir, parent, identity, request, not_before)
        return Issued(up_down.issued(answer.xml, parent, class_name), answer.signed_at)

    async def revoke(
        self,
        rir: str,
        parent: ParentContact,
        identity: BpkiIdentity,
        class_name: str,
        key_identifier: bytes,
        not_before: datetime | None = None,
    ) -> datetime:
        """Have all certificates of a key revoked; when the answer was signed."""
        request = up_down.revoke_request(parent, class_name, key_identifier)
        answer = await self._ask(rir, parent, identity, request, not_before)
        up_down.check_revoked(answer.xml, parent, class_name, key_identifier)
        return answer.signed_at

    async def _ask(
        self,
        rir: str,
        parent: ParentContact,
        identity: BpkiIdentity,
        request: bytes,
        not_before: datetime | None,
    ) -> VerifiedMessage:
        url = self._url(parent.service_uri, rir)
        # Making a key takes 50 ms, and reading an answer may.
        message = await asyncio.to_thread(signed_message, request, identity, self._clock())
        answer = await self._post(url, message)
        return await asyncio.to_thread(
            verified_message, answer, parent.bpki_ta, self._clock(), not_before=not_before
        )

    def _url(self, service_uri: str, rir: str) -> httpx.URL:
        """Read by whom it is used by, for others may read another host in it."""
        try:
            url = httpx.URL(service_uri)
        except httpx.InvalidURL as error:
            raise ParentResponseRefused("serviceUri", service_uri, "it is no URL") from error
        hosts = REGISTRIES.get(rir, ()) if self._hosts is None else self._hosts
        port = url.port or _PORTS.get(url.scheme)
        if port is None or not any(pattern.allows(url.host, port) for pattern in hosts):
            raise ParentResponseRefused(
                "serviceUri",
                service_uri,
                f"'{url.host}' is none of the hosts where parents of '{rir}' may be"
                " (CADASTRE_RPKI_PARENT_HOSTS)",
            )
        return url

    async def _post(self, url: httpx.URL, message: bytes) -> bytes:
        try:
            async with (
                asyncio.timeout(self._timeout_seconds),
                self._http.stream(
                    "POST", url, content=message, headers=_HEADERS, follow_redirects=False
                ) as response,
            ):
                if response.status_code != httpx.codes.OK:
                    raise ParentUnreachable(url.host, f"answered {response.status_code}")
                return await _body(response)
        # The third: a name that no host can have.
        except (httpx.HTTPError, TimeoutError, UnicodeError) as error:
            raise ParentUnreachable(url.host, "can't be reached or does not answer") from error


@asynccontextmanager
async def up_down_client(
    hosts: Collection[HostPattern] | None, timeout_seconds: float, clock: Callable[[], datetime]
) -> AsyncIterator[UpDownClient]:
    """A client with connections of its own; ``hosts`` None: those of the internet registries."""
    async with httpx.AsyncClient(timeout=timeout_seconds) as http:
        yield UpDownClient(http, hosts, timeout_seconds, clock)


async def _body(response: httpx.Response) -> bytes:
    """The answer as it was sent; none was asked to be compressed, so none grows."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MOST_BYTES:
            raise MessageNotTrusted(f"the parent's answer has more than {MOST_BYTES} bytes")
    return bytes(body)
