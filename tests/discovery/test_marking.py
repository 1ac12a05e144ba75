"""ModifyIpamResourceCidr through gRPC, on both databases (MON-5, MON-6)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cadastre.discovery.v1 import monitoring_service_pb2 as pb
from services.discovery import tables
from shared.cidr import Cidr
from shared.errors import CadastreError
from shared.rpc.enums import aws_enum_name
from tests.discovery.monitored import (
    FOREIGN,
    HOME,
    IPAM,
    NOW,
    OTHERS,
    OWNER,
    POOL,
    PRIVATE,
    PUBLIC,
    SECOND,
    STRANGER,
    SUBNET,
    VPC,
    WEST,
    Known,
    at,
    serving,
)

MANAGED = {
    "management_state": "managed",
    "compliance_status": "noncompliant",
    "overlap_status": "overlapping",
    "ipam_pool_id": POOL,
    "broken_rules": "locale",
}
IGNORED = dict.fromkeys(("management_state", "compliance_status", "overlap_status"), "ignored")
UNMANAGED = {
    "management_state": "unmanaged",
    "compliance_status": "unmanaged",
    "overlap_status": "nonoverlapping",
}


@pytest.fixture
async def it(database_url: str, tmp_path: Path) -> AsyncIterator[Known]:
    async with serving(database_url, tmp_path) as known:
        known.evaluated(7)
        yield known


def wish(*, monitored: bool = True, to: str | None = None, **members: Any) -> Any:
    return pb.ModifyIpamResourceCidrRequest(
        **{
            "resource_id": VPC,
            "resource_cidr": "10.0.0.0/16",
            "resource_region": HOME,
            "current_ipam_scope_id": PRIVATE,
            "destination_ipam_scope_id": to,
            "monitored": monitored,
            **members,
        }
    )


async def modify(it: Known, **members: Any) -> Any:
    return (await it.ask(wish(**members))).ipam_resource_cidr


async def refusal_of(it: Known, request: Any, **caller: str) -> CadastreError:
    with pytest.raises(CadastreError) as caught:
        await it.ask(request, **caller)
    return caught.value


async def told(it: Known, scope_id: str) -> dict[str, Any]:
    """What is monitored in a scope, by CIDR."""
    answer = await it.ask(pb.GetIpamResourceCidrsRequest(ipam_scope_id=scope_id))
    return {one.resource_cidr: one for one in answer.ipam_resource_cidrs}


def states(record: Any) -> dict[str, str]:
    return {
        name: aws_enum_name(record.DESCRIPTOR.fields_by_name[name].enum_type, getattr(record, name))
        for name in UNMANAGED
    }


def markings(it: Known) -> list[tuple[Any, ...]]:
    return [
        (
            row.ipam_id,
            row.region,
            row.resource_id,
            str(Cidr.from_key(row.first_address, row.prefix_length)),
            row.is_ignored,
            row.ipam_scope_id,
        )
        for row in it.rows(tables.markings)
    ]


async def test_an_ignored_cidr_is_shown_so_at_once_and_without_its_allocation(  # MON-5, BEY-2
    it: Known,
) -> None:
    row_id = it.there(it.inventory(), "vpc", VPC, "10.0.0.0/16", tags={"env": "prod"})
    it.record("vpc", VPC, "10.0.0.0/16", row_id, name="one", **MANAGED)
    answered = await modify(it, monitored=False)
    assert states(answered) == IGNORED
    assert not answered.HasField("ipam_pool_id")
    assert not answered.broken_rules
    assert (answered.resource_name, answered.resource_tags[0].key) == ("one", "env")
    assert await told(it, PRIVATE) == {"10.0.0.0/16": answered}
    assert markings(it) == [(IPAM, HOME, VPC, "10.0.0.0/16", True, None)]
    old, new = it.rows(tables.records)
    assert (old.ended_at, old.management_state) == (NOW, "managed")
    assert (new.started_at, new.ended_at, new.row_id) == (NOW, None, row_id)
    assert it.marked == [IPAM]


async def test_what_is_no_longer_ignored_is_unmanaged_until_it_is_evaluated(  # MON-5
    it: Known,
) -> None:
    it.record("vpc", VPC, "10.0.0.0/16", **IGNORED)
    assert states(await modify(it, monitored=True)) == UNMANAGED
    assert markings(it) == [(IPAM, HOME, VPC, "10.0.0.0/16", False, None)]
    assert len(it.rows(tables.records)) == 2


@pytest.mark.parametrize(
    ("monitored", "before"), [(True, MANAGED), (False, IGNORED)], ids=["monitored", "ignored"]
)
async def test_what_is_so_already_stays_as_it_is(
    it: Known, monitored: bool, before: dict[str, Any]
) -> None:
    it.record("vpc", VPC, "10.0.0.0/16", **before)
    answered = await modify(it, monitored=monitored)
    assert states(answered) == {name: before[name] for name in UNMANAGED}
    [record] = it.rows(tables.records)
    assert record.ended_at is None


async def test_a_cidr_moves_with_its_subnets(it: Known) -> None:  # MON-6
    inventory_id = it.inventory()
    it.record("vpc", VPC, "10.0.0.0/16")
    it.record("subnet", SUBNET, "10.0.0.0/24")
    it.record("subnet", "subnet-00000002", "10.0.255.0/24")
    it.record("vpc", VPC, "10.1.0.0/16")
    it.record("subnet", "subnet-00000003", "10.1.0.0/24")
    it.record("subnet", "subnet-00000004", "10.0.3.0/24", vpc_id="vpc-00000002")
    it.record("subnet", "subnet-00000005", "10.0.4.0/24", ended_at=at(1))
    it.insert(
        tables.remembered,
        [
            {"ipam_id": IPAM, "inventory_id": inventory_id, "version": 5},
            {"ipam_id": IPAM, "inventory_id": inventory_id + 1, "version": 6},
            {"ipam_id": "ipam-00000000000000002", "inventory_id": inventory_id, "version": 7},
        ],
    )
    answered = await modify(it, to=SECOND)
    assert answered.ipam_scope_id == SECOND
    assert states(answered) == UNMANAGED
    assert set(await told(it, SECOND)) == {"10.0.0.0/16", "10.0.0.0/24", "10.0.255.0/24"}
    assert set(await told(it, PRIVATE)) == {"10.1.0.0/16", "10.1.0.0/24", "10.0.3.0/24"}
    assert markings(it) == [(IPAM, HOME, VPC, "10.0.0.0/16", False, SECOND)]
    # What else lies in the VPC is brought along by the evaluation.
    assert [row.version for row in it.rows(tables.remembered)] == [0, 6, 7]


async def test_a_move_ends_the_history_there_and_begins_one_here(it: Known) -> None:
    # MON-6, HIST-3
    it.record("vpc", VPC, "10.0.0.0/16")
    await modify(it, to=SECOND)

    async def history(scope_id: str) -> Any:
        request = pb.GetIpamAddressHistoryRequest(cidr="10.0.0.0/16", ipam_scope_id=scope_id)
        request.start_time.FromDatetime(at(0))
        [record] = (await it.ask(request)).history_records
        return record

    old, new = await history(PRIVATE), await history(SECOND)
    assert old.sampled_end_time == new.sampled_start_time
    assert not new.HasField("sampled_end_time")


async def test_what_is_allocated_moves_when_its_allocation_is_gone(it: Known) -> None:  # MON-6
    it.record("vpc", VPC, "10.0.0.0/16", **MANAGED)
    it.record("subnet", SUBNET, "10.0.0.0/24")
    answered = await modify(it, to=SECOND)
    assert (answered.ipam_scope_id, answered.ipam_pool_id) == (PRIVATE, POOL)
    assert markings(it) == [(IPAM, HOME, VPC, "10.0.0.0/16", False, SECOND)]
    assert set(await told(it, PRIVATE)) == {"10.0.0.0/16", "10.0.0.0/24"}
    assert await told(it, SECOND) == {}
    assert it.marked == [IPAM]


async def test_a_move_that_is_waiting_can_be_called_off(it: Known) -> None:  # MON-6
    it.record("vpc", VPC, "10.0.0.0/16", **MANAGED)
    await modify(it, to=SECOND)
    await modify(it, to=PRIVATE)
    assert markings(it) == [(IPAM, HOME, VPC, "10.0.0.0/16", False, PRIVATE)]


async def test_what_was_moved_stays_there_whatever_else_is_said(it: Known) -> None:
    it.record("vpc", VPC, "10.0.0.0/16")
    await modify(it, to=SECOND)
    await modify(it, current_ipam_scope_id=SECOND, monitored=False)
    assert markings(it) == [(IPAM, HOME, VPC, "10.0.0.0/16", True, SECOND)]
    assert states((await told(it, SECOND))["10.0.0.0/16"]) == IGNORED


async def test_an_ignored_cidr_is_monitored_and_moved_at_once(it: Known) -> None:
    it.record("vpc", VPC, "10.0.0.0/16", **IGNORED)
    answered = await modify(it, to=SECOND)
    assert (answered.ipam_scope_id, states(answered)) == (SECOND, UNMANAGED)
    assert len(it.rows(tables.records)) == 2


async def test_nothing_is_said_of_what_several_accounts_have(it: Known) -> None:  # MON-5
    """What is said of a CIDR is said by the resource's id."""
    for inventory_id, owner_id in [(1, OWNER), (2, STRANGER)]:
        it.record("vpc", VPC, "10.0.0.0/16", inventory_id=inventory_id, owner_id=owner_id)
    refusal = await refusal_of(it, wish(monitored=False))
    assert (refusal.reason, refusal.metadata["parameter"]) == (
        "InvalidParameterValue",
        "resourceId",
    )
    assert OWNER in str(refusal)
    assert STRANGER in str(refusal)
    assert not it.rows(tables.markings)


async def test_a_cidr_moves_without_others_subnets(it: Known) -> None:  # MON-6
    it.record("vpc", VPC, "10.0.0.0/16")
    it.record("subnet", SUBNET, "10.0.0.0/24", owner_id=STRANGER)
    await modify(it, to=SECOND)
    assert set(await told(it, SECOND)) == {"10.0.0.0/16"}


async def test_no_record_ends_or_is_followed_before_it_started(it: Known) -> None:  # HIST-1
    """Pushers' clocks may be fast, by minutes."""
    start = NOW + timedelta(minutes=4)
    it.record("vpc", VPC, "10.0.0.0/16", started_at=start)
    await modify(it, monitored=False)
    first, second = it.rows(tables.records)
    assert (first.started_at, first.ended_at, second.started_at) == (start, start, start)
    assert second.ended_at is None


async def test_what_several_sources_tell_is_changed_for_all(it: Known) -> None:
    for inventory_id in (1, 2):
        it.record("vpc", VPC, "10.0.0.0/16", inventory_id=inventory_id)
    await modify(it, monitored=False)
    now = [row for row in it.rows(tables.records) if row.ended_at is None]
    assert [row.management_state for row in now] == ["ignored", "ignored"]


@pytest.mark.parametrize(
    ("request_", "reason", "parameter"),
    [
        (wish(to=SECOND, monitored=False), "InvalidParameterCombination", "destination"),
        (wish(to=PUBLIC), "InvalidParameterValue", "destination"),
        (wish(to=FOREIGN), "InvalidParameterValue", "destination"),
        (
            wish(to=PRIVATE, current_ipam_scope_id=PUBLIC, resource_cidr="3.0.0.0/24"),
            "InvalidParameterValue",
            "destination",
        ),
        (
            wish(monitored=False, current_ipam_scope_id=PUBLIC, resource_cidr="3.0.0.0/24"),
            "InvalidParameterValue",
            "monitored",
        ),
        (wish(resource_cidr="10.0.0.0/17"), "InvalidParameterValue", "resourceCidr"),
        (wish(resource_cidr="10.9.0.0/16"), "InvalidParameterValue", "resourceCidr"),
        (wish(resource_cidr="10.0.0.1/16"), "InvalidParameterValue", "resourceCidr"),
        (wish(resource_region=WEST), "InvalidParameterValue", "resourceCidr"),
        (wish(resource_id="vpc-00000009"), "InvalidParameterValue", "resourceCidr"),
        (wish(current_ipam_scope_id=SECOND), "InvalidParameterValue", "resourceCidr"),
        (
            wish(resource_id=SUBNET, resource_cidr="10.0.0.0/24"),
            "InvalidParameterValue",
            "resourceId",
        ),
    ],
    ids=[
        "ignored and moved",
        "private to public",
        "to another IPAM",
        "public to private",
        "ignored in a public scope",
        "no such CIDR",
        "a CIDR that was",
        "host bits",
        "another region",
        "another resource",
        "another scope",
        "a subnet",
    ],
)
async def test_what_cannot_be_done_is_refused_and_changes_nothing(  # MON-5, MON-6
    it: Known, request_: Any, reason: str, parameter: str
) -> None:
    it.record("vpc", VPC, "10.0.0.0/16")
    it.record("vpc", VPC, "10.9.0.0/16", ended_at=at(1))
    it.record("vpc", VPC, "3.0.0.0/24", ipam_scope_id=PUBLIC)
    it.record("subnet", SUBNET, "10.0.0.0/24")
    refusal = await refusal_of(it, request_)
    assert refusal.reason == reason
    assert refusal.metadata["parameter"].startswith(parameter)
    assert len(it.rows(tables.records)) == 4
    assert not it.rows(tables.markings)
    assert not it.marked


@pytest.mark.parametrize(
    ("request_", "caller"),
    [
        (wish(), {"account_id": STRANGER}),
        (wish(), {"region": WEST}),
        (wish(to=OTHERS), {}),
        (wish(current_ipam_scope_id=OTHERS), {}),
    ],
    ids=["a stranger", "abroad", "to a stranger's scope", "from a stranger's scope"],
)
async def test_only_the_owner_says_anything(  # ORG-10, BEY-12
    it: Known, request_: Any, caller: dict[str, str]
) -> None:
    it.record("vpc", VPC, "10.0.0.0/16")
    assert (await refusal_of(it, request_, **caller)).reason == "InvalidIpamScopeId.NotFound"


async def test_a_cidr_in_a_public_scope_is_monitored_in_any_case(it: Known) -> None:  # MON-5
    it.record("vpc", VPC, "10.0.0.0/16", ipam_scope_id=PUBLIC)
    await modify(it, current_ipam_scope_id=PUBLIC)


async def test_a_dry_run_checks_all_and_changes_nothing(it: Known) -> None:
    it.record("vpc", VPC, "10.0.0.0/16")
    request = wish(monitored=False, dry_run=True)
    assert (await refusal_of(it, request)).reason == "DryRunOperation"
    assert not it.rows(tables.markings)
    assert not it.marked
    assert it.rows(tables.evaluations)[0].version == 7
    wrong = wish(resource_id="vpc-00000009", dry_run=True)
    assert (await refusal_of(it, wrong)).reason == "InvalidParameterValue"


async def test_an_evaluation_that_is_under_way_begins_anew(it: Known) -> None:
    it.record("vpc", VPC, "10.0.0.0/16")
    await modify(it, monitored=False)
    assert it.rows(tables.evaluations)[0].version == 8


async def test_of_opposite_wishes_at_a_time_one_is_the_last(it: Known) -> None:
    it.record("vpc", VPC, "10.0.0.0/16")
    await asyncio.gather(*(modify(it, monitored=n % 2 == 0) for n in range(10)))
    now = [row for row in it.rows(tables.records) if row.ended_at is None]
    [(*_, is_ignored, _)] = markings(it)
    assert [row.management_state == "ignored" for row in now] == [is_ignored]
    assert {row.owner_id for row in now} == {OWNER}
