"""A VPC and the CIDR blocks it has."""

import enum
import hashlib
from dataclasses import dataclass, field, replace

from services.network.errors import CidrLimitExceeded, InvalidVpcRange, PrimaryCidrBlock
from services.network.resource import CidrAssociation, Holder, ResourceType
from shared.cidr import AddressFamily, Cidr
from shared.ids import VPC_CIDR_ASSOCIATION
from shared.tags import Tags


class Tenancy(enum.StrEnum):
    """Tenancy of the instances."""

    DEFAULT = "default"
    DEDICATED = "dedicated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What ModifyVpcAttribute changes, with AWS's defaults."""

    enable_dns_support: bool = True
    enable_dns_hostnames: bool = False
    enable_network_address_usage_metrics: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc:
    """``associations`` are in the order they were made, so the primary IPv4 block comes first."""

    vpc_id: str
    owner_id: str
    region: str
    instance_tenancy: Tenancy
    tags: Tags
    associations: tuple[CidrAssociation, ...] = ()
    attributes: Attributes = field(default_factory=Attributes)

    @property
    def holder(self) -> Holder:
        return Holder(
            resource_id=self.vpc_id,
            resource_type=ResourceType.VPC,
            owner_id=self.owner_id,
            region=self.region,
            tags=self.tags,
        )

    @property
    def primary(self) -> CidrAssociation:
        return self.of_family(AddressFamily.IPV4)[0]

    @property
    def dhcp_options_id(self) -> str:
        """The default set of the account and region: a name for it, derived, since none is kept."""
        place = f"{self.owner_id}/{self.region}".encode()
        return f"dopt-{hashlib.sha256(place).hexdigest()[:17]}"

    def of_family(self, family: AddressFamily) -> list[CidrAssociation]:
        return [known for known in self.associations if known.cidr.family is family]

    def association(self, association_id: str) -> CidrAssociation:
        """One of the VPC's.

        Raises:
            UnknownId: it isn't.
        """
        for known in self.associations:
            if known.association_id == association_id:
                return known
        raise VPC_CIDR_ASSOCIATION.unknown(association_id)

    def check_room(self, family: AddressFamily, *, quota: int) -> None:
        """Another block of ``family`` may be added.

        Raises:
            CidrLimitExceeded: it may not.
        """
        count = len(self.of_family(family))
        if count >= quota:
            raise CidrLimitExceeded(self.vpc_id, family.value, count, quota)

    def check_apart(self, cidr: Cidr) -> None:
        """``cidr`` overlaps none of the VPC's blocks.

        Raises:
            InvalidVpcRange: naming the one in the way.
        """
        for known in self.associations:
            if known.cidr.overlaps(cidr):
                raise InvalidVpcRange(
                    f"The CIDR '{cidr}' overlaps '{known.cidr}', which '{self.vpc_id}' has already",
                    value=cidr,
                    vpc_id=self.vpc_id,
                    obstacle=known.cidr,
                )

    def with_association(self, added: CidrAssociation, *, quota: int) -> "Vpc":
        """The VPC with one more block.

        Raises:
            CidrLimitExceeded, InvalidVpcRange: it can't have it.
        """
        self.check_room(added.cidr.family, quota=quota)
        self.check_apart(added.cidr)
        return replace(self, associations=(*self.associations, added))

    def check_removable(self, association_id: str) -> CidrAssociation:
        """The block, unless it is the primary one.

        Raises:
            PrimaryCidrBlock: it is.
            UnknownId: the VPC has no such block.
        """
        removed = self.association(association_id)
        if removed == self.primary:
            raise PrimaryCidrBlock(self.vpc_id, association_id)
        return removed
