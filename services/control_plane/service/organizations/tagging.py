"""Tags of roots, OUs, accounts and policies."""

from collections.abc import Callable

from services.control_plane.organizations import ids
from services.control_plane.organizations.errors import InvalidInput, TargetNotFound
from services.control_plane.organizations.organization import Organization
from services.control_plane.organizations.policy import FULL_AWS_ACCESS
from services.control_plane.service.organizations.holding import hold_own, readable
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted
from shared.caller import Caller
from shared.tags import Tags

_TAGGED = (ids.ROOT, ids.UNIT, ids.ACCOUNT, ids.POLICY)


def change_tags(
    rows: Rows, caller: Caller, resource_id: str, change: Callable[[Tags], Tags]
) -> Accepted[None]:
    """Apply ``change`` to the tags of a root, an OU, an account or a policy."""
    tags = _tags_in(rows, hold_own(rows, caller), resource_id)
    rows.organizations.save_tags(resource_id, change(tags))
    return Accepted(None)


def list_tags(rows: Rows, caller: Caller, resource_id: str) -> Tags:
    """The tags of a root, an OU, an account or a policy."""
    return _tags_in(rows, readable(rows, caller), resource_id)


def _tags_in(rows: Rows, organization: Organization, resource_id: str) -> Tags:
    if resource_id == FULL_AWS_ACCESS.policy_id:
        raise InvalidInput(
            "TARGET_NOT_SUPPORTED",
            f"'{resource_id}' is managed by AWS and has no tags; tag a policy of your own",
            resource_id=resource_id,
        )
    ids.check_form(resource_id, *_TAGGED)
    tags = rows.organizations.tags(organization.organization_id, resource_id)
    if tags is None:
        raise TargetNotFound(resource_id)
    return tags
