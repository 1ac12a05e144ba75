"""What a use case leaves to be done after its transaction."""

import enum
from dataclasses import dataclass
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


class StepKind(enum.StrEnum):
    SETTLE_IPAM = "settle-ipam"
    PUSH_IPAM = "push-ipam"
    """Tell the ledger the definitions of all pools again."""
    REMOVE_IPAM = "remove-ipam"
    SETTLE_SCOPE = "settle-scope"
    REMOVE_SCOPE = "remove-scope"
    PUSH_POOL = "push-pool"
    REMOVE_POOL = "remove-pool"
    SETTLE_RESOURCE_DISCOVERY = "settle-resource-discovery"
    REMOVE_RESOURCE_DISCOVERY = "remove-resource-discovery"
    SETTLE_DISCOVERY_ASSOCIATION = "settle-discovery-association"
    REMOVE_DISCOVERY_ASSOCIATION = "remove-discovery-association"
    PUSH_IPAM_POLICY = "push-ipam-policy"
    """Tell the ledger what it says, and to which accounts it applies."""
    REMOVE_IPAM_POLICY = "remove-ipam-policy"
    SETTLE_VERIFICATION_TOKEN = "settle-verification-token"  # noqa: S105 - no secret
    REMOVE_VERIFICATION_TOKEN = "remove-verification-token"  # noqa: S105 - no secret
    REMOVE_BYOASN = "remove-byoasn"
    SETTLE_BYOIP_CIDR = "settle-byoip-cidr"
    """Tell the ledger whether a pool's CIDR has to stay."""
    TAKE_IN_BYOIP_CIDR = "take-in-byoip-cidr"
    """Tell ledger and network of a range that came without an IPAM."""
    REMOVE_BYOIP_CIDR = "remove-byoip-cidr"
    MOVE_BYOIP_CIDR = "move-byoip-cidr"
    CREATE_INTERNET_REGISTRY_ASSOCIATION = "create-internet-registry-association"
    STAGE_REGISTRATIONS = "stage-registrations"
    """Have what the RPKI tells of an organization's CIDRs registered."""
    ENABLE_INTERNET_REGISTRY_ASSOCIATION = "enable-internet-registry-association"
    """Ask the registry what it certifies, and have it certified."""
    REMOVE_INTERNET_REGISTRY_ASSOCIATION = "remove-internet-registry-association"
    PUBLISH_ROAS = "publish-roas"
    """Sign and publish what is wanted of an association with an internet registry."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """``version`` is the subject's: a step leaves the state alone when a later one is to follow."""

    kind: StepKind
    subject: str
    version: int
    cascade: bool = False


@dataclass(frozen=True, slots=True)
class Accepted(Generic[T_co]):
    """A resource as a use case left it, and the steps that are to follow."""

    resource: T_co
    steps: tuple[NextStep, ...] = ()
