"""Users and roles of an account (ORG-2, ORG-10): in no region, and never of another account."""

from functools import partial

from tests.authorization.callers import ADMINISTRATOR
from tests.authorization.row import (
    ALLOWED,
    EVERYBODYS,
    HIDDEN,
    ITS_ALONE,
    SHOWN_TO_IT_ALONE,
    Members,
    Row,
    outcomes,
)
from tests.authorization.services import ALLOW_ALL, IAM, IPAM_SERVICE, ROLE

_row = partial(Row, IAM, is_abroad_too=False)


def _user(**members: object) -> Members:
    return lambda it: {"user_name": it.user_name, **members}


def _key(**members: object) -> Members:
    return lambda it: {
        "user_name": it.user_name,
        "access_key_id": it.access_key_id,
        **members,
    }


ROWS = [
    _row("GetUser", ITS_ALONE, _user()),
    _row("ListUsers", SHOWN_TO_IT_ALONE, shows=lambda it: it.user_name),
    _row("ListAccessKeys", ITS_ALONE, _user()),
    _row("GetUserPolicy", ITS_ALONE, _user(policy_name="all")),
    _row("ListUserPolicies", ITS_ALONE, _user()),
    _row("CreateAccessKey", ITS_ALONE, _user()),
    _row("UpdateAccessKey", ITS_ALONE, _key(status="STATUS_TYPE_INACTIVE")),
    _row("PutUserPolicy", ITS_ALONE, _user(policy_name="all", policy_document=ALLOW_ALL)),
    _row("DeleteUserPolicy", ITS_ALONE, _user(policy_name="all")),
    # It has keys still.
    _row("DeleteUser", outcomes(HIDDEN, {ADMINISTRATOR: "DeleteConflict"}), _user()),
    _row("CreateUser", EVERYBODYS, lambda _: {"user_name": "new"}),
    # A key is one user's.
    _row(
        "DeleteAccessKey",
        outcomes(HIDDEN, {}),
        lambda it: {"user_name": "new", "access_key_id": it.access_key_id},
        note="as another user's",
    ),
    _row("DeleteAccessKey", ITS_ALONE, _key()),
    # Names of another account's users are free.
    _row(
        "CreateUser",
        outcomes(ALLOWED, {ADMINISTRATOR: "EntityAlreadyExists"}),
        _user(),
        note="of a name that is taken",
    ),
    # Every account that made an IPAM has the role, and may ask for its end.
    _row("GetRole", EVERYBODYS, lambda _: {"role_name": ROLE}),
    _row("ListRoles", SHOWN_TO_IT_ALONE, shows=lambda it: it.account_id),
    _row(
        "CreateServiceLinkedRole",
        outcomes("InvalidInput", {}),
        lambda _: {"aws_service_name": IPAM_SERVICE},
    ),
    _row("DeleteServiceLinkedRole", EVERYBODYS, lambda _: {"role_name": ROLE}),
    _row(
        "GetServiceLinkedRoleDeletionStatus",
        ITS_ALONE,
        lambda it: {"deletion_task_id": it.deletion_task_id},
    ),
]
