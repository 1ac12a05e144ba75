"""Tags in whatever tables have resources, listed one by one."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from shared.caller import Caller
from shared.errors import InvalidNextToken
from shared.persistence.database import Database
from shared.tags import Tags

BLOCK_ROWS = 1000
_LARGEST = 2**63 - 1
_ESCAPE = "/"
_SPECIAL = re.compile("[/%_]")
_TAKEN_AS_IT_IS = r"/\g<0>"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ResourceTag:
    """One tag of one resource."""

    resource_type: str
    resource_id: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of tags need not read; what it has may still be more than is asked for."""

    ids: Collection[str] | None = None
    """Only these resources; None: any."""
    types: Callable[[str], bool] = lambda _: True
    """Whether resources of a type are asked for."""
    texts: Sequence[Collection[Sequence[str]]] = ()
    """Of each of these, one is a key or a value among the resource's tags: in pieces, with anything
    between them."""

    def conditions(
        self, id_column: sa.Column[str], tags: sa.Column[Any]
    ) -> Iterator[sa.ColumnElement[bool]]:
        """What rows with these columns must pass; those without tags don't."""
        written = sa.cast(tags, sa.Text)
        yield written != "{}"
        if self.ids is not None:
            yield id_column.in_(self.ids)
        for texts in self.texts:
            # The database passes over a row that would have to be read and understood otherwise.
            has_one = (written.like(_pattern(pieces), escape=_ESCAPE) for pieces in texts)
            yield sa.or_(sa.false(), *has_one)


def _pattern(pieces: Sequence[str]) -> str:
    """Of JSON that has a string of these pieces."""
    written = (json.dumps(piece)[1:-1] for piece in pieces)
    return f'%"{"%".join(_SPECIAL.sub(_TAKEN_AS_IT_IS, piece) for piece in written)}"%'


class Kind(Protocol):
    """Resources of one type, as they lie in the database."""

    @property
    def resource_type(self) -> str:
        """As AWS names it: ``ipam-pool``."""

    def tagged(
        self, connection: sa.Connection, caller: Caller, wanted: Wanted, start: str
    ) -> Iterator[tuple[str, str, Tags]]:
        """The caller's that have tags: place in the order, which is by place, id and tags.

        Beginning with the one at the place ``start``, or with the first if that is empty.

        Raises:
            InvalidNextToken: there is no such place.
        """


@dataclass(frozen=True, slots=True)
class Tagged:
    """Rows with a number ``sequence``, which says what is older, and JSON in a column ``tags``."""

    resource_type: str
    id_column: sa.Column[str]
    is_callers: Callable[[Caller], sa.ColumnElement[bool]]

    @classmethod
    def of(
        cls,
        resource_type: str,
        id_column: sa.Column[str],
        *,
        region: str = "region",
        kind: str | None = None,
    ) -> "Tagged":
        """A table with an owner, and a region in the column of that name.

        ``kind``: only rows whose ``resource_type`` is the type.
        """
        columns = id_column.table.c

        def is_callers(caller: Caller) -> sa.ColumnElement[bool]:
            return sa.and_(
                columns.owner_id == caller.account_id,
                columns[region] == caller.region,
                columns.resource_type == kind if kind else sa.true(),
            )

        return cls(resource_type, id_column, is_callers)

    def tagged(
        self, connection: sa.Connection, caller: Caller, wanted: Wanted, start: str
    ) -> Iterator[tuple[str, str, Tags]]:
        columns = self.id_column.table.c
        sequence, tags = columns.sequence, columns.tags
        is_wanted = (self.is_callers(caller), *wanted.conditions(self.id_column, tags))
        query = sa.select(sequence, self.id_column, tags).where(*is_wanted)
        query = query.order_by(sequence).limit(BLOCK_ROWS)
        last = number_of(start) - 1
        while rows := connection.execute(query.where(sequence > last)).all():
            for number, resource_id, held in rows:
                yield str(number), resource_id, held
            last = rows[-1].sequence


class TagsAfter(Protocol):
    """Tags in order, each with its key for paging, after the one with a key."""

    def __call__(
        self, after: str | None, *, wanted: Wanted
    ) -> Iterator[tuple[str, ResourceTag]]: ...


class TaggedTables:
    """All of a context's resources that can have tags."""

    def __init__(self, database: Database, kinds: Sequence[Kind]) -> None:
        """Types are listed in the order of ``kinds``."""
        self._database, self._kinds = database, kinds

    async def ask(self, caller: Caller, question: Callable[[TagsAfter], T]) -> T:
        """What ``question`` makes of the tags of the caller's resources, in one snapshot."""
        return await self._database.run(self._ask, caller, question)

    def _ask(self, caller: Caller, question: Callable[[TagsAfter], T]) -> T:
        with self._database.read() as connection:

            def tags_after(
                after: str | None, *, wanted: Wanted
            ) -> Iterator[tuple[str, ResourceTag]]:
                return self._after(connection, caller, after, wanted)

            return question(tags_after)

    def _after(
        self, connection: sa.Connection, caller: Caller, after: str | None, wanted: Wanted
    ) -> Iterator[tuple[str, ResourceTag]]:
        first, start, last_key = _position(after)
        for number, kind in enumerate(self._kinds):
            if number < first or not wanted.types(kind.resource_type):
                continue
            begin = start if number == first else ""
            for place, resource_id, tags in kind.tagged(connection, caller, wanted, begin):
                for key in sorted(tags):
                    # Of the resource that the last page ended in, what is left.
                    if place != begin or key > last_key:
                        tag = ResourceTag(kind.resource_type, resource_id, key, tags[key])
                        yield f"{number} {place} {key.encode().hex()}", tag


def number_of(text: str) -> int:
    """0 if it is empty.

    Raises:
        InvalidNextToken: it is no number that a column can have.
    """
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(_LARGEST)):
        raise InvalidNextToken
    return min(int(text), _LARGEST)


def _position(after: str | None) -> tuple[int, str, str]:
    """Number of the kind, place in its order, and tag key after which to go on."""
    if after is None:
        return 0, "", ""
    try:
        number, place, key = after.split(" ")
        return number_of(number), place, bytes.fromhex(key).decode()
    except ValueError:
        raise InvalidNextToken from None
