"""What validators fetch over HTTPS (RFC 8182)."""

import base64
import hashlib
from uuid import UUID
from xml.etree.ElementTree import fromstring

from services.control_plane.delegated_rpki.rrdp import notification, snapshot

SESSION = UUID("9df4b597-af9e-4dca-bdda-719cce2c4e28")
RRDP = "{http://www.ripe.net/rpki/rrdp}"
HEAD = {"version": "1", "session_id": str(SESSION), "serial": "3"}


def test_a_snapshot_has_every_object_by_its_uri() -> None:  # section 3.5.2
    objects = {"rsync://h/m/b.roa": b"\0b", "rsync://h/m/a.mft": b"\0a"}
    xml = fromstring(snapshot(SESSION, 3, objects))
    assert (xml.tag, xml.attrib) == (f"{RRDP}snapshot", HEAD)
    assert {e.tag for e in xml} == {f"{RRDP}publish"}
    assert {e.get("uri"): base64.b64decode(e.text or "") for e in xml} == objects


def test_a_notification_tells_where_the_snapshot_is_and_its_hash() -> None:  # section 3.5.1
    content = snapshot(SESSION, 3, {})
    xml = fromstring(notification(SESSION, 3, "https://h/3/snapshot.xml", content))
    assert (xml.tag, xml.attrib) == (f"{RRDP}notification", HEAD)
    (told,) = xml
    assert told.tag == f"{RRDP}snapshot"
    assert told.attrib == {
        "uri": "https://h/3/snapshot.xml",
        "hash": hashlib.sha256(content).hexdigest(),
    }


def test_both_are_ascii() -> None:  # section 3.5: US-ASCII, and says so
    assert snapshot(SESSION, 1, {}).startswith(b"<?xml version='1.0' encoding='us-ascii'?>")
