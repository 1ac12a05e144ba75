"""Wiring."""

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from structlog.typing import FilteringBoundLogger

from cadastre.control.iam.v1 import iam_service_pb2_grpc
from cadastre.control.organizations.v1 import organizations_service_pb2_grpc
from cadastre.control.sharing.v1 import sharing_service_pb2_grpc
from cadastre.control.v1 import (
    authorization_service_pb2_grpc,
    byoip_service_pb2_grpc,
    control_service_pb2_grpc,
    internet_registry_service_pb2_grpc,
    inventory_service_pb2_grpc,
    policy_service_pb2_grpc,
    resource_discovery_service_pb2_grpc,
    route_protection_service_pb2_grpc,
    routing_policy_service_pb2_grpc,
)
from services.control_plane import tables
from services.control_plane.announced_routes import KnownRoutes
from services.control_plane.byoasn_settings import ByoasnSettings
from services.control_plane.byoip.rpki import Rpki
from services.control_plane.byoip_saga import ByoipSaga
from services.control_plane.clients import LedgerClient
from services.control_plane.organization_file import seed_from_file
from services.control_plane.pool_ranges_worker import PoolRangesWorker
from services.control_plane.public_space_clients import PublicIpv4PoolsClient, PublicSpaceClient
from services.control_plane.publication_saga import PublicationSaga
from services.control_plane.publication_worker import PublicationWorker
from services.control_plane.quotas import Quotas
from services.control_plane.registries.dns_records import DnsClient
from services.control_plane.registries.rdap import rdap_client
from services.control_plane.registries.roa_file import RoaFile
from services.control_plane.registries.route_file import RouteFile
from services.control_plane.registry_wiring import Registries, asking_registries
from services.control_plane.rpki_repository import Offered, RepositoryMirror
from services.control_plane.rpki_settings import RpkiSettings
from services.control_plane.saga import Saga
from services.control_plane.service.byoip.ports import RpkiReader, Verifies
from services.control_plane.service.byoip.routes import ByoipRoutes
from services.control_plane.service.identity.access_keys import adopt_encryption_keys
from services.control_plane.service.identity.feed import UserFeed
from services.control_plane.service.internet_registries.secrets import adopt_registry_keys, opened
from services.control_plane.service.ipam_policies_in_force import tell_all_again
from services.control_plane.service.ipams import adopt_quotas
from services.control_plane.service.organizations.feed import OrganizationFeed
from services.control_plane.servicer import ControlPlaneServicer
from services.control_plane.servicer.authorization import AuthorizationServicer
from services.control_plane.servicer.byoip import ByoipServicer
from services.control_plane.servicer.identity import IamServicer
from services.control_plane.servicer.internet_registry import InternetRegistryServicer
from services.control_plane.servicer.inventory import InventoryServicer
from services.control_plane.servicer.ipam_policy import IpamPolicyServicer
from services.control_plane.servicer.organizations import OrganizationsServicer
from services.control_plane.servicer.resource_discovery import ResourceDiscoveryServicer
from services.control_plane.servicer.route_protection import RouteProtectionServicer
from services.control_plane.servicer.routing_policy import RoutingPolicyServicer
from services.control_plane.servicer.shares import SharingServicer
from services.control_plane.store.commands import SqlCommands
from services.control_plane.store.reader import SqlReader
from services.control_plane.store.steps import outbox_handlers, watch_pending
from services.control_plane.store.tagged import TAGGED
from services.control_plane.telemetry import StepTelemetry
from services.control_plane.verification_settings import VerificationSettings
from services.control_plane.verification_worker import Pace, VerificationWorker
from services.control_plane.verifier import Verifier
from shared.encryption_keys import EncryptionKeys, load_encryption_keys
from shared.feed import Bell
from shared.persistence.audit_trail import AuditTrail
from shared.persistence.client_tokens import ClientTokens
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.persistence.outbox import Outbox
from shared.persistence.steps import Steps
from shared.persistence.tagged import TaggedTables
from shared.rpc.audit_trail import audited
from shared.rpc.client import Remote
from shared.rpc.quota_servicer import quota_binding
from shared.rpc.server import Binding, Runtime, background
from shared.rpc.tag_servicer import tag_binding


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What servicers and worker are made of."""

    reader: SqlReader
    commands: SqlCommands
    ledger: LedgerClient
    space: PublicSpaceClient
    rpki: RpkiReader
    registries: Registries
    announced: KnownRoutes
    bell: Bell
    quotas: Quotas
    keys: EncryptionKeys
    verification: VerificationSettings
    byoasn: ByoasnSettings
    clock: Callable[[], datetime]
    """Of what was brought along."""


@asynccontextmanager
async def control_plane(
    runtime: Runtime,
    *,
    verifier: Verifies | None = None,
    clock: Callable[[], datetime] = _now,
) -> AsyncIterator[Sequence[Binding]]:
    """The context, ready to serve; steps a former process left are carried out from now on.

    ``verifier`` stands in for registries and the DNS, and ``clock`` for the time of what was
    brought along.
    """
    quotas, keys = Quotas(), load_encryption_keys(runtime.settings.encryption_key_path)
    verification, byoasn = VerificationSettings(), ByoasnSettings()
    roas, feed = _roa_file(verification), _route_feed(verification)
    for file in (roas, feed):
        if file:
            await file.table()
    database = Database(runtime.settings.database_url_of("control_plane"))
    try:
        await database.run(upgrade, database, "services.control_plane")
        async with (
            Remote.to("allocation", runtime.settings, runtime.signer) as allocation,
            Remote.to("network", runtime.settings, runtime.signer) as network,
            _verifying(verifier, verification, clock) as verifies,
            asking_registries(verification, keys, clock, runtime.log) as registries,
        ):
            reader, bell = SqlReader(database), Bell()
            ledger, space = LedgerClient(allocation), PublicSpaceClient(allocation)
            rpki = _rpki_reader(roas, reader, verification)
            steps = Steps(database, tables.outbox)
            byoip_saga = ByoipSaga(reader, space, PublicIpv4PoolsClient(network), clock)
            handlers = {
                **Saga(reader, ledger).handlers,
                **byoip_saga.handlers,
                **registries.saga(reader, rpki, quotas).handlers,
                **PublicationSaga(reader, partial(opened, keys=keys), clock).handlers,
            }
            telemetry = StepTelemetry(runtime.registry)
            carry_out = outbox_handlers(handlers, steps, telemetry)
            outbox = Outbox(database, tables.outbox, carry_out)
            tokens = ClientTokens(tables.client_tokens)
            parts = _Parts(
                reader=reader,
                commands=SqlCommands(database, outbox, steps, tokens, bell),
                ledger=ledger,
                space=space,
                rpki=rpki,
                registries=registries,
                announced=KnownRoutes(feed, reader, clock),
                bell=bell,
                quotas=quotas,
                keys=keys,
                verification=verification,
                byoasn=byoasn,
                clock=clock,
            )
            await _take_in_configuration(runtime, database, parts)
            worker = _worker(parts, verifies, runtime.log)
            days = runtime.settings.audit_retention_days
            trail = AuditTrail(database, tables.audit_events, retention_days=days)
            counting = watch_pending(database, tables.outbox, telemetry)
            ranges = PoolRangesWorker(
                reader,
                parts.commands,
                space,
                runtime.log,
                look_seconds=verification.verification_retry_seconds,
            )
            renewing = PublicationWorker(parts.commands, clock, runtime.log).run()
            mirroring = _mirror(parts, runtime.log)
            async with background(
                outbox.run(),
                trail.run(),
                worker.run(),
                counting,
                registries.worker(reader, parts.commands).run(),
                renewing,
                ranges.run(),
                *mirroring,
            ):
                tags = tag_binding(TaggedTables(database, TAGGED))
                yield audited([*_bindings(parts, on_waiting=worker.wake), tags], trail)
    finally:
        database.close()


async def _take_in_configuration(runtime: Runtime, database: Database, parts: _Parts) -> None:
    """What is configured, as far as the database has to tell it."""
    commands = parts.commands
    await database.run(commands.enqueue_all, lambda rows: adopt_quotas(rows, parts.quotas))
    await database.run(commands.enqueue_all, tell_all_again)
    await commands.tag(lambda rows: adopt_encryption_keys(rows, parts.keys), dry_run=False)
    await commands.tag(lambda rows: adopt_registry_keys(rows, parts.keys), dry_run=False)
    await seed_from_file(runtime.settings, commands, _now())


def _worker(parts: _Parts, verifies: Verifies, log: FilteringBoundLogger) -> VerificationWorker:
    return VerificationWorker(
        parts.reader,
        parts.commands,
        parts.space,
        verifies,
        parts.rpki,
        _pace_of(parts.verification),
        parts.clock,
        log,
    )


def _bindings(parts: _Parts, on_waiting: Callable[[], None]) -> Sequence[Binding]:
    """Every service; ``on_waiting`` is called when something is to be verified."""
    reader, commands, bell = parts.reader, parts.commands, parts.bell
    routes = ByoipRoutes(reader, parts.space, parts.clock)
    return [
        Binding(
            control_service_pb2_grpc.add_ControlPlaneServiceServicer_to_server,
            ControlPlaneServicer(reader, commands, parts.ledger, parts.quotas, _now),
            "cadastre.control.v1.ControlPlaneService",
        ),
        Binding(
            resource_discovery_service_pb2_grpc.add_ResourceDiscoveryServiceServicer_to_server,
            ResourceDiscoveryServicer(reader, commands, parts.quotas),
            "cadastre.control.v1.ResourceDiscoveryService",
        ),
        Binding(
            policy_service_pb2_grpc.add_IpamPolicyServiceServicer_to_server,
            IpamPolicyServicer(reader, commands, parts.quotas),
            "cadastre.control.v1.IpamPolicyService",
        ),
        Binding(
            internet_registry_service_pb2_grpc.add_InternetRegistryServiceServicer_to_server,
            InternetRegistryServicer(
                reader, commands, parts.registries.parents.check_host, parts.quotas, parts.clock
            ),
            "cadastre.control.v1.InternetRegistryService",
        ),
        Binding(
            byoip_service_pb2_grpc.add_ByoipServiceServicer_to_server,
            _byoip_servicer(parts, on_waiting),
            "cadastre.control.v1.ByoipService",
        ),
        Binding(
            organizations_service_pb2_grpc.add_OrganizationsServiceServicer_to_server,
            OrganizationsServicer(reader, commands, _now),
            "cadastre.control.organizations.v1.OrganizationsService",
        ),
        Binding(
            authorization_service_pb2_grpc.add_AuthorizationServiceServicer_to_server,
            AuthorizationServicer(
                OrganizationFeed(reader, bell), UserFeed(reader, bell), parts.keys
            ),
            "cadastre.control.v1.AuthorizationService",
        ),
        Binding(
            sharing_service_pb2_grpc.add_SharingServiceServicer_to_server,
            SharingServicer(reader, commands, _now),
            "cadastre.control.sharing.v1.SharingService",
        ),
        Binding(
            iam_service_pb2_grpc.add_IamServiceServicer_to_server,
            IamServicer(reader, commands, parts.keys, _now),
            "cadastre.control.iam.v1.IamService",
        ),
        Binding(
            inventory_service_pb2_grpc.add_InventoryServiceServicer_to_server,
            InventoryServicer(reader, routes),
            "cadastre.control.v1.InventoryService",
        ),
        quota_binding(parts.quotas),
        Binding(
            route_protection_service_pb2_grpc.add_RouteProtectionServiceServicer_to_server,
            RouteProtectionServicer(reader, routes, parts.announced, parts.rpki, parts.clock),
            "cadastre.control.v1.RouteProtectionService",
        ),
        Binding(
            routing_policy_service_pb2_grpc.add_RoutingPolicyServiceServicer_to_server,
            RoutingPolicyServicer(
                reader, commands, parts.announced, parts.rpki, parts.quotas, parts.clock
            ),
            "cadastre.control.v1.RoutingPolicyService",
        ),
    ]


def _mirror(parts: _Parts, log: FilteringBoundLogger) -> Sequence[Coroutine[Any, Any, None]]:
    """What writes the repository's directory, where there is one."""
    settings = RpkiSettings()
    if settings.rpki_repository_directory is None:
        return []
    offered = Offered(
        settings.rpki_repository_directory,
        settings.rpki_repository_uri,
        settings.rpki_notification_uri,
    )
    return [RepositoryMirror(parts.reader, offered, log).run()]


def _byoip_servicer(parts: _Parts, on_waiting: Callable[[], None]) -> ByoipServicer:
    return ByoipServicer(
        parts.reader,
        parts.commands,
        parts.space,
        parts.rpki,
        parts.quotas,
        parts.clock,
        reserved_asns_allowed=parts.byoasn.reserved_allowed,
        on_waiting=on_waiting,
    )


def _verifying(
    verifier: Verifies | None, settings: VerificationSettings, clock: Callable[[], datetime]
) -> AbstractAsyncContextManager[Verifies]:
    return nullcontext(verifier) if verifier else _asking_the_world(settings, clock)


@asynccontextmanager
async def _asking_the_world(
    settings: VerificationSettings, clock: Callable[[], datetime]
) -> AsyncIterator[Verifier]:
    timeout_seconds = settings.lookup_timeout_seconds
    dns = DnsClient(settings.dns_servers, timeout_seconds)
    async with rdap_client(str(settings.rdap_url), timeout_seconds) as rdap:
        yield Verifier(rdap, dns, clock)


def _roa_file(settings: VerificationSettings) -> RoaFile | None:
    return RoaFile(settings.rpki_export_file) if settings.rpki_export_file else None


def _rpki_reader(
    file: RoaFile | None, reader: SqlReader, settings: VerificationSettings
) -> RpkiReader:
    refuses = settings.rpki_policy == "refuse"

    async def read() -> Rpki:
        own = await reader.read(lambda rows: rows.byoip.published_roas())
        if file is None:
            return Rpki(None, refuses, own=own)
        export = await file.export()
        return Rpki(export.roas, refuses, export.written_at, own)

    return read


def _route_feed(settings: VerificationSettings) -> RouteFile | None:
    return RouteFile(settings.route_feed_file) if settings.route_feed_file else None


def _pace_of(settings: VerificationSettings) -> Pace:
    return Pace(
        retry=timedelta(seconds=settings.verification_retry_seconds),
        timeout=timedelta(seconds=settings.verification_timeout_seconds),
    )
