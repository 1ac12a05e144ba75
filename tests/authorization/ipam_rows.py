"""IPAMs, scopes, pools and resource discoveries (ORG-2 to ORG-5, ORG-8, DISC-1, DISC-2)."""

from collections.abc import Callable
from functools import partial

from tests.authorization.callers import (
    ABROAD,
    ADMINISTRATOR,
    DISCOVERER,
    ELSEWHERE,
    MANAGER,
    USER,
    WEST,
)
from tests.authorization.row import (
    ALLOWED,
    EMPTY,
    EVERYBODYS,
    HIDDEN,
    ITS_ALONE,
    SHOWN_TO_IT_ALONE,
    Members,
    Row,
    outcomes,
)
from tests.authorization.services import CONTROL, DISCOVERIES, IPV4
from tests.authorization.things import Things
from tests.authorization.world import SECRETS

_NOTE = [{"key": "note", "value": "new"}]
_BY_TAG = [{"name": "tag:note", "values": [SECRETS[ADMINISTRATOR]]}]
# It is no account of the organization that the principal outside it manages.
_MANAGERS = outcomes(
    "OperationNotPermitted", {MANAGER: ALLOWED, DISCOVERER: "InvalidParameterValue"}
)
# Who may import a CIDR needs no more than the pool's id, which RAM tells it.
_POOL_SEEN = {ADMINISTRATOR: ALLOWED, USER: ALLOWED}
_DISCOVERY_SEEN = {ADMINISTRATOR: ALLOWED, DISCOVERER: ALLOWED}
# The administrator sees through its own resource discoveries already.
_ASSOCIATED = {ADMINISTRATOR: "Resource.AlreadyAssociated"}

_TAGGED: dict[str, Callable[[Things], str]] = {
    "an IPAM": lambda it: it.ipam_id,
    "a scope": lambda it: it.ipam_scope_id,
    "a pool": lambda it: it.ipam_pool_id,
    "an IPAM policy": lambda it: it.ipam_policy_id,
    "a resource discovery": lambda it: it.resource_discovery_id,
    "an association": lambda it: it.association_id,
}

_control = partial(Row, CONTROL, is_about_owners=True)
_discovery = partial(Row, DISCOVERIES, is_about_owners=True)
_of_organization = partial(Row, CONTROL, is_abroad_too=False)


def _own_ipam_and(id_of: Callable[[Things], str]) -> Members:
    """All of them are tagged or none, though the first is the caller's."""
    return lambda it: {"resources": [it.own.ipam_id, id_of(it)], "tags": _NOTE}


ROWS = [
    # Everybody has an IPAM at home, and may have one elsewhere (IPAM-2).
    Row(CONTROL, "CreateIpam", EVERYBODYS, region=ELSEWHERE),
    Row(CONTROL, "DescribeIpams", SHOWN_TO_IT_ALONE, note="all", shows=lambda it: it.ipam_id),
    _control("DescribeIpams", ITS_ALONE, lambda it: {"ipam_ids": [it.ipam_id]}),
    _control("ModifyIpam", ITS_ALONE, lambda it: {"ipam_id": it.ipam_id, "description": "new"}),
    _control("DeleteIpam", ITS_ALONE, lambda it: {"ipam_id": it.ipam_id, "cascade": True}),
    _control("CreateIpamScope", ITS_ALONE, lambda it: {"ipam_id": it.ipam_id}),
    _control(
        "DescribeIpamScopes", SHOWN_TO_IT_ALONE, note="all", shows=lambda it: it.ipam_scope_id
    ),
    _control("DescribeIpamScopes", ITS_ALONE, lambda it: {"ipam_scope_ids": [it.ipam_scope_id]}),
    _control("ModifyIpamScope", ITS_ALONE, lambda it: {"ipam_scope_id": it.ipam_scope_id}),
    _control("DeleteIpamScope", ITS_ALONE, lambda it: {"ipam_scope_id": it.spare_scope_id}),
    _control(
        "CreateIpamPool",
        ITS_ALONE,
        lambda it: {"ipam_scope_id": it.ipam_scope_id, "address_family": IPV4},
    ),
    _control(
        "CreateIpamPool",
        ITS_ALONE,
        lambda it: {
            "ipam_scope_id": it.own.ipam_scope_id,
            "address_family": IPV4,
            "source_ipam_pool_id": it.ipam_pool_id,
        },
        note="out of a pool",
    ),
    _control(
        "DescribeIpamPools",
        outcomes(EMPTY, _POOL_SEEN),
        note="all",
        shows=lambda it: it.ipam_pool_arn,
    ),
    _control(
        "DescribeIpamPools",
        outcomes(HIDDEN, _POOL_SEEN),
        lambda it: {"ipam_pool_ids": [it.ipam_pool_id]},
    ),
    # What a shared pool lies in is not shared.
    _control(
        "DescribeIpamPools",
        SHOWN_TO_IT_ALONE,
        note="all, looking for those that are not shared",
        shows=lambda it: it.top_pool_arn,
    ),
    _control(
        "DescribeIpamPools",
        ITS_ALONE,
        lambda it: {"ipam_pool_ids": [it.top_pool_id]},
        note="not shared",
    ),
    # Tags are the owner's alone, so nobody else finds a pool by them.
    Row(
        CONTROL,
        "DescribeIpamPools",
        SHOWN_TO_IT_ALONE,
        lambda _: {"filters": _BY_TAG},
        note="by a tag",
        shows=lambda it: it.ipam_pool_arn,
    ),
    # On the free tier nobody but the owner uses a pool, whatever is shared (IPAM-4).
    Row(
        CONTROL,
        "DescribeIpamPools",
        ITS_ALONE,
        lambda it: {"ipam_pool_ids": [it.free_pool_id]},
        note="on the free tier",
        region=WEST,
    ),
    _control("ModifyIpamPool", ITS_ALONE, lambda it: {"ipam_pool_id": it.ipam_pool_id}),
    _control(
        "DeleteIpamPool", ITS_ALONE, lambda it: {"ipam_pool_id": it.spare_pool_id, "cascade": True}
    ),
    _of_organization(
        "EnableIpamOrganizationAdminAccount",
        _MANAGERS,
        lambda it: {"delegated_admin_account_id": it.account_id},
    ),
    _of_organization(
        "DisableIpamOrganizationAdminAccount",
        _MANAGERS,
        lambda it: {"delegated_admin_account_id": it.account_id},
    ),
    *(
        _control(
            rpc,
            ITS_ALONE,
            _own_ipam_and(id_of),
            note=f"of {kind}",
        )
        for rpc in ("CreateTags", "DeleteTags")
        for kind, id_of in _TAGGED.items()
    ),
    # Everybody may have one of its own (DISC-1).
    Row(DISCOVERIES, "CreateIpamResourceDiscovery", EVERYBODYS, region=ELSEWHERE),
    _discovery(
        "DescribeIpamResourceDiscoveries",
        outcomes(EMPTY, _DISCOVERY_SEEN),
        note="all",
        shows=lambda it: it.resource_discovery_id,
    ),
    _discovery(
        "DescribeIpamResourceDiscoveries",
        outcomes(HIDDEN, _DISCOVERY_SEEN),
        lambda it: {"ipam_resource_discovery_ids": [it.resource_discovery_id]},
    ),
    _discovery(
        "DescribeIpamResourceDiscoveries",
        ITS_ALONE,
        lambda it: {"ipam_resource_discovery_ids": [it.default_resource_discovery_id]},
        note="not shared",
    ),
    Row(
        DISCOVERIES,
        "DescribeIpamResourceDiscoveries",
        SHOWN_TO_IT_ALONE,
        lambda _: {"filters": _BY_TAG},
        note="by a tag",
        shows=lambda it: it.resource_discovery_id,
    ),
    # Whom it is shared with sees which OUs are left out (ORG-8).
    Row(
        DISCOVERIES,
        "DescribeIpamResourceDiscoveries",
        outcomes(EMPTY, _DISCOVERY_SEEN),
        note="looking for exclusions",
        shows=lambda it: it.unit_id,
    ),
    _discovery(
        "ModifyIpamResourceDiscovery",
        ITS_ALONE,
        lambda it: {"ipam_resource_discovery_id": it.resource_discovery_id, "description": "new"},
    ),
    Row(
        DISCOVERIES,
        "ModifyIpamResourceDiscovery",
        outcomes("OperationNotPermitted", {ADMINISTRATOR: ALLOWED, ABROAD: HIDDEN}),
        lambda it: {
            "ipam_resource_discovery_id": it.own.default_resource_discovery_id,
            "add_organizational_unit_exclusions": [
                {
                    "organizations_entity_path": (
                        f"{it.organization_id}/{it.root_id}/{it.empty_unit_id}/"
                    )
                }
            ],
        },
        note="of its own, leaving OUs out",
    ),
    _discovery(
        "DeleteIpamResourceDiscovery",
        ITS_ALONE,
        lambda it: {"ipam_resource_discovery_id": it.resource_discovery_id},
    ),
    _discovery(
        "AssociateIpamResourceDiscovery",
        outcomes(HIDDEN, {**_ASSOCIATED, DISCOVERER: ALLOWED}),
        lambda it: {
            "ipam_id": it.own.ipam_id,
            "ipam_resource_discovery_id": it.resource_discovery_id,
        },
    ),
    _discovery(
        "AssociateIpamResourceDiscovery",
        outcomes(HIDDEN, _ASSOCIATED),
        lambda it: {
            "ipam_id": it.ipam_id,
            "ipam_resource_discovery_id": it.own.default_resource_discovery_id,
        },
        note="with another's IPAM",
    ),
    _discovery(
        "DisassociateIpamResourceDiscovery",
        ITS_ALONE,
        lambda it: {"ipam_resource_discovery_association_id": it.association_id},
    ),
    _discovery(
        "DescribeIpamResourceDiscoveryAssociations",
        SHOWN_TO_IT_ALONE,
        note="all",
        shows=lambda it: it.association_id,
    ),
    _discovery(
        "DescribeIpamResourceDiscoveryAssociations",
        ITS_ALONE,
        lambda it: {"ipam_resource_discovery_association_ids": [it.association_id]},
    ),
]
