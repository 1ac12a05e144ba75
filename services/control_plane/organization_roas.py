"""Finding the ROAs that there are for an organization's CIDRs, before it is certified by itself."""

import asyncio
from collections.abc import Collection
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from services.control_plane.internet_registries.association import InternetRegistryAssociation, Rir
from services.control_plane.internet_registries.organization import roas_within, space_of
from services.control_plane.quotas import Quotas
from services.control_plane.service.byoip.ports import RpkiReader
from services.control_plane.verification.rdap_records import Record
from services.control_plane.verification.roas import Roa, RoaTable
from services.control_plane.verifier import LookUpFailed
from shared.errors import CadastreError


class NothingKnown(Exception):
    """No ROAs are known of an organization; the message tells the account why."""


class EntityLookUp(Protocol):
    """Asks a registry by RDAP."""

    async def entity(self, handle: str) -> Record | None:
        """The registry's record of an organization, if it has one.

        Raises:
            LookUpFailed: that is not known now.
        """


class OrganizationRoas:
    """Looks for them: which CIDRs an organization has is told by RDAP, their ROAs by the RPKI."""

    def __init__(
        self, rdap: EntityLookUp, rpki: RpkiReader, quotas: Quotas, log: FilteringBoundLogger
    ) -> None:
        self._rdap, self._rpki, self._quotas, self._log = rdap, rpki, quotas, log

    async def of(self, association: InternetRegistryAssociation) -> Collection[Roa]:
        """At least one, and for no more CIDRs than the association may have registrations.

        Raises:
            NothingKnown: there are none, or that isn't known.
        """
        handle = association.organization_handle
        if association.rir is Rir.LACNIC:
            raise NothingKnown("LACNIC does not tell which CIDRs an organization has")
        table = await self._table()
        entity = await self._entity(handle)
        found = await asyncio.to_thread(lambda: roas_within(table, space_of(entity)))
        if not found:
            raise NothingKnown(f"the RPKI has no ROAs of CIDRs that RDAP tells of '{handle}'")
        quota = self._quotas.routing_policy_registrations_per_association
        most = quota.of(association.owner_id)
        if len({roa.prefix for roa in found}) > most:
            raise NothingKnown(f"the RPKI has ROAs of more than {most} CIDRs of '{handle}'")
        return found

    async def _table(self) -> RoaTable:
        try:
            table = (await self._rpki()).roas
        except CadastreError as error:
            self._log.warning("ROAs of an organization can't be read", error=error.message)
            raise NothingKnown("the ROAs of the RPKI can't be read now") from error
        if table is None:
            raise NothingKnown("this installation does not ask the RPKI")
        return table

    async def _entity(self, handle: str) -> Record:
        try:
            entity = await self._rdap.entity(handle)
        except LookUpFailed as failure:
            raise NothingKnown(f"the CIDRs of '{handle}' are not known: {failure}") from failure
        if entity is None:
            raise NothingKnown(f"there is no RDAP record of '{handle}'")
        return entity
