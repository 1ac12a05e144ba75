"""What a policy's conditions look at: facts about a request."""

from collections.abc import Mapping, Sequence

Context = Mapping[str, Sequence[str]]
"""The values of each context key; keys are in lower case, as policies may write them in any."""


def context_of(values: Mapping[str, Sequence[str]]) -> Context:
    """``values`` with keys as conditions look for them.

    Keys that differ in case only are one key, with the values of both. A key without values is
    absent.
    """
    context: dict[str, tuple[str, ...]] = {}
    for key, found in values.items():
        name = key.lower()
        context[name] = (*context.get(name, ()), *found)
    return context
