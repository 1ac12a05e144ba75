"""The contracts against AWS's models: nothing missing, nothing of another kind."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from botocore import xform_name
from botocore.model import ListShape, OperationModel, Shape, StringShape
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from services.gateway.documents import operations as documents
from services.gateway.documents.cbor_notation import CBOR
from services.gateway.ec2 import operations as ec2
from services.gateway.model import load_model
from services.gateway.query import operations as query
from services.gateway.routes import (
    CLOUDWATCH_FILES,
    COST_EXPLORER_FILES,
    EC2_FILES,
    IAM_FILES,
    ORGANIZATIONS_FILES,
    RAM_FILES,
    Rpc,
    rpcs_by_action,
)
from shared.rpc.enums import aws_enum_names
from tests.gateway.shapes import reachable

FILES = {
    "ce": COST_EXPLORER_FILES,
    "cloudwatch": CLOUDWATCH_FILES,
    "ec2": EC2_FILES,
    "iam": IAM_FILES,
    "organizations": ORGANIZATIONS_FILES,
    "ram": RAM_FILES,
}
MODELS = {service: load_model(service) for service in FILES}

ABSENT = {
    # Nothing on a bill here is told apart by these, or sorted by costs.
    "Expression.cost_categories",
    "Expression.product_attributes",
    "Expression.tags",
    "GetCostAndUsageRequest.billing_view_arn",
    "GetDimensionValuesRequest.billing_view_arn",
    "GetDimensionValuesRequest.dimension_key",
    "GetDimensionValuesRequest.sort_by",
    # Newer than the guide: what they belong to isn't offered.
    "CreateVpcRequest.vpc_encryption_control",
    "Vpc.encryption_control",
    "Vpc.block_public_access_states",
    # Of service principals, which nothing is shared with here.
    "AssociateResourceShareRequest.sources",
    "CreateResourceShareRequest.sources",
    "DisassociateResourceShareRequest.sources",
    "CreateResourceShareRequest.resource_share_configuration",
    "ResourceShare.resource_share_configuration",
    # Of customers' own permissions: the managed ones are all attachable and have no parameters.
    "AssociateResourceSharePermissionRequest.permission_template_parameters",
    "CreateResourceShareRequest.permission_template_parameters",
    "GetPermissionRequest.permission_template_parameters",
    "ListPermissionsRequest.permission_status",
    "ResourceSharePermissionDetail.permission_template_parameters",
    "ResourceSharePermissionSummary.permission_template_parameters",
    # What bounds a user is its account's service control policies.
    "CreateUserRequest.permissions_boundary",
    "Role.permissions_boundary",
    "User.permissions_boundary",
    "Role.role_last_used",
    "Role.source_role_template",
}
# Instances, interfaces, subnets, routes and addresses are records: what of them has no bearing on
# addresses is not kept, and refused where it is asked for.
RECORDS = {
    "Address",
    "AllocateAddressRequest",
    "AllocateAddressResponse",
    "AttachNetworkInterfaceRequest",
    "CreateNetworkInterfaceRequest",
    "CreateSubnetRequest",
    "DescribeInstancesRequest",
    "DescribeNetworkInterfacesRequest",
    "DetachNetworkInterfaceRequest",
    "Instance",
    "InstanceNetworkInterface",
    "InstanceNetworkInterfaceAssociation",
    "InstanceNetworkInterfaceAttachment",
    "InstanceNetworkInterfaceSpecification",
    "InstancePrivateIpAddress",
    "ModifySubnetAttributeRequest",
    "NetworkInterface",
    "NetworkInterfaceAssociation",
    "NetworkInterfaceAttachment",
    "NetworkInterfaceIpv6Address",
    "NetworkInterfacePrivateIpAddress",
    "Placement",
    "Reservation",
    "Route",
    "RunInstancesRequest",
    "RunInstancesResponse",
    "Subnet",
    "TerminateInstancesRequest",
}
FURTHER_VALUES = {
    # The guide prints states of a transfer that AWS's model lacks.
    "ByoipCidr.state": {"pending-transfer", "complete-transfer", "failed-transfer"},
    # Sources that are not AWS fail otherwise.
    "IpamDiscoveryFailureReason.code": {"other-failure"},
}
# Told through gRPC alone.
FURTHER_MEMBERS = {
    "IpamResourceCidr.broken_rules",
    "IpamDiscoveredPublicAddress.recommendation",
}
# Strings in the contracts: what may be given there depends on the action, and the service says so.
OPEN_ENUMS = {
    "DescribeVpcAttributeRequest.attribute",
    "DimensionValues.key",
    "DimensionValues.match_options",
    "GetDimensionValuesRequest.dimension",
    "GetMetricStatisticsRequest.statistics",
    "Instance.instance_type",
    "RunInstancesRequest.instance_type",
    "TagDescription.resource_type",
    "TagSpecification.resource_type",
}


@dataclass(frozen=True)
class Offered:
    """An RPC, and the service of AWS that it is an operation of."""

    service: str
    rpc: Rpc

    @property
    def operation(self) -> OperationModel:
        return MODELS[self.service].operation_model(self.rpc.descriptor.name)

    @property
    def messages(self) -> Iterator[tuple[Mapping[str, Shape], Descriptor]]:
        """Every structure of the operation, however deep, and the message it travels in."""
        for shape, descriptor in (
            (self.operation.input_shape, self.rpc.descriptor.input_type),
            (self.operation.output_shape, self.rpc.descriptor.output_type),
        ):
            # Where AWS has no structure at all, the message has no field.
            yield {}, descriptor
            for structure, message in reachable(shape, descriptor):
                yield structure.members, message

    @property
    def members(self) -> Iterator[tuple[str, Shape, FieldDescriptor | None]]:
        """Every member AWS has in them, and the field it travels in."""
        for members, message in self.messages:
            for name, member in members.items():
                single = member.member if isinstance(member, ListShape) else member
                field = message.fields_by_name.get(xform_name(name))
                yield f"{message.name}.{xform_name(name)}", single, field


ALL = [
    Offered(service, rpc)
    for service, files in FILES.items()
    for rpcs in rpcs_by_action(files).values()
    for rpc in rpcs
]


@pytest.fixture(params=ALL, ids=lambda o: f"{o.service}-{o.rpc.context}-{o.rpc.descriptor.name}")
def offered(request: pytest.FixtureRequest) -> Offered:
    found: Offered = request.param
    return found


def test_every_rpc_is_an_action_of_aws(offered: Offered) -> None:  # BEY-15
    method = offered.rpc.descriptor
    assert method.name in MODELS[offered.service].operation_names
    assert not method.client_streaming
    assert not method.server_streaming


def test_every_member_of_aws_has_a_field(offered: Offered) -> None:  # BEY-15
    assert _missing(offered) <= ABSENT


def test_what_is_known_to_be_absent_is_absent() -> None:
    assert set().union(*map(_missing, ALL)) == ABSENT


def test_every_field_is_a_member_of_aws(offered: Offered) -> None:
    known = {name for name, _, field in offered.members if field is not None}
    fields = {
        f"{message.name}.{field.name}"
        for _, message in offered.messages
        for field in message.fields
    }
    assert fields - FURTHER_MEMBERS == known


def test_the_values_of_an_enum_are_those_of_aws(offered: Offered) -> None:
    for name, shape, field in offered.members:
        values = shape.enum if isinstance(shape, StringShape) else []
        if not values or name in OPEN_ENUMS or field is None:
            continue
        assert field.enum_type is not None, name
        told = {*values, *FURTHER_VALUES.get(name, ())}
        assert set(aws_enum_names(field.enum_type)) == told, name


def test_the_kinds_fit() -> None:
    assert set(ec2.operations_of(MODELS["ec2"])) == set(rpcs_by_action())
    assert set(query.operations_of(MODELS["iam"], rpcs_by_action(IAM_FILES))) == set(
        rpcs_by_action(IAM_FILES)
    )
    cloudwatch = rpcs_by_action(CLOUDWATCH_FILES)
    assert set(query.operations_of(MODELS["cloudwatch"], cloudwatch)) == set(cloudwatch)
    assert set(documents.operations_of(MODELS["cloudwatch"], cloudwatch, CBOR)) == set(cloudwatch)
    for service in ("ce", "cloudwatch", "organizations", "ram"):
        rpcs = rpcs_by_action(FILES[service])
        assert set(documents.operations_of(MODELS[service], rpcs)) == set(rpcs)


def test_internal_services_are_out_of_reach() -> None:
    reached = {offered.rpc.descriptor.containing_service.name for offered in ALL}
    assert reached == {
        "CloudWatchService",
        "ControlPlaneService",
        "CostExplorerService",
        "IpamPolicyService",
        "ByoipService",
        "InternetRegistryService",
        "ResourceDiscoveryService",
        "RouteProtectionService",
        "RoutingPolicyService",
        "TagService",
        "AllocationService",
        "NetworkService",
        "SubnetService",
        "InstanceService",
        "AddressService",
        "AccountService",
        "PrefixListService",
        "VpcDefaultsService",
        "MonitoringService",
        "PrefixListResolverService",
        "IamService",
        "OrganizationsService",
        "SharingService",
    }
    assert "discovery" in dict(EC2_FILES)


def _missing(offered: Offered) -> set[str]:
    return {
        name
        for name, _, field in offered.members
        if field is None and name.partition(".")[0] not in RECORDS
    }
