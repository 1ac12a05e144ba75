"""What RPKI validators fetch over HTTPS (RFC 8182)."""

import base64
from collections.abc import Mapping
from uuid import UUID
from xml.etree.ElementTree import Element, SubElement, tostring

from services.control_plane.delegated_rpki.keys import sha256

_NAMESPACE = "http://www.ripe.net/rpki/rrdp"


def snapshot(session_id: UUID, serial: int, objects: Mapping[str, bytes]) -> bytes:
    """Everything that is published, by rsync URI (section 3.5.2).

    ``session_id`` is of version 4 and another one whenever serials begin anew.
    """
    root = _root("snapshot", session_id, serial)
    for uri in sorted(objects):
        published = SubElement(root, "publish", uri=uri)
        published.text = base64.b64encode(objects[uri]).decode()
    return _written(root)


def notification(session_id: UUID, serial: int, snapshot_uri: str, snapshot_xml: bytes) -> bytes:
    """Where the snapshot is, and what it has to be (section 3.5.1)."""
    root = _root("notification", session_id, serial)
    SubElement(root, "snapshot", uri=snapshot_uri, hash=sha256(snapshot_xml).hex())
    return _written(root)


def _root(name: str, session_id: UUID, serial: int) -> Element:
    return Element(
        name, xmlns=_NAMESPACE, version="1", session_id=str(session_id), serial=str(serial)
    )


def _written(root: Element) -> bytes:
    return bytes(tostring(root, encoding="us-ascii", xml_declaration=True))
