"""A range that an account brings along, until it is known whether the account controls it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.cidr import Cidr
from shared.errors import InvalidParameterCombination, MissingParameter

COVERED_BY_ASSOCIATION = "CoveredByInternetRegistryAssociation"
"""The message, without a signature, of who controls a range by what a registry certified."""


class VerificationMethod(StrEnum):
    """How control of a range is proved (BYOIP-1, BYOIP-2)."""

    REMARKS_X509 = "remarks-x509"
    DNS_TOKEN = "dns-token"  # noqa: S105 - a method, no token


class FailureCode(StrEnum):
    """Why a CIDR could not be provisioned, where it is not for want of a proof."""

    CIDR_NOT_AVAILABLE = "cidr-not-available"
    LIMIT_EXCEEDED = "limit-exceeded"


@dataclass(frozen=True, slots=True)
class Proof:
    """What is to prove control: a message, mostly signed, or the id of a token in the DNS."""

    method: VerificationMethod
    message: str | None = None
    signature: str | None = None
    token_id: str | None = None


@dataclass(frozen=True, slots=True)
class OfferedProof:
    """What a request says about proof, whether it makes sense or not; None: nothing."""

    method: VerificationMethod | None = None
    has_context: bool = False
    message: str | None = None
    signature: str | None = None
    token_id: str | None = None

    @property
    def member(self) -> str | None:
        """AWS's name of a member that the request has, if any."""
        if self.has_context:
            return "CidrAuthorizationContext"
        if self.method:
            return "VerificationMethod"
        return "IpamExternalResourceVerificationTokenId" if self.token_id else None

    def checked(self) -> Proof:
        """The proof that it is.

        Raises:
            MissingParameter: it lacks something.
            InvalidParameterCombination: it has something of the other method.
        """
        if self.member is None:
            raise MissingParameter(
                "CidrAuthorizationContext (or VerificationMethod dns-token and"
                " IpamExternalResourceVerificationTokenId)"
            )
        return self._token() if self.method is VerificationMethod.DNS_TOKEN else self._signed()

    def _token(self) -> Proof:
        if self.has_context:
            raise _excludes("CidrAuthorizationContext", VerificationMethod.REMARKS_X509)
        if not self.token_id:
            raise MissingParameter("IpamExternalResourceVerificationTokenId")
        return Proof(VerificationMethod.DNS_TOKEN, token_id=self.token_id)

    def _signed(self) -> Proof:
        if self.token_id:
            raise _excludes("IpamExternalResourceVerificationTokenId", VerificationMethod.DNS_TOKEN)
        if not self.has_context:
            raise MissingParameter("CidrAuthorizationContext")
        if not self.message:
            raise MissingParameter("CidrAuthorizationContext.Message")
        if self.message == COVERED_BY_ASSOCIATION:
            return Proof(VerificationMethod.REMARKS_X509, self.message, "")
        if not self.signature:
            raise MissingParameter("CidrAuthorizationContext.Signature")
        return Proof(VerificationMethod.REMARKS_X509, self.message, self.signature)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a CIDR was not provisioned."""

    message: str
    code: FailureCode | None = None


@dataclass(frozen=True, slots=True)
class PendingCidr:
    """A CIDR that is to be a pool's. With a ``failure`` it waits no longer, and won't be."""

    ipam_pool_cidr_id: str
    ipam_pool_id: str
    cidr: Cidr
    proof: Proof
    requested_at: datetime
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class WaitingCidr:
    """One that waits, in its place in the order in which they came to, and whose it is."""

    sequence: int
    pending: PendingCidr
    ipam_id: str
    owner_id: str


def _excludes(member: str, method: VerificationMethod) -> InvalidParameterCombination:
    return InvalidParameterCombination(
        f"{member} is for VerificationMethod '{method}'; send that method, or leave {member} out",
        parameter=member,
        verification_method=method,
    )
