"""OU exclusions, without any I/O: against sets of OUs found by walking the tree."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control_plane.organizations.membership import Membership
from services.control_plane.resource_discoveries.errors import (
    IpamOrganizationalUnitExclusionLimitExceeded,
)
from services.control_plane.resource_discoveries.exclusions import (
    Exclusion,
    ExclusionsChange,
    changed_exclusions,
    is_excluded,
)
from shared.errors import CadastreError, InvalidParameterCombination, InvalidParameterValue

DISCOVERY = "ipam-res-disco-0000000000000000d"
ROOT = "o-1/r-1/"
ADMINISTRATOR, MEMBER = "111122223333", "444455556666"


def parsed(*paths: str) -> tuple[Exclusion, ...]:
    return tuple(map(Exclusion.parse, paths))


def after(before: Sequence[str], added: Sequence[str], removed: Sequence[str]) -> list[str]:
    change = ExclusionsChange(parsed(*added), parsed(*removed))
    outcome = changed_exclusions(DISCOVERY, parsed(*before), change, quota=10)
    return [str(exclusion) for exclusion in outcome]


@pytest.mark.parametrize(
    "path",
    [
        # The guide's.
        "o-a1b2c3d4e5/r-f6g7h8i9j0example/ou-ghi0-awsccccc/ou-jkl0-awsddddd/",
        "o-a1b2c3d4e5/r-f6g7h8i9j0example/ou-ghi0-awsccccc/*",
        "o-1/r-1/ou-1/",
    ],
)
def test_a_path_is_given_back_as_it_was_written(path: str) -> None:  # ORG-7
    assert str(Exclusion.parse(path)) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "*",
        "o-1/r-1/",
        "o-1/r-1/*",
        "o-1/ou-1/",
        "r-1/ou-1/",
        "o-1/r-1/ou-1",
        "o-1/r-1/ou-1*",
        "o-1/r-1/ou-1/**",
        "o-1/r-1/*/ou-1/",
        "o-1/r-1/ou-1//",
        "o-1/r-1/ou-1/123456789012/",
        "/o-1/r-1/ou-1/",
        " o-1/r-1/ou-1/",
        "o-1/r-1/ou-1/\n",
        "O-1/R-1/OU-1/",
    ],
)
def test_a_path_of_another_form_is_refused(path: str) -> None:  # ORG-7
    with pytest.raises(InvalidParameterValue, match="write the path of an OU as") as refusal:
        Exclusion.parse(path)
    assert refusal.value.metadata["value"] == path


@pytest.mark.parametrize(
    ("before", "added", "removed", "outcome"),
    [
        pytest.param([], [f"{ROOT}ou-1/"], [], [f"{ROOT}ou-1/"], id="add"),
        pytest.param([f"{ROOT}ou-1/"], [], [f"{ROOT}ou-1/"], [], id="remove"),
        pytest.param(
            [f"{ROOT}ou-1/"],
            [f"{ROOT}ou-1/ou-2/"],
            [],
            [f"{ROOT}ou-1/", f"{ROOT}ou-1/ou-2/"],
            id="an OU alone and one below it",
        ),
        pytest.param(
            [f"{ROOT}ou-1/"],
            [f"{ROOT}ou-1/ou-2/*"],
            [],
            [f"{ROOT}ou-1/", f"{ROOT}ou-1/ou-2/*"],
            id="an OU alone and all below another below it",
        ),
        pytest.param(
            [f"{ROOT}ou-1/ou-2/"],
            [f"{ROOT}ou-1/*"],
            [f"{ROOT}ou-1/ou-2/"],
            [f"{ROOT}ou-1/*"],
            id="only the outcome counts, as in the guide",
        ),
        pytest.param(
            [f"{ROOT}ou-1/*"],
            [f"{ROOT}ou-11/"],
            [],
            [f"{ROOT}ou-1/*", f"{ROOT}ou-11/"],
            id="one id begins as another",
        ),
    ],
)
def test_what_is_left_out_changes_as_asked(  # ORG-9
    before: list[str], added: list[str], removed: list[str], outcome: list[str]
) -> None:
    assert after(before, added, removed) == outcome


@pytest.mark.parametrize(
    ("before", "added", "removed", "refusal", "said"),
    [
        pytest.param(
            [f"{ROOT}ou-1/*"],
            [f"{ROOT}ou-1/ou-2/"],
            [],
            InvalidParameterValue,
            "exclude the same OU",
            id="the guide's nested ones",
        ),
        pytest.param(
            [f"{ROOT}ou-1/ou-2/"],
            [f"{ROOT}ou-1/*"],
            [],
            InvalidParameterValue,
            "exclude the same OU",
            id="nested the other way",
        ),
        pytest.param(
            [],
            [f"{ROOT}ou-1/", f"{ROOT}ou-1/*"],
            [],
            InvalidParameterValue,
            "exclude the same OU",
            id="an OU alone and with all below it",
        ),
        pytest.param(
            [f"{ROOT}ou-1/"],
            [f"{ROOT}ou-1/"],
            [],
            InvalidParameterValue,
            "exclude the same OU",
            id="excluded before",
        ),
        pytest.param(
            [],
            [f"{ROOT}ou-1/", f"{ROOT}ou-1/"],
            [],
            InvalidParameterValue,
            "named twice",
            id="twice in add",
        ),
        pytest.param(
            [f"{ROOT}ou-1/"],
            [],
            [f"{ROOT}ou-1/", f"{ROOT}ou-1/"],
            InvalidParameterValue,
            "named twice",
            id="twice in remove",
        ),
        pytest.param(
            [],
            [f"{ROOT}ou-1/"],
            [f"{ROOT}ou-1/"],
            InvalidParameterCombination,
            "added and removed",
            id="in both",
        ),
        pytest.param(
            [f"{ROOT}ou-1/*"],
            [],
            [f"{ROOT}ou-1/"],
            InvalidParameterValue,
            "does not exclude it",
            id="not excluded",
        ),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(  # ORG-9
    before: list[str],
    added: list[str],
    removed: list[str],
    refusal: type[CadastreError],
    said: str,
) -> None:
    with pytest.raises(refusal, match=said):
        after(before, added, removed)


def test_a_resource_discovery_leaves_out_so_many(  # ORG-8
) -> None:
    ten = [f"{ROOT}ou-{n}/" for n in range(10)]
    assert after(ten[:9], ten[9:], []) == ten
    assert len(after(ten, [f"{ROOT}ou-x/"], ten[:1])) == 10
    with pytest.raises(IpamOrganizationalUnitExclusionLimitExceeded) as refusal:
        after(ten, [f"{ROOT}ou-x/"], [])
    assert refusal.value.metadata == {
        "quota": "10",
        "count": "10",
        "wanted": "11",
        "ipam_resource_discovery_id": DISCOVERY,
    }


def test_more_than_before_the_quota_sank_can_only_become_fewer() -> None:  # ORG-8
    four = parsed(*(f"{ROOT}ou-{n}/" for n in range(4)))
    kept = changed_exclusions(DISCOVERY, four, ExclusionsChange(removed=four[:2]), quota=2)
    assert kept == four[2:]
    assert changed_exclusions(DISCOVERY, four, ExclusionsChange(removed=four[:1]), quota=2)


@dataclass(frozen=True)
class Tree:
    """OUs by number: each with its parent's, an older one's, or -1 for the root."""

    parents: tuple[int, ...]

    def path(self, unit: int) -> str:
        # Ids that begin as others do.
        return ROOT if unit < 0 else f"{self.path(self.parents[unit])}ou-{'1' * (unit + 1)}/"

    def left_out_by(self, unit: int, with_all_below: bool) -> set[int]:
        found = {unit}
        if with_all_below:
            for child, parent in enumerate(self.parents):
                if parent in found:
                    found.add(child)
        return found

    def exclusion(self, unit: int, with_all_below: bool) -> Exclusion:
        return Exclusion.parse(self.path(unit) + "*" * with_all_below)

    def account(self, account_id: str, unit: int) -> Membership:
        _, *holders = self.path(unit).rstrip("/").split("/")
        return Membership(account_id, "o-1", "000000000000", tuple(holders))


trees = (
    st.integers(1, 9)
    .flatmap(lambda count: st.tuples(*(st.integers(-1, unit - 1) for unit in range(count))))
    .map(Tree)
)
wholes = st.booleans()


@given(st.data())
def test_an_account_is_excluded_where_its_ou_is(data: st.DataObject) -> None:  # ORG-7, ORG-8
    tree = data.draw(trees)
    units = st.integers(0, len(tree.parents) - 1)
    chosen = data.draw(st.lists(st.tuples(units, wholes), max_size=4))
    left_out = {unit for choice in chosen for unit in tree.left_out_by(*choice)}
    exclusions = [tree.exclusion(*choice) for choice in chosen]
    for unit in range(-1, len(tree.parents)):
        member, administrator = tree.account(MEMBER, unit), tree.account(ADMINISTRATOR, unit)
        assert is_excluded(member, exclusions, ADMINISTRATOR) == (unit in left_out)
        assert not is_excluded(administrator, exclusions, ADMINISTRATOR)


@given(st.data())
def test_a_change_is_accepted_when_no_ou_is_left_out_twice(  # ORG-9
    data: st.DataObject,
) -> None:
    tree = data.draw(trees)
    choice = st.tuples(st.integers(0, len(tree.parents) - 1), wholes)
    before: list[tuple[int, bool]] = []
    for _ in range(data.draw(st.integers(1, 5))):
        added = data.draw(st.lists(choice, max_size=3))
        removed = data.draw(
            st.lists(st.one_of(st.sampled_from(before), choice) if before else choice, max_size=2)
        )
        outcome = [one for one in before if one not in removed] + added
        is_sound = (
            len(set(added)) == len(added)
            and len(set(removed)) == len(removed)
            and not set(added) & set(removed)
            and set(removed) <= set(before)
            and all(
                not tree.left_out_by(*one) & tree.left_out_by(*other)
                for one, other in combinations(outcome, 2)
            )
            and len(outcome) <= 4
        )
        change = ExclusionsChange(
            tuple(tree.exclusion(*one) for one in added),
            tuple(tree.exclusion(*one) for one in removed),
        )
        exclusions = [tree.exclusion(*one) for one in before]
        try:
            found = changed_exclusions(DISCOVERY, exclusions, change, quota=4)
        except CadastreError:
            assert not is_sound
        else:
            assert is_sound
            assert list(found) == [tree.exclusion(*one) for one in outcome]
            before = outcome
