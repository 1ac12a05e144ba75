"""A client of RDAP servers (RFC 7480, RFC 9082)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import httpx

from services.control_plane.verification.rdap_records import Record
from services.control_plane.verifier import LookUpFailed
from shared.cidr import Cidr

MOST_REDIRECTS = 5
LAST_PORT = (1 << 16) - 1
MOST_BYTES = 1 << 20
"""Of an answer. Records of registries have some kilobytes."""

_HEADERS = {"accept": "application/rdap+json", "accept-encoding": "identity"}


class RdapClient:
    """Asks one server, and whomever it redirects to."""

    def __init__(self, http: httpx.AsyncClient, base_url: str, timeout_seconds: float) -> None:
        """An answer has ``timeout_seconds``, with all redirects on the way to it."""
        self._http, self._base_url = http, base_url.rstrip("/")
        self._timeout_seconds = timeout_seconds

    async def network(self, cidr: Cidr) -> Record | None:
        """The server's record of the range, if it has one.

        Raises:
            LookUpFailed: that is not known now.
        """
        return await self._record(f"ip/{cidr}")

    async def autnum(self, asn: int) -> Record | None:
        """The server's record of the ASN, if it has one.

        Raises:
            LookUpFailed: that is not known now.
        """
        return await self._record(f"autnum/{asn}")

    async def entity(self, handle: str) -> Record | None:
        """The server's record of an organization, if it has one.

        Raises:
            LookUpFailed: that is not known now.
        """
        return await self._record(f"entity/{quote(handle, safe='')}")

    async def _record(self, path: str) -> Record | None:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._follow(f"{self._base_url}/{path}")
        # The second and third: it redirects to what is no URL, or to a name that no host can have.
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, TimeoutError) as error:
            raise LookUpFailed("the RDAP server can't be reached or does not answer") from error

    async def _follow(self, url: str) -> Record | None:
        request = self._http.build_request("GET", url, headers=_HEADERS)
        # Not left to the library, which would read what redirects say, however much it is.
        for _ in range(MOST_REDIRECTS + 1):
            response = await self._http.send(request, stream=True, follow_redirects=False)
            try:
                if response.next_request is None:
                    return await _record_of(response)
                request = _next(request, response.next_request)
            finally:
                await response.aclose()
        raise LookUpFailed(f"the RDAP server redirects more than {MOST_REDIRECTS} times")


@asynccontextmanager
async def rdap_client(base_url: str, timeout_seconds: float) -> AsyncIterator[RdapClient]:
    """A client with connections of its own."""
    async with httpx.AsyncClient(timeout=timeout_seconds) as http:
        yield RdapClient(http, base_url, timeout_seconds)


def _next(request: httpx.Request, onward: httpx.Request) -> httpx.Request:
    """Where a redirect leads to.

    Raises:
        LookUpFailed: it leads out of HTTP, to no port, or to what anybody on the way could write.
    """
    before, after = request.url.scheme, onward.url.scheme
    if after not in {"http", "https"} or (before == "https" and after == "http"):
        raise LookUpFailed(f"the RDAP server redirects from {before} to {after}")
    if (onward.url.port or 0) > LAST_PORT:
        raise LookUpFailed(f"the RDAP server redirects to port {onward.url.port}")
    return onward


async def _record_of(response: httpx.Response) -> Record | None:
    if response.status_code == httpx.codes.NOT_FOUND:
        return None
    if response.status_code != httpx.codes.OK:
        raise LookUpFailed(f"the RDAP server answered {response.status_code}")
    return _parsed(await _body(response))


async def _body(response: httpx.Response) -> bytes:
    """The answer as it was sent; none was asked to be compressed, so none grows."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MOST_BYTES:
            raise LookUpFailed(f"the RDAP server's answer has more than {MOST_BYTES} bytes")
    return bytes(body)


def _parsed(body: bytes) -> Record:
    try:
        record = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise LookUpFailed("the RDAP server's answer is no JSON") from error
    if not isinstance(record, dict):
        raise LookUpFailed("the RDAP server's answer is no JSON object")
    return record
