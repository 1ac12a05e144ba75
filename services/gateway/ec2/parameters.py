"""EC2's dotted parameter names: ``Filter.1.Value.2`` is the second value of the first filter."""

from collections.abc import Mapping
from typing import TypeAlias

from services.gateway.structures import unknown_parameter
from shared.errors import InvalidParameterValue

Node: TypeAlias = "str | dict[str, Node]"

# The longest names of AWS's model with the longest indices stay far below; deeper nesting than
# this allows would be an attack.
MAX_NAME_LENGTH = 255


def nested(parameters: Mapping[str, str]) -> dict[str, Node]:
    """The parameters as a tree, one level per dot.

    Raises:
        UnknownParameter: a name no parameter can have.
        InvalidParameterValue: a parameter is both a value and a structure or list.
    """
    root: dict[str, Node] = {}
    for name, value in parameters.items():
        if len(name) > MAX_NAME_LENGTH:
            raise unknown_parameter(f"{name[:MAX_NAME_LENGTH]}...")
        *path, last = name.split(".")
        node = root
        for segment in path:
            child = node.setdefault(segment, {})
            if isinstance(child, str):
                raise _clash(name)
            node = child
        if last in node:
            raise _clash(name)
        node[last] = value
    return root


def _clash(name: str) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"The parameter {name} clashes with another one that is named like its beginning",
        parameter=name,
    )
