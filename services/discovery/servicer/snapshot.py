"""SnapshotService: messages to use cases and back."""

import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

from cadastre.common.v1 import inventory_pb2
from cadastre.discovery.v1 import snapshot_service_pb2 as pb
from cadastre.discovery.v1 import snapshot_service_pb2_grpc
from services.discovery.messages import SnapshotCollector, resource_count
from services.discovery.service.pushing import (
    ASKED_SOURCES,
    MOST_SECONDS,
    Header,
    PushedInventories,
    Pushes,
)
from services.discovery.servicer.push_limits import check_extent, cidr_count
from services.discovery.snapshot import Snapshot
from services.discovery.sources import AccountRegion
from shared.caller import Caller
from shared.errors import InvalidParameterCombination, InvalidParameterValue
from shared.rpc.interceptor import Context, caller_of

MOST_RESOURCES = 500_000
"""Of one account and region, in one push."""
MOST_BYTES = 512 * 1024 * 1024
"""Reached by resources with many long tags or addresses only."""
MOST_CIDRS = 2_000_000
"""CIDRs and addresses of all resources together, in one push."""
FARTHEST_AHEAD = timedelta(minutes=5)
"""How fast a pusher's clock may be."""

_SOURCE = re.compile(r"[A-Za-z0-9._-]{1,64}")


class SnapshotServicer(snapshot_service_pb2_grpc.SnapshotServiceServicer):
    """Translates."""

    def __init__(
        self,
        inventories: PushedInventories,
        clock: Callable[[], datetime],
        on_changed: Callable[[AccountRegion], object],
        *,
        most_seconds: float = MOST_SECONDS,
    ) -> None:
        """``on_changed`` is called after a push that changed what is known of a place."""
        self._pushes = Pushes(inventories, on_changed, most_seconds=most_seconds)
        self._clock = clock

    async def PushSnapshot(
        self,
        requests: AsyncIterator[pb.PushSnapshotRequest],
        context: Context,
    ) -> pb.PushSnapshotResponse:
        place = place_of(caller_of(context))
        push = StreamedPush(requests, place, self._clock)
        taken = await self._pushes.take_in(place, push)
        return pb.PushSnapshotResponse(
            added_total=taken.added, changed_total=taken.changed, removed_total=taken.removed
        )


def place_of(caller: Caller) -> AccountRegion:
    """Where the resources of a push are (ORG-10).

    Raises:
        InvalidParameterValue: a service calls on nobody's behalf, or for no region.
    """
    if not caller.account_id or not caller.region:
        raise InvalidParameterValue(
            f"A snapshot is of an account and a region, but the call acts in account"
            f" '{caller.account_id}' and region '{caller.region}'",
            account_id=caller.account_id,
            region=caller.region,
        )
    return AccountRegion(caller.account_id, caller.region)


class StreamedPush:
    """`Push` as messages that come one by one."""

    def __init__(
        self,
        requests: AsyncIterator[pb.PushSnapshotRequest],
        place: AccountRegion,
        clock: Callable[[], datetime],
    ) -> None:
        self._requests, self._place, self._clock = requests, place, clock
        self._number = 0

    async def begin(self) -> Header:
        """The first message.

        Raises:
            InvalidParameterCombination: another message comes first, or none.
            InvalidParameterValue: it names what can't be a source, or no time.
        """
        if (request := await self._next()) is None:
            raise self._unfinished()
        if not request.HasField("header"):
            raise self._out_of_order(request)
        source = check_source(request.header.source)
        sampled_at = sample_time(request.header, self._clock())
        self._told = SnapshotCollector(*self._place, sampled_at)
        return Header(source, sampled_at)

    async def rest(self) -> Snapshot:
        """All that it tells, once the last message has come.

        Raises:
            InvalidParameterCombination: messages out of order, or the end has not come.
            InvalidParameterValue: a value can't be, there is too much, or something was lost.
        """
        parts = _Parts(self._told)
        while request := await self._next():
            if parts.are_coming and request.HasField("part"):
                parts.add(request.part)
            elif parts.are_coming and request.HasField("end"):
                parts.end(request.end)
            else:
                raise self._out_of_order(request)
        if parts.are_coming:
            raise self._unfinished()
        return self._told.snapshot()

    async def _next(self) -> pb.PushSnapshotRequest | None:
        request = await anext(self._requests, None)
        self._number += request is not None
        return request

    def _out_of_order(self, request: pb.PushSnapshotRequest) -> InvalidParameterCombination:
        kind = request.WhichOneof("message") or "empty"
        return InvalidParameterCombination(
            f"Message {self._number} ({kind}) is out of order; send one header, then the parts,"
            " then one end, and nothing afterwards",
            message_number=self._number,
            kind=kind,
        )

    def _unfinished(self) -> InvalidParameterCombination:
        return InvalidParameterCombination(
            f"The stream ended after {self._number} messages without an end, so nothing was"
            " changed; send a header, the parts and an end",
            message_count=self._number,
        )


class _Parts:
    """The parts of a push and its end, within their limits."""

    def __init__(self, told: SnapshotCollector) -> None:
        self.are_coming = True
        self._told, self._bytes_total, self._cidrs_total = told, 0, 0

    def add(self, part: inventory_pb2.InventoryPart) -> None:
        count = self._told.resource_count + resource_count(part)
        self._bytes_total += part.ByteSize()
        self._cidrs_total += cidr_count(part)
        for unit, total, most in (
            ("resources", count, MOST_RESOURCES),
            ("bytes", self._bytes_total, MOST_BYTES),
            ("CIDRs and addresses", self._cidrs_total, MOST_CIDRS),
        ):
            if total > most:
                raise InvalidParameterValue(
                    f"The snapshot has {total} {unit} or more; at most {most} are allowed",
                    count=total,
                    most=most,
                )
        self._told.add(part)
        check_extent(part)

    def end(self, end: pb.SnapshotEnd) -> None:
        came = self._told.resource_count
        if end.resource_count != came:
            raise InvalidParameterValue(
                f"Value ({end.resource_count}) for parameter end.resourceCount is invalid; {came}"
                " resources have come, so some were lost on the way or miscounted; push again",
                parameter="end.resourceCount",
                value=end.resource_count,
                count=came,
            )
        self.are_coming = False


def check_source(source: str) -> str:
    """``source`` itself.

    Raises:
        InvalidParameterValue: other characters, or discovery asks it itself.
    """
    if not _SOURCE.fullmatch(source):
        use = "1-64 letters, digits, '-', '_' and '.', such as 'dc-frankfurt'"
    elif source in ASKED_SOURCES:
        use = "another name: discovery asks this source itself"
    else:
        return source
    raise InvalidParameterValue(
        f"Value ({source}) for parameter header.source is invalid; use {use}",
        parameter="header.source",
        value=source,
    )


def sample_time(header: pb.SnapshotHeader, now: datetime) -> datetime:
    """When what is told was so, in UTC.

    Raises:
        InvalidParameterValue: no time that there is, or more than five minutes ahead.
    """
    if not header.HasField("sample_time"):
        return now
    told = header.sample_time
    latest = now + FARTHEST_AHEAD
    try:
        sampled_at = told.ToDatetime(tzinfo=UTC)
    except (OverflowError, ValueError) as error:
        value = f"{told.seconds} s {told.nanos} ns"
        raise _wrong_time(value, "the timestamp can't be", latest) from error
    if sampled_at > latest:
        raise _wrong_time(sampled_at.isoformat(), "it has yet to come", latest)
    return sampled_at


def _wrong_time(value: str, why: str, latest: datetime) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"Value ({value}) for parameter header.sampleTime is invalid, {why}; use one up to"
        f" {latest.isoformat()}",
        parameter="header.sampleTime",
        value=value,
        latest=latest.isoformat(),
    )
