"""SnapshotService: messages to use cases and back."""

import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

from cadastre.common.v1 import inventory_pb2
from cadastre.discovery.v1 import snapshot_service_pb2 as pb
from cadastre.discovery.v1 import snapshot_service_pb2_grpc
from services.discovery.messages import SnapshotCollector, resource_count
from services.discovery.service.taking_in import Inventories
from services.discovery.snapshot import Snapshot
from services.discovery.sources import AccountRegion
from shared.caller import Caller
from shared.errors import InvalidParameterCombination, InvalidParameterValue
from shared.rpc.interceptor import Context, caller_of

MOST_RESOURCES = 500_000
"""Of one account and region, in one push."""
MOST_BYTES = 512 * 1024 * 1024
"""Reached by resources with many long tags or addresses only."""
ASKED_SOURCES = ("aws", "network")
"""Sources that discovery asks itself."""
FARTHEST_AHEAD = timedelta(minutes=5)
"""How fast a pusher's clock may be."""

_SOURCE = re.compile(r"[A-Za-z0-9._-]{1,64}")


class SnapshotServicer(snapshot_service_pb2_grpc.SnapshotServiceServicer):
    """Translates."""

    def __init__(
        self,
        inventories: Inventories,
        clock: Callable[[], datetime],
        on_changed: Callable[[AccountRegion], object],
    ) -> None:
        """``on_changed`` is called after a push that changed what is known of a place."""
        self._inventories, self._clock, self._on_changed = inventories, clock, on_changed

    async def PushSnapshot(
        self,
        requests: AsyncIterator[pb.PushSnapshotRequest],
        context: Context,
    ) -> pb.PushSnapshotResponse:
        place = place_of(caller_of(context))
        source, snapshot = await pushed_snapshot(requests, place, self._clock)
        taken = await self._inventories.take_in(source, snapshot)
        if not taken.is_nothing:
            self._on_changed(place)
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


async def pushed_snapshot(
    requests: AsyncIterator[pb.PushSnapshotRequest],
    place: AccountRegion,
    clock: Callable[[], datetime],
) -> tuple[str, Snapshot]:
    """The name of the source and all that it tells, once the last message has come.

    Raises:
        InvalidParameterCombination: messages out of order, or the end has not come.
        InvalidParameterValue: a value can't be, there is too much, or something was lost.
    """
    number = 0
    push: _Push | None = None
    async for request in requests:
        number += 1
        kind = request.WhichOneof("message")
        if push is None and kind == "header":
            push = _Push(request.header, place, clock())
        elif push and push.is_open and kind == "part":
            push.add(request.part)
        elif push and push.is_open and kind == "end":
            push.end(request.end)
        else:
            raise _out_of_order(number, kind or "empty")
    if push is None or push.is_open:
        raise InvalidParameterCombination(
            f"The stream ended after {number} messages without an end, so nothing was changed; send"
            " a header, the parts and an end",
            message_count=number,
        )
    return push.source, push.snapshot()


class _Push:
    """A push under way."""

    def __init__(self, header: pb.SnapshotHeader, place: AccountRegion, now: datetime) -> None:
        self.source = check_source(header.source)
        self.is_open = True
        self._told = SnapshotCollector(*place, sampled_at=sample_time(header, now))
        self._bytes_total = 0

    def add(self, part: inventory_pb2.InventoryPart) -> None:
        count = self._told.resource_count + resource_count(part)
        if count > MOST_RESOURCES:
            raise InvalidParameterValue(
                f"The snapshot has {count} resources or more; at most {MOST_RESOURCES} are allowed",
                count=count,
                most=MOST_RESOURCES,
            )
        self._bytes_total += part.ByteSize()
        if self._bytes_total > MOST_BYTES:
            raise InvalidParameterValue(
                f"The snapshot has {self._bytes_total} bytes or more; at most {MOST_BYTES} are"
                " allowed",
                bytes=self._bytes_total,
                most=MOST_BYTES,
            )
        self._told.add(part)

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
        self.is_open = False

    def snapshot(self) -> Snapshot:
        return self._told.snapshot()


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


def _out_of_order(number: int, kind: str) -> InvalidParameterCombination:
    return InvalidParameterCombination(
        f"Message {number} ({kind}) is out of order; send one header, then the parts, then one end,"
        " and nothing afterwards",
        message_number=number,
        kind=kind,
    )
