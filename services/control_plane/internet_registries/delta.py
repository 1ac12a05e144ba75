"""Changes of an association's registrations, each as a whole or not at all, one after another."""

import enum
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.control_plane.internet_registries import registration as rules
from services.control_plane.internet_registries.registration import Registration, RoutingPolicy
from services.control_plane.internet_registries.registration_errors import (
    RegistrationAlreadyExists,
    UnknownRegistration,
)
from shared.cidr import Cidr
from shared.errors import CadastreError, InvalidParameterValue

Registrations = Mapping[Cidr, Registration]
"""All of an association's."""
Covers = Callable[[Cidr], bool]
"""Whether the registry certifies a CIDR, so that a ROA of it can be signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A registration that is to go; what else is said of it must be so."""

    cidr: Cidr
    asns: tuple[int, ...] | None = None
    permits_more_specific: bool | None = None
    max_length: int | None = None
    description: str | None = None

    @classmethod
    def of(cls, policy: RoutingPolicy) -> "Withdrawal":
        """Of exactly this."""
        return cls(
            cidr=policy.cidr,
            asns=policy.asns,
            permits_more_specific=policy.permits_more_specific,
            max_length=policy.max_length,
            description=policy.description,
        )

    def check_means(self, policy: RoutingPolicy) -> None:
        """The policy is what is to go.

        Raises:
            InvalidParameterValue: it says something else.
        """
        for member, given, known in (
            ("asns", self.asns, policy.asns),
            (
                "permit-more-specific-announcements",
                self.permits_more_specific,
                policy.permits_more_specific,
            ),
            ("max-length", self.max_length, policy.max_length),
            ("description", self.description, policy.description),
        ):
            if given is not None and given != known:
                raise InvalidParameterValue(
                    f"The registration of {policy.cidr} that is to be deleted has {member}"
                    f" {_shown(known)}, not {_shown(given)}; say what it has, or its prefix alone",
                    parameter="deltaJson",
                    cidr=policy.cidr,
                    member=member,
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a delta does. What is in both is replaced; each CIDR is at most once in either."""

    add: tuple[RoutingPolicy, ...] = ()
    delete: tuple[Withdrawal, ...] = ()

    @property
    def cidrs(self) -> frozenset[Cidr]:
        """What it changes something of."""
        added = {policy.cidr for policy in self.add}
        return frozenset(added | {withdrawal.cidr for withdrawal in self.delete})


class DeltaState(enum.StrEnum):
    """AWS's words."""

    PENDING = "pending"
    PUBLISHED = "published"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """A change, and what became of it."""

    delta_id: str
    association_id: str
    change: Change
    made_at: datetime
    is_staged: bool = False
    """It was made before the association was enabled: what it does is done to what is staged."""
    state: DeltaState = DeltaState.PENDING
    state_message: str | None = None


def with_delta(registrations: Registrations, delta: Delta) -> Registrations:
    """``registrations`` with what a delta does to them, in progress or staged.

    Raises:
        UnknownRegistration: what is to go is not there.
        RegistrationAlreadyExists: what is to come is there, and does not go.
        InvalidParameterValue: what is to go is something else than the delta says.
    """
    after = dict(registrations)
    for withdrawal in delta.change.delete:
        known = after.get(withdrawal.cidr)
        if known is None or known.is_going:
            raise UnknownRegistration(delta.association_id, withdrawal.cidr)
        withdrawal.check_means(known.policy)
        after[withdrawal.cidr] = rules.withdrawing(known, delta.delta_id)
    for policy in delta.change.add:
        known = after.get(policy.cidr)
        if known is not None and not known.is_going:
            raise RegistrationAlreadyExists(delta.association_id, policy.cidr)
        after[policy.cidr] = rules.registering(policy, delta.delta_id, known)
    return _as_staged(after, delta) if delta.is_staged else after


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How an association's registrations are once everything is published that can be."""

    registrations: Registrations
    """None of them in progress."""
    deltas: tuple[Delta, ...]
    """Those that were pending, none of them any more."""


def settle(registrations: Registrations, deltas: Sequence[Delta], covers: Covers) -> Settlement:
    """Apply pending deltas, oldest first, as far as the registry certifies what they add.

    A delta that can't be applied fails as a whole, and the registrations are as if it had never
    been; those after it are applied without it, or fail as well.
    """
    current: Registrations = as_settled(registrations)
    ended: list[Delta] = []
    for delta in deltas:
        if delta.is_staged:
            ended.append(_with_outcome(delta, _staged_in_vain(delta, current, covers)))
            continue
        try:
            after = with_delta(current, delta)
        except CadastreError as error:
            ended.append(_with_outcome(delta, error.message))
            continue
        refusal = _uncertified([policy.cidr for policy in delta.change.add], covers)
        current = current if refusal else after
        ended.append(_with_outcome(delta, refusal))
    completed = (rules.completed(one, is_certified=covers(cidr)) for cidr, one in current.items())
    staying = {one.policy.cidr: one for one in completed if one is not None}
    return Settlement(registrations=staying, deltas=tuple(ended))


def as_settled(registrations: Registrations) -> dict[Cidr, Registration]:
    """What was before all that is in progress."""
    settled = {cidr: one.settled for cidr, one in registrations.items()}
    return {cidr: one for cidr, one in settled.items() if one is not None}


def replayed(settled: Registrations, deltas: Collection[Delta]) -> Registrations:
    """``settled`` with deltas in progress that were accepted meanwhile; oldest first.

    One that builds on what failed fails when it is settled; until then it leaves things as they
    are.
    """
    current = settled
    for delta in deltas:
        try:
            current = with_delta(current, delta)
        except CadastreError:
            continue
    return current


def _as_staged(after: dict[Cidr, Registration], delta: Delta) -> Registrations:
    """Nothing is published yet that had to be withdrawn: what goes is gone at once."""
    for withdrawal in delta.change.delete:
        del after[withdrawal.cidr]
    for policy in delta.change.add:
        after[policy.cidr] = rules.staged(policy, delta.delta_id)
    return after


def _staged_in_vain(delta: Delta, current: Registrations, covers: Covers) -> str | None:
    """Why something that a delta staged, and nothing changed since, can't be active."""
    own = [
        policy.cidr
        for policy in delta.change.add
        if policy.cidr in current and current[policy.cidr].latest_delta_id == delta.delta_id
    ]
    return _uncertified(own, covers)


def _uncertified(cidrs: Sequence[Cidr], covers: Covers) -> str | None:
    missing = [str(cidr) for cidr in cidrs if not covers(cidr)]
    if not missing:
        return None
    return f"the internet registry does not certify {', '.join(missing)}"


def _with_outcome(delta: Delta, refusal: str | None) -> Delta:
    state = DeltaState.FAILED if refusal else DeltaState.PUBLISHED
    return replace(delta, state=state, state_message=refusal)


def _shown(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case tuple():
            return ", ".join(map(str, value))
        case None:
            return "nothing"
        case _:
            return f"'{value}'"
