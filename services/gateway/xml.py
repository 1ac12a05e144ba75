"""XML text. Names come from AWS's models, so only content needs escaping."""

import re
from xml.sax.saxutils import escape

from services.gateway.form import UNPRINTABLE

MEDIA_TYPE = "text/xml;charset=UTF-8"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

_SPECIAL = re.compile(rf"[&<>\r]|{UNPRINTABLE.pattern}")
# Parsers turn a bare carriage return into a line feed.
_ENTITIES = {"\r": "&#13;"}


def element(name: str, content: str) -> str:
    """One element; ``content`` is XML already."""
    return f"<{name}>{content}</{name}>"


def text(value: str) -> str:
    """``value`` as content; what XML 1.0 cannot carry at all becomes U+FFFD."""
    if not _SPECIAL.search(value):
        return value
    return escape(UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", value), _ENTITIES)
