"""The rules of IPAMs and scopes, without any I/O."""

from typing import Any

import pytest

from services.control_plane.errors import IpamScopeLimitExceeded, StillInUse
from services.control_plane.ipam import (
    Ipam,
    IpamChange,
    Tier,
    changed,
    check_fits_free,
    check_locales_remain,
    check_none_of_others,
    check_tier_allows_scopes,
)
from services.control_plane.lifecycle import State, check_usable, completed, failed
from services.control_plane.scope import check_deletable, check_room_for_scope
from shared.errors import (
    CadastreError,
    IncorrectState,
    InvalidParameterCombination,
    InvalidParameterValue,
    OperationNotPermitted,
)
from tests.control_plane.records import IPAM_ID, a_scope, an_ipam


@pytest.mark.parametrize(
    ("change", "members"),
    [
        ({}, {}),
        ({"description": ""}, {"description": ""}),
        (
            {"add_operating_regions": ("eu-west-1",)},
            {"operating_regions": ("us-west-2", "us-east-1", "eu-west-1")},
        ),
        ({"remove_operating_regions": ("us-west-2",)}, {"operating_regions": ("us-east-1",)}),
        (
            {"remove_operating_regions": ("eu-west-1",)},
            {"operating_regions": ("us-west-2", "us-east-1")},
        ),
        ({"enable_private_gua": True}, {"enable_private_gua": True}),
        ({"tier": Tier.FREE}, {"tier": Tier.FREE}),
    ],
)
def test_a_change_touches_what_it_names(change: dict[str, Any], members: dict[str, Any]) -> None:
    after = changed(an_ipam(), IpamChange(**change))
    assert after == an_ipam(state=State.MODIFY_IN_PROGRESS, version=2, **members)


@pytest.mark.parametrize(
    ("ipam", "change", "refusal", "said"),
    [
        (
            an_ipam(),
            {"remove_operating_regions": ("us-east-1",)},
            InvalidParameterValue,
            "home region",
        ),
        (an_ipam(), {"add_operating_regions": ("mars-1",)}, InvalidParameterValue, "mars-1"),
        (
            an_ipam(),
            {"add_operating_regions": ("us-west-2",), "remove_operating_regions": ("us-west-2",)},
            InvalidParameterCombination,
            "us-west-2",
        ),
        (an_ipam(state=State.DELETE_IN_PROGRESS), {}, IncorrectState, "delete-in-progress"),
    ],
)
def test_an_impossible_change_is_refused(
    ipam: Ipam, change: dict[str, Any], refusal: type[CadastreError], said: str
) -> None:
    with pytest.raises(refusal, match=said):
        changed(ipam, IpamChange(**change))


def test_a_region_that_a_pool_has_as_locale_stays() -> None:  # IPAM-3
    locales = {"pool-1": "None", "pool-2": "us-east-1", "pool-3": "us-west-2-lax-1"}
    check_locales_remain(IPAM_ID, ["us-east-1", "us-west-2"], locales)
    with pytest.raises(StillInUse, match=r"pool-3 \(us-west-2-lax-1\)"):
        check_locales_remain(IPAM_ID, ["us-east-1"], locales)


@pytest.mark.parametrize(
    ("holdings", "in_the_way"),
    [
        ({}, None),
        ({"locales": {"pool-1": "us-east-1"}}, None),
        ({"locales": {"pool-1": "us-west-2"}}, "pool-1"),
        ({"locales": {"pool-1": "None"}}, "pool-1"),
        ({"private_pools": ["pool-2"]}, "pool-2"),
        ({"private_scopes": ["scope-1"]}, "scope-1"),
        ({"discovery_associations": ["association-1"]}, "association-1"),
    ],
)
def test_the_free_tier_lists_what_stands_in_the_way(  # IPAM-5
    holdings: dict[str, Any], in_the_way: str | None
) -> None:
    nothing: dict[str, Any] = {
        "private_pools": [],
        "private_scopes": [],
        "locales": {},
        "discovery_associations": [],
    }
    if in_the_way is None:
        check_fits_free(an_ipam(), **{**nothing, **holdings})
        return
    with pytest.raises(StillInUse, match=in_the_way):
        check_fits_free(an_ipam(), **{**nothing, **holdings})


def test_nobody_else_has_allocations_on_the_free_tier() -> None:  # IPAM-5
    check_none_of_others(an_ipam(), [])
    with pytest.raises(StillInUse, match="other than 123456789012 .*: ipam-pool-alloc-1"):
        check_none_of_others(an_ipam(), ["ipam-pool-alloc-1"])


def test_the_free_tier_has_no_other_scopes() -> None:  # IPAM-4
    check_tier_allows_scopes(an_ipam())
    with pytest.raises(OperationNotPermitted, match="free"):
        check_tier_allows_scopes(an_ipam(tier=Tier.FREE))


def test_an_ipam_has_so_many_scopes() -> None:  # SCP-2
    check_room_for_scope(IPAM_ID, scope_count=4, quota=5)
    with pytest.raises(IpamScopeLimitExceeded) as refusal:
        check_room_for_scope(IPAM_ID, scope_count=5, quota=5)
    assert refusal.value.metadata == {"quota": "5", "count": "5", "ipam_id": IPAM_ID}


def test_default_scopes_and_scopes_with_pools_stay() -> None:  # SCP-3
    check_deletable(a_scope(is_default=False), [])
    with pytest.raises(OperationNotPermitted, match="default scope"):
        check_deletable(a_scope(is_default=True), [])
    with pytest.raises(StillInUse, match="pool-1, pool-2"):
        check_deletable(a_scope(is_default=False), ["pool-1", "pool-2"])


def test_a_long_list_is_cut_short() -> None:
    with pytest.raises(StillInUse, match=r"pool-9 and 2 more$"):
        check_deletable(a_scope(is_default=False), [f"pool-{n}" for n in range(12)])


@pytest.mark.parametrize("state", State)
def test_steps_lead_out_of_states_in_progress_only(state: State) -> None:  # IPAM-10
    stem, progress = state.rsplit("-", 2)[0], state.endswith("-in-progress")
    assert failed(state) == (f"{stem}-failed" if progress else state)
    if state is not State.DELETE_IN_PROGRESS:
        assert completed(state) == (f"{stem}-complete" if progress else state)


@pytest.mark.parametrize("state", [s for s in State if s is not State.DELETE_IN_PROGRESS])
def test_whatever_is_not_being_deleted_can_be_used(state: State) -> None:
    check_usable("ipam-pool-1", state)


def test_what_is_being_deleted_can_not_be_used() -> None:
    with pytest.raises(IncorrectState, match="ipam-pool-1"):
        check_usable("ipam-pool-1", State.DELETE_IN_PROGRESS)
