"""VpcDefaultsService's messages from what they mean here."""

from collections.abc import Iterable, Sequence

from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import vpc_defaults_service_pb2 as pb
from services.network.service.vpc_defaults import DefaultInVpc, RuleInGroup
from services.network.vpc_defaults import (
    AclEntry,
    GroupRule,
    VpcDefault,
    acl_association_id,
    acl_entries,
    group_rules,
    local_routes,
)
from shared.cidr import AddressFamily, Cidr
from shared.tags import tags_to_proto

_ALL_PROTOCOLS = "-1"
_ALL_PORTS = -1
_WILD = frozenset("*?\\")


def exact_values(filters: Iterable[types_pb2.Filter], name: str) -> Sequence[str]:
    """The only values that a filter lets pass; none, if there is no such filter or it has patterns.

    What is asked for by ``vpc-id`` then costs what it shows, not what the account has.
    """
    for one in filters:
        if one.name == name and not any(_WILD.intersection(value) for value in one.values):
            return one.values
    return ()


def network_acl_to_proto(known: DefaultInVpc) -> pb.NetworkAcl:
    acl = known.default
    return pb.NetworkAcl(
        associations=[
            pb.NetworkAclAssociation(
                network_acl_association_id=acl_association_id(subnet_id),
                network_acl_id=acl.resource_id,
                subnet_id=subnet_id,
            )
            for subnet_id in known.subnet_ids
        ],
        entries=map(_entry_to_proto, acl_entries(known.vpc)),
        is_default=True,
        network_acl_id=acl.resource_id,
        tags=tags_to_proto(acl.tags),
        vpc_id=acl.vpc_id,
        owner_id=acl.owner_id,
    )


def route_table_to_proto(known: DefaultInVpc) -> pb.RouteTable:
    table = known.default
    state = pb.ROUTE_TABLE_ASSOCIATION_STATE_CODE_ASSOCIATED
    return pb.RouteTable(
        associations=[
            pb.RouteTableAssociation(
                main=True,
                route_table_association_id=table.main_association_id,
                route_table_id=table.resource_id,
                association_state=pb.RouteTableAssociationState(state=state),
            )
        ],
        route_table_id=table.resource_id,
        routes=map(_route_to_proto, local_routes(known.vpc)),
        tags=tags_to_proto(table.tags),
        vpc_id=table.vpc_id,
        owner_id=table.owner_id,
    )


def security_group_to_proto(known: DefaultInVpc) -> pb.SecurityGroup:
    group, rules = known.default, group_rules(known.default, known.vpc)
    return pb.SecurityGroup(
        group_id=group.resource_id,
        ip_permissions_egress=[_permission(group, [rule for rule in rules if rule.is_egress])],
        tags=tags_to_proto(group.tags),
        vpc_id=group.vpc_id,
        security_group_arn=group.arn,
        owner_id=group.owner_id,
        group_name="default",
        description="default VPC security group",
        ip_permissions=[_permission(group, [rule for rule in rules if not rule.is_egress])],
    )


def rule_to_proto(known: RuleInGroup) -> pb.SecurityGroupRule:
    rule, group = known.rule, known.group
    message = pb.SecurityGroupRule(
        security_group_rule_id=rule.rule_id,
        group_id=group.resource_id,
        group_owner_id=group.owner_id,
        is_egress=rule.is_egress,
        ip_protocol=_ALL_PROTOCOLS,
        from_port=_ALL_PORTS,
        to_port=_ALL_PORTS,
        security_group_rule_arn=(
            f"arn:aws:ec2:{group.region}:{group.owner_id}:security-group-rule/{rule.rule_id}"
        ),
    )
    if rule.cidr is None:
        message.referenced_group_info.group_id = group.resource_id
        message.referenced_group_info.user_id = group.owner_id
    elif rule.cidr.family is AddressFamily.IPV4:
        message.cidr_ipv4 = str(rule.cidr)
    else:
        message.cidr_ipv6 = str(rule.cidr)
    return message


def _entry_to_proto(entry: AclEntry) -> pb.NetworkAclEntry:
    message = pb.NetworkAclEntry(
        egress=entry.is_egress,
        protocol=_ALL_PROTOCOLS,
        rule_action=pb.RULE_ACTION_ALLOW if entry.is_allowed else pb.RULE_ACTION_DENY,
        rule_number=entry.rule_number,
    )
    if entry.cidr.family is AddressFamily.IPV4:
        message.cidr_block = str(entry.cidr)
    else:
        message.ipv6_cidr_block = str(entry.cidr)
    return message


def _route_to_proto(cidr: Cidr) -> pb.Route:
    message = pb.Route(
        gateway_id="local",
        origin=pb.ROUTE_ORIGIN_CREATE_ROUTE_TABLE,
        state=pb.ROUTE_STATE_ACTIVE,
    )
    if cidr.family is AddressFamily.IPV4:
        message.destination_cidr_block = str(cidr)
    else:
        message.destination_ipv6_cidr_block = str(cidr)
    return message


def _permission(group: VpcDefault, rules: Sequence[GroupRule]) -> pb.IpPermission:
    """The rules of one direction: all are about all protocols."""
    cidrs = [rule.cidr for rule in rules if rule.cidr is not None]
    return pb.IpPermission(
        ip_protocol=_ALL_PROTOCOLS,
        user_id_group_pairs=[
            pb.UserIdGroupPair(user_id=group.owner_id, group_id=group.resource_id)
            for rule in rules
            if rule.cidr is None
        ],
        ip_ranges=[
            pb.IpRange(cidr_ip=str(cidr)) for cidr in cidrs if cidr.family is AddressFamily.IPV4
        ],
        ipv6_ranges=[
            pb.Ipv6Range(cidr_ipv6=str(cidr)) for cidr in cidrs if cidr.family is AddressFamily.IPV6
        ],
    )
