"""What somebody pays for, and what Amazon calls it on a bill (ACC-3)."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from shared.ids import arn

SERVICE, SERVICE_CODE = "Amazon Virtual Private Cloud", "AmazonVPC"
OPERATION, RECORD_TYPE = "IPAM-Active-IP", "Usage"

_USAGE = "IPAddressManager-IP-Hours"
_IPAM_TYPE = "ipam"
_MILLISECONDS_PER_HOUR = 3_600_000
_TEN_DIGITS = Decimal("1e-10")

_BILLING_CODES = {
    "af-south-1": "AFS1",
    "ap-east-1": "APE1",
    "ap-east-2": "APE2",
    "ap-northeast-1": "APN1",
    "ap-northeast-2": "APN2",
    "ap-northeast-3": "APN3",
    "ap-south-1": "APS3",
    "ap-south-2": "APS5",
    "ap-southeast-1": "APS1",
    "ap-southeast-2": "APS2",
    "ap-southeast-3": "APS4",
    "ap-southeast-4": "APS6",
    "ca-central-1": "CAN1",
    "ca-west-1": "CAN2",
    "eu-central-1": "EUC1",
    "eu-central-2": "EUC2",
    "eu-north-1": "EUN1",
    "eu-south-1": "EUS1",
    "eu-south-2": "EUS2",
    "eu-west-1": "EUW1",
    "eu-west-2": "EUW2",
    "eu-west-3": "EUW3",
    "il-central-1": "ILC1",
    "me-central-1": "MEC1",
    "me-south-1": "MES1",
    "sa-east-1": "SAE1",
    "us-east-1": "USE1",
    "us-east-2": "USE2",
    "us-west-1": "USW1",
    "us-west-2": "USW2",
}
"""What regions are called on bills."""


class Dimension(enum.StrEnum):
    """What charges are told apart by."""

    LINKED_ACCOUNT = "LINKED_ACCOUNT"
    OPERATION = "OPERATION"
    RECORD_TYPE = "RECORD_TYPE"
    REGION = "REGION"
    RESOURCE_ID = "RESOURCE_ID"
    SERVICE = "SERVICE"
    SERVICE_CODE = "SERVICE_CODE"
    USAGE_TYPE = "USAGE_TYPE"


@dataclass(frozen=True, slots=True)
class Charge:
    """Active addresses of an account in the eyes of an IPAM, within some period."""

    ipam_id: str
    ipam_owner_id: str
    ipam_region: str
    """The IPAM's home region, which is the one on bills, wherever the addresses are."""
    resource_owner_id: str
    payer_id: str
    milliseconds: int
    """Of all addresses together."""

    def value_of(self, dimension: Dimension) -> str:
        """What a bill has there."""
        return _VALUES[dimension](self)


def usage_type(region: str) -> str:
    """``USE1-IPAddressManager-IP-Hours``; a region without a code goes by its own name."""
    return f"{_BILLING_CODES.get(region, region)}-{_USAGE}"


def hours(milliseconds: int) -> Decimal:
    """As many hours, not rounded to anything that shows."""
    return Decimal(milliseconds) / _MILLISECONDS_PER_HOUR


def amount(value: Decimal) -> str:
    """Decimal, at most ten digits after the point: ``18.0002777778``, ``0``."""
    rounded = value.quantize(_TEN_DIGITS, ROUND_HALF_EVEN)
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".")


_VALUES: Mapping[Dimension, Callable[[Charge], str]] = {
    Dimension.LINKED_ACCOUNT: lambda charge: charge.payer_id,
    Dimension.OPERATION: lambda _: OPERATION,
    Dimension.RECORD_TYPE: lambda _: RECORD_TYPE,
    Dimension.REGION: lambda charge: charge.ipam_region,
    Dimension.RESOURCE_ID: lambda charge: arn(charge.ipam_owner_id, _IPAM_TYPE, charge.ipam_id),
    Dimension.SERVICE: lambda _: SERVICE,
    Dimension.SERVICE_CODE: lambda _: SERVICE_CODE,
    Dimension.USAGE_TYPE: lambda charge: usage_type(charge.ipam_region),
}
