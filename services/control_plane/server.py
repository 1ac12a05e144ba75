"""Wiring."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from structlog.typing import FilteringBoundLogger

from cadastre.control.iam.v1 import iam_service_pb2_grpc
from cadastre.control.organizations.v1 import organizations_service_pb2_grpc
from cadastre.control.sharing.v1 import sharing_service_pb2_grpc
from cadastre.control.v1 import (
    authorization_service_pb2_grpc,
    byoip_service_pb2_grpc,
    control_service_pb2_grpc,
    inventory_service_pb2_grpc,
    policy_service_pb2_grpc,
    resource_discovery_service_pb2_grpc,
)
from services.control_plane import tables
from services.control_plane.byoasn_settings import ByoasnSettings
from services.control_plane.byoip.rpki import Rpki
from services.control_plane.byoip_saga import ByoipSaga
from services.control_plane.clients import LedgerClient
from services.control_plane.organization_file import seed_from_file
from services.control_plane.public_space_clients import PublicIpv4PoolsClient, PublicSpaceClient
from services.control_plane.quotas import Quotas
from services.control_plane.registries.dns_records import DnsClient
from services.control_plane.registries.rdap import rdap_client
from services.control_plane.registries.roa_file import RoaFile
from services.control_plane.saga import Saga
from services.control_plane.service.byoip.ports import RpkiReader, Verifies
from services.control_plane.service.identity.access_keys import adopt_encryption_keys
from services.control_plane.service.identity.feed import UserFeed
from services.control_plane.service.ipam_policies_in_force import tell_all_again
from services.control_plane.service.ipams import adopt_quotas
from services.control_plane.service.organizations.feed import OrganizationFeed
from services.control_plane.servicer import ControlPlaneServicer
from services.control_plane.servicer.authorization import AuthorizationServicer
from services.control_plane.servicer.byoip import ByoipServicer
from services.control_plane.servicer.identity import IamServicer
from services.control_plane.servicer.inventory import InventoryServicer
from services.control_plane.servicer.ipam_policy import IpamPolicyServicer
from services.control_plane.servicer.organizations import OrganizationsServicer
from services.control_plane.servicer.resource_discovery import ResourceDiscoveryServicer
from services.control_plane.servicer.shares import SharingServicer
from services.control_plane.store.commands import SqlCommands
from services.control_plane.store.reader import SqlReader
from services.control_plane.store.steps import outbox_handlers, watch_pending
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
from shared.rpc.audit_trail import audited
from shared.rpc.client import Remote
from shared.rpc.server import Binding, Runtime, background


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
    rpki = _rpki_reader(verification)
    await rpki()
    database = Database(runtime.settings.database_url_of("control_plane"))
    try:
        await database.run(upgrade, database, "services.control_plane")
        async with (
            Remote.to("allocation", runtime.settings, runtime.signer) as allocation,
            Remote.to("network", runtime.settings, runtime.signer) as network,
            _verifying(verifier, verification, clock) as verifies,
        ):
            reader, bell = SqlReader(database), Bell()
            ledger, space = LedgerClient(allocation), PublicSpaceClient(allocation)
            steps = Steps(database, tables.outbox)
            byoip_saga = ByoipSaga(reader, space, PublicIpv4PoolsClient(network), clock)
            handlers = {**Saga(reader, ledger).handlers, **byoip_saga.handlers}
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
            async with background(outbox.run(), trail.run(), worker.run(), counting):
                yield audited(_bindings(parts, on_waiting=worker.wake), trail)
    finally:
        database.close()


async def _take_in_configuration(runtime: Runtime, database: Database, parts: _Parts) -> None:
    """What is configured, as far as the database has to tell it."""
    commands = parts.commands
    await database.run(commands.enqueue_all, lambda rows: adopt_quotas(rows, parts.quotas))
    await database.run(commands.enqueue_all, tell_all_again)
    await commands.tag(lambda rows: adopt_encryption_keys(rows, parts.keys), dry_run=False)
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
            InventoryServicer(reader),
            "cadastre.control.v1.InventoryService",
        ),
    ]


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


def _rpki_reader(settings: VerificationSettings) -> RpkiReader:
    file = RoaFile(settings.rpki_export_file) if settings.rpki_export_file else None

    async def read() -> Rpki:
        table = await file.table() if file else None
        return Rpki(table, refuses=settings.rpki_policy == "refuse")

    return read


def _pace_of(settings: VerificationSettings) -> Pace:
    return Pace(
        retry=timedelta(seconds=settings.verification_retry_seconds),
        timeout=timedelta(seconds=settings.verification_timeout_seconds),
    )
