"""Refusals only this context gives."""

from collections.abc import Iterable, Sequence

from shared.errors import DependencyViolation, QuotaExceeded

_NAMED_AT_MOST = 10


class IpamLimitExceeded(QuotaExceeded):
    """The account has its IPAM in this region already (IPAM-2)."""

    def __init__(self, account_id: str, region: str) -> None:
        super().__init__(
            "IpamLimitExceeded",
            f"Account {account_id} has an IPAM in {region} already; an account has at most one IPAM"
            " in a region, so use that one, or another region",
            quota=1,
            count=1,
            account_id=account_id,
            region=region,
        )


class IpamScopeLimitExceeded(QuotaExceeded):
    """The IPAM has all the scopes it may have (SCP-2)."""

    def __init__(self, ipam_id: str, count: int, quota: int) -> None:
        super().__init__(
            "IpamScopeLimitExceeded",
            f"'{ipam_id}' has {count} scopes; at most {quota} are allowed",
            quota=quota,
            count=count,
            ipam_id=ipam_id,
        )


class IpamPoolLimitExceeded(QuotaExceeded):
    """The scope has all the pools it may have (POOL-2)."""

    def __init__(self, ipam_scope_id: str, count: int, quota: int) -> None:
        super().__init__(
            "IpamPoolLimitExceeded",
            f"'{ipam_scope_id}' has {count} pools; at most {quota} are allowed",
            quota=quota,
            count=count,
            ipam_scope_id=ipam_scope_id,
        )


class IpamPoolDepthLimitExceeded(QuotaExceeded):
    """The pool would lie too deep (POOL-2)."""

    def __init__(self, source_ipam_pool_id: str, depth: int, quota: int) -> None:
        super().__init__(
            "IpamPoolDepthLimitExceeded",
            f"'{source_ipam_pool_id}' lies at depth {depth}; no pool lies deeper than {quota}",
            quota=quota,
            count=depth,
            source_ipam_pool_id=source_ipam_pool_id,
        )


class StillInUse(DependencyViolation):
    """Other resources of this context stand in the way; the message names them."""

    def __init__(self, sentence: str, resource_id: str, in_the_way: Iterable[str]) -> None:
        obstacles = list(in_the_way)
        super().__init__(
            f"{sentence}: {listed(obstacles)}",
            resource_id=resource_id,
            in_the_way=",".join(obstacles[:_NAMED_AT_MOST]),
        )


def listed(names: Sequence[str]) -> str:
    """The first few of ``names`` and how many more there are."""
    more = len(names) - _NAMED_AT_MOST
    shown = ", ".join(names[:_NAMED_AT_MOST])
    return f"{shown} and {more} more" if more > 0 else shown
