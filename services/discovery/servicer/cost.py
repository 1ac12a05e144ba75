"""CostService: messages to use cases and back."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from cadastre.discovery.v1 import cost_service_pb2 as pb
from cadastre.discovery.v1 import cost_service_pb2_grpc
from services.discovery.costs.charge import Charge, amount, hours
from services.discovery.costs.period import Granularity, Period, checked_period, periods
from services.discovery.service.costs import Bill, Line, Reader, View, lines
from services.discovery.servicer.monitoring_messages import time_to_proto
from shared.errors import InvalidParameterValue
from shared.paging import paginate
from shared.rpc.interceptor import Context, caller_of

_GRANULARITIES: Mapping[int, Granularity] = {
    pb.ACTIVE_IP_HOURS_GRANULARITY_HOURLY: Granularity.HOURLY,
    pb.ACTIVE_IP_HOURS_GRANULARITY_DAILY: Granularity.DAILY,
    pb.ACTIVE_IP_HOURS_GRANULARITY_MONTHLY: Granularity.MONTHLY,
}
_MEMBERS: Mapping[int, str] = {
    pb.ACTIVE_IP_HOURS_GROUPING_IPAM: "ipam_id",
    pb.ACTIVE_IP_HOURS_GROUPING_PAYER_ACCOUNT: "payer_account_id",
    pb.ACTIVE_IP_HOURS_GROUPING_RESOURCE_OWNER: "resource_owner_id",
}
_VALUES: Mapping[str, Callable[[Charge], str]] = {
    "ipam_id": lambda charge: charge.ipam_id,
    "payer_account_id": lambda charge: charge.payer_id,
    "resource_owner_id": lambda charge: charge.resource_owner_id,
}


class CostServicer(cost_service_pb2_grpc.CostServiceServicer):
    """Translates."""

    def __init__(self, reader: Reader, clock: Callable[[], datetime]) -> None:
        self._reader, self._clock = reader, clock

    async def GetActiveIpHours(
        self, request: pb.GetActiveIpHoursRequest, context: Context
    ) -> pb.GetActiveIpHoursResponse:
        account_id = caller_of(context).account_id
        ipam_id = request.ipam_id if request.HasField("ipam_id") else None
        bill = Bill([account_id], owned_by=account_id, ipam_id=ipam_id)
        granularity = _GRANULARITIES[request.granularity]
        asked = Period(
            _moment("StartTime", request.start_time), _moment("EndTime", request.end_time)
        )
        whole = checked_period(asked, granularity, self._clock())
        members = _members(request.group_by)
        return await self._reader.read(
            lambda view: _page(view, bill, request, list(periods(whole, granularity)), members)
        )


def _page(
    view: View,
    bill: Bill,
    request: pb.GetActiveIpHoursRequest,
    asked: Sequence[Period],
    members: Sequence[str],
) -> pb.GetActiveIpHoursResponse:
    grouped_by = [_VALUES[member] for member in members]

    def grouped(charge: Charge) -> tuple[str, ...]:
        return tuple(value_of(charge) for value_of in grouped_by)

    def records_after(after: str | None) -> Iterator[tuple[str, pb.ActiveIpHours]]:
        for key, line in lines(view, bill, asked, grouped, after=after):
            if line.milliseconds:
                yield key, _line_to_proto(line, members)

    found, token = paginate(request, records_after)
    return pb.GetActiveIpHoursResponse(active_ip_hours=found, next_token=token)


def _members(group_by: Sequence[int]) -> Sequence[str]:
    members = [_MEMBERS[one] for one in group_by]
    if len(set(members)) < len(members):
        raise InvalidParameterValue(
            f"The parameter groupBy names one of {', '.join(members)} twice; name each once",
            parameter="groupBy",
        )
    return members


def _line_to_proto(line: Line, members: Sequence[str]) -> pb.ActiveIpHours:
    groups: dict[str, Any] = dict(zip(members, line.values, strict=True))
    return pb.ActiveIpHours(
        start_time=time_to_proto(line.period.start),
        end_time=time_to_proto(line.period.end),
        hours=amount(hours(line.milliseconds)),
        **groups,
    )


def _moment(parameter: str, stamp: Timestamp) -> datetime:
    try:
        return stamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidParameterValue(
            f"Value ({stamp.seconds}) for parameter {parameter} is invalid, as no timestamp can be"
            " that; use one like 2026-03-01T00:00:00Z",
            parameter=parameter,
            value=stamp.seconds,
        ) from None
