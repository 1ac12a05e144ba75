"""Shares and invitations to them (ORG-4, ORG-5)."""

from functools import partial

from tests.authorization.callers import (
    ABROAD,
    ADMINISTRATOR,
    DISCOVERER,
    ELSEWHERE,
    IMPORTER,
    MANAGER,
    USER,
)
from tests.authorization.row import (
    ALLOWED,
    EMPTY,
    EVERYBODYS,
    HIDDEN,
    SHOWN_TO_IT_ALONE,
    Members,
    Row,
    outcomes,
)
from tests.authorization.services import DEFAULT_PERMISSION, SHARING
from tests.authorization.world import SECRETS

_NOBODY = "999999999999"
_NOT_PERMITTED = "OperationNotPermittedException"
_BY_TAG = [{"tag_key": "note", "tag_values": [SECRETS[ADMINISTRATOR]]}]
_OWNERS = {"resource_owner": "RESOURCE_OWNER_SELF"}
_OTHERS = {"resource_owner": "RESOURCE_OWNER_OTHER_ACCOUNTS"}
# Its principals see a share, and change nothing of it.
_CHANGED = outcomes(HIDDEN, {ADMINISTRATOR: ALLOWED, USER: _NOT_PERMITTED})
_SEEN_BY_USER = outcomes(EMPTY, {USER: ALLOWED})

_row = partial(Row, SHARING)


def _share(**members: object) -> Members:
    return lambda it: {"resource_share_arn": it.user_share_arn, **members}


ROWS = [
    _row("ListPermissions", EVERYBODYS),
    _row("ListPermissionVersions", EVERYBODYS, lambda _: {"permission_arn": DEFAULT_PERMISSION}),
    _row("GetPermission", EVERYBODYS, lambda _: {"permission_arn": DEFAULT_PERMISSION}),
    _row("ListResourceTypes", EVERYBODYS),
    _row(
        "GetResourceShares",
        SHOWN_TO_IT_ALONE,
        lambda _: _OWNERS,
        note="one's own",
        shows=lambda it: it.user_share_arn,
    ),
    _row(
        "GetResourceShares",
        _SEEN_BY_USER,
        lambda _: _OTHERS,
        note="with a principal",
        shows=lambda it: it.user_share_arn,
    ),
    _row(
        "GetResourceShares",
        outcomes(EMPTY, {IMPORTER: ALLOWED}),
        lambda _: _OTHERS,
        note="with one who may import",
        shows=lambda it: it.import_share_arn,
    ),
    _row(
        "GetResourceShares",
        outcomes(EMPTY, {DISCOVERER: ALLOWED}),
        lambda _: _OTHERS,
        note="with one outside the organization",
        shows=lambda it: it.discovery_share_arn,
    ),
    # Tags are the owner's alone.
    _row(
        "GetResourceShares",
        outcomes(EMPTY, {}),
        lambda _: {**_OTHERS, "tag_filters": _BY_TAG},
        note="with a principal, by a tag",
        shows=lambda it: "resource-share/",
    ),
    _row(
        "GetResourceShareAssociations",
        SHOWN_TO_IT_ALONE,
        lambda _: {"association_type": "RESOURCE_SHARE_ASSOCIATION_TYPE_RESOURCE"},
        note="resources",
        shows=lambda it: it.user_share_arn,
    ),
    _row(
        "GetResourceShareAssociations",
        SHOWN_TO_IT_ALONE,
        lambda _: {"association_type": "RESOURCE_SHARE_ASSOCIATION_TYPE_PRINCIPAL"},
        note="principals",
        shows=lambda it: it.user_share_arn,
    ),
    _row(
        "ListResources",
        SHOWN_TO_IT_ALONE,
        lambda _: _OWNERS,
        note="one's own",
        shows=lambda it: it.user_share_arn,
    ),
    _row(
        "ListResources",
        _SEEN_BY_USER,
        lambda _: _OTHERS,
        note="with a principal",
        shows=lambda it: it.user_share_arn,
    ),
    _row(
        "ListResources",
        outcomes(EMPTY, {IMPORTER: ALLOWED}),
        lambda _: _OTHERS,
        note="with one who may import",
        shows=lambda it: it.import_share_arn,
    ),
    _row(
        "ListPrincipals",
        SHOWN_TO_IT_ALONE,
        lambda _: _OWNERS,
        note="one's own",
        shows=lambda it: it.user_share_arn,
    ),
    _row(
        "ListPrincipals",
        _SEEN_BY_USER,
        lambda _: _OTHERS,
        note="with a principal",
        shows=lambda it: it.user_share_arn,
    ),
    _row(
        "GetResourceShareInvitations",
        outcomes(EMPTY, {ADMINISTRATOR: ALLOWED, DISCOVERER: ALLOWED}),
        note="all",
        shows=lambda it: it.invitation_arn,
    ),
    _row(
        "GetResourceShareInvitations",
        outcomes(HIDDEN, {ADMINISTRATOR: ALLOWED, DISCOVERER: ALLOWED}),
        lambda it: {"resource_share_invitation_arns": [it.invitation_arn]},
    ),
    _row(
        "ListPendingInvitationResources",
        outcomes(HIDDEN, {ADMINISTRATOR: _NOT_PERMITTED, DISCOVERER: ALLOWED}),
        lambda it: {"resource_share_invitation_arn": it.invitation_arn},
    ),
    _row(
        "ListResourceSharePermissions",
        outcomes(HIDDEN, {ADMINISTRATOR: ALLOWED, USER: ALLOWED}),
        _share(),
    ),
    _row(
        "CreateResourceShare",
        outcomes(HIDDEN, {ADMINISTRATOR: ALLOWED, ABROAD: _NOT_PERMITTED}),
        lambda it: {"name": "share", "resource_arns": [it.ipam_pool_arn]},
    ),
    # Where a pool is not at home, nobody but its owner is told that it is somewhere.
    _row(
        "CreateResourceShare",
        outcomes(HIDDEN, {ADMINISTRATOR: _NOT_PERMITTED}),
        lambda it: {"name": "share", "resource_arns": [it.ipam_pool_arn]},
        note="abroad",
        region=ELSEWHERE,
    ),
    _row("TagResource", _CHANGED, _share(tags=[{"key": "new"}])),
    _row("UntagResource", _CHANGED, _share(tag_keys=["new"])),
    _row("UpdateResourceShare", _CHANGED, _share(name="new")),
    _row("AssociateResourceShare", _CHANGED, _share(principals=[_NOBODY])),
    _row("DisassociateResourceShare", _CHANGED, _share(principals=[_NOBODY])),
    _row(
        "AssociateResourceSharePermission",
        _CHANGED,
        _share(permission_arn=DEFAULT_PERMISSION, replace=True),
    ),
    # The resources that it holds for are still there, so its owner may not either.
    _row(
        "DisassociateResourceSharePermission",
        outcomes(HIDDEN, {ADMINISTRATOR: _NOT_PERMITTED, USER: _NOT_PERMITTED}),
        _share(permission_arn=DEFAULT_PERMISSION),
    ),
    _row("DeleteResourceShare", _CHANGED, _share()),
    _row(
        "AcceptResourceShareInvitation",
        outcomes(HIDDEN, {ADMINISTRATOR: _NOT_PERMITTED, DISCOVERER: ALLOWED}),
        lambda it: {"resource_share_invitation_arn": it.invitation_arn},
    ),
    _row(
        "RejectResourceShareInvitation",
        outcomes(HIDDEN, {ADMINISTRATOR: _NOT_PERMITTED, DISCOVERER: ALLOWED}),
        lambda it: {"resource_share_invitation_arn": it.other_invitation_arn},
    ),
    # The principal outside the organization manages another one.
    _row(
        "EnableSharingWithAwsOrganization",
        outcomes(_NOT_PERMITTED, {MANAGER: ALLOWED, DISCOVERER: ALLOWED}),
    ),
]
