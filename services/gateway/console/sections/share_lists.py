"""What pages about resource shares have in common."""

from collections.abc import Sequence

from services.gateway.console.visit import Link, Visit

MOST = 500
"""Records of RAM's largest page."""


def tabs_of_shares(visit: Visit, shown: str) -> Sequence[Link]:
    """Lists of shares; ``shown`` is the present one: ``self``, ``others`` or ``invitations``."""
    return [
        Link("Shared by me", visit.url("/shares"), is_main=shown == "self"),
        Link("Shared with me", visit.url("/shares", owner="others"), is_main=shown == "others"),
        Link("Invitations", visit.url("/shares/invitations"), is_main=shown == "invitations"),
    ]


def id_of(arn: str) -> str:
    """Of a share or an invitation."""
    return arn.rpartition("/")[2]
