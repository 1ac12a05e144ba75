"""Asking all that is in the table, once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.authorization.api import DRY_RUN, Answer
from tests.authorization.callers import ABROAD, ELSEWHERE, HOME
from tests.authorization.installation import Installation
from tests.authorization.row import ALLOWED, EMPTY, HIDDEN, Row
from tests.authorization.things import Things, another_name
from tests.authorization.world import World

_Members = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request, and what came of it."""

    row: Row
    whose: str
    """Whose things it is about."""
    caller: str
    request: str
    """Its members in JSON."""
    answer: Answer
    outcome: str


class Asking:
    """Asks for every caller."""

    def __init__(self, it: Installation, world: World) -> None:
        self._it, self._world, self._known_by = it, world, world.known_by()

    async def ask_all(self, rows: Sequence[Row]) -> list[Asked]:
        """In the order of the rows; of each, in the order of the callers."""
        return [
            await self._ask(row, whose, caller)
            for row in rows
            for whose in row.whose
            for caller in row.expected_about(whose)
        ]

    async def own_view(self, rows: Sequence[Row]) -> list[Answer]:
        """What those whose things are asked about read of them."""
        return [
            (await self._ask(row, whose, whose)).answer
            for row in rows
            if row.is_reading and row.is_steady
            for whose in row.whose
        ]

    async def _ask(self, row: Row, whose: str, caller: str) -> Asked:
        things = replace(self._world.things[whose], own=self._world.own[caller])
        members = row.members(things)
        answer = await self._answer(row, caller, members, dry_run=not row.is_reading)
        outcome = await self._outcome(row, caller, things, members, answer)
        if row.has_dry_run and not row.is_reading and answer.code == "OK":
            outcome = "done, though it was a dry run"
        if row.is_reading and row.has_dry_run:
            dry = await self._answer(row, caller, members, dry_run=True)
            if dry.reason != DRY_RUN if answer.is_given else dry != answer:
                outcome = f"{outcome}, but by a dry run {dry}"
        return Asked(row, whose, caller, json.dumps(members), answer, outcome)

    async def _answer(self, row: Row, caller: str, members: _Members, *, dry_run: bool) -> Answer:
        """With ``dry_run`` only if the request has it."""
        if dry_run and row.has_dry_run:
            members = {**members, "dry_run": True}
        region = row.region or (ELSEWHERE if caller == ABROAD else HOME)
        proof = self._it.proof_of(self._world.accounts[caller], region)
        # Of a stream, all that comes before what was made last.
        until = self._world.own[caller].ipam_pool_id
        return await self._it.ask(row.path, members, proof, until=until)

    async def _outcome(
        self, row: Row, caller: str, things: Things, members: _Members, answer: Answer
    ) -> str:
        if answer.is_given:
            is_shown = row.shows is None or row.shows(things) in answer.text
            return ALLOWED if is_shown else EMPTY
        if answer.code != "NOT_FOUND":
            return answer.reason or f"{answer.code} {answer.message}"
        names = {
            name: another_name(name)
            for name in things.ids.values()
            # What it knows stays, as the pool in which it is told that something is not there.
            if caller not in self._known_by[name] or name in answer.message
        }
        unknown = await self._answer(
            row, caller, _renamed(members, names), dry_run=not row.is_reading
        )
        if answer.with_replaced(names) != unknown:
            return f"told {answer} in place of {unknown}"
        return HIDDEN


def _renamed(members: _Members, names: Mapping[str, str]) -> _Members:
    text = json.dumps(members)
    for old, new in names.items():
        text = text.replace(old, new)
    renamed: _Members = json.loads(text)
    return renamed
