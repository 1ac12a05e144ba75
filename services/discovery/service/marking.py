"""What an IPAM's owner says about VPCs' CIDRs: ignored or monitored, and where (MON-5, MON-6)."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

from services.discovery.evaluation.model import (
    ComplianceStatus,
    ManagementState,
    MarkedCidr,
    Marking,
    OverlapStatus,
)
from services.discovery.resource_cidr import ResourceType
from services.discovery.service.access import Access, Scope
from services.discovery.service.monitoring import MonitoredCidr
from shared.caller import Caller
from shared.errors import InvalidParameterCombination, InvalidParameterValue

T = TypeVar("T")


class States(NamedTuple):
    """What a CIDR without an allocation is."""

    management_state: ManagementState
    compliance_status: ComplianceStatus
    overlap_status: OverlapStatus


IGNORED = States(ManagementState.IGNORED, ComplianceStatus.IGNORED, OverlapStatus.IGNORED)
UNMANAGED = States(
    ManagementState.UNMANAGED, ComplianceStatus.UNMANAGED, OverlapStatus.NONOVERLAPPING
)
"""Until the evaluation that follows says more."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to become of a CIDR."""

    marked: MarkedCidr
    scope_id: str
    """Where it is."""
    destination_id: str | None
    """Where it goes; None: it stays."""
    is_monitored: bool


class Rows(Protocol):
    """What is known, in one transaction."""

    def claim(self, ipam_id: str) -> None:
        """Have evaluations of the IPAM that are under way begin anew, and others wait."""

    def current(self, scope_id: str, marked: MarkedCidr) -> Sequence[MonitoredCidr]:
        """What is monitored of it in a scope; more than one when several sources tell it."""

    def subnets_of(self, vpc: MonitoredCidr) -> Collection[int]:
        """Records of the subnets' CIDRs within a VPC's."""

    def marking(self, ipam_id: str, marked: MarkedCidr) -> Marking:
        """What was said before."""

    def mark(self, ipam_id: str, marked: MarkedCidr, marking: Marking) -> None:
        """From now on this is what was said."""

    def begin_anew(
        self, record_ids: Collection[int], now: datetime, scope_id: str, states: States | None
    ) -> None:
        """End records, and begin others in a scope that are like them but for ``states``.

        With ``states`` they have no allocation; None: those that they had.
        """


class Store(Protocol):
    """The database."""

    def change(self, use_case: Callable[[Rows], T], *, dry_run: bool) -> Awaitable[T]:
        """Run ``use_case`` in one transaction.

        Raises:
            DryRunOperation: it would have succeeded; nothing is changed.
        """


class Markings:
    """What a call says is shown by every answer after it (BEY-2)."""

    def __init__(
        self,
        access: Access,
        store: Store,
        clock: Callable[[], datetime],
        on_marked: Callable[[str], object],
    ) -> None:
        """``on_marked`` is told of IPAMs that are to be evaluated at once; it doesn't wait."""
        self._access, self._store = access, store
        self._clock, self._on_marked = clock, on_marked

    async def modify(self, caller: Caller, wish: Wish, *, dry_run: bool) -> MonitoredCidr:
        """The CIDR, as it is from now on.

        What is allocated from a pool moves when its allocation is gone (MON-6); until then it stays
        as it is.

        Raises:
            InvalidParameterValue: there is none of this kind, or it can't be ignored or moved so.
            InvalidParameterCombination: to be ignored and moved.
            CadastreError: a scope is not the caller's.
        """
        scope = await self._access.scope(caller, wish.scope_id)
        destination = None
        if wish.destination_id is not None:
            destination = await self._access.scope(caller, wish.destination_id)
        _check(wish, scope, destination)
        now = self._clock()
        marked = await self._store.change(
            lambda rows: _carry_out(rows, scope.ipam_id, wish, now), dry_run=dry_run
        )
        self._on_marked(scope.ipam_id)
        return marked


def _check(wish: Wish, scope: Scope, destination: Scope | None) -> None:
    if destination and not wish.is_monitored:
        raise InvalidParameterCombination(
            "destinationIpamScopeId can't be given with monitored=false: an ignored CIDR does not"
            " move; leave one of them out",
            parameter="destinationIpamScopeId",
            value=destination.scope_id,
        )
    if scope.is_public and not wish.is_monitored:
        raise InvalidParameterValue(
            f"Value (false) for parameter monitored is invalid. '{scope.scope_id}' is a public"
            " scope, whose CIDRs can't be ignored; only those of private scopes can",
            parameter="monitored",
            value="false",
            ipam_scope_id=scope.scope_id,
        )
    if destination is None:
        return
    if scope.is_public or destination.is_public:
        raise _no_destination(destination, "CIDRs move between private scopes only")
    if destination.ipam_id != scope.ipam_id:
        raise _no_destination(destination, f"It is not a scope of '{scope.ipam_id}'")


def _no_destination(destination: Scope, why: str) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"Value ({destination.scope_id}) for parameter destinationIpamScopeId is invalid. {why};"
        " use another private scope of the same IPAM",
        parameter="destinationIpamScopeId",
        value=destination.scope_id,
    )


def _carry_out(rows: Rows, ipam_id: str, wish: Wish, now: datetime) -> MonitoredCidr:
    rows.claim(ipam_id)
    known = rows.current(wish.scope_id, wish.marked)
    _check_is_vpcs(wish, known)
    _check_is_ones(wish, known)
    before = rows.marking(ipam_id, wish.marked)
    scope_id = wish.destination_id or before.scope_id
    rows.mark(ipam_id, wish.marked, Marking(not wish.is_monitored, scope_id))
    destination_id = wish.destination_id or wish.scope_id
    for record in known:
        _begin_anew(rows, record, destination_id, _states(record, wish), now)
    # What is allocated has stayed.
    return [
        *rows.current(destination_id, wish.marked),
        *rows.current(wish.scope_id, wish.marked),
    ][0]


def _check_is_vpcs(wish: Wish, known: Sequence[MonitoredCidr]) -> None:
    region, resource_id, cidr = wish.marked
    if not known:
        raise InvalidParameterValue(
            f"The resource '{resource_id}' has no CIDR {cidr} in {region} that is monitored in"
            f" '{wish.scope_id}'; GetIpamResourceCidrs tells which are",
            parameter="resourceCidr",
            value=cidr,
            resource_id=resource_id,
            resource_region=region,
            ipam_scope_id=wish.scope_id,
        )
    if known[0].resource_type is not ResourceType.VPC:
        raise InvalidParameterValue(
            f"Value ({resource_id}) for parameter resourceId is invalid. It is a"
            f" {known[0].resource_type.value}; only CIDRs of VPCs are ignored, monitored and moved",
            parameter="resourceId",
            value=resource_id,
            resource_type=known[0].resource_type.value,
        )


def _check_is_ones(wish: Wish, known: Sequence[MonitoredCidr]) -> None:
    """What is said would be said of all of them."""
    owner_ids = sorted({record.owner_id for record in known})
    if len(owner_ids) > 1:
        resource_id, owners = wish.marked.resource_id, ", ".join(owner_ids)
        raise InvalidParameterValue(
            f"Value ({resource_id}) for parameter resourceId is invalid. Several accounts have such"
            f" a resource with {wish.marked.cidr} in {wish.marked.region}: {owners}; have all but"
            " one of them give it another id",
            parameter="resourceId",
            value=resource_id,
            owner_ids=owners,
        )


def _states(record: MonitoredCidr, wish: Wish) -> States | None:
    """What it is from now on; None: what it was."""
    is_ignored = record.management_state is ManagementState.IGNORED
    if is_ignored is not wish.is_monitored:
        return None
    return UNMANAGED if wish.is_monitored else IGNORED


def _begin_anew(
    rows: Rows, record: MonitoredCidr, destination_id: str, states: States | None, now: datetime
) -> None:
    is_moving = destination_id != record.scope_id and record.pool_id is None
    if is_moving:
        rows.begin_anew(rows.subnets_of(record), now, destination_id, None)
    if is_moving or states:
        scope_id = destination_id if is_moving else record.scope_id
        rows.begin_anew([record.record_id], now, scope_id, states)
