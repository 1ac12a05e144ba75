"""The rules a pool sets for what is allocated from it (POOL-4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TypeVar

from shared.cidr import AddressFamily, check_netmask_length
from shared.errors import InvalidParameterCombination, InvalidParameterValue
from shared.tags import check_tag_count

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationRules:
    """None sets no limit. Rules are each pool's own; none is inherited."""

    min_netmask_length: int | None = None
    """Of the widest block allowed."""
    max_netmask_length: int | None = None
    """Of the narrowest block allowed."""
    default_netmask_length: int | None = None
    resource_tags: Mapping[str, str] = field(default_factory=dict)
    auto_import: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesChange:
    """What a caller may change; None leaves it as it is."""

    min_netmask_length: int | None = None
    max_netmask_length: int | None = None
    default_netmask_length: int | None = None
    clear_default_netmask_length: bool = False
    add_resource_tags: Mapping[str, str] = field(default_factory=dict)
    remove_resource_tags: Mapping[str, str | None] = field(default_factory=dict)
    """By key; a value of None removes whatever value is required."""
    auto_import: bool | None = None


def checked(rules: AllocationRules, family: AddressFamily, *, has_locale: bool) -> AllocationRules:
    """``rules`` themselves, when a pool of ``family`` can have them.

    Raises:
        InvalidParameterValue: a length the family doesn't have, or lengths out of order.
        InvalidParameterCombination: automatic import in a pool no resource may use.
    """
    lengths = [
        ("allocationMinNetmaskLength", rules.min_netmask_length),
        ("allocationDefaultNetmaskLength", rules.default_netmask_length),
        ("allocationMaxNetmaskLength", rules.max_netmask_length),
    ]
    given = [
        (name, check_netmask_length(length, family, parameter=name))
        for name, length in lengths
        if length is not None
    ]
    for (lower_name, lower), (upper_name, upper) in pairwise(given):
        if lower > upper:
            raise InvalidParameterValue(
                f"{lower_name} {lower} is greater than {upper_name} {upper}; lengths must be in the"
                " order minimum, default, maximum",
                **{lower_name: lower, upper_name: upper},
            )
    if rules.auto_import and not has_locale:
        raise InvalidParameterCombination(
            "AutoImport finds resources in the pool's locale only, and this pool has none; leave"
            " AutoImport out or use a pool with a locale",
            parameter="autoImport",
        )
    return rules


def changed(rules: AllocationRules, change: RulesChange) -> AllocationRules:
    """``rules`` after ``change``, still to be `checked`. Tags are removed first, then added.

    Raises:
        InvalidParameterCombination: a default length is both given and cleared.
        QuotaExceeded: more than 50 tags.
    """
    if change.clear_default_netmask_length and change.default_netmask_length is not None:
        raise InvalidParameterCombination(
            "AllocationDefaultNetmaskLength and ClearAllocationDefaultNetmaskLength exclude each"
            " other; send one of them",
            value=change.default_netmask_length,
        )
    default = _given(change.default_netmask_length, rules.default_netmask_length)
    kept = {
        key: value
        for key, value in rules.resource_tags.items()
        if change.remove_resource_tags.get(key, "") not in (None, value)
        or key not in change.remove_resource_tags
    }
    return replace(
        rules,
        min_netmask_length=_given(change.min_netmask_length, rules.min_netmask_length),
        max_netmask_length=_given(change.max_netmask_length, rules.max_netmask_length),
        default_netmask_length=None if change.clear_default_netmask_length else default,
        resource_tags=check_tag_count({**kept, **change.add_resource_tags}),
        auto_import=_given(change.auto_import, rules.auto_import),
    )


def _given(value: T | None, otherwise: T) -> T:
    return otherwise if value is None else value
