"""The saga's handlers, as the outbox calls them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from sqlalchemy import Connection

from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import NextStep, StepKind
from services.control_plane.store.rows import SqlRows
from shared.persistence.outbox import Finish, Handler, Step
from shared.persistence.steps import Steps

Ending = Callable[[Rows], Sequence[NextStep] | None]
CarryOut = Callable[[NextStep], Awaitable[Ending]]


def add_step(steps: Steps, connection: Connection, step: NextStep) -> None:
    """Have it carried out once the transaction is committed."""
    payload = {"version": step.version, "cascade": step.cascade}
    steps.add(connection, kind=step.kind, subject=step.subject, payload=payload)


def outbox_handlers(handlers: Mapping[StepKind, CarryOut], steps: Steps) -> Mapping[str, Handler]:
    """By kind; what a handler returns runs on the transaction that ends its step.

    What is to follow is added to ``steps`` in that same transaction.
    """
    return {kind: _on_outbox(carry_out, steps) for kind, carry_out in handlers.items()}


def _on_outbox(carry_out: CarryOut, steps: Steps) -> Handler:
    async def handle(step: Step) -> Finish:
        ending = await carry_out(NextStep(StepKind(step.kind), step.subject, **step.payload))

        def finish(connection: Connection) -> None:
            for following in ending(SqlRows(connection)) or ():
                add_step(steps, connection, following)

        return finish

    return handle
