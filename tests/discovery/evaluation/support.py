"""An IPAM with few pools, and resources to judge."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from services.discovery.evaluation.evaluate import evaluate
from services.discovery.evaluation.model import (
    Allocation,
    AllocationType,
    Books,
    Candidate,
    Evaluation,
    Judgement,
    MarkedCidr,
    Marking,
    Pool,
    Present,
    Scopes,
)
from services.discovery.resource_cidr import ResourceType
from services.discovery.sources import AccountRegion
from shared.cidr import Cidr

REGION, OTHER_REGION = "us-east-1", "us-west-2"
OWNER, OTHER_OWNER = "123456789012", "222222222222"
PRIVATE, PUBLIC, OTHER_PRIVATE = "scope-private", "scope-public", "scope-other"
SCOPES = Scopes("ipam-1", PRIVATE, PUBLIC, frozenset({PRIVATE, OTHER_PRIVATE}))
EVERYTHING = Present(
    {
        AccountRegion(owner_id, region)
        for owner_id in (OWNER, OTHER_OWNER)
        for region in (REGION, OTHER_REGION)
    }
)
NOTHING = Present(frozenset())
IGNORED = Marking(is_ignored=True, scope_id=None)
MOVED = Marking(is_ignored=False, scope_id=OTHER_PRIVATE)


def pool(pool_id: str, *cidrs: str, **changes: Any) -> Pool:
    """Of the default private scope, in `REGION`, without rules."""
    blocks = tuple(map(Cidr.parse, cidrs))
    plain = Pool(pool_id, PRIVATE, blocks[0].family, REGION, None, False, None, None, {}, blocks)
    return replace(plain, **changes)


def vpc(number: int, cidr: str, **changes: Any) -> Candidate:
    name = f"vpc-{number}"
    plain = Candidate(
        number, ResourceType.VPC, name, Cidr.parse(cidr), OWNER, REGION, name, None, {}
    )
    return replace(plain, **changes)


def subnet(number: int, cidr: str, vpc_id: str, **changes: Any) -> Candidate:
    return vpc(
        number,
        cidr,
        resource_type=ResourceType.SUBNET,
        resource_id=f"subnet-{number}",
        vpc_id=vpc_id,
        container_id=vpc_id,
        **changes,
    )


def eip(number: int, cidr: str, public_pool_id: str | None = None, **changes: Any) -> Candidate:
    return vpc(
        number,
        cidr,
        resource_type=ResourceType.EIP,
        resource_id=f"eipalloc-{number}",
        vpc_id=None,
        container_id=public_pool_id,
        **changes,
    )


def public_pool(number: int, cidr: str) -> Candidate:
    return vpc(
        number,
        cidr,
        resource_type=ResourceType.PUBLIC_IPV4_POOL,
        resource_id=f"ipv4pool-ec2-{number}",
        vpc_id=None,
    )


def allocated(pool_id: str, candidate: Candidate, **changes: Any) -> Allocation:
    """The allocation of a resource's CIDR."""
    plain = Allocation(
        f"alloc-{candidate.resource_id}",
        pool_id,
        candidate.cidr,
        AllocationType.VPC,
        candidate.resource_id,
        candidate.region,
        candidate.owner_id,
        "network",
    )
    return replace(plain, **changes)


def reserved(pool_id: str, cidr: str) -> Allocation:
    return Allocation(
        f"alloc-{cidr}", pool_id, Cidr.parse(cidr), AllocationType.CUSTOM, "", REGION, OWNER, ""
    )


def foreign(candidate: Candidate, **changes: Any) -> Candidate:
    """What another account says that it has under the same id."""
    return replace(candidate, row_id=candidate.row_id + 1000, owner_id=OTHER_OWNER, **changes)


def marked(candidate: Candidate) -> MarkedCidr:
    return MarkedCidr(candidate.region, candidate.resource_id, candidate.cidr)


def evaluation(
    candidates: Sequence[Candidate],
    pools: Iterable[Pool] = (),
    allocations: Sequence[Allocation] = (),
    markings: Mapping[MarkedCidr, Marking] | None = None,
    present: Present = EVERYTHING,
    imports_for: str | None = None,
) -> Evaluation:
    books = Books({pool.pool_id: pool for pool in pools}, allocations)
    return evaluate(SCOPES, books, markings or {}, candidates, present, imports_for)


def judgement(
    candidate: Candidate,
    *others: Candidate,
    pools: Iterable[Pool] = (),
    allocations: Sequence[Allocation] = (),
    markings: Mapping[MarkedCidr, Marking] | None = None,
) -> Judgement:
    """Of ``candidate``, with ``others`` there too."""
    return evaluation([candidate, *others], pools, allocations, markings).judgements[0]
