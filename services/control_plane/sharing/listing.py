"""Which shares a list is about, and who sees them (BEY-12)."""

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from services.control_plane.sharing.arns import ResourceType
from services.control_plane.sharing.permissions import Permission
from services.control_plane.sharing.share import Share


class ResourceOwner(enum.StrEnum):
    """Whose shares are meant, in RAM's words."""

    SELF = "SELF"
    """The caller's own."""
    OTHER_ACCOUNTS = "OTHER-ACCOUNTS"
    """Those that the caller is a principal of, as things stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a list of shares, or of what they have, is narrowed to; empty members narrow nothing."""

    owner: ResourceOwner
    share_arns: Collection[str] = ()
    resource_arns: Collection[str] = ()
    resource_type: ResourceType | None = None
    principals: Collection[str] = ()
    """In lists of others' shares these are owners, for other principals are not to be seen; the
    caller itself, who is a principal of them all, narrows nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What else a share in a list must be; None and empty members ask for nothing."""

    name: str | None = None
    status: str | None = None
    """RAM's word; it has more than there are here."""
    permission: Permission | None = None
    tags: Mapping[str, Collection[str]] = field(default_factory=dict)
    """By key the values allowed; none: whatever it is."""

    def is_met_by(self, share: Share) -> bool:
        """The share is all of that."""
        return (
            self.name in (None, share.name)
            and self.status in (None, share.status)
            and (self.permission is None or self.permission in share.permissions.values())
            and all(_is_tagged(share, key, values) for key, values in self.tags.items())
        )


def _is_tagged(share: Share, key: str, values: Collection[str]) -> bool:
    return key in share.tags and (not values or share.tags[key] in values)
