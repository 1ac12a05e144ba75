"""Who may use a pool: random histories of shares and organizations against a naive oracle."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from services.control_plane.organizations.membership import SHARING_SERVICE
from services.control_plane.organizations.organization import FeatureSet
from services.control_plane.service import shares, shares_associations, shares_invitations
from services.control_plane.service.ipams import default_scopes
from services.control_plane.service.organizations import (
    accounts,
    organization,
    service_access,
    units,
)
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep
from services.control_plane.sharing.arns import resource_arn
from services.control_plane.sharing.listing import ResourceOwner, Wanted
from services.control_plane.sharing.permissions import PERMISSIONS, chosen
from services.control_plane.sharing.principals import principal
from services.control_plane.sharing.share import NewShare
from services.control_plane.store.rows import SqlRows
from shared.caller import Caller
from shared.errors import CadastreError
from shared.ids import arn
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from tests.control_plane.records import a_pool, an_ipam

HOME = "us-east-1"
MANAGER, OUTSIDERS = "444444444444", ["555555555555", "666666666666"]
OTHERS = Wanted(owner=ResourceOwner.OTHER_ACCOUNTS)
POOLS = [a_pool(number).ipam_pool_id for number in range(1, 5)]


@dataclass
class Association:
    """A principal of a share, as the oracle remembers it."""

    organization_id: str | None
    is_invited: bool
    status: str
    expires_at: datetime
    invitation_arn: str = ""


@dataclass
class ModelShare:
    allow_external: bool
    permission: Any
    is_alive: bool = True
    pools: set[str] = field(default_factory=set)
    principals: dict[str, Association] = field(default_factory=dict)


class History:
    """Does things, keeps a model of them, and what the ledger was told."""

    def __init__(self, database: Database, seed: int) -> None:
        self.database, self.rng = database, random.Random(seed)
        self.now = datetime(2026, 7, 1, tzinfo=UTC)
        self.parents: dict[str, str] = {}
        self.unit_parents: dict[str, str] = {}
        self.is_sharing = True
        self.shares: dict[str, ModelShare] = {}
        self.told: dict[str, frozenset[str]] = dict.fromkeys(POOLS, frozenset())
        self._found_organization()
        self._make_pools()

    def _found_organization(self) -> None:
        self.organization_id = self.do(
            lambda rows: organization.create_organization(
                rows, caller(MANAGER), FeatureSet.ALL, self.now
            )
        )[0].organization_id
        with self.database.read() as connection:
            self.root_id = SqlRows(connection).organizations.membership(MANAGER).holders[0]  # type: ignore[union-attr]
        self.parents[MANAGER] = self.root_id
        for parent in (self.root_id, self.root_id, None, None):
            self.make_unit(parent or self.rng.choice(list(self.unit_parents)))
        self.owner = self.make_account()
        for _ in range(4):
            self.make_account()
        self.do(
            lambda rows: service_access.enable_ipam_administrator(
                rows, caller(MANAGER), self.owner, self.now
            )
        )
        self.let_share()

    def _make_pools(self) -> None:
        with self.database.write() as connection:
            rows, ipam = SqlRows(connection), an_ipam(owner_id=self.owner)
            rows.add_ipam(ipam)
            for scope in default_scopes(ipam):
                rows.add_scope(scope)
            for number in range(1, len(POOLS) + 1):
                rows.add_pool(a_pool(number, owner_id=self.owner))

    def do(self, decide: Callable[[Rows], Accepted[Any]]) -> Any:
        """One transaction; the ledger is told of what its steps name, as it is afterwards."""
        with self.database.write() as connection:
            accepted = decide(SqlRows(connection))
        self._tell(accepted.steps)
        return accepted.resource

    def _tell(self, steps: tuple[NextStep, ...]) -> None:
        with self.database.read() as connection:
            rows = SqlRows(connection)
            told = rows.shares.users_of_pools({step.subject for step in steps})
        assert all(users != self.told[pool] for pool, users in told.items())
        self.told |= told

    # What happens to the organization.

    def make_unit(self, parent: str | None = None) -> None:
        chosen_parent = parent or self.rng.choice([self.root_id, *self.unit_parents])
        name = f"unit {len(self.unit_parents)}"
        _, unit = self.do(
            lambda rows: units.create_unit(rows, caller(MANAGER), chosen_parent, name, {})
        )
        self.unit_parents[unit.unit_id] = chosen_parent

    def make_account(self) -> str:
        email = f"{self.rng.random()}@example.com"
        creation = self.do(
            lambda rows: accounts.create_account(
                rows, caller(MANAGER), "account", email, {}, self.now
            )
        )
        self.parents[creation.account_id] = self.root_id
        return str(creation.account_id)

    def move_account(self) -> None:
        account = self.rng.choice(list(self.parents))
        target = self.rng.choice([self.root_id, *self.unit_parents])
        source = self.parents[account]
        self.do(lambda rows: accounts.move_account(rows, caller(MANAGER), account, source, target))
        self.parents[account] = target

    def remove_account(self) -> None:
        account = self.rng.choice(list(self.parents))
        self.do(lambda rows: accounts.remove_account(rows, caller(MANAGER), account))
        del self.parents[account]

    def let_share(self) -> None:
        self.do(lambda rows: shares_invitations.enable_sharing(rows, caller(MANAGER), self.now))
        self.is_sharing = True

    def stop_sharing(self) -> None:
        self.do(lambda rows: service_access.stop_service(rows, caller(MANAGER), SHARING_SERVICE))
        self.is_sharing = False

    def wait(self) -> None:
        self.now += timedelta(days=self.rng.choice([0, 1, 3]), seconds=1)

    # What happens to shares.

    def create_share(self) -> None:
        pools, names = self.some(POOLS), self.some(self.names())
        allow_external, known = self.rng.random() < 0.7, self.rng.choice(PERMISSIONS[:2])
        wanted = NewShare(
            name="share",
            allow_external_principals=allow_external,
            permissions=chosen([known.arn]),
            resources=[resource_arn(self.arn_of(pool)) for pool in pools],
            principals=[principal(name) for name in names],
        )
        share = self.do(
            lambda rows: shares.create_share(rows, caller(self.owner), wanted, self.now)
        )
        model = ModelShare(allow_external, known, pools=set(pools))
        self.shares[share.resource_share_arn] = model
        self.admit(share.resource_share_arn, names)

    def associate(self) -> None:
        share_arn, model = self.any_share()
        pools, names = self.some(POOLS), self.some(self.names())
        self.do(
            lambda rows: shares_associations.associate(
                rows,
                caller(self.owner),
                share_arn,
                [resource_arn(self.arn_of(pool)) for pool in pools],
                [principal(name) for name in names],
                self.now,
            )
        )
        model.pools |= set(pools)
        if model.pools and model.permission is None:
            model.permission = PERMISSIONS[0]
        self.admit(share_arn, names)

    def disassociate(self) -> None:
        share_arn, model = self.any_share()
        pools, names = self.some(sorted(model.pools)), self.some(list(model.principals))
        self.do(
            lambda rows: shares_associations.disassociate(
                rows,
                caller(self.owner),
                share_arn,
                [self.arn_of(pool) for pool in pools],
                names,
                self.now,
            )
        )
        model.pools -= set(pools)
        for name in names:
            model.principals[name].status = "out"

    def leave(self) -> None:
        share_arn, model = self.any_share()
        account = self.rng.choice([name for name in model.principals if name.isdigit()])
        self.do(
            lambda rows: shares_associations.disassociate(
                rows, caller(account), share_arn, [], [account], self.now
            )
        )
        model.principals[account].status = "out"

    def answer(self) -> None:
        account, association = self.rng.choice(
            [
                (name, association)
                for share in self.shares.values()
                for name, association in share.principals.items()
                if association.status == "invited" and share.is_alive
            ]
        )
        accepts = self.rng.random() < 0.7
        use_case = (
            shares_invitations.accept_invitation
            if accepts
            else shares_invitations.reject_invitation
        )
        self.do(lambda rows: use_case(rows, caller(account), association.invitation_arn, self.now))
        assert self.now < association.expires_at
        association.status = "in" if accepts else "out"

    def update_share(self) -> None:
        share_arn, model = self.any_share()
        allow_external = self.rng.random() < 0.5
        self.do(
            lambda rows: shares.update_share(
                rows,
                caller(self.owner),
                share_arn,
                name=None,
                allow_external_principals=allow_external,
                now=self.now,
            )
        )
        model.allow_external = allow_external

    def replace_permission(self) -> None:
        share_arn, model = self.any_share()
        known = self.rng.choice(PERMISSIONS[:2])
        self.do(
            lambda rows: shares.associate_permission(
                rows, caller(self.owner), share_arn, known, may_replace=True, now=self.now
            )
        )
        model.permission = known

    def delete_share(self) -> None:
        share_arn, model = self.any_share()
        self.do(lambda rows: shares.delete_share(rows, caller(self.owner), share_arn, self.now))
        model.is_alive = False

    # The oracle.

    def admit(self, share_arn: str, names: list[str]) -> None:
        """Who is inside and shares is in; all others are invited, if they weren't before.

        To have been in uninvited is worth nothing to who would have to be invited now.
        """
        model = self.shares[share_arn]
        for name in names:
            is_inside = not name.isdigit() or name in self.parents
            is_invited = name.isdigit() and not (is_inside and self.is_sharing)
            common = self.organization_id if is_inside else None
            present = model.principals.get(name)
            is_present = present is not None and (
                present.status == "in"
                or (present.status == "invited" and self.now < present.expires_at)
            )
            is_by_the_same = (
                present is not None
                and present.organization_id in (None, common)
                and (present.is_invited or not is_invited)
            )
            if is_present and is_by_the_same:
                continue
            model.principals[name] = Association(
                common,
                is_invited,
                "invited" if is_invited else "in",
                self.now + timedelta(days=7),
                self.invitation_to(name, share_arn) if is_invited else "",
            )

    def users_of(self, pool: str) -> frozenset[str]:
        return frozenset(
            account
            for account in [*self.parents, *self.former_and_outside()]
            if any(
                pool in share.pools and share.permission is PERMISSIONS[0]
                for share in self.shares_with(account)
            )
        )

    def shares_with(self, account: str) -> Iterator[ModelShare]:
        for share in self.shares.values():
            if share.is_alive and any(
                self.reaches(share, name, association, account)
                for name, association in share.principals.items()
            ):
                yield share

    def reaches(self, share: ModelShare, name: str, association: Association, account: str) -> bool:
        if association.status != "in" or account == self.owner:
            return False
        is_inside = account in self.parents and association.organization_id is not None
        if association.is_invited:
            return name == account and (share.allow_external or is_inside)
        if not (is_inside and self.is_sharing):
            return False
        return name == account or name.rpartition("/")[2] in self.holders(account)

    def holders(self, account: str) -> set[str]:
        found, holder = {self.organization_id}, self.parents[account]
        while holder != self.root_id:
            found.add(holder)
            holder = self.unit_parents[holder]
        return found

    def former_and_outside(self) -> list[str]:
        named = [name for share in self.shares.values() for name in share.principals]
        return [
            name
            for name in dict.fromkeys([*OUTSIDERS, *named])
            if name.isdigit() and name not in self.parents
        ]

    def check(self) -> None:
        """The database, what the ledger was told, and the oracle say the same."""
        expected = {pool: self.users_of(pool) for pool in POOLS}
        with self.database.read() as connection:
            found = SqlRows(connection).shares
            assert found.users_of_pools(POOLS) == expected
            assert dict(found.users_of_pools(POOLS)) == expected
            assert self.told == expected
            for account in [*self.parents, *self.former_and_outside()]:
                usable = {pool for pool in POOLS if account in expected[pool]}
                assert found.pools_for(account) == usable
                seen = list(self.shares_with(account))
                assert {
                    share.resource_share_arn
                    for _, share in found.listed(caller(account), OTHERS, None)
                } == {
                    share_arn
                    for share_arn, share in self.shares.items()
                    if any(share is one for one in seen)
                }

    # What it takes from.

    def any_share(self) -> tuple[str, ModelShare]:
        # A deleted one from time to time, so that it stays one.
        is_alive_wanted = self.rng.random() < 0.9
        return self.rng.choice(
            [item for item in self.shares.items() if item[1].is_alive or not is_alive_wanted]
        )

    def some(self, things: list[str]) -> list[str]:
        return self.rng.sample(things, min(len(things), self.rng.randrange(4)))

    def names(self) -> list[str]:
        stem = f"arn:aws:organizations::{MANAGER}"
        inside = [
            f"{stem}:organization/{self.organization_id}",
            *(f"{stem}:ou/{self.organization_id}/{unit}" for unit in self.unit_parents),
        ]
        return [
            *(account for account in self.parents if account != self.owner),
            *self.former_and_outside(),
            *(inside if self.is_sharing else ()),
        ]

    def arn_of(self, pool: str) -> str:
        return arn(self.owner, "ipam-pool", pool)

    def invitation_to(self, account: str, share_arn: str) -> str:
        with self.database.read() as connection:
            found = SqlRows(connection).shares.listed_invitations(
                caller(account), invitation_arns=(), share_arns=[share_arn], after=None
            )
            return [invitation.invitation_arn for _, invitation in found][-1]


def caller(account_id: str) -> Caller:
    return Caller(account_id, HOME, "tester")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    upgrade(database, "services.control_plane")
    yield database
    database.close()


@pytest.mark.parametrize("seed", range(2))
def test_users_are_those_whom_a_naive_look_at_the_shares_finds(  # ORG-4, ORG-5, POOL-5
    database: Database, seed: int
) -> None:
    history = History(database, seed)
    happenings = [
        history.create_share,
        history.create_share,
        history.associate,
        history.associate,
        history.disassociate,
        history.leave,
        history.answer,
        history.answer,
        history.answer,
        history.answer,
        history.update_share,
        history.replace_permission,
        history.delete_share,
        history.make_account,
        history.move_account,
        history.remove_account,
        history.stop_sharing,
        history.let_share,
        history.let_share,
        history.wait,
    ]
    done = 0
    for _ in range(90):
        try:
            history.rng.choice(happenings)()
        except (CadastreError, IndexError):
            # Refused, or nothing there that it could be done to: nothing is changed.
            continue
        done += 1
        history.check()
    assert done > 35


@pytest.mark.parametrize("count", [1, 30])
def test_users_are_found_in_as_many_queries_however_many_there_are(
    database: Database, count: int
) -> None:
    history, queries = History(database, seed=1), 0
    members = [history.make_account() for _ in range(count)]
    wanted = NewShare(
        name="share",
        allow_external_principals=False,
        permissions={},
        resources=[resource_arn(history.arn_of(pool)) for pool in POOLS],
        principals=[principal(name) for name in members],
    )
    history.do(lambda rows: shares.create_share(rows, caller(history.owner), wanted, history.now))

    def count_query(*_arguments: object) -> None:
        nonlocal queries
        queries += 1

    with database.read() as connection:
        rows = SqlRows(connection)
        event.listen(connection, "after_cursor_execute", count_query)
        assert rows.shares.users_of_pools(POOLS) == dict.fromkeys(POOLS, frozenset(members))
        assert queries == 4
        assert rows.shares.pools_for(members[0]) == set(POOLS)
        assert queries == 8
