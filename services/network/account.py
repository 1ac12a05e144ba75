"""What an account may use, as EC2 tells it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from services.network.availability_zones import group_name, zone_id, zones
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


@dataclass(frozen=True, slots=True)
class Zone:
    """An availability zone, which every account here can use."""

    name: str
    region: str

    @property
    def zone_id(self) -> str:
        return zone_id(self.name)

    @property
    def group_name(self) -> str:
        return group_name(self.region)


def availability_zones(region: str, names: Collection[str], ids: Collection[str]) -> list[Zone]:
    """Those of a region with these names and these ids, where some are given; by name.

    Raises:
        InvalidParameterValue: the region has no such zone.
    """
    found = [Zone(name, region) for name in zones(region)]
    _check_zones(names, [zone.name for zone in found], "ZoneName")
    _check_zones(ids, [zone.zone_id for zone in found], "ZoneId")
    return [
        zone
        for zone in found
        if (not names or zone.name in names) and (not ids or zone.zone_id in ids)
    ]


def account_attributes(*, max_addresses: int) -> Mapping[str, str]:
    """By name, in order.

    No instances run and there are no groups but the VPCs' own, so these limits are only what AWS
    begins with.
    """
    return {
        "default-vpc": "none",
        "max-elastic-ips": str(max_addresses),
        "max-instances": "20",
        "supported-platforms": "VPC",
        "vpc-max-elastic-ips": str(max_addresses),
        "vpc-max-security-groups-per-interface": "5",
    }


def _check_zones(named: Collection[str], known: Collection[str], parameter: str) -> None:
    for value in named:
        if value not in known:
            raise InvalidParameterValue(
                f"Value ({value}) for parameter {parameter} is invalid; use one of"
                f" {', '.join(known)}",
                parameter=parameter,
                value=value,
            )
