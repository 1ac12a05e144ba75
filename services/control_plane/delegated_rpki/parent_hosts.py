"""At which hosts parents may be: accounts must not make the service call whatever they name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PATTERN = re.compile(
    r"(?P<wild>\*\.)?(?:\[(?P<ipv6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9][a-z0-9._-]*))(?::(?P<port>\d{1,5}))?"
)

_NAME = re.compile(r"[a-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class HostPattern:
    """A host, or all hosts of a domain, at one port or any."""

    host: str
    """In lower case; IPv6 addresses without brackets."""
    port: int | None
    is_domain: bool
    """It is meant with all that lies below it, and not itself."""

    @classmethod
    def parse(cls, text: str) -> "HostPattern":
        """Read ``host``, ``host:port``, ``[IPv6]:port`` or ``*.domain``.

        Raises:
            ValueError: it is not written so.
        """
        found = _PATTERN.fullmatch(text.lower())
        if not found or (found["wild"] and found["ipv6"]):
            raise ValueError(f"'{text}' is no host; write 'host', 'host:port' or '*.domain'")
        port = int(found["port"]) if found["port"] else None
        return cls(found["ipv6"] or found["name"], port, bool(found["wild"]))

    def allows(self, host: str, port: int) -> bool:
        """A parent may be there."""
        if self.port not in {None, port}:
            return False
        name = host.lower()
        if self.is_domain:
            # Libraries let strange characters pass, and resolvers may read them otherwise.
            return bool(_NAME.fullmatch(name)) and name.endswith(f".{self.host}")
        return name == self.host


REGISTRIES: Mapping[str, tuple[HostPattern, ...]] = {
    rir: tuple(HostPattern.parse(f"*.{domain}") for domain in domains)
    for rir, domains in {
        "arin": ["arin.net"],
        "ripe": ["ripe.net"],
        "apnic": ["apnic.net"],
        "lacnic": ["lacnic.net"],
        "nicbr": ["registro.br", "nic.br"],
    }.items()
}
"""Whose hosts these are: the registries', by AWS's word for each."""
