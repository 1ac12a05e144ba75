"""The contract's messages about placement, from and to what they mean here."""

from collections.abc import Iterable
from datetime import timedelta

from cadastre.allocation.v1 import observation_service_pb2 as observation_pb
from cadastre.allocation.v1 import placement_service_pb2 as pb
from cadastre.allocation.v1 import pool_placement_pb2
from services.allocation.messages import aws_word, given, proto_number
from services.allocation.placement import Placement, Strategy
from services.allocation.service.free_space import Left, Outlook
from services.allocation.service.placing import PlacementChange
from services.allocation.service.unavailable import Reason, Unavailable
from services.allocation.service.view import Observed
from services.allocation.set_aside import SetAside, SetAsideReason
from shared.cidr import Cidr
from shared.errors import InvalidParameterCombination

_STRATEGY = pool_placement_pb2.IpamPoolStrategy
_DEFAULT_TIME_TO_LIVE = timedelta(seconds=600)


def placement_to_proto(
    ipam_pool_id: str, placement: Placement
) -> pool_placement_pb2.IpamPoolPlacement:
    cool_down = placement.cool_down
    return pool_placement_pb2.IpamPoolPlacement(
        ipam_pool_id=ipam_pool_id,
        strategy=proto_number(_STRATEGY, placement.strategy),
        excluded_cidrs=map(str, placement.excluded),
        avoids_observed=placement.avoids_observed,
        cool_down_seconds=None if cool_down is None else int(cool_down.total_seconds()),
    )


def unavailable_to_proto(found: Unavailable) -> pool_placement_pb2.IpamPoolUnavailableCidr:
    message = pool_placement_pb2.IpamPoolUnavailableCidr(
        cidr=str(found.cidr),
        reason=proto_number(pool_placement_pb2.IpamPoolUnavailableReason, found.reason),
        ipam_pool_hold_id=found.ipam_pool_hold_id or "",
    )
    if found.until:
        message.until.FromDatetime(found.until)
    return message


def set_aside_to_proto(set_aside: SetAside) -> pool_placement_pb2.IpamPoolUnavailableCidr:
    reason = Reason(set_aside.reason.value)
    hold_id = set_aside.set_aside_id if set_aside.reason is SetAsideReason.HOLD else None
    return unavailable_to_proto(Unavailable(set_aside.cidr, reason, set_aside.until, hold_id))


def hold_to_proto(hold: SetAside) -> pool_placement_pb2.IpamPoolHold:
    message = pool_placement_pb2.IpamPoolHold(
        ipam_pool_hold_id=hold.set_aside_id,
        ipam_pool_id=hold.ipam_pool_id,
        cidr=str(hold.cidr),
        owner_id=hold.owner,
    )
    message.expires_at.FromDatetime(hold.until)
    return message


def free_space_to_proto(outlook: Outlook) -> pb.GetIpamPoolFreeSpaceResponse:
    now, then = outlook.now, outlook.then
    return pb.GetIpamPoolFreeSpaceResponse(
        free_cidrs=_counts_to_proto(now),
        free_addresses=str(now.addresses),
        cidr=str(outlook.cidr) if outlook.cidr else None,
        remaining_cidrs=_counts_to_proto(then) if then else (),
        remaining_addresses=str(then.addresses) if then else None,
    )


def _counts_to_proto(left: Left) -> list[pb.FreeCidrCount]:
    return [pb.FreeCidrCount(netmask_length=n, count=count) for n, count in left.counts.items()]


def observed_to_proto(observed: Observed) -> observation_pb.ObservedCidr:
    return observation_pb.ObservedCidr(cidr=str(observed.cidr), resource_id=observed.resource_id)


def observed_from_proto(
    observed: Iterable[observation_pb.ObservedCidr], parameter: str
) -> list[Observed]:
    return [
        Observed(Cidr.parse(one.cidr, parameter=f"{parameter}.{number}"), one.resource_id)
        for number, one in enumerate(observed, 1)
    ]


def placement_change_from_proto(
    request: pb.ModifyIpamPoolPlacementRequest,
) -> PlacementChange:
    seconds: int | None = given(request, "cool_down_seconds")
    if request.clear_cool_down and seconds is not None:
        raise InvalidParameterCombination(
            "ClearCoolDown leaves the cool-down to the installation, and CoolDownSeconds"
            f" ({seconds}) sets one; send one of the two",
            parameter="clearCoolDown",
        )
    strategy = given(request, "strategy")
    return PlacementChange(
        strategy=Strategy(aws_word(_STRATEGY, strategy)) if strategy else None,
        add_excluded=_cidrs(request.add_excluded_cidrs, "addExcludedCidrs"),
        remove_excluded=_cidrs(request.remove_excluded_cidrs, "removeExcludedCidrs"),
        avoids_observed=given(request, "avoids_observed"),
        cool_down=None if seconds is None else timedelta(seconds=seconds),
        clears_cool_down=request.clear_cool_down,
    )


def time_to_live_from_proto(request: pb.HoldIpamPoolCidrRequest) -> timedelta:
    seconds = given(request, "ttl_seconds")
    return timedelta(seconds=seconds) if seconds else _DEFAULT_TIME_TO_LIVE


def _cidrs(texts: Iterable[str], parameter: str) -> list[Cidr]:
    return [
        Cidr.parse(text, parameter=f"{parameter}.{number}") for number, text in enumerate(texts, 1)
    ]
