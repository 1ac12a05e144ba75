"""Tags of everything this context owns."""

from collections.abc import Callable, Sequence

from services.control_plane.service.rows import Rows
from shared.caller import Caller
from shared.ids import KINDS, IdKind
from shared.tags import Tags


def change_tags(
    rows: Rows, caller: Caller, resource_ids: Sequence[str], change: Callable[[Tags], Tags]
) -> None:
    """Apply ``change`` to the tags of each resource: to all of them or to none.

    Raises:
        UnknownId: one of them is not the caller's, or not in this region.
    """
    rows.ipam_in(caller.account_id, caller.region, lock=True)
    for resource_id in resource_ids:
        tags = rows.tags(caller, resource_id)
        if tags is None:
            raise kind_of(resource_id).unknown(resource_id)
        rows.save_tags(resource_id, change(tags))


def kind_of(resource_id: str) -> IdKind:
    """The kind of an id: that of the longest prefix, for ``ipam-`` begins them all."""
    return max(
        (kind for kind in KINDS if resource_id.startswith(kind.prefix)),
        key=lambda kind: len(kind.prefix),
    )
