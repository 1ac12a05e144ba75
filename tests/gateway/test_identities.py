"""Who signed a request: by which key or session, until when, and why somebody didn't (ORG-10)."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import structlog

from services.gateway.authorization.authorizer import Authorizer
from services.gateway.authorization.evaluation import AttachedPolicy
from services.gateway.authorization.organizations import Entity, Organization, Organizations
from services.gateway.credentials import Credentials
from services.gateway.errors import RefusedIdentity
from services.gateway.identities import Identities
from services.gateway.identity import Identity, IdentityPolicies
from services.gateway.roles import Roles
from services.gateway.sessions import AssumedRole, Session, SessionTokens, new_session
from services.gateway.users import AccountKeys, UserKey, Users
from shared.encryption_keys import EncryptionKeys
from shared.errors import ServiceUnavailable
from shared.policies.document import parse_policy
from tests.gateway.edge import ACCESS_KEY_ID, ACCOUNT_ID, CREDENTIALS, SECRET
from tests.gateway.test_sigv4 import Signed, signed, signed_at

ALICE_KEY, ALICE_SECRET = "AKIA" + "L" * 16, "alices secret"
INACTIVE_KEY, STRANGE_KEY = "AKIA" + "I" * 16, "AKIA" + "S" * 16
ASSUMES_ROLES = parse_policy(
    '{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}}'
)
POLICIES = IdentityPolicies([AttachedPolicy("p", ASSUMES_ROLES)])
ALICE = Identity(
    ACCOUNT_ID, f"arn:aws:iam::{ACCOUNT_ID}:user/alice", "AIDALICE", ALICE_KEY, POLICIES
)
TOKENS = SessionTokens(EncryptionKeys([b"n" * 32]))
ROLE = AssumedRole("444455556666", "OrganizationAccountAccessRole", "me")


@dataclass
class Door:
    """Where people come in; the clock is the test's."""

    credentials: Credentials
    users: Users = field(default_factory=Users)
    organizations: Organizations = field(default_factory=Organizations)
    tokens: SessionTokens = TOKENS
    now: datetime | None = None

    async def opened(self, request: Signed) -> Identity:
        return await self.identities(request, patience_seconds=0.01).of(*request)

    def identities(self, request: Signed, **more: float) -> Identities:
        def clock() -> datetime:
            return self.now or signed_at(request[1])

        authorizer = Authorizer(self.organizations, structlog.get_logger(), clock=clock, **more)
        roles = Roles(authorizer, self.organizations)
        return Identities(self.credentials, self.users, self.tokens, roles, clock=clock, **more)

    async def shut(self, request: Signed) -> tuple[str, str]:
        """The code for the client, and the reason for the log."""
        with pytest.raises(RefusedIdentity) as refusal:
            await self.opened(request)
        return refusal.value.reason, refusal.value.why

    def session(self, holder_key_id: str, *, role: AssumedRole | None = None) -> Session:
        """One for a minute: so long clocks may differ."""
        a_minute_on = signed_at(signed()[1]) + timedelta(minutes=1)
        return new_session(holder_key_id, a_minute_on, role)

    def by_session(self, session: Session) -> Signed:
        token = self.tokens.token_of(session)
        return signed(token=token, key=(session.access_key_id, session.secret))


@pytest.fixture
def door(tmp_path: Path) -> Door:
    path = tmp_path / "credentials"
    path.write_text(CREDENTIALS)
    door = Door(Credentials(path, structlog.get_logger()))
    has_alice(door)
    door.organizations.replace([managed_by(ACCOUNT_ID)])
    return door


def managed_by(management_account_id: str) -> Organization:
    """An organization with the role's account."""
    accounts = [Entity(one, "r-1", []) for one in (management_account_id, ROLE.account_id)]
    return Organization(
        "o-1",
        1,
        [Entity("r-1", "", []), *accounts],
        management_account_id=management_account_id,
        is_enforced=True,
    )


def has_alice(
    door: Door, *, inactive: tuple[str, ...] = (INACTIVE_KEY,), alice: Identity = ALICE
) -> None:
    keys = {ALICE_KEY: UserKey(ALICE_SECRET, alice)}
    active = {key_id: key for key_id, key in keys.items() if key_id not in inactive}
    door.users.replace([AccountKeys(ACCOUNT_ID, active, frozenset(inactive))])


async def test_a_key_of_the_file_is_its_profile_which_may_do_everything(door: Door) -> None:
    identity = await door.opened(signed())
    assert identity.principal == f"arn:aws:iam::{ACCOUNT_ID}:user/ipam-account"
    assert identity.policies is None
    assert not identity.is_session


async def test_a_users_key_is_the_user_with_its_policies(door: Door) -> None:
    assert await door.opened(signed(key=(ALICE_KEY, ALICE_SECRET))) == ALICE


async def test_a_session_of_a_user_is_the_user(door: Door) -> None:
    identity = await door.opened(door.by_session(door.session(ALICE_KEY)))
    assert (identity.principal, identity.user_id) == (ALICE.principal, ALICE.user_id)
    assert identity.policies is POLICIES
    assert identity.is_session


async def test_a_session_of_a_role_is_the_roles_in_its_account(door: Door) -> None:
    identity = await door.opened(door.by_session(door.session(ALICE_KEY, role=ROLE)))
    assert (identity.account_id, identity.principal) == (ROLE.account_id, ROLE.arn)
    # It may do what its account may: the policies of who acts in it don't go along.
    assert identity.policies is None
    assert identity.user_id.startswith("AROA")
    assert identity.user_id.endswith(":me")


@pytest.mark.parametrize("holder", [ALICE_KEY, ACCESS_KEY_ID], ids=["user", "profile"])
@pytest.mark.parametrize("role", [None, ROLE], ids=["of a user", "of a role"])
async def test_a_session_ends_to_the_second(
    holder: str, role: AssumedRole | None, door: Door
) -> None:
    session = door.session(holder, role=role)
    for seconds, is_over in ((-1, False), (0, True), (1, True)):
        door.now = session.expires_at + timedelta(seconds=seconds)
        request = door.by_session(session)
        if is_over:
            assert await door.shut(request) == ("ExpiredToken", "expired session")
        else:
            assert (await door.opened(request)).is_session


async def test_a_session_ends_with_the_key_it_was_got_with(door: Door) -> None:
    request = door.by_session(door.session(ALICE_KEY, role=ROLE))
    await door.opened(request)
    has_alice(door, inactive=(ALICE_KEY,))
    assert await door.shut(request) == (
        "InvalidClientTokenId",
        "session of an inactive access key",
    )
    door.users.replace([])
    assert await door.shut(request) == ("InvalidClientTokenId", "session of an unknown access key")


async def test_a_session_of_a_role_ends_when_its_account_leaves(door: Door) -> None:
    over = "InvalidClientTokenId", "session of a role that its holder may not act in any more"
    request = door.by_session(door.session(ALICE_KEY, role=ROLE))
    await door.opened(request)
    for organizations in ([], [managed_by("777788889999")]):
        door.organizations.replace(organizations)
        assert await door.shut(request) == over
    door.organizations.replace([managed_by(ACCOUNT_ID)])
    await door.opened(request)


async def test_a_session_of_a_role_ends_with_the_permission_to_act_in_it(door: Door) -> None:
    request = door.by_session(door.session(ALICE_KEY, role=ROLE))
    has_alice(door, alice=replace(ALICE, policies=IdentityPolicies([])))
    _, why = await door.shut(request)
    assert why == "session of a role that its holder may not act in any more"


async def test_no_session_of_a_role_is_refused_before_the_organizations_are_known(
    door: Door,
) -> None:
    door.organizations = Organizations()
    with pytest.raises(ServiceUnavailable, match="not known yet"):
        await door.opened(door.by_session(door.session(ALICE_KEY, role=ROLE)))
    await door.opened(door.by_session(door.session(ALICE_KEY)))


async def test_who_is_refused_is_told_apart_for_the_log_alone(door: Door) -> None:  # ORG-10
    session, other = door.session(ALICE_KEY), door.session(ALICE_KEY)
    token = door.tokens.token_of(session)
    key = (session.access_key_id, session.secret)
    refusals = {
        "unknown access key": signed(key=(STRANGE_KEY, SECRET)),
        "inactive access key": signed(key=(INACTIVE_KEY, SECRET)),
        "forged session token": signed(token="made-up", key=key),
        "session token of another access key": signed(
            token=token, key=(other.access_key_id, other.secret)
        ),
    }
    for why, request in refusals.items():
        assert await door.shut(request) == ("InvalidClientTokenId", why)
    # A temporary key is nothing without its token.
    alone = await door.shut(signed(key=key))
    assert alone == ("InvalidClientTokenId", "unknown access key")
    wrong_secrets = [
        signed(key=(ACCESS_KEY_ID, "x")),
        signed(key=(ALICE_KEY, "x")),
        signed(token=token, key=(session.access_key_id, "x")),
    ]
    for request in wrong_secrets:
        assert await door.shut(request) == ("SignatureDoesNotMatch", "wrong signature")


@pytest.mark.parametrize(
    ("minutes", "why"), [(6, "signed too long ago"), (-6, "signed ahead of time")]
)
async def test_a_clock_that_differs_is_told_apart_from_a_replay(
    minutes: int, why: str, door: Door
) -> None:
    request = signed()
    door.now = signed_at(request[1]) + timedelta(minutes=minutes)
    assert await door.shut(request) == ("RequestExpired", why)


async def test_nobody_is_refused_before_the_users_are_known(door: Door) -> None:
    door.users = Users()
    with pytest.raises(ServiceUnavailable, match="not known yet"):
        await door.opened(signed(key=(ALICE_KEY, ALICE_SECRET)))
    # Who is in the file need not wait for that.
    await door.opened(signed())


async def test_a_request_waits_for_users_that_are_being_told(door: Door) -> None:
    door.users = Users()
    request = signed(key=(ALICE_KEY, ALICE_SECRET))
    waiting = asyncio.create_task(door.identities(request).of(*request))
    await asyncio.sleep(0)
    has_alice(door)
    assert await waiting == ALICE


class TestUsers:
    """The newest word on an account counts."""

    def test_a_key_that_is_told_no_more_is_gone(self) -> None:
        users = Users()
        users.replace([AccountKeys("1", {"A": UserKey("s", ALICE)}, frozenset({"I"}))])
        users.put(AccountKeys("1", {}, frozenset({"A"})))
        assert users.key("A") is None
        assert users.is_inactive("A")
        assert not users.is_inactive("I")

    def test_accounts_do_not_touch_each_other(self) -> None:
        users = Users()
        users.replace(
            [
                AccountKeys("1", {"A": UserKey("s", ALICE)}, frozenset()),
                AccountKeys("2", {"B": UserKey("s", ALICE)}, frozenset({"I"})),
            ]
        )
        users.put(AccountKeys("1", {}, frozenset()))
        assert users.key("A") is None
        assert users.key("B") is not None
        assert users.is_inactive("I")

    def test_after_a_break_there_are_those_that_were_told_and_no_others(self) -> None:
        users = Users()
        users.replace([AccountKeys("1", {"A": UserKey("s", ALICE)}, frozenset({"I"}))])
        users.replace([])
        assert users.key("A") is None
        assert not users.is_inactive("I")

    def test_a_key_does_not_show_its_secret(self) -> None:
        assert "hidden" not in repr(UserKey("hidden", ALICE))
