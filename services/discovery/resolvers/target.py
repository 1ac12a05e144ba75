"""Targets of prefix list resolvers: which version which prefix list is to have, and has."""

import enum
from dataclasses import dataclass, replace
from typing import NamedTuple

from shared.errors import IncorrectState
from shared.tags import Tags


class TargetState(enum.Enum):
    """The value is AWS's word."""

    CREATE_IN_PROGRESS = "create-in-progress"
    CREATE_COMPLETE = "create-complete"
    CREATE_FAILED = "create-failed"
    MODIFY_IN_PROGRESS = "modify-in-progress"
    MODIFY_COMPLETE = "modify-complete"
    SYNC_IN_PROGRESS = "sync-in-progress"
    SYNC_COMPLETE = "sync-complete"
    SYNC_FAILED = "sync-failed"
    DELETE_IN_PROGRESS = "delete-in-progress"
    DELETE_FAILED = "delete-failed"

    @property
    def is_attached(self) -> bool:
        """The prefix list is its, and is given what it is to have."""
        return self in _ATTACHED

    @property
    def is_of_synchronising(self) -> bool:
        """It tells how giving went, and nothing that came since."""
        return self in _SYNCHRONISING


_SYNCHRONISING = frozenset(
    {TargetState.SYNC_IN_PROGRESS, TargetState.SYNC_COMPLETE, TargetState.SYNC_FAILED}
)
_ATTACHED = _SYNCHRONISING | {TargetState.CREATE_COMPLETE, TargetState.MODIFY_COMPLETE}


class NamedPrefixList(NamedTuple):
    """A prefix list, by what names it."""

    owner_id: str
    region: str
    prefix_list_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Ties a resolver to a prefix list."""

    target_id: str
    resolver_id: str
    owner_id: str
    region: str
    """The resolver's."""
    prefix_list_id: str
    prefix_list_region: str
    desired_version: int | None
    """None: the latest, whichever that is."""
    tags: Tags
    last_synced_version: int | None = None
    state: TargetState = TargetState.CREATE_IN_PROGRESS
    state_message: str | None = None

    @property
    def prefix_list(self) -> NamedPrefixList:
        return NamedPrefixList(self.owner_id, self.prefix_list_region, self.prefix_list_id)

    def wanted_version(self, last: int) -> int | None:
        """What the prefix list is to have, where ``last`` is the newest, 0 for none; None: nothing
        yet."""
        return self.desired_version or last or None

    def wanting(self, desired_version: int | None) -> "Target":
        """From now on to have this version; None: the latest.

        Raises:
            IncorrectState: it has no prefix list, or not for long.
        """
        if not self.state.is_attached:
            raise IncorrectState(
                f"The target '{self.target_id}' is in state {self.state.value}; only one that was"
                " created and is not being deleted can be modified",
                ipam_prefix_list_resolver_target_id=self.target_id,
                state=self.state.value,
            )
        return replace(
            self,
            desired_version=desired_version,
            state=TargetState.MODIFY_COMPLETE,
            state_message=None,
        )

    def given(self, version: int, refusal: str | None) -> "Target":
        """After its prefix list was to be given a version."""
        if refusal is not None:
            if not self.state.is_of_synchronising:
                return self
            return replace(self, state=TargetState.SYNC_FAILED, state_message=refusal)
        synced = replace(self, last_synced_version=version)
        if not self.state.is_of_synchronising:
            return synced
        return replace(synced, state=TargetState.SYNC_COMPLETE, state_message=None)

    def being_given(self, version: int) -> "Target":
        """While its prefix list is given a version; itself, when the list should have that."""
        is_known = self.state is TargetState.SYNC_COMPLETE and self.last_synced_version == version
        return self if is_known else self.in_state(TargetState.SYNC_IN_PROGRESS)

    def in_state(self, state: TargetState, message: str | None = None) -> "Target":
        return replace(self, state=state, state_message=message)
