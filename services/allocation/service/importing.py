"""Taking in what resources have already: their space comes on the books of a pool (MON-4)."""

from dataclasses import dataclass

from services.allocation.allocation import Allocation, ResourceType
from services.allocation.changes import Decision, Held
from services.allocation.errors import CidrSetAside, CidrTaken
from services.allocation.free_space import NotFree
from services.allocation.pool import Pool
from services.allocation.resource_kinds import check_is_resource
from services.allocation.service.allocating import in_the_way
from services.allocation.service.rows import Rows
from services.allocation.set_aside import SetAside
from shared.caller import Caller
from shared.cidr import Cidr
from shared.ids import IPAM_POOL, IPAM_POOL_ALLOCATION


@dataclass(frozen=True, slots=True)
class ResourceImport:
    """A CIDR that a resource has, and the pool whose space that is."""

    ipam_pool_id: str
    cidr: Cidr
    resource_type: ResourceType
    resource_id: str
    resource_region: str
    resource_owner: str


def import_resource(rows: Rows, caller: Caller, found: ResourceImport) -> Decision[Allocation]:
    """Allocate to a resource what it has, whatever the pool's rules say (MON-4).

    What it has of the pool already is answered as it is. The caller is the service that keeps the
    allocation in step with the resource.

    Raises:
        UnknownId: the pool is unknown or retired.
        CadastreError: the pool does not have the space, or somebody else has a part of it.
    """
    check_is_resource(found.resource_type)
    pool = rows.pool(found.ipam_pool_id)
    if pool is None:
        raise IPAM_POOL.unknown(found.ipam_pool_id)
    try:
        pool.check_can_take_in(found.cidr)
    except NotFree:
        return Decision(_allocated_already(rows, pool, found))
    allocation = Allocation(
        ipam_pool_allocation_id=IPAM_POOL_ALLOCATION.new(),
        ipam_pool_id=found.ipam_pool_id,
        cidr=found.cidr,
        resource_type=found.resource_type,
        resource_owner=found.resource_owner,
        resource_id=found.resource_id,
        resource_region=found.resource_region,
        created_at=rows.now,
        allocated_by=caller.service,
    )
    return Decision(allocation, (Held(allocation),))


def _allocated_already(rows: Rows, pool: Pool, found: ResourceImport) -> Allocation:
    """What the resource itself has there; all else is in its way, its owner's holds included.

    Of another owner or region it is another resource, though it has the same id.
    """
    other = in_the_way(rows, pool, found.cidr)
    if isinstance(other, SetAside):
        raise CidrSetAside(found.cidr, other)
    if _whose(other) != _whose(found):
        raise CidrTaken(found.cidr, other.cidr, f"'{other.ipam_pool_allocation_id}'")
    return other


def _whose(one: Allocation | ResourceImport) -> tuple[Cidr, str | None, str | None, str]:
    return one.cidr, one.resource_id, one.resource_region, one.resource_owner
