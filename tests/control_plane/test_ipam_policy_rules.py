"""Which policy applies to an account: pure rules."""

import pytest

from services.control_plane.ipam_policies.targets import (
    InForce,
    ManagedBy,
    in_force,
    policy_of_organization,
)
from services.control_plane.organizations.membership import Membership

ACCOUNT, MANAGER = "123456789012", "111111111111"
ROOT, OUTER, INNER, BESIDE = "r-ab12", "ou-ab12-11111111", "ou-ab12-22222222", "ou-ab12-33333333"
MEMBER = Membership(ACCOUNT, "o-a1b2c3d4e5", MANAGER, (ROOT, OUTER, INNER))


@pytest.mark.parametrize(
    ("targets", "nearest"),
    [
        pytest.param([ROOT, OUTER, INNER, ACCOUNT], ACCOUNT, id="the account itself"),
        pytest.param([ROOT, OUTER, INNER], INNER, id="the innermost OU"),
        pytest.param([ROOT, OUTER, BESIDE], OUTER, id="an outer OU"),
        pytest.param([ROOT, BESIDE, MANAGER], ROOT, id="the root"),
        pytest.param([BESIDE, MANAGER], None, id="none that holds it"),
    ],
)
def test_the_target_nearest_to_an_account_counts(targets: list[str], nearest: str | None) -> None:
    enabled = {target: f"policy of {target}" for target in targets}
    expected = enabled[nearest] if nearest else None
    assert policy_of_organization(MEMBER, enabled) == expected


@pytest.mark.parametrize(
    ("of_organization", "own", "expected"),
    [
        pytest.param("its", "own", InForce("its", ManagedBy.ADMINISTRATOR), id="both"),
        pytest.param("its", None, InForce("its", ManagedBy.ADMINISTRATOR), id="organization's"),
        pytest.param(None, "own", InForce("own", ManagedBy.ACCOUNT), id="its own"),
        pytest.param(None, None, None, id="neither"),
    ],
)
def test_an_accounts_own_choice_never_overrides_its_organizations(
    of_organization: str | None, own: str | None, expected: InForce | None
) -> None:
    assert in_force(of_organization, own) == expected
