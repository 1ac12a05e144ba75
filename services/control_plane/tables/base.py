"""What the tables of this context have in common."""

import enum
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypeVar

import sqlalchemy as sa

from services.control_plane.amazon_blocks import AmazonBlockQuota
from shared.cidr import AddressFamily

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


class AmazonBlockQuotas(sa.types.TypeDecorator[Mapping[AddressFamily, AmazonBlockQuota]]):
    """By address family; rows that were made before there were any have none."""

    impl = sa.JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:  # noqa: ARG002
        return {family.value: asdict(quota) for family, quota in value.items()}

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:  # noqa: ARG002
        return {
            AddressFamily(family): AmazonBlockQuota(**quota)
            for family, quota in (value or {}).items()
        }


metadata = sa.MetaData()


def sequence() -> sa.Column[int]:
    """Ids are random, so a sequence says what is older."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("sequence", number, primary_key=True, autoincrement=True)
