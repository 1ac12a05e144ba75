"""The states of an association, and what may be associated."""

from datetime import UTC, datetime, timedelta

import pytest

from services.control_plane.internet_registries import association as rules
from services.control_plane.internet_registries.association import (
    AssociationState,
    InternetRegistryAssociation,
    Rir,
)
from shared.errors import IncorrectState, InvalidParameterValue

NOW = datetime(2030, 6, 15, 12, tzinfo=UTC)
ALL = list(AssociationState)


def association(state: AssociationState) -> InternetRegistryAssociation:
    return InternetRegistryAssociation(
        ipam_internet_registry_association_id="ipam-internet-registry-assoc-1",
        ipam_id="ipam-1",
        owner_id="123456789012",
        ipam_region="us-east-1",
        rir=Rir.RIPE,
        organization_handle="ORG-EX1-RIPE",
        description=None,
        tags={},
        state=state,
    )


@pytest.mark.parametrize("state", ALL)
def test_only_what_waits_or_has_failed_is_enabled(state: AssociationState) -> None:
    before = association(state)
    if state in {AssociationState.PENDING_ENABLE, AssociationState.ENABLE_FAILED}:
        after = rules.enabling(before, NOW)
        assert (after.state, after.version) == (AssociationState.ENABLE_IN_PROGRESS, 2)
        assert after.enable_until == NOW + rules.ENABLING_TAKES
    else:
        with pytest.raises(IncorrectState, match=f"'{state}'.*'pending-enable'"):
            rules.enabling(before, NOW)


@pytest.mark.parametrize("state", ALL)
def test_what_is_in_progress_is_not_deleted(state: AssociationState) -> None:
    if state.value.endswith("in-progress"):
        with pytest.raises(IncorrectState, match=state):
            rules.deleting(association(state))
    else:
        gone = rules.deleting(association(state))
        assert (gone.state, gone.version) == (AssociationState.DELETE_IN_PROGRESS, 2)
    assert rules.forced_out(association(state)).state is AssociationState.DELETE_IN_PROGRESS


def test_how_long_a_registry_is_away_is_counted_from_the_first_time() -> None:
    enabled = rules.enabled(association(AssociationState.ENABLE_IN_PROGRESS), NOW, None)
    away = rules.left_alone(enabled, NOW, "no answer")
    later = rules.left_alone(away, NOW + timedelta(hours=1), "still no answer")
    assert later.state is AssociationState.ENABLE_COMPLETE
    assert later.observed_at == NOW
    assert later.state_message is not None
    assert "since 2030-06-15T12:00:00Z: still no answer" in later.state_message
    back = rules.enabled(later, NOW + timedelta(hours=2), None)
    assert (back.state_message, back.away_since) == (None, None)
    assert back.observed_at == NOW + timedelta(hours=2)


@pytest.mark.parametrize("handle", ["", "ORG EX1", "ORG\tEX1", "ORG\x00EX1", "ORG\u00a0EX1"])
def test_a_handle_has_no_white_space(handle: str) -> None:
    with pytest.raises(InvalidParameterValue) as refusal:
        rules.check_handle(handle)
    assert refusal.value.metadata["value"] == handle
    rules.check_handle("ORG-EX1-RIPE")
