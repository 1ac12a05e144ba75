"""Which accounts of an organization a resource discovery leaves out (ORG-7 to ORG-9)."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations

from services.control_plane.organizations.membership import Membership
from services.control_plane.resource_discoveries.errors import (
    IpamOrganizationalUnitExclusionLimitExceeded,
)
from shared.errors import InvalidParameterCombination, InvalidParameterValue

_PATH = re.compile(r"(?P<unit>o-[a-z0-9]+/r-[a-z0-9]+/(ou-[a-z0-9]+(-[a-z0-9]+)?/)+)(?P<below>\*?)")


@dataclass(frozen=True, slots=True)
class Exclusion:
    """An OU that is left out: it alone, or with all below it (ORG-7)."""

    unit_path: str
    """Entity path of the OU, as accounts in it have it: ``o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/``.
    """
    with_all_below: bool

    @classmethod
    def parse(cls, text: str) -> "Exclusion":
        """What AWS writes as ``o-…/r-…/ou-…/``, or with ``*`` at the end.

        Raises:
            InvalidParameterValue: it has another form.
        """
        found = _PATH.fullmatch(text)
        if found is None:
            raise InvalidParameterValue(
                f"Value ({text}) for parameter organizationsEntityPath is invalid; write the path"
                " of an OU as 'o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/', with '*' at the end to leave"
                " out all OUs below it, too",
                parameter="organizationsEntityPath",
                value=text,
            )
        return cls(found["unit"], bool(found["below"]))

    def __str__(self) -> str:
        return f"{self.unit_path}*" if self.with_all_below else self.unit_path

    @property
    def unit_id(self) -> str:
        """Id of the OU."""
        return self.unit_path.split("/")[-2]

    def leaves_out(self, entity_path: str) -> bool:
        """An account of this entity path is directly in the OU or, where that counts, below it."""
        if self.with_all_below:
            # Every part of a path ends with a slash, so no id is taken for the beginning of one.
            return entity_path.startswith(self.unit_path)
        return entity_path == self.unit_path

    def nests_with(self, other: "Exclusion") -> bool:
        """Some OU would be left out by both (ORG-9)."""
        return self.leaves_out(other.unit_path) or other.leaves_out(self.unit_path)


@dataclass(frozen=True, slots=True)
class ExclusionsChange:
    """What a caller may change of what is left out."""

    added: tuple[Exclusion, ...] = ()
    removed: tuple[Exclusion, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


def changed_exclusions(
    ipam_resource_discovery_id: str,
    before: Sequence[Exclusion],
    change: ExclusionsChange,
    *,
    quota: int,
) -> tuple[Exclusion, ...]:
    """What is left out after ``change``; only the outcome has to be in order (ORG-9).

    Raises:
        InvalidParameterValue: a path is named twice, one to be removed is not excluded, or two of
            the outcome leave out the same OU.
        InvalidParameterCombination: a path is to be added and removed.
        IpamOrganizationalUnitExclusionLimitExceeded: the outcome has more than ``quota``.
    """
    _check_named_once(change)
    for exclusion in change.removed:
        if exclusion not in before:
            raise _refusal(
                "removeOrganizationalUnitExclusions",
                exclusion,
                f"'{ipam_resource_discovery_id}' does not exclude it",
            )
    kept = [exclusion for exclusion in before if exclusion not in change.removed]
    after = (*kept, *change.added)
    for one, other in combinations(after, 2):
        if one.nests_with(other):
            raise _refusal(
                "addOrganizationalUnitExclusions",
                other,
                f"it and {one} exclude the same OU; keep one of the two",
            )
    if change.added and len(after) > quota:
        raise IpamOrganizationalUnitExclusionLimitExceeded(
            ipam_resource_discovery_id, count=len(before), wanted=len(after), quota=quota
        )
    return after


def is_excluded(
    account: Membership, exclusions: Collection[Exclusion], administrator_id: str
) -> bool:
    """The account is left out; the delegated administrator's own never is (ORG-8)."""
    if account.account_id == administrator_id:
        return False
    return any(exclusion.leaves_out(account.entity_path) for exclusion in exclusions)


def _check_named_once(change: ExclusionsChange) -> None:
    for parameter, named in (
        ("addOrganizationalUnitExclusions", change.added),
        ("removeOrganizationalUnitExclusions", change.removed),
    ):
        for exclusion in named:
            if named.count(exclusion) > 1:
                raise _refusal(parameter, exclusion, "it is named twice; name it once")
    for exclusion in change.added:
        if exclusion in change.removed:
            raise InvalidParameterCombination(
                f"{exclusion} is to be added and removed at once; name it in one of"
                " AddOrganizationalUnitExclusions and RemoveOrganizationalUnitExclusions",
                value=exclusion,
            )


def _refusal(parameter: str, exclusion: Exclusion, why: str) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"Value ({exclusion}) for parameter {parameter} is invalid; {why}",
        parameter=parameter,
        value=exclusion,
    )
