"""Following the organizations: what holds while the control plane comes and goes (ORG-6)."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import grpc.aio
import pytest
import structlog
from structlog.testing import LogCapture

from cadastre.control.v1 import authorization_service_pb2 as pb
from cadastre.control.v1.authorization_service_pb2_grpc import (
    add_AuthorizationServiceServicer_to_server,
)
from services.gateway.authorization.authorizer import Authorizer
from services.gateway.authorization.following import Follower
from services.gateway.authorization.organizations import Entity, Organization, Organizations
from services.gateway.routes import rpcs_by_action
from services.gateway.snapshots import Snapshot
from shared.caller import Caller
from shared.encryption_keys import EncryptionKeys
from shared.errors import ServiceUnavailable, UnauthorizedOperation
from shared.identity import TokenSigner
from shared.rpc.background import background
from shared.rpc.client import Remote
from tests.gateway.fake_organizations import FULL_ACCESS, FakeOrganizations, organization
from tests.waiting import PATIENCE_SECONDS

ACCOUNT_ID = "123456789012"
CALLER = Caller(ACCOUNT_ID, "us-east-1", f"arn:aws:iam::{ACCOUNT_ID}:user/alice")
[DESCRIBE_VPCS] = rpcs_by_action()["DescribeVpcs"]
OPEN = organization("o-1", ("r-1", [FULL_ACCESS]), (ACCOUNT_ID, [FULL_ACCESS]))
SHUT = organization("o-1", ("r-1", []), (ACCOUNT_ID, [FULL_ACCESS]), version=2)


@dataclass
class World:
    """A gate that follows a control plane, which may not be there."""

    control_plane: FakeOrganizations
    organizations: Organizations
    authorizer: Authorizer
    port: int

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """The control plane is there."""
        server = grpc.aio.server()
        add_AuthorizationServiceServicer_to_server(self.control_plane, server)
        assert server.add_insecure_port(f"127.0.0.1:{self.port}") == self.port
        await server.start()
        try:
            yield
        finally:
            await server.stop(grace=None)

    async def hear(self, told: pb.OrganizationPolicies) -> None:
        """Have the control plane tell of it, until that has arrived."""
        before = self.organizations.of(ACCOUNT_ID)
        await self.control_plane.put(told)
        await until(lambda: self.organizations.of(ACCOUNT_ID) is not before)

    async def may_call(self) -> bool:
        try:
            await self.authorizer.check(DESCRIBE_VPCS, DESCRIBE_VPCS.request_type(), CALLER)
        except UnauthorizedOperation:
            return False
        return True


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    organizations = Organizations()
    log = structlog.wrap_logger(None, processors=[LogCapture()])
    authorizer = Authorizer(
        organizations, log, clock=lambda: datetime.now(UTC), patience_seconds=0.01
    )
    async with Remote(f"127.0.0.1:{port}", signer=TokenSigner(b"s" * 32)) as remote:
        snapshot = Snapshot(
            tmp_path / "organizations",
            pb.OrganizationPolicies,
            EncryptionKeys([b"n" * 32]),
            log,
            clock=lambda: datetime.now(UTC),
        )
        follower = Follower(remote, organizations, snapshot, log)
        async with background(snapshot.run(), follower.run()):
            yield World(FakeOrganizations(), organizations, authorizer, port)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - it is about what others have got to
            await asyncio.sleep(0.001)


async def test_nobody_passes_before_the_organizations_are_known(world: World) -> None:
    with pytest.raises(ServiceUnavailable, match="not known yet; repeat"):
        await world.may_call()


async def test_a_call_waits_for_a_control_plane_that_is_being_started(world: World) -> None:
    patient = Authorizer(
        world.organizations, structlog.get_logger(), clock=lambda: datetime.now(UTC)
    )
    call = asyncio.create_task(patient.check(DESCRIBE_VPCS, DESCRIBE_VPCS.request_type(), CALLER))
    async with world.serving():
        await call


async def test_what_was_told_holds_until_the_control_plane_is_back(world: World) -> None:
    await world.control_plane.put(SHUT)
    async with world.serving():
        await world.organizations.until_known()
        assert not await world.may_call()
    shut = world.organizations.of(ACCOUNT_ID)
    await world.control_plane.put(OPEN)
    assert not await world.may_call()
    async with world.serving():
        await until(lambda: world.organizations.of(ACCOUNT_ID) is not shut)
        assert await world.may_call()


async def test_an_organization_that_went_meanwhile_is_forgotten(world: World) -> None:
    await world.control_plane.put(SHUT)
    async with world.serving():
        await world.organizations.until_known()
    await world.control_plane.delete("o-1")
    async with world.serving():
        await until(lambda: world.organizations.of(ACCOUNT_ID) is None)
        assert await world.may_call()


async def test_changes_are_taken_as_they_come(world: World) -> None:
    async with world.serving():
        await world.organizations.until_known()
        for told, is_allowed in ((OPEN, True), (SHUT, False), (OPEN, True)):
            await world.hear(told)
            assert await world.may_call() is is_allowed


def single(organization_id: str, *account_ids: str) -> Organization:
    entities = [Entity("r-1", "", []), *(Entity(a, "r-1", []) for a in account_ids)]
    return Organization(organization_id, 1, entities, management_account_id="m", is_enforced=True)


@pytest.mark.parametrize("is_told_of_the_new_one_first", [True, False])
async def test_an_account_may_move_to_another_organization(
    is_told_of_the_new_one_first: bool,
) -> None:
    organizations = Organizations()
    organizations.replace([single("o-1", "1", "2")])
    changes = [single("o-1", "2"), single("o-2", "1")]
    for change in reversed(changes) if is_told_of_the_new_one_first else changes:
        organizations.put(change)
    assert [getattr(organizations.of(a), "organization_id", None) for a in "12"] == ["o-2", "o-1"]
    organizations.remove("o-1")
    assert [getattr(organizations.of(a), "organization_id", None) for a in "12"] == ["o-2", None]


def test_an_accounts_path_is_that_of_what_holds_it() -> None:
    entities = [Entity("r-1", "", []), Entity("ou-1", "r-1", []), Entity("ou-2", "ou-1", [])]
    accounts = [Entity("1", "r-1", []), Entity("2", "ou-2", [])]
    found = Organization(
        "o-1", 1, [*entities, *accounts], management_account_id="1", is_enforced=True
    )
    assert found.path_of("1") == "o-1/r-1/"
    assert found.path_of("2") == "o-1/r-1/ou-1/ou-2/"
