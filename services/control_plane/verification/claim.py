"""What an account says is its own, and what it offers as proof (BYOIP-1, BYOIP-2, ASN-1)."""

from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from shared.cidr import Cidr


@dataclass(frozen=True, slots=True)
class RangeClaim:
    """An account says that it controls a range of addresses."""

    cidr: Cidr
    account_id: str

    @property
    def subject(self) -> str:
        """What is claimed, as an authorization message names it."""
        return str(self.cidr)


@dataclass(frozen=True, slots=True)
class AsnClaim:
    """An account says that it controls an autonomous system number."""

    asn: int
    account_id: str

    @property
    def subject(self) -> str:
        """What is claimed, as an authorization message names it."""
        return str(self.asn)


Claim: TypeAlias = RangeClaim | AsnClaim


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """An authorization message, signed by who holds the key of the certificate in the registry."""

    message: str
    """``1|aws|ACCOUNT|CIDR-or-ASN|YYYYMMDD|SHA256|RSAPSS``."""
    signature: str = field(repr=False)
    """Base64 of an RSA-PSS signature, with ``-_~`` for ``+=/``."""


@dataclass(frozen=True, slots=True)
class DnsToken:
    """A token whose value the reverse zones of the range tell under its name."""

    token_name: str
    """Example: ``86950620``."""
    token_value: str
    """Example: ``a34597c3-5317-4238-9ce7-50da5b6e6dc8``."""


@dataclass(frozen=True, slots=True)
class CoveredByAssociation:
    """An internet registry has certified the range to the IPAM: nobody else need be asked."""

    MESSAGE: ClassVar[str] = "CoveredByInternetRegistryAssociation"
    """What an account says, without a signature."""


Proof: TypeAlias = SignedMessage | DnsToken
