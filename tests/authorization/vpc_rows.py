"""VPCs and the pools that their CIDRs come from (POOL-5, POOL-6, BEY-12)."""

from functools import partial

from tests.authorization.callers import ABROAD, ADMINISTRATOR, USER, WEST
from tests.authorization.row import (
    ALLOWED,
    EVERYBODYS,
    HIDDEN,
    ITS_ALONE,
    SHOWN_TO_IT_ALONE,
    Row,
    outcomes,
)
from tests.authorization.services import NETWORK, VPC_DEFAULTS

_NOTE = [{"key": "note", "value": "new"}]
_SHARED = {ADMINISTRATOR: ALLOWED, USER: ALLOWED}

_network = partial(Row, NETWORK, is_about_owners=True)

ROWS = [
    Row(NETWORK, "CreateVpc", EVERYBODYS, lambda _: {"cidr_block": "10.0.0.0/16"}),
    # The pool is the administrator's abroad too, but no resource there may use it.
    _network(
        "CreateVpc",
        outcomes(HIDDEN, {**_SHARED, ABROAD: "OperationNotPermitted"}),
        lambda it: {"ipv4_ipam_pool_id": it.ipam_pool_id, "ipv4_netmask_length": 28},
        note="out of a pool",
    ),
    Row(
        NETWORK,
        "CreateVpc",
        ITS_ALONE,
        lambda it: {"ipv4_ipam_pool_id": it.free_pool_id, "ipv4_netmask_length": 28},
        note="out of a pool on the free tier",
        region=WEST,
    ),
    _network("DescribeVpcs", SHOWN_TO_IT_ALONE, note="all", shows=lambda it: it.vpc_id),
    _network("DescribeVpcs", ITS_ALONE, lambda it: {"vpc_ids": [it.vpc_id]}),
    _network(
        "DescribeVpcAttribute",
        ITS_ALONE,
        lambda it: {"vpc_id": it.vpc_id, "attribute": "enableDnsSupport"},
    ),
    _network(
        "ModifyVpcAttribute",
        ITS_ALONE,
        lambda it: {"vpc_id": it.vpc_id, "enable_dns_support": {"value": True}},
    ),
    *(
        row
        for rpc in ("CreateTags", "DeleteTags")
        for row in (
            _network(rpc, ITS_ALONE, lambda it: {"resources": [it.vpc_id], "tags": _NOTE}),
            # All of them or none; abroad none is there.
            _network(
                rpc,
                ITS_ALONE,
                lambda it: {"resources": [it.own.vpc_id, it.vpc_id], "tags": _NOTE},
                note="of one's own and another's",
                is_abroad_too=False,
            ),
        )
    ),
    _network(
        "AssociateVpcCidrBlock",
        ITS_ALONE,
        lambda it: {"vpc_id": it.vpc_id, "cidr_block": "172.18.0.0/16"},
    ),
    _network(
        "AssociateVpcCidrBlock",
        outcomes(HIDDEN, _SHARED),
        lambda it: {
            "vpc_id": it.own.vpc_id,
            "ipv4_ipam_pool_id": it.ipam_pool_id,
            "ipv4_netmask_length": 28,
        },
        note="out of a pool",
    ),
    _network(
        "DisassociateVpcCidrBlock",
        ITS_ALONE,
        lambda it: {"association_id": it.vpc_association_id},
    ),
    *(
        Row(
            VPC_DEFAULTS,
            f"Describe{what}",
            SHOWN_TO_IT_ALONE,
            shows=lambda it: it.account_id,
            is_about_owners=True,
        )
        for what in ("NetworkAcls", "RouteTables", "SecurityGroups", "SecurityGroupRules")
    ),
    _network("DeleteVpc", ITS_ALONE, lambda it: {"vpc_id": it.vpc_id}),
]
