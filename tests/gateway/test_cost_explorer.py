"""Unmodified boto3 against AWS Cost Explorer as the gateway speaks for it: nested expressions."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cadastre.discovery.billing.v1 import cost_explorer_service_pb2 as pb
from services.gateway.documents.json_notation import MAX_DEPTH, parse_document
from services.gateway.errors import Unserializable
from tests.gateway.edge import Edge
from tests.gateway.fakes import Refusal

PERIOD = {"Start": "2026-03-01", "End": "2026-04-01"}


def one_of(key: str, *values: str) -> dict[str, Any]:
    return {"Dimensions": {"Key": key, "Values": list(values)}}


def ask(edge: Edge, **members: Any) -> Any:
    return edge.client("ce").get_cost_and_usage(
        TimePeriod=PERIOD, Granularity="MONTHLY", Metrics=["UsageQuantity"], **members
    )


def test_an_expression_in_expressions_arrives_as_it_was_sent(edge: Edge) -> None:
    expression = {
        "And": [
            one_of("SERVICE", "Amazon Virtual Private Cloud"),
            {"Not": {"Or": [one_of("REGION", "a", "b"), {"Not": one_of("REGION", "c")}]}},
        ]
    }
    ask(edge, Filter=expression, GroupBy=[{"Type": "DIMENSION", "Key": "LINKED_ACCOUNT"}])
    [(path, request)] = edge.fakes.requests
    assert path == "/cadastre.discovery.billing.v1.CostExplorerService/GetCostAndUsage"

    def told(key: str, *values: str) -> pb.Expression:
        return pb.Expression(dimensions=pb.DimensionValues(key=key, values=values))

    def expression_of(**members: Any) -> pb.Expression:
        return pb.Expression(**members)

    either = expression_of(
        **{"or": [told("REGION", "a", "b"), expression_of(**{"not": told("REGION", "c")})]}
    )
    both = [told("SERVICE", "Amazon Virtual Private Cloud"), expression_of(**{"not": either})]
    assert request == pb.GetCostAndUsageRequest(
        time_period=pb.DateInterval(start="2026-03-01", end="2026-04-01"),
        granularity=pb.GRANULARITY_MONTHLY,
        metrics=["UsageQuantity"],
        filter=expression_of(**{"and": both}),
        group_by=[
            pb.GroupDefinition(type=pb.GROUP_DEFINITION_TYPE_DIMENSION, key="LINKED_ACCOUNT")
        ],
    )


def test_costs_come_out_as_aws_tells_them(edge: Edge) -> None:
    amount = pb.MetricValue(amount="18", unit="Hrs")
    edge.fakes.answers["GetCostAndUsage"] = pb.GetCostAndUsageResponse(
        results_by_time=[
            pb.ResultByTime(
                time_period=pb.DateInterval(start="2026-03-01", end="2026-04-01"),
                total={"UsageQuantity": amount},
                groups=[pb.Group(keys=["a", "b"], metrics={"UsageQuantity": amount})],
                estimated=True,
            )
        ]
    )
    quantity = {"UsageQuantity": {"Amount": "18", "Unit": "Hrs"}}
    assert ask(edge)["ResultsByTime"] == [
        {
            "TimePeriod": PERIOD,
            "Total": quantity,
            "Groups": [{"Keys": ["a", "b"], "Metrics": quantity}],
            "Estimated": True,
        }
    ]


@pytest.mark.parametrize(
    ("expression", "parameter"),
    [
        ({"Tags": {"Key": "team", "Values": ["a"]}}, "Filter.Tags"),
        ({"Not": {"CostCategories": {"Key": "a"}}}, "Filter.Not.CostCategories"),
        ({"And": [one_of("REGION", "a"), {"Tags": {}}]}, "Filter.And[1].Tags"),
    ],
)
def test_what_nothing_is_told_apart_by_is_refused_by_name(
    edge: Edge, expression: Any, parameter: str
) -> None:
    with pytest.raises(ClientError, match="is not supported here; leave it out") as caught:
        ask(edge, Filter=expression)
    assert parameter in caught.value.response["Error"]["Message"]
    assert edge.fakes.requests == []


def test_a_refusal_has_the_code_that_cost_explorer_gives_it(edge: Edge) -> None:
    edge.fakes.answers["GetCostAndUsage"] = Refusal("InvalidParameterValue", "no such period")
    with pytest.raises(ClientError, match="no such period") as caught:
        ask(edge)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize("opening", ['{"a":', "["], ids=["objects", "lists"])
def test_a_document_may_be_nested_so_deeply_and_no_deeper(opening: str) -> None:
    closing = "}" if opening[0] == "{" else "]"

    def nested(depth: int) -> bytes:
        inner = depth - 2
        return f'{{"a": {opening * inner}{{}}{closing * inner}}}'.encode()

    assert parse_document(nested(MAX_DEPTH)) == json.loads(nested(MAX_DEPTH))
    for depth in (MAX_DEPTH + 1, 500):
        with pytest.raises(Unserializable, match="nested too deeply"):
            parse_document(nested(depth))
