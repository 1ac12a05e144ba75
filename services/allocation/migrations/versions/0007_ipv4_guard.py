"""A guard for IPv4 that costs a sixth of the one before, on PostgreSQL.

There a pool's number and an address fit into one address of 128 bits, and SP-GiST keeps such blocks
in a radix tree, which is what CIDRs make by nature. An IPv6 address leaves no room for the number,
so those stay boxes of ranges. As this guard goes by first address and length, the last address has
to agree with them.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_IS_IPV4 = r"substring(first_key FROM 1 FOR 12) = '\x00000000000000000000ffff'::bytea"


def _address(key: str) -> str:
    """The 32 bits of an IPv4 address as a whole number."""
    octets = (f"(get_byte({key}, {12 + n})::bigint << {24 - 8 * n})" for n in range(4))
    return f"({' | '.join(octets)})"


def _block() -> str:
    """64 bits of the pool's number, 32 of nothing, and the block."""
    groups = (f"to_hex(pool_number >> {shift} & 65535)" for shift in (48, 32, 16, 0))
    pool = " || ':' || ".join(groups)
    return f"set_masklen(({pool} || '::')::inet + {_address('first_key')}, 96 + prefix_length)"


def _boxes() -> str:
    """As the guard before had them: 24 bits of the address beside the pool's number, 52, and 52."""
    parts = (_range(1, 6, before="pool_number << 24 | "), _range(7, 13), _range(20, 13))
    return ", ".join(f"{part} WITH &&" for part in parts)


def _range(first_digit: int, digits: int, before: str = "") -> str:
    """Some hexadecimal digits of a block's first and last addresses, as a range."""
    lowest, highest = (
        f"({before}('x' || lpad(substr(encode({key}, 'hex'), {first_digit}, {digits}), 16, '0'))"
        "::bit(64)::int8)"
        for key in ("first_key", "last_key")
    )
    return f"int8range({lowest}, {highest}, '[]')"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    size = "(1::bigint << (32 - prefix_length))"
    first, last = _address("first_key"), _address("last_key")
    op.execute(
        "ALTER TABLE ipam_pool_allocations ADD CONSTRAINT ipv4_allocation_is_a_block CHECK ("
        f" NOT {_IS_IPV4} OR prefix_length BETWEEN 0 AND 32"
        f" AND {first} & ({size} - 1) = 0 AND {last} - {first} = {size} - 1)"
    )
    op.execute("ALTER TABLE ipam_pool_allocations DROP CONSTRAINT allocations_never_overlap")
    op.execute(
        "ALTER TABLE ipam_pool_allocations ADD CONSTRAINT ipv6_allocations_never_overlap"
        f" EXCLUDE USING gist ({_boxes()}) WHERE (NOT {_IS_IPV4})"
    )
    op.execute(
        "ALTER TABLE ipam_pool_allocations ADD CONSTRAINT ipv4_allocations_never_overlap"
        f" EXCLUDE USING spgist (({_block()}) inet_ops WITH &&) WHERE ({_IS_IPV4})"
    )
