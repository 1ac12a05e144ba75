"""The rules a pool sets for its allocations."""

from typing import Any

import pytest

from services.control_plane.allocation_rules import (
    AllocationRules,
    RulesChange,
    changed,
    checked,
)
from shared.cidr import AddressFamily
from shared.errors import (
    CadastreError,
    InvalidParameterCombination,
    InvalidParameterValue,
    QuotaExceeded,
)

V4, V6 = AddressFamily.IPV4, AddressFamily.IPV6


def lengths(shortest: int | None, default: int | None, longest: int | None) -> AllocationRules:
    return AllocationRules(
        min_netmask_length=shortest, default_netmask_length=default, max_netmask_length=longest
    )


@pytest.mark.parametrize(
    ("family", "rules"),
    [
        (V4, lengths(None, None, None)),
        (V4, lengths(0, 16, 32)),
        (V4, lengths(24, 24, 24)),
        (V4, lengths(None, 28, None)),
        (V4, lengths(16, None, 28)),
        (V6, lengths(0, 56, 128)),
    ],
)
def test_lengths_in_order_and_within_the_family_are_fine(  # POOL-4
    family: AddressFamily, rules: AllocationRules
) -> None:
    assert checked(rules, family, has_locale=False) == rules


@pytest.mark.parametrize(
    ("family", "rules", "said"),
    [
        (V4, lengths(33, None, None), "0-32"),
        (V4, lengths(None, 33, None), "0-32"),
        (V4, lengths(None, None, 64), "0-32"),
        (V6, lengths(None, None, 129), "0-128"),
        (V4, lengths(-1, None, None), "0-32"),
        (V4, lengths(24, None, 16), "allocationMinNetmaskLength 24"),
        (V4, lengths(24, 16, None), "allocationDefaultNetmaskLength 16"),
        (V4, lengths(None, 28, 24), "allocationMaxNetmaskLength 24"),
    ],
)
def test_other_lengths_are_refused(  # POOL-4
    family: AddressFamily, rules: AllocationRules, said: str
) -> None:
    with pytest.raises(InvalidParameterValue, match=said):
        checked(rules, family, has_locale=False)


def test_automatic_import_needs_a_locale() -> None:  # MON-4
    rules = AllocationRules(auto_import=True)
    assert checked(rules, V4, has_locale=True) == rules
    with pytest.raises(InvalidParameterCombination, match="locale"):
        checked(rules, V4, has_locale=False)


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        pytest.param(lengths(8, 16, 24), {}, lengths(8, 16, 24), id="nothing"),
        pytest.param(
            lengths(8, 16, 24), {"min_netmask_length": 0}, lengths(0, 16, 24), id="zero is a length"
        ),
        pytest.param(
            lengths(8, 16, 24),
            {"clear_default_netmask_length": True},
            lengths(8, None, 24),
            id="clear",
        ),
        pytest.param(
            AllocationRules(resource_tags={"env": "dev", "team": "a"}),
            {
                "add_resource_tags": {"env": "prod"},
                "remove_resource_tags": {"team": "a", "absent": None},
            },
            AllocationRules(resource_tags={"env": "prod"}),
            id="tags one by one",
        ),
        pytest.param(
            AllocationRules(resource_tags={"env": "dev"}),
            {"remove_resource_tags": {"env": "prod"}},
            AllocationRules(resource_tags={"env": "dev"}),
            id="another value is another tag",
        ),
        pytest.param(
            AllocationRules(resource_tags={"env": "dev"}),
            {"remove_resource_tags": {"env": None}},
            AllocationRules(),
            id="no value removes any",
        ),
        pytest.param(
            AllocationRules(auto_import=True),
            {"auto_import": False},
            AllocationRules(),
            id="false is a value",
        ),
    ],
)
def test_a_change_touches_what_it_names(  # POOL-4
    before: AllocationRules, change: dict[str, Any], after: AllocationRules
) -> None:
    assert changed(before, RulesChange(**change)) == after


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (
            {"default_netmask_length": 24, "clear_default_netmask_length": True},
            InvalidParameterCombination,
        ),
        ({"add_resource_tags": {str(n): "" for n in range(51)}}, QuotaExceeded),
    ],
)
def test_an_impossible_change_is_refused(
    change: dict[str, Any], refusal: type[CadastreError]
) -> None:
    with pytest.raises(refusal):
        changed(AllocationRules(), RulesChange(**change))
