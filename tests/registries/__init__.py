"""The outside world on loopback: a DNS server and an RDAP server, and what one signs for them.

They run in threads of their own, so that tests of any kind can use them: what is put in is answered
from then on.
"""

from contextlib import ExitStack
from typing import Self

from tests.registries.dns_server import DnsServer
from tests.registries.rdap_server import RdapServer

__all__ = ["Registries"]


class Registries:
    """Both servers, while it is entered.

    >>> with Registries() as registries:
    ...     registries.dns.put_txt("86950620.113.0.203.in-addr.arpa", "a34597c3")
    """

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.dns = stack.enter_context(DnsServer())
            self.rdap = stack.enter_context(RdapServer())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def dns_server(self) -> str:
        """``host:port``, for CADASTRE_DNS_SERVERS."""
        return self.dns.address

    @property
    def rdap_url(self) -> str:
        """For CADASTRE_RDAP_URL."""
        return self.rdap.url
