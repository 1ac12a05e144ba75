"""Refusals only what is brought along gives."""

from datetime import datetime

from shared.errors import IncorrectState, InvalidParameterValue, QuotaExceeded


class IpamExternalResourceVerificationTokenLimitExceeded(QuotaExceeded):
    """The IPAM has all the tokens it may have (BYOIP-2)."""

    def __init__(self, ipam_id: str, count: int, quota: int) -> None:
        super().__init__(
            "IpamExternalResourceVerificationTokenLimitExceeded",
            f"'{ipam_id}' has {count} verification tokens; at most {quota} are allowed, so delete"
            " expired ones",
            quota=quota,
            count=count,
            ipam_id=ipam_id,
        )


class IpamByoasnLimitExceeded(QuotaExceeded):
    """The IPAM has all the ASNs it may have (ASN-1)."""

    def __init__(self, ipam_id: str, count: int, quota: int) -> None:
        super().__init__(
            "IpamByoasnLimitExceeded",
            f"'{ipam_id}' has {count} ASNs; at most {quota} are allowed",
            quota=quota,
            count=count,
            ipam_id=ipam_id,
        )


class ByoipCidrLimitExceeded(QuotaExceeded):
    """The account has all the ranges without an IPAM that it may have in the region (BYOIP-1)."""

    def __init__(self, account_id: str, region: str, count: int, quota: int) -> None:
        super().__init__(
            "ByoipCidrLimitExceeded",
            f"Account {account_id} has {count} ranges without an IPAM in {region}; at most {quota}"
            " are allowed, so deprovision one, also of those that failed, or provision the range to"
            " a pool",
            quota=quota,
            count=count,
            account_id=account_id,
            region=region,
        )


class InvalidAsn(InvalidParameterValue):
    """No number that an account can bring along."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(
            f"Value ({text}) for parameter asn is invalid; {why}", parameter="asn", value=text
        )


class UnknownAsn(InvalidParameterValue):
    """The ASN is not where it would have to be."""

    def __init__(self, asn: int, owner: str) -> None:
        super().__init__(
            f"Value ({asn}) for parameter asn is invalid; the ASN is not provisioned to {owner}",
            parameter="asn",
            value=asn,
        )


class NotAssociated(InvalidParameterValue):
    """The ASN has nothing to do with the CIDR."""

    def __init__(self, asn: int, cidr: object) -> None:
        super().__init__(
            f"Value ({asn}) for parameter asn is invalid; the ASN is not associated with {cidr},"
            " so associate it first (AssociateIpamByoasn)",
            parameter="asn",
            value=asn,
            cidr=cidr,
        )


class UnknownByoipCidr(InvalidParameterValue):
    """No CIDR that the caller could mean here."""

    def __init__(self, cidr: object, region: str) -> None:
        super().__init__(
            f"Value ({cidr}) for parameter cidr is invalid; you have no such CIDR in {region},"
            " neither provisioned to a pool with that locale nor brought along without an IPAM",
            parameter="cidr",
            value=cidr,
            region=region,
        )


class TooSoon(IncorrectState):
    """An own ASN took over from Amazon's less than an hour ago (ASN-3)."""

    def __init__(self, cidr: object, asn: int, possible_from: datetime) -> None:
        moment = f"{possible_from:%Y-%m-%dT%H:%M:%SZ}"
        super().__init__(
            f"{cidr} can change from Amazon's ASN to an own one once an hour; advertise it with ASN"
            f" {asn} from {moment} on",
            cidr=cidr,
            asn=asn,
            possible_from=moment,
        )
