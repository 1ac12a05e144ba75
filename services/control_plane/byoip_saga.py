"""What happens after a command about public space is acknowledged; like `saga`."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial

from services.control_plane.byoip.byoip_cidr import ByoipCidr, InPool
from services.control_plane.pool import Pool
from services.control_plane.saga import Ending, may_pass, refusal_of
from services.control_plane.service.byoip import settling
from services.control_plane.service.byoip.ports import PublicIpv4Pools, PublicSpace
from services.control_plane.service.ports import Reader
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import NextStep, StepKind
from shared.errors import (
    CadastreError,
    DependencyViolation,
    NotFound,
    ServiceUnavailable,
    kind_of,
)


class ByoipSaga:
    """Carries steps about public space out."""

    def __init__(
        self,
        reader: Reader,
        space: PublicSpace,
        pools: PublicIpv4Pools,
        clock: Callable[[], datetime],
    ) -> None:
        self._reader, self._space, self._pools, self._clock = reader, space, pools, clock

    @property
    def handlers(self) -> Mapping[StepKind, Callable[[NextStep], Awaitable[Ending]]]:
        return {
            StepKind.SETTLE_VERIFICATION_TOKEN: self._settle_token,
            StepKind.REMOVE_VERIFICATION_TOKEN: self._remove_token,
            StepKind.REMOVE_BYOASN: self._remove_byoasn,
            StepKind.SETTLE_BYOIP_CIDR: self._settle_cidr,
            StepKind.TAKE_IN_BYOIP_CIDR: self._take_in,
            StepKind.REMOVE_BYOIP_CIDR: self._remove_range,
            StepKind.MOVE_BYOIP_CIDR: self._move,
        }

    async def _settle_token(self, step: NextStep) -> Ending:
        return lambda rows: settling.settle_token(rows, step.subject, step.version)

    async def _remove_token(self, step: NextStep) -> Ending:
        return lambda rows: settling.remove_token(rows, step.subject)

    async def _remove_byoasn(self, step: NextStep) -> Ending:
        now = self._clock()
        return lambda rows: settling.remove_byoasn(rows, step.subject, step.version, now)

    async def _settle_cidr(self, step: NextStep) -> Ending:
        cidr, now = await self._cidr(step), self._clock()
        if cidr and isinstance(cidr.holder, InPool):
            held = cidr.holder.ipam_pool_cidr_id
            if not await self._pinned(held, cidr.reason_to_stay):
                return lambda rows: settling.forget_cidr(rows, step.subject)
        return lambda rows: settling.settle_cidr(rows, step.subject, step.version, now)

    async def _pinned(self, ipam_pool_cidr_id: str, reason: str | None) -> bool:
        """Have the ledger keep the CIDR if it has to stay; False: it is gone."""
        try:
            if reason:
                await self._space.pin(ipam_pool_cidr_id, reason)
            else:
                await self._space.unpin(ipam_pool_cidr_id)
        except CadastreError as error:
            if kind_of(error) is not NotFound:
                raise
            return False
        return True

    async def _take_in(self, step: NextStep) -> Ending:
        cidr = await self._cidr(step)
        refusal = await self._taken_in(cidr) if cidr and cidr.version == step.version else None
        now = self._clock()
        return lambda rows: settling.end_taking_in(rows, step.subject, step.version, refusal, now)

    async def _taken_in(self, cidr: ByoipCidr) -> str | None:
        """Why ledger or network won't have it; what one of them had is given back then."""
        refusal = await refusal_of(self._space.register(cidr))
        if refusal is None and cidr.alone.pool_id:
            refusal = await refusal_of(self._pools.add(cidr, cidr.alone.pool_id))
            if refusal is not None:
                await self._space.unregister(cidr)
        return refusal

    async def _remove_range(self, step: NextStep) -> Ending:
        cidr = await self._cidr(step)
        refusal = await self._removed(cidr) if cidr else None
        return lambda rows: settling.end_removal(rows, step.subject, step.version, refusal)

    async def _removed(self, cidr: ByoipCidr) -> str | None:
        """Why the network won't give it up."""
        if cidr.alone.pool_id:
            refusal = await refusal_of(self._pools.remove(cidr, cidr.alone.pool_id))
            if refusal is not None:
                return refusal
        try:
            await self._space.unregister(cidr)
        except CadastreError as error:
            if error.reason != DependencyViolation.reason:
                raise
            raise ServiceUnavailable(
                f"{cidr.cidr} is the network's no more, but not released yet: {error.message}"
            ) from error
        return None

    async def _move(self, step: NextStep) -> Ending:
        cidr, pool = await self._reader.read(partial(_moving, byoip_cidr_id=step.subject))
        if cidr is None or cidr.version != step.version:
            return lambda _: None
        if pool is None:
            gone = f"'{cidr.alone.moved_to}' was deleted meanwhile"
            return lambda rows: settling.fail_move(rows, step.subject, step.version, gone)
        try:
            found = await self._space.move(cidr, pool.ipam_pool_id, pool.owner_id)
        except CadastreError as error:
            if may_pass(error):
                raise
            why = error.message
            return lambda rows: settling.fail_move(rows, step.subject, step.version, why)
        if reason := cidr.reason_to_stay:
            # Before anybody is told that it is the pool's, and could deprovision it. If it is gone
            # already, settling what arrived forgets it.
            await self._pinned(found, reason)
        return lambda rows: settling.end_move(rows, step.subject, step.version, found)

    async def _cidr(self, step: NextStep) -> ByoipCidr | None:
        return await self._reader.read(lambda rows: rows.byoip.cidr(step.subject, lock=False))


def _moving(rows: Rows, *, byoip_cidr_id: str) -> tuple[ByoipCidr | None, Pool | None]:
    """A range with the pool that it moves to."""
    cidr = rows.byoip.cidr(byoip_cidr_id, lock=False)
    return cidr, rows.pool(cidr.alone.moved_to or "") if cidr else None
