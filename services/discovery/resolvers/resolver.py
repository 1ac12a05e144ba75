"""Prefix list resolvers and their versions."""

import enum
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from services.discovery.resolvers.rule import Rule
from shared.cidr import AddressFamily, Cidr
from shared.tags import Tags

VERSIONS_KEPT = 10
"""Before each one that is in use, so that targets can go back."""
KEPT_FOR = timedelta(days=7)
"""Whether or not it is in use."""


class ResolverState(enum.Enum):
    """The value is AWS's word."""

    CREATE_IN_PROGRESS = "create-in-progress"
    CREATE_COMPLETE = "create-complete"
    MODIFY_IN_PROGRESS = "modify-in-progress"
    MODIFY_COMPLETE = "modify-complete"
    DELETE_IN_PROGRESS = "delete-in-progress"


class CreationStatus(enum.Enum):
    """Of the last time that a version was to be made; the value is AWS's word."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """Selects CIDRs of what an IPAM knows."""

    resolver_id: str
    owner_id: str
    region: str
    """The IPAM's home region."""
    ipam_id: str
    family: AddressFamily
    description: str | None
    rules: Sequence[Rule]
    tags: Tags
    state: ResolverState = ResolverState.CREATE_COMPLETE
    last_version: int = 0
    """0: there is none yet."""
    status: CreationStatus = CreationStatus.PENDING
    status_message: str | None = None
    revision: int = 1
    """Grows with its rules and its versions, so that what was selected by others is not saved."""

    def with_rules(self, rules: Sequence[Rule]) -> "Resolver":
        """What was selected before stays the last version until the new rules were followed."""
        return replace(
            self,
            rules=rules,
            status=CreationStatus.PENDING,
            status_message=None,
            revision=self.revision + 1,
        )

    def without_version(self, why: str) -> "Resolver":
        """After its rules could not be followed; itself, when it is known."""
        failed = replace(self, status=CreationStatus.FAILURE, status_message=why)
        return self if failed == self else replace(failed, revision=self.revision + 1)

    def having_selected(self, selected: Sequence[Cidr], last: Sequence[Cidr]) -> "Resolver":
        """After its rules were followed; ``last`` is what its last version has.

        Itself, when nothing is new. There is a new version where ``last_version`` is another one.
        """
        is_new = self.last_version == 0 or selected != last
        done = replace(
            self,
            last_version=self.last_version + is_new,
            status=CreationStatus.SUCCESS,
            status_message=None,
        )
        return self if done == self else replace(done, revision=self.revision + 1)


class Version(NamedTuple):
    """One of a resolver's versions."""

    number: int
    created_at: datetime


def outdated(
    versions: Iterable[Version], in_use: Collection[int], last: int, now: datetime
) -> list[int]:
    """The versions that are not to be kept any longer.

    ``in_use`` are those that targets have or are to have; ``last`` is the newest.
    """
    return [
        version.number
        for version in versions
        if version.created_at < now - KEPT_FOR
        and not any(0 <= used - version.number <= VERSIONS_KEPT for used in (*in_use, last))
    ]
