"""The VPC whose address space a pool plans (VPC-3)."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.cidr import AddressFamily, Cidr
from shared.errors import InvalidParameterValue


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceResource:
    """A VPC as the caller names it."""

    resource_id: str
    resource_region: str
    resource_owner: str


@dataclass(frozen=True, slots=True)
class SeenVpc:
    """A VPC as discovery has seen it last."""

    owner_id: str
    region: str
    cidrs: Sequence[Cidr]


def check_seen(resource: SourceResource, seen: SeenVpc | None, family: AddressFamily) -> None:
    """Discovery has seen the VPC as it is named, with a CIDR of this family.

    Raises:
        InvalidParameterValue: it hasn't.
    """
    vpc_id, owner = resource.resource_id, resource.resource_owner
    # Whether another account has such a VPC is not for the caller to learn (BEY-12).
    if seen is None or seen.owner_id != owner:
        raise _wrong(
            "resourceId",
            vpc_id,
            f"discovery has seen no such VPC of account {owner}; a new one is seen soon",
        )
    if resource.resource_region != seen.region:
        raise _wrong("resourceRegion", resource.resource_region, f"'{vpc_id}' is in {seen.region}")
    if all(cidr.family is not family for cidr in seen.cidrs):
        raise _wrong("resourceId", vpc_id, f"it has no {family.value} CIDR that could be planned")


def _wrong(member: str, value: str, why: str) -> InvalidParameterValue:
    parameter = f"sourceResource.{member}"
    return InvalidParameterValue(
        f"Value ({value}) for parameter {parameter} is invalid; {why}",
        parameter=parameter,
        value=value,
    )
