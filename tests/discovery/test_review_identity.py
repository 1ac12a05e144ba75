"""Resources of two accounts are two resources, whatever ids their sources give them."""

from typing import Any

from services.discovery.evaluation.model import ManagementState, OverlapStatus, Present
from services.discovery.record import ScopesOfVpcs
from services.discovery.sources import AccountRegion
from shared.cidr import Cidr
from tests.discovery.evaluation.support import (
    EVERYTHING,
    OTHER_REGION,
    OWNER,
    REGION,
    allocated,
    evaluation,
    pool,
    vpc,
)

PUSHER = "000000000001"
BOTH = Present(EVERYTHING.complete | {AccountRegion(PUSHER, REGION)})


def pushed(number: int, cidr: str, **changes: Any) -> Any:
    """What another account pushes under an id that a resource of `OWNER` has."""
    return vpc(number, cidr, **{"row_id": 99, "owner_id": PUSHER, **changes})


def test_resources_of_two_regions_overlap_though_both_are_called_the_same() -> None:  # MON-3
    here, there = vpc(1, "10.0.0.0/16"), vpc(1, "10.0.0.0/16", row_id=2, region=OTHER_REGION)
    found = evaluation([here, there]).judgements
    assert [one.overlap_status for one in found] == [OverlapStatus.OVERLAPPING] * 2


def test_resources_of_two_accounts_overlap_though_both_are_called_the_same() -> None:  # MON-3
    found = evaluation([vpc(1, "10.0.0.0/16"), pushed(1, "10.0.0.0/17")]).judgements
    assert [one.overlap_status for one in found] == [OverlapStatus.OVERLAPPING] * 2


def test_nobody_has_anothers_allocation_by_naming_its_resource() -> None:  # MON-1, BEY-12
    real, ghost = vpc(1, "10.0.0.0/16"), pushed(1, "10.0.0.0/16")
    pools, held = [pool("pool-1", "10.0.0.0/8")], [allocated("pool-1", real)]
    states = [one.management_state for one in evaluation([real, ghost], pools, held).judgements]
    assert states == [ManagementState.MANAGED, ManagementState.UNMANAGED]


def test_a_gone_resources_allocation_is_released_though_another_account_names_it() -> None:
    # ALLOC-5
    pools = [pool("pool-1", "10.0.0.0/8")]
    held = [allocated("pool-1", vpc(1, "10.0.0.0/16"), service="discovery")]
    found = evaluation([pushed(1, "10.0.0.0/16")], pools, held, present=BOTH)
    assert found.releases == [held[0].allocation_id]


def test_interfaces_are_where_the_narrowest_cidr_of_their_vpc_is() -> None:  # MON-6
    scopes = ScopesOfVpcs(lambda _: "by nature")
    # Another account's of the same id, or a stale one.
    scopes.add("vpc-1", Cidr.parse("10.0.0.0/8"), "default")
    scopes.add("vpc-1", Cidr.parse("10.0.0.0/16"), "moved")
    assert scopes.scope_of(Cidr.parse("10.0.0.5/32"), "vpc-1") == "moved"

