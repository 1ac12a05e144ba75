"""CIDRs of public pools, as the ledger tells them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.control_plane.pool import AwsService, PublicIpSource
from services.control_plane.regions import NO_LOCALE
from shared.cidr import AddressFamily, Cidr
from shared.errors import OperationNotPermitted


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicCidr:
    """A provisioned CIDR of a pool in a public scope."""

    ipam_pool_cidr_id: str
    cidr: Cidr
    ipam_pool_id: str
    ipam_id: str
    owner_id: str
    locale: str
    aws_service: AwsService | None
    public_ip_source: PublicIpSource | None
    publicly_advertisable: bool
    """Of IPv6 alone; IPv4 always is."""

    @property
    def is_advertisable(self) -> bool:
        """Nothing about it is against its being advertised."""
        return self.cidr.family is AddressFamily.IPV4 or self.publicly_advertisable

    @property
    def is_brought_for_ec2(self) -> bool:
        """It was brought along, and EC2 has it somewhere (BYOIP-4)."""
        return (
            self.public_ip_source is PublicIpSource.BYOIP
            and self.aws_service is AwsService.EC2
            and self.locale != NO_LOCALE
        )


def nearest_top(found: Iterable[PublicCidr], depths: Mapping[str, int]) -> list[PublicCidr]:
    """Each CIDR once, in order of address; of nested pools that have it, of the highest.

    Those that are brought for EC2 go before those that are not. ``depths`` is by pool id; what is
    of pools not in there is left out.
    """
    chosen: dict[Cidr, PublicCidr] = {}
    known = [public for public in found if public.ipam_pool_id in depths]
    for public in sorted(
        known, key=lambda one: (not one.is_brought_for_ec2, depths[one.ipam_pool_id])
    ):
        chosen.setdefault(public.cidr, public)
    return [chosen[cidr] for cidr in sorted(chosen)]


def check_may_be_advertised(public: PublicCidr, account_id: str) -> None:
    """The account may decide about the CIDR's advertisement, and the CIDR may have one (BYOIP-4).

    Raises:
        OperationNotPermitted: it is shared, or something is missing; the message says what.
    """
    for is_against, why in _obstacles(public, account_id):
        if is_against:
            raise OperationNotPermitted(
                f"{public.cidr} of '{public.ipam_pool_id}' can't be advertised: {why}",
                cidr=public.cidr,
                ipam_pool_id=public.ipam_pool_id,
            )


def _obstacles(public: PublicCidr, account_id: str) -> Iterable[tuple[bool, str]]:
    return [
        (
            public.owner_id != account_id,
            f"only its pool's owner, account {public.owner_id}, decides about that",
        ),
        (
            public.public_ip_source is not PublicIpSource.BYOIP,
            "it is Amazon's, which advertises it itself; only what was brought along has to be",
        ),
        (
            public.locale == NO_LOCALE,
            "the pool has no locale; provision it to a pool that has the region as locale",
        ),
        (
            public.aws_service is not AwsService.EC2,
            f"the pool is for no AWS service; provision it to a pool with aws-service"
            f" '{AwsService.EC2}'",
        ),
        (
            not public.is_advertisable,
            "the pool is not publicly advertisable; provision it to one that is",
        ),
    ]
