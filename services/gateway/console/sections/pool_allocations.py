"""What can be done with what is allocated from a pool (ALLOC-1, ALLOC-4)."""

from collections.abc import Sequence
from functools import partial

from cadastre.allocation.v1 import allocation_service_pb2 as allocation
from cadastre.allocation.v1 import pool_allocation_pb2
from services.gateway.console.actions import Action, Command
from services.gateway.console.fields import (
    description_field,
    locked,
    tag_specifications,
    tags_field,
)
from services.gateway.console.forms import Field, Form, Kind, Values
from services.gateway.console.visit import Visit
from shared.errors import UnknownId


async def _allocate_form(visit: Visit) -> Form:
    pool = await visit.api.pool(visit.params["ipam_pool_id"])
    default = pool.allocation_default_netmask_length
    return Form(
        (
            locked("ipam_pool_id", "Pool", pool.ipam_pool_id),
            Field("cidr", "CIDR", help="A certain block."),
            Field(
                "netmask_length",
                "Netmask length",
                Kind.NUMBER,
                help="In the place of a CIDR: where the pool's strategy puts it."
                + (f" The pool's default is /{default}." if default else ""),
            ),
            Field("allowed_cidrs", "Only within these CIDRs", Kind.LINES),
            Field("disallowed_cidrs", "Not within these CIDRs", Kind.LINES),
            description_field(),
            tags_field(),
        ),
        intro="Reserves space by hand, as for networks elsewhere. VPCs allocate by themselves.",
    )


def _allocation_request(visit: Visit, values: Values) -> allocation.AllocateIpamPoolCidrRequest:
    return allocation.AllocateIpamPoolCidrRequest(
        ipam_pool_id=visit.params["ipam_pool_id"],
        cidr=values.optional("cidr"),
        netmask_length=values.number("netmask_length"),
        allowed_cidrs=values.lines("allowed_cidrs"),
        disallowed_cidrs=values.lines("disallowed_cidrs"),
        description=values.optional("description"),
        tag_specifications=tag_specifications("ipam-pool-allocation", values.tags("tags")),
    )


def _allocate(visit: Visit, values: Values) -> Sequence[Command]:
    request = _allocation_request(visit, values)
    return [Command(request, allocation.AllocateIpamPoolCidrResponse)]


async def _preview_allocation(visit: Visit, values: Values) -> str:
    request = _allocation_request(visit, values)
    request.preview_next_cidr = True
    answer = await visit.api.call(request, allocation.AllocateIpamPoolCidrResponse)
    return f"{answer.ipam_pool_allocation.cidr} would be allocated, if nobody else takes it first."


async def _allocation(visit: Visit) -> pool_allocation_pb2.IpamPoolAllocation:
    """The allocation that the address names. Raises its NotFound."""
    allocation_id = visit.params["ipam_pool_allocation_id"]
    request = allocation.GetIpamPoolAllocationsRequest(
        ipam_pool_id=visit.params["ipam_pool_id"], ipam_pool_allocation_id=allocation_id
    )
    answer = await visit.api.call(request, allocation.GetIpamPoolAllocationsResponse)
    if not answer.ipam_pool_allocations:
        raise UnknownId("InvalidIpamPoolAllocationId", allocation_id)
    return answer.ipam_pool_allocations[0]


async def _release_form(visit: Visit) -> Form:
    one = await _allocation(visit)
    return Form(
        (
            locked("ipam_pool_allocation_id", "Allocation", one.ipam_pool_allocation_id),
            locked("cidr", "CIDR", one.cidr),
            locked("description", "Description", one.description),
        )
    )


def _release(visit: Visit, values: Values) -> Sequence[Command]:
    request = allocation.ReleaseIpamPoolAllocationRequest(
        ipam_pool_id=visit.params["ipam_pool_id"],
        ipam_pool_allocation_id=visit.params["ipam_pool_allocation_id"],
        cidr=values.text("cidr"),
    )
    return [Command(request, allocation.ReleaseIpamPoolAllocationResponse)]


async def _describe_form(visit: Visit) -> Form:
    one = await _allocation(visit)
    return Form(
        (
            locked("ipam_pool_allocation_id", "Allocation", one.ipam_pool_allocation_id),
            locked("cidr", "CIDR", one.cidr),
            description_field(one.description),
        )
    )


def _describe(visit: Visit, values: Values) -> Sequence[Command]:
    request = allocation.ModifyIpamPoolAllocationRequest(
        ipam_pool_allocation_id=visit.params["ipam_pool_allocation_id"],
        description=values.text("description"),
    )
    return [Command(request, allocation.ModifyIpamPoolAllocationResponse)]


_HERE = "/pools/{ipam_pool_id}"
_of_allocation = partial(Action, goes_to=f"{_HERE}/allocations", comes_from=f"{_HERE}/allocations")

ALLOCATION_ACTIONS: Sequence[Action] = (
    _of_allocation(
        name="allocate-cidr",
        path=f"{_HERE}/allocate",
        title="Allocate CIDR",
        submit="Allocate CIDR",
        done="The CIDR is allocated.",
        form=_allocate_form,
        commands=_allocate,
        preview=_preview_allocation,
    ),
    _of_allocation(
        name="release-allocation",
        path=f"{_HERE}/{{ipam_pool_allocation_id}}/release",
        title="Release allocation",
        submit="Release",
        done="The allocation is released.",
        form=_release_form,
        commands=_release,
        warning="Its addresses may be allocated to others from now on.",
    ),
    _of_allocation(
        name="edit-allocation",
        path=f"{_HERE}/{{ipam_pool_allocation_id}}/edit",
        title="Edit allocation",
        submit="Save changes",
        done="The allocation is changed.",
        form=_describe_form,
        commands=_describe,
    ),
)
