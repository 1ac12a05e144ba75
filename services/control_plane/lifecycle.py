"""The states an IPAM, a scope or a pool goes through (IPAM-10, design.md section 5)."""

import enum

from shared.errors import IncorrectState


class State(enum.StrEnum):
    """AWS's words; what waits for a saga step ends in ``in-progress``."""

    CREATE_IN_PROGRESS = "create-in-progress"
    CREATE_COMPLETE = "create-complete"
    CREATE_FAILED = "create-failed"
    MODIFY_IN_PROGRESS = "modify-in-progress"
    MODIFY_COMPLETE = "modify-complete"
    MODIFY_FAILED = "modify-failed"
    DELETE_IN_PROGRESS = "delete-in-progress"
    DELETE_FAILED = "delete-failed"


_COMPLETED = {
    State.CREATE_IN_PROGRESS: State.CREATE_COMPLETE,
    State.MODIFY_IN_PROGRESS: State.MODIFY_COMPLETE,
}
_FAILED = {
    State.CREATE_IN_PROGRESS: State.CREATE_FAILED,
    State.MODIFY_IN_PROGRESS: State.MODIFY_FAILED,
    State.DELETE_IN_PROGRESS: State.DELETE_FAILED,
}


def completed(state: State) -> State:
    """Where ``state`` leads when its step succeeds; what was deleted has no state any more."""
    return _COMPLETED.get(state, state)


def failed(state: State) -> State:
    """Where ``state`` leads when its step is refused for good."""
    return _FAILED.get(state, state)


def is_in_progress(state: State) -> bool:
    """A step is yet to be carried out."""
    return state in _FAILED


def check_usable(resource_id: str, state: State) -> None:
    """Nothing is changed, and nothing created, under what is being deleted.

    A failed deletion leaves the thing as usable as it was, and so does a failed change.

    Raises:
        IncorrectState: ``resource_id`` is being deleted.
    """
    if state is State.DELETE_IN_PROGRESS:
        raise IncorrectState(
            f"'{resource_id}' is in state '{state}'; only what is not being deleted can be changed"
            " or used",
            resource_id=resource_id,
            state=state,
        )
