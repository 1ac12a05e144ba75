"""Who is where: random histories of an organization against a naive oracle (ORG-1)."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from services.control_plane.organizations.errors import (
    ConstraintViolation,
    OrganizationalUnitNotEmpty,
)
from services.control_plane.organizations.organization import FeatureSet
from services.control_plane.organizations.unit import MOST_LEVELS
from services.control_plane.service.organizations import accounts, organization, policies, units
from services.control_plane.store.rows import SqlRows
from shared.caller import Caller
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from tests.control_plane.organizations import FULL_ACCESS, MANAGEMENT, SCP
from tests.control_plane.world import HOME

MANAGER = Caller(account_id=MANAGEMENT, region=HOME, principal="tester")
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    upgrade(database, "services.control_plane")
    yield database
    database.close()


class Oracle:
    """Keeps nothing but what holds each thing."""

    def __init__(self, organization_id: str, root_id: str) -> None:
        self.organization_id, self.root_id = organization_id, root_id
        self.holder_of = {root_id: organization_id, MANAGEMENT: root_id}

    @property
    def units(self) -> list[str]:
        return [one for one in self.holder_of if one.startswith("ou-")]

    @property
    def accounts(self) -> list[str]:
        return [one for one in self.holder_of if one.isdigit()]

    def held_by(self, holder_id: str) -> list[str]:
        return [one for one, holder in self.holder_of.items() if holder == holder_id]

    def above(self, one: str) -> list[str]:
        """The organization first."""
        holder = self.holder_of.get(one)
        return [*self.above(holder), holder] if holder else []

    def accounts_in(self, holder_id: str) -> set[str]:
        return {account for account in self.accounts if holder_id in self.above(account)}


class History:
    """What happens to one organization, in the database and in the oracle."""

    def __init__(self, rows: SqlRows, rng: random.Random) -> None:
        self.rows, self.rng, self.count = rows, rng, 0
        made, _ = organization.create_organization(rows, MANAGER, FeatureSet.ALL, NOW).resource
        self.oracle = Oracle(made.organization_id, made.root_id)
        policies.enable_policy_type(rows, MANAGER, made.root_id, SCP)

    def go_on(self) -> None:
        growing, moving = [self.add_unit, self.add_unit, self.add_account], [self.move, self.move]
        step = self.rng.choice([*growing, *moving, self.remove_account, self.remove_unit])
        step()

    def add_unit(self) -> None:
        parent_id = self.rng.choice([self.oracle.root_id, *self.oracle.units])
        levels = len(self.oracle.above(parent_id))
        try:
            _, unit = units.create_unit(self.rows, MANAGER, parent_id, self.new_name(), {}).resource
        except ConstraintViolation:
            assert levels > MOST_LEVELS
        else:
            assert levels <= MOST_LEVELS
            self.oracle.holder_of[unit.unit_id] = parent_id

    def add_account(self) -> None:
        email = f"{self.new_name()}@example.com"
        creation = accounts.create_account(self.rows, MANAGER, "a", email, {}, NOW).resource
        assert creation.account_id
        self.oracle.holder_of[creation.account_id] = self.oracle.root_id

    def move(self) -> None:
        account_id = self.rng.choice(self.oracle.accounts)
        source = self.oracle.holder_of[account_id]
        others = [one for one in [self.oracle.root_id, *self.oracle.units] if one != source]
        if others:
            destination = self.rng.choice(others)
            accounts.move_account(self.rows, MANAGER, account_id, source, destination)
            self.oracle.holder_of[account_id] = destination

    def remove_account(self) -> None:
        if members := [one for one in self.oracle.accounts if one != MANAGEMENT]:
            account_id = self.rng.choice(members)
            accounts.remove_account(self.rows, MANAGER, account_id)
            del self.oracle.holder_of[account_id]

    def remove_unit(self) -> None:
        if self.oracle.units:
            unit_id = self.rng.choice(self.oracle.units)
            try:
                units.delete_unit(self.rows, MANAGER, unit_id)
            except OrganizationalUnitNotEmpty:
                assert self.oracle.held_by(unit_id)
            else:
                assert not self.oracle.held_by(unit_id)
                del self.oracle.holder_of[unit_id]

    def new_name(self) -> str:
        self.count += 1
        return f"name{self.count}"


def check_holders(rows: SqlRows, oracle: Oracle) -> None:
    for holder_id in (oracle.organization_id, oracle.root_id, *oracle.units):
        assert rows.organizations.accounts_in(holder_id) == oracle.accounts_in(holder_id)
        below = [unit.unit_id for _, unit in rows.organizations.units.below(holder_id, None)]
        held = [one.account_id for _, one in rows.organizations.accounts.below(holder_id, None)]
        if holder_id != oracle.organization_id:
            assert {*below, *held} == set(oracle.held_by(holder_id))


def check_memberships(rows: SqlRows, oracle: Oracle) -> None:
    found = {}
    for account_id in oracle.accounts:
        membership = rows.organizations.membership(account_id)
        assert membership is not None
        organization_id, *holders = oracle.above(account_id)
        assert membership.organization_id == organization_id
        assert list(membership.holders) == holders
        assert membership.entity_path == "/".join([*oracle.above(account_id), ""])
        assert membership.is_management == (account_id == MANAGEMENT)
        found[account_id] = membership
    listed = rows.organizations.memberships(oracle.organization_id)
    assert {one.account_id: one for one in listed} == found


def check_snapshot(rows: SqlRows, oracle: Oracle) -> None:
    snapshot = rows.organizations.snapshot(oracle.organization_id)
    assert snapshot is not None
    seen = {""}
    for entity in snapshot.entities:
        assert entity.parent_id in seen
        assert entity.policy_ids == (FULL_ACCESS,)
        seen.add(entity.entity_id)
    holders = oracle.holder_of | {oracle.root_id: ""}
    assert {one.entity_id: one.parent_id for one in snapshot.entities} == holders
    assert set(snapshot.documents) == {FULL_ACCESS}


@pytest.mark.parametrize("seed", range(4))
def test_everybody_is_where_the_history_put_them(database: Database, seed: int) -> None:  # ORG-1
    with database.write() as connection:
        rows = SqlRows(connection)
        history = History(rows, random.Random(seed))
        versions = [rows.organizations.versions()[history.oracle.organization_id]]
        for step in range(120):
            history.go_on()
            versions.append(rows.organizations.versions()[history.oracle.organization_id])
            if step % 10 == 9:
                check_holders(rows, history.oracle)
                check_memberships(rows, history.oracle)
                check_snapshot(rows, history.oracle)
    assert versions == sorted(versions)
    assert versions[-1] > 50


def test_whoever_is_in_no_organization_is_nowhere(database: Database) -> None:
    with database.read() as connection:
        rows = SqlRows(connection).organizations
        assert rows.membership(MANAGEMENT) is None
        assert rows.accounts_in("ou-abcd-12345678") == frozenset()
        assert rows.accounts_in(MANAGEMENT) == frozenset()
        assert rows.memberships("o-exampleorgid") == []
        assert rows.versions() == {}
        assert rows.snapshot("o-exampleorgid") is None
