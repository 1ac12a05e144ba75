"""Subnets, interfaces, instances, addresses and public IPv4 pools (EIP-1 to EIP-3, BEY-12)."""

from functools import partial

from tests.authorization.callers import ADMINISTRATOR
from tests.authorization.row import (
    EVERYBODYS,
    HIDDEN,
    ITS_ALONE,
    SHOWN_TO_IT_ALONE,
    Row,
    outcomes,
)
from tests.authorization.services import ADDRESSES, INSTANCES, NETWORK, SUBNETS

_NOTE = [{"key": "note", "value": "new"}]

_network = partial(Row, NETWORK, is_about_owners=True)
_subnets = partial(Row, SUBNETS, is_about_owners=True)
_NO_BLOCK = "subnet-cidr-assoc-0123456789abcdef0"
_instances = partial(Row, INSTANCES, is_about_owners=True)
_addresses = partial(Row, ADDRESSES, is_about_owners=True)

ROWS = [
    *(
        _network(
            rpc,
            ITS_ALONE,
            lambda it: {
                "resources": [
                    it.subnet_id,
                    it.network_interface_id,
                    it.instance_id,
                    it.address_allocation_id,
                    it.public_ipv4_pool_id,
                    it.prefix_list_id,
                ],
                "tags": _NOTE,
            },
            note="of all kinds",
        )
        for rpc in ("CreateTags", "DeleteTags")
    ),
    _subnets(
        "CreateSubnet",
        ITS_ALONE,
        lambda it: {"vpc_id": it.subnets_vpc_id, "cidr_block": "172.16.9.0/24"},
    ),
    _subnets("DescribeSubnets", SHOWN_TO_IT_ALONE, note="all", shows=lambda it: it.subnet_id),
    _subnets("DescribeSubnets", ITS_ALONE, lambda it: {"subnet_ids": [it.subnet_id]}),
    _subnets(
        "ModifySubnetAttribute",
        ITS_ALONE,
        lambda it: {"subnet_id": it.subnet_id, "map_public_ip_on_launch": {"value": False}},
    ),
    # Its VPC has no IPv6 block.
    _subnets(
        "AssociateSubnetCidrBlock",
        outcomes(HIDDEN, {ADMINISTRATOR: "InvalidSubnet.Range"}),
        lambda it: {"subnet_id": it.subnet_id, "ipv6_cidr_block": "2001:db8::/64"},
    ),
    _subnets(
        "DisassociateSubnetCidrBlock",
        outcomes(HIDDEN, {}),
        lambda _: {"association_id": _NO_BLOCK},
    ),
    _subnets("DeleteSubnet", ITS_ALONE, lambda it: {"subnet_id": it.spare_subnet_id}),
    _instances("CreateNetworkInterface", ITS_ALONE, lambda it: {"subnet_id": it.subnet_id}),
    _instances(
        "RunInstances",
        ITS_ALONE,
        lambda it: {"subnet_id": it.subnet_id, "min_count": 1, "max_count": 1},
    ),
    _instances(
        "DescribeNetworkInterfaces",
        SHOWN_TO_IT_ALONE,
        note="all",
        shows=lambda it: it.network_interface_id,
    ),
    _instances(
        "DescribeNetworkInterfaces",
        ITS_ALONE,
        lambda it: {"network_interface_ids": [it.network_interface_id]},
    ),
    _instances("DescribeInstances", SHOWN_TO_IT_ALONE, note="all", shows=lambda it: it.instance_id),
    _instances("DescribeInstances", ITS_ALONE, lambda it: {"instance_ids": [it.instance_id]}),
    _addresses("AllocateAddress", EVERYBODYS),
    _addresses(
        "DescribeAddresses",
        SHOWN_TO_IT_ALONE,
        note="all",
        shows=lambda it: it.address_allocation_id,
    ),
    _addresses(
        "DescribeAddresses",
        ITS_ALONE,
        lambda it: {"allocation_ids": [it.address_allocation_id]},
    ),
    _addresses(
        "DescribeAddressesAttribute",
        ITS_ALONE,
        lambda it: {"allocation_ids": [it.address_allocation_id]},
    ),
    _addresses(
        "AssociateAddress",
        ITS_ALONE,
        lambda it: {
            "allocation_id": it.spare_address_allocation_id,
            "network_interface_id": it.network_interface_id,
        },
    ),
    _addresses(
        "DisassociateAddress",
        ITS_ALONE,
        lambda it: {"association_id": it.address_association_id},
    ),
    _instances("DetachNetworkInterface", ITS_ALONE, lambda it: {"attachment_id": it.attachment_id}),
    _instances(
        "AttachNetworkInterface",
        ITS_ALONE,
        lambda it: {
            "network_interface_id": it.spare_network_interface_id,
            "instance_id": it.instance_id,
            "device_index": 2,
        },
    ),
    _instances(
        "DeleteNetworkInterface",
        ITS_ALONE,
        lambda it: {"network_interface_id": it.spare_network_interface_id},
    ),
    _instances("TerminateInstances", ITS_ALONE, lambda it: {"instance_ids": [it.instance_id]}),
    # The pool is a private scope's: no address is of it.
    _addresses(
        "ProvisionPublicIpv4PoolCidr",
        outcomes(HIDDEN, {ADMINISTRATOR: "OperationNotPermitted"}),
        lambda it: {
            "pool_id": it.public_ipv4_pool_id,
            "ipam_pool_id": it.ipam_pool_id,
            "netmask_length": 24,
        },
    ),
    _addresses(
        "DeprovisionPublicIpv4PoolCidr",
        outcomes(HIDDEN, {ADMINISTRATOR: "InvalidParameterValue"}),
        lambda it: {"pool_id": it.public_ipv4_pool_id, "cidr": "198.51.100.0/32"},
    ),
    _addresses(
        "EnableAddressTransfer",
        ITS_ALONE,
        lambda it: {
            "allocation_id": it.spare_address_allocation_id,
            "transfer_account_id": "999988887777",
        },
    ),
    _addresses(
        "DescribeAddressTransfers",
        ITS_ALONE,
        lambda it: {"allocation_ids": [it.spare_address_allocation_id]},
    ),
    _addresses(
        "DisableAddressTransfer",
        outcomes(HIDDEN, {ADMINISTRATOR: "IncorrectState"}),
        lambda it: {"allocation_id": it.spare_address_allocation_id},
    ),
    # Nobody has offered it.
    Row(
        ADDRESSES,
        "AcceptAddressTransfer",
        outcomes(HIDDEN, {}),
        lambda _: {"address": "198.18.0.0"},
    ),
    _addresses(
        "ReleaseAddress", ITS_ALONE, lambda it: {"allocation_id": it.spare_address_allocation_id}
    ),
    Row(ADDRESSES, "CreatePublicIpv4Pool", EVERYBODYS),
    _addresses(
        "DescribePublicIpv4Pools",
        SHOWN_TO_IT_ALONE,
        note="all",
        shows=lambda it: it.public_ipv4_pool_id,
    ),
    _addresses(
        "DescribePublicIpv4Pools",
        ITS_ALONE,
        lambda it: {"pool_ids": [it.public_ipv4_pool_id]},
    ),
    _addresses("DeletePublicIpv4Pool", ITS_ALONE, lambda it: {"pool_id": it.public_ipv4_pool_id}),
]
