"""What the tables of this context have in common."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from services.control_plane.amazon_blocks import AmazonBlockQuota
from shared.cidr import AddressFamily


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
