"""A client of DNS resolvers."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from dns.asyncresolver import Resolver
from dns.exception import DNSException
from dns.nameserver import Do53Nameserver
from dns.resolver import NXDOMAIN, Answer, LifetimeTimeout, NoResolverConfiguration

from services.control_plane.verifier import LookUpFailed


@dataclass(frozen=True, slots=True)
class NameServer:
    """Where a DNS server listens, by UDP and TCP."""

    address: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "NameServer":
        """Read ``192.0.2.53:53`` or ``[2001:db8::53]:53``.

        Raises:
            ValueError: it is written in another way.
        """
        host, _, port = text.rpartition(":")
        has_brackets = host.startswith("[") and host.endswith("]")
        number = int(port) if port.isascii() and port.isdigit() else 0
        try:
            address = ipaddress.ip_address(host[1:-1] if has_brackets else host)
        except ValueError:
            raise _malformed(text) from None
        if has_brackets is not (address.version == 6) or not 0 < number < 1 << 16:
            raise _malformed(text)
        return cls(str(address), number)


def _malformed(text: str) -> ValueError:
    return ValueError(
        f"'{text}' is no DNS server; write its address and port as '192.0.2.53:53' or"
        " '[2001:db8::53]:53'"
    )


class DnsClient:
    """Asks DNS servers one after the other; it keeps no answers."""

    def __init__(self, servers: Sequence[NameServer], timeout_seconds: float) -> None:
        """Without ``servers``, those of the system are asked; it may have none, and need none."""
        self._resolver = _resolver_of_the_system() if not servers else Resolver(configure=False)
        if servers:
            self._resolver.nameservers = [Do53Nameserver(s.address, s.port) for s in servers]
        self._resolver.lifetime = timeout_seconds

    async def txt(self, name: str) -> Sequence[str]:
        """The values of a name's TXT records, each with its strings joined; none: no such record.

        Raises:
            LookUpFailed: that is not known now.
        """
        if not self._resolver.nameservers:
            raise LookUpFailed("this installation knows no DNS server")
        try:
            answer = await self._resolver.resolve(f"{name}.", "TXT", raise_on_no_answer=False)
        except NXDOMAIN:
            return ()
        except LifetimeTimeout as error:
            raise LookUpFailed("no DNS server answers in time") from error
        except (DNSException, OSError) as error:
            raise LookUpFailed("the DNS servers fail to answer") from error
        return _values(answer)


def _resolver_of_the_system() -> Resolver:
    try:
        return Resolver()
    except NoResolverConfiguration:
        return Resolver(configure=False)


def _values(answer: Answer) -> Sequence[str]:
    records = answer.rrset or ()
    return [b"".join(record.strings).decode(errors="replace") for record in records]
