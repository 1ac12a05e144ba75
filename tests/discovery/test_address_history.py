"""GetIpamAddressHistory on both databases: the seven scenarios of the guide (HIST-2)."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from cadastre.discovery.v1 import monitoring_service_pb2 as pb
from services.discovery.tables import records
from shared.errors import CadastreError
from tests.discovery.monitored import (
    ENI,
    HOME,
    INSTANCE,
    OWNER,
    PRIVATE,
    PUBLIC,
    SECOND,
    SUBNET,
    VPC,
    WEST,
    Known,
    at,
    record_values,
    serving,
)

EAST_2 = "us-east-2"
MANAGED = {
    "management_state": "managed",
    "compliance_status": "compliant",
    "overlap_status": "nonoverlapping",
}


@pytest.fixture
async def it(database_url: str, tmp_path: Path) -> AsyncIterator[Known]:
    async with serving(database_url, tmp_path) as known:
        yield known


def asking(
    cidr: str, start: datetime | None = None, end: datetime | None = None, **members: Any
) -> pb.GetIpamAddressHistoryRequest:
    request = pb.GetIpamAddressHistoryRequest(**{"cidr": cidr, "ipam_scope_id": PRIVATE, **members})
    if start:
        request.start_time.FromDatetime(start)
    if end:
        request.end_time.FromDatetime(end)
    return request


async def history(
    it: Known, cidr: str, start: datetime | None = None, end: datetime | None = None, **members: Any
) -> list[Any]:
    return list((await it.ask(asking(cidr, start, end, **members))).history_records)


def stamp(time: datetime) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(time)
    return found


def attach(it: Known, address: str, started: datetime) -> None:
    """As discovery finds them: the instance first, here, for the order is not that of finding."""
    it.record("instance", INSTANCE, address, started_at=started)
    it.record("eni", ENI, address, started_at=started)


@pytest.mark.parametrize("times", [(), (at(1, day=1), at(21, day=27))], ids=["now", "then"])
async def test_scenarios_1_and_5_an_address_is_an_interfaces_and_an_instances(
    it: Known, times: tuple[datetime, ...]
) -> None:
    it.now.append(at(0, day=28))
    attach(it, "10.2.1.155/32", at(20, day=27))
    both: dict[str, Any] = {
        "resource_owner_id": OWNER,
        "resource_region": HOME,
        "resource_cidr": "10.2.1.155/32",
        "vpc_id": VPC,
        "sampled_start_time": stamp(at(20, day=27)),
    }
    assert await history(it, "10.2.1.155/32", *times) == [
        pb.IpamAddressHistoryRecord(
            resource_type=pb.IPAM_ADDRESS_HISTORY_RESOURCE_TYPE_NETWORK_INTERFACE,
            resource_id=ENI,
            **both,
        ),
        pb.IpamAddressHistoryRecord(
            resource_type=pb.IPAM_ADDRESS_HISTORY_RESOURCE_TYPE_INSTANCE,
            resource_id=INSTANCE,
            **both,
        ),
    ]


async def test_scenario_1_what_a_service_runs_has_amazon_for_owner_and_no_id(it: Known) -> None:
    it.record("instance", "", "10.0.0.176/32", owner_id="amazon-aws")
    it.record("eni", ENI, "10.0.0.176/32")
    interface, instance = await history(it, "10.0.0.176/32")
    assert interface.resource_owner_id == OWNER
    assert instance.resource_owner_id == "amazon-aws"
    assert not instance.HasField("resource_id")


@pytest.mark.parametrize("times", [(), (at(0, day=1), at(23, day=27))], ids=["now", "then"])
async def test_scenarios_2_and_6_only_exactly_this_cidr_the_subnets_before_the_vpcs(
    it: Known, times: tuple[datetime, ...]
) -> None:
    it.now.append(at(0, day=28))
    it.record("vpc", VPC, "10.2.1.0/24", started_at=at(20, day=27), **MANAGED)
    it.record("subnet", SUBNET, "10.2.1.0/24", started_at=at(20, day=27))
    it.record("eni", ENI, "10.2.1.0/32", started_at=at(20, day=27))
    it.record("vpc", "vpc-00000002", "10.2.0.0/16", started_at=at(20, day=27))
    subnet, vpc = await history(it, "10.2.1.0/24", *times)
    assert (subnet.resource_id, vpc.resource_id) == (SUBNET, VPC)
    assert not subnet.HasField("resource_compliance_status")
    assert not subnet.HasField("resource_overlap_status")
    assert vpc.resource_compliance_status == pb.IPAM_COMPLIANCE_STATUS_COMPLIANT
    assert vpc.resource_overlap_status == pb.IPAM_OVERLAP_STATUS_NONOVERLAPPING


async def test_scenario_3_what_had_ended_is_told_with_its_end_and_its_name(it: Known) -> None:
    it.now.append(at(0, day=28))
    members: dict[str, Any] = {"region": EAST_2, "ipam_scope_id": PUBLIC, **MANAGED}
    it.record(
        *("vpc", "vpc-00000001", "2605:9cc0:409::/56"),
        name="First example VPC",
        started_at=at(20, day=23),
        ended_at=at(20.2, day=23),
        **members,
    )
    it.record(
        *("vpc", "vpc-00000002", "2605:9cc0:409::/56"),
        name="Second example VPC",
        started_at=at(15, day=27),
        **members,
    )
    first, second = await history(
        it, "2605:9cc0:409::/56", at(1, day=1), at(23, day=27), ipam_scope_id=PUBLIC
    )
    assert first.resource_name == "First example VPC"
    assert first.sampled_start_time == stamp(at(20, day=23))
    assert first.sampled_end_time == stamp(at(20.2, day=23))
    assert second.resource_name == "Second example VPC"
    assert not second.HasField("sampled_end_time")
    assert first.resource_region == second.resource_region == EAST_2


async def test_scenario_4_all_that_lasted_since_a_time_by_their_start(it: Known) -> None:
    it.now.append(at(0, day=29))
    unmanaged = {"overlap_status": "overlapping"}
    for kind, id_, region, started, ended, states in [
        ("subnet", "subnet-00000001", EAST_2, at(16, day=11), at(15, day=28), {}),
        ("vpc", "vpc-00000001", EAST_2, at(20, day=27), at(15, day=28), unmanaged),
        ("vpc", "vpc-00000002", WEST, at(17, day=11), None, unmanaged),
        ("subnet", "subnet-00000002", HOME, at(21, day=14), None, {}),
        ("vpc", "vpc-00000003", HOME, at(1, day=10), at(23, day=26), unmanaged),
        ("vpc", "vpc-00000004", HOME, at(1, day=29), None, unmanaged),
    ]:
        it.record(
            kind, id_, "10.0.0.0/24", region=region, started_at=started, ended_at=ended, **states
        )
    found = await history(it, "10.0.0.0/24", at(0, day=27))
    assert [one.resource_id for one in found] == [
        "subnet-00000001",
        "vpc-00000002",
        "subnet-00000002",
        "vpc-00000001",
    ]


async def test_scenario_7_an_address_that_nobody_has_has_no_records(it: Known) -> None:
    it.record("eip", "eipalloc-1", "54.0.0.8/32", ipam_scope_id=PUBLIC, vpc_id=None)
    assert await history(it, "54.0.0.9/32", ipam_scope_id=PUBLIC) == []
    [found] = await history(it, "54.0.0.8/32", ipam_scope_id=PUBLIC)
    assert found.resource_type == pb.IPAM_ADDRESS_HISTORY_RESOURCE_TYPE_EIP
    assert not found.HasField("vpc_id")


async def test_now_tells_only_what_has_not_ended(it: Known) -> None:  # HIST-1
    it.record("vpc", "vpc-00000001", "10.0.0.0/24", started_at=at(1), ended_at=at(2))
    it.record("vpc", "vpc-00000002", "10.0.0.0/24", started_at=at(3))
    [found] = await history(it, "10.0.0.0/24")
    assert found.resource_id == "vpc-00000002"


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (at(5), at(6), [2]),
        (at(4), at(4), [1, 2]),
        (at(4), at(8), [1, 2, 3]),
        (None, at(2), [1]),
        (None, at(1.9), []),
        (at(9), None, [2]),
        (at(8), None, [2, 3]),
    ],
)
async def test_a_time_is_told_with_its_ends(  # HIST-1
    it: Known, start: datetime | None, end: datetime | None, expected: list[int]
) -> None:
    for number, (started, ended) in enumerate([(2, 4), (3, None), (7, 8)], start=1):
        it.record(
            *("vpc", f"vpc-0000000{number}", "10.0.0.0/24"),
            started_at=at(started),
            ended_at=at(ended) if ended else None,
        )
    found = await history(it, "10.0.0.0/24", start, end)
    assert [one.resource_id for one in found] == [f"vpc-0000000{number}" for number in expected]


async def test_a_vpcs_id_keeps_what_is_in_it_and_itself(it: Known) -> None:  # HIST-1
    for number in (1, 2):
        vpc_id = f"vpc-0000000{number}"
        it.record("vpc", vpc_id, "10.0.0.0/24")
        it.record("subnet", f"subnet-0000000{number}", "10.0.0.0/24", vpc_id=vpc_id)
    found = await history(it, "10.0.0.0/24", vpc_id="vpc-00000002")
    assert [one.resource_id for one in found] == ["subnet-00000002", "vpc-00000002"]


async def test_ignored_and_moved_resources_stay_searchable(it: Known) -> None:  # HIST-3, MON-5
    ignored = dict.fromkeys(MANAGED, "ignored")
    it.record("vpc", VPC, "10.0.0.0/24", started_at=at(1), ended_at=at(2))
    it.record("vpc", VPC, "10.0.0.0/24", started_at=at(2), **ignored)
    it.record("vpc", VPC, "10.9.0.0/24", started_at=at(1), ended_at=at(2))
    it.record("vpc", VPC, "10.9.0.0/24", started_at=at(2), ipam_scope_id=SECOND)
    _, found = await history(it, "10.0.0.0/24", at(0))
    assert found.resource_compliance_status == pb.IPAM_COMPLIANCE_STATUS_IGNORED
    assert found.resource_overlap_status == pb.IPAM_OVERLAP_STATUS_IGNORED
    [old] = await history(it, "10.9.0.0/24", at(0))
    [new] = await history(it, "10.9.0.0/24", at(0), ipam_scope_id=SECOND)
    assert old.sampled_end_time == new.sampled_start_time


async def test_public_ipv4_pools_are_in_no_history(it: Known) -> None:
    it.record("public-ipv4-pool", "ipv4pool-ec2-1", "203.0.113.0/24", vpc_id=None)
    assert await history(it, "203.0.113.0/24") == []


async def test_pages_show_each_record_once(it: Known) -> None:  # BEY-6
    # Many of one moment, of both kinds, over more than one chunk.
    it.insert(
        records,
        [
            record_values(
                *(["subnet", "vpc"][n % 2], f"{n:04}", "10.0.0.0/24"), started_at=at(n // 100)
            )
            for n in range(700)
        ],
    )
    whole = [one.resource_id for one in await history(it, "10.0.0.0/24", at(0))]
    assert whole == sorted(whole, key=lambda id_: (int(id_) // 100, int(id_) % 2, int(id_)))
    found: list[str] = []
    request = asking("10.0.0.0/24", at(0), max_results=30)
    while True:
        answer = await it.ask(request)
        found += [one.resource_id for one in answer.history_records]
        if not answer.next_token:
            break
        request.next_token = answer.next_token
    assert found == whole


@pytest.mark.parametrize(
    ("request_", "parameter"),
    [
        (asking("10.0.0.1/24"), "cidr"),
        (asking("10.0.0.0"), "cidr"),
        (asking("10.0.0.0/24", at(3), at(2)), "startTime"),
        (asking("10.0.0.0/24", at(0, day=30)), "startTime"),
        (asking("10.0.0.0/24", start_time=Timestamp(seconds=10**12)), "startTime"),
        (asking("10.0.0.0/24", at(0), end_time=Timestamp(seconds=1, nanos=-1)), "endTime"),
    ],
    ids=[
        "host bits",
        "no length",
        "ends before it starts",
        "starts in the future",
        "starts when no year has a number",
        "ends between nanoseconds",
    ],
)
async def test_what_no_record_can_match_is_refused(
    it: Known, request_: pb.GetIpamAddressHistoryRequest, parameter: str
) -> None:
    with pytest.raises(CadastreError) as caught:
        await it.ask(request_)
    assert caught.value.reason == "InvalidParameterValue"
    assert caught.value.metadata["parameter"] == parameter
