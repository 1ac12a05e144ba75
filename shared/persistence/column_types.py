"""Types of columns that several contexts have."""

import enum
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa

Word = TypeVar("Word", bound=enum.Enum)


class OneOf(sa.types.TypeDecorator[Word]):
    """A column of AWS's words, read as members of their enumeration."""

    impl = sa.String(64)
    cache_ok = True

    def __init__(self, words: type[Word]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: Word | None, dialect: sa.Dialect) -> Any:  # noqa: ARG002
        return None if value is None else value.value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Word | None:  # noqa: ARG002
        return None if value is None else self.words(value)


class Moment(sa.types.TypeDecorator[datetime]):
    """A point in time with its zone, which SQLite leaves out; what is given is in UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        return value.replace(tzinfo=value.tzinfo or UTC) if value else None
