"""Refusals about prefix list resolvers."""

from shared.errors import QuotaExceeded


class ResolverLimitExceeded(QuotaExceeded):
    """An IPAM has as many resolvers as it may."""

    def __init__(self, ipam_id: str, quota: int) -> None:
        super().__init__(
            "IpamPrefixListResolverLimitExceeded",
            f"The IPAM '{ipam_id}' has {quota} prefix list resolvers, which is the most; delete"
            " one, or add rules to one",
            quota=quota,
            ipam_id=ipam_id,
        )


class RuleLimitExceeded(QuotaExceeded):
    """A resolver is to have more rules than it may."""

    def __init__(self, count: int, quota: int) -> None:
        super().__init__(
            "IpamPrefixListResolverRuleLimitExceeded",
            f"{count} rules for one prefix list resolver; at most {quota} are allowed",
            quota=quota,
            count=count,
        )


class TargetLimitExceeded(QuotaExceeded):
    """A resolver has as many targets as it may."""

    def __init__(self, resolver_id: str, quota: int) -> None:
        super().__init__(
            "IpamPrefixListResolverTargetLimitExceeded",
            f"The resolver '{resolver_id}' has {quota} targets, which is the most; delete one",
            quota=quota,
            ipam_prefix_list_resolver_id=resolver_id,
        )
