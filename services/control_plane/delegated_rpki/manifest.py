"""Manifests: which files are there, so that none can be withheld unseen (RFC 9286)."""

from collections.abc import Mapping
from datetime import datetime

from services.control_plane.delegated_rpki.keys import sha256
from services.control_plane.delegated_rpki.syntax import ManifestContent

CONTENT_TYPE = "1.2.840.113549.1.9.16.1.26"
"""id-ct-rpkiManifest."""
_SHA256 = "2.16.840.1.101.3.4.2.1"


def manifest_content(
    number: int, this_update: datetime, next_update: datetime, files: Mapping[str, bytes]
) -> bytes:
    """What is signed, in DER, about all files but the manifest's own."""
    content = ManifestContent(
        {
            "manifest_number": number,
            "this_update": this_update,
            "next_update": next_update,
            "file_hash_alg": _SHA256,
            "file_list": [{"file": name, "hash": sha256(files[name])} for name in sorted(files)],
        }
    )
    return bytes(content.dump())
