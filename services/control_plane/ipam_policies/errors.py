"""Refusals about IPAM policies alone."""

from shared.errors import QuotaExceeded


class IpamPolicyLimitExceeded(QuotaExceeded):
    """The IPAM has all the policies it may have."""

    def __init__(self, ipam_id: str, count: int, quota: int) -> None:
        super().__init__(
            "IpamPolicyLimitExceeded",
            f"'{ipam_id}' has {count} IPAM policies; at most {quota} are allowed",
            quota=quota,
            count=count,
            ipam_id=ipam_id,
        )


class IpamPolicyTargetLimitExceeded(QuotaExceeded):
    """The policy is enabled for all the targets it may be."""

    def __init__(self, ipam_policy_id: str, count: int, quota: int) -> None:
        super().__init__(
            "IpamPolicyTargetLimitExceeded",
            f"'{ipam_policy_id}' is enabled for {count} targets; at most {quota} are allowed, so"
            " enable it for an OU or a root that holds several of them",
            quota=quota,
            count=count,
            ipam_policy_id=ipam_policy_id,
        )


class IpamPolicyAllocationRuleLimitExceeded(QuotaExceeded):
    """There would be more rules for a type of resource in a locale than there may be."""

    def __init__(self, ipam_policy_id: str, count: int, quota: int) -> None:
        super().__init__(
            "IpamPolicyAllocationRuleLimitExceeded",
            f"'{ipam_policy_id}' would have {count} allocation rules for this type of resource in"
            f" this locale; at most {quota} are allowed",
            quota=quota,
            count=count,
            ipam_policy_id=ipam_policy_id,
        )
