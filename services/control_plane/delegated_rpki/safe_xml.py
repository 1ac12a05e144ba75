"""XML from others: no document type, so no entities, and not without end."""

from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

MOST_BYTES = 8 << 20
"""A registry's certificate of all that it holds has some hundred thousand."""


class NotSafe(ValueError):
    """It is no XML, or more than is needed of it."""


def parsed(xml: bytes) -> Element:
    """The root; names are written ``{namespace}name``, as `xml.etree` does.

    Raises:
        NotSafe: it is not well-formed, has a document type, or is too long.
    """
    if len(xml) > MOST_BYTES:
        raise NotSafe(f"XML of more than {MOST_BYTES} bytes")
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = lambda name, attributes: builder.start(
        _named(name), {_named(key): value for key, value in attributes.items()}
    )
    parser.EndElementHandler = lambda name: builder.end(_named(name))
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise NotSafe(f"it is not well-formed XML: {error}") from error
    return builder.close()


def _named(name: str) -> str:
    return "{" + name if "}" in name else name


def _refuse(*_: object) -> NoReturn:
    raise NotSafe("XML with a document type")
