"""Resource discoveries of organizations: exclusions, and whose resources are discovered."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cadastre.control.v1.inventory_service_pb2 import ListResourceDiscoveriesResponse
from services.control_plane.organizations.ids import UNIT
from services.control_plane.organizations.membership import IPAM_SERVICE, Membership
from services.control_plane.resource_discoveries.association import AssociationState
from services.control_plane.resource_discoveries.exclusions import Exclusion
from services.control_plane.service.coverage import ACCOUNTS_PER_PART, Part, discovered_parts
from services.control_plane.service.rows import Rows
from services.control_plane.servicer.inventory import LARGEST_DISCOVERIES_PAGE
from services.control_plane.servicer.resource_discovery_messages import part_to_proto
from shared.errors import CadastreError
from shared.rpc.client import MAX_MESSAGE_BYTES
from tests.control_plane.discoveries import Discoveries
from tests.control_plane.test_resource_discovery import OTHER, a_discovery, an_association
from tests.control_plane.world import (
    ACCOUNT,
    HOME,
    ORGANIZATIONS,
    STRANGER,
    WEST,
    Client,
    World,
    on_sqlite_alone,
    state,
)

MANAGEMENT = "111111111111"


@dataclass
class Organization:
    """An organization of the account ``management`` acts as."""

    management: Client
    organization_id: str
    root_id: str
    numbers: Any

    async def __call__(self, rpc: str, **members: Any) -> Any:
        return await self.management.of(ORGANIZATIONS, rpc, **members)

    @classmethod
    async def made_by(cls, management: Client) -> "Organization":
        made = await management.of(ORGANIZATIONS, "CreateOrganization")
        [root] = (await management.of(ORGANIZATIONS, "ListRoots")).roots
        return cls(management, made.organization.id, root.id, count(1))

    @property
    def path(self) -> str:
        """Entity path of the root."""
        return f"{self.organization_id}/{self.root_id}/"

    async def unit(self, *above: str) -> str:
        """A new OU below the last of ``above``, or the root."""
        parent_id = above[-1] if above else self.root_id
        answer = await self(
            "CreateOrganizationalUnit", parent_id=parent_id, name=f"unit-{next(self.numbers)}"
        )
        return str(answer.organizational_unit.id)

    async def account(self, unit_id: str | None = None) -> str:
        """A new account in an OU, or the root."""
        number = next(self.numbers)
        answer = await self(
            "CreateAccount", account_name=f"account-{number}", email=f"a{number}@example.com"
        )
        account_id = str(answer.create_account_status.account_id)
        if unit_id:
            await self.move(account_id, self.root_id, unit_id)
        return account_id

    async def move(self, account_id: str, source_id: str, destination_id: str) -> None:
        await self(
            "MoveAccount",
            account_id=account_id,
            source_parent_id=source_id,
            destination_parent_id=destination_id,
        )

    async def delegate(self, account_id: str) -> Discoveries:
        """Have an account administer IPAM; what it sees."""
        await self("EnableAWSServiceAccess", service_principal=IPAM_SERVICE)
        await self(
            "RegisterDelegatedAdministrator",
            account_id=account_id,
            service_principal=IPAM_SERVICE,
        )
        return Discoveries(self.management.acting_as(account_id))

    async def withdraw(self, account_id: str) -> None:
        await self(
            "DeregisterDelegatedAdministrator",
            account_id=account_id,
            service_principal=IPAM_SERVICE,
        )


@pytest.fixture
async def organization(control: Client) -> Organization:
    return await Organization.made_by(control.acting_as(MANAGEMENT))


def paths(*texts: str) -> list[dict[str, str]]:
    return [{"organizations_entity_path": text} for text in texts]


def excluded(discovery: Any) -> list[str]:
    return [e.organizations_entity_path for e in discovery.organizational_unit_exclusions]


async def test_the_delegated_administrator_changes_what_is_excluded(  # ORG-7, ORG-9
    organization: Organization,
) -> None:
    parent = await organization.unit()
    child = await organization.unit(parent)
    administrator = await organization.delegate(await organization.account())
    discovery_id = (await administrator.client.create_ipam()).default_resource_discovery_id
    lower = f"{organization.path}{parent}/{child}/"
    whole = f"{organization.path}{parent}/*"
    answer = await administrator.modify(
        discovery_id, add_organizational_unit_exclusions=paths(lower)
    )
    assert (state(answer), excluded(answer)) == ("modify-in-progress", [lower])
    # As in the guide, the outcome alone must not nest.
    await administrator.modify(
        discovery_id,
        add_organizational_unit_exclusions=paths(whole),
        remove_organizational_unit_exclusions=paths(lower),
    )
    found = await administrator.one(discovery_id)
    assert (state(found), excluded(found)) == ("modify-complete", [whole])
    await administrator.modify(discovery_id, description="kept")
    assert excluded(await administrator.one(discovery_id)) == [whole]


@on_sqlite_alone
@pytest.mark.parametrize(
    ("added", "removed", "reason", "said"),
    [
        (["{root}{parent}"], [], "InvalidParameterValue", "write the path"),
        (["{root}ou-x/"], [], "InvalidParameterValue", "has no OU ou-x"),
        (["{root}{child}/"], [], "InvalidParameterValue", "has no OU"),
        (["o-x/r-x/{parent}/"], [], "InvalidParameterValue", "has no OU"),
        (
            ["{root}{parent}/*", "{root}{parent}/{child}/"],
            [],
            "InvalidParameterValue",
            "exclude the same OU",
        ),
        (["{root}{parent}/"] * 2, [], "InvalidParameterValue", "named twice"),
        ([], ["{root}{parent}/"] * 2, "InvalidParameterValue", "named twice"),
        ([], ["{root}{parent}/"], "InvalidParameterValue", "does not exclude"),
        (["{root}{parent}/"], ["{root}{parent}/"], "InvalidParameterCombination", "at once"),
    ],
)
async def test_a_refused_change_of_exclusions_changes_nothing(  # ORG-9
    organization: Organization, added: list[str], removed: list[str], reason: str, said: str
) -> None:
    parent = await organization.unit()
    names = {"root": organization.path, "parent": parent, "child": await organization.unit(parent)}
    administrator = await organization.delegate(await organization.account())
    discovery_id = (await administrator.create()).ipam_resource_discovery_id
    with pytest.raises(CadastreError, match=said) as refusal:
        await administrator.modify(
            discovery_id,
            description="changed",
            add_organizational_unit_exclusions=paths(*(p.format(**names) for p in added)),
            remove_organizational_unit_exclusions=paths(*(p.format(**names) for p in removed)),
        )
    assert refusal.value.reason == reason
    found = await administrator.one(discovery_id)
    assert (state(found), found.description, excluded(found)) == ("create-complete", "", [])


@on_sqlite_alone
async def test_an_ou_of_another_organization_can_not_be_excluded(  # ORG-8
    organization: Organization, control: Client
) -> None:
    theirs = await Organization.made_by(control.acting_as(STRANGER))
    unit = await theirs.unit()
    administrator = await organization.delegate(await organization.account())
    discovery_id = (await administrator.create()).ipam_resource_discovery_id
    with pytest.raises(CadastreError, match=organization.organization_id) as refusal:
        await administrator.modify(
            discovery_id, add_organizational_unit_exclusions=paths(f"{theirs.path}{unit}/")
        )
    assert refusal.value.reason == "InvalidParameterValue"


async def test_nobody_else_changes_or_sees_exclusions_but_those_it_is_shared_with(  # ORG-8, DISC-7
    organization: Organization,
) -> None:
    unit, account_id = await organization.unit(), await organization.account()
    own = Discoveries(organization.management.acting_as(account_id))
    discovery = await own.create()
    discovery_id = discovery.ipam_resource_discovery_id
    path = f"{organization.path}{unit}/"
    for members in (
        {"add_organizational_unit_exclusions": paths(path)},
        {"remove_organizational_unit_exclusions": paths(path)},
    ):
        with pytest.raises(CadastreError, match="delegated IPAM administrator") as refusal:
            await own.modify(discovery_id, **members)
        assert refusal.value.reason == "OperationNotPermitted"

    await organization.delegate(account_id)
    await own.modify(discovery_id, add_organizational_unit_exclusions=paths(path))
    await own.share(discovery, ACCOUNT)
    primary = Discoveries(organization.management.acting_as(ACCOUNT))
    assert excluded(await own.one(discovery_id)) == [path]
    assert excluded(await primary.one(discovery_id)) == [path]

    await organization.withdraw(account_id)
    assert excluded(await own.one(discovery_id)) == []
    assert excluded(await own.modify(discovery_id, description="kept")) == []
    assert excluded(await primary.one(discovery_id)) == [path]
    await organization.delegate(account_id)
    assert excluded(await own.one(discovery_id)) == [path]


@on_sqlite_alone
async def test_the_quota_of_exclusions_is_adjustable(  # ORG-8, requirements section 14
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CADASTRE_QUOTA_OU_EXCLUSIONS_PER_DISCOVERY", "1")
    async with world.serving() as client:
        organization = await Organization.made_by(client.acting_as(MANAGEMENT))
        administrator = await organization.delegate(await organization.account())
        discovery_id = (await administrator.create()).ipam_resource_discovery_id
        first, second = [f"{organization.path}{await organization.unit()}/" for _ in range(2)]
        await administrator.modify(discovery_id, add_organizational_unit_exclusions=paths(first))
        with pytest.raises(CadastreError, match="has 1 OU exclusions and would have 2") as refusal:
            await administrator.modify(
                discovery_id, add_organizational_unit_exclusions=paths(second)
            )
        assert refusal.value.reason == "IpamOrganizationalUnitExclusionLimitExceeded"
        await administrator.modify(
            discovery_id,
            add_organizational_unit_exclusions=paths(second),
            remove_organizational_unit_exclusions=paths(first),
        )


async def listed(client: Client, max_results: int = 100) -> list[Any]:
    """All that is discovered."""
    found: list[Any] = []
    token = ""
    while True:
        page = await client.inventory(
            "ListResourceDiscoveries", max_results=max_results, next_token=token
        )
        assert len(page.resource_discoveries) <= max_results
        found += page.resource_discoveries
        token = page.next_token
        if not token:
            return found


@on_sqlite_alone
async def test_without_delegation_an_ipam_sees_its_owner_alone(  # ORG-3
    organization: Organization,
) -> None:
    account_id = await organization.account()
    own = Discoveries(organization.management.acting_as(account_id))
    ipam = await own.client.create_ipam()
    [found] = await listed(own.client)
    assert found.ipam_id == ipam.ipam_id
    assert list(found.organizational_unit_ids) == [""]
    assert (found.ipam_owner_id, found.owner_id, found.region) == (account_id, account_id, HOME)
    assert found.ipam_resource_discovery_id == ipam.default_resource_discovery_id
    association_id = ipam.default_resource_discovery_association_id
    assert found.ipam_resource_discovery_association_id == association_id
    assert (found.is_default, list(found.operating_regions)) == (True, [WEST, HOME])
    assert list(found.account_ids) == [account_id]


async def test_a_delegated_administrators_sees_all_accounts_but_the_excluded_ones(  # ORG-3, ORG-7
    organization: Organization,
) -> None:
    parent = await organization.unit()
    child = await organization.unit(parent)
    in_root, in_parent = await organization.account(), await organization.account(parent)
    in_child, administrator_id = await organization.account(child), await organization.account()
    administrator = await organization.delegate(administrator_id)
    discovery_id = (await administrator.client.create_ipam()).default_resource_discovery_id

    async def covered() -> set[str]:
        [found] = await listed(administrator.client)
        accounts = list(found.account_ids)
        assert accounts == sorted(accounts)
        return set(accounts)

    everyone = {MANAGEMENT, in_root, in_parent, in_child, administrator_id}
    assert await covered() == everyone
    whole = f"{organization.path}{parent}/*"
    await administrator.modify(discovery_id, add_organizational_unit_exclusions=paths(whole))
    assert await covered() == everyone - {in_parent, in_child}
    [found] = await listed(administrator.client)
    assert list(found.organizational_unit_exclusions) == [whole]

    # Its own account never is (ORG-8), and others are where they are now.
    await organization.move(administrator_id, organization.root_id, parent)
    await organization.move(in_child, child, organization.root_id)
    assert await covered() == everyone - {in_parent}
    await administrator.modify(
        discovery_id,
        add_organizational_unit_exclusions=paths(f"{organization.path}{parent}/{child}/"),
        remove_organizational_unit_exclusions=paths(whole),
    )
    await organization.move(in_child, organization.root_id, child)
    assert await covered() == everyone - {in_child}
    await organization.withdraw(administrator_id)
    assert await covered() == {administrator_id}


async def test_an_ipam_sees_what_is_shared_with_it_across_organizations(  # DISC-2
    organization: Organization, control: Client
) -> None:
    secondary = await organization.delegate(await organization.account())
    member_id, unit = await organization.account(), await organization.unit()
    await organization.account(unit)
    discovery = await secondary.create(operating_regions=[{"region_name": WEST}])
    discovery_id = discovery.ipam_resource_discovery_id
    path = f"{organization.path}{unit}/"
    await secondary.modify(discovery_id, add_organizational_unit_exclusions=paths(path))
    share_arn = await secondary.share(discovery, ACCOUNT)

    primary = Discoveries(control)
    ipam = await primary.client.create_ipam()
    association = await primary.associate(ipam.ipam_id, discovery_id)
    [default, seen] = await listed(control)
    assert list(default.account_ids) == [ACCOUNT]
    assert (seen.ipam_id, seen.ipam_owner_id) == (ipam.ipam_id, ACCOUNT)
    assert (seen.owner_id, seen.is_default) == (discovery.owner_id, False)
    assert list(seen.operating_regions) == [WEST, HOME]
    assert list(seen.organizational_unit_exclusions) == [path]
    assert set(seen.account_ids) == {MANAGEMENT, member_id, discovery.owner_id}

    await secondary.unshare(share_arn)
    assert await listed(control) == [default, unseen(seen)]
    await secondary.share(discovery, ACCOUNT)
    assert await listed(control) == [default, seen]
    await primary.disassociate(association.ipam_resource_discovery_association_id)
    assert await listed(control) == [default, unseen(seen)]
    await secondary.delete(discovery_id)
    assert await listed(control) == [default]


def unseen(found: Any) -> Any:
    """The same when no IPAM sees through it any more."""
    without = type(found)()
    without.CopyFrom(found)
    for member in ("ipam_id", "ipam_owner_id", "ipam_resource_discovery_association_id"):
        without.ClearField(member)
    return without


async def test_accounts_are_listed_with_the_ous_they_are_in_directly(  # DISC-7
    organization: Organization,
) -> None:
    parent = await organization.unit()
    child = await organization.unit(parent)
    administrator_id, in_child = await organization.account(parent), await organization.account()
    administrator = await organization.delegate(administrator_id)
    await administrator.client.create_ipam()

    async def units() -> dict[str, str]:
        [found] = await listed(administrator.client)
        return dict(zip(found.account_ids, found.organizational_unit_ids, strict=True))

    assert await units() == {MANAGEMENT: "", administrator_id: parent, in_child: ""}
    await organization.move(in_child, organization.root_id, child)
    assert await units() == {MANAGEMENT: "", administrator_id: parent, in_child: child}
    await organization.withdraw(administrator_id)
    assert await units() == {administrator_id: parent}


async def test_outside_organizations_there_are_no_ous(control: Client) -> None:  # DISC-7
    await control.create_ipam()
    await Discoveries(control.acting_as(STRANGER)).create()
    found = await listed(control)
    assert [list(each.account_ids) for each in found] == [[ACCOUNT], [STRANGER]]
    assert [list(each.organizational_unit_ids) for each in found] == [[], []]


async def test_what_no_ipam_sees_through_is_listed_last(control: Client) -> None:  # DISC-1
    alone = [Discoveries(control.acting_as(f"{number}" * 12)) for number in range(5)]
    made = [await own.create() for own in alone]
    assert not any(each.ipam_id for each in await listed(control, max_results=2))
    primary = Discoveries(control)
    ipam = await primary.client.create_ipam()
    await alone[2].share(made[2], ACCOUNT)
    associated = await primary.associate(ipam.ipam_id, made[2].ipam_resource_discovery_id)

    found = await listed(control, max_results=2)
    assert [each.ipam_resource_discovery_association_id for each in found] == [
        ipam.default_resource_discovery_association_id,
        associated.ipam_resource_discovery_association_id,
        *[""] * 4,
    ]
    others = sorted(each.ipam_resource_discovery_id for each in [*made[:2], *made[3:]])
    assert [each.ipam_resource_discovery_id for each in found[2:]] == others
    assert {each.owner_id for each in found[2:]} == {each.owner_id for each in made} - {"2" * 12}
    assert not any(each.is_default for each in found[2:])
    assert all(each.region == HOME for each in found)


async def test_all_that_ipams_see_comes_in_pages(control: Client) -> None:
    made = []
    for number in range(5):
        client = control.acting_as(f"{number}" * 12)
        made.append((await client.create_ipam()).ipam_id)
    assert [found.ipam_id for found in await listed(control, max_results=2)] == made


@on_sqlite_alone
async def test_only_services_read_what_ipams_see(control: Client) -> None:
    with pytest.raises(CadastreError) as refusal:
        await control.inventory("ListResourceDiscoveries", service="")
    assert refusal.value.reason == "UnauthorizedOperation"


def rows_with(organization_size: int) -> Rows:
    """Two IPAMs that see through an organization's, and one that sees through its own account's.

    Besides, one that stops, and one with which it is not shared any more. Of the resource
    discoveries without an IPAM, the first and the last are seen by nobody.
    """
    accounts = [f"{number:012d}" for number in range(organization_size - 1)] + [OTHER]
    members = [Membership(account_id, "o-1", "000000000000", ("r-1",)) for account_id in accounts]
    records = [
        (an_association(), a_discovery()),
        (
            an_association(owner_id=ACCOUNT, discovery_owner_id=ACCOUNT),
            a_discovery(owner_id=ACCOUNT),
        ),
        (an_association(state=AssociationState.DISASSOCIATE_IN_PROGRESS), a_discovery()),
        (an_association(ipam_resource_discovery_id="unshared"), a_discovery()),
        (an_association(), a_discovery()),
    ]
    ending = an_association(state=AssociationState.DISASSOCIATE_IN_PROGRESS)
    unshared = an_association(ipam_resource_discovery_id="unshared")
    unseen = {"a": [], "b": [ending, an_association()], "c": [ending, unshared]}
    found = SimpleNamespace(
        discoveries=SimpleNamespace(
            associated_discoveries=lambda first: (
                (str(number), *record)
                for number, record in enumerate(records, start=1)
                if number >= int(first or 0)
            ),
            discoveries_without_ipam=lambda first: (
                (a_discovery(ipam_resource_discovery_id=discovery_id), associations)
                for discovery_id, associations in unseen.items()
                if discovery_id >= first
            ),
        ),
        shares=SimpleNamespace(
            discoveries_for=lambda _: {a_discovery().ipam_resource_discovery_id}
        ),
        organizations=SimpleNamespace(
            membership=lambda account_id: members[0] if account_id == OTHER else None,
            delegated_administrator=lambda *_: OTHER,
            memberships=lambda _: members,
        ),
    )
    return cast("Rows", found)


@pytest.mark.parametrize(
    ("organization_size", "sizes"),
    [
        (1, [1]),
        (999, [999]),
        (1000, [1000]),
        (1001, [1000, 1]),
        (2500, [1000, 1000, 500]),
    ],
)
def test_a_large_organization_comes_in_parts(organization_size: int, sizes: Sequence[int]) -> None:
    rows = rows_with(organization_size)
    whole = list(discovered_parts(rows, None))
    assert [len(part.account_ids) for _, part in whole] == [*sizes, 1, *sizes, *sizes, *sizes]
    assert [len(part.unit_ids) for _, part in whole] == [*sizes, 0, *sizes, *sizes, *sizes]
    assert max(sizes) <= ACCOUNTS_PER_PART
    without = [p.discovery.ipam_resource_discovery_id for _, p in whole if p.association is None]
    assert without == ["a"] * len(sizes) + ["c"] * len(sizes)
    first = [a for _, part in whole[: len(sizes)] for a in part.account_ids]
    assert len(set(first)) == len(first) == organization_size
    assert first == sorted(first)
    # A page may end after any part.
    for position, (key, _) in enumerate(whole):
        assert list(discovered_parts(rows, key)) == whole[position + 1 :]


def test_the_largest_page_fits_into_one_message() -> None:
    accounts = [f"{number:012d}" for number in range(ACCOUNTS_PER_PART)]
    unit_id = f"ou-{'a' * 32}-{'b' * 32}"
    assert UNIT.fullmatch(unit_id)
    exclusion = Exclusion.parse(f"o-{'c' * 32}/r-{'a' * 32}/{f'{unit_id}/' * 5}*")
    part = Part(
        an_association(),
        a_discovery(exclusions=(exclusion,) * 10),
        accounts,
        [unit_id] * ACCOUNTS_PER_PART,
    )
    page = ListResourceDiscoveriesResponse(
        resource_discoveries=[part_to_proto(part)] * LARGEST_DISCOVERIES_PAGE
    )
    assert page.ByteSize() < MAX_MESSAGE_BYTES
