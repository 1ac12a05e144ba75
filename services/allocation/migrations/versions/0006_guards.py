"""Guards whose cost does not grow with what they guard, on PostgreSQL.

Ranges of bytes, as these were, tell an index nothing about distances, so that it puts them anywhere
and looks everywhere: each insert took as long as there were rows. Ranges of whole numbers do tell,
but an address with its pool before it has more digits than one holds. So there are three, and a
block is the box that they make: CIDRs share an address where they do in each of the three.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_POOL_BITS_BELOW = 24


def _range(first_digit: int, digits: int, before: str = "") -> str:
    """Some hexadecimal digits of a block's first and last addresses, as a range."""
    lowest, highest = (
        f"('x' || lpad(substr(encode({key}, 'hex'), {first_digit}, {digits}), 16, '0'))"
        "::bit(64)::int8"
        for key in ("first_key", "last_key")
    )
    if before:
        lowest, highest = (
            f"({before} << {_POOL_BITS_BELOW} | {part})" for part in (lowest, highest)
        )
    return f"int8range({lowest}, {highest}, '[]')"


def _never_overlap(table: str, name: str, owner: str, condition: str = "") -> str:
    # 24 bits of the address beside the owner, then 52, then 52: none of them reaches the sign.
    parts = (_range(1, 6, before=owner), _range(7, 13), _range(20, 13))
    keys = ", ".join(f"{part} WITH &&" for part in parts)
    return f"ALTER TABLE {table} ADD CONSTRAINT {name} EXCLUDE USING gist ({keys}) {condition}"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE ipam_pool_allocations DROP CONSTRAINT allocations_never_overlap")
    op.execute("ALTER TABLE ipam_pool_cidrs DROP CONSTRAINT top_level_cidrs_never_overlap")
    op.execute("DROP TYPE address_range")
    op.execute(_never_overlap("ipam_pool_allocations", "allocations_never_overlap", "pool_number"))
    op.execute(
        _never_overlap(
            "ipam_pool_cidrs",
            "top_level_cidrs_never_overlap",
            "scope_number",
            "WHERE (state = 'provisioned' AND parent_allocation_id IS NULL)",
        )
    )
