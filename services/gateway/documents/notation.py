"""What differs between the ways to write a document down."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from services.gateway.values import Convert

# What a value is in a document.
Render: TypeAlias = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Scalar:
    """One kind of single values in a document that was read."""

    form: str
    types: tuple[type, ...]
    """Exactly these: to Python, true is a number too."""
    convert: Convert


@dataclass(frozen=True, slots=True)
class Notation:
    """A way to write documents."""

    parse: Callable[[bytes], dict[str, Any]]
    """The members of a request's body; raises Unserializable when it is no document."""
    write: Callable[[Any], bytes]
    double: Scalar
    timestamp: Scalar
    render_double: Render
    render_timestamp: Render
    headers: Mapping[str, str]
    """What every answer carries besides."""
    has_full_error_types: bool
    """An error's type is its shape's full name, without which some clients don't know it."""
