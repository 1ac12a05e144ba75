"""Wiring of what speaks with internet registries."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from structlog.typing import FilteringBoundLogger

from services.control_plane.certifier import Certifier, Publishing
from services.control_plane.internet_registry_saga import InternetRegistrySaga, Pace
from services.control_plane.internet_registry_worker import InternetRegistryWorker
from services.control_plane.organization_roas import OrganizationRoas
from services.control_plane.quotas import Quotas
from services.control_plane.registries.rdap import RdapClient, rdap_client
from services.control_plane.registries.up_down import UpDownClient, up_down_client
from services.control_plane.rpki_settings import RpkiSettings
from services.control_plane.service.byoip.ports import RpkiReader
from services.control_plane.service.ports import Commands, Reader
from services.control_plane.verification_settings import VerificationSettings
from shared.encryption_keys import EncryptionKeys


@dataclass(frozen=True, slots=True)
class Registries:
    """Connections to registries, and who is to use them how."""

    parents: UpDownClient
    rdap: RdapClient
    settings: RpkiSettings
    keys: EncryptionKeys
    clock: Callable[[], datetime]
    log: FilteringBoundLogger

    def saga(self, reader: Reader, rpki: RpkiReader, quotas: Quotas) -> InternetRegistrySaga:
        return InternetRegistrySaga(
            reader,
            self._certifier,
            OrganizationRoas(self.rdap, rpki, quotas, self.log),
            self.keys,
            Pace(
                interval=self._interval,
                revoking=timedelta(seconds=self.settings.rpki_timeout_seconds),
            ),
            self.clock,
            self.log,
        )

    def worker(self, reader: Reader, commands: Commands) -> InternetRegistryWorker:
        return InternetRegistryWorker(
            reader, commands, self._certifier, self._interval, self.clock, self.log
        )

    @property
    def _certifier(self) -> Certifier:
        settings = self.settings
        publishing = Publishing(settings.rpki_repository_uri, settings.rpki_notification_uri)
        return Certifier(self.parents, self.keys, publishing, self.clock)

    @property
    def _interval(self) -> timedelta:
        return timedelta(seconds=self.settings.rpki_refresh_seconds)


@asynccontextmanager
async def asking_registries(
    verification: VerificationSettings,
    keys: EncryptionKeys,
    clock: Callable[[], datetime],
    log: FilteringBoundLogger,
) -> AsyncIterator[Registries]:
    """Connections of their own, with the hosts that this installation may ask."""
    settings = RpkiSettings()
    rdap_url, patience = str(verification.rdap_url), verification.lookup_timeout_seconds
    async with (
        up_down_client(settings.rpki_parent_hosts, settings.rpki_timeout_seconds, clock) as parents,
        rdap_client(rdap_url, patience) as rdap,
    ):
        yield Registries(parents, rdap, settings, keys, clock, log)
