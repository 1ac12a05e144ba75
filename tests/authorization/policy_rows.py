"""IPAM policies: their owner's alone, wherever they apply (BEY-12)."""

from functools import partial

from tests.authorization.callers import ADMINISTRATOR, HOME
from tests.authorization.row import (
    EVERYBODYS,
    HIDDEN,
    ITS_ALONE,
    SHOWN_TO_IT_ALONE,
    Row,
    outcomes,
)
from tests.authorization.services import POLICIES
from tests.authorization.things import Things

_EIP = "IPAM_POLICY_RESOURCE_TYPE_EIP"

_policy = partial(Row, POLICIES, is_about_owners=True)


def _named(it: Things) -> dict[str, str]:
    return {"ipam_policy_id": it.ipam_policy_id}


ROWS = [
    _policy("CreateIpamPolicy", ITS_ALONE, lambda it: {"ipam_id": it.ipam_id}),
    _policy(
        "DescribeIpamPolicies", SHOWN_TO_IT_ALONE, note="all", shows=lambda it: it.ipam_policy_id
    ),
    _policy("DescribeIpamPolicies", ITS_ALONE, lambda it: {"ipam_policy_ids": [it.ipam_policy_id]}),
    _policy("DeleteIpamPolicy", ITS_ALONE, _named),
    # For who administers IPAM for an organization, and names what there is in it.
    Row(
        POLICIES,
        "EnableIpamPolicy",
        ITS_ALONE,
        lambda it: {**_named(it), "organization_target_id": it.root_id},
    ),
    Row(
        POLICIES,
        "EnableIpamPolicy",
        outcomes(HIDDEN, {ADMINISTRATOR: "MissingParameter"}),
        _named,
        note="for nothing named",
    ),
    _policy("DisableIpamPolicy", ITS_ALONE, _named),
    Row(POLICIES, "GetEnabledIpamPolicy", EVERYBODYS),
    _policy("GetIpamPolicyAllocationRules", ITS_ALONE, _named),
    _policy(
        "ModifyIpamPolicyAllocationRules",
        ITS_ALONE,
        lambda it: {**_named(it), "locale": HOME, "resource_type": _EIP},
    ),
    _policy("GetIpamPolicyOrganizationTargets", ITS_ALONE, _named),
]
