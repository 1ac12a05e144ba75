"""What an account may use, as EC2 tells it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from shared.aws_regions import known_regions, needs_opt_in
from shared.errors import InvalidParameterValue


@dataclass(frozen=True, slots=True)
class Region:
    """One of AWS's, which every account here can use."""

    name: str

    @property
    def endpoint(self) -> str:
        return f"ec2.{self.name}.amazonaws.com"

    @property
    def opt_in_status(self) -> str:
        return "opted-in" if needs_opt_in(self.name) else "opt-in-not-required"


def regions(names: Collection[str]) -> list[Region]:
    """Those with these names, or all if there are none; by name.

    Raises:
        InvalidParameterValue: there is no such region.
    """
    known = known_regions()
    unknown = sorted(set(names) - known)
    if unknown:
        raise InvalidParameterValue(
            f"Value ({unknown[0]}) for parameter regionName is invalid; it is no region, such as"
            " 'us-east-1'",
            parameter="regionName",
            value=unknown[0],
        )
    return [Region(name) for name in sorted(names or known)]


def account_attributes(*, max_addresses: int) -> Mapping[str, str]:
    """By name, in order.

    No instances run and no security groups are kept, so these limits are only what AWS begins with.
    """
    return {
        "default-vpc": "none",
        "max-elastic-ips": str(max_addresses),
        "max-instances": "20",
        "supported-platforms": "VPC",
        "vpc-max-elastic-ips": str(max_addresses),
        "vpc-max-security-groups-per-interface": "5",
    }
