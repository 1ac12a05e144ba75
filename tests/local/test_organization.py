from datetime import UTC, datetime
from pathlib import Path

from services.control_plane.organization_file import read_seed
from services.control_plane.organizations.seed import planned
from services.local.aws_profiles import ACCOUNT_IDS
from services.local.organization import write_organization

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def test_it_is_the_organization_of_the_guides_tutorial(tmp_path: Path) -> None:
    path = tmp_path / "data" / "organization.yaml"
    write_organization(path)
    plan = planned(read_seed(path), NOW)
    assert plan.organization.organization_id == "o-exampleorgid"
    assert plan.organization.management_account_id == ACCOUNT_IDS["management-account"]
    [unit] = plan.units
    assert (unit.name, unit.path) == (
        "Development",
        "o-exampleorgid/r-fssg/ou-fssg-q5brfv9c/",
    )
    assert {account.name: (account.account_id, account.parent_id) for account in plan.accounts} == {
        "management-account": (ACCOUNT_IDS["management-account"], "r-fssg"),
        "ipam-account": (ACCOUNT_IDS["ipam-account"], "r-fssg"),
        "byoip-owner-account": (ACCOUNT_IDS["byoip-owner-account"], "r-fssg"),
        "member-account": (ACCOUNT_IDS["member-account"], "ou-fssg-q5brfv9c"),
    }
    assert not plan.services


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "organization.yaml"
    path.write_text("mine")
    write_organization(path)
    assert path.read_text() == "mine"
