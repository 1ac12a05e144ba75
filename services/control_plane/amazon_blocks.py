"""How much of Amazon's own space an account may have (PROV-4, PROV-5)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AmazonBlockQuota:
    """Of one address family, in each region; the lengths are netmask lengths."""

    blocks: int
    min_netmask_length: int
    """Of the widest block."""
    max_netmask_length: int
    """Of the narrowest block."""
