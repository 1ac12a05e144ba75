"""Organizations: their management account changes them, administrators read them (ORG-1, ORG-2).

A member is told which organization it is in. Who manages another organization finds nothing of this
one in its own.
"""

from functools import partial

from tests.authorization.callers import (
    ADMINISTRATOR,
    DISCOVERER,
    MANAGER,
    OUTSIDER,
    OWNER,
)
from tests.authorization.row import (
    ALLOWED,
    EMPTY,
    HIDDEN,
    Members,
    Outcomes,
    Row,
    outcomes,
)
from tests.authorization.services import ALLOW_ALL, ORGANIZATIONS, RAM_SERVICE, SCP

# That it is in none, whatever it asks about.
_IN_NONE = dict.fromkeys((OUTSIDER, OWNER), HIDDEN)
_DENIED = "AccessDeniedException"
_ALREADY, _NOT_EMPTY = "AlreadyInOrganizationException", "OrganizationNotEmptyException"
_FILTER = {"filter": SCP}


def _read(elsewhere: str) -> Outcomes:
    """``elsewhere`` is for whoever manages another organization."""
    readers = {ADMINISTRATOR: ALLOWED, MANAGER: ALLOWED, DISCOVERER: elsewhere}
    return outcomes(_DENIED, _IN_NONE | readers)


def _changed(elsewhere: str, here: str = ALLOWED) -> Outcomes:
    return outcomes(_DENIED, {**_IN_NONE, MANAGER: here, DISCOVERER: elsewhere})


_row = partial(Row, ORGANIZATIONS, is_abroad_too=False)


def _unit(**members: object) -> Members:
    return lambda it: {"organizational_unit_id": it.empty_unit_id, **members}


def _root(**members: object) -> Members:
    return lambda it: {"root_id": it.root_id, **members}


def _in_root(**members: object) -> Members:
    return lambda it: {"parent_id": it.root_id, **members}


def _attachment() -> Members:
    return lambda it: {"policy_id": it.loose_policy_id, "target_id": it.unit_id}


def _administrator() -> Members:
    return lambda it: {"account_id": it.heir_id, "service_principal": RAM_SERVICE}


ROWS = [
    _row(
        "DescribeOrganization",
        outcomes(ALLOWED, {**_IN_NONE, DISCOVERER: EMPTY}),
        shows=lambda it: it.organization_id,
    ),
    _row("ListRoots", _read(EMPTY), shows=lambda it: it.root_id),
    _row("DescribeOrganizationalUnit", _read(HIDDEN), _unit()),
    _row("ListOrganizationalUnitsForParent", _read(HIDDEN), _in_root()),
    _row("ListChildren", _read(HIDDEN), _in_root(child_type="CHILD_TYPE_ACCOUNT")),
    _row("ListParents", _read(HIDDEN), lambda it: {"child_id": it.unit_id}),
    _row(
        "DescribeCreateAccountStatus",
        _read(HIDDEN),
        lambda it: {"create_account_request_id": it.request_id},
    ),
    _row("DescribeAccount", _read(HIDDEN), lambda it: {"account_id": it.heir_id}),
    _row("ListAccounts", _read(EMPTY), shows=lambda it: it.heir_id),
    _row("ListAccountsForParent", _read(HIDDEN), _in_root()),
    _row("ListAWSServiceAccessForOrganization", _read(ALLOWED)),
    _row("ListDelegatedAdministrators", _read(EMPTY), shows=lambda it: it.account_id),
    _row("DescribePolicy", _read(HIDDEN), lambda it: {"policy_id": it.attached_policy_id}),
    _row("ListPolicies", _read(EMPTY), lambda _: _FILTER, shows=lambda it: it.attached_policy_id),
    _row("ListPoliciesForTarget", _read(HIDDEN), lambda it: {"target_id": it.unit_id, **_FILTER}),
    _row("ListTargetsForPolicy", _read(HIDDEN), lambda it: {"policy_id": it.attached_policy_id}),
    _row("ListTagsForResource", _read(HIDDEN), lambda it: {"resource_id": it.unit_id}),
    # In an order in which each can succeed after those above it.
    _row("CreateOrganizationalUnit", _changed(HIDDEN), _in_root(name="new")),
    _row("UpdateOrganizationalUnit", _changed(HIDDEN), _unit(name="renamed")),
    _row(
        "TagResource",
        _changed(HIDDEN),
        lambda it: {"resource_id": it.unit_id, "tags": [{"key": "new"}]},
    ),
    _row(
        "UntagResource",
        _changed(HIDDEN),
        lambda it: {"resource_id": it.unit_id, "tag_keys": ["new"]},
    ),
    _row(
        "CreateAccount",
        _changed(ALLOWED),
        lambda it: {"account_name": "new", "email": f"{it.own.vpc_id}@example.com"},
    ),
    _row(
        "MoveAccount",
        _changed(HIDDEN),
        lambda it: {
            "account_id": it.leaver_id,
            "source_parent_id": it.root_id,
            "destination_parent_id": it.empty_unit_id,
        },
    ),
    _row(
        "RemoveAccountFromOrganization", _changed(HIDDEN), lambda it: {"account_id": it.leaver_id}
    ),
    _row("DeleteOrganizationalUnit", _changed(HIDDEN), _unit()),
    _row("EnableAWSServiceAccess", _changed(ALLOWED), lambda _: {"service_principal": RAM_SERVICE}),
    _row("RegisterDelegatedAdministrator", _changed(HIDDEN), _administrator()),
    _row("ListDelegatedServicesForAccount", _read(HIDDEN), lambda it: {"account_id": it.heir_id}),
    _row("DeregisterDelegatedAdministrator", _changed(HIDDEN), _administrator()),
    _row(
        "DisableAWSServiceAccess", _changed(ALLOWED), lambda _: {"service_principal": RAM_SERVICE}
    ),
    _row(
        "CreatePolicy",
        _changed(ALLOWED),
        lambda _: {"name": "new", "type": SCP, "content": ALLOW_ALL},
    ),
    _row(
        "UpdatePolicy",
        _changed(HIDDEN),
        lambda it: {"policy_id": it.loose_policy_id, "name": "renamed"},
    ),
    _row("AttachPolicy", _changed(HIDDEN), _attachment()),
    _row("DetachPolicy", _changed(HIDDEN), _attachment()),
    _row("DeletePolicy", _changed(HIDDEN), lambda it: {"policy_id": it.loose_policy_id}),
    _row("DisablePolicyType", _changed(HIDDEN), _root(policy_type=SCP)),
    _row("EnablePolicyType", _changed(HIDDEN), _root(policy_type=SCP)),
    _row("DeleteOrganization", _changed(_NOT_EMPTY, _NOT_EMPTY)),
    _row(
        "CreateOrganization",
        outcomes(_ALREADY, {OUTSIDER: ALLOWED, OWNER: ALLOWED}),
    ),
]
