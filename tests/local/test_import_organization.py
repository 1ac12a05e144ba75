"""Importing a real organization, played by moto's server (ORG-1)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from services.control_plane.organization_file import read_seed
from services.control_plane.organizations.seed import Plan, planned
from services.local.import_organization import main

SCP = "SERVICE_CONTROL_POLICY"
DENY_ALL = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'
NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of an AWS of its own, where the command finds it, too."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    # What it plays is kept by the process, not by the server.
    httpx.post(f"http://{host}:{port}/moto-api/reset").raise_for_status()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(name, value)
    yield boto3.client("organizations", region_name="us-east-1")
    server.stop()


def imported(path: Path) -> Plan:
    assert main(["--output", str(path)]) == 0
    return planned(read_seed(path), NOW)


def account(aws: Any, name: str) -> str:
    answer = aws.create_account(AccountName=name, Email=f"{name}@example.com")
    account_id: str = answer["CreateAccountStatus"]["AccountId"]
    return account_id


def unit(aws: Any, parent_id: str, name: str) -> str:
    answer = aws.create_organizational_unit(ParentId=parent_id, Name=name)
    unit_id: str = answer["OrganizationalUnit"]["Id"]
    return unit_id


def test_the_whole_organization_is_written_down(aws: Any, tmp_path: Path) -> None:
    made = aws.create_organization(FeatureSet="ALL")["Organization"]
    [root] = aws.list_roots()["Roots"]
    outer = unit(aws, root["Id"], "Outer")
    inner = unit(aws, outer, "Inner")
    # More than one page of them.
    accounts = {name: account(aws, name) for name in (f"account{n}" for n in range(23))}
    moved = {accounts["account1"]: outer, accounts["account2"]: inner}
    moved[made["MasterAccountId"]] = inner
    for account_id, parent_id in moved.items():
        aws.move_account(
            AccountId=account_id, SourceParentId=root["Id"], DestinationParentId=parent_id
        )
    aws.enable_aws_service_access(ServicePrincipal="ram.amazonaws.com")
    plan = imported(tmp_path / "data" / "organization.yaml")
    assert plan.organization.organization_id == made["Id"]
    assert plan.organization.management_account_id == made["MasterAccountId"]
    assert plan.organization.root_id == root["Id"]
    path = f"{made['Id']}/{root['Id']}/{outer}/"
    assert {one.name: one.path for one in plan.units} == {"Outer": path, "Inner": f"{path}{inner}/"}
    parents = dict.fromkeys(accounts.values(), root["Id"]) | moved
    assert {one.account_id: one.parent_id for one in plan.accounts} == parents
    assert {one.name for one in plan.accounts} >= set(accounts)
    assert plan.services == ["ram.amazonaws.com"]
    assert not plan.organization.has_service_control_policies


def test_policies_come_along_with_where_they_are_attached(aws: Any, tmp_path: Path) -> None:
    aws.create_organization(FeatureSet="ALL")
    [root] = aws.list_roots()["Roots"]
    aws.enable_policy_type(RootId=root["Id"], PolicyType=SCP)
    open_unit, closed_unit = unit(aws, root["Id"], "Open"), unit(aws, root["Id"], "Closed")
    member = account(aws, "member")
    policy_id = aws.create_policy(
        Name="deny-all", Description="für alle", Content=DENY_ALL, Type=SCP
    )["Policy"]["PolicySummary"]["Id"]
    for target_id in (closed_unit, member):
        aws.attach_policy(PolicyId=policy_id, TargetId=target_id)
    plan = imported(tmp_path / "organization.yaml")
    assert plan.organization.has_service_control_policies
    [policy] = plan.policies
    assert (policy.policy_id, policy.name, policy.content) == (policy_id, "deny-all", DENY_ALL)
    assert policy.description == "für alle"
    full = "p-FullAWSAccess"
    assert {target: sorted(plan.attached[target]) for target in (open_unit, closed_unit)} == {
        open_unit: [full],
        closed_unit: sorted([full, policy_id]),
    }
    assert policy_id in plan.attached[member]
    assert list(plan.attached[root["Id"]]) == [full]


def test_a_file_that_is_there_stays(
    aws: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "organization.yaml"
    path.write_text("mine")
    assert main(["--output", str(path)]) == 1
    assert f"{path} is there already" in capsys.readouterr().err
    assert path.read_text() == "mine"


def test_what_aws_refuses_is_passed_on(
    aws: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "organization.yaml"
    assert main(["--output", str(path)]) == 1
    assert "AWSOrganizationsNotInUseException" in capsys.readouterr().err
    assert main(["--output", str(path), "--profile", "nobody"]) == 1
    assert "nobody" in capsys.readouterr().err
    assert not path.exists()
