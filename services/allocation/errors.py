"""Refusals only the ledger gives."""

from collections.abc import Iterable, Mapping, Sequence

from services.allocation.set_aside import SetAside, SetAsideReason
from services.allocation.system_pools import name_of, shown
from shared.cidr import Cidr
from shared.errors import (
    CadastreError,
    Conflict,
    DependencyViolation,
    Exhausted,
    ForwardedRefusal,
    IncorrectState,
    InvalidParameterValue,
    NotFound,
    OperationNotPermitted,
    QuotaExceeded,
    Unavailable,
    kind_of,
)


class InsufficientCidrSpace(Exhausted):
    """Nothing is free that is as large as what is wanted."""

    reason = "InsufficientCidrSpace"

    def __init__(self, space: str, wanted: int, largest_free: int | None) -> None:
        largest = "nothing that it could have" if largest_free is None else f"/{largest_free}"
        super().__init__(
            f"{space} has no free /{wanted} for this request; the largest free block is {largest}",
            space=space,
            netmask_length=wanted,
            largest_free="none" if largest_free is None else largest_free,
        )


class PoolWithoutCidrs(Exhausted):
    """A pool with nothing to give (POOL-7)."""

    reason = "InsufficientCidrSpace"

    def __init__(self, ipam_pool_id: str) -> None:
        super().__init__(
            f"{shown(ipam_pool_id)} has no CIDR provisioned, so nothing can be allocated from it;"
            " provision one first",
            ipam_pool_id=name_of(ipam_pool_id),
        )


class PassedOver(Exhausted):
    """A pool that a policy names has nothing for a request; others may have."""

    reason = "InsufficientCidrSpace"

    def __init__(self, ipam_pool_id: str) -> None:
        super().__init__(
            f"'{ipam_pool_id}' has nothing for this request", ipam_pool_id=ipam_pool_id
        )


class PoliciesExhausted(Exhausted):
    """No pool of the policy that applies to an account has anything, or none applies."""

    reason = "InsufficientCidrSpace"

    def __init__(self, account_id: str, locale: str) -> None:
        super().__init__(
            f"No pool of an IPAM policy has anything for account {account_id} in {locale}; name"
            " another pool",
            account_id=account_id,
            locale=locale,
        )


class CidrOutsidePool(InvalidParameterValue):
    """The block is not the pool's to give."""

    def __init__(self, cidr: Cidr, ipam_pool_id: str, roots: Iterable[Cidr]) -> None:
        inside = ", ".join(map(str, roots))
        super().__init__(
            f"{cidr} does not lie in one CIDR of {shown(ipam_pool_id)}; use a block in one of"
            f" {inside}",
            cidr=cidr,
            ipam_pool_id=name_of(ipam_pool_id),
            ipam_pool_cidrs=inside,
        )


class CidrTaken(InvalidParameterValue):
    """Somebody has the block, or a part of it (ALLOC-3)."""

    def __init__(self, cidr: Cidr, in_the_way: Cidr, holder: str) -> None:
        super().__init__(
            f"{cidr} overlaps {in_the_way}, which {holder} has; use a block beside it, or"
            " NetmaskLength to be given a free one",
            cidr=cidr,
            in_the_way=in_the_way,
            holder=holder,
        )


class RangeTaken(InvalidParameterValue):
    """Somebody has the range or a part; which part is not for the caller to learn (BEY-12)."""

    def __init__(self, cidr: Cidr, holder: str) -> None:
        super().__init__(
            f"{cidr} overlaps a range that {holder} has; use one that nobody has",
            cidr=cidr,
            holder=holder,
        )


class CidrExcluded(InvalidParameterValue):
    """The pool gives nothing away there, though nobody has it (BEY-9)."""

    def __init__(self, cidr: Cidr, ipam_pool_id: str, excluded: Cidr) -> None:
        super().__init__(
            f"{cidr} overlaps {excluded}, which is excluded from allocation in '{ipam_pool_id}';"
            " use a block beside it, or NetmaskLength to be given a free one",
            cidr=cidr,
            ipam_pool_id=ipam_pool_id,
            excluded_cidr=excluded,
        )


class CidrSetAside(InvalidParameterValue):
    """Nobody has the block, but a part of it is not to be had for a time (IPAM-6, BEY-8)."""

    def __init__(self, cidr: Cidr, set_aside: SetAside) -> None:
        until = set_aside.until.isoformat(timespec="seconds")
        why = (
            "cools down after its release"
            if set_aside.reason is SetAsideReason.COOL_DOWN
            else "is held for another allocation"
        )
        super().__init__(
            f"{cidr} overlaps {set_aside.cidr}, which {why} until {until}; wait for that, use a"
            " block beside it, or NetmaskLength to be given a free one",
            cidr=cidr,
            in_the_way=set_aside.cidr,
            available_at=until,
        )


class CidrHeld(DependencyViolation):
    """Somebody holds a part of a CIDR that is to go (BEY-8)."""

    def __init__(self, cidr: Cidr, ipam_pool_id: str, hold: SetAside) -> None:
        until = hold.until.isoformat(timespec="seconds")
        super().__init__(
            f"{cidr} can't be deprovisioned from '{ipam_pool_id}' while '{hold.set_aside_id}' holds"
            f" {hold.cidr}, until {until}; release it first",
            cidr=cidr,
            ipam_pool_id=ipam_pool_id,
            ipam_pool_hold_id=hold.set_aside_id,
        )


class TooManyExcludedCidrs(QuotaExceeded):
    """The pool excludes as much as it may (BEY-9)."""

    def __init__(self, ipam_pool_id: str, wanted: int, quota: int) -> None:
        super().__init__(
            "IpamPoolExcludedCidrLimitExceeded",
            f"'{ipam_pool_id}' would exclude {wanted} CIDRs; at most {quota} are allowed, so"
            " exclude wider ones instead",
            quota=quota,
            ipam_pool_id=ipam_pool_id,
        )


class CidrObserved(InvalidParameterValue):
    """Unmanaged resources are seen there (BEY-3); not which, for they may be anyone's (BEY-12)."""

    def __init__(self, cidr: Cidr, ipam_pool_id: str, observed: Cidr) -> None:
        super().__init__(
            f"{cidr} overlaps {observed}, which is in use without an allocation of"
            f" '{ipam_pool_id}'; use a block beside it, or NetmaskLength to be given a free one",
            cidr=cidr,
            ipam_pool_id=ipam_pool_id,
            observed_cidr=observed,
        )


class WrongFamily(InvalidParameterValue):
    """A block of the other address family."""

    def __init__(self, cidr: Cidr, ipam_pool_id: str, family: str) -> None:
        super().__init__(
            f"{cidr} is not {family}, as everything in {shown(ipam_pool_id)} is",
            cidr=cidr,
            ipam_pool_id=name_of(ipam_pool_id),
            address_family=family,
        )


class NetmaskRuleBroken(InvalidParameterValue):
    """The pool's rules forbid this netmask length (POOL-6)."""

    def __init__(self, ipam_pool_id: str, wanted: int, shortest: int, longest: int) -> None:
        super().__init__(
            f"/{wanted} breaks the allocation rules of '{ipam_pool_id}': netmask lengths are"
            f" {shortest}-{longest} there",
            ipam_pool_id=ipam_pool_id,
            netmask_length=wanted,
            allocation_min_netmask_length=shortest,
            allocation_max_netmask_length=longest,
        )


class TagRuleBroken(InvalidParameterValue):
    """The resource lacks tags that the pool's rules demand (POOL-6)."""

    def __init__(self, ipam_pool_id: str, missing: Mapping[str, str]) -> None:
        tags = ", ".join(f"{key}={value}" for key, value in sorted(missing.items()))
        super().__init__(
            f"The resource lacks tags that the allocation rules of '{ipam_pool_id}' demand: {tags}",
            ipam_pool_id=ipam_pool_id,
            missing_tags=tags,
        )


class LocaleRuleBroken(OperationNotPermitted):
    """The resource is not where the pool's locale is (POOL-6)."""

    def __init__(self, ipam_pool_id: str, locale: str, region: str) -> None:
        super().__init__(
            f"The locale of '{ipam_pool_id}' is {locale}, so no resource in {region} can have a"
            " block of it; use a pool with that locale",
            ipam_pool_id=ipam_pool_id,
            locale=locale,
            region=region,
        )


class PoolNotForResource(OperationNotPermitted):
    """No resource of this kind can have a block of the pool, whatever else it asks for."""

    def __init__(self, ipam_pool_id: str, resource: str, why: str) -> None:
        super().__init__(
            f"'{resource}' can't have a block of {shown(ipam_pool_id)}: {why}",
            ipam_pool_id=name_of(ipam_pool_id),
            resource=resource,
            why=why,
        )


class SpaceNotProvisionable(InvalidParameterValue):
    """No top-level pool of the scope may have this block (PROV-2, PROV-3)."""

    def __init__(self, cidr: Cidr, why: str) -> None:
        super().__init__(f"{cidr} can't be provisioned: {why}", cidr=cidr, why=why)


class TooSpecific(InvalidParameterValue):
    """A longer netmask than ranges at the top of public space, or right below it, have (PROV-6)."""

    def __init__(self, netmask_length: int, longest: int) -> None:
        super().__init__(
            f"/{netmask_length} is too specific: ranges that are brought along, and what is"
            f" provisioned right below them, are /{longest} or wider here",
            netmask_length=netmask_length,
            most_specific=longest,
        )


class RangeNotBrought(IncorrectState):
    """The account did not bring the range along, or has moved it or given it up (BYOIP-6)."""

    def __init__(self, cidr: Cidr, owner_id: str, region: str) -> None:
        super().__init__(
            f"{cidr} is no range that '{owner_id}' brought along to {region} without an IPAM",
            cidr=cidr,
            owner_id=owner_id,
            region=region,
        )


class PoolNotForRange(OperationNotPermitted):
    """The pool can't have a range that was brought along without an IPAM (BYOIP-6)."""

    def __init__(self, cidr: Cidr, ipam_pool_id: str, why: str) -> None:
        super().__init__(
            f"{cidr} can't be moved to '{ipam_pool_id}': {why}",
            cidr=cidr,
            ipam_pool_id=ipam_pool_id,
            why=why,
        )


class NoVpcCidr(InvalidParameterValue):
    """The VPC has no such CIDR that a pool could plan (VPC-3)."""

    def __init__(self, wanted: str, vpc_id: str, seen: Sequence[Cidr], why: str) -> None:
        present = ", ".join(map(str, seen)) or "none"
        super().__init__(
            f"{wanted} can't be provisioned: {why}; the CIDRs of '{vpc_id}' are: {present}",
            wanted=wanted,
            vpc_id=vpc_id,
            vpc_cidrs=present,
        )


class AmazonBlockLimitExceeded(QuotaExceeded):
    """The account has all the blocks of Amazon's space that it may have (PROV-4, PROV-5)."""

    def __init__(self, owner_id: str, family: str, region: str, count: int, quota: int) -> None:
        super().__init__(
            "IpamPoolAmazonBlockLimitExceeded",
            f"'{owner_id}' has {count} blocks of Amazon's {family} space in {region}; at most"
            f" {quota} are allowed",
            quota=quota,
            count=count,
            owner_id=owner_id,
            address_family=family,
            region=region,
        )


class IpamPoolCidrLimitExceeded(QuotaExceeded):
    """The pool has all the CIDRs it may have (POOL-2)."""

    def __init__(self, ipam_pool_id: str, count: int, quota: int) -> None:
        super().__init__(
            "IpamPoolCidrLimitExceeded",
            f"'{ipam_pool_id}' has {count} CIDRs; at most {quota} are allowed",
            quota=quota,
            count=count,
            ipam_pool_id=ipam_pool_id,
        )


class UnknownPoolCidr(NotFound):
    """The pool has no such CIDR."""

    reason = "InvalidIpamPoolCidr.NotFound"

    def __init__(self, ipam_pool_id: str, cidr: Cidr | None, roots: Sequence[Cidr]) -> None:
        present = ", ".join(map(str, roots)) or "none"
        wanted = f"the CIDR {cidr}" if cidr else "a CIDR"
        super().__init__(
            f"'{ipam_pool_id}' does not have {wanted} provisioned; its CIDRs: {present}",
            ipam_pool_id=ipam_pool_id,
            cidr=cidr or "",
            ipam_pool_cidrs=present,
        )


class CidrInUse(DependencyViolation):
    """Allocations lie in a CIDR that is to go (PROV-8)."""

    def __init__(self, cidr: Cidr, ipam_pool_id: str, example: str) -> None:
        super().__init__(
            f"{cidr} can't be deprovisioned from {shown(ipam_pool_id)} while allocations lie in"
            f" it, such as '{example}'; release them first",
            cidr=cidr,
            ipam_pool_id=name_of(ipam_pool_id),
            ipam_pool_allocation_id=example,
        )


class CidrPinned(DependencyViolation):
    """Something outside of the ledger still needs a CIDR that is to go (BYOIP-4, ASN-2)."""

    def __init__(self, cidr: Cidr, ipam_pool_id: str, reason: str) -> None:
        super().__init__(
            f"{cidr} can't be deprovisioned from {shown(ipam_pool_id)}: {reason}",
            cidr=cidr,
            ipam_pool_id=name_of(ipam_pool_id),
            why=reason,
        )


class PoolInUse(DependencyViolation):
    """A pool that is to go has something still (POOL-7)."""

    def __init__(self, ipam_pool_id: str, obstacle: str) -> None:
        super().__init__(
            f"'{ipam_pool_id}' can't be deleted: it has {obstacle}",
            ipam_pool_id=ipam_pool_id,
            obstacle=obstacle,
        )


class NotReleasedByHand(OperationNotPermitted):
    """Only what was reserved by hand is given back by hand (ALLOC-5)."""

    def __init__(self, ipam_pool_allocation_id: str, resource_type: str, instead: str) -> None:
        super().__init__(
            f"'{ipam_pool_allocation_id}' is of type {resource_type}; only allocations of type"
            f" custom are released by hand. {instead}",
            ipam_pool_allocation_id=ipam_pool_allocation_id,
            resource_type=resource_type,
        )


class TokenCancelled(IncorrectState):
    """Nothing is ever allocated under this token any more."""

    def __init__(self, client_token: str) -> None:
        super().__init__(
            f"The client token '{client_token}' was cancelled; use a new one for a new block",
            client_token=client_token,
        )


class TokenUsedMeanwhile(Conflict):
    """While a token was being cancelled, a block was allocated under it."""

    reason = "ConcurrentModification"

    def __init__(self, client_token: str) -> None:
        super().__init__(
            f"A block was allocated under the client token '{client_token}' at this very moment;"
            " repeat the request",
            client_token=client_token,
        )


class PoolRetired(IncorrectState):
    """A retired pool does not come back."""

    def __init__(self, ipam_pool_id: str) -> None:
        super().__init__(f"'{ipam_pool_id}' was retired for good", ipam_pool_id=ipam_pool_id)


class SourcePoolUnknown(IncorrectState):
    """The pool to take space from is not there, or not yet."""

    def __init__(self, ipam_pool_id: str, source_ipam_pool_id: str) -> None:
        super().__init__(
            f"The source pool {shown(source_ipam_pool_id)} of '{ipam_pool_id}' is not in use",
            ipam_pool_id=ipam_pool_id,
            source_ipam_pool_id=name_of(source_ipam_pool_id),
        )


class ChangesLost(Unavailable):
    """The database was restored from a backup, so the ledger forgot what it gave away (BEY-14)."""

    reason = "ServiceUnavailable"

    def __init__(self) -> None:
        super().__init__(
            "The ledger was restored from a backup and lacks changes made after it, so nothing is"
            " allocated before an operator has them redone: make check REPAIR=1"
        )


class PartRefused(ForwardedRefusal):
    """One request of a batch was refused, and so the batch; numbers begin with 1."""

    def __init__(self, number: int, refusal: CadastreError) -> None:
        message = f"requests.{number}: {refusal.message}. Nothing of the batch was done"
        metadata = {**refusal.metadata, "request_number": str(number)}
        super().__init__(kind_of(refusal), refusal.reason, message, metadata)
