"""The saga's handlers, as the outbox calls them."""

from collections.abc import Awaitable, Callable, Mapping

from sqlalchemy import Connection

from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import NextStep, StepKind
from services.control_plane.store.rows import SqlRows
from shared.persistence.outbox import Finish, Handler, Step

Ending = Callable[[Rows], None]
CarryOut = Callable[[NextStep], Awaitable[Ending]]


def outbox_handlers(handlers: Mapping[StepKind, CarryOut]) -> Mapping[str, Handler]:
    """By kind; what a handler returns runs on the transaction that ends its step."""
    return {kind: _on_outbox(carry_out) for kind, carry_out in handlers.items()}


def _on_outbox(carry_out: CarryOut) -> Handler:
    async def handle(step: Step) -> Finish:
        ending = await carry_out(NextStep(StepKind(step.kind), step.subject, **step.payload))

        def finish(connection: Connection) -> None:
            ending(SqlRows(connection))

        return finish

    return handle
