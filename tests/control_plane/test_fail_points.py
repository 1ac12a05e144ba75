"""The control plane dies at each fail point of a saga's step: the saga goes on where it was."""

import asyncio
import signal
from contextlib import suppress

import pytest
import sqlalchemy as sa

from services.control_plane import tables
from shared.errors import CadastreError
from shared.fail_points import FailPoint
from shared.identity import TokenSigner
from shared.persistence.database import Database
from shared.rpc.client import Remote
from tests.acceptance.installation import free_base_port
from tests.control_plane.world import Client, World, settled, state
from tests.service_process import ServiceProcess
from tests.waiting import PATIENCE_SECONDS

REMOTE_PART_DONE = [FailPoint.OUTBOX_BEFORE_FINISH, FailPoint.OUTBOX_BEFORE_COMMIT]


async def create_pool_and_die(world: World, point: FailPoint, scope_id: str) -> None:
    """A control plane that dies at ``point`` is asked for a pool with the token "p"."""
    own = world.settings.model_copy(update={"port": free_base_port()})
    signer = TokenSigner(own.identity_secret_path.read_bytes())
    with ServiceProcess("control_plane", own, fail_point=point).running() as victim:
        async with Remote(victim.address, signer=signer) as remote:
            await asyncio.wait_for(remote.channel.channel_ready(), PATIENCE_SECONDS)
            # It may be answered before the step is begun.
            with suppress(CadastreError):
                await Client(remote).create_pool(scope_id, client_token="p")
            assert await asyncio.to_thread(victim.wait) == -signal.SIGKILL


def let_leases_run_out(world: World) -> None:
    """What a replica's worker would wait for."""
    database = Database(world.settings.database_url)
    with database.write() as connection:
        connection.execute(sa.update(tables.outbox).values(claimed_until=0))
    database.close()


@pytest.mark.parametrize("point", [FailPoint.OUTBOX_BEFORE_REMOTE, *REMOTE_PART_DONE], ids=str)
async def test_a_pool_is_made_once_wherever_its_maker_dies(  # IPAM-10, BEY-5
    world: World, point: FailPoint
) -> None:
    async with world.serving() as before:
        scope_id = (await before.create_ipam()).private_default_scope_id
    await create_pool_and_die(world, point, scope_id)
    assert len(world.ledger.definitions) == (point in REMOTE_PART_DONE)
    let_leases_run_out(world)
    async with world.serving() as after:
        pool = await after.create_pool(scope_id, client_token="p")
        done = await settled(after, pool.ipam_pool_id, "create-complete")
        assert await after.pools() == [done]
        assert list(world.ledger.definitions) == [pool.ipam_pool_id]
        assert state(await after.create_pool(scope_id, client_token="p")) == "create-in-progress"
