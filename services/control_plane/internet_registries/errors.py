"""Refusals only associations with internet registries give."""

from shared.errors import DependencyViolation, QuotaExceeded


class AssociationLimitExceeded(QuotaExceeded):
    """The IPAM has all the associations it may have."""

    def __init__(self, ipam_id: str, count: int, quota: int) -> None:
        super().__init__(
            "IpamInternetRegistryAssociationLimitExceeded",
            f"'{ipam_id}' has {count} associations with internet registries; at most {quota} are"
            " allowed",
            quota=quota,
            count=count,
            ipam_id=ipam_id,
        )


class HasRegistrations(DependencyViolation):
    """An association has routing policy registrations, which would lose their ROAs with it."""

    def __init__(self, association_id: str, count: int) -> None:
        super().__init__(
            f"'{association_id}' can't be deleted while it has {count} routing policy"
            " registrations; delete them first (BatchModifyIpamRoutingPolicyRegistrations)",
            association_id=association_id,
            count=count,
        )
