"""Words and messages of AWS Cost Explorer, from and to what they mean here."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from cadastre.discovery.billing.v1 import cost_explorer_service_pb2 as pb
from services.discovery.costs.charge import Dimension, amount, hours
from services.discovery.costs.expression import AllOf, AnyOf, Expression, NoneOf, OneOf
from services.discovery.costs.period import Granularity, Period
from shared.errors import InvalidParameterValue, MissingParameter
from shared.rpc.enums import aws_enum_name

_COSTS = (
    "AmortizedCost",
    "BlendedCost",
    "NetAmortizedCost",
    "NetUnblendedCost",
    "UnblendedCost",
)
"""All the same, as nothing is reserved or discounted."""
_QUANTITY, _NORMALIZED = "UsageQuantity", "NormalizedUsageAmount"
_METRICS = (*_COSTS, _QUANTITY, _NORMALIZED)
_MATCH_OPTIONS = ("EQUALS", "CASE_SENSITIVE")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?", re.ASCII)
_MEMBERS: Mapping[str, str] = {
    "or": "Or",
    "and": "And",
    "not": "Not",
    "dimensions": "Dimensions",
}


def period_from_proto(interval: pb.DateInterval) -> Period:
    return Period(
        _moment("TimePeriod.Start", interval.start), _moment("TimePeriod.End", interval.end)
    )


def period_to_proto(period: Period, granularity: Granularity) -> pb.DateInterval:
    form = "%Y-%m-%dT%H:%M:%SZ" if granularity is Granularity.HOURLY else "%Y-%m-%d"
    return pb.DateInterval(start=f"{period.start:{form}}", end=f"{period.end:{form}}")


def check_metrics(names: Collection[str]) -> None:
    """Nothing, when all are metrics.

    Raises:
        InvalidParameterValue: one is none.
    """
    for name in names:
        if name not in _METRICS:
            raise _refusal("Metrics", name, _METRICS)


def dimension_from_text(parameter: str, text: str) -> Dimension:
    """The dimension of that name.

    Raises:
        InvalidParameterValue: charges are not told apart by it.
    """
    try:
        return Dimension(text)
    except ValueError:
        raise _refusal(parameter, text, tuple(Dimension)) from None


def group_dimensions_from_proto(group_by: Sequence[pb.GroupDefinition]) -> Sequence[Dimension]:
    """What is grouped by.

    Raises:
        InvalidParameterValue: by something else than dimensions, or by one twice.
    """
    dimensions: list[Dimension] = []
    for definition in group_by:
        if definition.type != pb.GROUP_DEFINITION_TYPE_DIMENSION:
            word = aws_enum_name(pb.GroupDefinitionType.DESCRIPTOR, definition.type)
            raise _refusal("GroupBy.Type", word, ("DIMENSION",))
        dimension = dimension_from_text("GroupBy.Key", definition.key)
        if dimension in dimensions:
            others = tuple(one for one in Dimension if one not in dimensions)
            raise _refusal("GroupBy.Key", dimension, others)
        dimensions.append(dimension)
    return dimensions


def expression_from_proto(told: pb.Expression, path: str) -> Expression:
    """What ``told`` means; ``path`` is its name in refusals.

    Raises:
        InvalidParameterValue: it has no member or several, or a dimension that there is not.
        MissingParameter: a dimension, or its values, are not given.
    """
    given = [field.name for field, _ in told.ListFields()]
    if len(given) != 1:
        shown = ", ".join(_MEMBERS[name] for name in given) or "nothing"
        raise InvalidParameterValue(
            f"The expression {path} has {shown}; give it exactly one of"
            f" {', '.join(_MEMBERS.values())}",
            parameter=path,
        )
    [name] = given
    inner = f"{path}.{_MEMBERS[name]}"
    if name == "dimensions":
        return _one_of(told.dimensions, inner)
    if name == "not":
        return NoneOf(expression_from_proto(getattr(told, name), inner))
    combined = AnyOf if name == "or" else AllOf
    return combined(
        [
            expression_from_proto(one, f"{inner}[{index}]")
            for index, one in enumerate(getattr(told, name))
        ]
    )


def amounts_to_proto(
    milliseconds: int, metrics: Collection[str], price: Decimal
) -> dict[str, pb.MetricValue]:
    """Each of ``metrics``; ``price`` is an hour's."""
    used = hours(milliseconds)
    cost = pb.MetricValue(amount=amount(used * price), unit="USD")
    values = {
        **dict.fromkeys(_COSTS, cost),
        _QUANTITY: pb.MetricValue(amount=amount(used), unit="Hrs"),
        # Only instances and databases come in sizes.
        _NORMALIZED: pb.MetricValue(amount="0", unit="N/A"),
    }
    return {name: values[name] for name in metrics}


def _one_of(told: pb.DimensionValues, path: str) -> OneOf:
    if not told.key:
        raise MissingParameter(f"{path}.Key")
    if not told.values:
        raise MissingParameter(f"{path}.Values")
    for option in told.match_options:
        if option not in _MATCH_OPTIONS:
            raise _refusal(f"{path}.MatchOptions", option, _MATCH_OPTIONS)
    return OneOf(dimension_from_text(f"{path}.Key", told.key), frozenset(told.values))


def _moment(parameter: str, text: str) -> datetime:
    try:
        if not _MOMENT.fullmatch(text):
            raise ValueError(text)
        return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError:
        raise InvalidParameterValue(
            f"Value ({text}) for parameter {parameter} is invalid; use a day such as 2026-03-01,"
            " or an hour such as 2026-03-01T12:00:00Z",
            parameter=parameter,
            value=text,
        ) from None


def _refusal(parameter: str, value: str, allowed: Collection[str]) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"Value ({value}) for parameter {parameter} is invalid; use one of {', '.join(allowed)}",
        parameter=parameter,
        value=value,
    )
