"""CostExplorerService: messages to use cases and back."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, TypeVar

from cadastre.discovery.billing.v1 import cost_explorer_service_pb2 as pb
from cadastre.discovery.billing.v1 import cost_explorer_service_pb2_grpc
from services.discovery.costs.charge import Charge, Dimension
from services.discovery.costs.expression import EVERYTHING, Expression
from services.discovery.costs.period import (
    Granularity,
    Period,
    checked_period,
    month_of,
    periods,
)
from services.discovery.service.costs import Bill, Line, Payers, Reader, View, lines
from services.discovery.servicer.cost_explorer_messages import (
    amounts_to_proto,
    check_metrics,
    dimension_from_text,
    expression_from_proto,
    group_dimensions_from_proto,
    period_from_proto,
    period_to_proto,
)
from services.discovery.servicer.words import word_of
from shared.paging import DEFAULT_MAX_RESULTS, page_of
from shared.rpc.interceptor import Context, caller_of

# Together with all metrics they fit into one gRPC message.
GROUPS_PER_PAGE = 2000

Request = TypeVar("Request", pb.GetCostAndUsageRequest, pb.GetDimensionValuesRequest)


@dataclass(frozen=True, slots=True)
class _Question:
    """What costs are asked for."""

    bill: Bill
    whole: Period
    granularity: Granularity
    expression: Expression
    dimensions: Sequence[Dimension]

    def lines(self, view: View, after: str | None) -> Iterator[tuple[str, Line]]:
        asked = periods(self.whole, self.granularity)
        return lines(view, self.bill, asked, self._grouped, self.expression, after)

    def _grouped(self, charge: Charge) -> tuple[str, ...]:
        return tuple(charge.value_of(dimension) for dimension in self.dimensions)


class CostExplorerServicer(cost_explorer_service_pb2_grpc.CostExplorerServiceServicer):
    """Translates."""

    def __init__(
        self,
        payers: Payers,
        reader: Reader,
        clock: Callable[[], datetime],
        price: Decimal,
    ) -> None:
        """``price`` is that of an active-IP hour, in US dollars."""
        self._payers, self._reader = payers, reader
        self._clock, self._price = clock, price

    async def GetCostAndUsage(
        self, request: pb.GetCostAndUsageRequest, context: Context
    ) -> pb.GetCostAndUsageResponse:
        now = self._clock()
        check_metrics(request.metrics)
        granularity = Granularity(word_of(pb.Granularity, request.granularity))
        asked = period_from_proto(request.time_period)
        question = _Question(
            bill=await self._bill(context),
            whole=checked_period(asked, granularity, now),
            granularity=granularity,
            expression=_filter_of(request),
            dimensions=group_dimensions_from_proto(request.group_by),
        )
        found, token = await self._reader.read(
            lambda view: page_of(
                _without_token(request),
                lambda after: question.lines(view, after),
                token=request.next_page_token,
                max_results=GROUPS_PER_PAGE,
            )
        )
        return pb.GetCostAndUsageResponse(
            next_page_token=token,
            group_definitions=request.group_by,
            results_by_time=self._results(found, request.metrics, question, now),
        )

    async def GetDimensionValues(
        self, request: pb.GetDimensionValuesRequest, context: Context
    ) -> pb.GetDimensionValuesResponse:
        dimension = dimension_from_text("Dimension", request.dimension)
        asked = period_from_proto(request.time_period)
        whole = checked_period(asked, Granularity.DAILY, self._clock())
        expression, bill = _filter_of(request), await self._bill(context)
        known = await self._reader.read(
            lambda view: {
                charge.value_of(dimension)
                for charge in view.charges(bill, whole)
                if expression.holds(charge)
            }
        )
        values = sorted(_matching(known, request))
        page, token = page_of(
            _without_token(request),
            lambda after: ((value, value) for value in values if after is None or value > after),
            token=request.next_page_token,
            max_results=request.max_results or DEFAULT_MAX_RESULTS,
        )
        return pb.GetDimensionValuesResponse(
            dimension_values=[pb.DimensionValuesWithAttributes(value=value) for value in page],
            return_size=len(page),
            total_size=len(values),
            next_page_token=token,
        )

    async def _bill(self, context: Context) -> Bill:
        return Bill(await self._payers.paid_for_by(caller_of(context).account_id))

    def _results(
        self, found: Sequence[Line], metrics: Sequence[str], question: _Question, now: datetime
    ) -> Iterator[pb.ResultByTime]:
        for period, group in groupby(found, key=lambda line: line.period):
            result = pb.ResultByTime(
                time_period=period_to_proto(period, question.granularity),
                # A bill is a month's.
                estimated=period.end > month_of(now),
            )
            for line in group:
                amounts = amounts_to_proto(line.milliseconds, metrics, self._price)
                if not question.dimensions:
                    _put(result.total, amounts)
                elif line.values:
                    _put(result.groups.add(keys=line.values).metrics, amounts)
            yield result


def _put(
    metrics: Any,  # generated maps have no public type
    amounts: dict[str, pb.MetricValue],
) -> None:
    for name, value in amounts.items():
        metrics[name].CopyFrom(value)


def _filter_of(request: pb.GetCostAndUsageRequest | pb.GetDimensionValuesRequest) -> Expression:
    if not request.HasField("filter"):
        return EVERYTHING
    return expression_from_proto(request.filter, "Filter")


def _matching(values: Collection[str], request: pb.GetDimensionValuesRequest) -> Collection[str]:
    """Those of the context and with the searched text that were asked for."""
    if request.context not in (pb.CONTEXT_UNSPECIFIED, pb.CONTEXT_COST_AND_USAGE):
        return ()
    text = request.search_string.casefold()
    return [value for value in values if text in value.casefold()]


def _without_token(request: Request) -> Request:
    """What tells this query from others: its pages are pages of one."""
    query = type(request)()
    query.CopyFrom(request)
    query.ClearField("next_page_token")
    return query
