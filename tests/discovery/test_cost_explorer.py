"""CostExplorerService through gRPC: AWS Cost Explorer's way to ask (ACC-3)."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict

from cadastre.discovery.billing.v1 import cost_explorer_service_pb2 as pb
from services.discovery.servicer import cost_explorer
from shared.errors import CadastreError
from tests.discovery.billed import MANAGEMENT, Billed, billing
from tests.discovery.monitored import IPAM, MEMBER, OTHER_IPAM, OWNER, STRANGER

USAGE_TYPE, FRANKFURT = "USE1-IPAddressManager-IP-Hours", "EUC1-IPAddressManager-IP-Hours"
MARCH = {"start": "2026-03-01", "end": "2026-04-01"}

on_sqlite_alone = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
pytestmark = on_sqlite_alone


@pytest.fixture
async def it(database_url: str, tmp_path: Path) -> AsyncIterator[Billed]:
    async with billing(database_url, tmp_path) as billed:
        billed.used(datetime(2026, 2, 28, 23, tzinfo=UTC), 100)
        billed.used(datetime(2026, 3, 1, 0, tzinfo=UTC), 18)
        billed.used(
            datetime(2026, 3, 1, 5, tzinfo=UTC), 2, resource_owner_id=MEMBER, payer_id=MEMBER
        )
        billed.used(
            datetime(2026, 3, 1, 5, tzinfo=UTC),
            0.5,
            ipam_id=OTHER_IPAM,
            ipam_region="eu-central-1",
        )
        billed.used(
            datetime(2026, 3, 1, 5, tzinfo=UTC), 64, ipam_owner_id=STRANGER, payer_id=STRANGER
        )
        yield billed


def usage(**members: Any) -> pb.GetCostAndUsageRequest:
    request = {
        "timePeriod": MARCH,
        "granularity": "GRANULARITY_MONTHLY",
        "metrics": ["UsageQuantity"],
        **members,
    }
    return ParseDict(request, pb.GetCostAndUsageRequest())


def by(*dimensions: str) -> Any:
    return [{"type": "GROUP_DEFINITION_TYPE_DIMENSION", "key": key} for key in dimensions]


def one_of(key: str, *values: str) -> Any:
    return {"dimensions": {"key": key, "values": values}}


async def quantities(it: Billed, account_id: str, **members: Any) -> dict[Sequence[str], str]:
    """Of the only period, by keys."""
    answer = await it.ask(usage(**members), account_id)
    [result] = answer.results_by_time
    if total := result.total:
        assert not result.groups
        return {(): total["UsageQuantity"].amount}
    return {tuple(one.keys): one.metrics["UsageQuantity"].amount for one in result.groups}


async def test_costs_are_hours_by_their_price(it: Billed) -> None:
    names = ["UnblendedCost", "AmortizedCost", "UsageQuantity", "NormalizedUsageAmount"]
    answer = await it.ask(
        usage(timePeriod={"start": "2026-02-01", "end": "2026-04-01"}, metrics=names)
    )
    costs = [{"amount": amount, "unit": "USD"} for amount in ("0.027", "0.004995")]
    hours = [{"amount": amount, "unit": "Hrs"} for amount in ("100", "18.5")]
    assert [MessageToDict(one) for one in answer.results_by_time] == [
        {
            "timePeriod": {"start": start, "end": end},
            "total": {
                "UnblendedCost": cost,
                "AmortizedCost": cost,
                "UsageQuantity": quantity,
                "NormalizedUsageAmount": {"amount": "0", "unit": "N/A"},
            },
            "estimated": is_estimated,
        }
        for start, end, cost, quantity, is_estimated in [
            ("2026-02-01", "2026-03-01", costs[0], hours[0], False),
            ("2026-03-01", "2026-04-01", costs[1], hours[1], True),
        ]
    ]


async def test_a_member_sees_its_own_the_management_account_all(it: Billed) -> None:
    members = {"groupBy": by("LINKED_ACCOUNT")}
    assert await quantities(it, OWNER, **members) == {(OWNER,): "18.5"}
    assert await quantities(it, MEMBER, **members) == {(MEMBER,): "2"}
    assert await quantities(it, MANAGEMENT, **members) == {(OWNER,): "18.5", (MEMBER,): "2"}
    assert await quantities(it, STRANGER, **members) == {(STRANGER,): "64"}
    it.control.organizations.clear()
    assert await quantities(it, MANAGEMENT, **members) == {}


async def test_groups_are_by_what_is_on_a_bill(it: Billed) -> None:
    ipam_arn = f"arn:aws:ec2::{OWNER}:ipam/{IPAM}"
    assert await quantities(it, MANAGEMENT, groupBy=by("USAGE_TYPE", "LINKED_ACCOUNT")) == {
        (USAGE_TYPE, OWNER): "18",
        (USAGE_TYPE, MEMBER): "2",
        (FRANKFURT, OWNER): "0.5",
    }
    # IPAM-8: whoever pays finds the IPAM's ARN on its bill.
    assert await quantities(it, MEMBER, groupBy=by("RESOURCE_ID", "REGION")) == {
        (ipam_arn, "us-east-1"): "2"
    }
    service = ("Amazon Virtual Private Cloud", "IPAM-Active-IP")
    assert await quantities(it, MEMBER, groupBy=by("SERVICE", "OPERATION")) == {service: "2"}


@pytest.mark.parametrize(
    ("expression", "quantity"),
    [
        (one_of("SERVICE", "Amazon Virtual Private Cloud"), "20.5"),
        (one_of("SERVICE", "Amazon Simple Storage Service"), "0"),
        (one_of("USAGE_TYPE", USAGE_TYPE, FRANKFURT), "20.5"),
        (one_of("USAGE_TYPE", FRANKFURT), "0.5"),
        ({"not": one_of("USAGE_TYPE", FRANKFURT)}, "20"),
        ({"not": one_of("RECORD_TYPE", "Credit", "Refund")}, "20.5"),
        ({"and": [one_of("REGION", "us-east-1"), one_of("LINKED_ACCOUNT", OWNER)]}, "18"),
        ({"or": [one_of("REGION", "eu-central-1"), one_of("LINKED_ACCOUNT", MEMBER)]}, "2.5"),
        (
            {
                "and": [
                    {"not": {"or": [one_of("LINKED_ACCOUNT", MEMBER), one_of("REGION", "-")]}},
                    {"not": one_of("USAGE_TYPE", USAGE_TYPE)},
                ]
            },
            "0.5",
        ),
    ],
)
async def test_filters_are_honoured(it: Billed, expression: Any, quantity: str) -> None:
    assert await quantities(it, MANAGEMENT, filter=expression) == {(): quantity}


async def test_every_period_is_told_the_last_in_part(it: Billed) -> None:
    answer = await it.ask(
        usage(
            granularity="GRANULARITY_HOURLY",
            timePeriod={"start": "2026-03-01T04:00:00Z", "end": "2026-03-01T07:00:00Z"},
            groupBy=by("REGION"),
        )
    )
    assert [
        (one.time_period.start, [list(group.keys) for group in one.groups])
        for one in answer.results_by_time
    ] == [
        ("2026-03-01T04:00:00Z", []),
        ("2026-03-01T05:00:00Z", [["eu-central-1"]]),
        ("2026-03-01T06:00:00Z", []),
    ]


async def test_pages_put_together_are_the_whole(
    it: Billed, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = {"start": "2026-02-27", "end": "2026-03-03"}
    request = usage(
        granularity="GRANULARITY_DAILY", timePeriod=days, groupBy=by("LINKED_ACCOUNT", "REGION")
    )
    whole = (await it.ask(request, MANAGEMENT)).results_by_time
    monkeypatch.setattr(cost_explorer, "GROUPS_PER_PAGE", 1)
    found: dict[str, list[Any]] = {}
    while True:
        answer = await it.ask(request, MANAGEMENT)
        [result] = answer.results_by_time
        found.setdefault(result.time_period.start, []).extend(result.groups)
        if not answer.next_page_token:
            break
        request.next_page_token = answer.next_page_token
    assert found == {one.time_period.start: list(one.groups) for one in whole}
    assert [len(groups) for groups in found.values()] == [0, 1, 3, 0]


async def test_values_of_dimensions_are_told_in_pages(it: Billed) -> None:
    def request(**members: Any) -> Any:
        return pb.GetDimensionValuesRequest(
            time_period=pb.DateInterval(**MARCH), dimension="USAGE_TYPE", **members
        )

    first = await it.ask(request(search_string="ipaddressmanager", max_results=1))
    assert (first.return_size, first.total_size) == (1, 2)
    assert [one.value for one in first.dimension_values] == [FRANKFURT]
    rest = await it.ask(
        request(
            search_string="ipaddressmanager",
            max_results=1,
            next_page_token=first.next_page_token,
        )
    )
    assert [one.value for one in rest.dimension_values] == [USAGE_TYPE]
    assert not rest.next_page_token
    assert (await it.ask(request(search_string="USE2"))).total_size == 0
    assert (await it.ask(request(context=pb.CONTEXT_RESERVATIONS))).total_size == 0
    assert (await it.ask(request(), MEMBER)).total_size == 1


@pytest.mark.parametrize(
    ("members", "what_is_said"),
    [
        ({"metrics": ["Cost"]}, "Metrics is invalid; use one of AmortizedCost"),
        ({"groupBy": by("AZ")}, "GroupBy.Key is invalid; use one of LINKED_ACCOUNT"),
        ({"groupBy": by("REGION", "REGION")}, "(REGION) for parameter GroupBy.Key"),
        (
            {"groupBy": [{"type": "GROUP_DEFINITION_TYPE_TAG", "key": "team"}]},
            "(TAG) for parameter GroupBy.Type is invalid; use one of DIMENSION",
        ),
        ({"filter": {}}, "Filter has nothing"),
        (
            {"filter": {"not": {**one_of("REGION", "a"), "or": [one_of("REGION", "b")]}}},
            "Filter.Not has Or, Dimensions; give it exactly one",
        ),
        ({"filter": {"and": [one_of("AZ", "a")]}}, "Filter.And[0].Dimensions.Key"),
        (
            {"filter": {"dimensions": {"key": "REGION", "values": ["a"], "matchOptions": ["X"]}}},
            "Filter.Dimensions.MatchOptions is invalid; use one of EQUALS, CASE_SENSITIVE",
        ),
        ({"timePeriod": {"start": "2026-3-1", "end": "2026-04-01"}}, "TimePeriod.Start"),
        ({"timePeriod": {"start": "2026-03-01", "end": "2026-02-30"}}, "TimePeriod.End"),
        ({"timePeriod": {"start": "2026-03-02", "end": "2026-03-01"}}, "before the end"),
    ],
)
async def test_what_costs_are_not_told_by_is_refused(
    it: Billed, members: Any, what_is_said: str
) -> None:
    with pytest.raises(CadastreError) as caught:
        await it.ask(usage(**members))
    assert caught.value.reason == "InvalidParameterValue"
    assert what_is_said in caught.value.message
