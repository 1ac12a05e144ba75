"""The saga's handlers, as the outbox calls them, and how much it has to do."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from sqlalchemy import Connection, Table, func, select

from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import NextStep, StepKind
from services.control_plane.store.rows import SqlRows
from services.control_plane.telemetry import StepTelemetry
from shared.errors import CadastreError
from shared.persistence.database import Database
from shared.persistence.outbox import Finish, Handler, Step
from shared.persistence.steps import Steps

LOOK_SECONDS = 1.0
"""As often as the outbox looks for what other replicas left."""

Ending = Callable[[Rows], Sequence[NextStep] | None]
CarryOut = Callable[[NextStep], Awaitable[Ending]]


def add_step(steps: Steps, connection: Connection, step: NextStep) -> None:
    """Have it carried out once the transaction is committed."""
    payload = {"version": step.version, "cascade": step.cascade}
    steps.add(connection, kind=step.kind, subject=step.subject, payload=payload)


def outbox_handlers(
    handlers: Mapping[StepKind, CarryOut], steps: Steps, telemetry: StepTelemetry
) -> Mapping[str, Handler]:
    """By kind; what a handler returns runs on the transaction that ends its step.

    What is to follow is added to ``steps`` in that same transaction.
    """
    return {kind: _on_outbox(carry_out, steps, telemetry) for kind, carry_out in handlers.items()}


async def watch_pending(database: Database, outbox: Table, telemetry: StepTelemetry) -> None:
    """Tell again and again how many steps are still to be carried out."""
    while True:
        # The outbox itself reports that the database is away.
        with suppress(CadastreError):
            telemetry.pending(await database.run(_count, database, outbox))
        await asyncio.sleep(LOOK_SECONDS)


def _count(database: Database, outbox: Table) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(outbox)).scalar_one()


def _on_outbox(carry_out: CarryOut, steps: Steps, telemetry: StepTelemetry) -> Handler:
    async def handle(step: Step) -> Finish:
        with telemetry.counting_failures():
            ending = await carry_out(NextStep(StepKind(step.kind), step.subject, **step.payload))

        def finish(connection: Connection) -> None:
            with telemetry.counting_failures():
                for following in ending(SqlRows(connection)) or ():
                    add_step(steps, connection, following)
            telemetry.succeeded()

        return finish

    return handle
