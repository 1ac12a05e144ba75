"""What can be asked of what is there and what was (MON-1 to MON-3, HIST-1, DISC-4, PUB-1)."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

from services.discovery.evaluation.model import ComplianceStatus, ManagementState, OverlapStatus
from services.discovery.public_address import PublicAddress
from services.discovery.resource_cidr import ResourceType
from services.discovery.snapshot import IpSource
from services.discovery.sources import FailureCode
from shared.cidr import Cidr
from shared.errors import InvalidParameterValue

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MonitoredCidr:
    """A resource's CIDR that an IPAM monitors now."""

    record_id: int
    ipam_id: str
    scope_id: str
    resource_type: ResourceType
    resource_id: str
    owner_id: str
    region: str
    cidr: Cidr
    name: str | None
    vpc_id: str | None
    management_state: ManagementState | None
    compliance_status: ComplianceStatus | None
    overlap_status: OverlapStatus | None
    pool_id: str | None
    broken_rules: Sequence[str]
    tags: Mapping[str, str]
    ip_usage: float | None
    availability_zone_id: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the monitored CIDRs; what is None narrows nothing."""

    pool_id: str | None = None
    resource_id: str | None = None
    resource_type: str | None = None
    owner_id: str | None = None


class Span(NamedTuple):
    """A time that records are looked up in."""

    start: datetime | None
    """Records that ended before are left out."""
    end: datetime
    """Records that started later are left out."""

    @classmethod
    def between(cls, start: datetime | None, end: datetime | None, now: datetime) -> "Span":
        """What a request with these times is about.

        Raises:
            InvalidParameterValue: it ends before it starts.
        """
        span = cls(start, end or now)
        if start and start > span.end:
            raise InvalidParameterValue(
                f"Value ({start.isoformat()}) for parameter startTime is invalid. It is later than"
                f" the end of the time asked about, {span.end.isoformat()}; use an earlier one",
                parameter="startTime",
                value=start.isoformat(),
                end_time=span.end.isoformat(),
            )
        return span


@dataclass(frozen=True, slots=True)
class Question:
    """Which records of the history."""

    scope_id: str
    cidr: Cidr
    """Exactly this one."""
    vpc_id: str | None
    span: Span | None
    """None: those that have not ended."""


@dataclass(frozen=True, slots=True)
class HistoryRecord:
    """That a resource had a CIDR, from when to when."""

    resource_type: ResourceType
    resource_id: str
    owner_id: str
    region: str
    cidr: Cidr
    name: str | None
    vpc_id: str | None
    compliance_status: ComplianceStatus | None
    overlap_status: OverlapStatus | None
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Inventory:
    """How the discovery of an account's resources in a region goes, by one source."""

    inventory_id: int
    account_id: str
    last_attempted_at: datetime
    last_successful_at: datetime | None
    failure_code: FailureCode | None
    failure_message: str | None


@dataclass(frozen=True, slots=True)
class DiscoveredAccount:
    """How it goes by all sources; an account that none was asked about has no times."""

    account_id: str
    last_attempted_at: datetime | None
    last_successful_at: datetime | None
    failure_code: FailureCode | None
    failure_message: str | None


@dataclass(frozen=True, slots=True)
class DiscoveredCidr:
    """A CIDR of a resource, as the last successful snapshot has it."""

    resource_type: ResourceType
    resource_id: str
    owner_id: str
    cidr: Cidr
    ip_source: IpSource
    tags: Mapping[str, str]
    ip_usage: float | None
    vpc_id: str | None
    subnet_id: str | None
    is_attached: bool | None
    availability_zone_id: str | None
    sampled_at: datetime | None


class DiscoveredAddress(NamedTuple):
    """A public IPv4 address, as the last successful snapshot has it."""

    address: PublicAddress
    sampled_at: datetime | None


class View(Protocol):
    """What is known at one moment. Lists give each record with its key, and go on after a key.

    Raises:
        InvalidNextToken: while a list is iterated, when the key is none of its keys.
    """

    def monitored_cidrs(
        self, scope_id: str, wanted: Wanted, after: str | None
    ) -> Iterator[tuple[str, MonitoredCidr]]:
        """What an IPAM monitors in a scope, by address."""

    def history(self, question: Question, after: str | None) -> Iterator[tuple[str, HistoryRecord]]:
        """By start; of one moment what lies in something else comes before that."""

    def inventories(self, region: str, account_ids: Collection[str]) -> Sequence[Inventory]:
        """Those of these accounts in a region, by number."""

    def discovered_cidrs(
        self, inventories: Sequence[Inventory], after: str | None
    ) -> Iterator[tuple[str, DiscoveredCidr]]:
        """What is there but instances, inventory by inventory, in the order it was found in."""

    def discovered_addresses(
        self, inventories: Sequence[Inventory], after: str | None
    ) -> Iterator[tuple[str, DiscoveredAddress]]:
        """By account and address."""


class Reader(Protocol):
    """Answers each question from one moment."""

    def read(self, question: Callable[[View], T]) -> Awaitable[T]: ...


def discovered_accounts(
    account_ids: Collection[str], inventories: Sequence[Inventory]
) -> list[DiscoveredAccount]:
    """One record of each account, by id: what its sources tell, taken together (DISC-4)."""
    by_account: dict[str, list[Inventory]] = {account_id: [] for account_id in account_ids}
    for inventory in inventories:
        by_account[inventory.account_id].append(inventory)
    return [_together(account_id, by_account[account_id]) for account_id in sorted(by_account)]


def oldest_sample_time(inventories: Sequence[Inventory]) -> datetime | None:
    """When the oldest of the snapshots was taken that there are; None when there are none."""
    return min((at for one in inventories if (at := one.last_successful_at)), default=None)


def _together(account_id: str, inventories: Sequence[Inventory]) -> DiscoveredAccount:
    # One source that fails leaves the account half seen, however well the others do: it has not
    # been discovered since that one told all.
    failing = [one for one in inventories if one.failure_code]
    latest = max(failing, key=lambda one: one.last_attempted_at, default=None)
    successes = [one.last_successful_at for one in failing or inventories]
    known = [at for at in successes if at]
    if failing:
        last_successful_at = min(known) if len(known) == len(failing) else None
    else:
        last_successful_at = max(known, default=None)
    return DiscoveredAccount(
        account_id,
        max((one.last_attempted_at for one in inventories), default=None),
        last_successful_at,
        latest.failure_code if latest else None,
        latest.failure_message if latest else None,
    )
