"""Refusals only this context gives."""

from shared.errors import Invalid, OperationNotPermitted, QuotaExceeded, ServiceUnavailable


class InvalidVpcRange(Invalid):
    """A CIDR that the VPC can't have."""

    reason = "InvalidVpc.Range"


class VpcLimitExceeded(QuotaExceeded):
    """The account has all the VPCs it may have in the region."""

    def __init__(self, account_id: str, region: str, count: int, quota: int) -> None:
        super().__init__(
            "VpcLimitExceeded",
            f"Account {account_id} has {count} VPCs in {region}; at most {quota} are allowed",
            quota=quota,
            count=count,
            account_id=account_id,
            region=region,
        )


class CidrLimitExceeded(QuotaExceeded):
    """The VPC has all the CIDR blocks of the family it may have."""

    def __init__(self, vpc_id: str, family: str, count: int, quota: int) -> None:
        super().__init__(
            "CidrLimitExceeded",
            f"'{vpc_id}' has {count} {family} CIDR blocks; at most {quota} are allowed",
            quota=quota,
            count=count,
            vpc_id=vpc_id,
            family=family,
        )


class PrimaryCidrBlock(OperationNotPermitted):
    """The IPv4 CIDR a VPC was created with stays as long as the VPC."""

    def __init__(self, vpc_id: str, association_id: str) -> None:
        super().__init__(
            f"The CIDR block with association ID '{association_id}' is the primary IPv4 CIDR block"
            f" of '{vpc_id}' and can't be disassociated; delete the VPC instead",
            vpc_id=vpc_id,
            association_id=association_id,
        )


class UndertakingAbandoned(ServiceUnavailable):
    """It took longer than it may, so another worker has begun to undo it."""

    def __init__(self) -> None:
        super().__init__("The request took too long and was undone; repeat it")
