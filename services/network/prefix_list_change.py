"""What requests change of prefix lists."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.cidr import Cidr
from shared.errors import InvalidParameterCombination, InvalidParameterValue

_RESERVED = "com.amazonaws"


@dataclass(frozen=True, slots=True)
class Entry:
    """A CIDR in a list."""

    cidr: Cidr
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryChange:
    """What is removed, and what is added after that."""

    added: tuple[Entry, ...] = ()
    removed: tuple[Cidr, ...] = ()

    def __post_init__(self) -> None:
        added = [entry.cidr for entry in self.added]
        check_distinct(added, "addEntry")
        check_distinct(self.removed, "removeEntry")
        for cidr in added:
            if cidr in self.removed:
                raise InvalidParameterValue(
                    f"Request cannot contain Cidr ({cidr}) in both AddEntries and RemoveEntries;"
                    " remove it by a request of its own",
                    parameter="addEntry",
                    value=cidr,
                )

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a request changes of a list; what is None stays as it is."""

    current_version: int | None = None
    name: str | None = None
    max_entries: int | None = None
    is_synchronised: bool | None = None
    entries: EntryChange = field(default_factory=EntryChange)

    def __post_init__(self) -> None:
        if self.name is not None:
            check_name(self.name)
        if self.entries and self.max_entries is not None:
            raise InvalidParameterCombination(
                "You cannot modify the entries and the maximum number of entries of a prefix list"
                " in the same request; change its size first",
                parameter="maxEntries",
                value=self.max_entries,
            )


def check_name(name: str) -> str:
    """``name`` itself, when a customer's list can have it.

    Raises:
        InvalidParameterValue: it is one of AWS's own.
    """
    if name.startswith(_RESERVED):
        raise InvalidParameterValue(
            f"Value ({name}) for parameter prefixListName is invalid; names do not begin with"
            f" '{_RESERVED}'",
            parameter="prefixListName",
            value=name,
        )
    return name


def check_distinct(cidrs: Iterable[Cidr], parameter: str) -> None:
    """None of them is there twice.

    Raises:
        InvalidParameterValue: one is.
    """
    seen: set[Cidr] = set()
    for cidr in cidrs:
        if cidr in seen:
            raise InvalidParameterValue(
                f"Value ({cidr}) for parameter {parameter} is given twice; use each CIDR once",
                parameter=parameter,
                value=cidr,
            )
        seen.add(cidr)
