"""Telling the readers of the feed what changed besides CIDR blocks (DISC-3)."""

from collections.abc import Iterable

from services.network.changes import resources_changed
from services.network.resource import Holder
from services.network.service.rows import Rows


def tell_of_changed(rows: Rows, holders: Iterable[Holder]) -> None:
    """Add to the feed that these resources changed, each once; if there are none, lock nothing.

    For what changed of what GetInventory tells, unless a gain or loss of a block tells of the
    resource already. To be called once and last, as the feed is the last lock.
    """
    if changes := resources_changed(holders):
        rows.feed.append(changes)
