"""Where the past of metrics is to be had."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from services.metrics.cloud_watch.samples import Samples, Span
from services.metrics.series import Metric


class Home(NamedTuple):
    """Where metrics are: with the account that owns the IPAM, in the IPAM's home region."""

    account_id: str
    region: str


class Line(NamedTuple):
    """One metric of one thing."""

    metric: Metric
    dimensions: tuple[str, ...]
    """Values, in the order of the metric's dimensions."""

    @property
    def key(self) -> str:
        """What lists are in order of."""
        return " ".join((self.metric.name, *self.dimensions))

    @property
    def values_by_name(self) -> Mapping[str, str]:
        """Of its dimensions."""
        return dict(zip(self.metric.dimensions, self.dimensions, strict=True))

    def has(self, wanted: Mapping[str, str]) -> bool:
        """Its dimensions have these values."""
        return wanted.items() <= self.values_by_name.items()


class History(Protocol):
    """What was measured."""

    async def lines(self, home: Home, metrics: Sequence[Metric], since: int) -> Iterable[Line]:
        """Those of ``metrics`` that had a value in minute ``since`` or later, in any order.

        Raises:
            ServiceUnavailable: who knows does not answer.
        """

    async def samples(
        self, home: Home, metric: Metric, wanted: Mapping[str, str], span: Span
    ) -> Mapping[Line, Samples]:
        """Those lines of ``metric`` that have the ``wanted`` values of dimensions.

        Raises:
            ServiceUnavailable: who knows does not answer.
        """
