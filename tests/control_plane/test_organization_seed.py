"""Beginning with the organization of a file (ORG-1)."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.control_plane.organization_file import OrganizationFileRefused, read_seed
from services.control_plane.organizations.seed import BadSeed, planned
from services.control_plane.server import control_plane
from shared.errors import StartFailed
from shared.rpc.server import running
from tests.control_plane.organizations import (
    DENY_ALL,
    MANAGEMENT,
    OUTSIDER,
    SCP,
    Organization,
    refused,
)
from tests.control_plane.world import ACCOUNT, ORGANIZATIONS, Client, World, on_sqlite_alone
from tests.postgres import DIALECTS

NOW = datetime(2026, 11, 26, tzinfo=UTC)
DEVELOPER = "012345670123"
FILE = f"""
organization:
  id: o-exampleorgid
  root_id: r-fssg
  management_account: {{id: {MANAGEMENT}, name: boss, email: boss@example.com}}
  service_access: [ram.amazonaws.com, ipam.amazonaws.com]
  accounts:
    - {{id: {ACCOUNT}, name: ipam, email: ipam@example.com}}
  organizational_units:
    - name: Development
      id: ou-fssg-q5brfv9c
      organizational_units:
        - name: Team
          accounts:
            - {{id: {DEVELOPER}, name: developer, email: developer@example.com}}
    - name: Production
"""
ROOT = "r-fssg\n"
POLICIES = f"""r-fssg
  management_account_parent_id: ou-fssg-q5brfv9c
  service_control_policies: [FullAWSAccess, deny]
  policies:
    - name: deny
      id: p-examplepolicy
      description: all of it
      content: '{DENY_ALL}'
"""


def begin_with(world: World, text: str) -> Path:
    """Have the world's next start find this file."""
    world.settings.organization_path.write_text(text)
    return world.settings.organization_path


def as_manager(client: Client) -> Organization:
    return Organization(client.acting_as(MANAGEMENT), "o-exampleorgid", "r-fssg")


async def test_the_organization_of_the_file_is_there_from_the_start(world: World) -> None:
    begin_with(world, FILE)
    async with world.serving() as client:
        it = as_manager(client)
        described = (await it("DescribeOrganization")).organization
        assert (described.id, described.master_account_email) == (
            "o-exampleorgid",
            "boss@example.com",
        )
        units = (
            await it("ListOrganizationalUnitsForParent", parent_id="r-fssg")
        ).organizational_units
        assert [unit.name for unit in units] == ["Development", "Production"]
        assert units[0].path == "o-exampleorgid/r-fssg/ou-fssg-q5brfv9c/"
        [team] = (
            await it("ListOrganizationalUnitsForParent", parent_id=units[0].id)
        ).organizational_units
        accounts = (await it("ListAccounts")).accounts
        assert {account.id: (account.name, *account.paths) for account in accounts} == {
            MANAGEMENT: ("boss", f"o-exampleorgid/r-fssg/{MANAGEMENT}/"),
            ACCOUNT: ("ipam", f"o-exampleorgid/r-fssg/{ACCOUNT}/"),
            DEVELOPER: ("developer", f"{team.path}{DEVELOPER}/"),
        }
        services = (await it("ListAWSServiceAccessForOrganization")).enabled_service_principals
        assert [service.service_principal for service in services] == [
            "ipam.amazonaws.com",
            "ram.amazonaws.com",
        ]
        assert (await it("ListRoots")).roots[0].id == "r-fssg"


async def test_it_is_a_seed_and_no_mirror(world: World) -> None:
    begin_with(world, FILE)
    async with world.serving() as client:
        await as_manager(client)("RemoveAccountFromOrganization", account_id=ACCOUNT)
    begin_with(world, FILE.replace("Production", "Changed"))
    async with world.serving() as client:
        it = as_manager(client)
        accounts = (await it("ListAccounts")).accounts
        assert {account.id for account in accounts} == {MANAGEMENT, DEVELOPER}
        units = (
            await it("ListOrganizationalUnitsForParent", parent_id="r-fssg")
        ).organizational_units
        assert [unit.name for unit in units] == ["Development", "Production"]


async def test_policies_of_the_file_hold_where_it_says(world: World) -> None:  # ORG-6
    text = FILE.replace(ROOT, POLICIES)
    text = text.replace("email: ipam@", "service_control_policies: [deny], email: ipam@")
    begin_with(world, text)
    async with world.serving() as client:
        it = as_manager(client)
        [full, deny] = (await it("ListPolicies", filter=SCP)).policies
        assert (deny.id, deny.name, deny.description) == ("p-examplepolicy", "deny", "all of it")
        policy = (await it("DescribePolicy", policy_id=deny.id)).policy
        assert policy.content == DENY_ALL
        assert await it.attached_to("r-fssg") == [full.id, deny.id]
        assert await it.attached_to(ACCOUNT) == [deny.id]
        assert await it.attached_to("ou-fssg-q5brfv9c") == [full.id]
        assert await it.attached_to(MANAGEMENT) == [full.id]
        [parent] = (await it("ListParents", child_id=MANAGEMENT)).parents
        assert parent.id == "ou-fssg-q5brfv9c"
        assert await it.attached_to(await it.unit("new")) == [full.id]


@pytest.mark.parametrize("database_url", DIALECTS[1:], indirect=True)
async def test_of_replicas_that_start_together_one_makes_it(world: World) -> None:
    begin_with(world, FILE)
    async with AsyncExitStack() as stack:
        clients = await asyncio.gather(
            *(stack.enter_async_context(world.serving()) for _ in range(3))
        )
        for client in clients:
            assert len((await as_manager(client)("ListAccounts")).accounts) == 3


async def test_without_a_file_there_is_no_organization(world: World) -> None:
    async with world.serving() as client:
        refusal = await refused(as_manager(client)("DescribeOrganization"))
        assert refusal.reason == "AWSOrganizationsNotInUseException"


async def start(world: World) -> str:
    """Why the context does not start."""
    with pytest.raises(StartFailed) as failure:
        async with running("control_plane", control_plane, world.settings):
            pass
    return str(failure.value)


@on_sqlite_alone
async def test_a_named_file_must_be_there(world: World, tmp_path: Path) -> None:
    missing = tmp_path / "elsewhere.yaml"
    settings = world.settings.model_copy(update={"organization_file": missing})
    why = await start(World(settings, world.ledger))
    assert f"the organization file {missing} is wrong" in why
    assert "No such file" in why


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (FILE, "", "the whole: "),
        ("service_access: [", "service_access: [[", "while parsing"),
        ("organization:", "organisation:", "organization: Field required"),
        ("name: boss, ", "", "organization.management_account.name: Field required"),
        ("name: Team", "named: Team", "organization.organizational_units.0.organizational_units.0"),
        (ACCOUNT, "12345", "'12345' is malformed"),
        ("o-exampleorgid", "example", "'example' is malformed"),
        ("r-fssg", "root", "'root' is malformed"),
        ("ou-fssg-q5brfv9c", "ou-abcd-q5brfv9c", "'ou-abcd-q5brfv9c' is malformed"),
        ("boss@example.com", "boss", "'boss' is not an email address"),
        ("ram.amazonaws.com", "ram", "'ram' is not the name of a service"),
        ("ram.amazonaws.com", "ipam.amazonaws.com", "ipam.amazonaws.com is there 2 times"),
        (ACCOUNT, MANAGEMENT, f"account {MANAGEMENT} is there 2 times"),
        ("ipam@example.com", "boss@example.com", "boss@example.com is there 2 times"),
        ("name: Production", "name: Development", "'Development' in r-fssg is there 2 times"),
        ("name: Production", f"name: {'n' * 129}", "String should have at most 128 characters"),
        (ROOT, POLICIES.replace("q5brfv9c", "nowhere0"), "unit has the id ou-fssg-nowhere0"),
        (ROOT, POLICIES.replace(", deny]", ", dany]"), "r-fssg has the policy 'dany', which is"),
        (ROOT, POLICIES.replace("FullAWSAccess, ", "deny, "), "is attached to 'r-fssg' already"),
        (ROOT, POLICIES.replace("FullAWSAccess, deny", ""), "r-fssg has no service control policy"),
        (ROOT, POLICIES.replace("Statement", "Statements"), "The policy document is malformed"),
        (
            ROOT,
            POLICIES.replace(", deny", "").replace("deny", "FullAWSAccess"),
            "policy of the name FullAWSAccess is there 2 times",
        ),
        (ROOT, POLICIES.partition("  policies:")[0], "but there is no list of policies"),
    ],
    ids=lambda value: value[:20].strip() if isinstance(value, str) else "",
)
def test_a_bad_file_is_refused_with_what_is_wrong(
    tmp_path: Path, old: str, new: str, why: str
) -> None:
    assert old in FILE
    path = tmp_path / "organization.yaml"
    path.write_text(FILE.replace(old, new))
    with pytest.raises((OrganizationFileRefused, BadSeed)) as refusal:
        planned(read_seed(path), NOW)
    assert why in str(refusal.value)


@on_sqlite_alone
@pytest.mark.parametrize(
    ("old", "new"), [("id: o-exampleorgid", "id: example"), ("name: boss", "named: boss")]
)
async def test_with_a_bad_file_nothing_starts(world: World, old: str, new: str) -> None:
    path = begin_with(world, FILE.replace(old, new))
    assert (await start(world)).startswith(f"the organization file {path} is wrong: ")
    begin_with(world, FILE)
    async with world.serving() as client:
        assert (await as_manager(client)("DescribeOrganization")).organization.id == (
            "o-exampleorgid"
        )


async def test_what_another_organization_has_is_refused(world: World) -> None:
    begin_with(world, FILE)
    async with world.serving():
        pass
    second: dict[str, str] = {MANAGEMENT: OUTSIDER}
    for old, new, why in (
        (MANAGEMENT, OUTSIDER, "another organization has the id o-exampleorgid, or the root"),
        ("  id: o-exampleorgid\n", "", "or the root r-fssg"),
        ("-fssg", "-abcd", f"account {ACCOUNT} is in organization o-exampleorgid"),
        (ACCOUNT, "123123123123", f"account {DEVELOPER} is in organization o-exampleorgid"),
        (DEVELOPER, "321321321321", "another account has the email address boss@example.com"),
    ):
        second[old] = new
        text = FILE
        for before, after in second.items():
            text = text.replace(before, after)
        begin_with(world, text)
        assert why in await start(world)
    begin_with(world, text.replace("example.com", "example.org"))
    async with world.serving() as client:
        other = client.acting_as(OUTSIDER)
        [root] = (await other.of(ORGANIZATIONS, "ListRoots")).roots
        assert root.id == "r-abcd"
