"""Which RPCs clients reach through the gateway, and which context serves each."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from botocore.model import OperationModel, ServiceModel
from google.protobuf.descriptor import FileDescriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from cadastre.allocation.v1 import allocation_service_pb2
from cadastre.common.tags.v1 import tag_service_pb2
from cadastre.common.v1 import options_pb2
from cadastre.control.iam.v1 import iam_service_pb2
from cadastre.control.organizations.v1 import organizations_service_pb2
from cadastre.control.sharing.v1 import sharing_service_pb2
from cadastre.control.v1 import (
    byoip_service_pb2,
    control_service_pb2,
    internet_registry_service_pb2,
    policy_service_pb2,
    resource_discovery_service_pb2,
    route_protection_service_pb2,
    routing_policy_service_pb2,
)
from cadastre.discovery.billing.v1 import cost_explorer_service_pb2
from cadastre.discovery.v1 import monitoring_service_pb2, prefix_list_resolver_service_pb2
from cadastre.metrics.v1 import cloud_watch_service_pb2
from cadastre.network.v1 import (
    account_service_pb2,
    address_service_pb2,
    instance_service_pb2,
    network_service_pb2,
    prefix_list_service_pb2,
    subnet_service_pb2,
    vpc_defaults_service_pb2,
)
from shared.settings import Context

Operation = TypeVar("Operation")

EC2_FILES: Sequence[tuple[Context, FileDescriptor]] = (
    ("control_plane", control_service_pb2.DESCRIPTOR),
    ("control_plane", byoip_service_pb2.DESCRIPTOR),
    ("control_plane", internet_registry_service_pb2.DESCRIPTOR),
    ("control_plane", policy_service_pb2.DESCRIPTOR),
    ("control_plane", resource_discovery_service_pb2.DESCRIPTOR),
    ("control_plane", route_protection_service_pb2.DESCRIPTOR),
    ("control_plane", routing_policy_service_pb2.DESCRIPTOR),
    ("allocation", allocation_service_pb2.DESCRIPTOR),
    ("network", account_service_pb2.DESCRIPTOR),
    ("network", address_service_pb2.DESCRIPTOR),
    ("network", instance_service_pb2.DESCRIPTOR),
    ("network", network_service_pb2.DESCRIPTOR),
    ("network", prefix_list_service_pb2.DESCRIPTOR),
    ("network", subnet_service_pb2.DESCRIPTOR),
    ("network", vpc_defaults_service_pb2.DESCRIPTOR),
    ("discovery", monitoring_service_pb2.DESCRIPTOR),
    ("discovery", prefix_list_resolver_service_pb2.DESCRIPTOR),
    ("control_plane", tag_service_pb2.DESCRIPTOR),
    ("allocation", tag_service_pb2.DESCRIPTOR),
    ("network", tag_service_pb2.DESCRIPTOR),
    ("discovery", tag_service_pb2.DESCRIPTOR),
)
"""The contracts whose RPCs are actions of EC2."""
CLOUDWATCH_FILES: Sequence[tuple[Context, FileDescriptor]] = (
    ("metrics", cloud_watch_service_pb2.DESCRIPTOR),
)
"""The contract whose RPCs are operations of CloudWatch."""
COST_EXPLORER_FILES: Sequence[tuple[Context, FileDescriptor]] = (
    ("discovery", cost_explorer_service_pb2.DESCRIPTOR),
)
"""The contract whose RPCs are operations of AWS Cost Explorer."""
IAM_FILES: Sequence[tuple[Context, FileDescriptor]] = (
    ("control_plane", iam_service_pb2.DESCRIPTOR),
)
"""The contract whose RPCs are actions of IAM."""
ORGANIZATIONS_FILES: Sequence[tuple[Context, FileDescriptor]] = (
    ("control_plane", organizations_service_pb2.DESCRIPTOR),
)
"""The contract whose RPCs are operations of AWS Organizations."""
RAM_FILES: Sequence[tuple[Context, FileDescriptor]] = (
    ("control_plane", sharing_service_pb2.DESCRIPTOR),
)
"""The contract whose RPCs are operations of AWS RAM."""


@dataclass(frozen=True, slots=True)
class Rpc:
    """One RPC and the context that serves it."""

    context: Context
    descriptor: MethodDescriptor

    @property
    def path(self) -> str:
        """As gRPC names it: ``/cadastre.network.v1.NetworkService/CreateVpc``."""
        return f"/{self.descriptor.containing_service.full_name}/{self.descriptor.name}"

    @property
    def request_type(self) -> type[Message]:
        return GetMessageClass(self.descriptor.input_type)

    @property
    def response_type(self) -> type[Message]:
        return GetMessageClass(self.descriptor.output_type)


def rpcs_by_action(
    files: Iterable[tuple[Context, FileDescriptor]] = EC2_FILES,
) -> Mapping[str, Sequence[Rpc]]:
    """Every RPC that is an AWS action. Several contexts may serve one action, each a part of it."""
    found: dict[str, list[Rpc]] = defaultdict(list)
    for context, file in files:
        for service in file.services_by_name.values():
            if not _is_internal(service):
                for method in service.methods:
                    # No AWS action streams.
                    if not method.server_streaming:
                        found[method.name].append(Rpc(context, method))
    return found


def served(
    model: ServiceModel,
    rpcs: Mapping[str, Sequence[Rpc]],
    made_of: Callable[[OperationModel, Sequence[Rpc]], Operation],
) -> Mapping[str, Operation]:
    """What is made of every operation of AWS's ``model`` that some of ``rpcs`` serve, by name."""
    return {
        name: made_of(model.operation_model(name), rpcs[name])
        for name in model.operation_names
        if name in rpcs
    }


def _is_internal(service: ServiceDescriptor) -> bool:
    return bool(service.GetOptions().Extensions[options_pb2.internal])
