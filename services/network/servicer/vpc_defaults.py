"""VpcDefaultsService: messages to use cases and back."""

from cadastre.network.v1 import vpc_defaults_service_pb2 as pb
from cadastre.network.v1 import vpc_defaults_service_pb2_grpc
from services.network.service.vpc_defaults import DefaultsAfter, RulesAfter, VpcDefaults
from services.network.servicer.listing import matching
from services.network.servicer.vpc_default_messages import (
    exact_values,
    network_acl_to_proto,
    route_table_to_proto,
    rule_to_proto,
    security_group_to_proto,
)
from services.network.vpc_defaults import DefaultKind, check_no_names
from shared.filters import FilterSet
from shared.paging import paginate
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of

NETWORK_ACL_FILTER_ALIASES = {
    "association.association-id": "associations.network_acl_association_id",
    "association.network-acl-id": "associations.network_acl_id",
    "association.subnet-id": "associations.subnet_id",
    "default": "is_default",
    "entry.cidr": "entries.cidr_block",
    "entry.egress": "entries.egress",
    "entry.icmp.code": "entries.icmp_type_code.code",
    "entry.icmp.type": "entries.icmp_type_code.type",
    "entry.ipv6-cidr": "entries.ipv6_cidr_block",
    "entry.port-range.from": "entries.port_range.from",
    "entry.port-range.to": "entries.port_range.to",
    "entry.protocol": "entries.protocol",
    "entry.rule-action": "entries.rule_action",
    "entry.rule-number": "entries.rule_number",
}
"""EC2's names of filters that are not members of NetworkAcl."""

ROUTE_TABLE_FILTER_ALIASES = {
    "association.gateway-id": "associations.gateway_id",
    "association.main": "associations.main",
    "association.route-table-association-id": "associations.route_table_association_id",
    "association.route-table-id": "associations.route_table_id",
    "association.subnet-id": "associations.subnet_id",
    "route.destination-cidr-block": "routes.destination_cidr_block",
    "route.destination-ipv6-cidr-block": "routes.destination_ipv6_cidr_block",
    "route.gateway-id": "routes.gateway_id",
    "route.origin": "routes.origin",
    "route.state": "routes.state",
}
"""EC2's names of filters that are not members of RouteTable, but for targets that none has."""

SECURITY_GROUP_FILTER_ALIASES = {
    f"{prefix}ip-permission.{name}": f"{member}.{path}"
    for prefix, member in (("", "ip_permissions"), ("egress.", "ip_permissions_egress"))
    for name, path in (
        ("cidr", "ip_ranges.cidr_ip"),
        ("from-port", "from_port"),
        ("group-id", "user_id_group_pairs.group_id"),
        ("group-name", "user_id_group_pairs.group_name"),
        ("ipv6-cidr", "ipv6_ranges.cidr_ipv6"),
        ("prefix-list-id", "prefix_list_ids.prefix_list_id"),
        ("protocol", "ip_protocol"),
        ("to-port", "to_port"),
        ("user-id", "user_id_group_pairs.user_id"),
    )
}
"""EC2's names of filters that are not members of SecurityGroup."""


class VpcDefaultsServicer(vpc_defaults_service_pb2_grpc.VpcDefaultsServiceServicer):
    """Translates; what is decided is decided in ``service``."""

    def __init__(self, vpc_defaults: VpcDefaults) -> None:
        self._vpc_defaults = vpc_defaults

    async def DescribeNetworkAcls(
        self, request: pb.DescribeNetworkAclsRequest, context: Context
    ) -> pb.DescribeNetworkAclsResponse:
        filters = FilterSet(request.filters, pb.NetworkAcl.DESCRIPTOR, NETWORK_ACL_FILTER_ALIASES)

        def page(found: DefaultsAfter) -> tuple[list[pb.NetworkAcl], str | None]:
            return paginate(
                request, lambda after: matching(filters, found(after), network_acl_to_proto)
            )

        records, token = await self._vpc_defaults.describe(
            caller_of(context),
            DefaultKind.NETWORK_ACL,
            page,
            ids=request.network_acl_ids,
            vpc_ids=exact_values(request.filters, "vpc-id"),
        )
        return pb.DescribeNetworkAclsResponse(network_acls=records, next_token=token)

    async def DescribeRouteTables(
        self, request: pb.DescribeRouteTablesRequest, context: Context
    ) -> pb.DescribeRouteTablesResponse:
        filters = FilterSet(request.filters, pb.RouteTable.DESCRIPTOR, ROUTE_TABLE_FILTER_ALIASES)

        def page(found: DefaultsAfter) -> tuple[list[pb.RouteTable], str | None]:
            return paginate(
                request, lambda after: matching(filters, found(after), route_table_to_proto)
            )

        records, token = await self._vpc_defaults.describe(
            caller_of(context),
            DefaultKind.ROUTE_TABLE,
            page,
            ids=request.route_table_ids,
            vpc_ids=exact_values(request.filters, "vpc-id"),
        )
        return pb.DescribeRouteTablesResponse(route_tables=records, next_token=token)

    async def DescribeSecurityGroups(
        self, request: pb.DescribeSecurityGroupsRequest, context: Context
    ) -> pb.DescribeSecurityGroupsResponse:
        descriptor = pb.SecurityGroup.DESCRIPTOR
        filters = FilterSet(request.filters, descriptor, SECURITY_GROUP_FILTER_ALIASES)
        check_no_names(request.group_names)

        def page(found: DefaultsAfter) -> tuple[list[pb.SecurityGroup], str | None]:
            return paginate(
                request, lambda after: matching(filters, found(after), security_group_to_proto)
            )

        records, token = await self._vpc_defaults.describe(
            caller_of(context),
            DefaultKind.SECURITY_GROUP,
            page,
            ids=request.group_ids,
            vpc_ids=exact_values(request.filters, "vpc-id"),
        )
        return pb.DescribeSecurityGroupsResponse(security_groups=records, next_token=token)

    async def DescribeSecurityGroupRules(
        self, request: pb.DescribeSecurityGroupRulesRequest, context: Context
    ) -> pb.DescribeSecurityGroupRulesResponse:
        filters = FilterSet(request.filters, pb.SecurityGroupRule.DESCRIPTOR)

        def page(found: RulesAfter) -> tuple[list[pb.SecurityGroupRule], str | None]:
            return paginate(request, lambda after: matching(filters, found(after), rule_to_proto))

        records, token = await self._vpc_defaults.rules(
            caller_of(context), page, rule_ids=request.security_group_rule_ids
        )
        return pb.DescribeSecurityGroupRulesResponse(security_group_rules=records, next_token=token)
