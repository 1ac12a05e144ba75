"""What a policy's conditions look at: facts about a request."""

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

_MOST_READINGS = 16

Context: TypeAlias = Mapping[str, Sequence[str]]
"""The values of each context key; keys are in lower case, as policies may write them in any."""


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Facts about a request.

    Its tags may have keys that differ in case only, but to policies they are one, so which of them
    a policy means can be read in several ways.
    """

    _certain: Context
    _ambiguous: Mapping[str, Sequence[Sequence[str]]]
    """Of each such key, the values of one spelling after the other."""

    def readings(self, keys: AbstractSet[str]) -> Sequence[Context] | None:
        """The context in each way it can be read by who looks at ``keys``.

        None: those are more than anybody needs; all would have to be gone through.
        """
        looked_at = sorted(self._ambiguous.keys() & keys)
        if not looked_at:
            return [self._certain]
        spellings = [self._ambiguous[key] for key in looked_at]
        if math.prod(map(len, spellings)) > _MOST_READINGS:
            return None
        return [
            {**self._certain, **dict(zip(looked_at, values, strict=True))}
            for values in product(*spellings)
        ]


def context_of(values: Mapping[str, Sequence[str]]) -> RequestContext:
    """``values`` with keys as conditions look for them. A key without values is absent."""
    spellings: dict[str, list[Sequence[str]]] = {}
    for key, found in values.items():
        if found:
            spellings.setdefault(key.lower(), []).append(found)
    return RequestContext(
        {key: found[0] for key, found in spellings.items() if len(found) == 1},
        {key: found for key, found in spellings.items() if len(found) > 1},
    )
