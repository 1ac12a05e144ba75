"""Refusals only resource discoveries give."""

from shared.errors import AlreadyExists, QuotaExceeded


class IpamResourceDiscoveryLimitExceeded(QuotaExceeded):
    """The account has a resource discovery of its own in this region already (DISC-1)."""

    def __init__(self, account_id: str, region: str) -> None:
        super().__init__(
            "IpamResourceDiscoveryLimitExceeded",
            f"Account {account_id} has 1 resource discovery of its own in {region}; at most 1 is"
            " allowed besides the default one, so use that one, or another region",
            quota=1,
            count=1,
            account_id=account_id,
            region=region,
        )


class IpamResourceDiscoveryAssociationLimitExceeded(QuotaExceeded):
    """The IPAM has all the resource discoveries it may have (DISC-1)."""

    def __init__(self, ipam_id: str, count: int, quota: int) -> None:
        super().__init__(
            "IpamResourceDiscoveryAssociationLimitExceeded",
            f"'{ipam_id}' has {count} resource discovery associations, the default one included; at"
            f" most {quota} are allowed",
            quota=quota,
            count=count,
            ipam_id=ipam_id,
        )


class IpamOrganizationalUnitExclusionLimitExceeded(QuotaExceeded):
    """The resource discovery would leave out too much (ORG-8)."""

    def __init__(
        self, ipam_resource_discovery_id: str, *, count: int, wanted: int, quota: int
    ) -> None:
        super().__init__(
            "IpamOrganizationalUnitExclusionLimitExceeded",
            f"'{ipam_resource_discovery_id}' has {count} OU exclusions and would have {wanted}; at"
            f" most {quota} are allowed",
            quota=quota,
            count=count,
            wanted=wanted,
            ipam_resource_discovery_id=ipam_resource_discovery_id,
        )


class AlreadyAssociated(AlreadyExists):
    """The IPAM sees through the resource discovery already."""

    reason = "Resource.AlreadyAssociated"

    def __init__(self, ipam_id: str, ipam_resource_discovery_id: str, association_id: str) -> None:
        super().__init__(
            f"'{ipam_resource_discovery_id}' is associated with '{ipam_id}' already, by"
            f" '{association_id}'; disassociate that first",
            ipam_id=ipam_id,
            ipam_resource_discovery_id=ipam_resource_discovery_id,
            ipam_resource_discovery_association_id=association_id,
        )
