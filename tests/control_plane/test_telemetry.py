"""What the control plane tells Prometheus of the steps that commands leave."""

import asyncio

from prometheus_client.parser import text_string_to_metric_families

from tests.control_plane.world import Client, World, on_sqlite_alone, settled
from tests.waiting import eventually

PENDING = "cadastre_control_plane_pending_commands"
ATTEMPTS = "cadastre_control_plane_command_attempts_total"


async def told(control: Client) -> dict[str, float]:
    """Attempts by outcome, the rest by name."""
    exposition = await control.metrics()
    return {
        sample.labels.get("outcome", sample.name): sample.value
        for family in text_string_to_metric_families(exposition.decode())
        for sample in family.samples
        if sample.name in {PENDING, ATTEMPTS}
    }


@on_sqlite_alone
async def test_every_series_is_there_before_anything_happens(control: Client) -> None:
    assert await told(control) == {PENDING: 0, "success": 0, "failure": 0}


@on_sqlite_alone
async def test_what_the_ledger_is_to_be_told_is_pending_while_it_is_down(
    control: Client, world: World
) -> None:
    scope_id = (await control.create_ipam()).private_default_scope_id
    before = await told(control)
    assert (before["success"], before["failure"]) == (1, 0)
    world.ledger.is_down = True
    made = await asyncio.gather(*(control.create_pool(scope_id) for _ in range(2)))
    refused, accepted = (pool.ipam_pool_id for pool in made)

    async def are_pending() -> bool:
        now = await told(control)
        return now[PENDING] == 2 and now["failure"] >= 2 and now["success"] == 1

    async def are_done() -> bool:
        # What is refused for good is not tried again.
        now = await told(control)
        return now[PENDING] == 0 and now["success"] == 3

    await eventually(are_pending)
    world.ledger.refusals[refused] = "never"
    world.ledger.is_down = False
    await settled(control, refused, "create-failed")
    await settled(control, accepted, "create-complete")
    await eventually(are_done)
