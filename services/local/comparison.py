"""What the ledger and the services beside it know of the same things, compared (BEY-10)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What does not agree; ``check`` says with what the ledger was compared.

    ``cidrs`` are in the order of ``record_ids``, "" where one has none.
    """

    check: str
    kind: str
    message: str
    ipam_pool_id: str = ""
    record_ids: tuple[str, ...] = ()
    cidrs: tuple[str, ...] = ()
    repair: str = ""
    is_repaired: bool = False


@dataclass(frozen=True, slots=True)
class HeldAllocation:
    """What a service allocated to a resource of its own, under ``token``."""

    cidr: str
    resource_id: str
    token: str


@dataclass(frozen=True, slots=True)
class Association:
    """A CIDR that a resource has; empty members while it is being allocated."""

    association_id: str
    resource_id: str
    cidr: str
    ipam_pool_allocation_id: str


@dataclass(frozen=True, slots=True)
class LedgerPool:
    """A pool as the ledger knows it."""

    definition_version: int
    is_retired: bool


@dataclass(frozen=True, slots=True)
class DefinedPool:
    """A pool as the control plane has it."""

    definition_version: int
    is_changing: bool


def network_findings(
    held: Mapping[str, HeldAllocation], associations: Sequence[Association]
) -> Iterator[Finding]:
    """Allocated but unused, and used but unallocated. ``held`` is by allocation id."""
    wanted = {found.ipam_pool_allocation_id for found in associations}
    # What is being allocated names no allocation yet; the token is its id.
    tokens = {found.association_id for found in associations}
    for allocation_id, allocation in held.items():
        if allocation_id not in wanted and allocation.token not in tokens:
            yield Finding(
                "network",
                "allocation-without-association",
                f"'{allocation_id}' ({allocation.cidr}) is held for '{allocation.resource_id}',"
                " which does not have it",
                record_ids=(allocation_id,),
                cidrs=(allocation.cidr,),
            )
    for found in associations:
        if found.ipam_pool_allocation_id:
            yield from _association_findings(found, held.get(found.ipam_pool_allocation_id))


def _association_findings(
    found: Association, allocation: HeldAllocation | None
) -> Iterator[Finding]:
    if allocation and allocation.cidr == found.cidr:
        return
    there = f"is {allocation.cidr}" if allocation else "the ledger does not know"
    yield Finding(
        "network",
        "association-of-another-cidr" if allocation else "association-without-allocation",
        f"'{found.resource_id}' has {found.cidr} ('{found.association_id}') from the allocation"
        f" '{found.ipam_pool_allocation_id}', which {there}",
        record_ids=(found.association_id, found.ipam_pool_allocation_id),
        cidrs=(found.cidr, allocation.cidr if allocation else ""),
    )


def control_plane_findings(
    known: Mapping[str, LedgerPool], defined: Mapping[str, DefinedPool]
) -> Iterator[Finding]:
    """Pools that one side alone has, or has otherwise than the other. Both are by pool id."""
    for pool_id in sorted(known.keys() | defined.keys()):
        ours, theirs = known.get(pool_id), defined.get(pool_id)
        is_known = ours is not None and not ours.is_retired
        if theirs is None:
            if is_known:
                message = f"the ledger has '{pool_id}', which the control plane does not know"
                yield _pool("pool-unknown-to-control-plane", pool_id, message)
        elif theirs.is_changing:
            continue
        elif ours is None or ours.is_retired:
            state = "has retired" if ours else "does not know"
            message = f"the control plane has '{pool_id}', which the ledger {state}"
            yield _pool("pool-unknown-to-ledger", pool_id, message)
        elif ours.definition_version != theirs.definition_version:
            message = (
                f"the ledger decides by version {ours.definition_version} of the definition of"
                f" '{pool_id}'; the control plane has version {theirs.definition_version}"
            )
            yield _pool("other-definition", pool_id, message)


def _pool(kind: str, ipam_pool_id: str, message: str) -> Finding:
    return Finding("control-plane", kind, message, ipam_pool_id, (ipam_pool_id,), ("",))
