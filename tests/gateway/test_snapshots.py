"""What a gateway that is started while the control plane is away begins with (POOL-9)."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from anyio.from_thread import start_blocking_portal
from botocore.exceptions import ClientError
from structlog.testing import LogCapture

from cadastre.control.v1 import authorization_service_pb2 as pb
from services.gateway.server import running
from services.gateway.snapshots import Snapshot
from shared.encryption_keys import EncryptionKeys, create_encryption_keys
from shared.identity import create_secret
from shared.rpc.background import background
from shared.settings import Settings
from tests.gateway.edge import ACCOUNT_ID, BEHIND, CREDENTIALS, Edge
from tests.gateway.fake_organizations import FULL_ACCESS, organization
from tests.gateway.fakes import FakeServices, fake_services
from tests.waiting import eventually, wait_until

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "a secret of alice"
KEY = ("AKIA" + "L" * 16, SECRET)
KEYS, OTHER_KEYS = EncryptionKeys([b"n" * 32]), EncryptionKeys([b"o" * 32])


def account(account_id: str = ACCOUNT_ID, *, version: int = 1) -> pb.AccountUsers:
    user = pb.AuthorizedUser(
        arn=f"arn:aws:iam::{account_id}:user/alice", user_id="AIDALICE", policies=[FULL_ACCESS]
    )
    user.access_keys.add(access_key_id=KEY[0], secret_access_key=KEY[1])
    return pb.AccountUsers(account_id=account_id, version=version, users=[user])


@dataclass
class Kept:
    """A snapshot's file, as one process after the other sees it."""

    path: Path
    now: datetime = NOON
    log: LogCapture = field(default_factory=LogCapture)

    def snapshot(
        self, keys: EncryptionKeys = KEYS, *, gathered_seconds: float = 0
    ) -> Snapshot[pb.AccountUsers]:
        return Snapshot(
            self.path,
            pb.AccountUsers,
            keys,
            structlog.wrap_logger(None, processors=[self.log]),
            clock=lambda: self.now,
            gathered_seconds=gathered_seconds,
        )

    async def keep(self, *accounts: pb.AccountUsers, keys: EncryptionKeys = KEYS) -> None:
        """Until it is written, or that failed."""
        async with self.running(keys) as snapshot:
            snapshot.keep({one.account_id: one for one in accounts})

    @asynccontextmanager
    async def running(
        self, keys: EncryptionKeys = KEYS, *, gathered_seconds: float = 0
    ) -> AsyncIterator[Snapshot[pb.AccountUsers]]:
        snapshot = self.snapshot(keys, gathered_seconds=gathered_seconds)
        async with background(snapshot.run()):
            await asyncio.sleep(0)
            yield snapshot

    @property
    def errors(self) -> list[str]:
        return [one["event"] for one in self.log.entries if one["log_level"] == "error"]


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "gateway" / "users")


UNREADABLE = "the snapshot can't be read and is ignored"


async def test_what_was_kept_is_there_with_its_age(kept: Kept) -> None:
    accounts = [account(str(number) * 12) for number in range(3)]
    await kept.keep(*accounts)
    kept.now += timedelta(hours=2)
    assert kept.snapshot().load() == accounts
    [line] = kept.log.entries
    assert (line["event"], line["snapshot"]) == ("beginning with a snapshot", "users")
    assert (line["age_seconds"], line["count"]) == (7200, 3)


async def test_that_there_is_nothing_is_kept_too(kept: Kept) -> None:
    await kept.keep()
    assert kept.snapshot().load() == []


def test_without_a_file_nothing_is_known(kept: Kept) -> None:
    assert kept.snapshot().load() is None
    assert kept.log.entries == []


async def test_the_newest_takes_the_place_of_what_was_before(kept: Kept) -> None:
    await kept.keep(account("1" * 12), account("2" * 12))
    await kept.keep(account("1" * 12, version=2))
    assert kept.snapshot().load() == [account("1" * 12, version=2)]
    assert [one.name for one in kept.path.parent.iterdir()] == ["users"]


async def test_changes_are_gathered_and_none_is_lost_at_the_end(kept: Kept) -> None:
    told = {"1": account("1" * 12)}
    async with kept.running(gathered_seconds=3600) as snapshot:
        snapshot.keep(told)
        await eventually(_true_when(kept.path.exists))
        first = kept.path.read_bytes()
        for number in range(2, 5):
            told[str(number)] = account(str(number) * 12)
            snapshot.keep(told)
        await asyncio.sleep(0)
        assert kept.path.read_bytes() == first
    assert kept.snapshot().load() == list(told.values())


def _true_when(condition: Callable[[], bool]) -> Any:
    async def answer() -> bool:
        return condition()

    return answer


async def test_nobody_else_reads_it(kept: Kept) -> None:
    await kept.keep(account())
    assert kept.path.stat().st_mode & 0o777 == 0o600
    assert kept.path.parent.stat().st_mode & 0o777 == 0o700
    content = kept.path.read_bytes()
    for part in (SECRET, KEY[0], "alice"):
        assert part.encode() not in content


async def test_it_outlives_the_rotation_of_the_encryption_key(kept: Kept) -> None:
    await kept.keep(account())
    assert kept.snapshot(EncryptionKeys([b"x" * 32, b"n" * 32])).load() == [account()]


def _of_another_name(kept: Kept) -> None:
    other = kept.path.with_name("organizations")
    kept.path.rename(other)
    kept.path = other


@pytest.mark.parametrize(
    ("spoil", "keys"),
    [
        pytest.param(lambda _: None, OTHER_KEYS, id="other keys"),
        pytest.param(lambda kept: kept.path.write_bytes(b""), KEYS, id="empty"),
        pytest.param(lambda kept: os.truncate(kept.path, 40), KEYS, id="cut off"),
        pytest.param(lambda kept: kept.path.chmod(0o640), KEYS, id="open to others"),
        pytest.param(_of_another_name, KEYS, id="of another feed"),
        pytest.param(
            lambda kept: kept.path.write_bytes(
                KEYS.encrypt(b"x" * 20, bound_to="snapshot of users")
            ),
            KEYS,
            id="of another form",
        ),
    ],
)
async def test_what_cannot_be_read_is_told_and_ignored(
    spoil: Callable[[Kept], None], keys: EncryptionKeys, kept: Kept
) -> None:
    await kept.keep(account())
    spoil(kept)
    assert kept.snapshot(keys).load() is None
    assert kept.errors == [UNREADABLE]
    assert SECRET not in str(kept.log.entries)
    # The next one is in order again.
    await kept.keep(account(), keys=keys)
    assert kept.snapshot(keys).load() == [account()]


async def test_what_cannot_be_written_is_told_and_tried_again(kept: Kept) -> None:
    kept.path.parent.write_bytes(b"a file where the folder should be")
    async with kept.running() as snapshot:
        snapshot.keep({"1": account()})
        await eventually(_true_when(lambda: bool(kept.errors)))
        kept.path.parent.unlink()
        snapshot.keep({"1": account()})
    assert kept.errors[0] == "the snapshot can't be written"
    assert kept.snapshot().load() == [account()]


@dataclass
class Installation:
    """Gateways, one after the other, on one data folder."""

    settings: Settings
    fakes: FakeServices
    portal: Any

    @contextmanager
    def gateway(self) -> Iterator[Edge]:
        captured = LogCapture()
        log = structlog.wrap_logger(None, processors=[captured])
        with self.portal.wrap_async_context_manager(running(self.settings, log)) as gateway:
            yield Edge(gateway, self.fakes, self.settings, captured.entries, self.portal)

    def tell(self, edge: Edge, users: pb.AccountUsers, told: pb.OrganizationPolicies) -> None:
        """Have the control plane tell that, until it has arrived."""
        until_known(edge)
        self.portal.call(self.fakes.organizations.put_users, users)
        self.portal.call(self.fakes.organizations.put, told)
        until_logged(edge, "users changed", "organization changed")


def until_known(edge: Edge) -> None:
    until_logged(edge, "users known", "organizations known")


def until_logged(edge: Edge, *events: str) -> None:
    wait_until(lambda: set(events) <= {one["event"] for one in edge.log})


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(fake_services()) as fakes,
    ):
        addresses = dict.fromkeys(BEHIND, f"127.0.0.1:{fakes.port}")
        settings = Settings(data=tmp_path, port=0, addresses=addresses)
        create_secret(settings.identity_secret_path)
        create_encryption_keys(settings.encryption_key_path)
        settings.credentials_path.parent.mkdir(parents=True)
        settings.credentials_path.write_text(CREDENTIALS)
        yield Installation(settings, fakes, portal)


DENY_RELEASE = (
    '{"Statement": {"Effect": "Deny", "Action": "ec2:ReleaseIpamPoolAllocation", "Resource": "*"}}'
)
LINE = ("r-ab12", [FULL_ACCESS]), (ACCOUNT_ID, [FULL_ACCESS, DENY_RELEASE])
POOL = {"IpamPoolId": "ipam-pool-0123456789abcdef0"}
RELEASE = {**POOL, "Cidr": "10.0.0.0/24", "IpamPoolAllocationId": "ipam-pool-alloc-" + "0" * 32}


def code_of(call: Callable[..., Any], **parameters: Any) -> str:
    try:
        call(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "OK"


def test_a_gateway_restarted_without_the_control_plane_allocates(  # POOL-9
    installation: Installation,
) -> None:
    with installation.gateway() as edge:
        installation.tell(edge, account(), organization("o-a1b2c3d4e5", *LINE))
    installation.portal.call(installation.fakes.organizations.go_away)
    with installation.gateway() as edge:
        ec2 = edge.client(key=KEY)
        assert code_of(ec2.allocate_ipam_pool_cidr, **POOL, NetmaskLength=24) == "OK"
        # What was denied is denied still.
        assert code_of(ec2.release_ipam_pool_allocation, **RELEASE) == "UnauthorizedOperation"
        begun = [one for one in edge.log if one["event"] == "beginning with a snapshot"]
        assert {one["snapshot"] for one in begun} == {"organizations", "users"}
        assert all(one["age_seconds"] >= 0 for one in begun)


def test_the_control_planes_word_takes_the_place_of_what_was_kept(
    installation: Installation,
) -> None:
    with installation.gateway() as edge:
        installation.tell(edge, account(), organization("o-a1b2c3d4e5", *LINE))
    feed = installation.fakes.organizations
    installation.portal.call(feed.put_users, pb.AccountUsers(account_id=ACCOUNT_ID, version=2))
    installation.portal.call(feed.delete, "o-a1b2c3d4e5")
    with installation.gateway() as edge:
        until_known(edge)
        assert code_of(edge.client(key=KEY).describe_vpcs) == "AuthFailure"
        assert code_of(edge.client().release_ipam_pool_allocation, **RELEASE) == "OK"
    # So it does in what is kept.
    installation.portal.call(feed.go_away)
    with installation.gateway() as edge:
        assert code_of(edge.client(key=KEY).describe_vpcs) == "AuthFailure"
        assert code_of(edge.client().release_ipam_pool_allocation, **RELEASE) == "OK"
