"""Out of which pools resources get addresses when their request names none (IPAM policies)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from services.allocation.allocation import ResourceType


class Precedence(Enum):
    """What the policy that applies to an account has to say about an allocation."""

    NONE = auto()
    """Nothing: the request names the pool."""
    FIRST = auto()
    """Its pools come before the one that the request names."""
    ONLY = auto()
    """Its pools come in the place of the one that the request names."""


@dataclass(frozen=True, slots=True)
class PolicyRules:
    """Where resources of one type get addresses in one locale: the first pool that can gives it."""

    locale: str
    resource_type: ResourceType
    ipam_pool_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class PolicyDefinition:
    """What the control plane says about a policy. A newer one has the greater ``version``."""

    ipam_policy_id: str
    version: int
    rules: Sequence[PolicyRules]
    account_ids: Collection[str]
    """Those that it applies to."""


def pools_in(
    rules: Iterable[PolicyRules], locale: str, resource_type: ResourceType
) -> Sequence[str]:
    """The pools to try for a resource, in order of precedence."""
    for rule in rules:
        if (rule.locale, rule.resource_type) == (locale, resource_type):
            return rule.ipam_pool_ids
    return ()
