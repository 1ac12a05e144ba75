"""Telling the ledger of the pools whose users a change changes, and of no others (ORG-4).

And, where an organization changes, of the policies that apply to other accounts then.
"""

from collections.abc import Callable, Collection
from typing import TypeVar

from services.control_plane.service.grants import push_again
from services.control_plane.service.ipam_policies_in_force import telling_accounts_within
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted

T = TypeVar("T")


def telling_users(
    rows: Rows, ipam_pool_ids: Collection[str], change: Callable[[], T]
) -> Accepted[T]:
    """What a change gives, and the steps that tell the ledger of the pools whose users it changes.

    ``ipam_pool_ids``: those it may concern.
    """
    before = rows.shares.users_of_pools(ipam_pool_ids)
    resource = change()
    after = rows.shares.users_of_pools(ipam_pool_ids)
    changed = [pool_id for pool_id, users in after.items() if users != before[pool_id]]
    return Accepted(resource, push_again(rows, changed))


def telling_users_within(rows: Rows, organization_id: str, change: Callable[[], T]) -> Accepted[T]:
    """Likewise, of a change of an organization, which is locked."""
    pool_ids = rows.shares.pools_shared_within(organization_id)
    return telling_accounts_within(
        rows, organization_id, lambda: telling_users(rows, pool_ids, change)
    )
