"""Who may call at all (ORG-10): what a contract does not open stays shut."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor

from cadastre.common.v1 import options_pb2
from shared.rpc.method import Admits, method_of

PROTOS = Path(__file__).parents[3] / "protos"

INTERNAL = {
    "cadastre.allocation.v1.AuditService",
    "cadastre.allocation.v1.InventoryService",
    "cadastre.allocation.v1.LedgerService",
    "cadastre.allocation.v1.ObservationService",
    "cadastre.allocation.v1.PublicSpaceService",
    "cadastre.common.v1.AuditTrailService",
    "cadastre.common.v1.TelemetryService",
    "cadastre.control.v1.AuthorizationService",
    "cadastre.control.v1.InventoryService",
    "cadastre.discovery.v1.DiscoveryService",
    "cadastre.discovery.v1.UsageService",
    "cadastre.metrics.v1.MetricsService",
    "cadastre.network.v1.ByoipRangeService",
    "cadastre.network.v1.InventoryService",
    "cadastre.network.v1.PrefixListSyncService",
}
OPEN_TO_ACCOUNTS = {
    "cadastre.allocation.v1.AllocationService",
    "cadastre.allocation.v1.BatchService",
    "cadastre.allocation.v1.PlacementService",
    "cadastre.common.quotas.v1.QuotaService",
    "cadastre.common.tags.v1.TagService",
    "cadastre.control.iam.v1.IamService",
    "cadastre.control.organizations.v1.OrganizationsService",
    "cadastre.control.sharing.v1.SharingService",
    "cadastre.control.v1.ByoipService",
    "cadastre.control.v1.ControlPlaneService",
    "cadastre.control.v1.InternetRegistryService",
    "cadastre.control.v1.IpamPolicyService",
    "cadastre.control.v1.ResourceDiscoveryService",
    "cadastre.control.v1.RouteProtectionService",
    "cadastre.control.v1.RoutingPolicyService",
    "cadastre.discovery.billing.v1.CostExplorerService",
    "cadastre.discovery.v1.CostService",
    "cadastre.discovery.v1.MonitoringService",
    "cadastre.discovery.v1.PrefixListResolverService",
    "cadastre.discovery.v1.SnapshotService",
    "cadastre.metrics.v1.CloudWatchService",
    "cadastre.network.v1.AccountService",
    "cadastre.network.v1.AddressService",
    "cadastre.network.v1.InstanceService",
    "cadastre.network.v1.NetworkService",
    "cadastre.network.v1.PrefixListService",
    "cadastre.network.v1.SubnetService",
    "cadastre.network.v1.VpcDefaultsService",
}


def all_services() -> Iterator[ServiceDescriptor]:
    for path in sorted(PROTOS.rglob("*.proto")):
        name = ".".join(path.relative_to(PROTOS).with_suffix("").parts)
        yield from importlib.import_module(f"{name}_pb2").DESCRIPTOR.services_by_name.values()


def test_every_service_says_to_whom_it_is_open() -> None:
    admitting: dict[Admits, set[str]] = {kind: set() for kind in Admits}
    for service in all_services():
        for method in service.methods_by_name:
            admits = method_of(f"/{service.full_name}/{method}").admits
            admitting[admits].add(service.full_name)
    assert admitting == {
        Admits.NOBODY: set(),
        Admits.SERVICES: INTERNAL,
        Admits.ACCOUNTS: OPEN_TO_ACCOUNTS,
    }


@pytest.mark.parametrize(
    ("internal", "open_to_accounts", "admits"),
    [
        pytest.param(False, False, Admits.NOBODY, id="a new service of which nothing is said"),
        pytest.param(True, False, Admits.SERVICES, id="internal"),
        pytest.param(True, True, Admits.SERVICES, id="both: the narrower"),
        pytest.param(False, True, Admits.ACCOUNTS, id="open"),
    ],
)
def test_what_is_said_of_a_service_holds_for_its_methods(
    internal: bool, open_to_accounts: bool, admits: Admits
) -> None:
    name = f"test.Admission{int(internal)}{int(open_to_accounts)}"
    file = descriptor_pb2.FileDescriptorProto(name=f"{name}.proto", package="test")
    file.message_type.add(name=f"Empty{int(internal)}{int(open_to_accounts)}")
    service = file.service.add(name=name.removeprefix("test."))
    empty = f".test.{file.message_type[0].name}"
    service.method.add(name="Do", input_type=empty, output_type=empty)
    service.options.Extensions[options_pb2.internal] = internal
    service.options.Extensions[options_pb2.open_to_accounts] = open_to_accounts
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
    assert method_of(f"/{name}/Do").admits is admits
