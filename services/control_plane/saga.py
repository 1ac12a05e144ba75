"""What happens after a command is acknowledged (design.md section 5).

Each handler does its step's remote part, which may be repeated, and returns how the step ends. A
refusal by the ledger ends it too, in a failed state with the ledger's words (BEY-4); what may pass
is raised, and the step is tried again.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial

from services.control_plane.ipam import Ipam
from services.control_plane.ipam_policies.policy import IpamPolicy
from services.control_plane.lifecycle import State
from services.control_plane.pool import Pool, as_ledger_has_it, with_descendants
from services.control_plane.service import settling
from services.control_plane.service.grants import users_by_pool
from services.control_plane.service.ipam_policies_in_force import accounts_of
from services.control_plane.service.ports import Ledger, Reader
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import NextStep, StepKind
from shared.errors import (
    CadastreError,
    Conflict,
    Denied,
    Unauthenticated,
    Unavailable,
    kind_of,
)

# Who isn't let in has been told nothing of the pool: keys or clocks are to be put right.
_MAY_PASS = (Unavailable, Conflict, Denied, Unauthenticated)

Ending = Callable[[Rows], Sequence[NextStep] | None]
"""What a step leads to, and what is to follow that."""


class Saga:
    """Carries steps out."""

    def __init__(self, reader: Reader, ledger: Ledger) -> None:
        self._reader, self._ledger = reader, ledger

    @property
    def handlers(self) -> Mapping[StepKind, Callable[[NextStep], Awaitable[Ending]]]:
        return {
            StepKind.SETTLE_IPAM: self._settle_ipam,
            StepKind.PUSH_IPAM: self._push_ipam,
            StepKind.REMOVE_IPAM: self._remove_ipam,
            StepKind.SETTLE_SCOPE: self._settle_scope,
            StepKind.REMOVE_SCOPE: self._remove_scope,
            StepKind.PUSH_POOL: self._push_pool,
            StepKind.REMOVE_POOL: self._remove_pool,
            StepKind.PUSH_IPAM_POLICY: self._push_policy,
            StepKind.REMOVE_IPAM_POLICY: self._remove_policy,
            StepKind.SETTLE_RESOURCE_DISCOVERY: self._settle_resource_discovery,
            StepKind.REMOVE_RESOURCE_DISCOVERY: self._remove_resource_discovery,
            StepKind.SETTLE_DISCOVERY_ASSOCIATION: self._settle_association,
            StepKind.REMOVE_DISCOVERY_ASSOCIATION: self._remove_association,
        }

    async def _settle_ipam(self, step: NextStep) -> Ending:
        return lambda rows: settling.settle_ipam(rows, step.subject, step.version, {})

    async def _push_ipam(self, step: NextStep) -> Ending:
        ipam, pools, users = await self._reader.read(partial(_all_to_push, ipam_id=step.subject))
        refusals = await self._put_all(ipam, pools, users) if ipam else {}
        return lambda rows: settling.settle_ipam(rows, step.subject, step.version, refusals)

    async def _remove_ipam(self, step: NextStep) -> Ending:
        pools = await self._reader.read(lambda rows: rows.pools(step.subject))
        retired, refusal = await self._retire(pools, cascade=True)
        return lambda rows: settling.end_ipam_deletion(
            rows, step.subject, step.version, retired=retired, refusal=refusal
        )

    async def _settle_scope(self, step: NextStep) -> Ending:
        return lambda rows: settling.settle_scope(rows, step.subject, step.version)

    async def _remove_scope(self, step: NextStep) -> Ending:
        return lambda rows: settling.remove_scope(rows, step.subject)

    async def _push_pool(self, step: NextStep) -> Ending:
        ipam, pool, users = await self._reader.read(partial(_to_push, ipam_pool_id=step.subject))
        refusal = await refusal_of(self._ledger.put(ipam, pool, users)) if ipam and pool else None
        return lambda rows: settling.settle_pool(rows, step.subject, step.version, refusal)

    async def _remove_pool(self, step: NextStep) -> Ending:
        doomed = await self._reader.read(partial(_doomed_with, ipam_pool_id=step.subject))
        retired, refusal = await self._retire(doomed, cascade=step.cascade)
        return lambda rows: settling.end_pool_deletion(
            rows,
            step.subject,
            step.version,
            retired=retired,
            doomed={pool.ipam_pool_id for pool in doomed},
            refusal=refusal,
        )

    async def _push_policy(self, step: NextStep) -> Ending:
        refusal = await self._put_policy(step.subject)
        return lambda rows: settling.settle_policy(rows, step.subject, step.version, refusal)

    async def _remove_policy(self, step: NextStep) -> Ending:
        refusal = await self._put_policy(step.subject)
        return lambda rows: settling.end_policy_deletion(rows, step.subject, step.version, refusal)

    async def _put_policy(self, ipam_policy_id: str) -> str | None:
        """Tell the ledger of a policy as it is now; why that refuses it."""
        policy, accounts = await self._reader.read(
            partial(_policy_to_push, ipam_policy_id=ipam_policy_id)
        )
        return await refusal_of(self._ledger.put_policy(policy, accounts)) if policy else None

    async def _settle_resource_discovery(self, step: NextStep) -> Ending:
        return lambda rows: settling.settle_resource_discovery(rows, step.subject, step.version)

    async def _remove_resource_discovery(self, step: NextStep) -> Ending:
        return lambda rows: settling.remove_resource_discovery(rows, step.subject)

    async def _settle_association(self, step: NextStep) -> Ending:
        return lambda rows: settling.settle_association(rows, step.subject, step.version)

    async def _remove_association(self, step: NextStep) -> Ending:
        return lambda rows: settling.remove_association(rows, step.subject)

    async def _put_all(
        self, ipam: Ipam, pools: Sequence[Pool], users: Mapping[str, Collection[str]]
    ) -> dict[str, str]:
        """Tell the ledger all it can be told: by pool, why it refused the others."""
        refusals = {}
        for pool in pools:
            refusal = await refusal_of(self._ledger.put(ipam, pool, users[pool.ipam_pool_id]))
            if refusal is not None:
                refusals[pool.ipam_pool_id] = refusal
        return refusals

    async def _retire(
        self, pools: Sequence[Pool], *, cascade: bool
    ) -> tuple[list[str], str | None]:
        """Retire pools in this order until one is refused: which are, and why the next is not."""
        retired: list[str] = []
        for pool in pools:
            refusal = await refusal_of(self._ledger.retire(pool, cascade=cascade))
            if refusal is not None:
                return retired, refusal
            retired.append(pool.ipam_pool_id)
        return retired, None


async def refusal_of(call: Awaitable[None]) -> str | None:
    """Why the ledger won't ever do it; None when it did."""
    try:
        await call
    except CadastreError as error:
        if may_pass(error):
            raise
        return error.message
    return None


def may_pass(error: CadastreError) -> bool:
    """The same call may succeed when it is repeated."""
    return issubclass(kind_of(error), _MAY_PASS)


def _all_to_push(
    rows: Rows, *, ipam_id: str
) -> tuple[Ipam | None, Sequence[Pool], Mapping[str, Collection[str]]]:
    """An IPAM with its pools, and by pool the accounts that may use it besides the owner."""
    ipam, pools = rows.ipam(ipam_id, lock=False), rows.pools(ipam_id)
    by_id = {pool.ipam_pool_id: pool for pool in pools}
    known = [as_ledger_has_it(pool, by_id.get(pool.source_ipam_pool_id or "")) for pool in pools]
    return ipam, known, users_by_pool(rows, ipam, list(by_id)) if ipam else {}


def _to_push(rows: Rows, *, ipam_pool_id: str) -> tuple[Ipam | None, Pool | None, Collection[str]]:
    """A pool with its IPAM, and the accounts that may use it besides the owner."""
    pool = rows.pool(ipam_pool_id)
    ipam = rows.ipam(pool.ipam_id, lock=False) if pool else None
    if pool and pool.source_ipam_pool_id:
        pool = as_ledger_has_it(pool, rows.pool(pool.source_ipam_pool_id))
    users = users_by_pool(rows, ipam, [ipam_pool_id])[ipam_pool_id] if ipam else frozenset()
    return ipam, pool, users


def _policy_to_push(
    rows: Rows, *, ipam_policy_id: str
) -> tuple[IpamPolicy | None, Collection[str]]:
    """A policy, and the accounts that it applies to."""
    accounts = accounts_of(rows, [ipam_policy_id])
    return rows.ipam_policies.get(ipam_policy_id), accounts[ipam_policy_id]


def _doomed_with(rows: Rows, *, ipam_pool_id: str) -> list[Pool]:
    """A pool and those under it, deepest first, as far as they are being deleted."""
    pool = rows.pool(ipam_pool_id)
    found = with_descendants(ipam_pool_id, rows.pools(pool.ipam_id)) if pool else []
    return [pool for pool in found if pool.state is State.DELETE_IN_PROGRESS]
