"""Wiring."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import UTC, datetime, timedelta

from cadastre.control.iam.v1 import iam_service_pb2_grpc
from cadastre.control.organizations.v1 import organizations_service_pb2_grpc
from cadastre.control.sharing.v1 import sharing_service_pb2_grpc
from cadastre.control.v1 import (
    authorization_service_pb2_grpc,
    byoip_service_pb2_grpc,
    control_service_pb2_grpc,
    inventory_service_pb2_grpc,
    resource_discovery_service_pb2_grpc,
)
from services.control_plane import tables
from services.control_plane.byoip.rpki import Rpki
from services.control_plane.byoip_saga import ByoipSaga
from services.control_plane.byoip_settings import ByoasnSettings
from services.control_plane.clients import LedgerClient
from services.control_plane.dns_records import DnsClient
from services.control_plane.organization_file import seed_from_file
from services.control_plane.public_space_clients import PublicIpv4PoolsClient, PublicSpaceClient
from services.control_plane.quotas import Quotas
from services.control_plane.rdap import rdap_client
from services.control_plane.roa_file import RoaFile
from services.control_plane.saga import Saga
from services.control_plane.service.byoip.ports import RpkiReader, Verifies
from services.control_plane.service.identity.access_keys import adopt_encryption_keys
from services.control_plane.service.identity.feed import UserFeed
from services.control_plane.service.ipams import adopt_quotas
from services.control_plane.service.organizations.feed import OrganizationFeed
from services.control_plane.servicer import ControlPlaneServicer
from services.control_plane.servicer.authorization import AuthorizationServicer
from services.control_plane.servicer.byoip import ByoipServicer
from services.control_plane.servicer.identity import IamServicer
from services.control_plane.servicer.inventory import InventoryServicer
from services.control_plane.servicer.organizations import OrganizationsServicer
from services.control_plane.servicer.resource_discovery import ResourceDiscoveryServicer
from services.control_plane.servicer.shares import SharingServicer
from services.control_plane.store.commands import SqlCommands
from services.control_plane.store.reader import SqlReader
from services.control_plane.store.steps import outbox_handlers
from services.control_plane.verification_settings import VerificationSettings
from services.control_plane.verification_worker import Pace, VerificationWorker
from services.control_plane.verifier import Verifier
from shared.encryption_keys import load_encryption_keys
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
            Remote.to("allocation", runtime.settings, runtime.signer) as remote,
            Remote.to("network", runtime.settings, runtime.signer) as network,
            _verifying(verifier, verification, clock) as verifies,
        ):
            ledger, reader = LedgerClient(remote), SqlReader(database)
            space = PublicSpaceClient(remote)
            steps = Steps(database, tables.outbox)
            byoip_saga = ByoipSaga(reader, space, PublicIpv4PoolsClient(network), clock)
            handlers = {**Saga(reader, ledger).handlers, **byoip_saga.handlers}
            outbox = Outbox(database, tables.outbox, outbox_handlers(handlers, steps))
            bell = Bell()
            tokens = ClientTokens(tables.client_tokens)
            commands = SqlCommands(database, outbox, steps, tokens, bell)
            await database.run(commands.enqueue_all, lambda rows: adopt_quotas(rows, quotas))
            await commands.tag(lambda rows: adopt_encryption_keys(rows, keys), dry_run=False)
            await seed_from_file(runtime.settings, commands, _now())
            servicer = ControlPlaneServicer(reader, commands, ledger, quotas, _now)
            days = runtime.settings.audit_retention_days
            trail = AuditTrail(database, tables.audit_events, retention_days=days)
            worker = VerificationWorker(
                reader,
                commands,
                space,
                verifies,
                rpki,
                _pace_of(verification),
                clock,
                runtime.log,
            )
            byoip = ByoipServicer(
                reader,
                commands,
                space,
                rpki,
                quotas,
                clock,
                reserved_asns_allowed=byoasn.reserved_allowed,
                on_waiting=worker.wake,
            )
            async with background(outbox.run(), trail.run(), worker.run()):
                bindings = [
                    Binding(
                        control_service_pb2_grpc.add_ControlPlaneServiceServicer_to_server,
                        servicer,
                        "cadastre.control.v1.ControlPlaneService",
                    ),
                    Binding(
                        resource_discovery_service_pb2_grpc.add_ResourceDiscoveryServiceServicer_to_server,
                        ResourceDiscoveryServicer(reader, commands, quotas),
                        "cadastre.control.v1.ResourceDiscoveryService",
                    ),
                    Binding(
                        byoip_service_pb2_grpc.add_ByoipServiceServicer_to_server,
                        byoip,
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
                            OrganizationFeed(reader, bell), UserFeed(reader, bell), keys
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
                        IamServicer(reader, commands, keys, _now),
                        "cadastre.control.iam.v1.IamService",
                    ),
                    Binding(
                        inventory_service_pb2_grpc.add_InventoryServiceServicer_to_server,
                        InventoryServicer(reader),
                        "cadastre.control.v1.InventoryService",
                    ),
                ]
                yield audited(bindings, trail)
    finally:
        database.close()


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
