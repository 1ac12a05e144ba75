"""JSON as text: what can be told of it, and done to it, without reading it.

Both functions take any text, in time that grows with its length alone.
"""

import re

# One that isn't closed reaches to the end.
_STRING = r'"(?:[^"\\]++|\\.)*+"?+'
_STRING_OR_SPACE = re.compile(rf"(?P<string>{_STRING})|[ \t\r\n]++", re.DOTALL)
_STRING_OR_BRACKET = re.compile(rf"{_STRING}|[\[\]{{}}]", re.DOTALL)


def compacted(text: str) -> str:
    """``text`` without the white space outside its strings; all else stays as it is written."""
    return _STRING_OR_SPACE.sub(lambda found: found["string"] or "", text)


def depth_of(text: str) -> int:
    """How many lists and objects of ``text`` lie in each other."""
    deepest = depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        if found[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif found[0] in "]}":
            depth -= 1
    return deepest
