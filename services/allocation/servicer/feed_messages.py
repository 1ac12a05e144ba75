"""What was done to pools, as the contract tells it."""

from dataclasses import replace
from typing import TypeAlias

from cadastre.allocation.v1 import allocation_service_pb2 as pb
from services.allocation.changes import (
    CommittedChanges,
    Deprovisioned,
    Freed,
    Held,
    MadeAvailable,
    PlacementChanged,
    Provisioned,
    PutAside,
    Repaired,
    Retired,
)
from services.allocation.messages import allocation_to_proto, pool_cidr_to_proto
from services.allocation.pool_cidr import CidrState
from services.allocation.servicer.placement_messages import placement_to_proto, set_aside_to_proto

_Told: TypeAlias = (
    Held
    | Freed
    | PutAside
    | MadeAvailable
    | PlacementChanged
    | Provisioned
    | Deprovisioned
    | Retired
)


def committed_to_proto(committed: CommittedChanges) -> pb.WatchResponse:
    response = pb.WatchResponse(
        sequence=committed.sequence,
        ipam_pool_id=committed.definition.ipam_pool_id,
        # What a repair did to records is told beside it; that it was one is for replicas only.
        changes=[
            _change_to_proto(change)
            for change in committed.changes
            if not isinstance(change, Repaired)
        ],
    )
    response.committed_at.FromDatetime(committed.committed_at)
    return response


def _change_to_proto(change: _Told) -> pb.IpamPoolChange:
    message = pb.IpamPoolChange()
    match change:
        case Held(allocation):
            message.allocated.CopyFrom(allocation_to_proto(allocation))
        case Freed(allocation):
            message.released.CopyFrom(allocation_to_proto(allocation))
        case PutAside(set_aside):
            message.set_aside.CopyFrom(set_aside_to_proto(set_aside))
        case MadeAvailable(set_aside):
            message.available.CopyFrom(set_aside_to_proto(set_aside))
        case PlacementChanged(ipam_pool_id, placement):
            message.placement.CopyFrom(placement_to_proto(ipam_pool_id, placement))
        case Provisioned(pool_cidr):
            message.provisioned.CopyFrom(pool_cidr_to_proto(pool_cidr))
        case Deprovisioned(pool_cidr):
            gone = replace(pool_cidr, state=CidrState.DEPROVISIONED)
            message.deprovisioned.CopyFrom(pool_cidr_to_proto(gone))
        case Retired():
            message.retired.SetInParent()
    return message
