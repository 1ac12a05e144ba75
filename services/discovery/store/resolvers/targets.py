"""Targets, and what is to be done for them."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from services.discovery.resolvers.target import Target, TargetState
from services.discovery.service.resolver_rows import StepKind
from services.discovery.store.reading import along, int_of_64_bits, parsed_key
from services.discovery.tables import outbox
from services.discovery.tables import prefix_list_resolver_targets as targets
from shared.caller import Caller
from shared.persistence.steps import Steps

_ATTACHED = [state.value for state in TargetState if state.is_attached]


class SqlTargetRows:
    """`TargetRows` of one transaction."""

    def __init__(self, connection: sa.Connection, steps: Steps) -> None:
        self._connection, self._steps = connection, steps
        self.has_new_steps = False

    def get(self, caller: Caller, target_id: str, *, lock: bool) -> Target | None:
        return self._one(_is_it(target_id), *_is_callers(caller), lock=lock)

    def all(
        self, caller: Caller, *, ids: Collection[str], resolver_id: str | None, after: str | None
    ) -> Iterator[tuple[str, Target]]:
        query = sa.select(targets).where(*_is_callers(caller))
        if ids:
            query = query.where(targets.c.target_id.in_(ids))
        if resolver_id is not None:
            query = query.where(targets.c.resolver_id == resolver_id)
        start = parsed_key(after, int_of_64_bits)
        for row in along(self._connection, query, (targets.c.sequence,), start):
            yield str(row.sequence), _target(row)

    def known(self, target_id: str, *, lock: bool) -> Target | None:
        return self._one(_is_it(target_id), lock=lock)

    def of_resolver(self, resolver_id: str, *, lock: bool) -> Sequence[Target]:
        query = sa.select(targets).where(targets.c.resolver_id == resolver_id)
        query = query.order_by(targets.c.target_id)
        rows = self._connection.execute(query.with_for_update() if lock else query)
        return [_target(row) for row in rows]

    def attached_without_step(self) -> Collection[str]:
        has_step = sa.select(outbox.c.id).where(outbox.c.subject == targets.c.target_id).exists()
        query = sa.select(targets.c.target_id).where(targets.c.state.in_(_ATTACHED), ~has_step)
        return self._connection.scalars(query.order_by(targets.c.sequence)).all()

    def add(self, target: Target) -> None:
        self._connection.execute(
            targets.insert().values(
                target_id=target.target_id,
                resolver_id=target.resolver_id,
                owner_id=target.owner_id,
                region=target.region,
                prefix_list_id=target.prefix_list_id,
                prefix_list_region=target.prefix_list_region,
                **_changeable(target),
            )
        )

    def save(self, target: Target) -> None:
        is_it = _is_it(target.target_id)
        self._connection.execute(targets.update().where(is_it).values(**_changeable(target)))

    def remove(self, target_id: str) -> None:
        self._connection.execute(targets.delete().where(_is_it(target_id)))

    def add_step(self, kind: StepKind, target_id: str) -> None:
        self._steps.add(self._connection, kind=kind, subject=target_id, payload={})
        self.has_new_steps = True

    def _one(self, *conditions: sa.ColumnElement[bool], lock: bool) -> Target | None:
        query = sa.select(targets).where(*conditions)
        row = self._connection.execute(query.with_for_update() if lock else query).one_or_none()
        return _target(row) if row else None


def _is_it(target_id: str) -> sa.ColumnElement[bool]:
    return targets.c.target_id == target_id


def _is_callers(caller: Caller) -> tuple[sa.ColumnElement[bool], ...]:
    return targets.c.owner_id == caller.account_id, targets.c.region == caller.region


def _changeable(target: Target) -> dict[str, Any]:
    return {
        "desired_version": target.desired_version,
        "last_synced_version": target.last_synced_version,
        "state": target.state.value,
        "state_message": target.state_message and target.state_message[:2048],
        "tags": dict(target.tags),
    }


def _target(row: sa.Row[Any]) -> Target:
    return Target(
        target_id=row.target_id,
        resolver_id=row.resolver_id,
        owner_id=row.owner_id,
        region=row.region,
        prefix_list_id=row.prefix_list_id,
        prefix_list_region=row.prefix_list_region,
        desired_version=row.desired_version,
        tags=row.tags,
        last_synced_version=row.last_synced_version,
        state=TargetState(row.state),
        state_message=row.state_message,
    )
