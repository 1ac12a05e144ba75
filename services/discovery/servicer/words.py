"""AWS's words as values of the contracts' enumerations."""

from enum import Enum
from functools import cache
from typing import Any

from shared.rpc.enums import aws_enum_name, enum_number


@cache
def number_of(
    enum: Any,  # generated enumerations share no typed base
    word: Enum | str | None,
) -> Any:
    """The value that ``word`` stands for; None for none, which leaves a member out."""
    if word is None:
        return None
    return enum_number(enum.DESCRIPTOR, word.value if isinstance(word, Enum) else word)


def word_of(
    enum: Any,  # generated enumerations share no typed base
    number: int,
) -> str | None:
    """AWS's word for a value; None for the unspecified one."""
    return aws_enum_name(enum.DESCRIPTOR, number) if number else None
