"""What a target is after what happens to it."""

import pytest

from services.discovery.resolvers.target import Target, TargetState
from shared.errors import IncorrectState

TARGET = Target(
    target_id="ipam-plrt-1",
    resolver_id="ipam-plr-1",
    owner_id="123456789012",
    region="us-east-1",
    prefix_list_id="pl-1",
    prefix_list_region="us-west-2",
    desired_version=None,
    tags={},
)
ATTACHED = TARGET.in_state(TargetState.CREATE_COMPLETE)


@pytest.mark.parametrize(
    ("desired", "last", "wanted"),
    [(None, 0, None), (None, 3, 3), (2, 3, 2), (1, 0, 1)],
    ids=["none yet", "the latest", "a pinned one", "the first, before it is there"],
)
def test_the_wanted_version(desired: int | None, last: int, wanted: int | None) -> None:
    target = ATTACHED.wanting(desired)
    assert target.wanted_version(last) == wanted


def test_it_is_given_a_version() -> None:
    given = ATTACHED.being_given(1)
    assert given.state is TargetState.SYNC_IN_PROGRESS
    done = given.given(1, None)
    assert (done.state, done.last_synced_version) == (TargetState.SYNC_COMPLETE, 1)
    assert done.being_given(1) is done
    assert done.given(1, None) == done


def test_a_refusal_is_told_until_it_passes() -> None:
    done = ATTACHED.being_given(1).given(1, None)
    failed = done.being_given(2).given(2, "full")
    assert (failed.state, failed.state_message) == (TargetState.SYNC_FAILED, "full")
    assert failed.last_synced_version == 1
    again = failed.being_given(2)
    assert (again.state, again.state_message) == (TargetState.SYNC_IN_PROGRESS, None)


def test_a_change_meanwhile_is_not_taken_for_done() -> None:
    changed = ATTACHED.being_given(2).wanting(1)
    assert changed.given(2, None).state is TargetState.MODIFY_COMPLETE
    assert changed.given(2, "full") is changed


@pytest.mark.parametrize(
    "state",
    [state for state in TargetState if not state.is_attached],
    ids=lambda state: str(state.value),
)
def test_what_has_no_prefix_list_can_not_be_modified(state: TargetState) -> None:
    with pytest.raises(IncorrectState, match=state.value):
        TARGET.in_state(state).wanting(1)
