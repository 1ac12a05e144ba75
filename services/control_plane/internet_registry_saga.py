"""What happens after a command about an association is acknowledged; like `saga`."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from structlog.typing import FilteringBoundLogger

from services.control_plane.certifier import (
    PARENT_FAILURES,
    Certifier,
    Conversation,
    may_pass,
    reason_of,
)
from services.control_plane.delegated_rpki.bpki import BpkiIdentity
from services.control_plane.delegated_rpki.out_of_band import child_request_xml
from services.control_plane.organization_roas import NothingKnown, OrganizationRoas
from services.control_plane.saga import Ending
from services.control_plane.service.internet_registries import secrets, settling
from services.control_plane.service.internet_registries.settling import Held
from services.control_plane.service.ports import Reader
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import NextStep, StepKind
from services.control_plane.verification.roas import Roa
from shared.encryption_keys import EncryptionKeys
from shared.errors import ServiceUnavailable

_HAND_IN = (
    "Hand the child request in at the registry, and enable the association with its parent response"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How patient it is."""

    interval: timedelta
    """Time between two questions to a parent about what it certifies."""
    revoking: timedelta
    """How long a parent has to revoke what it certified; the association goes in any case."""


class InternetRegistrySaga:
    """Carries steps about associations out."""

    def __init__(
        self,
        reader: Reader,
        certifier: Certifier,
        roas: OrganizationRoas,
        keys: EncryptionKeys,
        pace: Pace,
        clock: Callable[[], datetime],
        log: FilteringBoundLogger,
    ) -> None:
        self._reader, self._certifier, self._roas, self._keys = reader, certifier, roas, keys
        self._pace, self._clock, self._log = pace, clock, log

    @property
    def handlers(self) -> Mapping[StepKind, Callable[[NextStep], Awaitable[Ending]]]:
        return {
            StepKind.CREATE_INTERNET_REGISTRY_ASSOCIATION: self._create,
            StepKind.STAGE_REGISTRATIONS: self._stage,
            StepKind.ENABLE_INTERNET_REGISTRY_ASSOCIATION: self._enable,
            StepKind.REMOVE_INTERNET_REGISTRY_ASSOCIATION: self._remove,
        }

    async def _create(self, step: NextStep) -> Ending:
        identity = await asyncio.to_thread(BpkiIdentity.new, step.subject, self._clock())
        return partial(
            settling.end_creation,
            step=step,
            delegation=secrets.encrypted_identity(step.subject, identity, self._keys),
            child_request_xml=child_request_xml(identity, step.subject),
        )

    async def _stage(self, step: NextStep) -> Ending:
        association = await self._reader.read(
            lambda rows: rows.internet_registries.get(step.subject)
        )
        if association is None:
            return lambda _: None
        vrps: Collection[Roa] = []
        try:
            vrps = await self._roas.of(association)
        except NothingKnown as nothing:
            said = f"no registrations are staged, for {nothing}"
        else:
            said = f"{len(vrps)} ROAs that the RPKI has of its CIDRs are staged as registrations"
        message = f"{_HAND_IN}; {said}"
        return partial(settling.end_staging, step=step, vrps=vrps, message=message)

    async def _enable(self, step: NextStep) -> Ending:
        held = await self._reader.read(lambda rows: settling.held(rows, step.subject))
        if held is None or held.association.version != step.version:
            return lambda _: None
        conversation = self._certifier.about(held)
        if conversation is None:
            return lambda _: None
        try:
            return await self._certify(step, held, conversation)
        except PARENT_FAILURES as failure:
            return self._failed(step, held, reason_of(failure), is_final=not may_pass(failure))

    async def _certify(self, step: NextStep, held: Held, conversation: Conversation) -> Ending:
        """First keep the keys that are needed, and come back; then have them certified."""
        listed = await conversation.look()
        if keys := await conversation.new_keys(listed):
            return partial(_keep_keys, step=step, held=held, keys=keys)
        certification = await conversation.certify(listed)
        if certification.failures:
            why, is_final = "; ".join(certification.failures), not certification.failures_may_pass
            return self._failed(step, held, why, is_final=is_final)
        return partial(
            settling.end_enabling,
            step=step,
            certification=certification,
            interval=self._pace.interval,
            now=self._clock(),
        )

    def _failed(self, step: NextStep, held: Held, why: str, *, is_final: bool) -> Ending:
        """The end of an attempt.

        Raises:
            ServiceUnavailable: it is to be tried again.
        """
        until = held.association.enable_until
        if not is_final and until and self._clock() < until:
            raise ServiceUnavailable(why, association_id=step.subject)
        return partial(settling.fail_enabling, step=step, why=why)

    async def _remove(self, step: NextStep) -> Ending:
        held = await self._reader.read(lambda rows: settling.held(rows, step.subject))
        conversation = self._certifier.about(held) if held else None
        if conversation:
            await self._revoke(step, conversation)
        return partial(settling.end_removal, step=step)

    async def _revoke(self, step: NextStep, conversation: Conversation) -> None:
        """As far as the registry lets itself be asked; without ROAs a certificate does no harm."""
        try:
            async with asyncio.timeout(self._pace.revoking.total_seconds()):
                await conversation.revoke()
        except (*PARENT_FAILURES, TimeoutError) as failure:
            why = reason_of(failure) if str(failure) else "the registry did not answer in time"
            self._log.warning("certificates were not revoked", association=step.subject, error=why)


def _keep_keys(
    rows: Rows, step: NextStep, held: Held, keys: Mapping[str, bytes]
) -> tuple[NextStep, ...]:
    """With the keys kept, the same step goes on."""
    settling.keep_keys(rows, held, keys)
    return (step,)
